//! Every algorithm through the program: train, score and serve, with the same answer from both.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod serving;
mod support;

use mlpipeline_crds::Algorithm;
use serde_json::json;
use serving::Server;
use support::{Volume, text, worker};

/// An algorithm's name as flags write it.
fn flag(name: &str) -> String {
    name.chars()
        .flat_map(|letter| letter.is_uppercase().then_some('-').into_iter().chain(letter.to_lowercase()))
        .collect()
}

#[track_caller]
fn run(volume: &Volume, arguments: &[&str]) {
    let output = worker(arguments).current_dir(volume.path()).output().expect("the worker runs");
    assert!(output.status.success(), "{arguments:?}: {}", text(&output).1);
}

fn iris() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/samples/crash-course/data/iris.csv");
    std::fs::read_to_string(path).expect("the Iris data")
}

/// Trains, scores the rows learnt from, and serves the first of them; gives a column of the scored rows, and the answer's text.
fn use_model(volume: &Volume, target: &str, flags: &[&str], row: &str, column: &str) -> (Vec<f64>, String) {
    let train = ["train", "--data", "data.csv", "--target", target, "--out", "model"];
    run(volume, &[&train, flags].concat());
    run(volume, &["score", "--model", "model", "--data", "data.csv", "--out", "scored.csv"]);
    let scored = std::fs::read_to_string(volume.path().join("scored.csv")).expect("predictions");
    let mut lines = scored.lines();
    let place = lines.next().expect("a head").split(',').position(|name| name == column).expect("the column");
    let values =
        lines.map(|line| line.split(',').nth(place).expect("a value").parse().expect("a number")).collect();
    let model = volume.path().join("model");
    let server = Server::start_command(
        &["serve", "--model", model.to_str().expect("text"), "--listen", "127.0.0.1:0"],
        &[],
    );
    (values, server.predict(row).body)
}

/// The number behind the first of these texts, read exactly: a JSON library may be off by a bit.
fn number_after(text: &str, before: &str) -> f64 {
    let number = text.split_once(before).expect("the text").1.split([',', '}']).next().expect("a number");
    number.trim().parse().expect("a number")
}

const SETOSA: &str = r#"{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}"#;

#[test]
fn every_classifier_learns_iris_and_serves_what_it_scores() {
    for name in Algorithm::NAMES {
        let algorithm: Algorithm = serde_json::from_value(json!({*name: {}})).expect("an algorithm");
        if algorithm.chosen().expect("one").predicts() != mlpipeline_crds::Predicts::Classes {
            continue;
        }
        let volume = Volume::new();
        volume.put("data.csv", iris());
        let column = "probability_setosa";
        let flags = ["--algorithm", &flag(name), "--folds", "3", "--gate", "accuracy>=0.9"];
        let (scored, answer) = use_model(&volume, "species", &flags, SETOSA, column);
        assert_eq!(scored.len(), 150);
        assert!(answer.contains(r#""species_name":"setosa""#), "{name}: {answer}");
        assert_eq!(number_after(&answer, r#""setosa":"#), scored[0], "{name}");
    }
}

#[test]
fn every_regression_learns_a_sum_and_serves_what_it_scores() {
    let rows: String =
        (0..400).map(|row| format!("{},{},{}\n", row % 20, row / 20, row % 20 + row / 20)).collect();
    for name in Algorithm::NAMES {
        // An algorithm of both tasks has a parameter for it.
        let task = Algorithm::parameter_names(name).contains("task");
        let parameters = if task { json!({"task": "regression"}) } else { json!({}) };
        let algorithm: Algorithm = serde_json::from_value(json!({*name: parameters})).expect("an algorithm");
        if algorithm.chosen().expect("one").predicts() != mlpipeline_crds::Predicts::Numbers {
            continue;
        }
        let volume = Volume::new();
        volume.put("data.csv", format!("a,b,sum\n{rows}"));
        let flag = flag(name);
        let mut flags = vec!["--algorithm", &flag, "--gate", "rmse<=1"];
        if task {
            flags.extend(["--parameter", "task=regression"]);
        }
        let (scored, answer) = use_model(&volume, "sum", &flags, r#"{"a": 0, "b": 0}"#, "predicted_sum");
        assert!(scored[0].abs() < 2.0, "{name}: {}", scored[0]);
        assert_eq!(number_after(&answer, ":"), scored[0], "{name}");
    }
}
