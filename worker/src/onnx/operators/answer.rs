//! What classifiers have in common: their labels, and what becomes of their scores.

use std::sync::Arc;

use super::super::node::Node;
use super::super::problem::Problem;
use super::super::tensor::{Tensor, Values};
use super::curves::{probit, sigmoid};
use super::normalize::softmax_row;

/// What becomes of a row's scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PostTransform {
    None,
    Softmax,
    Logistic,
    SoftmaxZero,
    Probit,
}

impl PostTransform {
    /// That of a node.
    pub(super) fn of(node: &Node<'_>) -> Result<Self, Problem> {
        let name = node.string("post_transform", "NONE")?;
        Ok(match name.as_str() {
            "NONE" => Self::None,
            "SOFTMAX" => Self::Softmax,
            "LOGISTIC" => Self::Logistic,
            "SOFTMAX_ZERO" => Self::SoftmaxZero,
            "PROBIT" => Self::Probit,
            other => return Err(Problem::graph(format!("post_transform {other} is not computed"))),
        })
    }

    /// [`PostTransform::of`] by the newer operators' numbers.
    pub(super) fn numbered(number: i64) -> Result<Self, Problem> {
        Ok(match number {
            0 => Self::None,
            1 => Self::Softmax,
            2 => Self::Logistic,
            3 => Self::SoftmaxZero,
            4 => Self::Probit,
            other => return Err(Problem::graph(format!("post_transform {other} is not computed"))),
        })
    }

    /// Changes a row's scores.
    pub(super) fn apply(self, row: &mut [f64]) {
        match self {
            Self::None => {}
            Self::Softmax => softmax_row(row, false),
            Self::Logistic => row.iter_mut().for_each(|value| *value = sigmoid(*value)),
            Self::SoftmaxZero => softmax_of_scored(row),
            Self::Probit => row.iter_mut().for_each(|value| *value = probit(*value)),
        }
    }
}

/// The shares of exponentials, of those that are not 0.
fn softmax_of_scored(row: &mut [f64]) {
    let is_none = |value: f64| value.abs() <= 1e-7;
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let smallest = (-largest).exp();
    let mut sum = 0.0;
    for value in row.iter_mut() {
        *value = if is_none(*value) { *value * smallest } else { (*value - largest).exp() };
        sum += *value;
    }
    if sum > 0.0 {
        row.iter_mut().for_each(|value| *value /= sum);
    }
}

/// The classes of a classifier.
#[derive(Clone, Debug)]
pub(super) enum Labels {
    Texts(Vec<Arc<str>>),
    Whole(Vec<i64>),
}

impl Labels {
    /// Those of a node: `classlabels_strings`, or whole numbers under either of their names.
    pub(super) fn of(node: &Node<'_>) -> Result<Self, Problem> {
        let texts = node.strings("classlabels_strings")?;
        if !texts.is_empty() {
            return Ok(Self::Texts(texts));
        }
        let whole = [node.ints("classlabels_int64s"), node.ints("classlabels_ints")].concat();
        if whole.is_empty() { Err(Problem::graph("it has no class labels")) } else { Ok(Self::Whole(whole)) }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Texts(labels) => labels.len(),
            Self::Whole(labels) => labels.len(),
        }
    }

    /// The labels at these places; where there is but one, a place is whether it is that.
    pub(super) fn at(&self, places: &[usize]) -> Result<Tensor, Problem> {
        let values = match self {
            Self::Texts(labels) => Values::Text(labels.clone()),
            Self::Whole(labels) => Values::I64(labels.clone()),
        };
        Tensor::of_values(vec![places.len()], values.take(places))
    }
}

/// The place of the largest; the first of equal ones.
pub(super) fn largest(row: &[f64]) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (place, value) in row.iter().enumerate() {
        if *value > best.1 {
            best = (place, *value);
        }
    }
    best.0
}
