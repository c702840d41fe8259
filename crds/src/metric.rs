//! What a model is measured by: the table of metrics.
//!
//! Owns the list: names, tasks and directions. Names and definitions are scikit-learn's. How each is computed is the worker's.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::Better::{Larger, Smaller};
use crate::Predicts::{self, Classes, Clusters, Components, Numbers, Outliers};

/// The metric that counts classes without a row among those that are measured, or among one fold's.
pub const UNTESTED_CLASSES: &str = "untestedClasses";

/// Which values of a metric are of better models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Better {
    Larger,
    Smaller,
}

/// Makes the metrics from one row each: the variant, its name in specs, what it measures, and which values are better.
macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $Metric:ident = $name:literal, $measures:ident, $better:ident;)+) => {
        /// A measure of a model, as training reports it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub enum Metric {
            $($(#[doc = $doc])+ $Metric,)+
        }

        impl Metric {
            /// Every metric there is, in the order in which they are shown.
            pub const ALL: &'static [Metric] = &[$(Self::$Metric),+];

            /// The name in specs, reports and labels.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$Metric => $name,)+ }
            }

            /// What the models that it measures predict.
            #[must_use]
            pub fn measures(self) -> Predicts {
                match self { $(Self::$Metric => $measures,)+ }
            }

            fn better(self) -> Better {
                match self { $(Self::$Metric => $better,)+ }
            }
        }
    };
}

metrics! {
    /// Classification: the share of rows whose class was predicted rightly, 0 to 1.
    Accuracy = "accuracy", Classes, Larger;
    /// Classification: the mean over classes of recall, 0 to 1.
    BalancedAccuracy = "balancedAccuracy", Classes, Larger;
    /// Classification: the unweighted mean over classes of the F1 score, 0 to 1.
    F1Macro = "f1Macro", Classes, Larger;
    /// Classification: the mean of the F1 score over classes, weighted by their rows, 0 to 1.
    F1Weighted = "f1Weighted", Classes, Larger;
    /// Classification: the unweighted mean over classes of precision, 0 to 1.
    PrecisionMacro = "precisionMacro", Classes, Larger;
    /// Classification: the mean of precision over classes, weighted by their rows, 0 to 1.
    PrecisionWeighted = "precisionWeighted", Classes, Larger;
    /// Classification: the unweighted mean over classes of recall, 0 to 1; a class that was only predicted counts as 0.
    RecallMacro = "recallMacro", Classes, Larger;
    /// Classification: the mean of recall over classes, weighted by their rows, 0 to 1.
    RecallWeighted = "recallWeighted", Classes, Larger;
    /// Classification: the area under the ROC curve of the second of two classes; of more, the mean over each class against the
    /// rest. 0.5 is chance, 1 the best.
    RocAuc = "rocAuc", Classes, Larger;
    /// Classification: average precision, the area under the precision-recall curve, of the second of two classes; of more, the
    /// mean over each class against the rest. 0 to 1.
    AveragePrecision = "averagePrecision", Classes, Larger;
    /// Classification: mean negative log-likelihood of the right class, in nats; smaller is better.
    LogLoss = "logLoss", Classes, Smaller;
    /// Classification: mean squared error of the probabilities, 0 to 1 for two classes and 0 to 2 for more; smaller is better.
    BrierScore = "brierScore", Classes, Smaller;
    /// Classification: the mean distance, over ten bins, between the probability of the predicted class and how often it is the
    /// right one, 0 to 1; smaller is better.
    CalibrationError = "calibrationError", Classes, Smaller;
    /// Regression: coefficient of determination, at most 1.
    R2 = "r2", Numbers, Larger;
    /// Regression: root of the mean squared error, in the target's unit; smaller is better.
    Rmse = "rmse", Numbers, Smaller;
    /// Regression: mean absolute error, in the target's unit; smaller is better.
    Mae = "mae", Numbers, Smaller;
    /// Regression: median absolute error, in the target's unit; smaller is better.
    MedianAbsoluteError = "medianAbsoluteError", Numbers, Smaller;
    /// Regression: mean absolute error as a share of the target, very large where the target is 0; smaller is better.
    Mape = "mape", Numbers, Smaller;
    /// Forecasts: mean absolute error as a share of what the number one interval before is off by in the rows learnt from; less than 1
    /// is better than that.
    Mase = "mase", Numbers, Smaller;
    /// Regression with loss: quantile: mean pinball loss of that quantile, in the target's unit; smaller is better.
    Pinball = "pinball", Numbers, Smaller;
    /// Clusters: the mean over rows of how much nearer a row is to its own cluster than to the next one, -1 to 1. Of many rows, a few
    /// thousand evenly spread ones are measured.
    Silhouette = "silhouette", Clusters, Larger;
    /// Clusters: the sum over rows of the squared distance to the cluster's centre; smaller is better, and it grows with the rows.
    Inertia = "inertia", Clusters, Smaller;
    /// Outliers: the share of rows that are taken for outliers, 0 to 1; smaller is better.
    OutlierShare = "outlierShare", Outliers, Smaller;
    /// Components: the share of the columns' variance that the components keep, 0 to 1.
    ExplainedVariance = "explainedVariance", Components, Larger;
}

