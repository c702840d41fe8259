//! Scenario 1: the crash course.

use mlpipeline_tests::wait_until;
use serde_json::json;

use crate::bed::{Namespace, PATIENCE, http, kubectl, node_address, post, sample};
use crate::load::Load;

const FLOWER: &str = r#"{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}"#;

#[tokio::test(flavor = "multi_thread")]
async fn scenario_1_the_crash_course_runs_from_apply_to_nothing_left() {
    let course = Namespace("ml-course");
    kubectl(&["apply", "-k", &sample("crash-course")]);
    course.wait_ready(&["iris"]);
    let url = format!("http://{}:30080", node_address());

    serves_the_seeds_own_request(&course, &url);
    scores_a_batch_of_five(&course).await;
    asks_for_the_key(&course, &url).await;
    says_that_no_node_has_a_gpu(&course).await;
    scales_up_under_load_and_down_after(&course, &url).await;
    course.delete().await;
}

fn serves_the_seeds_own_request(course: &Namespace, url: &str) {
    assert_eq!(http(&format!("{url}/health"), &[]).json(), json!({"status": "ok"}));
    let answer = post(&format!("{url}/predict"), FLOWER, &[]);
    let prediction = answer.json();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!((&prediction["species_index"], &prediction["species_name"]), (&json!(0), &json!("setosa")));
    assert!(answer.header("x-mlpipeline-pod").is_some_and(|pod| pod.starts_with("iris-api-")), "{answer:?}");
    assert!(http(&format!("{url}/docs"), &[]).body.contains("sepal_length"));

    let deployment = course.get("deployment/iris-api");
    assert_eq!(
        deployment["spec"]["template"]["spec"]["containers"][0]["resources"],
        json!({"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"}})
    );
    let scaler = &course.get("hpa/iris-api")["spec"];
    assert_eq!((&scaler["minReplicas"], &scaler["maxReplicas"]), (&json!(2), &json!(5)));
    assert_eq!(course.get("cronjob/iris-synthetic")["spec"]["schedule"], "*/5 * * * *");
}

/// Both schedules fire at once when somebody asks for it, as `kubectl create job --from` does.
async fn scores_a_batch_of_five(course: &Namespace) {
    course.kubectl(&["create", "job", "rows-now", "--from=cronjob/iris-synthetic"]);
    course
        .wait_status("iris", "the synthetic rows are there", |status| status["steps"][3]["state"] == "Done")
        .await;
    wait_until("the schedule of the predictions is set up", PATIENCE, async || {
        course.try_kubectl(&["get", "cronjob/iris-batch"])
    })
    .await;
    course.kubectl(&["create", "job", "batch-now", "--from=cronjob/iris-batch"]);
    let status = course
        .wait_status("iris", "the predictions are there", |status| status["steps"][4]["state"] == "Done")
        .await;
    let rows: Vec<f64> = ["setosa", "versicolor", "virginica"]
        .iter()
        .filter_map(|species| status["steps"][4]["metrics"][format!("rows_{species}")].as_f64())
        .collect();
    assert_eq!((rows.len(), rows.iter().sum()), (3, 5.0), "{status}");
}

async fn asks_for_the_key(course: &Namespace, url: &str) {
    let before = (course.jobs("data"), course.jobs("train"));
    for file in ["configmap.yaml", "secret.yaml", "with-api-key.yaml"] {
        kubectl(&["apply", "-f", &sample(&format!("crash-course/{file}"))]);
    }
    let predict = format!("{url}/predict");
    wait_until("who sends no key is turned away", PATIENCE, async || {
        match post(&predict, FLOWER, &[]).status {
            401 => Ok(()),
            other => Err(other.to_string()),
        }
    })
    .await;
    course.wait_ready(&["iris"]);
    assert_eq!(post(&predict, FLOWER, &["x-api-key: super-secret-api-key"]).status, 200);
    assert_eq!(post(&predict, FLOWER, &["x-api-key: another"]).status, 401);
    assert_eq!((course.jobs("data"), course.jobs("train")), before, "a key is no reason to train again");
    let seen = course.kubectl(&["get", "mlp,deployments,pods,events", "-o", "yaml"]);
    assert!(!seen.contains("super-secret-api-key"), "S7: the key stands in an object");
}

async fn says_that_no_node_has_a_gpu(course: &Namespace) {
    kubectl(&["apply", "-f", &sample("crash-course/gpu-train.yaml")]);
    let status = course
        .wait_status("gpu-train", "the missing GPU is named", |status| {
            status["steps"][0]["message"].as_str().is_some_and(|message| message.contains("nvidia.com/gpu"))
        })
        .await;
    let ready = status["conditions"].as_array().unwrap().iter().find(|one| one["type"] == "Ready").unwrap();
    assert_eq!((&ready["status"], &ready["reason"]), (&json!("False"), &json!("Unschedulable")), "{status}");
    let job = course.get(&format!("job/{}", course.jobs("gpu-train")[0]));
    assert_eq!(
        job["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"],
        json!({"nvidia.com/gpu": "1"})
    );
}

async fn scales_up_under_load_and_down_after(course: &Namespace, url: &str) {
    let replicas = || course.get("deployment/iris-api")["status"]["readyReplicas"].as_i64().unwrap_or(0);
    let rows = format!("[{}]", vec![FLOWER; 5000].join(","));
    let load = Load::start(url, &rows, &["x-api-key: super-secret-api-key"], 8);
    wait_until("the autoscaler adds pods under load", PATIENCE, async || {
        let scaler = course.get("hpa/iris-api")["status"].to_string();
        if replicas() > 2 { Ok(()) } else { Err(scaler) }
    })
    .await;
    let tally = load.stop();
    assert!(tally.answered > 0 && tally.failed.is_empty(), "{tally:?}");
    wait_until("the autoscaler takes them away again", PATIENCE, async || match replicas() {
        2 => Ok(()),
        other => Err(format!("{other} replicas")),
    })
    .await;
}
