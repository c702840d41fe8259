//! What the operator may not see: a pipeline that needs such a kind of child is left as it is and told so, and no other.

use super::apply::kinds;
use super::cache::Cache;
use super::cache::kind::Kind;
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::status::Problem;

/// What stands in the way of a pipeline, where the API server refuses to show what it needs.
#[must_use]
pub(super) fn blind_spot(cache: &Cache, pipeline: &ValidatedPipeline) -> Option<Problem> {
    let of_steps = |kind: Kind| pipeline.steps.iter().any(|step| kinds(step).contains(&kind));
    let is_needed = |resource: &str| match resource {
        "ingresses" => of_steps(Kind::Ingress),
        "horizontalpodautoscalers" => of_steps(Kind::Autoscaler),
        "poddisruptionbudgets" => of_steps(Kind::Budget),
        "statefulsets" => of_steps(Kind::StatefulSet),
        "daemonsets" => of_steps(Kind::DaemonSet),
        "deployments" => of_steps(Kind::Deployment),
        "services" => of_steps(Kind::Service),
        "cronjobs" => of_steps(Kind::CronJob),
        // Runs, their pods and the volume are at the root of everything.
        _ => true,
    };
    let (resource, said) = cache.refused().into_iter().find(|(resource, _)| is_needed(resource))?;
    Some(Problem {
        reason: "Forbidden".to_owned(),
        message: format!(
            "the operator may not see {resource}, so nothing is changed: {said}; allow list and watch of {resource} in the \
             operator's Role (deploy/config/rbac/operator-role.yaml)"
        ),
        transient: false,
    })
}
