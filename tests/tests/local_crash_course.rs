//! The crash course on a laptop, from a URL to predictions.
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod laptop;

use std::collections::{BTreeMap, BTreeSet};

use laptop::{Laptop, Step, processes, request, tree, wait_until};

const SETOSA: &str = r#"{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}"#;

fn those_that_ran(steps: &BTreeMap<String, Step>) -> Vec<&str> {
    steps.iter().filter(|(_, step)| step.ran).map(|(name, _)| name.as_str()).collect()
}

#[test]
fn it_goes_from_a_url_to_scores_and_a_second_run_does_nothing() {
    let laptop = Laptop::new();
    let (code, steps) = laptop.once();
    assert_eq!(code, 0, "{steps:#?}");
    for step in ["data", "train", "synthetic", "batch"] {
        assert_eq!(
            (steps[step].state.as_str(), steps[step].ran),
            ("Done", true),
            "{step}: {:?}",
            steps[step]
        );
    }
    let scores = std::fs::read_to_string(laptop.result("batch", "data.csv")).expect("scores");
    assert_eq!(scores.lines().count(), 6, "a header and five rows: {scores}");

    let files = || {
        let mut files = tree(&laptop.path().join(".mlpipeline"));
        // Who holds the lock is written there each time.
        files.retain(|path, _| !path.ends_with("lock"));
        files
    };
    let before = files();
    let (code, again) = laptop.once();
    assert_eq!((code, those_that_ran(&again)), (0, vec![]));
    assert!(files() == before, "a run that does nothing wrote something");
}

#[test]
fn an_edit_does_again_just_what_depends_on_it() {
    let laptop = Laptop::new();
    laptop.once();
    let rows: [(&str, &str, &[&str]); 5] = [
        ("{maxIterations: 200}", "{maxIterations: 200, alpha: 0.1}", &["batch", "train"]),
        ("min: 0.9", "min: 0.8", &[]),
        ("maxReplicas: 5", "maxReplicas: 4", &[]),
        ("format: csv", "format: ndjson", &["batch"]),
        ("WHERE sepal_length IS NOT NULL", "WHERE sepal_length > 4.5", &["batch", "data", "train"]),
    ];
    for (before, after, expected) in rows {
        laptop.edit(before, after);
        let (code, steps) = laptop.once();
        assert_eq!((code, those_that_ran(&steps)), (0, expected.to_vec()), "{before} → {after}");
    }
}

#[test]
fn replicas_answer_behind_one_port_until_ctrl_c_and_none_is_left() {
    let laptop = Laptop::new();
    let mut local = laptop.start(&[]);
    let url = local.wait_for("api answers at ");
    local.wait_for("Ctrl-C stops everything.");
    let (status, _, body) = request(&format!("{url}/predict"), Some(SETOSA)).expect("an answer");
    assert_eq!(status, 200, "{body}");
    assert!(body.starts_with(r#"{"species_index":0,"species_name":"setosa""#), "{body}");
    assert_eq!(request(&format!("{url}/health"), None).expect("an answer").0, 200);

    let mut pods = BTreeSet::new();
    wait_until("both replicas to answer", || {
        let (_, head, _) = request(&format!("{url}/predict"), Some(SETOSA)).expect("an answer");
        pods.extend(head.lines().filter(|line| line.starts_with("x-mlpipeline-pod")).map(str::to_owned));
        pods.len() == 2
    });
    let volume = laptop.path().join(".mlpipeline").display().to_string();
    assert_eq!(processes(&volume).len(), 2);
    local.signal("INT");
    assert_eq!(local.end(), Some(0));
    assert_eq!(processes(&volume), Vec::<String>::new());
}

#[test]
fn a_replica_that_is_killed_is_replaced_and_kill_9_of_local_ends_all() {
    let laptop = Laptop::new();
    let mut local = laptop.start(&[]);
    let url = local.wait_for("api answers at ");
    let volume = laptop.path().join(".mlpipeline").display().to_string();
    let before = processes(&volume);
    let first = before.first().expect("a replica");
    let killed = std::process::Command::new("kill").args(["-s", "KILL", first]).status();
    assert!(killed.expect("kill runs").success());
    wait_until("two replicas again", || {
        let now = processes(&volume);
        now.len() == 2 && !now.contains(first)
    });
    wait_until("an answer", || {
        request(&format!("{url}/predict"), Some(SETOSA)).is_ok_and(|answer| answer.0 == 200)
    });
    local.signal("KILL");
    local.end();
    wait_until("all workers to end", || processes(&volume).is_empty());
}

#[test]
fn callers_need_the_key_that_the_secret_holds() {
    let laptop = Laptop::new();
    laptop.edit(
        "model: {step: train}\n        autoscaling",
        "model: {step: train}\n        auth: {apiKeySecret: {name: k, key: KEY}}\n        autoscaling",
    );
    laptop.write(
        "secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: k}\nstringData: {KEY: hunter2}\n",
    );
    let mut local = laptop.start(&["--secrets", "secret.yaml"]);
    let url = local.wait_for("api answers at ");
    assert_eq!(request(&format!("{url}/predict"), Some(SETOSA)).expect("an answer").0, 401);
    assert!(local.wait_for("try:").contains("X-API-Key: $API_KEY"));
    assert!(!local.printed().contains("hunter2"));
    let files = tree(&laptop.path().join(".mlpipeline"));
    let leaked: Vec<_> =
        files.iter().filter(|(_, text)| String::from_utf8_lossy(text).contains("hunter2")).collect();
    assert!(leaked.is_empty(), "{leaked:?}");
}
