//! Exported models answer as the worker does, in a runtime of others: ONNX Runtime from PyPI, which `make test-tools` installs. And
//! models of others answer in the worker as they do there.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mlpipeline_crds::{Algorithm, Predicts};
use mlpipeline_tests::{documentation, programs};
use serde_json::json;

/// Every form of column, with holes: numbers, whole numbers, booleans, more texts than get columns, dates of all years that are read,
/// and times; and a target of each kind.
const TABLE: &str = "
SELECT CASE WHEN value % 7 = 0 THEN NULL ELSE sin(value) * 100 END AS n,
       value % 13 AS k,
       value % 3 = 0 AS flag,
       CASE WHEN value % 10 = 0 THEN NULL ELSE value % 4 = 1 END AS maybe,
       CASE WHEN value % 11 = 0 THEN NULL WHEN value % 17 = 0 THEN 'Zürich, \"new\"' ELSE 'city ' || (value * 7 % 60) END AS city,
       'kind ' || (value % 5) AS \"kind of flat\",
       arrow_cast(CAST(value * 9137 - 719162 AS INT), 'Date32') AS day,
       CASE WHEN value % 6 = 0 THEN NULL ELSE arrow_cast(CAST(value * 1000 AS INT), 'Date32') END AS later,
       CASE WHEN value % 9 = 0 THEN NULL
            ELSE arrow_cast(value * 12345678901 % 4000000000000 - 2000000000000, 'Timestamp(Millisecond, None)') END AS at,
       CASE WHEN sin(value) > 0.3 THEN 'high' WHEN value % 13 > 6 THEN 'mid' ELSE 'low' END AS text,
       value % 13 > 5 AS boolean,
       value * 7 % 13 % 3 AS whole,
       300 + sin(value) * 100 + value % 13 AS number
FROM generate_series(0, 399)";

/// The columns to predict from.
const FEATURES: &str = "n,k,flag,maybe,city,kind of flat,day,later,at";

/// Those without negative numbers.
const COUNTS: &str = "k,flag,maybe,city,kind of flat";

/// What cannot be written as ONNX.
const REFUSED: [&str; 3] = ["dbscan", "kNeighbors", "seasonalNaive"];

fn run(folder: &Path, program: &Path, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).current_dir(folder).output().expect("the program starts")
}

