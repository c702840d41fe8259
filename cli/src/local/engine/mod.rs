//! The loop: observe, plan, start and stop what the plan says, wait until something changes.

mod ending;
mod missed_schedule;
mod rows;
mod starting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use mlpipeline_core::names;
use mlpipeline_core::observed::Observed;
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::{Decision, Plan, Work, plan};
use mlpipeline_core::tracks::Track;
use mlpipeline_crds::StepState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use super::job::End;
use super::long_running::LongRunningStep;
use super::settings::Settings;
use super::start::Starter;
use super::tools::CannotRun;
use crate::state::{Records, observed};
pub use rows::Row;

/// Something that happened.
enum Event {
    /// A run started its n-th process.
    Pod { step: String, run: String, number: u32 },
    /// A run ended.
    RunEnded { step: String, run: String, end: Box<End> },
    /// A replica became ready or ended.
    Replica { step: String, problem: Option<String> },
}

/// An active run.
struct Active {
    step: String,
    stop: watch::Sender<bool>,
}

/// Shows how a local run progresses.
pub trait Watcher {
    /// Something changed.
    fn changed(&mut self, engine: &Engine);
    /// Everything is done or serving: nothing more starts by itself.
    fn settled(&mut self, engine: &Engine);
}

/// One pipeline on this machine.
pub struct Engine {
    /// The pipeline.
    pub pipeline: ValidatedPipeline,
    /// What was asked for.
    pub settings: Settings,
    /// How things start.
    pub starter: Arc<Starter>,
    /// The newest plan.
    pub plan: Plan,
    /// All records that count.
    pub records: Records,
    /// Long-running steps.
    pub long_running: BTreeMap<String, LongRunningStep>,
    /// Long-running steps that cannot be started here.
    pub cannot_run: BTreeMap<String, CannotRun>,
    /// Runs that were started by this process.
    pub fresh: BTreeSet<String>,
    /// What could not be written to disk, for people.
    pub warnings: Vec<String>,
    active: BTreeMap<String, Active>,
    due: BTreeMap<String, Timestamp>,
    was_settled: bool,
}

impl Engine {
    /// Reads the records and plans; starts nothing.
    #[must_use]
    pub fn new(pipeline: ValidatedPipeline, settings: Settings, starter: Starter) -> Self {
        let records = starter.store.records(false);
        let plan = plan(&pipeline, &observed(&records), Timestamp::now(), settings.schedules);
        Self {
            pipeline,
            settings,
            starter: Arc::new(starter),
            plan,
            records,
            long_running: BTreeMap::new(),
            cannot_run: BTreeMap::new(),
            fresh: BTreeSet::new(),
            warnings: Vec::new(),
            active: BTreeMap::new(),
            due: BTreeMap::new(),
            was_settled: false,
        }
    }

    /// Whether there is anything to start, to keep running or to wait for.
    #[must_use]
    pub fn has_work(&self) -> bool {
        self.plan
            .steps
            .iter()
            .any(|step| self.settings.includes(&step.name) && self.is_wanted(step.work.as_ref()))
            || !self.plan.prune.is_empty()
    }

    fn is_wanted(&self, work: Option<&Work>) -> bool {
        match work {
            Some(Work::Once(_) | Work::Scheduled { .. }) => true,
            Some(Work::LongRunning(_)) => !self.settings.once,
            None => false,
        }
    }

    /// Whether a run is active.
    #[must_use]
    pub fn is_active(&self, run: &str) -> bool {
        self.active.contains_key(run)
    }

    /// Whether everything was done or serving at some moment.
    #[must_use]
    pub fn was_settled(&self) -> bool {
        self.was_settled
    }

    /// Whether no step that was asked for has failed, is blocked or was rejected.
    #[must_use]
    pub fn is_well(&self) -> bool {
        let unwell = [StepState::Failed, StepState::Blocked, StepState::Rejected];
        !self.rows().iter().any(|row| unwell.contains(&row.state))
    }

    /// Whether nothing more starts by itself.
    fn is_settled(&self) -> bool {
        self.active.is_empty()
            && self.long_running.values().all(|step| step.observed().is_some_and(|live| live.settled))
    }

