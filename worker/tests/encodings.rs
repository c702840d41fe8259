//! Words and means of the target are what scikit-learn's TfidfVectorizer and TargetEncoder make, in training, scoring and serving. The
//! fixture is written by tests/reference/encoding_fixtures.py.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod serving;
mod support;

use mlpipeline_crds::{Revision, STEP_SPEC_VERSION};
use mlpipeline_worker::model::Model;
use mlpipeline_worker::preprocess::{Preprocessing, Texts};
use serde_json::{Value, json};
use serving::Server;
use support::{Ended, Volume};

fn fixture() -> Value {
    let path = format!("{}/tests/fixtures/encodings.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).expect("a fixture")).expect("JSON")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(|number| number.as_f64().expect("a number")).collect()
}

/// Does a step named by its kind.
fn step(volume: &Volume, action: &Value) -> Ended {
    let name = action.as_object().and_then(|action| action.keys().next()).expect("a kind").clone();
    let step = json!({
        "version": STEP_SPEC_VERSION, "namespace": "ml", "pipeline": "p", "step": name,
        "revision": {"fixed": Revision::of(&[&name])}, "action": action,
    });
    volume.step(&step, &[])
}

/// Trains on rows of a text and a target, the text taken as the column says.
fn train(volume: &Volume, rows: &[(&Value, Value)], column: &Value, algorithm: &Value) -> Ended {
    let lines = rows.iter().map(|(text, target)| json!({"x": text, "y": target}).to_string() + "\n");
    volume.put("rows.ndjson", lines.collect::<String>());
    let mut action =
        json!({"data": {"uri": {"uri": "file:rows.ndjson"}}, "columns": [column], "algorithm": algorithm});
    if rows.iter().any(|(_, target)| !target.is_null()) {
        action["target"] = json!("y");
    }
    step(volume, &json!({"train": action}))
}

fn model(volume: &Volume) -> Model {
    let folder = volume.path().join(format!("ml/p/train/{}", Revision::of(&["train"])));
    Model::load(&folder).expect("a model")
}

/// What the model makes of texts.
fn encoded(preprocessing: &Preprocessing, new: &[Value]) -> Vec<Vec<f64>> {
    let mut texts = Texts::default();
    let values: Vec<f64> =
        new.iter().map(|text| text.as_str().map_or(f64::NAN, |text| f64::from(texts.place(text)))).collect();
    let texts = [texts];
    let encoder = preprocessing.encoder(&texts);
    let row = |value: &f64| {
        let mut out = vec![9.0; preprocessing.width()];
        encoder.encode_row(&[*value], &mut out);
        out
    };
    values.iter().map(row).collect()
}

#[track_caller]
fn assert_close(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= 1e-12 * expected.abs().max(1.0),
            "{what}: {found} for {expected}"
        );
    }
}

#[test]
fn texts_are_weighted_words_as_in_scikit_learn() {
    for expected in list(&fixture()["texts"]) {
        let volume = Volume::new();
        let rows: Vec<(&Value, Value)> =
            list(&expected["rows"]).iter().enumerate().map(|(row, text)| (text, json!(row % 7))).collect();
        let column = json!({"name": "x", "as": "text", "maxTerms": expected["limit"]});
        let report = train(&volume, &rows, &column, &json!({"ridge": {}})).succeeds().report.clone();
        let message = report.message.expect("notes");
        assert!(message.contains("learnt from by their words: x"), "{message}");
        let model = model(&volume);
        let file: Value = serde_json::from_slice(&model.to_bytes().expect("bytes")).expect("JSON");
        assert_eq!(file["version"], 3);
        let fitted = &file["preprocessing"][0]["text"];
        assert_eq!(fitted["terms"], expected["terms"]);
        assert_close("rarities", &numbers(&fitted["rarities"]), &numbers(&expected["idf"]));
        let new = list(&expected["new"]);
        let found = encoded(model.preprocessing(), new);
        for ((text, found), expected) in new.iter().zip(found).zip(list(&expected["weights"])) {
            assert_close(&text.to_string(), &found, &numbers(expected));
        }
    }
}

#[test]
fn texts_are_means_of_the_target_as_in_scikit_learn() {
    for expected in list(&fixture()["targets"]) {
        let volume = Volume::new();
        let targets = list(&expected["target"]).iter().cloned();
        let rows: Vec<(&Value, Value)> = list(&expected["rows"]).iter().zip(targets).collect();
        let algorithm = match expected["kind"].as_str() {
            Some("continuous") => json!({"linearRegression": {}}),
            _ => json!({"logisticRegression": {}}),
        };
        train(&volume, &rows, &json!({"name": "x", "as": "target"}), &algorithm).succeeds();
        let model = model(&volume);
        let new = list(&expected["new"]);
        let found = encoded(model.preprocessing(), new);
        for ((text, found), expected_means) in new.iter().zip(found).zip(list(&expected["means"])) {
            assert_close(&format!("{} {text}", expected["kind"]), &found, &numbers(expected_means));
        }
    }
}

