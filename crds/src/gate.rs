//! The quality gate of a training step: which models may be served.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::{Baseline, Metric, UNTESTED_CLASSES, Verdict};

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

impl Gate {
    /// What metrics are compared with, by the names of the fields.
    #[must_use]
    pub fn bounds(&self) -> [(&'static str, Option<f64>); 3] {
        [("min", self.min), ("max", self.max), ("maxRegression", self.max_regression)]
    }

    /// Judges a model by its metrics and, for `maxRegression`, by the metrics of the model served before on the same rows;
    /// `None` where none is served. A metric that is missing or not a number never passes, a served model that could not be
    /// measured is not comparable and so never passes, and neither does a test in which a class did not occur.
    #[must_use]
    pub fn judge(&self, metrics: &BTreeMap<String, f64>, served: Option<&Baseline>) -> Verdict {
        let metric = self.metric;
        let of = |metrics: &BTreeMap<String, f64>| {
            metrics.get(metric.name()).copied().filter(|value| value.is_finite())
        };
        let Some(value) = of(metrics) else {
            return Verdict::NotMeasured { metric, measured: metrics.keys().cloned().collect() };
        };
        let is_nan = |bound: Option<f64>| bound.is_some_and(f64::is_nan);
        if let Some((field, _)) = self.bounds().into_iter().find(|(_, bound)| is_nan(*bound)) {
            return Verdict::BoundIsNotANumber { field };
        }
        if let Some(min) = self.min.filter(|min| value < *min) {
            return Verdict::BelowMin { metric, value, min };
        }
        if let Some(max) = self.max.filter(|max| value > *max) {
            return Verdict::AboveMax { metric, value, max };
        }
        let classes = metrics.get(UNTESTED_CLASSES).copied().unwrap_or_default();
        if classes > 0.0 {
            return Verdict::ClassesUntested { metric, classes };
        }
        if let (Some(allowed), Some(baseline)) = (self.max_regression, served) {
            // Both on the same rows.
            let candidate = if baseline.candidate.is_empty() { metrics } else { &baseline.candidate };
            let (Some(now), Some(served)) = (of(candidate), of(&baseline.metrics)) else {
                return Verdict::NotComparable { metric, value };
            };
            let loss = if metric.smaller_is_better() { now - served } else { served - now };
            if loss > allowed {
                return Verdict::Worse { metric, value: now, served, loss, allowed };
            }
        }
        Verdict::Passed { metric, value }
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
            // Nothing is more or less than what is not a number.
            (gate(Metric::Accuracy, Some(f64::NAN), None, None), metrics("accuracy", 1.0), None, false),
            (gate(Metric::Accuracy, None, Some(f64::NAN), None), metrics("accuracy", 0.0), None, false),
            (gate(Metric::R2, None, None, Some(f64::NAN)), metrics("r2", 1.0), None, false),
            (
                gate(Metric::Accuracy, Some(0.5), None, None),
                BTreeMap::from([("accuracy".to_owned(), 1.0), (UNTESTED_CLASSES.to_owned(), 1.0)]),
                None,
                false,
            ),
        ];
        for (gate, model, served, passes) in rows {
            let served = served.map(|metrics| baseline(metrics, BTreeMap::new()));
            assert_eq!(gate.judge(&model, served.as_ref()).passed(), passes, "{gate:?} {model:?} {served:?}");
        }
    }

    fn baseline(metrics: BTreeMap<String, f64>, candidate: BTreeMap<String, f64>) -> Baseline {
        Baseline { revision: crate::Revision::of(&["served"]), metrics, candidate }
    }

    #[test]
    fn models_are_compared_on_the_rows_that_both_were_measured_on() {
        let gate = Gate { metric: Metric::Accuracy, min: Some(0.9), max: None, max_regression: Some(0.01) };
        let all = metrics("accuracy", 0.95);
        for (served, on_the_same, passes) in [(0.99, 0.99, true), (0.99, 0.9, false), (0.5, f64::NAN, false)]
        {
            let served = baseline(metrics("accuracy", served), metrics("accuracy", on_the_same));
            assert_eq!(gate.judge(&all, Some(&served)).passed(), passes, "{served:?}");
        }
        let worse = baseline(metrics("accuracy", 0.2), metrics("accuracy", 0.8));
        assert!(!gate.judge(&metrics("accuracy", 0.8), Some(&worse)).passed(), "min is for all test rows");
    }
}
