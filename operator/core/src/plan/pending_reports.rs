//! Which reports must be written down with their runs, before the pods that hold them go.

use crate::observed::Observed;
use crate::pipeline::ValidatedPipeline;

/// A report to write down with its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingReport {
    /// The run's name.
    pub run: String,
    /// The report, as the worker wrote it.
    pub text: String,
}

/// The reports of success that only pods hold, of runs that stay. A container of the user's is done without a report, and what
/// it read and wrote is known by its key, so nothing of it need be kept.
pub(super) fn pending_reports(
    pipeline: &ValidatedPipeline,
    observed: &Observed,
    prune: &[String],
) -> Vec<PendingReport> {
    let workers = pipeline.steps.iter().filter(|step| step.is_worker());
    let runs = workers.filter_map(|step| observed.steps.get(&step.name)).flat_map(|found| &found.runs);
    runs.filter(|run| !prune.contains(&run.name))
        .filter_map(|run| Some(PendingReport { run: run.name.clone(), text: run.pending_report.clone()? }))
        .collect()
}
