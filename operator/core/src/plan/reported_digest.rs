//! What steps reported of the content of their results, by which their readers know it again. Must not decide.

use mlpipeline_crds::{DIGESTS_VERSION, Digest, Revision, StepReport};

use super::context::Context;
use super::runs::{age, report_of, result_of};
use crate::pipeline::ValidStep;

/// The digest of a step's result, where a run reported one and the pipeline's workers can check it. Of several runs, the newest that
/// made the result counts: one that found it there reports what lay on the volume by then.
pub(super) fn digest_of(context: &Context<'_>, step: &ValidStep, revision: &Revision) -> Option<Digest> {
    let runs = context.runs(step).iter().filter(|run| result_of(step, run).as_ref() == Some(revision));
    let reports = runs.filter_map(|run| Some((run, report_of(run)?)));
    let (_, report) = reports.max_by_key(|(run, report)| (!report.reused, age(run)))?;
    // A report comes from a pod, and may hold any text.
    let digest = report.digest.as_ref().filter(|digest| digest.is_well_formed());
    digest.filter(|_| is_checked(context, report)).cloned()
}

/// Whether the worker that serves a model answers probes on a port of their own.
pub(super) fn has_probe_port(context: &Context<'_>, step: &ValidStep, model: &Revision) -> bool {
    let mut runs = context.runs(step).iter().filter(|run| result_of(step, run).as_ref() == Some(model));
    context.pipeline.image.is_none()
        || runs.any(|run| report_of(run).is_some_and(|report| is_checked(context, report)))
}

/// Whether the worker image knows what version 4 of the step spec added. The operator's own does; one that the pipeline names may be
/// of an earlier release, unless its report says what it reads.
fn is_checked(context: &Context<'_>, report: &StepReport) -> bool {
    context.pipeline.image.is_none() || report.step_version >= Some(DIGESTS_VERSION)
}
