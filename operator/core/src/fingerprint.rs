//! What a step means: the part of its spec that changes its result.
//!
//! Two specs with the same fingerprint give the same result, so nothing is done twice: a changed label, resource request, retry
//! count, gate or replica count is no change of fingerprint, and neither is a default that is written out.

use std::collections::{BTreeMap, BTreeSet};

use mlpipeline_crds::{
    CompletionMode, DataReference, Format, OnMismatch, Output, Prepare, Revision, Run, Score, Train, Workload,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::canonical::canonical_json;
use super::pipeline::{ValidAction, ValidStep, ValidatedPipeline};

/// What a step means, and the revisions that it reads. Its hash is the key of the step's run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fingerprint {
    /// The kind of step with the fields that change its result.
    pub action: Value,
    /// The worker image, where the spec names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The token that forces a new run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun: Option<String>,
    /// What is read, by the reader's name for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, Revision>,
}

impl Fingerprint {
    /// The fingerprint of a step that reads these revisions.
    #[must_use]
    pub fn of(pipeline: &ValidatedPipeline, step: &ValidStep, inputs: BTreeMap<String, Revision>) -> Self {
        let image = match step.action {
            ValidAction::Run(_) => None,
            _ => pipeline.image.clone(),
        };
        Self { action: action_fingerprint(step), image, rerun: step.rerun.clone(), inputs }
    }

    /// The key of a run with this fingerprint.
    #[must_use]
    pub fn key(&self) -> Revision {
        Revision::of(&[&canonical_json(self)])
    }

    /// The step behind each input, by the reader's name for it.
    #[must_use]
    pub fn sources(&self) -> BTreeMap<String, String> {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let mut sources = BTreeMap::new();
        for action in self.action.as_object().into_iter().flat_map(serde_json::Map::values) {
            for name in ["data", "model", "input"] {
                let step = text(action.pointer(&format!("/{name}/step")));
                sources.extend(step.map(|step| (name.to_owned(), step)));
            }
            for input in action.get("inputs").and_then(Value::as_array).into_iter().flatten() {
                let step = text(input.get("name")).zip(text(input.get("step")));
                sources.extend(step);
            }
        }
        sources
    }

    /// The place outside of storage whose content the result replaces.
    #[must_use]
    pub fn replaces(&self) -> Option<&str> {
        let action = self.action.as_object()?.values().next()?;
        action.pointer("/output/uri").and_then(Value::as_str).filter(|uri| replaces(uri))
    }

    /// What differs from an earlier fingerprint apart from what is read.
    #[must_use]
    pub fn own_difference(&self, earlier: &Fingerprint) -> Option<String> {
        Fingerprint { inputs: earlier.inputs.clone(), ..self.clone() }.difference(earlier)
    }

    /// What differs from an earlier fingerprint, for people: "train.algorithm.logisticRegression.alpha changed from 1 to 0.1".
    #[must_use]
    pub fn difference(&self, earlier: &Fingerprint) -> Option<String> {
        let mut changes = Vec::new();
        differences("", &earlier.action, &self.action, &mut changes);
        for (name, before, after) in
            [("image", &earlier.image, &self.image), ("rerun", &earlier.rerun, &self.rerun)]
        {
            differences(name, &json!(before), &json!(after), &mut changes);
        }
        for name in self.inputs.keys().filter(|name| earlier.inputs.get(*name) != self.inputs.get(*name)) {
            changes.push(match earlier.inputs.get(name) {
                Some(_) => format!("{name} is of a new revision"),
                None => format!("{name} is read now"),
            });
        }
        match changes.len() {
            0 => None,
            1..=3 => Some(changes.join(", ")),
            more => Some(format!(
                "{}, and {} more",
                changes.iter().take(2).cloned().collect::<Vec<_>>().join(", "),
                more - 2
            )),
        }
    }
}

