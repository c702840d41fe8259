//! The model that is served now, compared with a new one.

use mlpipeline_crds::Revision;
use serde_json::{Value, json};

use crate::steps::{iris, metric, published, train, with_data};
use crate::support::{Ended, Volume};

#[test]
fn the_served_model_is_measured_on_the_same_rows_or_the_message_says_why_not() {
    let volume = with_data(&iris());
    let split = json!({"test": 0.2, "stratify": true});
    volume.step(&train(json!({"features": ["sepal_width"], "split": split})), &[]).succeeds();
    let baseline = json!({"revision": Revision::of(&["train"]), "path": format!("ns/pipe/train/{}", Revision::of(&["train"]))});
    let mut spec = train(json!({
        "split": split, "baseline": baseline, "gate": {"metric": "accuracy", "maxRegression": 0.0},
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

/// Rows whose class a line parts, but for a few, no two of them alike.
fn table(rows: usize) -> String {
    let row = |row: usize| {
        let (x, noise) = (row * 7919 % 10_007, row * 104_729 % 11);
        let class = if (x < 5000) == (noise > 0) { "low" } else { "high" };
        format!("{x},{row},{class}\n")
    };
    format!("x,id,species\n{}", (0..rows).map(row).collect::<String>())
}

/// Trains a model on some rows, and a newer one on other rows with the first as the one that is served.
fn compared(before: &str, first: Value, after: &str, newer: Value) -> (Volume, Ended) {
    let volume = with_data(before);
    volume.step(&train(first), &[]).succeeds();
    volume.put("data.csv", after);
    let path = format!("ns/pipe/train/{}", Revision::of(&["train"]));
    let mut spec = train(newer);
    spec["action"]["train"]["baseline"] = json!({"revision": Revision::of(&["train"]), "path": path});
    spec["action"]["train"]["gate"] = json!({"metric": "accuracy", "maxRegression": 0.05});
    spec["revision"] = json!({"fixed": Revision::of(&["newer"])});
    let ended = volume.step(&spec, &[]);
    (volume, ended)
}

#[test]
fn models_are_compared_on_test_rows_that_the_served_one_was_not_trained_on() {
    let shuffled = json!({"split": {"test": 0.25}});
    let (_, ended) = compared(&table(800), shuffled.clone(), &table(1000), shuffled.clone());
    let baseline = ended.succeeds().report.baseline.as_ref().expect("it was asked for");
    // A quarter of the old rows, and all of the new ones, among 250 test rows.
    let message = ended.message();
    let (_, rest) = message.split_once(") on ").unwrap_or_else(|| panic!("{message}"));
    let rows: usize = rest.split(' ').next().expect("a number").parse().expect("a number");
    assert!((60..140).contains(&rows) && rest.contains("of 250 test rows"), "{message}");
    assert!(baseline.candidate["accuracy"] > 0.7 && baseline.metrics["accuracy"] > 0.7, "{baseline:?}");
    assert!(ended.report.gate.as_ref().expect("a verdict").passed, "{ended:?}");

    // What is kept back by a hash stays kept back, and the same rows are shuffled in the same way.
    let by_hash = json!({"split": {"test": 0.25, "by": "hash"}});
    for (split, after) in [(by_hash, 1000), (shuffled, 800)] {
        let (_, ended) = compared(&table(800), split.clone(), &table(after), split);
        let baseline = ended.succeeds().report.baseline.as_ref().expect("it was asked for");
        assert!(baseline.candidate.is_empty() && baseline.metrics["accuracy"] > 0.7, "{baseline:?}");
        assert!(!ended.message().contains("compared with"), "{}", ended.message());
    }
}

#[test]
fn rows_that_only_the_new_model_was_trained_on_are_no_test_of_the_served_one() {
    // Each new row is there four times, so that most test rows have a twin among the rows to learn from.
    let rows: Vec<String> = table(400).lines().skip(1).map(|row| format!("{row}\n")).collect();
    let (old, new) = rows.split_at(300);
    let text = |rows: &[String]| format!("x,id,species\n{}", rows.concat());
    let after = [old, new, new, new, new].concat();
    let split = json!({"split": {"test": 0.25}, "algorithm": {"decisionTree": {}}});
    let (_, ended) = compared(&text(old), split.clone(), &text(&after), split);
    let (_, rest) = ended.succeeds().message().split_once(") on ").expect("a comparison");
    assert!(rest.contains("one of them was trained on the others"), "{}", ended.message());
}

#[test]
fn without_rows_that_are_kept_back_nothing_is_compared() {
    let (_, ended) = compared(&table(300), json!({}), &table(400), json!({}));
    assert!(ended.succeeds().message().contains("no rows are kept back"), "{}", ended.message());
    assert!(!ended.report.gate.as_ref().expect("a verdict").passed, "{ended:?}");
}

#[test]
fn a_served_model_that_was_trained_on_all_test_rows_is_not_comparable() {
    let split = json!({"split": {"test": 0.25}});
    let (_, ended) = compared(&table(400), json!({}), &table(400), split);
    ended.succeeds();
    for part in ["trained on all but 0 of the 100 test rows", "split.by: hash", "maxRegression"] {
        assert!(ended.message().contains(part), "{}", ended.message());
    }
    assert!(ended.report.baseline.as_ref().expect("it was asked for").metrics.is_empty());
    assert!(!ended.report.gate.as_ref().expect("a verdict").passed, "{ended:?}");
}

#[test]
fn rows_that_are_alike_are_no_advantage_where_both_models_were_trained_on_one() {
    // Four different rows in all.
    let rows: String = (0..200).map(|row| format!("{},{}\n", row % 4, ["a", "b"][row % 4 / 2])).collect();
    let split = json!({"split": {"test": 0.25}});
    let table = format!("x,species\n{rows}");
    let (_, ended) = compared(&table, split.clone(), &format!("{table}{rows}"), split);
    assert!(ended.succeeds().report.gate.as_ref().expect("a verdict").passed, "{ended:?}");
    assert!(!ended.message().contains("compared with"), "{}", ended.message());
}

#[test]
fn a_served_model_of_an_earlier_version_is_compared_on_all_test_rows_and_a_damaged_list_is_refused() {
    let split = json!({"split": {"test": 0.25}});
    for (change, part, passes) in
        [("gone", "trained by an earlier version", true), ("cut", "cannot be compared with", false)]
    {
        let volume = with_data(&table(400));
        volume.step(&train(split.clone()), &[]).succeeds();
        let folder = published(&volume, "train");
        let list = folder.join("training-rows.bin");
        let bytes = std::fs::read(&list).expect("the list");
        let manifest = std::fs::read_to_string(folder.join("manifest.json")).expect("the manifest");
        let mut content: Value = serde_json::from_str(&manifest).expect("JSON");
        if change == "gone" {
            content["files"].as_object_mut().expect("files").remove("training-rows.bin");
            content["report"].as_object_mut().expect("a report").remove("digest");
            std::fs::remove_file(&list).expect("removed");
        } else {
            std::fs::write(&list, &bytes[..bytes.len() - 1]).expect("cut");
        }
        std::fs::write(folder.join("manifest.json"), content.to_string()).expect("written");
        let path = format!("ns/pipe/train/{}", Revision::of(&["train"]));
        let mut spec = train(split.clone());
        spec["action"]["train"]["baseline"] = json!({"revision": Revision::of(&["train"]), "path": path});
        spec["action"]["train"]["gate"] = json!({"metric": "accuracy", "maxRegression": 0.05});
        spec["revision"] = json!({"fixed": Revision::of(&["newer"])});
        let ended = volume.step(&spec, &[]);
        assert!(ended.succeeds().message().contains(part), "{}", ended.message());
        assert_eq!(ended.report.gate.as_ref().expect("a verdict").passed, passes, "{ended:?}");
    }
}

#[test]
fn what_is_found_without_a_target_is_compared_with_what_the_served_model_finds_in_the_same_rows() {
    let volume = with_data(&iris());
    let without_target = |name: &str, algorithm: serde_json::Value, more: serde_json::Value| {
        let columns = json!([{"name": "species", "as": "ignore"}]);
        let mut spec = train(
            json!({"target": null, "columns": columns, "algorithm": algorithm, "split": {"test": 0.3}}),
        );
        for (field, value) in more.as_object().expect("fields") {
            spec["action"]["train"][field] = value.clone();
        }
        spec["revision"] = json!({"fixed": Revision::of(&[name])});
        spec
    };
    let clusters = |count: u32| json!({"kMeans": {"nClusters": count, "nInit": 5}});
    volume.step(&without_target("train", clusters(5), json!({})), &[]).succeeds();
    let baseline = json!({"revision": Revision::of(&["train"]), "path": format!("ns/pipe/train/{}", Revision::of(&["train"]))});
    let judged =
        |metric: &str| json!({"baseline": baseline, "gate": {"metric": metric, "maxRegression": 0.0}});
    let ended = volume.step(&without_target("fewer", clusters(2), judged("silhouette")), &[]);
    let before = &ended.succeeds().report.baseline.as_ref().expect("a baseline").metrics;
    assert!(before["silhouette"] < metric(&ended, "silhouette"), "{before:?}");
    assert!(before["inertia"] < metric(&ended, "inertia"), "{before:?}");
    assert!(ended.report.gate.as_ref().expect("a verdict").passed);
    let other = without_target("other", json!({"isolationForest": {}}), judged("outlierShare"));
    let ended = volume.step(&other, &[]);
    assert!(!ended.succeeds().report.gate.as_ref().expect("a verdict").passed);
    assert!(ended.message().contains("answers \"cluster\", not \"anomaly\""), "{}", ended.message());
}
