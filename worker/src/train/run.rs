//! A train step from its spec to a model and a report.

use mlpipeline_crds::{Baseline, BaselineModel, Metric, StepReport, StepSpec, TrainStep, UNTESTED_CLASSES};

use super::baseline::measure_baseline;
use super::columns::Asked;
use super::error::TrainError;
use super::matrix::Rows;
use super::metrics::Metrics;
use super::notes::notes;
use super::prepared::Prepared;
use super::samples::{self, Samples};
use super::schema::feature_schema;
use super::settings::{Folds, Settings, TestSplit};
use super::split::{Parted, folds, split};
use super::summary::cross_validated;
use super::task::Task;
use crate::WorkContext;
use crate::artifact::{Draft, Kind, Storage};
use crate::failure::StepError;
use crate::model::Model;
use crate::table;

/// What training made.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model.
    pub model: Model,
    /// What was measured, the gate's verdict, and what the user should know; without revision and digest, which come with
    /// publishing.
    pub report: StepReport,
}

/// Does a train step: trains the model, measures it, and publishes it. A model that its gate refuses is published too, with the
/// verdict in its report.
///
/// # Errors
/// When the step or its data are wrong, the data cannot be read, or storage fails.
pub async fn run(step: &TrainStep, spec: &StepSpec, context: &WorkContext) -> Result<StepReport, StepError> {
    // Storage first: a volume that cannot be written is known before the work.
    let draft = Draft::begin(&context.storage.artifact_dir(&spec.folder())?)?;
    let Trained { model, report } = train(step, context).await?;
    for (name, bytes) in model.files()? {
        draft.write(name, &bytes)?;
    }
    let rule = spec.revision.clone();
    // Syncing waits for the disk.
    let published = tokio::task::spawn_blocking(move || draft.publish(Kind::Model, report, &rule)).await;
    Ok(published.map_err(|error| TrainError::Internal(error.to_string()))??.report())
}

/// Trains a model as a step says.
///
/// # Errors
/// When the step or its data are wrong, or the data cannot be read. A model that its gate refuses is not an error.
pub async fn train(step: &TrainStep, context: &WorkContext) -> Result<Trained, StepError> {
    let settings = Settings::new(step)?;
    let table = table::open(&step.data, "training data", context).await?;
    let Settings { learner, algorithm, split, folds } = settings;
    let asked = Asked { target: &step.target, features: &step.features, columns: &step.columns };
    let samples = samples::read(table, asked, learner, context.progress).await?;
    let (step, storage) = (step.clone(), context.storage.clone());
    // Learning is work for cores, and must not keep the runtime from its sockets and signals.
    let learnt = tokio::task::spawn_blocking(move || {
        let plan = Plan { step: &step, storage: &storage, algorithm, split, folds };
        plan.learn(&samples)
    });
    let learnt = learnt.await.map_err(|error| TrainError::Internal(error.to_string()))?;
    Ok(learnt?)
}

struct Plan<'a> {
    step: &'a TrainStep,
    storage: &'a Storage,
    algorithm: &'static str,
    split: Option<TestSplit>,
    folds: Option<Folds>,
}

