//! What a Job and its pods say of a run.

use k8s_openapi::api::batch::v1::{Job, JobCondition};
use k8s_openapi::api::core::v1::Pod;
use mlpipeline_crds::{Outcome, Revision, StepReport};

use super::metadata::{fingerprint_of, settings_of};
use super::pods;
use crate::children::INDEXED;
use crate::labels::{annotation, label, label_of};
use crate::observed::{ObservedRun, RunPhase};
use crate::piece::Piece;
use crate::plan::Speaker;

/// Reads a Job with its pods; `None` for a Job that names no run of ours.
pub(super) fn read(job: &Job, own_pods: &[&Pod]) -> Option<ObservedRun> {
    let metadata = &job.metadata;
    let key = Revision::parse(label_of(metadata, label::REVISION)?).ok()?;
    let fingerprint = metadata.annotations.as_ref().and_then(fingerprint_of);
    let status = job.status.as_ref();
    let speaker = speaker(job, own_pods);
    let failed = failed(job);
    let phase = match failed {
        Some(condition) => failure(condition, own_pods),
        None if is_complete(job, own_pods) => RunPhase::Succeeded,
        None => RunPhase::Active,
    };
    let is_idle = phase == RunPhase::Active && is_idle(job, own_pods);
    let has_succeeded = phase == RunPhase::Succeeded;
    // Whichever pod failed last says why a run failed.
    let last_words = if has_succeeded { speakers(job, own_pods) } else { own_pods.to_vec() };
    let count = |number: Option<i32>| u32::try_from(number.unwrap_or_default()).unwrap_or_default();
    let counted = status.map(|status| count(status.active) + count(status.succeeded) + count(status.failed));
    // A pod that has just ended is counted nowhere for a moment, and is still there.
    let pods_tried = counted.unwrap_or_default().max(u32::try_from(own_pods.len()).unwrap_or(u32::MAX));
    let completed = status.and_then(|status| status.completion_time.as_ref()).map(|time| time.0);
    let failed_at = failed.and_then(|condition| condition.last_transition_time.as_ref()).map(|time| time.0);
    Some(ObservedRun {
        name: metadata.name.clone()?,
        key,
        attempt: label_of(metadata, label::ATTEMPT).and_then(|text| text.parse().ok()).unwrap_or(1),
        // A piece that only a newer version knows is no run that this one can judge.
        piece: label_of(metadata, label::PIECE).map_or(Some(Piece::Commit), Piece::parse)?,
        scheduled: label_of(metadata, label::SCHEDULED) == Some("true"),
        fingerprint,
        settings: metadata.annotations.as_ref().and_then(settings_of),
        default_image: metadata
            .annotations
            .as_ref()
            .and_then(|all| all.get(annotation::WORKER_IMAGE))
            .cloned(),
        phase,
        is_idle,
        created: metadata.creation_timestamp.as_ref().map(|time| time.0),
        // The Job may report it later than its pod has ended.
        started: status
            .and_then(|status| status.start_time.as_ref())
            .map(|time| time.0)
            .or_else(|| speaker.and_then(pods::started)),
        finished: speaker.filter(|_| runs_one_pod(job)).and_then(pods::finished).or(completed).or(failed_at),
        pods: pods_tried,
        report: speaker
            .and_then(pods::report)
            .or_else(|| kept_report(job).filter(|_| has_succeeded))
            .or_else(|| newest(&last_words).and_then(pods::report)),
        pending_report: speaker.filter(|_| has_succeeded).and_then(|pod| pending_report(job, pod)),
    })
}

/// Whether no pod of the run has begun to work: each waits for a node, an image or a volume, or was not even created.
pub(super) fn is_pending(job: &Job, own_pods: &[&Pod]) -> bool {
    let counts = job.status.as_ref().map(|status| [status.ready, status.succeeded, status.failed]);
    let ended = counts.iter().flatten().any(|count| count.unwrap_or_default() > 0);
    !ended && own_pods.iter().all(|pod| pods::is_pending(pod))
}

/// Whether no pod of the run is at work, or has succeeded: each waits, as in [`is_pending`], or has failed.
fn is_idle(job: &Job, own_pods: &[&Pod]) -> bool {
    let counts = job.status.as_ref().map(|status| [status.ready, status.succeeded]);
    let works = counts.iter().flatten().any(|count| count.unwrap_or_default() > 0);
    !works && own_pods.iter().all(|pod| pods::is_pending(pod) || pods::failed(pod))
}

