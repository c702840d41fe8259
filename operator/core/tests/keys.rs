//! The keys of every sample's runs, as users' clusters know them. A key that changes re-runs the step and everything after it, in
//! every cluster that upgrades: `tests/keys.txt` is edited only for a change that really alters results.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::disallowed_methods, reason = "the samples and the table are files")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mlpipeline_core::fingerprint::Fingerprint;
use mlpipeline_core::observed::{Observed, ObservedRun, RunPhase};
use mlpipeline_core::plan::{RunWork, Schedules, Work, plan};
use mlpipeline_core::step_kind::ValidAction;
use mlpipeline_core::validate::validate;
use mlpipeline_crds::{Algorithm, MLPipeline, MLPipelineSpec, PodSettings, Revision, Step, StepReport};
use serde_json::json;

const RECORDED: &str = include_str!("keys.txt");

/// Specs that use every field that there is: a test on an API server compares them with the schema.
const EVERY_FIELD: &str = include_str!("../../../tests/tests/api_server/everything.yaml");

/// Every file below these folders that holds a pipeline.
fn samples() -> Vec<PathBuf> {
    let core = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![core.join("../../deploy/samples"), core.join("tests/data")];
    let mut files = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                files.insert(path);
            }
        }
    }
    files.into_iter().collect()
}

/// The pipelines in a file, which may hold other objects too.
fn pipelines(text: &str) -> Vec<MLPipeline> {
    let documents = text.split("\n---").filter(|document| document.contains("kind: MLPipeline"));
    documents.map(|document| serde_saphyr::from_str(document).expect("a pipeline")).collect()
}

/// The keys of all runs and pods that a pipeline comes to when every run succeeds, in the order of its steps.
fn keys(pipeline: &MLPipeline) -> Vec<(String, Revision)> {
    let pipeline = validate(pipeline).expect("a sample makes sense");
    let mut observed = Observed::default();
    let mut keys: Vec<(String, Revision)> = Vec::new();
    for second in 0..10 {
        let now = Timestamp::from_second(1_795_000_000 + second).expect("a time");
        for step in plan(&pipeline, &observed, now, Schedules::RunOnce).steps {
            let key = match &step.work {
                Some(Work::Once(run)) => {
                    let runs = &mut observed.steps.entry(step.name.clone()).or_default().runs;
                    runs.push(succeeded(run));
                    run.key.clone()
                }
                Some(Work::LongRunning(tracks)) => tracks.stable.key.clone(),
                Some(Work::Scheduled { .. }) => panic!("schedules are not kept here"),
                None => continue,
            };
            if !keys.contains(&(step.name.clone(), key.clone())) {
                keys.push((step.name, key));
            }
        }
    }
    keys
}

fn succeeded(run: &RunWork) -> ObservedRun {
    let mut report = StepReport::succeeded(Some(run.key.clone()));
    report.metrics.extend(["accuracy", "r2"].map(|metric| (metric.to_owned(), 0.99)));
    ObservedRun {
        name: format!("run-{}", run.key),
        key: run.key.clone(),
        attempt: run.attempt,
        piece: run.piece,
        scheduled: false,
        fingerprint: Some(run.fingerprint.clone()),
        settings: Some(run.settings.clone()),
        default_image: None,
        phase: RunPhase::Succeeded,
        is_idle: false,
        created: None,
        started: None,
        finished: None,
        pods: 1,
        report: Some(report),
        pending_report: None,
    }
}

/// The keys of the steps of [`EVERY_FIELD`], as they are without what they read.
fn keys_of_every_field() -> Vec<(String, Revision)> {
    #[derive(serde::Deserialize)]
    struct Rows {
        rows: Vec<MLPipelineSpec>,
    }
    let Rows { rows } = serde_saphyr::from_str(EVERY_FIELD).expect("specs");
    let mut keys = Vec::new();
    for step in rows.iter().flat_map(|spec| &spec.steps) {
        let action = ValidAction::of(step).expect("one kind");
        let pod = step.pod.clone().unwrap_or_default();
        let descriptor = action.descriptor();
        let fingerprint = Fingerprint {
            action: json!({ (descriptor.kind().name()): descriptor.fingerprint(&pod) }),
            image: None,
            rerun: step.rerun.clone(),
            inputs: BTreeMap::new(),
        };
        keys.push((step.name.clone(), fingerprint.key()));
    }
    keys
}

#[test]
fn every_algorithm_has_a_recorded_key() {
    for name in Algorithm::NAMES {
        assert!(EVERY_FIELD.contains(&format!("{{{name}: {{")), "add {name} to everything.yaml");
    }
}

/// What is the same in a spec and in the one without it.
#[test]
fn d5_a_default_that_is_written_out_is_no_change() {
    let key = |prepare: &str| {
        let step: Step = serde_saphyr::from_str(&format!("name: a\nprepare: {prepare}")).expect("a step");
        ValidAction::of(&step).expect("one kind").descriptor().fingerprint(&PodSettings::default())
    };
    let of_input = |more: &str| {
        key(&format!("{{inputs: [{{name: t, uri: 'file:a.csv'{more}}}], checks: [{{column: a, min: 1}}]}}"))
    };
    let plain = of_input("");
    for written in [
        ", reading: {}",
        ", reading: {decimal: '.'}",
        ", reading: {quote: '\"'}",
        ", reading: {encoding: utf-8, byColumn: {a: {}}}",
        ", reading: {byColumn: {a: {decimal: '.', nullValues: []}}}",
        ", format: csv, onMismatch: Fail",
    ] {
        assert_eq!(of_input(written), plain, "{written}");
    }
    for other in [", reading: {delimiter: ','}", ", reading: {decimal: ','}", ", reading: {nullValues: [NA]}"]
    {
        assert_ne!(of_input(other), plain, "{other}");
    }
    let checks = |rules: &str| key(&format!("{{sql: SELECT 1, checks: [{{column: a, min: 1{rules}}}]}}"));
    assert_eq!(checks(", unique: false, notNull: false"), checks(""));
    assert_ne!(checks(", unique: true"), checks(""));
}

#[test]
fn d5_no_step_of_any_sample_runs_again_after_an_upgrade() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository");
    let mut found = String::new();
    for path in samples() {
        let path = path.canonicalize().expect("a file");
        let text = std::fs::read_to_string(&path).expect("text");
        for pipeline in pipelines(&text) {
            let name = pipeline.metadata.name.clone().unwrap_or_default();
            let file = path.strip_prefix(&root).expect("a file of the repository").display();
            writeln!(found, "{file} {name}").expect("text");
            for (step, key) in keys(&pipeline) {
                writeln!(found, "  {step} {key}").expect("text");
            }
        }
    }
    writeln!(found, "every field").expect("text");
    for (step, key) in keys_of_every_field() {
        writeln!(found, "  {step} {key}").expect("text");
    }
    let written = Path::new(env!("CARGO_TARGET_TMPDIR")).join("keys.txt");
    std::fs::write(&written, &found).expect("the folder for tests can be written");
    let changed: Vec<String> = RECORDED
        .lines()
        .filter(|line| line.starts_with("  ") && !found.contains(line))
        .map(|line| line.trim().to_owned())
        .collect();
    assert!(
        changed.is_empty(),
        "every user's steps like these would be done anew after an upgrade, models retrained among them: {changed:?}. \
         Most likely a type that a fingerprint serialises got a field that is written when absent, another name or order. \
         If results really differ, say so in CHANGELOG.md and copy {}",
        written.display()
    );
    assert_eq!(found, RECORDED, "a sample was added or renamed: copy {}", written.display());
}
