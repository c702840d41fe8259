//! What becomes of a train step's rows: a model, what is measured of it, and the report.
//!
//! Must not know where an artifact is published.

use mlpipeline_crds::{Algorithm, Baseline, SplitBy, StepReport, TrainStep};

use super::baseline::NewModel;
use super::columns::Asked;
use super::describe::card;
use super::endless;
use super::error::TrainError;
use super::evaluate::{Validation, evaluate, model_figures, report_figures};
use super::keys::{KeyColumns, Keys};
use super::learning_curve::{Whole, learning_curve};
use super::lineage::{of_rows, origin};
use super::matrix::Rows;
use super::memory::Room;
use super::notes::notes;
use super::prepared::Prepared;
use super::remarks::{most_important, remarks};
use super::samples::{self, Samples};
use super::schema::feature_schema;
use super::settings::{Folds, Settings, TestSplit};
use super::sizes;
use super::split::{Parted, split};
use super::split_by_value::{split_by_group, split_by_hash, split_by_time};
use super::trained::Trained;
use super::training_rows::{TRAINING_ROWS_FILE, TrainingRows, row_hashes};
use super::tuning::{SearchWork, Share, Tuned, Tuner};
use crate::WorkContext;
use crate::artifact::{Kept, Storage};
use crate::card::CARD_FILE;
use crate::evaluation::{Evaluation, LearningCurve, METRICS_FILE, Tuning};
use crate::failure::StepError;
use crate::model::Model;
use crate::progress::Progress;
use crate::table;

/// A train step with all that was checked of it.
pub(super) struct Plan {
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
    pub(super) async fn read(
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

    /// Learns from the rows, by the parameters that a search finds where there is one.
    pub(super) fn learn(&self, samples: &mut Samples) -> Result<Trained, TrainError> {
        let parted = self.part(samples)?;
        let Some(tuner) = &self.tuner else { return self.learn_from(samples, &parted, None) };
        let Tuned { learner, algorithm, tuning } =
            tuner.search(samples, &parted.train, &self.search_work())?;
        samples.task.learn_by(learner)?;
        self.learn_from(samples, &parted, Some((algorithm, tuning)))
    }

    /// Measures a share of the trials. Gives how many, and with how many rows.
    pub(super) fn measure(&self, samples: &Samples, share: Share) -> Result<(usize, u64), TrainError> {
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
        let rows: Vec<u32> = (0..u32::try_from(samples.raw.rows()).unwrap_or(u32::MAX)).collect();
        let hashes = row_hashes(samples, &rows);
        lineage.extend(of_rows(samples, &hashes, self.split.as_ref(), self.folds, group_by));
        let card = card(
            algorithm.as_ref().unwrap_or(&self.step.algorithm),
            &model,
            samples,
            &evaluation,
            &of_card,
            lineage,
        );
        let rows = TrainingRows::of(&hashes, &parted.train).to_bytes();
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
