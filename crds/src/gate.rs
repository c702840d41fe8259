//! The quality gate of a training step: which models may be served.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A measure of a model, as training reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Metric {
    /// Classification: the share of rows whose class was predicted rightly, 0 to 1.
    Accuracy,
    /// Classification: the mean over classes of recall, 0 to 1.
    BalancedAccuracy,
    /// Classification: the unweighted mean over classes of the F1 score, 0 to 1.
    F1Macro,
    /// Classification: mean negative log-likelihood of the right class, in nats; smaller is better.
    LogLoss,
    /// Regression: coefficient of determination, at most 1.
    R2,
    /// Regression: root of the mean squared error, in the target's unit; smaller is better.
    Rmse,
    /// Regression: mean absolute error, in the target's unit; smaller is better.
    Mae,
}

impl Metric {
    /// Every metric there is.
    pub const ALL: [Metric; 7] = [
        Self::Accuracy,
        Self::BalancedAccuracy,
        Self::F1Macro,
        Self::LogLoss,
        Self::R2,
        Self::Rmse,
        Self::Mae,
    ];

    /// The name in specs, reports and labels.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::BalancedAccuracy => "balancedAccuracy",
            Self::F1Macro => "f1Macro",
            Self::LogLoss => "logLoss",
            Self::R2 => "r2",
            Self::Rmse => "rmse",
            Self::Mae => "mae",
        }
    }

    /// Whether a smaller value is a better model.
    #[must_use]
    pub fn smaller_is_better(self) -> bool {
        matches!(self, Self::LogLoss | Self::Rmse | Self::Mae)
    }

    /// Whether the metric speaks of classifiers; else of regressions.
    #[must_use]
    pub fn is_classification(self) -> bool {
        matches!(self, Self::Accuracy | Self::BalancedAccuracy | Self::F1Macro | Self::LogLoss)
    }
}

/// A condition that a model must meet to be served. A model that does not meet it is kept and reported, and whatever was
/// served before keeps being served. Changing the gate judges the trained model anew; it trains nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("has(self.min) || has(self.max) || has(self.maxRegression)").message("a gate needs at least one of min, max and maxRegression"))]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// The metric to judge by; it is measured on the test split, or by cross-validation where there is no test split.
    pub metric: Metric,
    /// The smallest value that passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The largest value that passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// How much worse than the model served before, measured on the same rows, still passes; 0 or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub max_regression: Option<f64>,
}

/// The metric that counts classes without a row among the test rows.
pub const UNTESTED_CLASSES: &str = "untestedClasses";

/// What a gate says of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GateVerdict {
    /// Whether the model may be served.
    pub passed: bool,
    /// Why, for people: "accuracy 0.86 is below the gate's min 0.9".
    pub message: String,
}

impl Gate {
    /// Judges a model by its metrics and, for `maxRegression`, by the metrics of the model served before on the same rows;
    /// `None` where none is served. A metric that is missing or not a number never passes, a served model that could not be
    /// measured is not comparable and so never passes, and neither does a test in which a class did not occur.
    #[must_use]
    pub fn judge(
        &self,
        metrics: &BTreeMap<String, f64>,
        baseline: Option<&BTreeMap<String, f64>>,
    ) -> GateVerdict {
        let name = self.metric.name();
        let refused = |message: String| GateVerdict { passed: false, message };
        let Some(value) = metrics.get(name).copied().filter(|value| value.is_finite()) else {
            let known: Vec<&str> = metrics.keys().map(String::as_str).collect();
            return refused(format!("{name} was not measured; the report has {}", known.join(", ")));
        };
        if let Some(min) = self.min.filter(|min| value < *min) {
            return refused(format!("{name} {value:.4} is below the gate's min {min}"));
        }
        if let Some(max) = self.max.filter(|max| value > *max) {
            return refused(format!("{name} {value:.4} is above the gate's max {max}"));
        }
        let untested = metrics.get(UNTESTED_CLASSES).copied().unwrap_or_default();
        if untested > 0.0 {
            return refused(format!(
                "{untested} of the classes have no row among the test rows, so {name} says nothing about them; set split.stratify to true, or give more rows"
            ));
        }
        if let (Some(allowed), Some(baseline)) = (self.max_regression, baseline) {
            let Some(before) = baseline.get(name).copied().filter(|value| value.is_finite()) else {
                return refused(format!(
                    "{name} {value:.4} is not comparable with the served model's, which could not be measured on the same rows; the report's message says why"
                ));
            };
            let loss = if self.metric.smaller_is_better() { value - before } else { before - value };
            if loss > allowed {
                return refused(format!(
                    "{name} {value:.4} is {loss:.4} worse than the served model's {before:.4}; the gate allows {allowed}"
                ));
            }
        }
        GateVerdict { passed: true, message: format!("{name} {value:.4} passed the gate") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(name: &str, value: f64) -> BTreeMap<String, f64> {
        BTreeMap::from([(name.to_owned(), value)])
    }

    #[test]
    fn verdicts_follow_bounds_and_the_direction_of_the_metric() {
        let gate = |metric, min, max, max_regression| Gate { metric, min, max, max_regression };
        let rows = [
            (gate(Metric::Accuracy, Some(0.9), None, None), metrics("accuracy", 0.9), None, true),
            (gate(Metric::Accuracy, Some(0.9), None, None), metrics("accuracy", 0.89), None, false),
            (gate(Metric::Accuracy, Some(0.9), None, None), metrics("accuracy", f64::NAN), None, false),
            (gate(Metric::Accuracy, Some(0.9), None, None), metrics("r2", 1.0), None, false),
            (gate(Metric::Rmse, None, Some(2.0), None), metrics("rmse", 2.1), None, false),
            (
                gate(Metric::Rmse, None, None, Some(0.1)),
                metrics("rmse", 1.2),
                Some(metrics("rmse", 1.0)),
                false,
            ),
            (
                gate(Metric::Rmse, None, None, Some(0.1)),
                metrics("rmse", 0.2),
                Some(metrics("rmse", 1.0)),
                true,
            ),
            (gate(Metric::R2, None, None, Some(0.1)), metrics("r2", 0.8), Some(metrics("r2", 0.95)), false),
            (gate(Metric::R2, None, None, Some(0.1)), metrics("r2", 0.8), None, true),
            // A model is served, and could not be measured.
            (gate(Metric::R2, None, None, Some(0.1)), metrics("r2", 0.8), Some(BTreeMap::new()), false),
            (
                gate(Metric::R2, None, None, Some(0.1)),
                metrics("r2", 0.8),
                Some(metrics("r2", f64::NAN)),
                false,
            ),
            (gate(Metric::R2, Some(0.5), None, None), metrics("r2", 0.8), Some(BTreeMap::new()), true),
            (
                gate(Metric::Accuracy, Some(0.5), None, None),
                BTreeMap::from([("accuracy".to_owned(), 1.0), (UNTESTED_CLASSES.to_owned(), 1.0)]),
                None,
                false,
            ),
        ];
        for (gate, model, baseline, passes) in rows {
            assert_eq!(
                gate.judge(&model, baseline.as_ref()).passed,
                passes,
                "{gate:?} {model:?} {baseline:?}"
            );
        }
    }

    #[test]
    fn a_metrics_name_is_its_serialised_form() {
        for metric in Metric::ALL {
            assert_eq!(serde_json::json!(metric), metric.name());
        }
    }
}
