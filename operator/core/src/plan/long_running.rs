//! The decision for a long-running step: one that serves, a continuous one, or a run step with a workload other than Job.

use std::collections::BTreeMap;

use mlpipeline_crds::{Digest, Revision};

use super::context::{Context, entry, pod_issue};
use super::held_back::held_back;
use super::inputs::Inputs;
use super::reported_digest::{digest_of, has_probe_port};
use super::runs::read_now;
use super::step_plan::StepPlan;
use super::task;
use super::work::{LongRunningWork, Work};
use crate::decision::Decision;
use crate::fingerprint::Fingerprint;
use crate::observed::{ObservedLongRunning, ProbePort};
use crate::pipeline::ValidStep;
use crate::reason::{NewerModel, Reason};
use crate::template_version::TemplateVersion;
use crate::tracks::Tracks;

pub(super) fn decide(context: &Context<'_>, step: &ValidStep, inputs: &Inputs) -> StepPlan {
    let observed = context.observed.steps.get(&step.name).and_then(|step| step.long_running.as_ref());
    let held = held_back(context, step, inputs);
    let ready = inputs.ready_or(&BTreeMap::new());
    match (held, ready, observed) {
        (None, None, _) => entry(step, Decision::Wait, Reason::WaitsForInputs),
        (None, Some(_), None) if context.pipeline.suspend => entry(step, Decision::Wait, Reason::Suspended),
        // What `after` names must be done before the first pod; pods that are there are kept up to date all the same.
        (None, Some(revisions), _) | (Some(_), Some(revisions), Some(_)) => {
            let work = work(context, step, revisions);
            let (decision, reason) = progress(context, step, observed, &work);
            with_work(entry(step, decision, reason), work)
        }
        (Some(held), _, None) => held,
        // Pods that are there continue with what they read, and take up every other change.
        (Some(held), None, Some(found)) => {
            let reason = Reason::Keeps { model: found.model.clone(), held: Box::new(held.reason.clone()) };
            let plan = StepPlan { reason, ..held };
            match inputs.ready_or(&read_now(context, step)) {
                Some(revisions) => with_work(plan, work(context, step, revisions)),
                None => plan,
            }
        }
    }
}

fn with_work(plan: StepPlan, work: LongRunningWork) -> StepPlan {
    StepPlan { revision: Some(work.key.clone()), work: Some(Work::LongRunning(Tracks::stable(work))), ..plan }
}

fn work(context: &Context<'_>, step: &ValidStep, revisions: BTreeMap<String, Revision>) -> LongRunningWork {
    let model = step.reads().into_iter().find(|read| read.is_model());
    let model =
        model.and_then(|read| Some((context.pipeline.step(&read.step)?, revisions.get(&read.name)?.clone())));
    let fingerprint = Fingerprint::of(context.pipeline, step, revisions);
    let first_replicas = first_replicas(context, step);
    let key = fingerprint.key();
    let found = same_work(context, step, &key);
    let is_default = step.is_worker() && context.pipeline.image.is_none();
    let keeps = is_default && !needs_another_image(context, step, found);
    let image = found.filter(|_| keeps).and_then(|found| found.image.clone());
    let template = found.map_or(TemplateVersion::NEWEST, |found| found.template);
    let (probe_port, model_digest) = match &model {
        None => (ProbePort::Shared, None),
        Some((train, revision)) => probes_and_digest(context, found, train, revision),
    };
    let task = task::long_running(context, step, &fingerprint, model_digest.as_ref());
    let model = model.map(|(_, revision)| revision);
    LongRunningWork {
        key,
        fingerprint,
        model,
        image,
        template,
        model_digest,
        probe_port,
        first_replicas,
        task,
    }
}

/// Where pods answer probes, and the digest by which they know their model. Both are written into pods, so that a change replaces them: pods
/// of an earlier version that do this work already keep probes where they are and learn no digest. The digest of a model
/// whose run is gone is the one that its pods know.
fn probes_and_digest(
    context: &Context<'_>,
    found: Option<&ObservedLongRunning>,
    train: &ValidStep,
    model: &Revision,
) -> (ProbePort, Option<Digest>) {
    let has_own = match found {
        Some(found) => found.probe_port == ProbePort::Own,
        None => has_probe_port(context, train, model),
    };
    if !has_own {
        return (ProbePort::Shared, None);
    }
    let reported = digest_of(context, train, model);
    (ProbePort::Own, reported.or_else(|| found.and_then(|found| found.model_digest.clone())))
}