impl Metric {
    /// The metric of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|metric| metric.name() == name)
    }

    /// The names of the metrics of models that predict this, or of all, with commas between them.
    #[must_use]
    pub fn names(of: Option<Predicts>) -> String {
        let fitting = Self::ALL.iter().filter(|metric| of.is_none_or(|of| metric.measures() == of));
        fitting.map(|metric| metric.name()).collect::<Vec<_>>().join(", ")
    }

    /// Between which values every measurement lies; `None` where there is no such bound.
    #[must_use]
    pub fn range(self) -> (Option<f64>, Option<f64>) {
        match self {
            Self::Accuracy
            | Self::BalancedAccuracy
            | Self::F1Macro
            | Self::F1Weighted
            | Self::PrecisionMacro
            | Self::PrecisionWeighted
            | Self::RecallMacro
            | Self::RecallWeighted
            | Self::RocAuc
            | Self::AveragePrecision
            | Self::CalibrationError
            | Self::OutlierShare
            | Self::ExplainedVariance => (Some(0.0), Some(1.0)),
            Self::BrierScore => (Some(0.0), Some(2.0)),
            Self::Silhouette => (Some(-1.0), Some(1.0)),
            Self::R2 => (None, Some(1.0)),
            Self::LogLoss
            | Self::Rmse
            | Self::Mae
            | Self::MedianAbsoluteError
            | Self::Mape
            | Self::Mase
            | Self::Pinball
            | Self::Inertia => (Some(0.0), None),
        }
    }

    /// Whether a smaller value is a better model.
    #[must_use]
    pub fn smaller_is_better(self) -> bool {
        self.better() == Smaller
    }

    /// The metric that says how good a model is where a person looks at one number: the gate's, else the usual one. A model of a
    /// quantile, which alone has a pinball loss, is not good by how near to the numbers it is.
    #[must_use]
    pub fn main(metrics: &BTreeMap<String, f64>, gate: Option<Metric>) -> Option<Self> {
        gate.into_iter()
            .chain([
                Self::Accuracy,
                Self::Pinball,
                Self::R2,
                Self::Silhouette,
                Self::OutlierShare,
                Self::ExplainedVariance,
            ])
            .find(|metric| metrics.contains_key(metric.name()))
    }

    /// The name that a figure of this metric has in a report: of `accuracy`, `naive` is `naiveAccuracy`.
    #[must_use]
    pub fn figure(self, prefix: &str) -> String {
        let mut letters = self.name().chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        prefix.chars().chain(first).chain(letters).collect()
    }
}

