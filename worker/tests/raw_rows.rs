//! Rows of texts, categories, dates and holes: the same row is answered alike in training, scoring and serving.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod serving;
mod support;

use std::path::PathBuf;

use mlpipeline_crds::{Revision, STEP_SPEC_VERSION};
use mlpipeline_worker::model::{Model, Values};
use serde_json::{Map, Value, json};
use serving::Server;
use support::{Ended, Volume};

/// Flats to let: texts, a category with holes, numbers with holes, booleans, dates, and an id.
fn flats() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/samples/flats/flats.csv");
    std::fs::read_to_string(path).expect("the sample")
}

fn step(name: &str, action: Value) -> Value {
    json!({
        "version": STEP_SPEC_VERSION, "namespace": "ml", "pipeline": "flats", "step": name,
        "revision": {"fixed": Revision::of(&[name])}, "action": action,
    })
}

fn folder(volume: &Volume, name: &str) -> PathBuf {
    volume.path().join(format!("ml/flats/{name}/{}", Revision::of(&[name])))
}

fn trained(volume: &Volume, target: &str, algorithm: &Value, scale: &str) -> Ended {
    volume.put("flats.csv", flats());
    let action = json!({"train": {
        "data": {"uri": {"uri": "file:flats.csv"}}, "target": target, "algorithm": algorithm,
        "columns": [{"name": "rooms", "as": "category"}], "scale": scale,
    }});
    volume.step(&step("train", action), &[])
}

/// The rows of a CSV file without quotes, as the JSON that a program would send: what is empty is null or left out.
fn rows(csv: &str, model: &Model) -> Vec<Value> {
    let mut lines = csv.lines();
    let names: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let value = |name: &str, text: &str| {
        let feature = model.schema().features.iter().find(|feature| feature.name == name)?;
        Some(match &feature.values {
            _ if text.is_empty() => Value::Null,
            Values::Number(_) => serde_json::from_str(text).expect("a number or boolean"),
            Values::Text(_) | Values::Time(_) => Value::from(text),
        })
    };
    let row = |(number, line): (usize, &str)| {
        let fields = names.iter().zip(line.split(','));
        let known = fields.filter_map(|(name, text)| Some(((*name).to_owned(), value(name, text)?)));
        // Every other row leaves out what is missing.
        Value::Object(known.filter(|(_, value)| number % 2 == 0 || !value.is_null()).collect::<Map<_, _>>())
    };
    lines.enumerate().map(row).collect()
}

#[test]
fn the_same_row_gives_the_same_bits_in_training_scoring_and_serving() {
    let linear = json!({"linearRegression": {}});
    assert_same_bits(&linear, "none", "missing values were imputed or have a column");
    assert_same_bits(&linear, "standard", "scaled by mean and standard deviation: area, ");
    // Boosting has no median for a hole: it routes it.
    let boosting = json!({"gradientBoosting": {"task": "regression", "maxIterations": 20}});
    assert_same_bits(&boosting, "minMax", "missing numbers and dates are kept");
}

#[track_caller]
fn assert_same_bits(algorithm: &Value, scale: &str, of_holes: &str) {
    let volume = Volume::new();
    let report = trained(&volume, "rent", algorithm, scale).succeeds().report.clone();
    let message = report.message.expect("notes");
    for note in
        [of_holes, "taken as categories: city, condition, rooms", "dates: listed", "area (", "free text): ad"]
    {
        assert!(message.contains(note), "{message}");
    }
    let input = json!({"uri": {"uri": "file:flats.csv"}});
    let model = format!("ml/flats/train/{}", Revision::of(&["train"]));
    let action = json!({"score": {"model": model, "input": input, "format": "csv"}});
    volume.step(&step("score", action), &[]).succeeds();
    let scored = std::fs::read_to_string(folder(&volume, "score").join("data.csv")).expect("scores");
    let last = |line: &str| line.rsplit(',').next().expect("a field").parse::<f64>().expect("a number");
    let scores: Vec<f64> = scored.lines().skip(1).map(last).collect();
    let rents: Vec<f64> = flats().lines().skip(1).map(last).collect();

    let squares =
        scores.iter().zip(&rents).fold(0.0, |sum, (score, rent)| sum + (rent - score) * (rent - score));
    let rmse = (squares / rents.len() as f64).sqrt();
    assert_eq!(rmse.to_bits(), report.metrics["rmse"].to_bits());

    let model = Model::load(&folder(&volume, "train")).expect("the model");
    let server = Server::start(&model, &[], &[]);
    let answer = server.predict(&Value::from(rows(&flats(), &model)).to_string());
    let served: Vec<u64> = numbers(&answer.body).iter().map(|number| number.to_bits()).collect();
    assert_eq!(served, scores.iter().map(|score| score.to_bits()).collect::<Vec<_>>());
}