/// Whether none of the pods is ready, and since their image cannot be had or what it does ends again and again: another one may be what they
/// need. Pods that are not ready for another cause, such as a node that is drained or lost, come back as they were.
fn needs_another_image(context: &Context<'_>, step: &ValidStep, found: Option<&ObservedLongRunning>) -> bool {
    let is_none_ready = found.is_none_or(|found| found.ready == 0);
    let issues = context.observed.steps.get(&step.name).map(|found| found.pod_issues.as_slice());
    is_none_ready && issues.unwrap_or_default().iter().any(|issue| issue.is_of_image() || issue.is_of_start())
}

/// The pods that do this work already, which keep what they began with.
fn same_work<'a>(context: &Context<'a>, step: &ValidStep, key: &Revision) -> Option<&'a ObservedLongRunning> {
    let found = context.observed.steps.get(&step.name).and_then(|found| found.long_running.as_ref());
    found.filter(|found| found.key.as_ref() == Some(key))
}

/// How many pods an autoscaled step begins with: those of a new one and of one that was scaled to zero, where the autoscaler does
/// nothing. At any other number it is left to the autoscaler.
fn first_replicas(context: &Context<'_>, step: &ValidStep) -> Option<i32> {
    let found = context.observed.steps.get(&step.name).and_then(|found| found.long_running.as_ref());
    step.fewest_autoscaled().filter(|_| found.is_none_or(|found| found.desired == 0))
}

/// How far the pods are.
fn progress(
    context: &Context<'_>,
    step: &ValidStep,
    observed: Option<&ObservedLongRunning>,
    work: &LongRunningWork,
) -> (Decision, Reason) {
    let Some(found) = observed else { return (Decision::Run, Reason::NeverRun) };
    if found.key.as_ref() != Some(&work.key) {
        let reason = match &work.model {
            Some(model) if found.model.as_ref() != Some(model) => Reason::RollsOut { model: model.clone() },
            _ => {
                let changes = found.fingerprint.as_ref().map(|earlier| work.fingerprint.changes(earlier));
                Reason::SpecChanged { changes: changes.unwrap_or_default() }
            }
        };
        return (Decision::Run, reason);
    }
    if let Some(ready) = all_ready(step, found) {
        let reason = match &work.model {
            None => Reason::PodsReady { ready },
            Some(model) => {
                Reason::PodsServe { ready, model: model.clone(), newer: newer_model(context, step, model) }
            }
        };
        return (Decision::Done, autoscaled(context, step, addressed(context, step, reason)));
    }
    let desired = found.desired.max(step.fewest_autoscaled().unwrap_or(found.desired));
    let starting = Reason::PodsStarting { ready: found.updated_ready, desired };
    (Decision::Running, pod_issue(context, step).unwrap_or(starting))
}

/// How pods stand that are all ready, with what keeps their autoscaler from its work.
fn autoscaled(context: &Context<'_>, step: &ValidStep, reason: Reason) -> Reason {
    let issue = context.observed.steps.get(&step.name).and_then(|found| found.not_autoscaled.as_ref());
    let lasts = issue.filter(|issue| step.fewest_autoscaled().is_some() && issue.from <= context.now);
    match lasts {
        Some(issue) => Reason::NotAutoscaled { pods: Box::new(reason), why: issue.pod_issue.clone() },
        None => reason,
    }
}

/// How pods stand that are all ready, with what keeps their Service from its address outside.
fn addressed(context: &Context<'_>, step: &ValidStep, reason: Reason) -> Reason {
    let issue = context.observed.steps.get(&step.name).and_then(|found| found.no_external_address.as_ref());
    match issue.filter(|issue| issue.from <= context.now) {
        Some(issue) => Reason::NoExternalAddress { pods: Box::new(reason), why: issue.pod_issue.clone() },
        None => reason,
    }
}

/// How many pods are ready, where that is as many as the spec asks for. Of an autoscaled step it asks for the fewest: more of them
/// that are still to come are for the load of the moment.
fn all_ready(step: &ValidStep, found: &ObservedLongRunning) -> Option<i32> {
    match step.fewest_autoscaled() {
        Some(fewest) => Some(found.settled_ready).filter(|settled_ready| *settled_ready >= fewest),
        None => Some(found.updated_ready).filter(|ready| found.settled && *ready >= found.desired),
    }
}

/// Why pods that are all well serve this model and not something newer.
fn newer_model(context: &Context<'_>, step: &ValidStep, model: &Revision) -> Option<NewerModel> {
    let read = step.reads().into_iter().find(|read| read.is_model())?;
    let train = context.planned(&read.step)?;
    if train.revision.as_ref() != Some(model) {
        return Some(NewerModel::IsNotUsable { step: train.name.clone(), decision: train.decision });
    }
    let is_rejected = train.decision == Decision::Rejected;
    is_rejected.then(|| NewerModel::ServedIsRejected { verdict: Box::new(train.reason.clone()) })
}