/// Metrics in the order in which a reader wants them: what a gate can judge by, this one first and the others as the table lists
/// them; then what is said of such a metric (its naive baseline, its interval); then rows; then metrics over folds; then others by
/// name.
#[must_use]
pub fn telling_first(metrics: &BTreeMap<String, f64>, main: Option<Metric>) -> Vec<(&str, f64)> {
    let place = |name: &str| {
        let own = Metric::ALL.iter().position(|metric| metric.name() == name);
        let is_figure = |metric: &&Metric| {
            [metric.figure("naive"), format!("{}Low", metric.name()), format!("{}High", metric.name())]
                .iter()
                .any(|figure| figure == name)
        };
        let folds = |metric: &Metric| {
            [metric.figure("cv") + "Mean", metric.figure("cv") + "Std"].iter().any(|figure| figure == name)
        };
        match own {
            Some(_) if main.is_some_and(|main| main.name() == name) => (0, 0),
            Some(place) => (1, place),
            None if name == UNTESTED_CLASSES => (2, 0),
            None if Metric::ALL.iter().any(|metric| is_figure(&metric)) => (3, 0),
            None if matches!(name, "trainRows" | "testRows") => (4, 0),
            None => match Metric::ALL.iter().position(folds) {
                Some(place) => (5, place),
                None => (6, 0),
            },
        }
    };
    let mut ordered: Vec<_> =
        metrics.iter().map(|(name, value)| (place(name), name.as_str(), *value)).collect();
    ordered.sort_by_key(|(place, name, _)| (*place, *name));
    ordered.into_iter().map(|(_, name, value)| (name, value)).collect()
}

/// Whether a gate can judge by a metric, or rejects because of it.
#[must_use]
pub(crate) fn judges(name: &str) -> bool {
    name == UNTESTED_CLASSES || Metric::named(name).is_some()
}

/// How many metrics a report lists, and a status of a step or model.
pub const METRIC_LIMIT: usize = 32;

/// The finite metrics, at most so many, the most telling ones; but never without one that a gate can judge by.
#[must_use]
pub fn bounded_metrics(metrics: &BTreeMap<String, f64>, limit: usize) -> BTreeMap<String, f64> {
    let finite = metrics.iter().filter(|(_, value)| value.is_finite());
    let finite: BTreeMap<String, f64> = finite.map(|(name, value)| (name.clone(), *value)).collect();
    let ordered = telling_first(&finite, None).into_iter().enumerate();
    let kept = ordered.filter(|(place, (name, _))| *place < limit || judges(name));
    kept.map(|(_, (name, value))| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metrics_name_is_its_serialised_form() {
        for metric in Metric::ALL {
            assert_eq!(serde_json::json!(metric), metric.name());
            assert_eq!(Metric::named(metric.name()), Some(*metric));
        }
        assert_eq!(Metric::named("speed"), None);
        assert_eq!(Metric::names(Some(Numbers)), "r2, rmse, mae, medianAbsoluteError, mape, mase, pinball");
    }

    #[test]
    fn what_tells_most_comes_first_and_is_kept() {
        let names = [
            "accuracy",
            "accuracyHigh",
            "accuracyLow",
            "cvAccuracyMean",
            "cvAccuracyStd",
            "cvRocAucMean",
            "logLoss",
            "naiveAccuracy",
            "rocAuc",
            "speed",
            "testRows",
            "trainRows",
            "untestedClasses",
        ];
        let metrics: BTreeMap<String, f64> = names.iter().map(|name| ((*name).to_owned(), 0.5)).collect();
        let ordered =
            |main| telling_first(&metrics, main).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(
            ordered(Some(Metric::LogLoss)),
            [
                "logLoss",
                "accuracy",
                "rocAuc",
                "untestedClasses",
                "accuracyHigh",
                "accuracyLow",
                "naiveAccuracy",
                "testRows",
                "trainRows",
                "cvAccuracyMean",
                "cvAccuracyStd",
                "cvRocAucMean",
                "speed",
            ]
        );
        assert_eq!(Metric::main(&metrics, None), Some(Metric::Accuracy));
        assert_eq!(Metric::main(&metrics, Some(Metric::RocAuc)), Some(Metric::RocAuc));
        assert_eq!(Metric::main(&BTreeMap::new(), Some(Metric::RocAuc)), None);
        let few: Vec<String> = bounded_metrics(&metrics, 2).into_keys().collect();
        assert_eq!(few, ["accuracy", "logLoss", "rocAuc", "untestedClasses"]);
        assert_eq!(bounded_metrics(&metrics, 12).len(), 12);
        assert!(!bounded_metrics(&metrics, 12).contains_key("speed"));
    }
}
