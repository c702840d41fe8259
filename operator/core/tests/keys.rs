//! The keys of every sample's runs, as users' clusters know them. A key that changes re-runs the step and everything after it, in
//! every cluster that upgrades: `tests/keys.txt` is edited only for a change that really alters results.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::disallowed_methods, reason = "the samples and the table are files")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mlpipeline_core::observed::{Observed, ObservedRun, RunPhase};
use mlpipeline_core::plan::{RunWork, Schedules, Work, plan};
use mlpipeline_core::tracks::Tracks;
use mlpipeline_core::validate::validate;
use mlpipeline_crds::{MLPipeline, Revision, StepReport};

const RECORDED: &str = include_str!("keys.txt");

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
                Some(Work::LongRunning(Tracks { stable: work, .. })) => work.key.clone(),
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
        is_pending: false,
        started: None,
        finished: None,
        pods: 1,
        report: Some(report),
        pending_report: None,
    }
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
