//! The model that is served now, measured on the rows that the new one is measured on.

use ndarray::{Array2, ArrayView2, Axis};

use super::columns::Column;
use super::error::TrainError;
use super::matrix::Rows;
use super::metrics::Metrics;
use super::samples::Samples;
use super::task::Task;
use crate::model::{Feature, Label, Model, Predictions, Target};
use crate::preprocess::Texts;

/// Measures another model on some of the samples' raw rows.
///
/// # Errors
/// With the reason why it cannot be compared: it predicts from a column that is not among the features, or predicts something
/// else.
pub(super) fn measure_baseline(
    model: &Model,
    target: &str,
    samples: &Samples,
    rows: &Rows<'_>,
) -> Result<Metrics, TrainError> {
    if model.schema().target.name() != target {
        let theirs = model.schema().target.name();
        return Err(TrainError::Data(format!("it predicts column \"{theirs}\", not \"{target}\"")));
    }
    let columns = columns(model, &samples.columns)?;
    let texts: Vec<Texts> = columns.iter().filter_map(|place| samples.texts.get(*place).cloned()).collect();
    let served = model.with_texts(&texts);
    match (&samples.task, &model.schema().target) {
        (Task::Classify { labels, .. }, Target::Class { labels: theirs, .. }) => {
            let places = places(theirs, labels);
            samples.task.measure_with(rows, &|block: ArrayView2<'_, f64>| {
                let predictions = served.predict(block.select(Axis(1), &columns).view())?;
                Ok(translate(predictions, &places, labels.len()))
            })
        }
        (Task::Regress { .. }, Target::Number { .. }) => {
            samples.task.measure_with(rows, &|block: ArrayView2<'_, f64>| {
                served.predict(block.select(Axis(1), &columns).view())
            })
        }
        _ => Err(TrainError::Data(
            "it predicts classes where numbers are learnt now, or the other way round".to_owned(),
        )),
    }
}

/// Where the model's features are among the samples'.
fn columns(model: &Model, columns: &[Column]) -> Result<Vec<usize>, TrainError> {
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
