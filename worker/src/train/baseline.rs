//! The model that is served now, compared with a new one on test rows that neither was trained on.

use mlpipeline_crds::{Baseline, BaselineModel};
use ndarray::{Array2, ArrayView2, Axis};

use super::columns::Column;
use super::error::TrainError;
use super::findings::measure_findings;
use super::matrix::Rows;
use super::prepared::Prepared;
use super::samples::Samples;
use super::split::Parted;
use super::task::Task;
use super::training_rows::{FILE_LIMIT, TRAINING_ROWS_FILE, TrainingRows, damaged};
use crate::artifact::Storage;
use crate::evaluation::{MeasuredOn, Metrics, Outcomes};
use crate::failure::StepError;
use crate::model::{Feature, Label, Model, Predictions, Predictor, Target};
use crate::preprocess::Texts;

/// The share of the test rows that one model alone may have been trained on: so few change no metric that matters, and as many are
/// taken for some by chance.
const FEW_ROWS: f64 = 0.01;

/// On fewer rows a difference says nothing.
const FEWEST_ROWS: usize = 10;

/// A model that was just trained, with the rows that it is measured on.
pub(super) struct NewModel<'a> {
    pub(super) target: &'a str,
    pub(super) samples: &'a Samples,
    pub(super) parted: &'a Parted,
    pub(super) prepared: &'a Prepared<'a>,
    pub(super) predictor: &'a Predictor,
    pub(super) measured_on: MeasuredOn,
}

impl NewModel<'_> {
    /// Both models' metrics on the same rows, and what people should know. Without metrics it is not comparable, which no gate on
    /// regressions passes.
    pub(super) fn compare(&self, served: &BaselineModel, storage: &Storage) -> (Baseline, Option<String>) {
        let revision = &served.revision;
        // Means over folds are of models that were not trained on the rows; the served model may have been on any of them.
        let compared = match self.measured_on {
            MeasuredOn::Folds => Err("metrics over folds are not comparable; set split.test".to_owned()),
            // The new model knows these rows, and the served one does not.
            MeasuredOn::TrainRows => {
                Err("no rows are kept back to compare them on; set split.test".to_owned())
            }
            MeasuredOn::TestRows => self.measure(served, storage).map_err(|error| error.message),
        };
        compared.unwrap_or_else(|why| {
            let unknown = Metrics::new();
            let baseline =
                Baseline { revision: revision.clone(), metrics: unknown.clone(), candidate: unknown };
            (baseline, Some(format!("the model served now ({revision}) cannot be compared with: {why}")))
        })
    }

    fn measure(
        &self,
        served: &BaselineModel,
        storage: &Storage,
    ) -> Result<(Baseline, Option<String>), StepError> {
        let revision = served.revision.clone();
        let folder = storage.artifact(&served.path)?;
        let model = Model::load_expected(folder.path(), served.digest.as_ref())?;
        let places = places_of_features(&model, self.target, &self.samples.columns)?;
        let measured = |rows: &[u32]| {
            Ok::<_, StepError>(measure_served(&model, &places, self.samples, self.prepared, rows)?.metrics())
        };
        let test = &self.parted.test;
        let read = Model::document(folder.path(), served.digest.as_ref(), TRAINING_ROWS_FILE, FILE_LIMIT)?;
        let Some(bytes) = read else {
            let note = format!(
                "the model served now ({revision}) was trained by an earlier version, which did not record on which rows; both models are measured on all test rows"
            );
            return Ok((
                Baseline { revision, metrics: measured(test)?, candidate: Metrics::new() },
                Some(note),
            ));
        };
        let known = TrainingRows::from_bytes(&bytes).ok_or_else(|| damaged(folder.path()))?;
        let fair = known.fair(&self.parted.train, self.samples, &places, test);
        if (test.len() - fair.len()) as f64 <= FEW_ROWS * test.len() as f64 {
            return Ok((Baseline { revision, metrics: measured(test)?, candidate: Metrics::new() }, None));
        }
        let rows = Rows::new(&self.prepared.matrix, &fair);
        self.check(&rows)?;
        let candidate = self.samples.task.measure(self.predictor, &rows)?.metrics();
        let note = format!(
            "compared with the model served now ({revision}) on {} of {} test rows: one of them was trained on the others",
            fair.len(),
            test.len()
        );
        Ok((Baseline { revision, metrics: measured(&fair)?, candidate }, Some(note)))
    }

    /// Whether the rows on which the models can be compared say anything.
    fn check(&self, fair: &Rows<'_>) -> Result<(), TrainError> {
        let missing = self.samples.task.missing_classes(fair);
        let left = match missing.first() {
            _ if fair.len() < FEWEST_ROWS => String::new(),
            None => return Ok(()),
            Some(class) => format!(", of which none is of class \"{class}\""),
        };
        Err(TrainError::Data(format!(
            "one of the two was trained on all but {} of the {} test rows{left}; keep the same rows back from every model with split.by: hash, or \
             leave maxRegression out of the gate until this model is served",
            fair.len(),
            self.parted.test.len()
        )))
    }
}

