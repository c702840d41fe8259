//! Scenario 6: retraining, gates, roll-outs and roll-backs.

use mlpipeline_tests::{programs, wait_until};
use serde_json::Value;

use crate::bed::{Namespace, TIMEOUT, kubectl, node_address, sample};
use crate::load::Load;

const FLOWER: &str = r#"{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}"#;

#[tokio::test(flavor = "multi_thread")]
async fn scenario_6_new_data_become_a_new_model_unless_it_is_worse() {
    let namespace = Namespace("mlops");
    kubectl(&["apply", "-k", &sample("mlops")]);
    namespace.kubectl(&["rollout", "status", "deployment/measurements", "--timeout=120s"]);
    let rows = std::fs::read_to_string(programs::repository().join("deploy/samples/mlops/measurements.csv"))
        .expect("the sample's data");

    night(&namespace, "first").await;
    namespace.wait_ready(&["flowers"]);
    let first = serving(&namespace);

    a_night_without_news_trains_nothing(&namespace).await;
    let second = better_data_take_over_under_load(&namespace, &rows, &first).await;
    worse_data_are_refused(&namespace, &rows, &second).await;
    good_data_again_cost_no_training(&namespace, &rows, &second).await;
    a_reverted_edit_costs_no_training(&namespace, &second).await;
    namespace.delete().await;
}

/// What the schedule would do at night, now. Waits until the Job is over.
async fn night(namespace: &Namespace, name: &str) {
    wait_until("the schedule is set up", TIMEOUT, async || {
        namespace.try_kubectl(&["create", "job", name, "--from=cronjob/flowers-data"])
    })
    .await;
    let done = format!("job/{name}");
    namespace.kubectl(&["wait", "--for=condition=Complete", &done, "--timeout=120s"]);
}

/// Puts other measurements where the pipeline fetches them.
async fn publish(namespace: &Namespace, rows: &str) {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), rows).expect("the rows are written");
    let from = format!("--from-file=measurements.csv={}", file.path().display());
    namespace.kubectl(&["delete", "configmap", "measurements"]);
    namespace.kubectl(&["create", "configmap", "measurements", &from]);
    namespace.kubectl(&["rollout", "restart", "deployment/measurements"]);
    namespace.kubectl(&["rollout", "status", "deployment/measurements", "--timeout=120s"]);
    // A pod that is on its way out can still answer, with the rows of before.
    wait_until("only the new server is there", TIMEOUT, async || {
        let selector = "app.kubernetes.io/name=measurements";
        let pods = namespace.kubectl(&["get", "pods", "-l", selector, "-o", "name"]);
        if pods.lines().count() == 1 { Ok(()) } else { Err(pods) }
    })
    .await;
}

fn serving(namespace: &Namespace) -> String {
    let status = namespace.get("mlp/flowers")["status"].take();
    serving_in(&status).unwrap_or_else(|| panic!("no model serves: {status}"))
}

fn serving_in(status: &Value) -> Option<String> {
    let models = status["models"].as_array()?;
    models.iter().find(|model| model["serving"] == true)?["revision"].as_str().map(str::to_owned)
}

async fn a_night_without_news_trains_nothing(namespace: &Namespace) {
    let trained = namespace.jobs("train");
    night(namespace, "same").await;
    namespace
        .wait_status("flowers", "the night is over", |status| {
            status["steps"][0]["workload"] == "Job/same" && status["steps"][1]["state"] == "Done"
        })
        .await;
    assert_eq!(namespace.jobs("train"), trained);
}

async fn better_data_take_over_under_load(namespace: &Namespace, rows: &str, first: &str) -> String {
    let load = Load::start(&format!("http://{}:30082", node_address()), FLOWER, &[], 2);
    let more = format!("{}\n5.0,3.4,1.5,0.2,setosa\n", rows.trim_end());
    publish(namespace, &more).await;
    night(namespace, "better").await;
    let status = namespace
        .wait_status("flowers", "the new model serves alone", |status| {
            serving_in(status).is_some_and(|serving| serving != first)
        })
        .await;
    let second = serving_in(&status).unwrap();
    namespace.kubectl(&["rollout", "status", "deployment/flowers-api", "--timeout=120s"]);
    wait_until("the old pods are gone", TIMEOUT, async || {
        let pods = namespace.kubectl(&["get", "pods", "-l", "mlpipeline.dev/step=api", "-o", "name"]);
        if pods.lines().count() == 2 { Ok(()) } else { Err(pods) }
    })
    .await;
    let tally = load.stop();
    tally.all_answered();
    assert_eq!(tally.models.len(), 2, "both models answered in turn: {tally:?}");
    second
}

async fn worse_data_are_refused(namespace: &Namespace, rows: &str, second: &str) {
    let mut lines = rows.trim_end().lines();
    let header = lines.next().unwrap();
    // Each flower under the name of one some way off: nothing can be learned.
    let flowers: Vec<(&str, &str)> = lines.filter_map(|line| line.rsplit_once(',')).collect();
    let worse: Vec<String> = (0..flowers.len())
        .map(|at| format!("{},{}", flowers[at].0, flowers[(at * 67 + 31) % flowers.len()].1))
        .collect();
    publish(namespace, &format!("{header}\n{}\n", worse.join("\n"))).await;
    night(namespace, "worse").await;
    let status = namespace
        .wait_status("flowers", "the worse model is rejected", |status| {
            status["steps"][1]["state"] == "Rejected"
        })
        .await;
    assert_eq!(serving_in(&status).as_deref(), Some(second), "S4: the good model keeps serving");
    assert!(status["conditions"].to_string().contains("GateRejected"), "{status}");
    let answer = crate::bed::post(&format!("http://{}:30082/predict", node_address()), FLOWER, &[]);
    assert_eq!((answer.status, answer.header("x-mlpipeline-model-revision")), (200, Some(second)));
}

async fn good_data_again_cost_no_training(namespace: &Namespace, rows: &str, second: &str) {
    let trained = namespace.jobs("train");
    let more = format!("{}\n5.0,3.4,1.5,0.2,setosa\n", rows.trim_end());
    publish(namespace, &more).await;
    night(namespace, "good-again").await;
    namespace.wait_ready(&["flowers"]);
    assert_eq!(serving(namespace), second);
    assert_eq!(namespace.jobs("train"), trained);
}

/// An edit trains anew; taking it back finds what was trained before.
async fn a_reverted_edit_costs_no_training(namespace: &Namespace, second: &str) {
    let set = |alpha: &str| {
        let patch = format!(
            r#"[{{"op": "replace", "path": "/spec/steps/1/train/algorithm/logisticRegression/alpha", "value": {alpha}}}]"#
        );
        namespace.kubectl(&["patch", "mlp", "flowers", "--type", "json", "--patch", &patch]);
    };
    set("0.5");
    namespace
        .wait_status("flowers", "the edited model serves", |status| {
            serving_in(status).is_some_and(|serving| serving != second)
                && status["steps"][2]["state"] == "Serving"
        })
        .await;
    let trained = namespace.jobs("train");
    set("1.0");
    namespace
        .wait_status("flowers", "the model from before serves again", |status| {
            serving_in(status).as_deref() == Some(second)
        })
        .await;
    namespace.wait_ready(&["flowers"]);
    assert_eq!(namespace.jobs("train"), trained, "a reverted edit costs no training");
}