/// Runs the worker.
#[track_caller]
fn worker(folder: &Path, arguments: &[&str]) {
    let output = run(folder, &programs::path("mlpipeline-worker"), arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The Python that has ONNX Runtime.
fn python() -> PathBuf {
    let tools = programs::repository().join("tests/tools");
    let output = Command::new(tools.join("onnx.sh")).arg("--where").output().expect("bash starts");
    let environment = PathBuf::from(String::from_utf8(output.stdout).expect("a path").trim());
    assert!(
        environment.join("whole").is_file(),
        "{} is not there: run `make test-tools`",
        environment.display()
    );
    environment.join("bin/python")
}

/// Compares models with their scored rows in ONNX Runtime.
fn check(folder: &Path, names: &[String]) -> Output {
    let script = programs::repository().join("tests/tools/onnx/check.py");
    let script = [script.to_str().expect("text"), "."];
    let arguments: Vec<&str> = script.into_iter().chain(names.iter().map(String::as_str)).collect();
    run(folder, &python(), &arguments)
}

fn table() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    worker(folder.path(), &["prepare", "--sql", TABLE, "--out", "table.csv"]);
    folder
}

/// Trains a model, exports it and scores the table with it.
fn make(folder: &Path, name: &str, algorithm: &str, target: Option<&str>, parameters: &[&str]) {
    let features = if algorithm == "multinomialNaiveBayes" { COUNTS } else { FEATURES };
    let mut asked = vec!["--features", features, "--algorithm", algorithm];
    target.iter().for_each(|target| asked.extend(["--target", target]));
    parameters.iter().for_each(|parameter| asked.extend(["--parameter", parameter]));
    make_as(folder, name, &asked);
}

/// [`make`] with any arguments of train.
fn make_as(folder: &Path, name: &str, asked: &[&str]) {
    worker(folder, &[&["train", "--data", "table.csv", "--out", name], asked].concat());
    let (onnx, scored) = (format!("{name}.onnx"), format!("{name}.csv"));
    worker(folder, &["export-onnx", "--model", name, "--out", &onnx]);
    worker(folder, &["score", "--model", name, "--data", "table.csv", "--out", &scored]);
}

/// Models of products of columns, and of sets of categories, of each kind of target.
fn make_products_and_sets(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for target in ["text", "boolean", "number"] {
        let name = format!("products-{target}");
        let algorithm = if target == "number" { "linearRegression" } else { "logisticRegression" };
        let asked = [
            "--features",
            "n,k,flag,maybe",
            "--interaction",
            "n,k,flag",
            "--interaction",
            "maybe,k",
            "--target",
            target,
        ];
        make_as(folder, &name, &[&asked[..], &["--algorithm", algorithm]].concat());
        names.push(name);
        let name = format!("sets-{target}");
        let task = if target == "number" { "task=regression" } else { "task=classification" };
        let asked = [
            "--features",
            "n,city,kind of flat",
            "--as",
            "city=category:20",
            "--algorithm",
            "gradientBoosting",
        ];
        let of_sets = ["--parameter", "categories=subsets", "--parameter", task, "--target", target];
        make_as(folder, &name, &[&asked[..], &of_sets[..]].concat());
        names.push(name);
    }
    names
}

/// Models of scaled columns of each kind that can be, with holes and products.
fn make_scaled(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let columns = ["--as", "city=target", "--as", "kind of flat=ordinal", "--scale", "k=min-max"];
    let products = ["--interaction", "n,k", "--scale", "flag=none"];
    for (algorithm, target) in [("ridge", Some("number")), ("linearSvm", Some("text")), ("kMeans", None)] {
        let columns = if target.is_some() { &columns[..] } else { &columns[2..] };
        let name = format!("scaled-{algorithm}-{}", target.unwrap_or("none"));
        let mut asked = vec!["--features", FEATURES, "--scale", "standard", "--algorithm", algorithm];
        asked.extend(columns.iter().chain(&products));
        target.iter().for_each(|target| asked.extend(["--target", target]));
        make_as(folder, &name, &asked);
        names.push(name);
    }
    names
}

#[test]
fn every_algorithm_predicts_the_same_in_onnx_runtime() {
    let folder = table();
    let mut names = Vec::new();
    for algorithm in Algorithm::NAMES.iter().filter(|name| !REFUSED.contains(name)) {
        let chosen: Algorithm = serde_json::from_value(json!({*algorithm: {}})).expect("an algorithm");
        let targets: &[Option<&str>] = match chosen.chosen().expect("one").predicts() {
            Predicts::Classes if *algorithm == "decisionTree" => {
                &[Some("text"), Some("boolean"), Some("whole")]
            }
            Predicts::Classes => &[Some("text"), Some("boolean")],
            Predicts::Numbers => &[Some("number")],
            Predicts::Clusters | Predicts::Outliers | Predicts::Components => &[None],
        };
        // Fewer trees than by default: one is written as the other.
        let parameters: &[&str] = match *algorithm {
            "randomForest" | "extraTrees" | "isolationForest" => &["nEstimators=10"],
            "gradientBoosting" => &["maxIterations=10"],
            "gaussianMixture" => &["nComponents=3"],
            _ => &[],
        };
        for target in targets {
            let name = format!("{algorithm}-{}", target.unwrap_or("none"));
            make(folder.path(), &name, algorithm, *target, parameters);
            names.push(name);
        }
        if Algorithm::parameter_names(algorithm).contains("task") {
            let name = format!("{algorithm}-number");
            let parameters = [parameters, &["task=regression"]].concat();
            make(folder.path(), &name, algorithm, Some("number"), &parameters);
            names.push(name);
        }
    }
    names.extend(make_products_and_sets(folder.path()));
    names.extend(make_scaled(folder.path()));
    for target in ["text", "boolean", "number"] {
        let name = format!("means-{target}");
        let algorithm = if target == "number" { "linearRegression" } else { "logisticRegression" };
        let means =
            ["--features", "n,city,kind of flat", "--as", "city=target", "--as", "kind of flat=target"];
        make_as(
            folder.path(),
            &name,
            &[&means[..], &["--target", target, "--algorithm", algorithm]].concat(),
        );
        names.push(name);
    }
    // Targets whose 32-bit floats would be far off, infinite or 0.
    for (target, of_target) in [("far", "1700000000 + n"), ("large", "n * 1e60"), ("small", "n * 1e-60")] {
        let sql = format!("SELECT *, {of_target} AS {target} FROM rows WHERE n IS NOT NULL");
        let file = format!("{target}.csv");
        worker(folder.path(), &["prepare", "--input", "rows=table.csv", "--sql", &sql, "--out", &file]);
        for algorithm in ["decisionTree", "randomForest", "gradientBoosting"] {
            let name = format!("{algorithm}-{target}");
            let asked = ["--features", "n,k", "--algorithm", algorithm, "--parameter", "task=regression"];
            let data = ["train", "--data", &file, "--target", target, "--out", &name];
            worker(folder.path(), &[&data[..], &asked[..]].concat());
            worker(folder.path(), &["export-onnx", "--model", &name, "--out", &format!("{name}.onnx")]);
            let scored = format!("{name}.csv");
            worker(folder.path(), &["score", "--model", &name, "--data", &file, "--out", &scored]);
            names.push(name);
        }
    }
    assert!(names.len() > 30, "{names:?}");
    let output = check(folder.path(), &names);
    let (printed, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{wrong}\n{printed}");
    assert_eq!(printed.lines().count(), names.len(), "{printed}");
    println!("{printed}");
    read_again(folder.path(), &names);
}

/// What was written predicts as before when it is imported.
#[track_caller]
fn read_again(folder: &Path, names: &[String]) {
    for name in names {
        let target = name.rsplit('-').next().unwrap_or_default();
        let data = if ["far", "large", "small"].contains(&target) { target } else { "table" };
        let target = match target {
            "text" | "boolean" | "whole" | "number" | "far" | "large" | "small" => target,
            _ => "found",
        };
        import_and_score(
            folder,
            name,
            &["--target", target],
            &format!("{data}.csv"),
            &format!("{name}-back"),
        );
        let (before, after) = (cells(folder, name), cells(folder, &format!("{name}-back")));
        assert_eq!(before.len(), after.len(), "{name}");
        for (row, (before, after)) in before.iter().zip(&after).enumerate() {
            let same = before.len() == after.len()
                && before.iter().zip(after).all(|(before, after)| is_near(before, after));
            assert!(same, "{name}: row {row} was {before:?} and is {after:?}");
        }
    }
}

/// Imports a model, and scores a table with it.
fn import_and_score(folder: &Path, name: &str, asked: &[&str], data: &str, out: &str) {
    let (onnx, model, scored) = (format!("{name}.onnx"), format!("{out}-model"), format!("{out}.csv"));
    worker(folder, &[&["import", "--onnx", &onnx, "--out", &model], asked].concat());
    worker(folder, &["score", "--model", &model, "--data", data, "--out", &scored]);
}

/// The cells of a scored table; none of them has a comma but in quotes, which stay.
fn cells(folder: &Path, name: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(folder.join(format!("{name}.csv"))).expect("a table");
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// Whether two cells are alike, but for the rounding of 32-bit floats, which the operator of trees adds up.
fn is_near(before: &str, after: &str) -> bool {
    match (before.parse::<f64>(), after.parse::<f64>()) {
        (Ok(before), Ok(after)) => (before - after).abs() <= 1e-6 * before.abs().max(1e-3),
        _ => before == after,
    }
}

#[test]
fn models_of_others_predict_the_same_after_an_import() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = programs::repository().join("tests/tools/onnx/peers.py");
    let peers = |what: &str| {
        let output = run(folder.path(), &python(), &[script.to_str().expect("text"), what, "."]);
        let (printed, wrong) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{wrong}\n{printed}");
        printed.into_owned()
    };
    let names: Vec<String> = peers("make").lines().map(str::to_owned).collect();
    assert!(names.len() > 90, "{names:?}");
    for name in &names {
        let (asked, data): (&[&str], &str) = match name.split('-').next() {
            Some("matrix") => (&["--target", "y", "--features", "n,k,w"], "table.csv"),
            Some("network") => {
                (&["--target", "y", "--features", "n,k,w", "--classes", "a,b,c"], "filled.csv")
            }
            Some("words") => (&["--target", "y"], "notes.csv"),
            _ => (&["--target", "y"], "table.csv"),
        };
        import_and_score(folder.path(), name, asked, data, name);
    }
    let printed = peers("check");
    assert_eq!(printed.lines().count(), names.len(), "{printed}");
    println!("{printed}");
}

#[test]
fn an_answer_that_differs_is_noticed() {
    let folder = table();
    make(folder.path(), "model", "decisionTree", Some("text"), &["maxDepth=3"]);
    make(folder.path(), "other", "decisionTree", Some("text"), &["maxDepth=1"]);
    std::fs::copy(folder.path().join("other.csv"), folder.path().join("model.csv")).expect("a copy");
    let output = check(folder.path(), &["model".to_owned()]);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && wrong.starts_with("wrong: model: label of row"), "{wrong}");
}

#[test]
fn what_cannot_be_written_is_refused_with_the_reason() {
    let folder = table();
    let days = "SELECT arrow_cast(CAST(value AS INT), 'Date32') AS day, value % 7 AS whole FROM generate_series(0, 59)";
    worker(folder.path(), &["prepare", "--sql", days, "--out", "days.csv"]);
    for algorithm in REFUSED {
        let (data, features) =
            if algorithm == "seasonalNaive" { ("days.csv", "day") } else { ("table.csv", "n,k") };
        let train = ["train", "--data", data, "--features", features, "--out", algorithm];
        let target: &[&str] = match algorithm {
            "dbscan" => &[],
            "seasonalNaive" => &["--target", "whole", "--folds", "2"],
            _ => &["--target", "whole"],
        };
        worker(folder.path(), &[&train[..], target, &["--algorithm", algorithm]].concat());
        let export = ["export-onnx", "--model", algorithm, "--out", "model.onnx"];
        let output = run(folder.path(), &programs::path("mlpipeline-worker"), &export);
        let wrong = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{wrong}");
        assert!(wrong.contains(&format!("a model of {algorithm} cannot be written as ONNX: ")), "{wrong}");
        assert!(!folder.path().join("model.onnx").exists());
    }
}

#[test]
fn the_how_to_predicts_what_the_server_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let sample = programs::repository().join("deploy/samples/flats/flats.csv");
    std::fs::copy(sample, folder.path().join("flats.csv")).expect("the sample");
    let page = programs::repository().join("docs/how-to/use-models-elsewhere.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let blocks = documentation::blocks(&page);
    let commands = blocks.iter().find(|block| block.language == "console").expect("commands");
    for line in commands.text.lines().filter_map(|line| line.strip_prefix("$ mlpipeline-worker ")) {
        worker(folder.path(), &line.split(' ').collect::<Vec<_>>());
    }
    let script = blocks.iter().find(|block| block.language == "python").expect("a script");
    let output = run(folder.path(), &python(), &["-c", &script.text]);
    let (printed, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{wrong}");
    assert!(page.contains(&format!("`{}`", printed.trim())), "the page has other rents than {printed}");
}