/// The predicted numbers, each to the nearest double, which serde_json's reader does not promise.
fn numbers(answer: &str) -> Vec<f64> {
    let numbers = answer.split("\"rent\":").skip(1).map(|rest| rest.split('}').next().expect("an end"));
    numbers.map(|number| number.parse().expect("a number")).collect()
}

#[test]
fn what_training_never_saw_has_an_answer_and_what_it_always_saw_is_required() {
    let volume = Volume::new();
    trained(&volume, "condition", &json!({"logisticRegression": {}}), "none").fails(
        3,
        "WrongData",
        &["\"condition\" is null in row"],
    );
    let model = {
        trained(&volume, "rent", &json!({"linearRegression": {}}), "standard").succeeds();
        Model::load(&folder(&volume, "train")).expect("the model")
    };
    let server = Server::start(&model, &[], &[]);
    let row = json!({"city": "Genève", "rooms": 99, "balcony": false});
    let answer = server.predict(&row.to_string());
    assert_eq!(numbers(&answer.body).len(), 1, "{answer:?}");
    let answer = server.predict(&json!({"rooms": null, "listed": "soon"}).to_string()).json();
    let text = answer["error"].as_str().expect("an error").to_owned() + &answer["details"].to_string();
    for problem in ["must be a text, not null", "must be a date or time such as", "is missing"] {
        assert!(text.contains(problem), "{text}");
    }
}

#[test]
fn held_out_rows_are_never_seen_by_what_is_fitted() {
    // In the last rows the city is another and the area is huge: a median, a scale or a category of theirs would show in the model.
    let mut data = String::from("city,area,rent\n");
    for row in 0..40 {
        let city = if row % 2 == 0 { "Bern" } else { "Chur" };
        let area = if row % 5 == 0 { String::new() } else { (row % 7 + 50).to_string() };
        data += &format!("{city},{area},{}\n", row * 10 + row % 3);
    }
    let volume = Volume::new();
    volume.put("data.csv", &data);
    let action = json!({"train": {
        "data": {"uri": {"uri": "file:data.csv"}}, "target": "rent", "algorithm": {"linearRegression": {}},
        "scale": "standard", "split": {"test": 0.25, "seed": 3},
    }});
    volume.step(&step("train", action.clone()), &[]).succeeds();
    let preprocessing = |volume: &Volume| {
        let text = std::fs::read(folder(volume, "train").join("model.json")).expect("a model");
        let model: Value = serde_json::from_slice(&text).expect("JSON");
        (model["preprocessing"].clone(), (model["scales"].clone(), model["predictor"].clone()))
    };
    let before = preprocessing(&volume);
    // The test rows are those that the metrics speak of: change each row in turn, and see that only training rows matter.
    let mut unseen = 0;
    for changed in [0, 5, 10, 15, 20, 25, 30, 35] {
        let lines = data.lines().enumerate().map(|(number, line)| {
            if number == changed + 1 {
                let rent = line.rsplit(',').next().expect("a rent");
                format!("Genève,9999,{rent}\n")
            } else {
                format!("{line}\n")
            }
        });
        let volume = Volume::new();
        volume.put("data.csv", lines.collect::<String>());
        volume.step(&step("train", action.clone()), &[]).succeeds();
        let (fitted, predictor) = preprocessing(&volume);
        let saw_city = fitted.to_string().contains("Genève");
        assert_eq!(saw_city, predictor != before.1, "row {changed}");
        unseen += usize::from(!saw_city);
    }
    assert!(unseen > 0, "a changed row is among those held out");
}