fn action_fingerprint(step: &ValidStep) -> Value {
    match &step.action {
        ValidAction::Prepare(prepare) => json!({ "prepare": prepare_fingerprint(prepare) }),
        ValidAction::Train(train) => json!({ "train": train_fingerprint(train) }),
        ValidAction::Serve(serve) => json!({ "serve": { "model": serve.model } }),
        ValidAction::Score(score) => json!({ "score": score_fingerprint(score) }),
        ValidAction::Run(run) => json!({ "run": run_fingerprint(run, step) }),
    }
}

fn prepare_fingerprint(prepare: &Prepare) -> Prepare {
    let mut fingerprint = prepare.clone();
    fingerprint.output = output_fingerprint(fingerprint.output.take());
    for input in &mut fingerprint.inputs {
        input.format = format_fingerprint(input.format, input.uri.as_deref(), input.pattern.is_some());
        input.on_mismatch = input.on_mismatch.filter(|kind| *kind != OnMismatch::Fail);
        input.secret = None;
    }
    if let Some(continuous) = &mut fingerprint.continuous {
        // How often it looks changes no result.
        continuous.poll_interval = None;
    }
    fingerprint
}

fn train_fingerprint(train: &Train) -> Train {
    let mut fingerprint = train.clone();
    // The gate judges a model; it does not make one.
    fingerprint.gate = None;
    fingerprint.data = reference_fingerprint(&train.data);
    if let Some(logistic) = &mut fingerprint.algorithm.logistic_regression {
        logistic.alpha = logistic.alpha.filter(|alpha| *alpha != DEFAULT_LOGISTIC_ALPHA);
        logistic.max_iterations = logistic.max_iterations.filter(|most| *most != DEFAULT_MAX_ITERATIONS);
    }
    if let Some(linear) = &mut fingerprint.algorithm.linear_regression {
        linear.alpha = linear.alpha.filter(|alpha| *alpha != 0.0);
    }
    if let Some(split) = &mut fingerprint.split {
        split.stratify = split.stratify.filter(|stratify| *stratify);
        split.seed = split.seed.filter(|seed| *seed != 0);
    }
    if let Some(folds) = &mut fingerprint.cross_validation {
        folds.seed = folds.seed.filter(|seed| *seed != 0);
    }
    fingerprint
}

/// Defaults of the contract, as its documentation states them.
const DEFAULT_LOGISTIC_ALPHA: f64 = 1.0;
const DEFAULT_MAX_ITERATIONS: i32 = 200;

fn score_fingerprint(score: &Score) -> Score {
    Score {
        model: score.model.clone(),
        input: reference_fingerprint(&score.input),
        output: output_fingerprint(score.output.clone()),
    }
}

fn run_fingerprint(run: &Run, step: &ValidStep) -> Value {
    let long_running = run.workload.unwrap_or_default() != Workload::Job;
    let mut fingerprint =
        json!({ "image": run.image, "command": run.command, "args": run.args, "inputs": run.inputs });
    if let Some(fields) = fingerprint.as_object_mut() {
        // A program of somebody else's may read any of its environment, so all of it is part of what it does.
        for (name, value) in [("env", json!(step.pod.env)), ("envFrom", json!(step.pod.env_from))] {
            if value.as_array().is_some_and(|list| !list.is_empty()) {
                fields.insert(name.into(), value);
            }
        }
        if let Some(completions) = run.completions.filter(|_| !long_running) {
            fields.insert("completions".into(), completions.into());
        }
        if run.completion_mode == Some(CompletionMode::Indexed) {
            fields.insert("completionMode".into(), json!(run.completion_mode));
        }
        if long_running {
            fields.insert("workload".into(), json!(run.workload));
        }
    }
    fingerprint
}

fn reference_fingerprint(reference: &DataReference) -> DataReference {
    let mut fingerprint = reference.clone();
    fingerprint.format =
        format_fingerprint(reference.format, reference.uri.as_deref(), reference.pattern.is_some());
    fingerprint.on_mismatch = reference.on_mismatch.filter(|kind| *kind != OnMismatch::Fail);
    // Other credentials for the same place change nothing of what is there.
    fingerprint.secret = None;
    fingerprint
}

