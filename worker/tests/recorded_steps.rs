//! Steps as operators of this release and of earlier ones write them are done.
//!
//! `data/steps/vN` holds steps of version N, one of each kind that the version added something to. They are never changed: a pinned
//! worker reads what a newer operator writes, and a new worker what an older one wrote. Where a test here fails, the code is to be
//! changed: a field that comes, goes or changes needs a new version, with the steps that have it in a folder of its own.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod receiver;
mod serving;
mod support;

use mlpipeline_crds::{Action, OLDEST_STEP_SPEC_VERSION, STEP_SPEC_VERSION, StepSpec};
use receiver::Receiver;
use serde_json::{Value, json};
use serving::Server;
use support::Volume;
use support::at_work::{Worker, wait_until};

/// What each version added something to that was there before: version 2 how text is read, version 3 how rows are delivered and what a
/// train step takes columns as, version 4 by which digests artifacts are known, and which rows a train step keeps back, version 5 more
/// parameters of algorithms, and a search for them. A continuous step counts as a kind.
const CHANGED: [(u32, &[&str]); 5] = [
    (1, &["continuous"]),
    (2, &["continuous", "prepare", "score", "train"]),
    (3, &["continuous", "prepare", "score", "train"]),
    (4, &["prepare", "score", "serve", "train"]),
    (5, &["train"]),
];

