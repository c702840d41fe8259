//! A model is published only if it has an answer to some row: the rows that are tried go the way of rows that are served.
//!
//! One row with an answer is enough: a graph may rightly have none for rows that never come, as of a year 0.

use ndarray::Array2;

use super::error::ImportError;
use super::probe::known_texts;
use crate::model::{Feature, FeatureKind, ModelError, OnnxPredictor, Target, Values};
use crate::preprocess::Texts;

/// What the columns of the rows that are tried are about: the first ones answer of nearly all models, and the others are years,
/// amounts, milliseconds, and what is below zero.
const VALUES: [f64; 20] = [
    0.0, 1.0, 0.5, 2.0, -1.0, 10.0, -10.0, 100.0, -100.0, 1e3, 2e3, -1e3, 1e4, -1e4, 1e5, 1e6, -1e6, 1e9,
    1.7e12, 1e-3,
];

/// How far the columns of a row are from each other; `None` where each has another one of the values.
const SLOPES: [Option<f64>; 4] = [Some(0.0), Some(1.0), Some(-0.5), None];

/// How many rows are tried.
const ROWS: usize = VALUES.len() * SLOPES.len();

/// The value of a column in one of the rows, and how much more it is.
fn tried(row: usize, column: usize) -> (f64, f64) {
    let slope = SLOPES.get(row / VALUES.len()).copied().flatten();
    // Seven steps lead through all of the values.
    let place = row + if slope.is_some() { 0 } else { 7 * column };
    let value = VALUES.get(place % VALUES.len()).copied().unwrap_or_default();
    (value, slope.unwrap_or_default() * column as f64)
}

/// Checks that a model answers at least one of the rows that are tried.
///
/// # Errors
/// When it answers none; the message has what the first one came to, and what to do.
pub(super) fn check_answers(
    predictor: &OnnxPredictor,
    features: &[Feature],
    target: &Target,
) -> Result<(), ImportError> {
    let texts: Vec<Texts> = features.iter().map(known_texts).collect();
    let mut first = None;
    for row in 0..ROWS {
        let of_column = |(_, column): (usize, usize)| {
            let (value, more) = tried(row, column);
            value_of(features.get(column), value, more)
        };
        let row = Array2::from_shape_fn((1, features.len()), of_column);
        let problem = match predictor.try_answer(row.view(), &texts, target) {
            Ok(true) => return Ok(()),
            Ok(false) => Problem::NoNumber,
            Err(ModelError::Overflow { .. }) => Problem::NoNumber,
            Err(ModelError::Answer { problem, .. }) => Problem::Other(problem),
            Err(error) => Problem::Other(error.to_string()),
        };
        first.get_or_insert(problem);
    }
    Err(ImportError::Step(match first.unwrap_or(Problem::NoNumber) {
        Problem::NoNumber => format!(
            "the graph answers with no finite number to any of {ROWS} rows that were tried, so that it could answer nobody: look for weights \
             that are infinite or not a number (NaN), as after a training that diverged; train the model again, and export it again"
        ),
        Problem::Other(problem) => format!(
            "the graph has no answer to any of {ROWS} rows that were tried; to the first: {problem}; export the model again, and where \
             its classes are at fault, name in classes those that the graph answers, or learn from classes that are texts"
        ),
    }))
}

/// Why a row has no answer.
enum Problem {
    NoNumber,
    Other(String),
}

/// A value of a column: texts are places among those that are known.
fn value_of(feature: Option<&Feature>, value: f64, more: f64) -> f64 {
    let number = value * (1.0 + more / 16.0) + more;
    match feature.map(|feature| &feature.values) {
        Some(Values::Number(numbers)) if numbers.kind == FeatureKind::Float => number,
        Some(Values::Number(numbers)) if numbers.kind == FeatureKind::Boolean => {
            f64::from(u8::from(number >= 1.0))
        }
        Some(Values::Text(_)) => f64::from(u8::from(value == 1.0)),
        _ => number.trunc(),
    }
}
