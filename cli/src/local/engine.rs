//! The loop: observe, plan, start and stop what the plan says, wait until something changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use mlpipeline_crds::{ConcurrencyPolicy, StepState};
use mlpipeline_operator::core::names;
use mlpipeline_operator::core::observed::Observed;
use mlpipeline_operator::core::pipeline::{ValidStep, ValidatedPipeline};
use mlpipeline_operator::core::plan::{Decision, LiveWork, Plan, RunWork, Work, plan};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use super::commands::CannotRun;
use super::job::{self, End};
use super::live::LiveStep;
use super::settings::Settings;
use super::start::{Publication, Starter};
use crate::state::{Phase, Records, RunRecord, observed};

/// Something that happened.
enum Event {
    /// A run tries its n-th process.
    Pod { step: String, run: String, number: u32 },
    /// A run ended.
    Ended { step: String, run: String, end: End },
    /// A replica became ready or ended.
    Live { step: String, problem: Option<String> },
}

/// A run that is at work.
struct Active {
    step: String,
    stop: watch::Sender<bool>,
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
    pub live: BTreeMap<String, LiveStep>,
    /// Steps that run all the time and cannot be started here.
    pub refused: BTreeMap<String, CannotRun>,
    /// Runs that were started by this process.
    pub fresh: BTreeSet<String>,
    /// What could not be kept on disk, for people.
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
            live: BTreeMap::new(),
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
        self.plan.steps.iter().any(|step| self.settings.includes(&step.name) && self.is_wanted(step.work.as_ref()))
            || !self.plan.prune.is_empty()
    }

    fn is_wanted(&self, work: Option<&Work>) -> bool {
        match work {
            Some(Work::Once(_) | Work::Scheduled { .. }) => true,
            Some(Work::Live(_)) => !self.settings.once,
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
        let ill = [StepState::Failed, StepState::Blocked, StepState::Refused];
        !self.rows().iter().any(|row| ill.contains(&row.state))
    }

    /// Whether nothing more happens by itself.
    fn is_settled(&self) -> bool {
        self.active.is_empty() && self.live.values().all(|step| step.observed().is_some_and(|live| live.settled))
    }

    fn observe(&self) -> Observed {
        let mut observed = observed(&self.records);
        for (name, live) in &self.live {
            let step = observed.steps.entry(name.clone()).or_default();
            step.live = live.observed();
            step.troubles.extend(live.trouble());
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
        let told = loop {
            self.act(&tell).await;
            watcher.changed(self);
            let is_settled = self.is_settled();
            if is_settled && self.live.is_empty() && self.due.is_empty() {
                break false;
            }
            if is_settled && !self.was_settled {
                self.was_settled = true;
                watcher.settled(self);
            }
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
                    Some(Work::Live(work)) if !self.settings.once => started |= self.keep(&step, &work, tell).await,
                    _ => {}
                }
            }
            if !started {
                return;
            }
        }
    }

    /// Starts a run, unless as many as allowed are at work. Says whether something changed.
    fn start(
        &mut self,
        step: &ValidStep,
        work: &RunWork,
        name: String,
        scheduled: bool,
        tell: &mpsc::UnboundedSender<Event>,
    ) -> bool {
        if self.active.contains_key(&name) || (!scheduled && self.active.len() >= self.settings.jobs) {
            return false;
        }
        let mut record = RunRecord {
            name: name.clone(),
            key: work.key.clone(),
            attempt: work.attempt,
            scheduled,
            is_workers: matches!(work.task, mlpipeline_operator::core::plan::Task::Worker(_)),
            meaning: work.meaning.clone(),
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
                let (step, tell) = (step.name.clone(), tell.clone());
                tokio::spawn(async move {
                    let pod = |number| {
                        tell.send(Event::Pod { step: step.clone(), run: name.clone(), number }).ok();
                    };
                    let end = job::run(&job, stopping, pod).await;
                    let end = publish(&starter, publication.as_ref(), end);
                    tell.send(Event::Ended { step: step.clone(), run: name.clone(), end }).ok();
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
    fn fire(
        &mut self,
        step: &ValidStep,
        work: &RunWork,
        next: Option<Timestamp>,
        now: Timestamp,
        tell: &mpsc::UnboundedSender<Event>,
    ) -> bool {
        let Some(next) = next else { return false };
        let due = *self.due.entry(step.name.clone()).or_insert(next);
        if now < due {
            return false;
        }
        self.due.insert(step.name.clone(), next);
        let spec = step.schedule.as_ref().map(|schedule| &schedule.spec);
        let deadline = spec.and_then(|spec| spec.starting_deadline_seconds);
        if deadline.is_some_and(|seconds| now.as_second() - due.as_second() > seconds) {
            return false;
        }
        let at_work: Vec<&Active> = self.active.values().filter(|active| active.step == step.name).collect();
        match spec.and_then(|spec| spec.concurrency_policy).unwrap_or_default() {
            ConcurrencyPolicy::Forbid if !at_work.is_empty() => return false,
            ConcurrencyPolicy::Replace => at_work.iter().for_each(|active| {
                active.stop.send_replace(true);
            }),
            ConcurrencyPolicy::Allow | ConcurrencyPolicy::Forbid => {}
        }
        // As the CronJob controller names its Jobs: by the minute.
        let name = format!("{}-{}", names::cron_job(&self.pipeline.name, &step.name), due.as_second() / 60);
        self.start(step, work, name, true, tell)
    }

    /// Keeps up a step that runs all the time. Says whether something changed.
    async fn keep(&mut self, step: &ValidStep, work: &LiveWork, tell: &mpsc::UnboundedSender<Event>) -> bool {
        if self.refused.contains_key(&step.name) || self.live.get(&step.name).is_some_and(|live| live.is_of(&work.key)) {
            return false;
        }
        let made = self.starter.store.prepare_run(&step.name).map_err(|error| error.to_string());
        let made = made.map_err(|message| CannotRun { reason: "StateUnwritable", message });
        let replicas = match made.and_then(|()| self.starter.replicas(step, work)) {
            Ok(replicas) => replicas,
            Err(problem) => {
                self.refused.insert(step.name.clone(), problem);
                return true;
            }
        };
        if !self.live.contains_key(&step.name) {
            let wanted = self.settings.port.filter(|_| self.live.is_empty());
            match LiveStep::listen(&Starter::ports(step), wanted).await {
                Ok(live) => {
                    self.live.insert(step.name.clone(), live);
                }
                Err(error) => {
                    let message = format!("{error}; choose another with --port");
                    self.refused.insert(step.name.clone(), CannotRun { reason: "PortTaken", message });
                    return true;
                }
            }
        }
        if let Some(live) = self.live.get_mut(&step.name) {
            let (name, tell) = (step.name.clone(), tell.clone());
            live.roll_out(work, replicas, move |problem| {
                tell.send(Event::Live { step: name.clone(), problem }).ok();
            });
        }
        true
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Pod { step, run, number } => {
                if let Some(record) = self.record(&step, &run) {
                    record.pods = number;
                }
            }
            Event::Live { step, problem } => {
                if let Some(live) = self.live.get_mut(&step) {
                    live.progress(problem);
                }
            }
            Event::Ended { step, run, end } => {
                self.active.remove(&run);
                self.end(&step, &run, end);
                self.tidy(&step);
            }
        }
    }

    fn record(&mut self, step: &str, run: &str) -> Option<&mut RunRecord> {
        self.records.get_mut(step)?.iter_mut().find(|record| record.name == run)
    }

    fn end(&mut self, step: &str, run: &str, end: End) {
        let Some(record) = self.record(step, run) else { return };
        record.finished = Some(Timestamp::now());
        match end {
            End::Succeeded(report) => {
                record.phase = Phase::Succeeded;
                record.report = report;
            }
            End::Failed { reason, message, report } => {
                record.phase = Phase::Failed { reason, message };
                record.report = report;
            }
            // A run that was stopped is as if it never was.
            End::Stopped => return self.forget(step, run),
        }
        let record = record.clone();
        self.put(step, record);
    }

    /// Keeps a record, in place of one of the same name.
    fn put(&mut self, step: &str, record: RunRecord) {
        if let Err(error) = self.starter.store.save(step, &record) {
            self.warnings.push(format!("the record of {} cannot be kept: {error}", record.name));
        }
        let records = self.records.entry(step.to_owned()).or_default();
        records.retain(|other| other.name != record.name);
        records.push(record);
    }

    fn forget(&mut self, step: &str, run: &str) {
        self.starter.store.remove(step, run);
        if let Some(records) = self.records.get_mut(step) {
            records.retain(|record| record.name != run);
        }
    }

    /// Stops or forgets the runs that the plan has no more use for.
    fn prune(&mut self) {
        for name in self.plan.prune.clone() {
            if let Some(active) = self.active.get(&name) {
                active.stop.send_replace(true);
                continue;
            }
            let step = self.records.iter().find(|(_, records)| records.iter().any(|record| record.name == name));
            if let Some(step) = step.map(|(step, _)| step.clone()) {
                self.forget(&step, &name);
            }
        }
    }

    /// Forgets what a schedule's runs leave behind: all but the newest run for each result, and but the newest failure.
    fn tidy(&mut self, step: &str) {
        let Some(records) = self.records.get(step) else { return };
        let mut newest: Vec<&RunRecord> = records.iter().filter(|record| record.scheduled).collect();
        newest.sort_by_key(|record| std::cmp::Reverse((record.finished, record.started)));
        let mut results = BTreeSet::new();
        let mut failed = false;
        let superfluous = newest.into_iter().filter(|record| match record.phase {
            Phase::Active => false,
            Phase::Failed { .. } => std::mem::replace(&mut failed, true),
            Phase::Succeeded => {
                !results.insert(record.result().clone()) || !self.starter.store.has_result(step, record)
            }
        });
        for run in superfluous.map(|record| record.name.clone()).collect::<Vec<_>>() {
            self.forget(step, &run);
        }
    }

    /// Stops everything and waits until it has ended.
    async fn stop(&mut self, mut events: mpsc::UnboundedReceiver<Event>) {
        for active in self.active.values() {
            active.stop.send_replace(true);
        }
        let live: Vec<LiveStep> = std::mem::take(&mut self.live).into_values().collect();
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

/// Makes what a container wrote its step's result.
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
