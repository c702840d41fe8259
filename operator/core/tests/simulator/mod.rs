//! A world in which a plan's work is done at the tests' bidding: runs start, end with a report or without, and pods come up.
//!
//! It stands in for the API server, its controllers and the worker. It decides nothing itself: what happens is what the plan
//! asks for and what a test says became of it.

// Each test binary uses a part of it.
#![allow(dead_code)]
// Tests fail by panicking; the lint knows that only inside test functions.
#![allow(clippy::expect_used, clippy::panic)]

pub mod arbitrary;
pub mod hostile;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use mlpipeline_core::names;
use mlpipeline_core::observed::{Observed, ObservedLongRunning, ObservedRun, RunPhase};
use mlpipeline_core::pipeline::{ValidStep, ValidatedPipeline};
use mlpipeline_core::plan::{LongRunningWork, Plan, RunWork, Schedules, Task, Work, plan};
use mlpipeline_core::step_kind::ValidAction;
use mlpipeline_core::validate::{FieldError, validate};
use mlpipeline_crds::{Action, Baseline, Digest, MLPipeline, Revision, RevisionRule, StepKind, StepReport};

/// How a run ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// Well. Runs of a schedule name their result by `content`; training measures `accuracy`.
    Done { content: String, accuracy: f64 },
    /// Well, but nobody could read the report.
    ReportLost,
    /// Badly, for good.
    Failed { reason: String, message: String },
}

impl Ending {
    /// What happens when nothing special does.
    pub fn usual() -> Self {
        Self::Done { content: "the same rows".into(), accuracy: 0.95 }
    }
}

/// One pipeline and everything that exists of it.
#[derive(Clone, Debug)]
pub struct World {
    pub resource: MLPipeline,
    pub observed: Observed,
    pub now: Timestamp,
    pub schedules: Schedules,
    /// What a CronJob would start, by step.
    pub cron_jobs: BTreeMap<String, (RunWork, bool)>,
    /// The work of each run, by its name.
    pub works: BTreeMap<String, RunWork>,
    fired: u32,
}

impl World {
    pub fn new(resource: MLPipeline) -> Self {
        Self {
            resource,
            observed: Observed::default(),
            now: "2026-11-20T10:00:00Z".parse().expect("a time"),
            schedules: Schedules::Keep,
            cron_jobs: BTreeMap::new(),
            works: BTreeMap::new(),
            fired: 0,
        }
    }

    pub fn pipeline(&self) -> Result<ValidatedPipeline, Vec<FieldError>> {
        validate(&self.resource)
    }

    fn valid(&self) -> ValidatedPipeline {
        self.pipeline().unwrap_or_else(|errors| panic!("the pipeline makes no sense: {errors:?}"))
    }

    pub fn plan(&self) -> Plan {
        plan(&self.valid(), &self.observed, self.now, self.schedules)
    }

    /// Lets a second pass, so that what happens next is newer.
    pub fn tick(&mut self) {
        self.now = self.now.saturating_add(SignedDuration::from_secs(1)).expect("a time");
    }

    /// Does what the plan asks for: creates Jobs, sets up CronJobs and Deployments, deletes what should go. Returns the names
    /// of the runs that were created.
    pub fn apply(&mut self) -> Vec<String> {
        self.tick();
        let pipeline = self.valid();
        let decided = plan(&pipeline, &self.observed, self.now, self.schedules);
        for found in self.observed.steps.values_mut() {
            found.runs.retain(|run| !decided.prune.contains(&run.name));
        }
        self.collect_garbage(&pipeline);
        let mut started = Vec::new();
        for planned in &decided.steps {
            let step = pipeline.step(&planned.name).expect("a step of the pipeline");
            match &planned.work {
                None => {}
                Some(Work::Once(work)) => started.extend(self.create_run(&pipeline, step, work)),
                Some(Work::Scheduled { run, suspend }) => {
                    self.cron_jobs.insert(step.name.clone(), (run.clone(), *suspend));
                    let found = self.observed.steps.entry(step.name.clone()).or_default();
                    found.schedule = Some(run.fingerprint.clone());
                }
                Some(Work::LongRunning(tracks)) => self.apply_live(step, &tracks.stable),
            }
        }
        started
    }

