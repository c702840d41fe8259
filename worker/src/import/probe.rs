//! A few rows are tried before a model is published: that the graph computes, what its outputs look like, and that a row's answer does
//! not depend on the rows beside it.

use ndarray::{Array2, ArrayView2, Axis};

use super::error::ImportError;
use crate::model::{Feature, ModelError, OnnxPredictor, Values as Seen};
use crate::onnx::{Tensor, Values};
use crate::preprocess::Texts;

/// How many rows are tried.
pub(super) const ROWS: usize = 3;

/// The outputs for rows that were tried.
pub(super) struct Probe {
    /// How many rows.
    pub rows: usize,
    /// The graph's outputs, in its order.
    pub outputs: Vec<Tensor>,
}

impl Probe {
    /// How many values an output has for a row; `None` where they are no rows. Labels of some converters lie in one row of a matrix.
    pub(super) fn width(&self, output: &Tensor) -> Option<usize> {
        let first = output.shape().first().copied().unwrap_or(1);
        let are_rows = (first == self.rows && !output.is_empty()) || output.len() == self.rows;
        are_rows.then(|| output.len() / self.rows)
    }
}

/// Tries rows: of zeros and empty texts, of ones and texts that the graph knows, and of others.
///
/// # Errors
/// When the graph does not compute them, or its answers depend on the rows beside a row.
pub(super) fn probe(predictor: &OnnxPredictor, features: &[Feature]) -> Result<Probe, ImportError> {
    let columns = features.len();
    let texts: Vec<Texts> = features.iter().map(known_texts).collect();
    let value =
        |(row, column): (usize, usize)| match (&features.get(column).map(|feature| &feature.values), row) {
            (_, 0) => 0.0,
            (_, 1) => 1.0,
            (Some(Seen::Number(numbers)), _) if numbers.kind == crate::model::FeatureKind::Float => {
                0.5 + (column % 3) as f64
            }
            _ => 0.0,
        };
    let rows = Array2::from_shape_fn((ROWS, columns), value);
    let first = |rows: &Array2<f64>| rows.slice_axis(Axis(0), (..1).into()).to_owned();
    let rows = if predictor.takes_one_row() { first(&rows) } else { rows };
    let all = predictor.try_rows(rows.view(), &texts);
    let (rows, outputs) = match all {
        // A value that the graph knows nothing of; zeros may be fine.
        Err(ModelError::Answer { row: Some(_), .. }) => {
            let rows = first(&rows);
            let outputs = predictor.try_rows(rows.view(), &texts);
            (rows, outputs)
        }
        all => (rows, all),
    };
    let outputs = outputs.map_err(|error| ImportError::Tried(error.to_string()))?;
    let probe = Probe { rows: rows.nrows(), outputs };
    if probe.rows > 1 {
        check_alone(predictor, rows.view(), &texts, &probe)?;
    }
    Ok(probe)
}

/// Two texts: that of row 0, and one that the graph knows.
pub(super) fn known_texts(feature: &Feature) -> Texts {
    let mut texts = Texts::default();
    if let Seen::Text(seen) = &feature.values {
        let known = seen.common.first().map(String::as_str).unwrap_or_default();
        texts.place(known);
        texts.place("");
    }
    texts
}

/// A row by itself has the answer that it has among others.
fn check_alone(
    predictor: &OnnxPredictor,
    rows: ArrayView2<'_, f64>,
    texts: &[Texts],
    probe: &Probe,
) -> Result<(), ImportError> {
    for (place, row) in rows.axis_chunks_iter(Axis(0), 1).enumerate() {
        let alone = predictor.try_rows(row, texts).map_err(|error| ImportError::Tried(error.to_string()))?;
        for (own, all) in alone.iter().zip(&probe.outputs) {
            // What has not one answer for each row is no answer at all.
            let Some(width) = probe.width(all) else { continue };
            let among = part(all.values(), place * width, width);
            if own.len() != width || part(own.values(), 0, width) != among {
                return Err(ImportError::Step(
                    "the graph's answer about a row depends on the rows beside it, or it has not one answer for each row; export one that \
                     answers row by row, with a first dimension of any length"
                        .to_owned(),
                ));
            }
        }
    }
    Ok(())
}

/// Values by their bits, so that what is not a number equals itself.
fn part(values: &Values, start: usize, width: usize) -> Vec<String> {
    let range = start..start + width;
    match values {
        Values::F32(values) => {
            values.get(range).unwrap_or_default().iter().map(|value| value.to_bits().to_string()).collect()
        }
        Values::F64(values) => {
            values.get(range).unwrap_or_default().iter().map(|value| value.to_bits().to_string()).collect()
        }
        Values::I64(values) => {
            values.get(range).unwrap_or_default().iter().map(ToString::to_string).collect()
        }
        Values::I32(values) => {
            values.get(range).unwrap_or_default().iter().map(ToString::to_string).collect()
        }
        Values::Bool(values) => {
            values.get(range).unwrap_or_default().iter().map(ToString::to_string).collect()
        }
        Values::Text(values) => {
            values.get(range).unwrap_or_default().iter().map(ToString::to_string).collect()
        }
    }
}
