//! A train step from its spec to a model and a report.

use mlpipeline_crds::{Algorithm, Baseline, RevisionRule, Search, SplitBy, StepReport, StepSpec, TrainStep};

use super::baseline::NewModel;
use super::columns::Asked;
use super::describe::card;
use super::endless;
use super::error::TrainError;
use super::evaluate::{Validation, evaluate, model_figures, most_important, remarks, report_figures};
use super::keys::{KeyColumns, Keys};
use super::learning_curve::{Whole, learning_curve};
use super::lineage::{of_rows, origin};
use super::matrix::Rows;
use super::memory::Room;
use super::notes::notes;
use super::prepared::Prepared;
use super::samples::{self, Samples};
use super::schema::feature_schema;
use super::settings::{Folds, Settings, TestSplit};
use super::sizes;
use super::split::{Parted, split};
use super::split_by_value::{split_by_group, split_by_hash, split_by_time};
use super::training_rows::{TRAINING_ROWS_FILE, TrainingRows};
use super::tuning::{SearchWork, Share, Tuned, Tuner};
use crate::WorkContext;
use crate::artifact::{Draft, Kept, Kind, Storage};
use crate::card::CARD_FILE;
use crate::evaluation::{Evaluation, LearningCurve, METRICS_FILE, Tuning};
use crate::failure::StepError;
use crate::model::{Model, ModelError};
use crate::progress::Progress;
use crate::table;
use crate::work::Work;

/// What training made.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model.
    pub model: Model,
    /// What is published beside it for people and programs: names and bytes of files.
    pub documents: Vec<(&'static str, Vec<u8>)>,
    /// What was measured, the gate's verdict, and what the user should know; without revision and digest, which come with
    /// publishing.
    pub report: StepReport,
}

impl Trained {
    /// All files of the artifact, by name.
    ///
    /// # Errors
    /// When the model cannot be written down.
    pub fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>, ModelError> {
        Ok(self.model.files()?.into_iter().chain(self.documents.iter().cloned()).collect())
    }
}

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

struct Plan {
    step: TrainStep,
    storage: Storage,
    /// What the data are, for the card.
    origin: Vec<(&'static str, String)>,
    algorithm: &'static str,
    split: Option<TestSplit>,
    folds: Option<Folds>,
    tuner: Option<Tuner>,
    kept: Option<Kept>,
    progress: Progress,
}

impl Plan {
    /// Checks the step and reads its rows.
    async fn read(
        step: &TrainStep,
        kept: Option<Kept>,
        context: &WorkContext,
    ) -> Result<(Self, Samples), StepError> {
        let settings = Settings::new(step)?;
        let tuner = Tuner::new(step)?;
        let keys = KeyColumns::of(&settings);
        let table = table::open(&step.data, "training data", context).await?;
        let Settings { learner, algorithm, split, folds, .. } = settings;
        let asked = Asked {
            target: step.target.as_deref(),
            features: &step.features,
            columns: &step.columns,
            scale: step.scale.unwrap_or_default(),
            interactions: &step.interactions,
            group_by: step.group_by.as_deref(),
        };
        let progress = context.progress;
        let room = Room::new(context.scratch(), context.memory_limit());
        let samples = samples::read(table, asked, keys, learner, room, progress).await?;
        let (step, storage) = (step.clone(), context.storage.clone());
        let origin = origin(&step, &storage)?;
        Ok((Self { step, storage, origin, algorithm, split, folds, tuner, kept, progress }, samples))
    }

    fn learn(&self, samples: &mut Samples) -> Result<Trained, TrainError> {
        let parted = self.part(samples)?;
        let Some(tuner) = &self.tuner else { return self.learn_from(samples, &parted, None) };
        let Tuned { learner, algorithm, tuning } =
            tuner.search(samples, &parted.train, &self.search_work())?;
        samples.task.learn_by(learner)?;
        self.learn_from(samples, &parted, Some((algorithm, tuning)))
    }

    /// Measures a share of the trials. Gives how many, and with how many rows.
    fn measure(&self, samples: &Samples, share: Share) -> Result<(usize, u64), TrainError> {
        let parted = self.part(samples)?;
        let Some(tuner) = &self.tuner else {
            return Err(TrainError::Spec("trialPods needs tune, whose trials pods share".to_owned()));
        };
        let trials = tuner.measure_share(samples, &parted.train, &self.search_work(), share)?;
        Ok((trials, parted.train.len() as u64))
    }

    fn search_work(&self) -> SearchWork<'_> {
        SearchWork { kept: self.kept.as_ref().map(|kept| (&self.step, kept)), progress: self.progress }
    }

