//! A metric after learning from more and more rows.

use mlpipeline_crds::Metric;
use serde::Serialize;

/// How a metric changes with the rows that are learnt from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LearningCurve {
    /// The metric.
    pub metric: Metric,
    /// Its values, fewest rows first; the last ones are the model's own.
    pub points: Vec<CurvePoint>,
}

/// The metric after learning from some of the rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CurvePoint {
    /// How many rows were learnt from.
    pub rows: u64,
    /// The metric on these rows.
    pub train: f64,
    /// The metric on the rows that were kept back.
    pub test: f64,
}
