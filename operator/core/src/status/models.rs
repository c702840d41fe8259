//! The models that the status lists: those of the runs that are known, and those that pods serve.
//!
//! A schedule keeps a few of its runs. What is served may be older than all of them, when each newer model was rejected: what was
//! reported of it once is kept for as long as pods serve it.

use std::cmp::Reverse;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use mlpipeline_crds::{GateState, METRIC_LIMIT, MLPipelineStatus, Metric, ModelStatus, bounded_metrics};

use super::conditions::{shorten, whole_seconds};
use crate::observed::Observed;
use crate::pipeline::ValidatedPipeline;
use crate::plan::{self, ModelVerdict, ServedModel};

/// How many models the status lists, and those that are served besides.
const MODEL_LIMIT: usize = 8;
/// How many the schema of the status allows.
const SCHEMA_LIMIT: usize = 16;

/// The models, newest first. `previous` is the status before.
pub(super) fn models(
    pipeline: &ValidatedPipeline,
    observed: &Observed,
    previous: Option<&MLPipelineStatus>,
) -> Vec<ModelStatus> {
    let mut all: Vec<ModelStatus> = plan::models(pipeline, observed).into_iter().map(model_status).collect();
    for served in plan::served_models(pipeline, observed) {
        let is_it =
            |model: &&ModelStatus| model.step == served.step && model.revision == served.revision.as_str();
        if all.iter().find(is_it).is_none() {
            let reported = previous.and_then(|status| status.models.iter().find(is_it));
            let kept = reported.map(|reported| ModelStatus { serving: true, ..reported.clone() });
            all.extend(kept.or_else(|| served.is_named.then(|| of_pods(&served))));
        }
    }
    all.sort_by_key(|model| Reverse(model.trained.as_ref().map(|time| time.0)));
    let mut room = MODEL_LIMIT.saturating_sub(all.iter().filter(|model| model.serving).count());
    all.retain(|model| {
        let is_listed = model.serving || room > 0;
        room = room.saturating_sub(usize::from(!model.serving));
        is_listed
    });
    all.truncate(SCHEMA_LIMIT);
    all
}

/// The one figure that shows how good a model is: the gate's metric, else the usual one.
pub(super) fn score(pipeline: &ValidatedPipeline, model: &ModelStatus) -> Option<String> {
    let gate = pipeline.step(&model.step)?.action.descriptor().gate().map(|gate| gate.metric);
    let metric = Metric::main(&model.metrics, gate)?;
    Some(format!("{}={:.3}", metric.name(), model.metrics.get(metric.name())?))
}

fn model_status(model: ModelVerdict) -> ModelStatus {
    ModelStatus {
        step: model.step,
        revision: model.revision.to_string(),
        serving: model.serving,
        gate: if model.verdict.passed() { GateState::Passed } else { GateState::Rejected },
        message: Some(shorten(&model.verdict.to_string(), 512)),
        metrics: bounded_metrics(&model.metrics, METRIC_LIMIT),
        digest: model.digest,
        trained: model.trained.map(|time| Time(whole_seconds(time))),
    }
}

/// All that is known of a model when its run and the status before are gone.
fn of_pods(served: &ServedModel) -> ModelStatus {
    ModelStatus {
        step: served.step.clone(),
        revision: served.revision.to_string(),
        serving: true,
        gate: GateState::Passed,
        message: Some("it passed its gate, or it would not be served; its run is gone".to_owned()),
        metrics: std::collections::BTreeMap::new(),
        digest: served.digest.as_ref().map(|digest| digest.as_str().to_owned()),
        trained: None,
    }
}
