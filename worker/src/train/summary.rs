//! What training did, as a table for people.

use std::fmt::Write;
use std::path::Path;

use mlpipeline_crds::{Metric, StepReport};

use crate::model::Model;

/// How wide names are.
const NAMES: usize = 21;

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
        if let Some(naive) = report.metrics.get(&metric.figure("naive")) {
            let _ = write!(text, "   naive baseline {naive:.4}");
        }
        let end = |what: &str| report.metrics.get(&format!("{name}{what}"));
        if let (Some(low), Some(high)) = (end("Low"), end("High")) {
            let _ = write!(text, "   95 % between {low:.4} and {high:.4}");
        }
        let folds = metric.figure("cv");
        let (mean, deviation) = (format!("{folds}Mean"), format!("{folds}Std"));
        if let (Some(mean), Some(deviation)) = (report.metrics.get(&mean), report.metrics.get(&deviation)) {
            let _ = write!(text, "   over folds {mean:.4} ± {deviation:.4}");
        }
        let _ = writeln!(text);
    }
    if !report.trials.is_empty() {
        let _ = writeln!(text, "\n{:NAMES$}value      ± folds    rows", "trials, best first");
        for trial in &report.trials {
            let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.4}"));
            let (value, deviation) = (number(trial.value), number(trial.std));
            let failure =
                trial.failure.as_ref().map(|failure| format!("   failed: {failure}")).unwrap_or_default();
            let _ = writeln!(
                text,
                "{:NAMES$}{value:<11}{deviation:<11}{:<9}{}{failure}",
                "",
                trial.rows,
                trial.shown()
            );
        }
    }
    if let Some(gate) = &report.gate {
        let verdict = if gate.passed { "passed" } else { "rejected" };
        let _ = writeln!(text, "\n{:NAMES$}{verdict}: {}", "gate", gate.message);
    }
    if let Some(message) = &report.message {
        let _ = writeln!(text, "\n{:NAMES$}{message}", "note");
    }
    let _ = writeln!(text, "\n{:NAMES$}{}", "model", folder.display());
    text
}