    /// What goes with a step that is gone, or that is no longer scheduled or no longer runs all the time.
    fn collect_garbage(&mut self, pipeline: &ValidatedPipeline) {
        let schedules = self.schedules;
        self.observed.steps.retain(|name, found| match pipeline.step(name) {
            None => false,
            Some(step) => {
                if step.schedule.is_none() || schedules == Schedules::RunOnce {
                    found.schedule = None;
                    found.runs.retain(|run| !run.scheduled);
                }
                if !step.is_long_running() {
                    found.long_running = None;
                }
                true
            }
        });
        let observed = &self.observed;
        self.cron_jobs.retain(|name, _| observed.steps.get(name).is_some_and(|step| step.schedule.is_some()));
    }

    fn create_run(
        &mut self,
        pipeline: &ValidatedPipeline,
        step: &ValidStep,
        work: &RunWork,
    ) -> Option<String> {
        let name = names::job(&pipeline.name, &step.name, work.piece, &work.key, work.attempt);
        let runs = &mut self.observed.steps.entry(step.name.clone()).or_default().runs;
        if runs.iter().any(|run| run.name == name) {
            return None;
        }
        let default_image = self.observed.default_image.clone().filter(|_| step.is_worker());
        runs.push(ObservedRun { default_image, ..active(name.clone(), work, false) });
        self.works.insert(name.clone(), work.clone());
        Some(name)
    }

    fn apply_live(&mut self, step: &ValidStep, work: &LongRunningWork) {
        let live = self.observed.steps.entry(step.name.clone()).or_default().long_running.as_ref();
        let desired = match &step.action {
            // What is left out stays as the autoscaler has it.
            ValidAction::Serve(serve) if serve.autoscaling.is_some() => {
                work.first_replicas.or(live.map(|live| live.desired)).unwrap_or(1)
            }
            ValidAction::Serve(serve) => serve.replicas.unwrap_or(1),
            ValidAction::Run(run) => run.replicas.unwrap_or(1),
            _ => 1,
        };
        let live = &mut self.observed.steps.entry(step.name.clone()).or_default().long_running;
        let is_same = live.as_ref().is_some_and(|live| {
            live.key.as_ref() == Some(&work.key) && live.desired == desired && live.fingerprint.is_some()
        });
        if !is_same {
            *live = Some(ObservedLongRunning {
                image: None,
                template: work.template,
                key: Some(work.key.clone()),
                fingerprint: Some(work.fingerprint.clone()),
                model: work.model.clone(),
                model_digest: work.model_digest.clone(),
                probe_port: work.probe_port,
                desired,
                updated_ready: 0,
                settled_ready: 0,
                ready: live.as_ref().map_or(0, |live| live.ready),
                settled: false,
            });
        }
    }

    /// The CronJob of a step starts a run.
    pub fn fire(&mut self, step: &str) {
        self.tick();
        let Some((work, suspended)) = self.cron_jobs.get(step).cloned() else {
            panic!("{step} has no CronJob that could fire");
        };
        assert!(!suspended, "the CronJob of {step} is suspended");
        self.fired += 1;
        let name = format!("{step}-fired-{}", self.fired);
        self.works.insert(name.clone(), work.clone());
        let runs = &mut self.observed.steps.entry(step.to_owned()).or_default().runs;
        let default_image = self.observed.default_image.clone();
        runs.push(ObservedRun { default_image, ..active(name, &work, true) });
    }

    /// Whether a run of the step is at work.
    pub fn is_active(&self, step: &str) -> bool {
        self.observed
            .steps
            .get(step)
            .is_some_and(|found| found.runs.iter().any(|run| run.phase == RunPhase::Active))
    }