    fn observe(&self) -> Observed {
        let mut observed = observed(&self.records);
        for (name, live) in &self.long_running {
            let step = observed.steps.entry(name.clone()).or_default();
            step.long_running = live.observed();
            step.pod_issues.extend(live.pod_issue());
        }
        observed
    }

    /// Runs the pipeline until all is done, or until a signal asks it to stop. Returns whether a signal did.
    ///
    /// # Errors
    /// When the system gives no signals.
    pub async fn run(&mut self, watcher: &mut dyn Watcher) -> std::io::Result<bool> {
        let (sender, mut events) = mpsc::unbounded_channel();
        let mut signals = [
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ];
        let [interrupt, terminate, hangup] = &mut signals;
        let mut settled_before = false;
        let stopped = loop {
            self.act(&sender).await;
            watcher.changed(self);
            let is_settled = self.is_settled();
            if is_settled && self.long_running.is_empty() && self.due.is_empty() {
                break false;
            }
            // With a schedule there is one such moment after each of its runs.
            if is_settled && !settled_before {
                self.was_settled = true;
                watcher.settled(self);
            }
            settled_before = is_settled;
            tokio::select! {
                Some(event) = events.recv() => self.handle(event),
                () = until(self.due.values().min().copied()) => {}
                _ = interrupt.recv() => break true,
                _ = terminate.recv() => break true,
                _ = hangup.recv() => break true,
            }
        };
        self.stop(events).await;
        watcher.changed(self);
        Ok(stopped)
    }

    /// Plans and starts until there is nothing more to start at this moment.
    async fn act(&mut self, events: &mpsc::UnboundedSender<Event>) {
        loop {
            let now = Timestamp::now();
            self.plan = plan(&self.pipeline, &self.observe(), now, self.settings.schedules);
            self.prune();
            let mut started = false;
            for planned in self.plan.steps.clone() {
                let Some(step) = self.pipeline.step(&planned.name).cloned() else { continue };
                if !self.settings.includes(&step.name) {
                    continue;
                }
                match planned.work {
                    Some(Work::Once(work)) if planned.decision == Decision::Run => {
                        let (key, attempt) = (&work.key, work.attempt);
                        let name = names::job(&self.pipeline.name, &step.name, work.piece, key, attempt);
                        started |= self.start(&step, &work, name, false, events);
                    }
                    Some(Work::Scheduled { run, suspend: false, .. }) => {
                        started |= self.fire(&step, &run, planned.next_run, now, events);
                    }
                    Some(Work::LongRunning(tracks)) if !self.settings.once => {
                        for (track, work) in tracks.iter() {
                            started |= match track {
                                Track::Stable => self.roll_out(&step, work, events).await,
                                // Here nobody shares requests between pods: what is compared in a cluster is not run.
                                Track::Candidate | Track::Shadow => false,
                            };
                        }
                    }
                    _ => {}
                }
            }
            if !started {
                return;
            }
        }
    }

    /// Stops everything and waits until it has ended.
    async fn stop(&mut self, mut events: mpsc::UnboundedReceiver<Event>) {
        for active in self.active.values() {
            active.stop.send_replace(true);
        }
        let live: Vec<LongRunningStep> = std::mem::take(&mut self.long_running).into_values().collect();
        let stopped = live.into_iter().map(LongRunningStep::stop);
        futures::future::join_all(stopped).await;
        while !self.active.is_empty() {
            match events.recv().await {
                Some(event) => self.handle(event),
                None => break,
            }
        }
    }
}

async fn until(time: Option<Timestamp>) {
    match time {
        Some(time) => {
            let left = Timestamp::now().until(time).ok().and_then(|span| span.total(jiff::Unit::Second).ok());
            // Not a single long sleep: a laptop that was asleep must notice that its time has come.
            let left = Duration::try_from_secs_f64(left.unwrap_or_default()).unwrap_or_default();
            sleep(left.min(Duration::from_secs(30))).await;
        }
        None => std::future::pending().await,
    }
}
