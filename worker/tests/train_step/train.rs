//! What a train step publishes and reports.

use mlpipeline_crds::Revision;
use serde_json::json;

use crate::steps::{iris, metric, published, train, with_data};

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