    /// Ends the newest run of a step that is at work.
    pub fn finish(&mut self, step: &str, ending: &Ending) {
        self.tick();
        let now = self.now;
        let specified = self.resource.spec.steps.iter().find(|known| known.name == step);
        let kind = specified.and_then(mlpipeline_crds::Step::kind);
        let runs = &mut self.observed.steps.entry(step.to_owned()).or_default().runs;
        let Some(run) = runs.iter_mut().rev().find(|run| run.phase == RunPhase::Active) else {
            panic!("no run of {step} is at work");
        };
        let work = self.works.get(&run.name);
        run.started = Some(now);
        run.finished = Some(now);
        run.pods = 1;
        run.phase = RunPhase::Succeeded;
        match ending {
            Ending::Done { content, accuracy } => {
                let by_content = run.scheduled || work.is_some_and(is_by_content);
                let revision = if by_content {
                    Revision::of(&[run.key.as_str(), Digest::of(content.as_bytes()).as_str()])
                } else {
                    run.key.clone()
                };
                if kind != Some(StepKind::Run) {
                    run.report = Some(report(revision, *accuracy, kind, work));
                }
            }
            Ending::ReportLost => {}
            Ending::Failed { reason, message } => {
                run.phase = RunPhase::Failed { reason: reason.clone(), message: message.clone() };
            }
        }
    }

    /// All pods of a step that runs all the time are ready.
    pub fn roll_out(&mut self, step: &str) {
        self.tick();
        let live = self.observed.steps.get_mut(step).and_then(|found| found.long_running.as_mut());
        let live = live.unwrap_or_else(|| panic!("{step} has no pods"));
        live.updated_ready = live.desired;
        live.ready = live.desired;
        live.settled_ready = live.desired;
        live.settled = true;
    }

    /// Applies, ends every run as `ending` says, and rolls out, until nothing changes. Returns the runs created on the way.
    pub fn settle(&mut self, ending: &mut dyn FnMut(&str, &str) -> Ending) -> Vec<String> {
        let mut created = Vec::new();
        for _ in 0..200 {
            let before = self.observed.clone();
            created.extend(self.apply());
            let steps: Vec<String> = self.observed.steps.keys().cloned().collect();
            for step in steps {
                while let Some(name) = self.active_run(&step) {
                    let ending = ending(&step, &name);
                    self.finish(&step, &ending);
                }
                if self.observed.steps.get(&step).is_some_and(|found| found.long_running.is_some()) {
                    self.roll_out(&step);
                }
            }
            if self.observed == before {
                return created;
            }
        }
        panic!("the pipeline never settles: {:#?}", self.plan());
    }

    fn active_run(&self, step: &str) -> Option<String> {
        let runs = &self.observed.steps.get(step)?.runs;
        runs.iter().rev().find(|run| run.phase == RunPhase::Active).map(|run| run.name.clone())
    }
}

/// A run that was just created: nothing of it has started yet.
fn active(name: String, work: &RunWork, scheduled: bool) -> ObservedRun {
    ObservedRun {
        name,
        key: work.key.clone(),
        attempt: work.attempt,
        piece: work.piece,
        scheduled,
        fingerprint: Some(work.fingerprint.clone()),
        settings: Some(work.settings.clone()),
        default_image: None,
        phase: RunPhase::Active,
        is_idle: false,
        created: None,
        started: None,
        finished: None,
        pods: 0,
        report: None,
        pending_report: None,
    }
}

fn is_by_content(work: &RunWork) -> bool {
    matches!(&work.task, Task::Worker(spec) if matches!(spec.revision, RevisionRule::ByContent(_)))
}

fn report(revision: Revision, accuracy: f64, kind: Option<StepKind>, work: Option<&RunWork>) -> StepReport {
    let digest = Digest::of(revision.as_str().as_bytes());
    let mut report = StepReport { digest: Some(digest), ..StepReport::succeeded(Some(revision)) };
    if kind == Some(StepKind::Train) {
        report.metrics.insert("accuracy".into(), accuracy);
        let baseline = work.and_then(|work| match &work.task {
            Task::Worker(spec) => match &spec.action {
                Action::Train(train) => train.baseline.clone(),
                _ => None,
            },
            Task::Container { .. } => None,
        });
        // The model before is as good on these rows as 0.95.
        report.baseline = baseline.map(|baseline| Baseline {
            revision: baseline.revision,
            metrics: BTreeMap::from([("accuracy".into(), 0.95)]),
            candidate: BTreeMap::new(),
        });
    }
    report
}
