//! Pipelines, drawn: of several steps of any kinds, which read each other, with schedules, storage and settings of pods in any combination.

use serde_json::{Value, json};

use super::draw::Draw;
use super::{pod, run};

/// The names of the steps before this one, by what can be read of them.
#[derive(Default)]
struct Before {
    all: Vec<String>,
    datasets: Vec<String>,
    models: Vec<String>,
    results: Vec<String>,
}

/// What the pipeline of this number asks for. Nothing says that it is valid.
pub fn spec(draw: &mut Draw, number: usize) -> Value {
    let mut before = Before::default();
    let steps: Vec<Value> = (0..=draw.below(6)).map(|at| step(draw, number, at, &mut before)).collect();
    let mut spec = json!({ "steps": steps });
    if let Some(storage) = storage(draw, number) {
        spec["storage"] = storage;
    }
    if let Some(settings) = draw.happens(40).then(|| pod::settings(draw, 15)).flatten() {
        spec["pod"] = settings;
    }
    if draw.happens(20) {
        spec["history"] = json!(1 + draw.below(5));
    }
    if draw.happens(10) {
        spec["image"] = json!("registry.example/worker:2");
    }
    spec
}

/// Mostly what many nodes can mount: else most combinations are refused.
fn storage(draw: &mut Draw, number: usize) -> Option<Value> {
    let mut volume = match draw.below(10) {
        0 => return None,
        1 => return Some(json!({})),
        2 => {
            return Some(
                json!({"volume": {"claimName": draw.one_of(&["many".to_owned(), "one".to_owned(), format!("single-{number}")])}}),
            );
        }
        3 => json!({"accessModes": ["ReadWriteOnce"]}),
        4 => json!({"accessModes": ["ReadWriteOncePod"]}),
        5 => json!({"accessModes": ["ReadWriteOnce", "ReadWriteMany"]}),
        _ => json!({"accessModes": ["ReadWriteMany"]}),
    };
    if draw.happens(30) {
        volume["size"] = json!(draw.one_of(&["1Gi", "1500Mi", "2Gi"]));
    }
    if draw.happens(30) {
        volume["storageClassName"] = json!(draw.one_of(&["fast", "", "fixed"]));
    }
    if draw.happens(20) {
        volume["retain"] = json!(draw.happens(50));
    }
    Some(json!({ "volume": volume }))
}

fn step(draw: &mut Draw, number: usize, at: usize, before: &mut Before) -> Value {
    let name = ["a", "b", "c", "d", "e", "f"][at].to_owned();
    let mut step = json!({ "name": name });
    let kinds = ["prepare", "prepare", "train", "import", "serve", "score", "run", "run", "run"];
    let kind = match draw.one_of(&kinds) {
        "train" | "score" if before.datasets.is_empty() => "prepare",
        "serve" | "score" if before.models.is_empty() => "import",
        kind => kind,
    };
    step[kind] = match kind {
        "prepare" => prepare(draw, before),
        "train" => train(draw, before),
        "import" => {
            json!({"onnx": {"uri": "https://models.example/m.onnx"}, "target": "y", "features": ["x"]})
        }
        "serve" => serve(draw, number, before),
        "score" => {
            json!({"model": {"step": draw.one_of(&before.models)}, "input": {"step": draw.one_of(&before.datasets)}})
        }
        _ => run::run(draw, number, &before.results),
    };
    around(draw, &mut step, kind, before);
    match kind {
        "prepare" | "score" => before.datasets.push(name.clone()),
        "train" | "import" => before.models.push(name.clone()),
        _ => {}
    }
    if kind != "serve" {
        before.results.push(name.clone());
    }
    before.all.push(name);
    step
}

/// What steps of all kinds can have.
fn around(draw: &mut Draw, step: &mut Value, kind: &str, before: &Before) {
    if !before.all.is_empty() && draw.happens(20) {
        step["after"] = json!([draw.one_of(&before.all)]);
    }
    if !["serve"].contains(&kind) && draw.happens(15) {
        step["schedule"] = schedule(draw);
    }
    if draw.happens(15) {
        step["retries"] = json!(draw.below(5));
    }
    if draw.happens(15) {
        step["timeout"] = json!(draw.one_of(&["1h", "1h30m"]));
    }
    if (kind == "run" || step["train"]["tune"].is_object()) && draw.happens(30) {
        step["parallelism"] = json!(1 + draw.below(4));
    }
    if draw.happens(10) {
        step["rerun"] = json!(draw.one_of(&["1", "2"]));
    }
    if let Some(settings) = draw.happens(50).then(|| pod::settings(draw, 12)).flatten() {
        step["pod"] = settings;
    }
}

