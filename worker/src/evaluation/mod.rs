//! How good a model is: from what was predicted for rows, beside what is true of them, to metrics, curves and their file.
//!
//! Owns the definitions, which are scikit-learn's, and `metrics.json`. A metric is a row of [`mlpipeline_crds::Metric`] and an arm
//! in `classification.rs`, `regression.rs` or `findings.rs`. Must not predict, know of rows' features, or choose which rows are measured.

mod by_name;
mod calibration;
mod classification;
mod details;
mod document;
mod findings;
mod learning_curve;
mod metrics;
mod outcomes;
mod ranking;
mod regression;
mod thinning;
mod tuning;

pub use by_name::Metrics;
pub use calibration::CalibrationBin;
pub use details::{
    AnswerRows, ClassDetails, ClassRow, Confusion, Curves, Details, FindingDetails, Mistake, NumberDetails,
};
pub use document::{
    ColumnImportance, Evaluation, FoldMetric, Folds, Importance, Interval, Intervals, MeasuredOn, Naive,
};
pub use findings::FindingOutcomes;
pub use learning_curve::{CurvePoint, LearningCurve};
pub use outcomes::{ClassOutcomes, NumberOutcomes, Outcomes};
pub use tuning::Tuning;

/// The name of the file in a model's artifact that has all that was measured.
pub const METRICS_FILE: &str = "metrics.json";
