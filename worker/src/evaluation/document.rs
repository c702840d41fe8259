//! The file `metrics.json` of a model: all that was measured.
//!
//! Owns its form. It holds no time and no host, and nothing that depends on the gate: editing a gate must not change a model.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Details, LearningCurve, Metrics, Tuning};

/// What was measured of a model.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluation {
    /// Which rows the metrics are of.
    pub measured_on: MeasuredOn,
    /// How many rows the model learnt from.
    pub train_rows: u64,
    /// How many rows were kept back; none without a split.
    pub test_rows: u64,
    /// The metrics, by name. One that is undefined is not there.
    pub metrics: Metrics,
    /// What a model that knows only the target would have, on the same rows; none without a target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub naive: Option<Naive>,
    /// How sure the metrics of rows that were kept back are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intervals: Option<Intervals>,
    /// The metrics of cross-validation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folds: Option<Folds>,
    /// How the parameters were found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tuning: Option<Tuning>,
    /// How the metric that says most changes with the rows that are learnt from, where a step asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_curve: Option<LearningCurve>,
    /// Classes of which the rows measured, or those of one fold, have none: the metrics say nothing of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub untested_classes: Vec<String>,
    /// How much each column matters to the model; none of a table with very many columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub importance: Option<Importance>,
    /// What is behind the metrics.
    #[serde(flatten)]
    pub details: Details,
}

/// Which rows metrics are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum MeasuredOn {
    /// Rows that were kept back.
    TestRows,
    /// Each fold's rows, by a model that did not see them; metrics are means over the folds.
    Folds,
    /// The rows that the model learnt from, which flatters it.
    TrainRows,
}

/// A model that knows only the target: what any other must beat.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Naive {
    /// What it answers to every row.
    pub answers: String,
    /// Its metrics.
    pub metrics: Metrics,
}

/// How sure metrics are: between which values they lie when other rows of the same kind are drawn.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Intervals {
    /// The share of draws that an interval covers.
    pub level: f64,
    /// How often rows were drawn.
    pub repeats: u64,
    /// How many rows were drawn at once; of whole groups, about so many.
    pub rows: u64,
    /// How many whole groups were drawn at once; none where the rows have no groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<u64>,
    /// The intervals, by the metric's name.
    pub metrics: BTreeMap<String, Interval>,
}

/// Between which values a metric lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// How far a metric falls when the values of one column are shuffled.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Importance {
    /// The metric.
    pub metric: &'static str,
    /// How many rows were predicted for.
    pub rows: u64,
    /// How often each column was shuffled.
    pub repeats: u64,
    /// The columns of the table, the one that matters most first.
    pub columns: Vec<ColumnImportance>,
}

/// How far the metric falls without one column.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnImportance {
    /// The column.
    pub column: String,
    /// The mean over the shuffles.
    pub mean: f64,
    /// The standard deviation, of the shuffles as the whole population.
    pub std: f64,
}

impl ColumnImportance {
    /// From how far the metric fell in each shuffle.
    #[must_use]
    pub fn of(column: String, falls: &[f64]) -> Self {
        let FoldMetric { mean, std, .. } = FoldMetric::of(falls.to_vec());
        Self { column, mean, std }
    }
}

/// What cross-validation measured.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Folds {
    /// How many folds there are.
    pub count: usize,
    /// Each metric that is defined in every fold.
    pub metrics: BTreeMap<String, FoldMetric>,
    /// Classes of which at least one fold has no row.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub untested_classes: Vec<String>,
}

/// One metric over the folds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FoldMetric {
    /// The mean.
    pub mean: f64,
    /// The standard deviation, of the folds as the whole population.
    pub std: f64,
    /// The value of each fold.
    pub values: Vec<f64>,
}

impl Folds {
    /// From the metrics of each fold. A metric that is undefined in one fold has no mean over the folds.
    #[must_use]
    pub fn of(folds: &[Metrics]) -> Self {
        let names = folds.first().into_iter().flat_map(Metrics::keys);
        let metric = |name: &String| {
            let values: Option<Vec<f64>> = folds.iter().map(|fold| fold.get(name).copied()).collect();
            Some((name.clone(), FoldMetric::of(values?)))
        };
        let metrics = names.filter_map(metric).collect();
        Self { count: folds.len(), metrics, untested_classes: Vec::new() }
    }

    /// The mean of each metric.
    #[must_use]
    pub fn means(&self) -> Metrics {
        self.metrics.iter().map(|(name, metric)| (name.clone(), metric.mean)).collect()
    }
}

impl FoldMetric {
    fn of(values: Vec<f64>) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        Self { mean, std: variance.sqrt(), values }
    }
}

impl Evaluation {
    /// The bytes of `metrics.json`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Document<'a> {
            format: &'static str,
            version: u32,
            #[serde(flatten)]
            evaluation: &'a Evaluation,
        }
        let document = Document { format: "mlpipeline.dev/metrics", version: 1, evaluation: self };
        // Serialising plain data with text keys cannot fail; empty bytes would only leave the file without content.
        let mut bytes = serde_json::to_vec(&document).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}
