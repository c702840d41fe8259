//! The loop: observe, plan, start and stop what the plan says, wait until something changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use mlpipeline_core::names;
use mlpipeline_core::observed::Observed;
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::{Decision, Plan, Work, plan};
use mlpipeline_core::tracks::Tracks;
use mlpipeline_crds::StepState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use super::commands::CannotRun;
use super::job::End;
use super::long_running::LiveStep;
use super::settings::Settings;
use super::start::Starter;
use crate::state::{Records, observed};

/// Something that happened.
pub(super) enum Event {
    /// A run tries its n-th process.
    Pod { step: String, run: String, number: u32 },
    /// A run ended.
    Ended { step: String, run: String, end: Box<End> },
    /// A replica became ready or ended.
    Live { step: String, problem: Option<String> },
}

/// A run that is at work.
pub(super) struct Active {
    pub(super) step: String,
    pub(super) stop: watch::Sender<bool>,
}

/// Who wants to see how things stand.
pub trait Watcher {
    /// Something changed.
    fn changed(&mut self, engine: &Engine);
    /// Everything is done, or serves: nothing more happens by itself.
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
    /// What the core said last.
    pub plan: Plan,
    /// All records that count.
    pub records: Records,
    /// Steps that run all the time.
    pub long_running: BTreeMap<String, LiveStep>,
    /// Steps that run all the time and cannot be started here.
    pub refused: BTreeMap<String, CannotRun>,
    /// Runs that were started by this process.
    pub fresh: BTreeSet<String>,
    /// What could not be kept on disk, for people.
    pub warnings: Vec<String>,
    pub(super) active: BTreeMap<String, Active>,
    pub(super) due: BTreeMap<String, Timestamp>,
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
            refused: BTreeMap::new(),
            fresh: BTreeSet::new(),
            warnings: Vec::new(),
            active: BTreeMap::new(),
            due: BTreeMap::new(),
            was_settled: false,
        }
    }

    /// Whether there is anything to start, keep up or wait for.
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

    /// Whether a run is at work.
    #[must_use]
    pub fn is_active(&self, run: &str) -> bool {
        self.active.contains_key(run)
    }

    /// Whether there was a moment at which everything was done or served.
    #[must_use]
    pub fn was_settled(&self) -> bool {
        self.was_settled
    }

    /// Whether nothing that was asked for has failed or cannot go on.
    #[must_use]
    pub fn is_well(&self) -> bool {
        let ill = [StepState::Failed, StepState::Blocked, StepState::Rejected];
        !self.rows().iter().any(|row| ill.contains(&row.state))
    }

    /// Whether nothing more happens by itself.
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

    /// Runs the pipeline until all is done, or until told to stop. Says whether it was told to.
    ///
    /// # Errors
    /// When the system gives no signals.
    pub async fn run(&mut self, watcher: &mut dyn Watcher) -> std::io::Result<bool> {
        let (tell, mut events) = mpsc::unbounded_channel();
        let mut signals = [
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ];
        let [interrupt, terminate, hangup] = &mut signals;
        let mut settled_before = false;
        let told = loop {
            self.act(&tell).await;
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
                Some(event) = events.recv() => self.take(event),
                () = until(self.due.values().min().copied()) => {}
                _ = interrupt.recv() => break true,
                _ = terminate.recv() => break true,
                _ = hangup.recv() => break true,
            }
        };
        self.stop(events).await;
        watcher.changed(self);
        Ok(told)
    }

    /// Plans and starts until there is nothing more to start at this moment.
    async fn act(&mut self, tell: &mpsc::UnboundedSender<Event>) {
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
                        let name = names::job(&self.pipeline.name, &step.name, &work.key, work.attempt);
                        started |= self.start(&step, &work, name, false, tell);
                    }
                    Some(Work::Scheduled { run, suspend: false }) => {
                        started |= self.fire(&step, &run, planned.next_run, now, tell);
                    }
                    Some(Work::LongRunning(Tracks { stable: work, .. })) if !self.settings.once => {
                        started |= self.keep(&step, &work, tell).await
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
        let live: Vec<LiveStep> = std::mem::take(&mut self.long_running).into_values().collect();
        let stopped = live.into_iter().map(LiveStep::stop);
        futures::future::join_all(stopped).await;
        while !self.active.is_empty() {
            match events.recv().await {
                Some(event) => self.take(event),
                None => break,
            }
        }
    }
}

async fn until(time: Option<Timestamp>) {
    match time {
        Some(time) => {
            let left = Timestamp::now().until(time).ok().and_then(|span| span.total(jiff::Unit::Second).ok());
            // Not a single long sleep: a laptop that was asleep must warning_event that its time has come.
            let left = Duration::try_from_secs_f64(left.unwrap_or_default()).unwrap_or_default();
            sleep(left.min(Duration::from_secs(30))).await;
        }
        None => std::future::pending().await,
    }
}
