//! A train step from its spec to what is published.
//!
//! Owns the step's folder. What is learnt from its rows is `plan`'s.

use mlpipeline_crds::{RevisionRule, Search, StepReport, StepSpec, TrainStep};

use super::error::TrainError;
use super::plan::Plan;
use super::trained::Trained;
use super::tuning::Share;
use crate::WorkContext;
use crate::artifact::{Draft, Kept, Kind};
use crate::failure::StepError;
use crate::work::Work;

impl<Serving> Work<Serving> for TrainStep {
    async fn work(
        &self,
        spec: &StepSpec,
        context: &WorkContext,
        _: &Serving,
    ) -> Result<StepReport, StepError> {
        run(self, spec, context).await
    }
}

/// Does a train step: trains the model, measures it, and publishes it. A model that its gate rejects is published too, with the
/// verdict in its report.
///
/// # Errors
/// When the step or its data are wrong, the data cannot be read, or storage fails.
async fn run(step: &TrainStep, spec: &StepSpec, context: &WorkContext) -> Result<StepReport, StepError> {
    let folder = context.storage.step_folder(&spec.folder())?;
    let (RevisionRule::Fixed(key) | RevisionRule::ByContent(key)) = &spec.revision;
    Kept::remove_others(folder.path(), key);
    let is_search = step.tune.is_some() || step.trial_pods.is_some();
    let kept = is_search.then(|| Kept::open(folder.path(), key)).transpose()?;
    if let (Some(pods), Some(kept)) = (step.trial_pods, &kept) {
        return measure_trials(step, pods, kept.clone(), context).await;
    }
    // Storage first: a volume that cannot be written is known before the work.
    let draft = Draft::begin(folder.path())?.stopped_by(&context.cancellation);
    let trained = train(step, kept, context).await?;
    for (name, bytes) in trained.files()? {
        draft.write(name, &bytes)?;
    }
    let Trained { report, .. } = trained;
    let rule = spec.revision.clone();
    // Syncing waits for the disk.
    let published = tokio::task::spawn_blocking(move || draft.publish(Kind::Model, report, &rule)).await;
    let published = published.map_err(|error| TrainError::Internal(error.to_string()))?;
    Ok(published?.report())
}

/// Measures the trials of this pod, one of several that share them. The Job that follows finds them, and makes the model.
async fn measure_trials(
    step: &TrainStep,
    pods: u32,
    kept: Kept,
    context: &WorkContext,
) -> Result<StepReport, StepError> {
    let index = context.completion_index.ok_or_else(|| {
        TrainError::Spec(
            "trialPods shares the trials among the pods of an Indexed Job, and this pod has no index: set JOB_COMPLETION_INDEX, \
             or leave trialPods out"
                .to_owned(),
        )
    })?;
    if step.tune.as_ref().is_some_and(|tune| tune.search == Some(Search::Halving)) {
        let message =
            "trialPods cannot be beside search: halving, whose rounds choose among all trials; leave it out";
        return Err(TrainError::Spec(message.to_owned()).into());
    }
    if index >= pods {
        return Err(TrainError::Spec(format!(
            "the pod's index is {index}, and {pods} pods share the trials"
        ))
        .into());
    }
    let (plan, samples) = Plan::read(step, Some(kept), context).await?;
    let measured = tokio::task::spawn_blocking(move || plan.measure(&samples, Share { index, pods }));
    let (trials, rows) = measured.await.map_err(|error| TrainError::Internal(error.to_string()))??;
    let mut report = StepReport::succeeded(None);
    report.rows = Some(rows);
    report.message = Some(format!("pod {} of {pods} measured {trials} trials", index + 1));
    Ok(report)
}

/// Trains a model as a step says. What a search has measured is kept, where there is a place for it.
///
/// # Errors
/// When the step or its data are wrong, or the data cannot be read. A model that its gate rejects is not an error.
pub(crate) async fn train(
    step: &TrainStep,
    kept: Option<Kept>,
    context: &WorkContext,
) -> Result<Trained, StepError> {
    let (plan, mut samples) = Plan::read(step, kept, context).await?;
    // Learning is work for cores, and must not keep the runtime from its sockets and signals.
    let learnt = tokio::task::spawn_blocking(move || plan.learn(&mut samples));
    let learnt = learnt.await.map_err(|error| TrainError::Internal(error.to_string()))?;
    Ok(learnt?)
}