/// Whether the run is at work, or about to be.
pub(super) fn is_active(job: &Job, own_pods: &[&Pod]) -> bool {
    failed(job).is_none() && !is_complete(job, own_pods)
}

/// The Job controller says Complete up to two seconds after a worker has reported success; a run of one pod need not wait for it.
fn is_complete(job: &Job, own_pods: &[&Pod]) -> bool {
    condition(job, "Complete").is_some()
        || condition(job, "SuccessCriteriaMet").is_some()
        || (runs_one_pod(job) && speaker(job, own_pods).is_some())
}

fn failed(job: &Job) -> Option<&JobCondition> {
    condition(job, "Failed").or_else(|| condition(job, "FailureTarget"))
}

pub(super) fn condition<'a>(job: &'a Job, kind: &str) -> Option<&'a JobCondition> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == kind && condition.status == "True")
}

/// The pod whose report is the run's, where it has succeeded.
fn speaker<'a>(job: &Job, own_pods: &[&'a Pod]) -> Option<&'a Pod> {
    let succeeded = speakers(job, own_pods).into_iter().filter(|pod| pods::succeeded(pod));
    succeeded.max_by_key(|pod| (pods::finished(pod), pod.metadata.name.clone()))
}

/// The pods that may speak for the run.
fn speakers<'a>(job: &Job, own_pods: &[&'a Pod]) -> Vec<&'a Pod> {
    let mode = job.spec.as_ref().and_then(|spec| spec.completion_mode.as_deref());
    let may_speak = |pod: &&Pod| match Speaker::of(mode == Some(INDEXED)) {
        Speaker::LastSucceeded => true,
        Speaker::Index(index) => {
            label_of(&pod.metadata, label::COMPLETION_INDEX) == Some(index.to_string().as_str())
        }
    };
    own_pods.iter().copied().filter(may_speak).collect()
}

/// The report that the Job keeps. It counts only where the Job itself ended well, and only as a pod's would.
fn kept_report(job: &Job) -> Option<StepReport> {
    let text = job.metadata.annotations.as_ref()?.get(annotation::REPORT)?;
    StepReport::from_json(text).ok().filter(|report| report.outcome == Outcome::Succeeded)
}

/// A pod's report of success where the Job does not keep it, and has the room to.
fn pending_report(job: &Job, pod: &Pod) -> Option<String> {
    let text = pods::report_text(pod)?;
    StepReport::from_json(text).ok().filter(|report| report.outcome == Outcome::Succeeded)?;
    let annotations = job.metadata.annotations.iter().flatten();
    if annotations.clone().any(|(name, kept)| name == annotation::REPORT && kept == text) {
        return None;
    }
    let others: usize = annotations
        .filter(|(name, _)| *name != annotation::REPORT)
        .map(|(name, value)| match name.as_str() {
            annotation::DROPPED => value.parse().unwrap_or(annotation::MOST_BYTES),
            name => name.len() + value.len(),
        })
        .sum();
    let size = others + annotation::REPORT.len() + text.len();
    (size <= annotation::MOST_BYTES).then(|| text.to_owned())
}

/// Whether the run is done as soon as one pod has succeeded.
pub(super) fn runs_one_pod(job: &Job) -> bool {
    job.spec
        .as_ref()
        .is_some_and(|spec| spec.completions.unwrap_or(1) == 1 && spec.parallelism.unwrap_or(1) == 1)
}

/// Why a run failed: the newest pod's own words, else the Job controller's.
fn failure(condition: &JobCondition, own_pods: &[&Pod]) -> RunPhase {
    let reason = condition.reason.clone().unwrap_or_else(|| "JobFailed".to_owned());
    if reason == "DeadlineExceeded" {
        let message = "the step took longer than its timeout allows, over all attempts";
        return RunPhase::Failed { reason, message: message.to_owned() };
    }
    let of_pod = newest(own_pods).and_then(pods::failure);
    let (reason, message) = of_pod.unwrap_or_else(|| {
        (reason, condition.message.clone().unwrap_or_else(|| "the Job failed".to_owned()))
    });
    RunPhase::Failed { reason, message }
}

pub(super) fn newest<'a>(own_pods: &[&'a Pod]) -> Option<&'a Pod> {
    own_pods
        .iter()
        .copied()
        .max_by_key(|pod| (pods::finished(pod), pod.metadata.creation_timestamp.as_ref().map(|time| time.0)))
}
