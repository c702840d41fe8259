//! A search for parameters whose trials pods share, and training without a target.

use std::collections::BTreeSet;
use std::process::Command;

use mlpipeline_tests::programs;
use serde_json::Value;

use crate::bed::{Namespace, kubectl, sample};

#[tokio::test]
async fn tuning_is_shared_by_pods_and_the_model_of_the_best_trial_is_served() {
    let namespace = Namespace("tuning");
    kubectl(&["create", "namespace", "tuning"]);
    let file = sample("tuning/pipeline.yaml");
    namespace.kubectl(&["apply", "-f", &file]);
    namespace.wait_ready(&["tuning"]);

    let jobs: Value = serde_json::from_str(&namespace.kubectl(&["get", "jobs", "-o", "json"])).expect("JSON");
    let shared = jobs["items"].as_array().expect("Jobs").iter().find(|job| {
        job["metadata"]["name"].as_str().is_some_and(|name| name.starts_with("tuning-train-trials-"))
    });
    let shared = shared.expect("the Job of the trials");
    assert_eq!(shared["spec"]["completionMode"], "Indexed");
    assert_eq!(shared["status"]["succeeded"], 3);

    let answer = Command::new(programs::path("kubectl-mlpipeline"))
        .args(["trials", &file, "--cluster", "-n", "tuning", "-o", "json"])
        .output()
        .expect("the program runs");
    let shown: Value = serde_json::from_slice(&answer.stdout).expect("JSON");
    let trials = shown["steps"][0]["trials"].as_array().expect("trials");
    assert_eq!(trials.len(), 6);
    let measured: BTreeSet<String> = trials.iter().map(|trial| trial["parameters"].to_string()).collect();
    assert_eq!(measured.len(), 6, "{shown:#}");
    // How many pods share the search is no part of what was done.
    namespace.kubectl(&[
        "patch",
        "mlp/tuning",
        "--type=json",
        "-p",
        r#"[{"op": "replace", "path": "/spec/steps/1/parallelism", "value": 2}]"#,
    ]);
    namespace.wait_ready(&["tuning"]);
    let after: Value =
        serde_json::from_str(&namespace.kubectl(&["get", "jobs", "-o", "json"])).expect("JSON");
    assert_eq!(after["items"].as_array().map(Vec::len), jobs["items"].as_array().map(Vec::len));
    namespace.delete().await;
}