fn recorded(version: u32, name: &str) -> Value {
    let path = support::recorded(&format!("steps/v{version}/{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}

/// The steps that are recorded of a version, by name.
fn names(version: u32) -> Vec<String> {
    let folder = std::fs::read_dir(support::recorded(&format!("steps/v{version}"))).expect("a folder");
    let mut names: Vec<String> = folder
        .map(|entry| entry.expect("an entry").path())
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The result of a step's recorded revision.
fn result(volume: &Volume, step: &str, file: &str) -> String {
    let path = volume.path().join(format!("ml/new/{step}/0123456789ab/{file}"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The step with what receives its rows.
fn delivering(mut spec: Value, receiver: &Receiver) -> Value {
    let action = spec["action"].as_object_mut().and_then(|action| action.values_mut().next());
    action.expect("an action")["delivery"]["uri"] = json!(receiver.url());
    spec
}

#[test]
fn one_step_of_each_kind_is_recorded_and_is_written_as_it_was() {
    for version in OLDEST_STEP_SPEC_VERSION..=STEP_SPEC_VERSION {
        let mut kinds = Vec::new();
        for name in names(version) {
            let json = recorded(version, &name);
            let spec: StepSpec = serde_json::from_value(json.clone()).expect("a step");
            let written: Value = serde_json::from_str(&spec.to_json().expect("JSON")).expect("JSON");
            assert_eq!(written, json, "version {version}, {name}");
            kinds.push(match &spec.action {
                Action::Prepare(step) if step.continuous.is_some() => "continuous",
                action => action.name(),
            });
        }
        kinds.sort_unstable();
        let new = Action::SINCE.iter().filter(|(_, since)| *since == version).map(|(kind, _)| *kind);
        let changed = CHANGED.iter().filter(|(changed_by, _)| *changed_by == version);
        let mut expected: Vec<&str> = changed.flat_map(|(_, kinds)| *kinds).copied().chain(new).collect();
        expected.sort_unstable();
        assert_eq!(
            kinds, expected,
            "data/steps/v{version}: one step of each kind that the version brought or changed"
        );
    }
}

#[test]
fn prepare_steps_are_done() {
    for version in [1, 4] {
        let volume = Volume::recorded("v1");
        volume.put("ml/new/prepare/ba9876543210/manifest.json", "{}");
        volume.step(&recorded(version, "prepare"), &[]).succeeds();
        assert_eq!(result(&volume, "prepare", "data.csv"), "key,name,value,flowers\nb,beta,2,30\n");
        assert!(!volume.path().join("ml/new/prepare/ba9876543210").exists(), "what the step removes is gone");
    }

    let volume = Volume::recorded("v1");
    volume.step(&recorded(2, "prepare"), &[]).succeeds();
    let expected = "day,price,note,code\n2026-01-31,1234.5,it's; München,007\n,,x,008\n";
    assert_eq!(result(&volume, "prepare", "data.csv"), expected);

    let (volume, receiver) = (Volume::recorded("v1"), Receiver::start());
    volume.step(&delivering(recorded(3, "prepare"), &receiver), &["--allow-address=127.0.0.0/8"]).succeeds();
    assert_eq!(receiver.posts().len(), 1);
}

#[test]
fn import_steps_are_done() {
    let volume = Volume::recorded("v1");
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/samples/made-elsewhere/churn.onnx");
    let sample = std::fs::read(sample).expect("the sample");
    std::fs::create_dir_all(volume.path().join("models")).expect("a folder");
    std::fs::write(volume.path().join("models/churn.onnx"), &sample).expect("a file");
    let report = volume.step(&recorded(5, "import"), &[]).succeeds().report.clone();
    let message = report.message.expect("what was taken");
    assert!(
        message.starts_with("takes 3 columns and answers churned, one of 2 classes: no, yes"),
        "{message}"
    );
    assert!(result(&volume, "import", "model.json").contains("\"plan\""));
    // Another file is refused, and nothing is published.
    let volume = Volume::recorded("v1");
    std::fs::create_dir_all(volume.path().join("models")).expect("a folder");
    std::fs::write(volume.path().join("models/churn.onnx"), &sample[1..]).expect("a file");
    let step = volume.step(&recorded(5, "import"), &[]);
    step.fails(3, "DataMalformed", &["its sha256 is ", "is accepted"]);
    assert!(!volume.path().join("ml/new/import/0123456789ab").exists());
}

#[test]
fn train_steps_are_done() {
    for version in [1, 2, 3, 4, 5] {
        let volume = Volume::recorded("v1");
        let report = volume.step(&recorded(version, "train"), &[]).succeeds().report.clone();
        assert!(report.metrics["accuracy"] > 0.8, "{report:?}");
        assert_eq!(report.gate.is_some_and(|verdict| verdict.passed), [1, 4, 5].contains(&version));
        assert_eq!(
            report.baseline.is_some_and(|served| served.metrics["accuracy"] > 0.8),
            [1, 4].contains(&version)
        );
        assert!(result(&volume, "train", "model.json").contains("\"petal_width\""));
        if version == 4 {
            let model = result(&volume, "train", "model.json");
            assert!(!model.contains("\"sepal_width\""), "groups are not learnt from: {model}");
        }
        if version == 5 {
            assert!(report.message.is_some_and(|message| message.contains("of 50 iterations")));
            assert_eq!(report.trials.len(), 3);
        }
        if version == 3 {
            let model = result(&volume, "train", "model.json");
            assert!(!model.contains("\"petal_length\""), "{model}");
        }
    }
}

#[test]
fn score_steps_are_done() {
    for version in [1, 2, 4] {
        let volume = Volume::recorded("v1");
        let ended = volume.step(&recorded(version, "score"), &[]);
        assert_eq!(ended.succeeds().report.rows, Some(30));
        // The first version's step is named by its content.
        let revision = ended.report.revision.as_ref().map(ToString::to_string);
        assert_eq!(revision.as_deref() == Some("0123456789ab"), version != 1);
    }
    let (volume, receiver) = (Volume::recorded("v1"), Receiver::start());
    volume.step(&delivering(recorded(3, "score"), &receiver), &["--allow-address=127.0.0.0/8"]).succeeds();
    assert_eq!(receiver.posts().len(), 30);
}

#[test]
fn serve_steps_are_done() {
    for version in [1, 4] {
        let volume = Volume::recorded("v1");
        let server = serve(&volume, &recorded(version, "serve"));
        let answer = server.predict(r#"{"sepal_length": 5.1, "petal_width": 0.2, "wide": false}"#);
        assert_eq!(answer.json()["species_name"], "setosa");
    }
}

#[test]
fn a_model_that_was_swapped_together_with_its_manifest_is_not_served() {
    let volume = Volume::recorded("v1");
    let mut spec = recorded(4, "serve");
    spec["action"]["serve"]["modelDigest"] = json!("0".repeat(64));
    let ended = volume.step(&spec, &["--listen", "127.0.0.1:0"]);
    ended.fails(3, "ArtifactReplaced", &["/ml/iris/train/0d0000000003", "rerun token of step \"train\""]);
}

fn serve(volume: &Volume, spec: &Value) -> Server {
    let storage = volume.path().display().to_string();
    let report = volume.path().join("report").display().to_string();
    let spec = spec.to_string();
    Server::start_command(
        &["step", "--storage", &storage, "--report", &report, "--listen", "127.0.0.1:0", &spec],
        &[],
    )
}

#[test]
fn continuous_steps_are_done() {
    for version in [1, 2, 3] {
        let volume = Volume::recorded("v1");
        let receiver = Receiver::start();
        let spec = delivering(recorded(version, "continuous"), &receiver);
        let worker = Worker::start(&volume, &spec);
        wait_until("the rows", || receiver.posts().len() == 2);
        assert_eq!(worker.stop(), 0);
        let mut rows: Vec<usize> = receiver
            .bodies()
            .iter()
            .map(|body| serde_json::from_str::<Vec<Value>>(body).expect("an array").len())
            .collect();
        // Version 3 sends several at a time, in any order.
        rows.sort_unstable();
        assert_eq!(rows, [1, 2]);
    }
}
