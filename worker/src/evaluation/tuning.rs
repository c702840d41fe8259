//! What a search for parameters found.

use mlpipeline_crds::{Metric, Search, Trial};
use serde::Serialize;

/// The trials of a search for parameters.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tuning {
    /// How values were tried.
    pub search: Search,
    /// What trials were compared by.
    pub metric: Metric,
    /// In how many folds each trial was measured.
    pub folds: usize,
    /// Classes of which at least one of the last round's folds has no row.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub untested_classes: Vec<String>,
    /// The trials, the best first: those that were measured with more rows, then by the metric, then those that failed.
    pub trials: Vec<Trial>,
}

impl Tuning {
    /// What a person should know: the best trial, and how many failed.
    #[must_use]
    pub fn sentence(&self) -> String {
        let failed = self.trials.iter().filter(|trial| trial.value.is_none()).count();
        let best = self.trials.first().map_or_else(String::new, |best| {
            format!("{} ({} {:.4})", best.shown(), self.metric.name(), best.value.unwrap_or(f64::NAN))
        });
        let failures = match (failed, self.trials.iter().find_map(|trial| trial.failure.as_ref())) {
            (0, _) | (_, None) => String::new(),
            (1, Some(first)) => format!("; 1 of them failed: {first}"),
            (more, Some(first)) => format!("; {more} of them failed, the first: {first}"),
        };
        format!("the best of {} trials over {} folds: {best}{failures}", self.trials.len(), self.folds)
    }
}
