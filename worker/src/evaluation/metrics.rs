//! From outcomes to metrics by name.

use mlpipeline_crds::Metric;

use super::by_name::Metrics;
use super::classification::{Counts, class_metric};
use super::outcomes::Outcomes;
use super::ranking::Ranks;
use super::regression::number_metric;

impl Outcomes {
    /// All metrics that are defined for these rows.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.metrics_where(|_| true)
    }

    /// Some of the metrics, those that are defined for these rows.
    #[must_use]
    pub fn metrics_where(&self, wanted: impl Fn(Metric) -> bool) -> Metrics {
        let wanted: Vec<Metric> = Metric::ALL.iter().copied().filter(|metric| wanted(*metric)).collect();
        let defined =
            |metric: Metric, value: f64| value.is_finite().then(|| (metric.name().to_owned(), value));
        match self {
            Self::Classes(outcomes) => {
                let counts = Counts::of(outcomes);
                // Ranking sorts the rows for each class, so it is done once, and only where it is asked for.
                let is_ranked = |metric: &Metric| matches!(metric, Metric::RocAuc | Metric::AveragePrecision);
                let ranks = if wanted.iter().any(is_ranked) { Ranks::of(outcomes) } else { Ranks::none() };
                let value = |metric| class_metric(metric, outcomes, &counts, &ranks);
                wanted.into_iter().filter_map(|metric| defined(metric, value(metric))).collect()
            }
            Self::Numbers(outcomes) => wanted
                .into_iter()
                .filter_map(|metric| defined(metric, number_metric(metric, outcomes)))
                .collect(),
            Self::Findings(outcomes) => {
                wanted.into_iter().filter_map(|metric| defined(metric, outcomes.metric(metric))).collect()
            }
        }
    }
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
