//! What training did, as a table for people.

use std::fmt::Write;
use std::path::Path;

use mlpipeline_crds::{Metric, StepReport};

use crate::model::Model;

/// How wide names are.
const NAMES: usize = 18;

/// The report as lines: what was learnt, the metrics, the spread over folds, the gate's verdict, and where the model is.
pub(super) fn summary(report: &StepReport, model: &Model, folder: &Path) -> String {
    let mut text = String::new();
    let schema = model.schema();
    let count = |name: &str| report.metrics.get(name).copied().unwrap_or_default();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} by {} from {} features: {} rows to learn from, {} to test with\n",
        schema.target.name(),
        model.info().algorithm,
        schema.features.len(),
        count("trainRows"),
        count("testRows")
    );
    for metric in Metric::ALL {
        let name = metric.name();
        let Some(value) = report.metrics.get(name) else { continue };
        let _ = write!(text, "{name:NAMES$}{value:.4}");
        let (mean, deviation) = (cross_validated(name, "Mean"), cross_validated(name, "Std"));
        if let (Some(mean), Some(deviation)) = (report.metrics.get(&mean), report.metrics.get(&deviation)) {
            let _ = write!(text, "   over folds {mean:.4} ± {deviation:.4}");
        }
        let _ = writeln!(text);
    }
    if let Some(gate) = &report.gate {
        let verdict = if gate.passed { "passed" } else { "refused" };
        let _ = writeln!(text, "\n{:NAMES$}{verdict}: {}", "gate", gate.message);
    }
    if let Some(message) = &report.message {
        let _ = writeln!(text, "\n{:NAMES$}{message}", "note");
    }
    let _ = writeln!(text, "\n{:NAMES$}{}", "model", folder.display());
    text
}

/// The name of a metric's mean or standard deviation over folds: `accuracy` is `cvAccuracyMean`.
pub(super) fn cross_validated(metric: &str, what: &str) -> String {
    let mut letters = metric.chars();
    let upper: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    format!("cv{upper}{what}")
}
