//! Starting what the plan asks for: runs now or at their times, and replicas.

use std::sync::Arc;

use jiff::Timestamp;
use mlpipeline_core::names;
use mlpipeline_core::pipeline::ValidStep;
use mlpipeline_core::plan::{LongRunningWork, RunWork, Task};
use mlpipeline_crds::ConcurrencyPolicy;
use tokio::sync::{mpsc, watch};

use super::missed_schedule::is_missed;
use super::{Active, Engine, Event};
use crate::local::job::{self, End};
use crate::local::long_running::LongRunningStep;
use crate::local::start::{Publication, Starter};
use crate::local::tools::CannotRun;
use crate::state::{Phase, RunRecord};

impl Engine {
    /// Starts a run, unless as many as allowed are active. Returns whether something changed.
    pub(super) fn start(
        &mut self,
        step: &ValidStep,
        work: &RunWork,
        name: String,
        scheduled: bool,
        events: &mpsc::UnboundedSender<Event>,
    ) -> bool {
        if self.active.contains_key(&name) || (!scheduled && self.active.len() >= self.settings.jobs) {
            return false;
        }
        let mut record = RunRecord {
            name: name.clone(),
            key: work.key.clone(),
            attempt: work.attempt,
            piece: work.piece,
            scheduled,
            is_workers: matches!(work.task, Task::Worker(_)),
            fingerprint: work.fingerprint.clone(),
            phase: Phase::Active,
            started: Timestamp::now(),
            finished: None,
            pods: 0,
            report: None,
        };
        let made = self.starter.store.prepare_run(&step.name).map_err(|error| CannotRun {
            reason: "StateUnwritable",
            message: format!("cannot write the state folder: {error}"),
        });
        match made.and_then(|()| self.starter.job(step, work, &name)) {
            Ok((job, publication)) => {
                std::fs::remove_file(&job.log).ok();
                let (stop, stopping) = watch::channel(false);
                self.active.insert(name.clone(), Active { step: step.name.clone(), stop });
                self.fresh.insert(name.clone());
                self.put(&step.name, record);
                let starter = Arc::clone(&self.starter);
                let (step, events) = (step.name.clone(), events.clone());
                tokio::spawn(async move {
                    let pod = |number| {
                        events.send(Event::Pod { step: step.clone(), run: name.clone(), number }).ok();
                    };
                    let end = job::run(&job, stopping, pod).await;
                    let end = publish(&starter, publication.as_ref(), end);
                    events
                        .send(Event::RunEnded { step: step.clone(), run: name.clone(), end: Box::new(end) })
                        .ok();
                });
            }
            Err(problem) => {
                record.finished = Some(record.started);
                record.phase = Phase::Failed { reason: problem.reason.into(), message: problem.message };
                self.fresh.insert(name);
                self.put(&step.name, record);
            }
        }
        true
    }

    /// Starts a scheduled run when its time has come.
    pub(super) fn fire(
        &mut self,
        step: &ValidStep,
        work: &RunWork,
        next: Option<Timestamp>,
        now: Timestamp,
        events: &mpsc::UnboundedSender<Event>,
    ) -> bool {
        let Some(next) = next else { return false };
        let due = *self.due.entry(step.name.clone()).or_insert(next);
        if now < due {
            return false;
        }
        self.due.insert(step.name.clone(), next);
        let spec = step.schedule.as_ref().map(|schedule| &schedule.spec);
        let deadline = spec.and_then(|spec| spec.starting_deadline_seconds);
        if is_missed(due, now, deadline) {
            return false;
        }
        let active: Vec<&Active> = self.active.values().filter(|active| active.step == step.name).collect();
        match spec.and_then(|spec| spec.concurrency_policy).unwrap_or_default() {
            ConcurrencyPolicy::Forbid if !active.is_empty() => return false,
            ConcurrencyPolicy::Replace => active.iter().for_each(|active| {
                active.stop.send_replace(true);
            }),
            ConcurrencyPolicy::Allow | ConcurrencyPolicy::Forbid => {}
        }
        // As the CronJob controller names its Jobs: by the minute.
        let cron_job = names::cron_job(&self.pipeline.name, &step.name, step.is_indexed());
        let name = format!("{cron_job}-{}", due.as_second() / 60);
        self.start(step, work, name, true, events)
    }

    /// Starts a long-running step, or rolls it out to another key. Returns whether something changed.
    pub(super) async fn roll_out(
        &mut self,
        step: &ValidStep,
        work: &LongRunningWork,
        events: &mpsc::UnboundedSender<Event>,
    ) -> bool {
        if self.cannot_run.contains_key(&step.name)
            || self.long_running.get(&step.name).is_some_and(|live| live.is_of(&work.key))
        {
            return false;
        }
        let made = self.starter.store.prepare_run(&step.name).map_err(|error| error.to_string());
        let made = made.map_err(|message| CannotRun { reason: "StateUnwritable", message });
        let replicas = match made.and_then(|()| self.starter.replicas(step, work)) {
            Ok(replicas) => replicas,
            Err(problem) => {
                self.cannot_run.insert(step.name.clone(), problem);
                return true;
            }
        };
        if !self.long_running.contains_key(&step.name) {
            let wanted = self.settings.port.filter(|_| self.long_running.is_empty());
            match LongRunningStep::listen(&Starter::ports(step), wanted).await {
                Ok(live) => {
                    self.long_running.insert(step.name.clone(), live);
                }
                Err(error) => {
                    let message = format!("{error}; choose another with --port");
                    self.cannot_run.insert(step.name.clone(), CannotRun { reason: "PortTaken", message });
                    return true;
                }
            }
        }
        if let Some(live) = self.long_running.get_mut(&step.name) {
            let (name, events) = (step.name.clone(), events.clone());
            live.roll_out(work, replicas, move |problem| {
                events.send(Event::Replica { step: name.clone(), problem }).ok();
            });
        }
        true
    }
}

/// Moves what a container wrote to the place of its step's result.
fn publish(starter: &Starter, publication: Option<&Publication>, end: End) -> End {
    match (publication, end) {
        (Some(publication), End::Succeeded(report)) => match starter.publish(publication) {
            Ok(()) => End::Succeeded(report),
            Err(error) => End::Failed {
                reason: "StorageUnavailable".into(),
                message: format!("the result cannot be put in its place: {error}"),
                report,
            },
        },
        (_, end) => end,
    }
}
