//! What a gate says of a model: a value with parameters, its sentence for people, and the form in which reports keep it.

use std::fmt::{Display, Formatter, Result};

use serde::{Deserialize, Serialize};

use crate::Metric;

/// What a gate says of one model.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The step has no gate, so every model may be served.
    NoGate,
    /// The model may be served.
    Passed {
        /// The gate's metric.
        metric: Metric,
        /// What was measured.
        value: f64,
    },
    /// The gate's metric is not among what was measured, or is not a number.
    NotMeasured {
        /// The gate's metric.
        metric: Metric,
        /// The names of what was measured.
        measured: Vec<String>,
    },
    /// One of the gate's bounds is not a number.
    BoundIsNotANumber {
        /// The bound's field.
        field: &'static str,
    },
    /// The metric is below `min`.
    BelowMin {
        /// The gate's metric.
        metric: Metric,
        /// What was measured.
        value: f64,
        /// The smallest value that passes.
        min: f64,
    },
    /// The metric is above `max`.
    AboveMax {
        /// The gate's metric.
        metric: Metric,
        /// What was measured.
        value: f64,
        /// The largest value that passes.
        max: f64,
    },
    /// Some classes have no row among those that are measured, or among one fold's.
    ClassesUntested {
        /// The gate's metric.
        metric: Metric,
        /// How many classes; a whole number.
        classes: f64,
    },
    /// The served model could not be measured on the same rows.
    NotComparable {
        /// The gate's metric.
        metric: Metric,
        /// What was measured of the new model.
        value: f64,
    },
    /// The model is worse than the one served before by more than the gate allows; both on the same rows.
    Worse {
        /// The gate's metric.
        metric: Metric,
        /// What was measured of the new model.
        value: f64,
        /// What was measured of the served one.
        served: f64,
        /// By how much the new one is worse, in units of the metric.
        loss: f64,
        /// How much the gate allows.
        allowed: f64,
    },
}

impl Verdict {
    /// Whether the model may be served.
    #[must_use]
    pub fn passed(&self) -> bool {
        match self {
            Self::NoGate | Self::Passed { .. } => true,
            Self::NotMeasured { .. }
            | Self::BoundIsNotANumber { .. }
            | Self::BelowMin { .. }
            | Self::AboveMax { .. }
            | Self::ClassesUntested { .. }
            | Self::NotComparable { .. }
            | Self::Worse { .. } => false,
        }
    }
}

/// One sentence for people, without a full stop: "accuracy 0.8600 is below the gate's min 0.9".
impl Display for Verdict {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Self::NoGate => write!(out, "there is no gate"),
            Self::Passed { metric, value } => write!(out, "{} {value:.4} passed the gate", metric.name()),
            Self::NotMeasured { metric, measured } => {
                write!(out, "{} was not measured; the report has {}", metric.name(), measured.join(", "))
            }
            Self::BoundIsNotANumber { field } => {
                write!(out, "the gate's {field} is not a number, which nothing is compared with")
            }
            Self::BelowMin { metric, value, min } => {
                write!(out, "{} {value:.4} is below the gate's min {min}", metric.name())
            }
            Self::AboveMax { metric, value, max } => {
                write!(out, "{} {value:.4} is above the gate's max {max}", metric.name())
            }
            Self::ClassesUntested { metric, classes } => write!(
                out,
                "{classes} of the classes {} no row among those that are measured, or among one fold's, so {} says nothing about that; the report's message says what to do",
                if *classes == 1.0 { "has" } else { "have" },
                metric.name()
            ),
            Self::NotComparable { metric, value } => write!(
                out,
                "{} {value:.4} is not comparable with the served model's, which could not be measured on the same rows; the report's message says why",
                metric.name()
            ),
            Self::Worse { metric, value, served, loss, allowed } => write!(
                out,
                "{} {value:.4} is {loss:.4} worse than the served model's {served:.4}; the gate allows {allowed}",
                metric.name()
            ),
        }
    }
}

/// A verdict as reports keep it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GateVerdict {
    /// Whether the model may be served.
    pub passed: bool,
    /// Why, for people: "accuracy 0.8600 is below the gate's min 0.9".
    pub message: String,
}

impl From<Verdict> for GateVerdict {
    fn from(verdict: Verdict) -> Self {
        Self { passed: verdict.passed(), message: verdict.to_string() }
    }
}
