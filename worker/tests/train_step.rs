//! Train and score steps, and their commands, by running the worker: what is published, reported and refused.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};

use mlpipeline_crds::Revision;
use serde_json::{Value, json};

mod support;

use support::{Ended, Volume, text, worker};

/// The Iris data that the crash course uses.
fn iris() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/samples/crash-course/data/iris.csv");
    std::fs::read_to_string(path).expect("the Iris data")
}

fn step(name: &str, action: Value) -> Value {
    json!({
        "version": 1, "namespace": "ns", "pipeline": "pipe", "step": name,
        "revision": {"fixed": Revision::of(&[name])}, "action": action,
    })
}

/// A train step on data.csv with further fields.
fn train(fields: Value) -> Value {
    let mut action = json!({
        "data": {"uri": {"uri": "file:data.csv"}},
        "target": "species",
        "algorithm": {"logisticRegression": {}},
    });
    for (name, value) in fields.as_object().expect("fields") {
        action[name] = value.clone();
    }
    step("train", json!({"train": action}))
}

fn score(input: &str, format: &str) -> Value {
    let model = format!("ns/pipe/train/{}", Revision::of(&["train"]));
    step("score", json!({"score": {"model": model, "input": {"uri": {"uri": input}}, "format": format}}))
}

fn published(volume: &Volume, step: &str) -> PathBuf {
    volume.path().join(format!("ns/pipe/{step}/{}", Revision::of(&[step])))
}

/// A volume with data.csv.
fn with_data(content: &str) -> Volume {
    let volume = Volume::new();
    volume.put("data.csv", content);
    volume
}

#[track_caller]
fn metric(ended: &Ended, name: &str) -> f64 {
    *ended.report.metrics.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", ended.report.metrics))
}

#[test]
fn iris_is_learnt_measured_and_published_and_a_second_run_reuses_it() {
    let volume = with_data(&iris());
    let spec = train(json!({
        "split": {"test": 0.2, "stratify": true, "seed": 42},
        "crossValidation": {"folds": 5},
        "gate": {"metric": "accuracy", "min": 0.9},
    }));
    let ended = volume.step(&spec, &[]);
    ended.succeeds();
    assert_eq!((metric(&ended, "trainRows"), metric(&ended, "testRows")), (120.0, 30.0));
    assert!(metric(&ended, "accuracy") >= 0.9);
    assert!(metric(&ended, "cvAccuracyMean") > 0.93 && metric(&ended, "cvAccuracyStd") < 0.1);
    assert!(ended.report.gate.as_ref().expect("a verdict").passed);
    assert_eq!(ended.report.rows, Some(120));
    let model = std::fs::read_to_string(published(&volume, "train").join("model.json")).expect("a model");
    let again = volume.step(&spec, &[]);
    assert!(again.succeeds().report.reused);
    assert_eq!(again.report.metrics, ended.report.metrics);
    // On another volume, the same step gives the same bytes.
    let other = with_data(&iris());
    other.step(&spec, &[]).succeeds();
    assert_eq!(
        std::fs::read_to_string(published(&other, "train").join("model.json")).expect("a model"),
        model
    );
}

#[test]
fn a_refused_model_is_published_with_the_verdict() {
    let volume = with_data(&iris());
    let ended = volume.step(&train(json!({"gate": {"metric": "accuracy", "min": 1.1}})), &[]);
    ended.succeeds();
    let verdict = ended.report.gate.as_ref().expect("a verdict");
    assert!(!verdict.passed && verdict.message.contains("below the gate's min 1.1"), "{verdict:?}");
    assert!(ended.message().contains("metrics are of the rows that the model learnt from"), "{ended:?}");
    assert!(published(&volume, "train").join("model.json").exists());
}

#[test]
fn without_a_test_split_the_metrics_are_those_of_cross_validation() {
    let volume = with_data(&iris());
    let ended = volume.step(&train(json!({"crossValidation": {"folds": 5, "seed": 7}})), &[]);
    ended.succeeds();
    assert_eq!(metric(&ended, "accuracy"), metric(&ended, "cvAccuracyMean"));
    assert_eq!((metric(&ended, "trainRows"), metric(&ended, "testRows")), (150.0, 0.0));
}

