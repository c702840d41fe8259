//! Monotonic constraints: which leaf values keep a prediction growing, or falling, with a column.
//!
//! As in scikit-learn: a split of a constrained column must have its sides' values in order, and what grows below the sides stays
//! at its side of the middle between them. Must not know columns' names beyond finding their places.

use std::collections::BTreeMap;

use mlpipeline_crds::Monotonic;

use super::super::error::TrainError;
use super::super::learner::{MatrixKind, Names};

/// The values that a leaf may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    low: f64,
    high: f64,
}

impl Bounds {
    /// All values.
    pub(super) const ALL: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// The value that is allowed and the nearest to this one.
    pub(super) fn nearest(self, value: f64) -> f64 {
        value.max(self.low).min(self.high)
    }

    /// The bounds of what grows at both sides of a split whose sides have these values.
    pub(super) fn of_sides(self, direction: Option<Monotonic>, left: f64, right: f64) -> (Self, Self) {
        let middle = left / 2.0 + right / 2.0;
        let (below, above) = (Self { high: middle, ..self }, Self { low: middle, ..self });
        match direction {
            None => (self, self),
            Some(Monotonic::Increasing) => (below, above),
            Some(Monotonic::Decreasing) => (above, below),
        }
    }
}

/// Whether a split's sides may have these values.
pub(super) fn allows(direction: Option<Monotonic>, left: f64, right: f64) -> bool {
    match direction {
        None => true,
        Some(Monotonic::Increasing) => left <= right,
        Some(Monotonic::Decreasing) => left >= right,
    }
}

/// The constraint of each column of the matrix.
///
/// # Errors
/// When a constrained column is not there or not of numbers, or there are more than two classes.
pub(super) fn directions(
    constraints: &BTreeMap<String, Monotonic>,
    names: &Names<'_>,
) -> Result<Vec<Option<Monotonic>>, TrainError> {
    let refuse = |problem: String| {
        Err(TrainError::Spec(format!("algorithm.gradientBoosting.monotonicConstraints{problem}")))
    };
    if names.classes.len() > 2 {
        return refuse(format!(
            ": they are for numbers and two classes, and the target has {} classes",
            names.classes.len()
        ));
    }
    let mut directions = vec![None; names.columns.len()];
    for (name, direction) in constraints {
        let mut places = names.columns.iter().zip(&mut directions).filter(|(column, _)| column.name == name);
        match places.next() {
            Some((column, place)) if column.kind == MatrixKind::Number => *place = Some(*direction),
            Some(_) => {
                return refuse(format!(
                    ".{name}: only columns of numbers can be constrained, and {name} is not one"
                ));
            }
            None => {
                let mut known: Vec<&str> = names.columns.iter().map(|column| column.name).collect();
                known.dedup();
                return refuse(format!(
                    ".{name}: {name} is not among the columns that are learnt from; they are {}",
                    known.join(", ")
                ));
            }
        }
    }
    Ok(directions)
}