/// What another model predicts for some of the samples' raw rows.
///
/// # Errors
/// When it predicts something else.
fn measure_served(
    model: &Model,
    columns: &[usize],
    samples: &Samples,
    prepared: &Prepared<'_>,
    rows: &[u32],
) -> Result<Outcomes, TrainError> {
    let rows = &Rows::new(&samples.raw, rows);
    let texts: Vec<Texts> = columns.iter().filter_map(|place| samples.texts.get(*place).cloned()).collect();
    let served = model.with_texts(&texts);
    match (&samples.task, &model.schema().target) {
        (Task::Classify { labels, .. }, Target::Class { labels: theirs, .. }) => {
            let places = places(theirs, labels);
            samples.task.measure_with(rows, &|block: ArrayView2<'_, f64>| {
                let predictions = served.predict(block.select(Axis(1), columns).view())?;
                Ok(translate(predictions, &places, labels.len()))
            })
        }
        (Task::Regress { .. }, Target::Number { .. }) => {
            samples.task.measure_with(rows, &|block: ArrayView2<'_, f64>| {
                served.predict(block.select(Axis(1), columns).view())
            })
        }
        (Task::Find { .. }, Target::Finding(finding)) => {
            let seen = Rows::new(&prepared.matrix, rows.numbers());
            let outcomes = measure_findings(finding, rows, &seen, &|block: ArrayView2<'_, f64>| {
                served.predict(block.select(Axis(1), columns).view())
            });
            // Distances from centres are of the columns that the served model sees.
            let is_alike = *model.preprocessing() == prepared.preprocessing;
            outcomes.map(|outcomes| if is_alike { outcomes } else { outcomes.without_totals() })
        }
        (Task::Classify { .. }, Target::Number { .. } | Target::Finding(_))
        | (Task::Regress { .. }, Target::Class { .. } | Target::Finding(_))
        | (Task::Find { .. }, Target::Class { .. } | Target::Number { .. }) => {
            Err(TrainError::Data("it answers something of another kind than what is learnt now".to_owned()))
        }
    }
}

/// Where the model's features are among the samples'.
///
/// # Errors
/// With the reason why it cannot be compared: it predicts from a column that is not among the features, or another one.
fn places_of_features(model: &Model, target: &str, columns: &[Column]) -> Result<Vec<usize>, TrainError> {
    if model.schema().target.name() != target {
        let theirs = model.schema().target.name();
        return Err(TrainError::Data(format!("it answers \"{theirs}\", not \"{target}\"")));
    }
    let place = |feature: &Feature| {
        let name = &feature.name;
        let place = columns.iter().position(|column| column.name == *name).ok_or_else(|| {
            TrainError::Data(format!(
                "it predicts from column \"{name}\", which is not among the features now"
            ))
        })?;
        match columns.get(place) {
            Some(column) if column.input().form != feature.form() => {
                Err(TrainError::Data(format!("it takes column \"{name}\" as something else than now")))
            }
            _ => Ok(place),
        }
    };
    model.schema().features.iter().map(place).collect()
}

/// Where each of the model's classes is among ours; beyond them, where it is none of ours.
fn places(theirs: &[Label], ours: &[Label]) -> Vec<usize> {
    theirs.iter().map(|label| ours.binary_search(label).unwrap_or(ours.len())).collect()
}

/// Predictions of the model's classes as predictions of ours.
fn translate(predictions: Predictions, places: &[usize], count: usize) -> Predictions {
    let Predictions::Classes { index, probabilities } = predictions else { return predictions };
    let place = |class: &usize| places.get(*class).copied().unwrap_or(count);
    let mut ours = Array2::zeros((probabilities.nrows(), count));
    for (class, column) in probabilities.columns().into_iter().enumerate() {
        if place(&class) < count {
            ours.column_mut(place(&class)).assign(&column);
        }
    }
    Predictions::Classes { index: index.iter().map(place).collect(), probabilities: ours }
}