#[test]
fn the_served_model_is_measured_on_the_same_rows_or_the_message_says_why_not() {
    let volume = with_data(&iris());
    volume.step(&train(json!({"features": ["sepal_width"]})), &[]).succeeds();
    let baseline = json!({"revision": Revision::of(&["train"]), "path": format!("ns/pipe/train/{}", Revision::of(&["train"]))});
    let mut spec = train(json!({
        "split": {"test": 0.2, "stratify": true}, "baseline": baseline, "gate": {"metric": "accuracy", "maxRegression": 0.0},
    }));
    spec["revision"] = json!({"fixed": Revision::of(&["newer"])});
    let ended = volume.step(&spec, &[]);
    let before = &ended.succeeds().report.baseline.as_ref().expect("a baseline").metrics;
    assert!(before["accuracy"] < metric(&ended, "accuracy"), "{before:?}");
    assert!(ended.report.gate.as_ref().expect("a verdict").passed);
    spec["action"]["train"]["features"] = json!(["petal_width"]);
    spec["revision"] = json!({"fixed": Revision::of(&["other"])});
    let ended = volume.step(&spec, &[]);
    let (report, verdict) = (&ended.succeeds().report, ended.report.gate.as_ref().expect("a verdict"));
    assert!(report.baseline.as_ref().expect("what is served").metrics.is_empty());
    // What cannot be compared never passes.
    assert!(!verdict.passed && verdict.message.contains("not comparable"), "{verdict:?}");
    assert!(ended.message().contains("predicts from column \"sepal_width\""), "{}", ended.message());
    spec["action"]["train"]["baseline"]["path"] = json!("ns/pipe/train/0123456789ab");
    spec["revision"] = json!({"fixed": Revision::of(&["lost"])});
    let ended = volume.step(&spec, &[]);
    assert!(ended.succeeds().message().contains("cannot be compared with"));
    assert!(!ended.report.gate.as_ref().expect("a verdict").passed);
    // Means over folds are of models that never saw the rows; the served model may have learnt from any of them.
    let mut spec = train(json!({
        "crossValidation": {"folds": 5}, "baseline": baseline, "gate": {"metric": "accuracy", "maxRegression": 1.0},
    }));
    spec["revision"] = json!({"fixed": Revision::of(&["folds"])});
    let ended = volume.step(&spec, &[]);
    assert!(!ended.succeeds().report.gate.as_ref().expect("a verdict").passed);
    assert!(ended.message().contains("metrics over folds are not comparable"), "{}", ended.message());
}

#[test]
fn no_gate_passes_where_a_class_has_no_test_row() {
    let mut rows = "x,species\n".to_owned();
    for row in 0..40 {
        rows += &format!("{row},{}\n", if row < 20 { "a" } else { "b" });
    }
    rows += "99,rare\n";
    let volume = with_data(&rows);
    let ended = volume.step(
        &train(json!({
            "features": ["x"], "split": {"test": 0.2, "seed": 1}, "gate": {"metric": "accuracy", "min": 0.0},
        })),
        &[],
    );
    let verdict = ended.succeeds().report.gate.clone().expect("a verdict");
    assert!(!verdict.passed && verdict.message.contains("1 of the classes have no row"), "{verdict:?}");
    assert!(ended.message().contains("no test row has the class rare"), "{}", ended.message());
}

#[test]
fn a_constant_target_is_learnt_and_r2_is_not_measured() {
    let volume = with_data("x,y\n1,2\n2,2\n3,2\n");
    let ended = volume.step(&train(json!({"target": "y", "algorithm": {"linearRegression": {}}})), &[]);
    ended.succeeds();
    assert_eq!(metric(&ended, "rmse"), 0.0);
    assert!(!ended.report.metrics.contains_key("r2"));
    assert!(ended.message().contains("r2 is not measured"), "{}", ended.message());
}

