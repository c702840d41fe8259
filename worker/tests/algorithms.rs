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

/// Trains a model; what its gate says of it is not what is tested.
#[track_caller]
fn train(volume: &Volume, flags: &[&str]) {
    let arguments = [&["train", "--data", "data.csv", "--out", "model"], flags].concat();
    let output = worker(&arguments).current_dir(volume.path()).output().expect("the worker runs");
    let said = text(&output).1;
    assert!(output.status.success() || said.contains("the gate rejects the model"), "{arguments:?}: {said}");
}

fn iris() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/samples/crash-course/data/iris.csv");
    std::fs::read_to_string(path).expect("the Iris data")
}

/// Trains, scores the rows learnt from, and serves the first of them; gives a column of the scored rows, and the answer's text.
fn use_model(volume: &Volume, flags: &[&str], row: &str, column: &str) -> (Vec<f64>, String) {
    train(volume, flags);
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
        let flags =
            ["--target", "species", "--algorithm", &flag(name), "--folds", "3", "--gate", "accuracy>=0.9"];
        let (scored, answer) = use_model(&volume, &flags, SETOSA, column);
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
        // A forecast needs a time.
        if algorithm.chosen().expect("one").predicts() != mlpipeline_crds::Predicts::Numbers
            || *name == "seasonalNaive"
        {
            continue;
        }
        let volume = Volume::new();
        volume.put("data.csv", format!("a,b,sum\n{rows}"));
        let flag = flag(name);
        let mut flags = vec!["--target", "sum", "--algorithm", &flag, "--gate", "rmse<=1"];
        if task {
            flags.extend(["--parameter", "task=regression"]);
        }
        let (scored, answer) = use_model(&volume, &flags, r#"{"a": 0, "b": 0}"#, "predicted_sum");
        // The mean is 19, and the smallest sum is 0. The logarithm of a sum is not a weighted sum: the best is about 7.
        let most = if *name == "poissonRegression" { 9.0 } else { 2.0 };
        assert!(scored[0].abs() < most, "{name}: {}", scored[0]);
        assert_eq!(number_after(&answer, ":"), scored[0], "{name}");
    }
}