/// Times that do not come while the test runs: a step that follows waits for its first run.
fn schedule(draw: &mut Draw) -> Value {
    let mut schedule = json!({"cron": draw.one_of(&["0 2 29 2 *", "0 3 1 1 *", "@yearly"])});
    if draw.happens(30) {
        schedule["timeZone"] = json!(draw.one_of(&["Etc/UTC", "Europe/Berlin"]));
    }
    if draw.happens(30) {
        schedule["concurrencyPolicy"] = json!(draw.one_of(&["Allow", "Forbid", "Replace"]));
    }
    if draw.happens(30) {
        schedule["startingDeadlineSeconds"] = json!(60 * draw.below(20));
    }
    if draw.happens(15) {
        schedule["suspend"] = json!(true);
    }
    schedule
}

fn prepare(draw: &mut Draw, before: &Before) -> Value {
    let mut inputs = vec![json!({"name": "rows", "uri": "https://files.example/rows.csv"})];
    if !before.datasets.is_empty() && draw.happens(50) {
        inputs.push(json!({"name": "other", "step": draw.one_of(&before.datasets)}));
    }
    let mut prepare = json!({ "inputs": inputs });
    match draw.below(5) {
        0 => prepare = json!({"sql": "SELECT 1 AS x"}),
        1 => prepare = json!({"inputs": [{"name": "rows", "uri": "file:inbox/*.csv"}], "continuous": {}}),
        2 => prepare["checks"] = json!([{"column": "x", "notNull": true}]),
        3 => prepare["sql"] = json!("SELECT * FROM rows"),
        _ => {}
    }
    prepare
}

fn train(draw: &mut Draw, before: &Before) -> Value {
    let mut train = json!({
        "data": {"step": draw.one_of(&before.datasets)}, "target": "y",
        "algorithm": draw.one_of(&[
            json!({"logisticRegression": {"maxIterations": 100}}),
            json!({"randomForest": {"task": "classification", "seed": 1}}),
            json!({"gaussianNaiveBayes": {}}),
        ]),
    });
    if draw.happens(40) {
        train["split"] = json!({"test": 0.2, "seed": 1});
        train["gate"] = json!({"metric": "accuracy", "min": draw.one_of(&[0.5, 0.9])});
    }
    if train["algorithm"]["randomForest"].is_object() && draw.happens(50) {
        train["tune"] =
            json!({"parameters": {"maxDepth": [2, 4]}, "trials": 2, "metric": "accuracy", "folds": 2});
    }
    train
}

fn serve(draw: &mut Draw, number: usize, before: &Before) -> Value {
    let mut serve = json!({"model": {"step": draw.one_of(&before.models)}});
    match draw.below(4) {
        0 => serve["replicas"] = json!(draw.below(4)),
        1 => serve["autoscaling"] = json!({"minReplicas": 1 + draw.below(2), "maxReplicas": 3}),
        2 => serve["autoscaling"] = json!({"maxReplicas": 2, "targetCPUUtilizationPercentage": 50}),
        _ => {}
    }
    if draw.happens(50) {
        let kind = draw.one_of(&["ClusterIP", "Headless", "NodePort", "LoadBalancer"]);
        serve["service"] = json!({ "type": kind });
        if kind != "Headless" && draw.happens(50) {
            serve["service"]["port"] = json!(draw.one_of(&[80, 8000, 443]));
        }
    }
    if draw.happens(30) {
        serve["ingress"] = json!({"host": format!("h{number}.example.com")});
        if draw.happens(50) {
            serve["ingress"]["path"] = json!("/v1");
            serve["ingress"]["tlsSecret"] = json!("tls");
        }
    }
    if draw.happens(20) {
        serve["auth"] = json!({"apiKeySecret": {"name": "keys", "key": "k"}});
    }
    serve
}