/// A step on these data, with these fields, that fails: its exit code, its reason, and parts of its message.
type Refused<'a> = (&'a str, Value, i32, &'a str, &'a [&'a str]);

#[track_caller]
fn assert_refused(rows: Vec<Refused<'_>>) {
    for (data, fields, code, reason, parts) in rows {
        let volume = with_data(data);
        volume.step(&train(fields), &[]).fails(code, reason, parts);
        assert!(!published(&volume, "train").exists(), "{data}");
    }
}

#[test]
fn columns_that_cannot_be_learnt_from_are_refused_with_what_to_do() {
    assert_refused(vec![
        (
            "a,species\n1,x\n2,y\n",
            json!({"target": "kind"}),
            3,
            "ColumnNotFound",
            &["\"kind\" not found", "columns are a, species"],
        ),
        (
            "a,species\n1,x\n2,y\n",
            json!({"features": ["b"]}),
            3,
            "ColumnNotFound",
            &["\"b\" not found", "columns are a, species"],
        ),
        ("species\nx\ny\n", json!({}), 3, "WrongData", &["no column but the target"]),
        ("a,species\n", json!({}), 3, "WrongData", &["no rows"]),
        (
            "a,species\n1,x\n,y\n",
            json!({}),
            3,
            "WrongFeature",
            &["\"a\" is null in row 2", "WHERE \"a\" IS NOT NULL"],
        ),
        ("a,species\n1,x\nNaN,y\n", json!({}), 3, "WrongFeature", &["\"a\" has", "in row 2"]),
        (
            "a,species\n1,x\n2,y\nabc,y\n",
            json!({}),
            3,
            "WrongFeature",
            &["\"a\" has the text \"abc\" in row 3"],
        ),
    ]);
}

#[test]
fn targets_and_too_few_rows_are_refused_with_what_to_do() {
    let linear = json!({"linearRegression": {}});
    assert_refused(vec![
        ("a,species\n1,x\n2,\n", json!({}), 3, "WrongData", &["\"species\" is null in row 2"]),
        ("a,species\n1,x\n2,x\n", json!({}), 3, "WrongData", &["\"x\" in every row"]),
        (
            "a,species\n1,x\n2,y\n",
            json!({"algorithm": linear}),
            3,
            "WrongData",
            &["has \"x\" in row 1", "use logisticRegression"],
        ),
        (
            "a,species\n1,0.5\n2,0.7\n",
            json!({}),
            3,
            "WrongData",
            &["has 0.5 in row 1", "use linearRegression"],
        ),
        (
            "a,species\n1,x\n2,y\n3,x\n",
            json!({"crossValidation": {"folds": 2}}),
            3,
            "WrongData",
            &["class \"y\" with 1 rows"],
        ),
        (
            "a,species\n1,x\n2,y\n3,x\n",
            json!({"split": {"test": 0.5, "stratify": true}}),
            3,
            "WrongData",
            &["class \"y\" has only 1 row"],
        ),
        (
            "a,species\n1,1\n2,2\n3,4\n",
            json!({"algorithm": linear, "crossValidation": {"folds": 4}}),
            3,
            "WrongData",
            &["folds is 4, and 3 rows"],
        ),
    ]);
}

#[test]
fn steps_that_ask_for_what_cannot_be_are_refused() {
    let linear = json!({"linearRegression": {}});
    assert_refused(vec![
        ("a,species\n1,x\n2,y\n", json!({"features": ["a", "a"]}), 2, "WrongSpec", &["\"a\" is named twice"]),
        (
            "a,species\n1,x\n2,y\n",
            json!({"features": ["a", "species"]}),
            2,
            "WrongSpec",
            &["\"species\" is the target"],
        ),
        (
            "a,species\n1,1\n2,2\n",
            json!({"algorithm": linear, "split": {"test": 0.5, "stratify": true}}),
            2,
            "WrongSpec",
            &["stratify"],
        ),
        (
            "a,species\n1,1\n2,2\n",
            json!({"algorithm": linear, "gate": {"metric": "accuracy", "min": 0.5}}),
            2,
            "WrongSpec",
            &["its metrics are r2, rmse, mae"],
        ),
        (
            "a,species\n1,1\n2,2\n",
            json!({"algorithm": {}}),
            2,
            "WrongSpec",
            &["exactly one of logisticRegression and linearRegression"],
        ),
        (
            "a,species\n1,1\n2,2\n",
            json!({"algorithm": {"logisticRegression": {"alpha": -1.0}}}),
            2,
            "WrongSpec",
            &["alpha is -1"],
        ),
        (
            "a,species\n1,1\n2,2\n",
            json!({"algorithm": {"logisticRegression": {"maxIterations": 0}}}),
            2,
            "WrongSpec",
            &["maxIterations is 0"],
        ),
        ("a,species\n1,1\n2,2\n", json!({"split": {"test": 1.0}}), 2, "WrongSpec", &["split.test is 1"]),
        ("a,species\n1,1\n2,2\n", json!({"crossValidation": {"folds": 1}}), 2, "WrongSpec", &["folds is 1"]),
    ]);
}

#[test]
fn scoring_adds_predictions_to_rows_whatever_their_columns_order() {
    let volume = with_data(&iris());
    volume.step(&train(json!({})), &[]).succeeds();
    let head = "id,petal_width,petal_length,sepal_width,sepal_length,species\n";
    volume.put("new.csv", format!("{head}a,0.2,1.4,3.5,5.1,setosa\nb,2.1,5.9,3.0,7.1,virginica\n"));
    let ended = volume.step(&score("file:new.csv", "csv"), &[]);
    ended.succeeds();
    assert_eq!(ended.report.rows, Some(2));
    assert_eq!((metric(&ended, "rows_setosa"), metric(&ended, "rows_virginica")), (1.0, 1.0));
    let text = std::fs::read_to_string(published(&volume, "score").join("data.csv")).expect("predictions");
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].ends_with(
            "species,predicted_species,probability_setosa,probability_versicolor,probability_virginica"
        ),
        "{text}"
    );
    assert!(lines[1].starts_with("a,0.2,1.4,3.5,5.1,setosa,setosa,0.9"), "{text}");
    assert!(lines[2].starts_with("b,2.1,5.9,3.0,7.1,virginica,virginica,"), "{text}");
    assert_eq!(lines.len(), 3);
}

