//! How each step stands, in one row: for the table, for plain lines and for programs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mlpipeline_core::plan::{Decision, StepPlan};
use mlpipeline_core::reason::Reason;
use mlpipeline_crds::{Metric, StepKind, StepReport, StepState, telling_first};
use serde::Serialize;

use super::Engine;
use crate::local::long_running::Endpoint;
use crate::state::{Phase, RunRecord};

/// How one step stands. As JSON it is what `local -o json` prints for each step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The step.
    pub step: String,
    /// What it does.
    pub kind: StepKind,
    /// How it stands, in the words of the resource's status.
    pub state: StepState,
    /// Its revision, where that is known.
    pub revision: Option<String>,
    /// How long its run took, or has taken so far, in seconds.
    pub seconds: Option<f64>,
    /// Processes that were tried.
    pub attempts: Option<u32>,
    /// The reason, or details of the result.
    pub message: String,
    /// What its run found worth knowing.
    pub note: Option<String>,
    /// What its run measured.
    pub metrics: BTreeMap<String, f64>,
    /// Rows of its result.
    pub rows: Option<u64>,
    /// Whether its run was started by this command.
    pub ran: bool,
    /// What its run printed.
    pub log: Option<PathBuf>,
    /// Where it is reached, for a long-running step.
    pub url: Option<String>,
}

impl Engine {
    /// One row a step, in the plan's order.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.plan.steps.iter().map(|planned| self.row(planned)).collect()
    }

    fn row(&self, planned: &StepPlan) -> Row {
        let step = self.pipeline.step(&planned.name);
        let is_long_running = step.is_some_and(|step| step.is_long_running());
        let run = planned
            .run
            .as_deref()
            .and_then(|run| self.records.get(&planned.name)?.iter().find(|record| record.name == run));
        let report = run.and_then(|run| run.report.as_ref());
        let endpoint = self.long_running.get(&planned.name).and_then(|live| live.endpoints.first());
        let (state, message) = self.state_and_message(planned, is_long_running, run);
        Row {
            step: planned.name.clone(),
            kind: planned.kind,
            state,
            revision: planned.revision.as_ref().map(ToString::to_string),
            seconds: run.map(seconds),
            attempts: run.map(|run| run.pods).filter(|pods| *pods > 0),
            message,
            note: report
                .and_then(|report| report.message.clone())
                .filter(|_| planned.decision == Decision::Done),
            metrics: report.map(|report| report.metrics.clone()).unwrap_or_default(),
            rows: report.and_then(|report| report.rows),
            ran: run.is_some_and(|run| self.fresh.contains(&run.name)),
            log: run.map(|run| self.starter.store.log(&planned.name, &run.name)).filter(|log| log.is_file()),
            url: endpoint.map(Endpoint::url),
        }
    }

    fn state_and_message(
        &self,
        planned: &StepPlan,
        is_long_running: bool,
        run: Option<&RunRecord>,
    ) -> (StepState, String) {
        if let Some(refused) = self.cannot_run.get(&planned.name) {
            return (StepState::Failed, refused.message.clone());
        }
        if !self.settings.includes(&planned.name) {
            return (StepState::Waiting, "left out by --step".into());
        }
        if self.settings.once && is_long_running {
            return (StepState::Waiting, "left out by --once".into());
        }
        let reason = planned.reason.to_string();
        let message = match planned.decision {
            Decision::Done if !is_long_running => self.done(planned, run, reason),
            Decision::Run | Decision::Running => attempt(run).unwrap_or(reason),
            Decision::Done | Decision::Wait | Decision::Blocked | Decision::Rejected | Decision::Failed => {
                reason
            }
        };
        (planned.decision.state(is_long_running, self.pipeline.suspend), message)
    }

    fn done(&self, planned: &StepPlan, run: Option<&RunRecord>, reason: String) -> String {
        let step = self.pipeline.step(&planned.name);
        let gate = step.and_then(|step| step.action.descriptor().gate()).map(|gate| gate.metric);
        let report = run.and_then(|run| run.report.as_ref());
        let details = report.map(|report| details(report, gate)).unwrap_or_default();
        let is_fresh = run.is_some_and(|run| self.fresh.contains(&run.name));
        // The note has a line of its own.
        match (details.is_empty(), is_fresh) {
            (true, true) if planned.reason == Reason::UpToDate => "done".to_owned(),
            (true, _) => reason,
            (false, true) => details,
            (false, false) => format!("{reason}; {details}"),
        }
    }
}

impl Endpoint {
    /// Where the endpoint is reached.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// How long a run took, or has taken so far.
fn seconds(run: &RunRecord) -> f64 {
    let end = run.finished.unwrap_or_else(jiff::Timestamp::now);
    (end.as_millisecond() - run.started.as_millisecond()).max(0) as f64 / 1000.0
}

fn attempt(run: Option<&RunRecord>) -> Option<String> {
    let run = run.filter(|run| run.phase == Phase::Active && run.pods > 1)?;
    Some(format!("attempt {}", run.pods))
}

/// A report in a few words: the metrics that say most, and how many rows.
fn details(report: &StepReport, gate: Option<Metric>) -> String {
    const SHOWN: usize = 3;
    let reused = report.reused.then(|| "already finished".to_owned());
    let main = Metric::main(&report.metrics, gate);
    let metrics = telling_first(&report.metrics, main).into_iter().map(|(name, value)| {
        let naive = main
            .filter(|main| main.name() == name)
            .and_then(|main| report.metrics.get(&main.figure("naive")));
        let beside = naive.map(|naive| format!(" (naive {})", short(*naive))).unwrap_or_default();
        format!("{name} {}{beside}", short(value))
    });
    let rows = report.rows.map(|rows| if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") });
    let trial = report.trials.first().map(|best| format!("best trial {}", best.shown()));
    let more = report.metrics.len().saturating_sub(SHOWN);
    let more = (more > 0 && main.is_none()).then(|| format!("and {more} more"));
    reused
        .into_iter()
        .chain(metrics.take(SHOWN))
        .chain(more)
        .chain(rows)
        .chain(trial)
        .collect::<Vec<_>>()
        .join(", ")
}

/// A number with four digits after the point at most.
fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