#[test]
fn scoring_and_serving_answer_rows_of_prose_alike_and_what_was_never_seen_too() {
    let fixture = fixture();
    let expected = &fixture["texts"][1];
    for role in ["text", "target", "hash"] {
        let volume = Volume::new();
        let rows: Vec<(&Value, Value)> =
            list(&expected["rows"]).iter().enumerate().map(|(row, text)| (text, json!(row % 7))).collect();
        train(&volume, &rows, &json!({"name": "x", "as": role}), &json!({"ridge": {}})).succeeds();
        let new = list(&expected["new"]);
        let lines = new.iter().map(|text| json!({"x": text}).to_string() + "\n");
        volume.put("new.ndjson", lines.collect::<String>());
        let folder = format!("ml/p/train/{}", Revision::of(&["train"]));
        let input = json!({"uri": {"uri": "file:new.ndjson"}});
        step(&volume, &json!({"score": {"model": folder, "input": input, "format": "ndjson"}})).succeeds();
        let path = volume.path().join(format!("ml/p/score/{}/data.ndjson", Revision::of(&["score"])));
        let scored = std::fs::read_to_string(path).expect("scores");
        let after = |text: &str, name: &str| {
            let number = text.split(&format!("\"{name}\":")).nth(1).expect("a number");
            number.split(['}', ',']).next().expect("an end").parse::<f64>().expect("a number").to_bits()
        };
        let scores: Vec<u64> = scored.lines().map(|line| after(line, "predicted_y")).collect();
        assert_eq!(scores.len(), new.len());
        let server = Server::start(&model(&volume), &[], &[]);
        for (text, score) in new.iter().zip(scores) {
            let answer = server.predict(&json!({"x": text}).to_string());
            assert_eq!(after(&answer.body, "y"), score, "{role} {text}");
        }
    }
}

#[test]
fn what_cannot_be_taken_so_is_refused_with_advice() {
    let texts = ["a b", "c", "! ?"].map(Value::from);
    let rows: Vec<(&Value, Value)> = texts.iter().zip([json!(1.5), json!(2.5), json!(0.5)]).collect();
    let volume = Volume::new();
    let column = |role: &str| json!({"name": "x", "as": role});
    train(&volume, &rows, &column("text"), &json!({"ridge": {}})).fails(
        3,
        "WrongData",
        &["column \"x\" is taken as text, and no row to learn from has a word", "take it as category"],
    );
    let numbers = [json!(1.5), json!(2.5), json!(3.5)];
    let rows: Vec<(&Value, Value)> = numbers.iter().zip([json!(1.5), json!(2.5), json!(0.5)]).collect();
    train(&volume, &rows, &column("text"), &json!({"ridge": {}})).fails(
        2,
        "WrongSpec",
        &["columns: \"x\" holds"],
    );
    for role in ["category", "target", "hash"] {
        train(&volume, &rows, &column(role), &json!({"ridge": {}})).fails(
            3,
            "WrongFeature",
            &["column \"x\" has 1.5 in row 1", "whole numbers can be texts", "AS VARCHAR"],
        );
    }
    let rows: Vec<(&Value, Value)> = texts.iter().map(|text| (text, Value::Null)).collect();
    train(&volume, &rows, &column("target"), &json!({"kMeans": {"nClusters": 2}})).fails(
        2,
        "WrongSpec",
        &["columns: \"x\" is taken as target, and the algorithm learns without one"],
    );
}

#[test]
fn prose_that_is_left_out_is_noted_with_what_to_do() {
    let texts: Vec<Value> =
        (0..30).map(|row| json!(format!("flat {row} has a view of lake {row}"))).collect();
    let volume = Volume::new();
    let lines = texts
        .iter()
        .enumerate()
        .map(|(row, text)| json!({"x": text, "n": row % 4, "y": row % 7}).to_string() + "\n");
    volume.put("rows.ndjson", lines.collect::<String>());
    let data = json!({"uri": {"uri": "file:rows.ndjson"}});
    let action = json!({"data": data, "target": "y", "algorithm": {"ridge": {}}});
    let report = step(&volume, &json!({"train": action})).succeeds().report.clone();
    let message = report.message.expect("notes");
    assert!(message.contains("take it as text to learn from its words: x"), "{message}");
}
