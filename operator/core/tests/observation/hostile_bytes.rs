//! What pods and Jobs say, changed at random: it is read as some state of the step, within bounds, and never ends in a panic.
//!
//! A pod's termination message is any bytes that its program wrote, and whoever may edit a Job may write into its annotations.

use mlpipeline_core::observation::read;
use mlpipeline_core::plan::{Schedules, plan};
use mlpipeline_core::validate::validate;
use mlpipeline_crds::{MLPipeline, REPORT_LIMIT, StepReport};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::{ended, job, pod, snapshot};

/// Texts that such fields really hold, and what breaks readers of them.
const SEEDS: [&str; 8] = [
    super::REPORT,
    r#"{"outcome":"succeeded","revision":"0123456789ab","digest":"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","stepVersion":4}"#,
    r#"{"outcome":"failed","reason":"ColumnNotFound","message":"column \"x\" not found"}"#,
    r#"{"action":{"train":{"data":{"step":"data"},"target":"y","algorithm":{"logisticRegression":{}}}},"inputs":{"data":"0123456789ab"}}"#,
    r#"{"pod.resources":"0123456789ab","retries":"ba9876543210"}"#,
    "panicked at main.rs:1:1",
    "\u{1b}]0;title\u{7}\u{1b}[31m",
    "",
];
const PIECES: [&str; 12] = [
    "\0",
    "\"",
    "{",
    "[[[[[[[[",
    "}",
    "null",
    "-1",
    "1e999",
    "99999999999999999999",
    "\u{202e}",
    "$(NAME)",
    "\\ud800",
];

/// A text with some pieces put into it, doubled or cut.
fn text() -> impl Strategy<Value = String> {
    let change = (any::<Index>(), select(PIECES.to_vec()), 0..4_u8, 1..60_usize);
    (select(SEEDS.to_vec()), vec(change, 0..6)).prop_map(|(seed, changes)| {
        let mut text: Vec<char> = seed.chars().collect();
        for (at, piece, kind, times) in changes {
            let at = at.index(text.len() + 1);
            match kind {
                0 => text.truncate(at),
                1 => drop(text.splice(at..at, piece.repeat(times).chars()).collect::<Vec<_>>()),
                _ => drop(text.splice(at..at, piece.chars()).collect::<Vec<_>>()),
            }
        }
        text.into_iter().collect()
    })
}

fn pipeline() -> MLPipeline {
    let steps = json!([
        {"name": "data", "prepare": {"sql": "SELECT 1 AS y"}},
        {"name": "train", "train": {"data": {"step": "data"}, "target": "y", "algorithm": {"logisticRegression": {}}}},
        {"name": "api", "serve": {"model": {"step": "train"}}},
    ]);
    let resource = json!({
        "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline", "metadata": {"name": "iris"}, "spec": {"steps": steps},
    });
    serde_json::from_value(resource).expect("a pipeline")
}

/// A Job with texts in all places that are read.
fn written_job(fingerprint: &str, settings: &str, report: &str, label: &str) -> Value {
    let mut job =
        job(json!({}), json!({"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}));
    let metadata = &mut job["metadata"];
    metadata["annotations"] = json!({
        "mlpipeline.dev/fingerprint": fingerprint, "mlpipeline.dev/settings": settings, "mlpipeline.dev/report": report,
    });
    metadata["labels"]["mlpipeline.dev/attempt"] = json!(label);
    job
}

proptest! {
    #[test]
    fn s11_hostile_bytes_of_jobs_and_pods_are_read_within_bounds(
        message in text(), fingerprint in text(), settings in text(), report in text(), label in text(), code in any::<i32>(),
    ) {
        let pods = vec![pod(ended(code, "Error", &message)), pod(ended(0, "Completed", &report))];
        let observed = read(&snapshot(written_job(&fingerprint, &settings, &report, &label), pods));
        for run in observed.steps.values().flat_map(|step| &step.runs) {
            let read_again = run.report.as_ref().map(StepReport::to_json);
            prop_assert!(read_again.is_none_or(|json| json.len() <= REPORT_LIMIT));
            prop_assert!(run.pending_report.as_ref().is_none_or(|text| text.len() <= REPORT_LIMIT));
        }
        let valid = validate(&pipeline()).expect("it makes sense");
        let planned = plan(&valid, &observed, "2026-11-20T10:00:00Z".parse().expect("a time"), Schedules::Keep);
        for step in &planned.steps {
            prop_assert!(step.reason.to_string().len() < 16 << 10, "{}", step.reason);
        }
    }
}