impl Plan<'_> {
    fn learn(&self, samples: &Samples) -> Result<Trained, TrainError> {
        let parted = self.part(samples)?;
        let mut messages = Vec::new();
        let validation = self.cross_validate(samples, &parted.train)?;
        let Prepared { preprocessing, matrix } = Prepared::fit(samples, &parted.train)?;
        let train = Rows::new(&matrix, &parted.train);
        let test = Rows::new(&matrix, &parted.test);
        let raw_train = Rows::new(&samples.raw, &parted.train);
        let fitted = samples.task.fit(&train)?;
        messages.extend(fitted.warning);
        let mut metrics = match &validation {
            _ if !test.is_empty() => samples.task.measure(&fitted.predictor, &test)?,
            Some(validation) => validation.means.clone(),
            None => {
                messages.push(
                    "metrics are of the rows that the model learnt from, which flatters it: set split or crossValidation"
                        .to_owned(),
                );
                samples.task.measure(&fitted.predictor, &train)?
            }
        };
        if matches!(samples.task, Task::Regress { .. }) && !metrics.contains_key(Metric::R2.name()) {
            messages.push("r2 is not measured: the target is the same in every row measured".to_owned());
        }
        metrics.extend(validation.into_iter().flat_map(|validation| validation.metrics));
        metrics.insert("trainRows".to_owned(), train.len() as f64);
        metrics.insert("testRows".to_owned(), test.len() as f64);
        let schema = feature_schema(samples, &self.step.target, &raw_train);
        let model = Model::new(schema, preprocessing, self.algorithm, fitted.predictor, metrics.clone())?;
        let untested = if test.is_empty() { Vec::new() } else { samples.task.missing_classes(&test) };
        if !untested.is_empty() {
            messages.push(format!(
                "no test row has the class {}, so the metrics say nothing about it; set split.stratify to true",
                untested.join(", ")
            ));
            metrics.insert(UNTESTED_CLASSES.to_owned(), untested.len() as f64);
        }
        // Means over folds are of models that did not see the rows; the served model may have learnt from any of them.
        let by_folds = test.is_empty() && self.folds.is_some();
        let measured = if test.is_empty() { &parted.train } else { &parted.test };
        let baseline = self.step.baseline.as_ref().map(|baseline| {
            if by_folds {
                messages.push(format!(
                    "the model served now ({}) is not compared with: metrics over folds are not comparable; set split.test",
                    baseline.revision
                ));
                return Baseline { revision: baseline.revision.clone(), metrics: Metrics::new() };
            }
            self.baseline(baseline, samples, &Rows::new(&samples.raw, measured), &mut messages)
        });
        messages.extend(notes(samples, &raw_train));
        let mut report = StepReport::succeeded(None);
        report.rows = Some(train.len() as u64);
        report.gate = self
            .step
            .gate
            .as_ref()
            .map(|gate| gate.judge(&metrics, baseline.as_ref().map(|baseline| &baseline.metrics)));
        report.metrics = metrics;
        report.baseline = baseline;
        report.message = (!messages.is_empty()).then(|| messages.join("; "));
        Ok(Trained { model, report })
    }

    /// The rows to learn from and, where a split is asked for, those to measure with.
    fn part(&self, samples: &Samples) -> Result<Parted, TrainError> {
        let rows = u32::try_from(samples.raw.rows()).unwrap_or(u32::MAX);
        match self.split {
            None => Ok(Parted { train: (0..rows).collect(), test: Vec::new() }),
            Some(TestSplit { share, stratify, seed }) => {
                let strata = samples.task.strata().filter(|_| stratify);
                split(rows, share, seed, strata)
            }
        }
    }

    /// Learns from all folds but one and measures on that one, for each fold.
    fn cross_validate(&self, samples: &Samples, rows: &[u32]) -> Result<Option<Validation>, TrainError> {
        let Some(Folds { count, seed }) = self.folds else { return Ok(None) };
        let mut measured = Vec::with_capacity(count);
        for fold in folds(rows, count, seed, samples.task.strata())? {
            let Prepared { matrix, .. } = Prepared::fit(samples, &fold.train)?;
            let fitted = samples.task.fit(&Rows::new(&matrix, &fold.train))?;
            measured.push(samples.task.measure(&fitted.predictor, &Rows::new(&matrix, &fold.test))?);
        }
        Ok(Some(Validation::new(&measured)))
    }

    /// The model that is served now on the same rows; where it cannot be measured, the messages say why.
    fn baseline(
        &self,
        baseline: &BaselineModel,
        samples: &Samples,
        rows: &Rows<'_>,
        messages: &mut Vec<String>,
    ) -> Baseline {
        let folder = self.storage.artifact_dir(&baseline.path).map_err(StepError::from);
        let metrics = folder
            .and_then(|folder| Model::load(&folder))
            .and_then(|model| Ok(measure_baseline(&model, &self.step.target, samples, rows)?));
        // Without metrics it is not comparable, which no gate on regressions passes.
        let metrics = metrics.unwrap_or_else(|error| {
            messages.push(format!(
                "the model served now ({}) cannot be compared with: {}",
                baseline.revision, error.message
            ));
            Metrics::new()
        });
        Baseline { revision: baseline.revision.clone(), metrics }
    }
}

/// What cross-validation measured.
struct Validation {
    /// The mean of each metric over the folds, by the metric's name.
    means: Metrics,
    /// Means and standard deviations (of the folds as the whole population), as a report names them: cvAccuracyMean.
    metrics: Metrics,
}

impl Validation {
    fn new(folds: &[Metrics]) -> Self {
        let (mut means, mut metrics) = (Metrics::new(), Metrics::new());
        for name in folds.first().into_iter().flat_map(Metrics::keys) {
            let values: Vec<f64> = folds.iter().filter_map(|fold| fold.get(name).copied()).collect();
            // A metric that is undefined in one fold has no mean over the folds.
            if values.len() < folds.len() {
                continue;
            }
            let count = values.len() as f64;
            let mean = values.iter().sum::<f64>() / count;
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
            means.insert(name.clone(), mean);
            metrics.insert(cross_validated(name, "Mean"), mean);
            metrics.insert(cross_validated(name, "Std"), variance.sqrt());
        }
        Self { means, metrics }
    }
}
