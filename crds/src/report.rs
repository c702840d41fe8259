//! What the worker hands back: one small JSON document in the pod's termination message, or in a file on a laptop.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Digest, GateVerdict, Metric, Revision, UNTESTED_CLASSES};

/// The most bytes of a report: what the kubelet keeps of a termination message.
pub const REPORT_LIMIT: usize = 4096;

/// How long a message in a report may be, in bytes; the rest of the limit is for metrics and names.
const MESSAGE_LIMIT: usize = 1536;

/// How many metrics a report may carry.
const METRIC_LIMIT: usize = 32;

/// What became of one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// How it ended.
    pub outcome: Outcome,
    /// The revision under which the result was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// Whether the result was there already, so that nothing was done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reused: bool,
    /// The digest of what was produced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Rows of the result, or rows learnt from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// What was measured.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
    /// The model served before, measured on the same rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// The gate's verdict at the time of training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateVerdict>,
    /// Why it failed, in CamelCase for machines: "ColumnNotFound".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What there is to say, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// The result is published.
    Succeeded,
    /// Nothing was published.
    Failed,
}

/// The model served before, measured on the new model's test rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// Its revision.
    pub revision: Revision,
    /// Its metrics.
    pub metrics: BTreeMap<String, f64>,
}

/// Text that is not a report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// There is more of it than a report may have.
    #[error("a report has at most {REPORT_LIMIT} bytes, and this has {0}")]
    TooLong(usize),
    /// It is not a report's JSON.
    #[error("not a report: {0}")]
    Malformed(String),
}

impl StepReport {
    /// A report of success with nothing measured yet.
    #[must_use]
    pub fn succeeded(revision: Option<Revision>) -> Self {
        Self { outcome: Outcome::Succeeded, revision, ..Self::empty() }
    }

    /// A report of failure.
    #[must_use]
    pub fn failed(reason: &str, message: &str) -> Self {
        Self { reason: Some(reason.to_owned()), message: Some(message.to_owned()), ..Self::empty() }
    }

    fn empty() -> Self {
        Self {
            outcome: Outcome::Failed,
            revision: None,
            reused: false,
            digest: None,
            rows: None,
            metrics: BTreeMap::new(),
            baseline: None,
            gate: None,
            reason: None,
            message: None,
        }
    }

    /// The report as JSON of at most [`REPORT_LIMIT`] bytes. Long messages are cut, metrics that are not finite (JSON has
    /// no such numbers) or beyond the first 32 are left out, but never one that a gate can judge by.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut report = self.clone();
        bound_metrics(&mut report.metrics);
        if let Some(baseline) = &mut report.baseline {
            bound_metrics(&mut baseline.metrics);
        }
        let mut limit = MESSAGE_LIMIT;
        loop {
            for text in [&mut report.message, &mut report.reason].into_iter().flatten() {
                cut(text, limit);
            }
            if let Some(gate) = &mut report.gate {
                cut(&mut gate.message, limit);
            }
            // Serialising plain data with text keys cannot fail; an empty text would only make the report unreadable.
            let text = serde_json::to_string(&report).unwrap_or_default();
            if text.len() <= REPORT_LIMIT {
                return text;
            }
            if limit > 64 {
                limit /= 2;
            } else {
                // Even short texts do not help: metrics with long names are what is left to drop. Those that a gate can judge by
                // stay, of the model served before too: a gate must not pass because the report is long.
                let baseline = report.baseline.as_mut().map(|baseline| &mut baseline.metrics);
                [Some(&mut report.metrics), baseline].into_iter().flatten().for_each(|all| {
                    all.retain(|name, _| judges(name));
                });
                return serde_json::to_string(&report).unwrap_or_default();
            }
        }
    }

    /// Reads a report.
    ///
    /// # Errors
    /// When the text is too long or not a report.
    pub fn from_json(text: &str) -> Result<Self, ReportError> {
        if text.len() > REPORT_LIMIT {
            return Err(ReportError::TooLong(text.len()));
        }
        serde_json::from_str(text).map_err(|error| ReportError::Malformed(error.to_string()))
    }
}

fn bound_metrics(metrics: &mut BTreeMap<String, f64>) {
    metrics.retain(|_, value| value.is_finite());
    let mut room = METRIC_LIMIT.saturating_sub(metrics.keys().filter(|name| judges(name)).count());
    metrics.retain(|name, _| {
        let keeps = judges(name) || room > 0;
        room = room.saturating_sub(usize::from(!judges(name)));
        keeps
    });
}

/// Whether a gate can judge by a metric.
fn judges(name: &str) -> bool {
    name == UNTESTED_CLASSES || Metric::ALL.iter().any(|metric| metric.name() == name)
}

/// Cuts text to at most `limit` bytes at a character's boundary, and shows that it was cut.
fn cut(text: &mut String, limit: usize) {
    if text.len() > limit {
        let end = (0..=limit.saturating_sub('…'.len_utf8()))
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_always_fits_and_can_be_read_again() {
        let mut report = StepReport::failed("ColumnNotFound", &"\u{1}é\"".repeat(5000));
        for index in 0..100 {
            report.metrics.insert(format!("{index}{}", "m".repeat(200)), 0.1);
        }
        report.metrics.insert("bad".into(), f64::NAN);
        report.metrics.insert("rmse".into(), 0.5);
        report.baseline = Some(Baseline { revision: Revision::of(&["x"]), metrics: report.metrics.clone() });
        let text = report.to_json();
        assert!(text.len() <= REPORT_LIMIT, "{}", text.len());
        let read = StepReport::from_json(&text).expect("a report reads its own JSON");
        assert_eq!(read.reason.as_deref(), Some("ColumnNotFound"));
        // What a gate judges by is never dropped.
        let baseline = read.baseline.expect("the served model");
        for metrics in [&read.metrics, &baseline.metrics] {
            assert_eq!(metrics.get("rmse"), Some(&0.5));
        }
    }

    #[test]
    fn success_survives_a_round_trip() {
        let mut report = StepReport::succeeded(Some(Revision::of(&["x"])));
        report.metrics.insert("accuracy".into(), 0.5);
        assert_eq!(StepReport::from_json(&report.to_json()).expect("a report"), report);
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "{}", "[]", "{\"outcome\":\"maybe\"}"] {
            assert!(StepReport::from_json(text).is_err(), "{text}");
        }
    }
}
