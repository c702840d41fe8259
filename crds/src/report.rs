//! What the worker hands back: one small JSON document in the pod's termination message, or in a file on a laptop.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::metric::judges;
use crate::{Baseline, Digest, GateVerdict, METRIC_LIMIT, Metric, Revision, Trial, bounded_metrics};

/// The most bytes of a report: what the kubelet keeps of a termination message.
pub const REPORT_LIMIT: usize = 4096;

/// How long a message in a report may be, in bytes; the rest of the limit is for metrics and names.
const MESSAGE_LIMIT: usize = 1536;

/// How many trials a report may carry.
const TRIAL_LIMIT: usize = 10;

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
    /// The trials of a search for parameters, the best ones first; at most 10.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<Trial>,
    /// What trials were compared by; absent in reports of workers that did not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_metric: Option<Metric>,
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
    /// The newest version of a step that the worker reads; workers that read no more than version 3 do not say it. It is of the
    /// worker that reports, and no part of a manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_version: Option<u32>,
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
            trials: Vec::new(),
            trial_metric: None,
            baseline: None,
            gate: None,
            reason: None,
            message: None,
            step_version: None,
        }
    }

    /// The report as JSON of at most [`REPORT_LIMIT`] bytes. Long messages are cut, metrics that are not finite (JSON has
    /// no such numbers) or beyond the 32 that say most are left out, but never one that a gate can judge by.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut report = self.clone();
        report.metrics = bounded_metrics(&report.metrics, METRIC_LIMIT);
        if let Some(baseline) = &mut report.baseline {
            baseline.all_metrics().for_each(|all| *all = bounded_metrics(all, METRIC_LIMIT));
        }
        report.trials.truncate(TRIAL_LIMIT);
        report.trials.retain(|trial| trial.value.is_none_or(f64::is_finite));
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
            if !report.trials.is_empty() {
                // All of them are in the model's metrics.json.
                report.trials.truncate(report.trials.len() / 2);
            } else if limit > 64 {
                limit /= 2;
            } else {
                // Even short texts do not help: metrics with long names are what is left to drop. Those that a gate can judge by
                // stay, of the model served before too: a gate must not pass because the report is long.
                let compared = report.baseline.as_mut().into_iter().flat_map(Baseline::all_metrics);
                [&mut report.metrics].into_iter().chain(compared).for_each(|all| {
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
        let metrics = report.metrics.clone();
        let candidate = metrics.clone();
        report.baseline = Some(Baseline { revision: Revision::of(&["x"]), metrics, candidate });
        let text = report.to_json();
        assert!(text.len() <= REPORT_LIMIT, "{}", text.len());
        let read = StepReport::from_json(&text).expect("a report reads its own JSON");
        assert_eq!(read.reason.as_deref(), Some("ColumnNotFound"));
        // What a gate judges by is never dropped.
        let baseline = read.baseline.expect("the served model");
        for metrics in [&read.metrics, &baseline.metrics, &baseline.candidate] {
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