#[test]
fn a_forecast_serves_what_it_scores_and_names_what_it_cannot_foresee() {
    let volume = Volume::new();
    let rows: String = (1..=28).map(|day| format!("2024-01-{day:02},a,{}\n", day % 7)).collect();
    volume.put("data.csv", format!("day,shop,sold\n{rows}"));
    let flags = ["--target", "sold", "--algorithm", "seasonal-naive", "--folds", "2", "--gate", "mae<=0"];
    run(
        &volume,
        &[&["train", "--data", "data.csv", "--out", "model", "--as", "day=date"], &flags[..]].concat(),
    );
    volume.put("new.csv", "day,shop\n2024-01-31,a\n");
    run(&volume, &["score", "--model", "model", "--data", "new.csv", "--out", "scored.csv"]);
    let scored = std::fs::read_to_string(volume.path().join("scored.csv")).expect("predictions");
    assert_eq!(scored.lines().nth(1), Some("2024-01-31,a,3.0"));
    let model = volume.path().join("model");
    let model = model.to_str().expect("text");
    let server = Server::start_command(&["serve", "--model", model, "--listen", "127.0.0.1:0"], &[]);
    let answer = |row: &str| server.predict(row).body;
    assert_eq!(number_after(&answer(r#"{"day": "2024-01-31", "shop": "a"}"#), ":"), 3.0);
    let late = answer(r#"[{"day": "2024-01-31", "shop": "a"}, {"day": "2024-03-01", "shop": "a"}]"#);
    assert!(late.contains("is 33 days after the last of its series, and the horizon is 7"), "{late}");
    let unknown = answer(r#"{"day": "2024-01-31", "shop": "b"}"#);
    assert!(unknown.contains("is of a series that training did not see"), "{unknown}");
}

/// Iris without its species.
fn flowers() -> String {
    iris().lines().map(|line| line.rsplit_once(',').expect("columns").0.to_owned() + "\n").collect()
}

/// What a file of the model has.
fn document(volume: &Volume, name: &str) -> serde_json::Value {
    let bytes = std::fs::read(volume.path().join("model").join(name)).expect("a file");
    serde_json::from_slice(&bytes).expect("JSON")
}

#[test]
fn k_means_finds_clusters_of_iris_and_serves_what_it_scores() {
    let volume = Volume::new();
    volume.put("data.csv", flowers());
    let flags = [
        "--algorithm",
        "k-means",
        "--parameter",
        "nClusters=3",
        "--parameter",
        "nInit=10",
        "--gate",
        "silhouette>=0.55",
    ];
    let (scored, answer) = use_model(&volume, &flags, SETOSA, "distance");
    assert_eq!(scored.len(), 150);
    // The setosa are 50, and so the second of clusters of 62, 50 and 38 rows.
    assert!(answer.starts_with(r#"{"cluster":1,"#), "{answer}");
    assert_eq!(number_after(&answer, r#""distance":"#), scored[0]);
    let metrics = document(&volume, "metrics.json");
    // silhouette_score and inertia_ of KMeans(3, n_init=10) of scikit-learn 1.7.2.
    let close = |name: &str, expected: f64| {
        let found = metrics["metrics"][name].as_f64().expect("a metric");
        assert!((found - expected).abs() < 1e-9 * expected, "{name}: {found}");
    };
    close("silhouette", 0.552_819_012_356_409_5);
    close("inertia", 78.851_441_426_146);
    assert!(metrics.get("naive").is_none() && metrics.get("importance").is_none());
    let rows = |cluster: usize| metrics["findings"]["answers"][cluster]["rows"].as_u64().expect("a count");
    assert_eq!([rows(0), rows(1), rows(2)], [62, 50, 38]);
}

#[test]
fn dense_rows_of_iris_are_clusters_and_far_ones_are_noise_in_scoring_and_serving() {
    let volume = Volume::new();
    let far = r#"{"sepal_length": 20, "sepal_width": 20, "petal_length": -9, "petal_width": 9}"#;
    volume.put("data.csv", flowers() + "20,20,-9,9\n");
    let flags = ["--algorithm", "dbscan", "--gate", "silhouette>=0.5"];
    let (scored, answer) = use_model(&volume, &flags, far, "cluster");
    assert_eq!(number_after(&answer, r#""cluster":"#), -1.0, "{answer}");
    // DBSCAN() of scikit-learn 1.7.2 has 17 rows of noise, and clusters of 49 and 84 rows.
    let rows = |cluster: f64| scored.iter().filter(|found| **found == cluster).count();
    assert_eq!([rows(-1.0), rows(0.0), rows(1.0)], [18, 84, 49]);
    assert_eq!(document(&volume, "metrics.json")["findings"]["answers"][0]["rows"], 18);
    assert_eq!(document(&volume, "model.json")["predictor"]["density"]["eps"], 0.5);
}

#[test]
fn a_decomposition_about_0_is_scored_and_served() {
    let volume = Volume::new();
    volume.put("data.csv", flowers());
    let flags = ["--algorithm", "truncated-svd", "--gate", "explainedVariance>=0.5"];
    let (scored, answer) = use_model(&volume, &flags, SETOSA, "component_1");
    assert_eq!(number_after(&answer, r#""component_1":"#), scored[0]);
    // TruncatedSVD(2).fit_transform of scikit-learn 1.7.2.
    assert!((scored[0] - 5.912_747_140_954_394).abs() < 1e-9, "{}", scored[0]);
}

#[test]
fn an_isolation_forest_finds_outliers_and_serves_what_it_scores() {
    let volume = Volume::new();
    let far = r#"{"sepal_length": 20, "sepal_width": 20, "petal_length": -9, "petal_width": 9}"#;
    volume.put("data.csv", flowers() + "20,20,-9,9\n");
    let flags = [
        "--algorithm",
        "isolation-forest",
        "--parameter",
        "contamination=0.02",
        "--gate",
        "outlierShare<=0.03",
    ];
    let (scored, answer) = use_model(&volume, &flags, far, "anomaly_score");
    assert!(answer.starts_with(r#"{"anomaly":"outlier","#), "{answer}");
    assert_eq!(number_after(&answer, r#""anomaly_score":"#), scored[150]);
    assert!(scored.iter().all(|score| *score <= scored[150] && *score > 0.0), "{scored:?}");
    assert_eq!(document(&volume, "metrics.json")["findings"]["answers"][1]["rows"], 3);
}

#[test]
fn principal_components_are_scored_and_served() {
    let volume = Volume::new();
    volume.put("data.csv", flowers());
    let flags = ["--algorithm", "pca", "--parameter", "nComponents=2", "--gate", "explainedVariance>=0.97"];
    let (scored, answer) = use_model(&volume, &flags, SETOSA, "component_1");
    assert_eq!(number_after(&answer, r#""component_1":"#), scored[0]);
    // PCA(2).fit_transform of scikit-learn 1.7.2.
    assert!((scored[0] + 2.684_125_625_969_534).abs() < 1e-9, "{}", scored[0]);
    assert!((number_after(&answer, r#""component_2":"#) - 0.319_397_246_585_098_5).abs() < 1e-9, "{answer}");
    let shares = &document(&volume, "metrics.json")["findings"]["explainedVariance"];
    assert!((shares[0].as_f64().expect("a share") - 0.924_618_723_201_732_7).abs() < 1e-12, "{shares}");
}

#[test]
fn components_that_folds_measure_are_named_with_their_shares() {
    let volume = Volume::new();
    volume.put("data.csv", flowers());
    let train = [
        "train",
        "--data",
        "data.csv",
        "--out",
        "model",
        "--algorithm",
        "pca",
        "--folds",
        "3",
        "--output",
        "json",
    ];
    let output = worker(&train).current_dir(volume.path()).output().expect("the worker runs");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
    let message = report["message"].as_str().expect("a message");
    assert!(message.contains("components keep: component_1 0.9246, component_2 0.0531"), "{message}");
    let metrics = document(&volume, "metrics.json");
    assert_eq!(metrics["measuredOn"], "folds", "{metrics}");
    // The model is of all rows, and so are its shares.
    let shares = metrics["findings"]["explainedVariance"].as_array().expect("shares");
    assert_eq!(shares.len(), 4);
    let card = std::fs::read_to_string(volume.path().join("model/card.html")).expect("a card");
    assert!(card.contains("What the components keep"));
}

#[test]
fn a_target_is_asked_for_where_one_is_needed_and_refused_where_none_is() {
    let volume = Volume::new();
    volume.put("data.csv", iris());
    let train = |flags: &[&str]| {
        let arguments = [&["train", "--data", "data.csv", "--out", "model"], flags].concat();
        let output = worker(&arguments).current_dir(volume.path()).output().expect("the worker runs");
        assert!(!output.status.success());
        text(&output).1
    };
    let missing = train(&["--algorithm", "logistic-regression"]);
    assert!(missing.contains("target is missing: name the column to predict"), "{missing}");
    let given = train(&["--algorithm", "k-means", "--target", "species"]);
    assert!(given.contains("kMeans learns without one: leave it out"), "{given}");
    let gate = train(&["--algorithm", "k-means", "--gate", "accuracy>=0.5"]);
    assert!(gate.contains("its metrics are silhouette, inertia"), "{gate}");
    let strata = train(&["--algorithm", "k-means", "--test", "0.2", "--stratify"]);
    assert!(strata.contains("there are none without a target"), "{strata}");
    let unknown = train(&["--algorithm", "k-means", "--parameter", "clusters=3"]);
    assert!(
        unknown.contains("its parameters are batchSize, maxIterations, nClusters, nInit, seed, tol"),
        "{unknown}"
    );
}

#[test]
fn no_gate_passes_on_clusters_that_cannot_be_compared() {
    let volume = Volume::new();
    volume.put("data.csv", flowers());
    let one = [
        "--algorithm",
        "k-means",
        "--parameter",
        "nClusters=1",
        "--gate",
        "silhouette>=-1",
        "--output",
        "json",
    ];
    let train = ["train", "--data", "data.csv", "--out", "model"];
    let output =
        worker(&[&train[..], &one].concat()).current_dir(volume.path()).output().expect("the worker runs");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["gate"]["passed"], json!(false), "{report}");
    assert!(
        report["message"]
            .as_str()
            .expect("a message")
            .contains("has one cluster; set nClusters to 2 or more"),
        "{report}"
    );
}