#[test]
fn numbers_are_predicted_too_and_an_input_without_rows_gives_columns() {
    let volume = with_data("x,species\n1,2\n2,4\n3,6\n");
    volume.step(&train(json!({"algorithm": {"linearRegression": {}}})), &[]).succeeds();
    volume.put("new.csv", "x\n10\n");
    let ended = volume.step(&score("file:new.csv", "ndjson"), &[]);
    assert!((metric(ended.succeeds(), "predictedMean") - 20.0).abs() < 1e-9);
    let volume = with_data(&iris());
    volume.step(&train(json!({})), &[]).succeeds();
    volume.put("none.csv", "petal_width,petal_length,sepal_width,sepal_length\n");
    let ended = volume.step(&score("file:none.csv", "csv"), &[]);
    assert_eq!(ended.succeeds().message(), "the input has no rows");
}

#[test]
fn what_cannot_be_scored_is_named_and_publishes_nothing() {
    let volume = with_data(&iris());
    volume.step(&train(json!({})), &[]).succeeds();
    let head = "sepal_length,sepal_width,petal_length,petal_width";
    let good = "5.1,3.5,1.4,0.2\n".repeat(20_000);
    let rows = [
        (format!("{head}\n{good}5.1,3.5,,0.2\n"), "WrongFeature", "\"petal_length\" is null in row 20001"),
        (
            format!("{head}\n{good}5.1,3.5,x,0.2\n"),
            "WrongFeature",
            "\"petal_length\" has the text \"x\" in row 20001",
        ),
        (
            "sepal_length\n5.1\n".to_owned(),
            "ColumnNotFound",
            "\"sepal_width\" not found; columns are sepal_length",
        ),
        (
            format!("{head},predicted_species\n5.1,3.5,1.4,0.2,x\n"),
            "ColumnTaken",
            "\"predicted_species\" already",
        ),
    ];
    for (data, reason, part) in rows {
        volume.put("new.csv", data);
        volume.step(&score("file:new.csv", "parquet"), &[]).fails(3, reason, &[part]);
        assert!(!published(&volume, "score").exists());
    }
}

