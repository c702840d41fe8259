//! Before a step runs again because its report is missing: whether the report is only late.
//!
//! Jobs and pods have a watch each, and one may be behind the other. A Job that is complete without a pod may be such a moment, and
//! must not cause a second run.

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};

use super::context::Context;
use super::failure::Failure;
use mlpipeline_core::labels::label;
use mlpipeline_core::names;
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::{Plan, Work};

/// Lists the pods where the plan would repeat a run; whether there are some that the watch has not delivered yet.
///
/// # Errors
/// When the API server does not respond: then nothing is repeated either.
pub(super) async fn found_late(
    context: &Context,
    pipeline: &ValidatedPipeline,
    plan: &Plan,
) -> Result<bool, Failure> {
    let repeats = |work: &Work| matches!(work, Work::Once(run) if run.attempt > 1);
    if !plan.steps.iter().filter_map(|step| step.work.as_ref()).any(repeats) {
        return Ok(false);
    }
    let api: Api<Pod> = Api::namespaced(context.client.clone(), &pipeline.namespace);
    let ours = format!("{}={}", label::PIPELINE, names::label(&pipeline.name));
    let listed = api.list(&ListParams::default().labels(&ours)).await;
    let pods = listed.map_err(|error| Failure::of_call("the list of pods", &error))?;
    let new = pods.items.into_iter().map(|pod| context.cache.insert_pod(pod));
    Ok(new.fold(false, |any, is_new| any | is_new))
}