/// A format that the pattern or the extension says anyway is no difference.
fn format_fingerprint(format: Option<Format>, uri: Option<&str>, has_pattern: bool) -> Option<Format> {
    let told = if has_pattern { Some(Format::Text) } else { uri.and_then(format_of_uri) };
    format.filter(|format| told != Some(*format))
}

fn output_fingerprint(output: Option<Output>) -> Option<Output> {
    let implied =
        output_format(output.as_ref().map(|output| Output { format: None, ..output.clone() }).as_ref());
    let fingerprint = output.map(|output| Output {
        format: output.format.filter(|format| *format != implied),
        secret: None,
        ..output
    });
    fingerprint.filter(|output| *output != Output::default())
}

/// Whether what is delivered to a URI replaces what was there: an object or a table. Over HTTP, rows are added to others.
#[must_use]
pub fn replaces(uri: &str) -> bool {
    ["s3:", "postgres:"].iter().any(|scheme| uri.starts_with(scheme))
}

/// The format that a result is written in.
#[must_use]
pub fn output_format(output: Option<&Output>) -> Format {
    let told = output.and_then(|output| output.format);
    // Only an object is a file of its name; rows that are posted are JSON, whatever the path.
    let object = || output?.uri.as_deref().filter(|uri| uri.starts_with("s3:"));
    told.or_else(|| format_of_uri(object()?)).unwrap_or(Format::Parquet)
}

/// The format that a URI's extension stands for, compression aside.
#[must_use]
pub fn format_of_uri(uri: &str) -> Option<Format> {
    // A table of a database is no file, whatever its name.
    if uri.starts_with("postgres:") {
        return None;
    }
    let path = uri.split(['?', '#']).next().unwrap_or(uri).to_ascii_lowercase();
    let path = [".gz", ".zst"].iter().find_map(|suffix| path.strip_suffix(suffix)).unwrap_or(&path);
    let (_, extension) = path.rsplit_once('.')?;
    match extension {
        "csv" => Some(Format::Csv),
        "ndjson" | "jsonl" | "json" => Some(Format::Ndjson),
        "parquet" => Some(Format::Parquet),
        _ => None,
    }
}

/// Collects the leaves in which two documents differ, as "path changed from a to b".
fn differences(path: &str, before: &Value, after: &Value, changes: &mut Vec<String>) {
    if before == after {
        return;
    }
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let nothing = serde_json::Map::new();
    let objects = match (before, after) {
        (Value::Object(old), Value::Object(new)) => Some((old, new)),
        (Value::Null, Value::Object(new)) if !new.is_empty() => Some((&nothing, new)),
        (Value::Object(old), Value::Null) if !old.is_empty() => Some((old, &nothing)),
        _ => None,
    };
    if let Some((old, new)) = objects {
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            let of = |map: &serde_json::Map<String, Value>| map.get(name).cloned().unwrap_or(Value::Null);
            differences(&below(name), &of(old), &of(new), changes);
        }
        return;
    }
    match (before, after) {
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                differences(&format!("{path}[{index}]"), old, new, changes);
            }
        }
        (Value::Null, after) if is_short(after) => changes.push(format!("{path} was added ({after})")),
        (Value::Null, _) => changes.push(format!("{path} was added")),
        (before, Value::Null) if is_short(before) => {
            changes.push(format!("{path} was removed (was {before})"));
        }
        (_, Value::Null) => changes.push(format!("{path} was removed")),
        (before, after) if is_short(before) && is_short(after) => {
            changes.push(format!("{path} changed from {before} to {after}"));
        }
        _ => changes.push(format!("{path} changed")),
    }
}

/// Whether a value is worth printing: the starts of two long queries would look the same.
fn is_short(value: &Value) -> bool {
    !value.is_array() && !value.is_object() && value.to_string().chars().count() <= 40
}