#[test]
fn a_damaged_or_foreign_model_is_named() {
    let volume = with_data(&iris());
    volume.step(&train(json!({})), &[]).succeeds();
    volume.put("new.csv", "sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n");
    let model = published(&volume, "train").join("model.json");
    let mut bytes = std::fs::read(&model).expect("a model");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&model, bytes).expect("written");
    volume.step(&score("file:new.csv", "csv"), &[]).fails(3, "ArtifactDamaged", &["model.json has sha256"]);
    std::fs::remove_file(&model).expect("removed");
    volume.step(&score("file:new.csv", "csv"), &[]).fails(3, "ArtifactDamaged", &["model.json is missing"]);
}

fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = worker(arguments).current_dir(folder).output().expect("the worker runs");
    let (stdout, stderr) = text(&output);
    (output.status.code().expect("an exit code"), stdout, stderr)
}

#[test]
fn the_commands_train_and_score_the_users_own_files() {
    let volume = with_data(&iris());
    let flags = [
        "--data",
        "data.csv",
        "--target",
        "species",
        "--test",
        "0.2",
        "--stratify",
        "--seed",
        "42",
        "--folds",
        "5",
    ];
    let mut arguments = vec!["train", "--gate", "accuracy>=0.9", "--out", "model"];
    arguments.extend(flags);
    let (code, stdout, stderr) = run(volume.path(), &arguments);
    assert_eq!(code, 0, "{stderr}");
    for part in ["accuracy", "over folds", "passed: accuracy", "120 rows to learn from, 30 to test with"] {
        assert!(stdout.contains(part), "{stdout}");
    }
    // Another model takes its place, and its report is for programs.
    arguments.extend(["-o", "json", "--alpha", "10"]);
    let (code, stdout, stderr) = run(volume.path(), &arguments);
    assert_eq!(code, 0, "{stderr}");
    let report: Value = serde_json::from_str(&stdout).expect("a report");
    assert_eq!(report["outcome"], "succeeded");
    let (code, _, stderr) =
        run(volume.path(), &["score", "--model", "model", "--data", "data.csv", "--out", "scored.csv"]);
    assert_eq!(code, 0, "{stderr}");
    let scored = std::fs::read_to_string(volume.path().join("scored.csv")).expect("predictions");
    assert_eq!(scored.lines().count(), 151);
    let mut names: Vec<String> = std::fs::read_dir(volume.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    assert_eq!(names, ["data.csv", "model", "scored.csv"]);
}

#[test]
fn the_commands_refuse_what_they_cannot_do() {
    let volume = with_data(&iris());
    volume.put("taken/file", "something else");
    let rows: [(&[&str], i32, &str); 5] = [
        (&["train", "--data", "data.csv", "--target", "species", "--out", "taken"], 2, "is there already"),
        (&["train", "--data", "data.csv", "--target", "kind", "--out", "model"], 3, "\"kind\" not found"),
        (&["train", "--data", "nowhere.csv", "--target", "species", "--out", "model"], 3, "nowhere.csv"),
        (
            &["train", "--data", "data.csv", "--target", "species", "--out", "model", "--gate", "speed>=1"],
            2,
            "is not a metric",
        ),
        (&["score", "--model", "taken", "--data", "data.csv", "--out", "scored.csv"], 4, "no artifact"),
    ];
    for (arguments, expected, part) in rows {
        let (code, _, stderr) = run(volume.path(), arguments);
        assert_eq!(code, expected, "{arguments:?}: {stderr}");
        assert!(stderr.contains(part), "{arguments:?}: {stderr}");
    }
    assert!(!volume.path().join("model").exists() && !volume.path().join("scored.csv").exists());
}
