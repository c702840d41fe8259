//! From Kubernetes objects to [`Observed`]: what the children say, as plain data.
//!
//! Reading never fails: an object that says nothing sensible (no label, a broken annotation, a foreign report) is read as far as
//! it makes sense and otherwise left out.

mod jobs;
mod long_running;
mod pod_issues;
mod pods;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::fingerprint::Fingerprint;
use super::labels::{annotation, label};
use super::observed::{Observed, ObservedStep, PodIssue};

/// The children of one pipeline, as they were found: shared with whoever found them, since pods and Jobs are many and large.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Jobs, those of CronJobs among them.
    pub jobs: Vec<Arc<Job>>,
    /// CronJobs.
    pub cron_jobs: Vec<Arc<CronJob>>,
    /// Pods of all children.
    pub pods: Vec<Arc<Pod>>,
    /// Deployments.
    pub deployments: Vec<Arc<Deployment>>,
    /// StatefulSets.
    pub stateful_sets: Vec<Arc<StatefulSet>>,
    /// DaemonSets.
    pub daemon_sets: Vec<Arc<DaemonSet>>,
    /// The claim that the pods mount, where it is there.
    pub claim: Option<Arc<PersistentVolumeClaim>>,
    /// What the cluster last warned of, by the uid of the object that it is about.
    pub warning_events: BTreeMap<String, WarningEvent>,
}

/// A warning of the cluster's own controllers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarningEvent {
    /// What it says.
    pub pod_issue: PodIssue,
    /// When it was last said, where it says.
    pub time: Option<Timestamp>,
}

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
        .map(|found| (&found.metadata, long_running::deployment(found)))
        .chain(
            snapshot.stateful_sets.iter().map(|found| (&found.metadata, long_running::stateful_set(found))),
        )
        .chain(snapshot.daemon_sets.iter().map(|found| (&found.metadata, long_running::daemon_set(found))));
    for (metadata, found) in long_running {
        if let Some(step) = step_of(metadata) {
            steps.entry(step).or_default().long_running = Some(found);
        }
    }
    for cron_job in &snapshot.cron_jobs {
        let template = cron_job.spec.as_ref().and_then(|spec| spec.job_template.metadata.as_ref());
        let fingerprint =
            template.and_then(|template| template.annotations.as_ref()).and_then(fingerprint_of);
        if let Some(step) = step_of(&cron_job.metadata) {
            steps.entry(step).or_default().schedule = fingerprint;
        }
    }
    let claim = snapshot.claim.as_ref().map(|claim| pod_issues::read_claim(claim, snapshot));
    for (step, pod_issue) in pod_issues::pod_issues(snapshot, claim.as_ref()) {
        let pod_issues = &mut steps.entry(step).or_default().pod_issues;
        if !pod_issues.contains(&pod_issue) {
            pod_issues.push(pod_issue);
        }
    }
    Observed { steps, claim }
}

/// The step that an object says it belongs to.
fn step_of(metadata: &ObjectMeta) -> Option<String> {
    label_of(metadata, label::STEP).map(str::to_owned)
}

/// The fingerprint of the step when an object was made.
fn fingerprint_of(annotations: &BTreeMap<String, String>) -> Option<Fingerprint> {
    let text =
        annotations.get(annotation::FINGERPRINT).or_else(|| annotations.get(annotation::FINGERPRINT_BEFORE));
    serde_json::from_str(text?).ok()
}

/// The value of a label.
fn label_of<'a>(metadata: &'a ObjectMeta, name: &str) -> Option<&'a str> {
    metadata.labels.as_ref()?.get(name).map(String::as_str)
}

/// The pods that an object controls.
fn pods_of<'a>(snapshot: &'a Snapshot, owner: &'a ObjectMeta) -> impl Iterator<Item = &'a Pod> {
    snapshot.pods.iter().map(Arc::as_ref).filter(|pod| is_owned_by(&pod.metadata, owner))
}

fn is_owned_by(child: &ObjectMeta, owner: &ObjectMeta) -> bool {
    let uid = owner.uid.as_deref();
    uid.is_some()
        && child
            .owner_references
            .iter()
            .flatten()
            .any(|reference| reference.controller == Some(true) && Some(reference.uid.as_str()) == uid)
}
