//! `trials`: what searches for parameters found.

use mlpipeline_core::observed::{Observed, ObservedRun};
use mlpipeline_core::pipeline::{ValidStep, ValidatedPipeline};
use mlpipeline_crds::{Metric, StepReport, Trial};
use serde_json::{Value, json};

use super::source;
use crate::args::{Output, TrialsArguments};
use crate::exit_status::ExitStatus;
use crate::show::{self, Cell, Tone};
use crate::state::{Store, observed};

/// What the newest search of a step found.
struct Found<'a> {
    step: &'a str,
    metric: Metric,
    report: &'a StepReport,
}

/// Prints the trials of each step that searched for parameters.
pub fn run(arguments: &TrialsArguments) -> ExitStatus {
    let (pipeline, in_cluster) = match source::open(&arguments.source) {
        Ok(found) => found,
        Err(status) => return status,
    };
    let seen = match in_cluster {
        Some(seen) => seen,
        None => {
            let store = Store::of(&arguments.source.place.data_dir, &pipeline);
            if let Err(refused) = store.check() {
                show::error(&refused.to_string());
                return ExitStatus::Failure;
            }
            observed(&store.records(store.is_running()))
        }
    };
    let found: Vec<Found<'_>> = pipeline.steps.iter().filter_map(|step| found(step, &seen)).collect();
    if arguments.source.files.output == Some(Output::Json) {
        show::json(&as_json(&pipeline, &found));
    } else if found.is_empty() {
        show::note(&nothing_yet(&pipeline));
    } else {
        show::table(
            &["STEP", "METRIC", "VALUE", "± FOLDS", "ROWS", "PARAMETERS"],
            found
                .iter()
                .flat_map(|found| found.report.trials.iter().map(|trial| row(found, trial)))
                .collect(),
        );
    }
    ExitStatus::Success
}

/// The newest result of a search; where runs are of one time, that of the later name.
fn found<'a>(step: &'a ValidStep, seen: &'a Observed) -> Option<Found<'a>> {
    // The file may have been edited since: what trials were compared by is the report's to say.
    let metric = step.action.descriptor().searches_by()?;
    let runs = seen.steps.get(&step.name)?.runs.iter();
    let with_trials = runs.filter_map(|run| Some((run, run.report.as_ref()?)));
    let newest = with_trials
        .filter(|(_, report)| !report.trials.is_empty())
        .max_by_key(|(run, _): &(&ObservedRun, _)| (run.finished, run.name.clone()));
    newest.map(|(_, report)| Found {
        step: &step.name,
        metric: report.trial_metric.unwrap_or(metric),
        report,
    })
}

fn nothing_yet(pipeline: &ValidatedPipeline) -> String {
    let searches = |step: &&ValidStep| step.action.descriptor().searches_by().is_some();
    match pipeline.steps.iter().find(searches) {
        Some(step) => format!("no search of {} is done yet", step.name),
        None => "no step of the pipeline has tune".to_owned(),
    }
}

fn row(found: &Found<'_>, trial: &Trial) -> Vec<Cell> {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
    let parameters = match &trial.failure {
        Some(failure) => Cell::toned(format!("{} failed: {failure}", trial.shown()), Tone::Warning),
        None => Cell::plain(trial.shown()),
    };
    vec![
        Cell::plain(found.step),
        Cell::plain(found.metric.name()),
        Cell::plain(number(trial.value)),
        Cell::plain(number(trial.std)),
        Cell::plain(trial.rows.to_string()),
        parameters,
    ]
}

fn as_json(pipeline: &ValidatedPipeline, found: &[Found<'_>]) -> Value {
    let step = |found: &Found<'_>| {
        json!({
            "name": found.step,
            "metric": found.metric.name(),
            "revision": found.report.revision,
            "trials": found.report.trials,
        })
    };
    json!({
        "namespace": pipeline.namespace,
        "pipeline": pipeline.name,
        "steps": found.iter().map(step).collect::<Vec<_>>(),
    })
}
