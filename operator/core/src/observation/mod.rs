//! From Kubernetes objects to [`Observed`]: what the children say, as plain data.
//!
//! Reading never fails: an object that says nothing sensible (no label, a broken annotation, a foreign report) is read as far as
//! it makes sense and otherwise left out.

mod autoscalers;
mod claims;
mod container_status;
mod injected;
mod jobs;
mod load_balancers;
mod long_running;
mod metadata;
mod not_ready;
mod overdue;
mod pod_issues;
mod pods;
mod rollout;
mod snapshot;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;

use self::metadata::{fingerprint_of, pods_of, step_of};
use super::labels::{label, label_of};
use super::observed::{Observed, ObservedStep};
use super::tracks::Track;

pub use snapshot::{Snapshot, WarningEvent};

/// Reads the children of a pipeline.
#[must_use]
pub fn read(snapshot: &Snapshot) -> Observed {
    let mut steps: BTreeMap<String, ObservedStep> = BTreeMap::new();
    for job in &snapshot.jobs {
        let pods: Vec<&Pod> = pods_of(snapshot, &job.metadata).collect();
        if let (Some(step), Some(run)) = (step_of(&job.metadata), jobs::read(job, &pods)) {
            steps.entry(step).or_default().runs.push(run);
        }
    }
    let long_running = snapshot
        .deployments
        .iter()
        .map(|found| (&found.metadata, long_running::deployment(found, &snapshot.pods)))
        .chain(
            snapshot.stateful_sets.iter().map(|found| (&found.metadata, long_running::stateful_set(found))),
        )
        .chain(snapshot.daemon_sets.iter().map(|found| (&found.metadata, long_running::daemon_set(found))));
    for (metadata, found) in long_running {
        if let Some(step) = step_of(metadata) {
            let step = steps.entry(step).or_default();
            match label_of(metadata, label::TRACK).map(Track::parse) {
                None | Some(Some(Track::Stable)) => step.long_running = Some(found),
                Some(Some(track)) => drop(step.other_tracks.insert(track, found)),
                // A track of a later version: nothing here knows what it is for.
                Some(None) => {}
            }
        }
    }
    for cron_job in &snapshot.cron_jobs {
        let template = cron_job.spec.as_ref().and_then(|spec| spec.job_template.metadata.as_ref());
        let annotations = template.and_then(|template| template.annotations.as_ref());
        if let Some(step) = step_of(&cron_job.metadata) {
            let step = steps.entry(step).or_default();
            step.schedule = annotations.and_then(fingerprint_of);
        }
    }
    let pod_issues = pod_issues::pod_issues(snapshot);
    for (step, overdue) in overdue::overdue(snapshot, &pod_issues) {
        steps.entry(step).or_default().overdue.push(overdue);
    }
    for autoscaler in &snapshot.horizontal_pod_autoscalers {
        if let Some(step) = step_of(&autoscaler.metadata) {
            steps.entry(step).or_default().not_autoscaled = autoscalers::issue(autoscaler);
        }
    }
    for service in &snapshot.services {
        if let Some(step) = step_of(&service.metadata) {
            let step = steps.entry(step).or_default();
            step.external_address = load_balancers::address(service);
            step.no_external_address = load_balancers::missing(service, snapshot);
        }
    }
    for (step, pod_issue) in pod_issues {
        let pod_issues = &mut steps.entry(step).or_default().pod_issues;
        if !pod_issues.contains(&pod_issue) {
            pod_issues.push(pod_issue);
        }
    }
    Observed { steps, volume_not_grown: claims::not_grown(snapshot), default_image: None }
}
