//! The limits of a served model: how much a request may hold, and how large a feature's value may be.

use crate::model::Model;

/// The largest value of a feature, a power of ten, with which no sum of weighted values can overflow; so every row of
/// values up to it has a prediction.
pub fn largest_value(model: &Model) -> f64 {
    let predictor = model.predictor();
    let weights = predictor.weights();
    let sums =
        weights.rows().into_iter().zip(predictor.intercepts()).map(|(weights, intercept)| {
            weights.iter().map(|weight| weight.abs()).sum::<f64>() + intercept.abs()
        });
    let largest_sum = sums.fold(1.0, f64::max);
    // An eighth leaves room for rounding and for the difference of two sums.
    let exponent = (f64::MAX / 8.0 / largest_sum).log10().floor();
    format!("1e{exponent}").parse().unwrap_or(f64::MAX)
}

/// What the pages need to know of the server.
#[derive(Clone, Copy, Debug)]
pub struct ServingLimits {
    /// Whether callers must send an API key.
    pub needs_key: bool,
    /// The most rows of a request, as asked for.
    pub max_rows: usize,
    /// The most bytes of a request's body.
    pub max_body_bytes: usize,
}