    /// Learns by the samples' algorithm, which has the parameters that a search found where there was one.
    fn learn_from(
        &self,
        samples: &Samples,
        parted: &Parted,
        found: Option<(Algorithm, Tuning)>,
    ) -> Result<Trained, TrainError> {
        let (algorithm, tuning) =
            found.map_or((None, None), |(algorithm, tuning)| (Some(algorithm), Some(tuning)));
        let all_folded = parted.test.is_empty();
        let validate = |folds| Validation::new(samples, &parted.train, folds, all_folded);
        let validation = self.folds.map(validate).transpose()?;
        let prepared = Prepared::fit(samples, &parted.train)?;
        let fitted = prepared.learn(samples, &parted.train)?;
        let mut evaluation =
            evaluate(samples, parted, &prepared, &fitted.predictor, validation, self.seed())?;
        evaluation.tuning = tuning;
        if self.step.learning_curve == Some(true) {
            let (predictor, metrics) = (&fitted.predictor, &evaluation.metrics);
            let whole = Whole { prepared: &prepared, predictor, metrics };
            evaluation.learning_curve = Some(self.learning_curve(samples, parted, &whole)?);
        }
        let raw_train = Rows::new(&samples.raw, &parted.train);
        let name = self.step.target.as_deref().unwrap_or_default();
        let target = samples.task.target(name, &fitted.predictor, &raw_train)?;
        let gate = self.step.gate.as_ref();
        let mut of_columns = notes(samples, &raw_train);
        of_columns.extend(sizes::note(&self.step.algorithm, samples, &raw_train));
        let endless = endless::sentence(samples, &prepared, &fitted.predictor, &parted.train)?;
        let warnings: Vec<String> = fitted.warning.into_iter().chain(endless).collect();
        // Whatever is in the artifact must not depend on the gate.
        let of_card: Vec<String> = warnings
            .iter()
            .cloned()
            .chain(remarks(&evaluation, &samples.keys, None))
            .chain(of_columns.clone())
            .collect();
        let tuned = evaluation.tuning.as_ref();
        let mut messages: Vec<String> = tuned
            .map(Tuning::sentence)
            .into_iter()
            .chain(warnings)
            .chain(remarks(&evaluation, &samples.keys, gate))
            .collect();
        messages.extend(most_important(&evaluation));
        let served = self.step.baseline.as_ref().map(|served| {
            let new = NewModel {
                target: target.name(),
                samples,
                parted,
                prepared: &prepared,
                predictor: &fitted.predictor,
                measured_on: evaluation.measured_on,
            };
            let (baseline, message) = new.compare(served, &self.storage);
            messages.extend(message);
            baseline
        });
        messages.extend(of_columns);
        let schema = feature_schema(samples, target, &raw_train);
        let figures = model_figures(&evaluation);
        let model = Model::new(schema, prepared.preprocessing, self.algorithm, fitted.predictor, figures)?;
        let report = self.report(&evaluation, served, &messages);
        let group_by = self.step.group_by.as_deref();
        let mut lineage = self.origin.clone();
        lineage.extend(of_rows(samples, self.split.as_ref(), self.folds, group_by));
        let card = card(
            algorithm.as_ref().unwrap_or(&self.step.algorithm),
            &model,
            samples,
            &evaluation,
            &of_card,
            lineage,
        );
        let features: Vec<usize> = (0..samples.columns.len()).collect();
        let rows = TrainingRows::of(samples, &features, &parted.train).to_bytes();
        // Measures, notes and the schema read rows too.
        samples.raw.check()?;
        let documents =
            vec![(METRICS_FILE, evaluation.to_bytes()), (CARD_FILE, card), (TRAINING_ROWS_FILE, rows)];
        Ok(Trained { model, documents, report })
    }

    fn learning_curve(
        &self,
        samples: &Samples,
        parted: &Parted,
        whole: &Whole<'_>,
    ) -> Result<LearningCurve, TrainError> {
        let metric = self.step.tune.clone().unwrap_or_default().compared_by(&self.step.algorithm);
        learning_curve(samples, parted, metric, self.seed(), whole)
    }

    fn report(&self, evaluation: &Evaluation, served: Option<Baseline>, messages: &[String]) -> StepReport {
        let gate = self.step.gate.as_ref();
        let mut report = StepReport::succeeded(None);
        report.rows = Some(evaluation.train_rows);
        report.metrics = report_figures(evaluation, gate);
        report.trials = evaluation.tuning.as_ref().map(|tuning| tuning.trials.clone()).unwrap_or_default();
        report.trial_metric = evaluation.tuning.as_ref().map(|tuning| tuning.metric);
        report.gate = gate.map(|gate| gate.judge(&report.metrics, served.as_ref()).into());
        report.baseline = served;
        report.message = (!messages.is_empty()).then(|| messages.join("; "));
        report
    }

    /// The seed of what is drawn to measure.
    fn seed(&self) -> i64 {
        self.split.as_ref().map_or(0, |split| split.seed)
    }

    /// The rows to learn from and, where a split is asked for, those to measure with.
    fn part(&self, samples: &Samples) -> Result<Parted, TrainError> {
        let rows = u32::try_from(samples.raw.rows()).unwrap_or(u32::MAX);
        let Some(TestSplit { share, by, stratify, seed, .. }) = &self.split else {
            return Ok(Parted { train: (0..rows).collect(), test: Vec::new() });
        };
        let unread = || TrainError::Internal("what decides the split was not read".to_owned());
        // Hashes were made of the rows.
        samples.raw.check()?;
        let Keys { groups, hashes, times } = &samples.keys;
        match (by, groups) {
            (SplitBy::Hash, _) => split_by_hash(hashes.as_deref().ok_or_else(unread)?, *share),
            (SplitBy::Time, _) => split_by_time(times.as_deref().ok_or_else(unread)?, *share),
            (SplitBy::Shuffle, Some(groups)) => split_by_group(groups, *share, *seed),
            (SplitBy::Shuffle, None) => {
                split(rows, *share, *seed, samples.task.strata().filter(|_| *stratify))
            }
        }
    }
}
