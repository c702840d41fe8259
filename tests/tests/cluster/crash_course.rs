//! Scenario 1: the crash course.

use mlpipeline_tests::wait_until;
use serde_json::{Value, json};

use crate::bed::{Namespace, TIMEOUT, http, kubectl, node_address, post, sample, try_http};
use crate::load::Load;

const FLOWER: &str = r#"{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}"#;

#[tokio::test(flavor = "multi_thread")]
async fn scenario_1_the_crash_course_runs_from_apply_to_nothing_left() {
    let course = Namespace("ml-course");
    kubectl(&["apply", "-k", &sample("crash-course")]);
    course.wait_ready(&["iris"]);
    let url = format!("http://{}:30080", node_address());

    // The pods are ready; each node's kube-proxy hears of it a moment later.
    wait_until("the NodePort leads to them", TIMEOUT, async || try_http(&format!("{url}/health"), &[])).await;
    serves_the_seeds_own_request(&course, &url);
    shares_a_volume(&course);
    scores_a_batch_of_five(&course).await;
    asks_for_the_key(&course, &url).await;
    logs_as_the_config_map_says(&course, &url).await;
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
    let service = &course.get("service/iris-api")["spec"];
    assert_eq!((&service["type"], &service["ports"][0]["nodePort"]), (&json!("NodePort"), &json!(30080)));
    let scaler = &course.get("hpa/iris-api")["spec"];
    assert_eq!((&scaler["minReplicas"], &scaler["maxReplicas"]), (&json!(2), &json!(5)));
    let cpu = json!({"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}});
    assert_eq!(scaler["metrics"], json!([{"type": "Resource", "resource": cpu}]));
    assert_eq!(
        scaler["scaleTargetRef"],
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "iris-api"})
    );
}

/// The model lies on one volume of a gibibyte, which who trains and who serves share.
fn shares_a_volume(course: &Namespace) {
    let claims = |template: &Value| -> Vec<String> {
        let volumes = template["spec"]["volumes"].as_array().into_iter().flatten();
        volumes
            .filter_map(|one| one["persistentVolumeClaim"]["claimName"].as_str().map(str::to_owned))
            .collect()
    };
    let trains = claims(&course.get(&format!("job/{}", course.jobs("train")[0]))["spec"]["template"]);
    let serves = claims(&course.get("deployment/iris-api")["spec"]["template"]);
    assert_eq!((trains.len(), &trains), (1, &serves));
    let claim = course.get(&format!("pvc/{}", trains[0]));
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "1Gi");
    assert_eq!(
        (&claim["spec"]["accessModes"], &claim["status"]["phase"]),
        (&json!(["ReadWriteOnce"]), &json!("Bound"))
    );
}

/// Both schedules fire at once when somebody asks for it, as `kubectl create job --from` does.
async fn scores_a_batch_of_five(course: &Namespace) {
    course.kubectl(&["create", "job", "rows-now", "--from=cronjob/iris-synthetic"]);
    course
        .wait_status("iris", "the synthetic rows are there", |status| status["steps"][3]["state"] == "Done")
        .await;
    wait_until("the schedule of the predictions is set up", TIMEOUT, async || {
        course.try_kubectl(&["get", "cronjob/iris-batch"])
    })
    .await;
    for schedule in ["iris-synthetic", "iris-batch"] {
        assert_eq!(course.get(&format!("cronjob/{schedule}"))["spec"]["schedule"], "*/5 * * * *");
    }
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
    wait_until("who sends no key is turned away", TIMEOUT, async || {
        match post(&predict, FLOWER, &[]).status {
            401 => Ok(()),
            other => Err(other.to_string()),
        }
    })
    .await;
    course.wait_ready(&["iris"]);
    assert_eq!(post(&predict, FLOWER, &["x-api-key: super-secret-api-key"]).status, 200);
    // A pod of before may answer for a moment, and asks for no key.
    wait_until("who sends another key is turned away", TIMEOUT, async || {
        match post(&predict, FLOWER, &["x-api-key: another"]).status {
            401 => Ok(()),
            other => Err(other.to_string()),
        }
    })
    .await;
    assert_eq!((course.jobs("data"), course.jobs("train")), before, "a key is no reason to train again");
    let seen = course.kubectl(&["get", "mlp,deployments,pods,events", "-o", "yaml"]);
    assert!(!seen.contains("super-secret-api-key"), "S7: the key stands in an object");
}

/// The pods have the ConfigMap's level, and keep to another when they are started again, as the course does it.
async fn logs_as_the_config_map_says(course: &Namespace, url: &str) {
    let container = &course.get("deployment/iris-api")["spec"]["template"]["spec"]["containers"][0];
    let sources = container["envFrom"].as_array().into_iter().flatten();
    let named: Vec<&str> = sources.filter_map(|source| source["configMapRef"]["name"].as_str()).collect();
    assert_eq!(named, ["iris-api-config"], "{container}");
    assert_eq!(course.get("configmap/iris-api-config")["data"]["LOG_LEVEL"], "info");
    let logs = wait_until("all pods have logs", TIMEOUT, async || course.try_logs("api")).await;
    assert!(logs.contains(r#""level":"INFO""#) && !logs.contains(r#""level":"DEBUG""#), "{logs}");

    let patch = r#"{"data": {"LOG_LEVEL": "debug"}}"#;
    course.kubectl(&["patch", "configmap", "iris-api-config", "--type", "merge", "--patch", patch]);
    course.kubectl(&["rollout", "restart", "deployment/iris-api"]);
    course.kubectl(&["rollout", "status", "deployment/iris-api", "--timeout=120s"]);
    wait_until("requests are logged", TIMEOUT, async || {
        post(&format!("{url}/predict"), FLOWER, &["x-api-key: super-secret-api-key"]);
        let logs = course.try_logs("api")?;
        if logs.contains(r#""message":"answered""#) { Ok(()) } else { Err(logs) }
    })
    .await;
    course.kubectl(&["apply", "-f", &sample("crash-course/configmap.yaml")]);
    course.kubectl(&["rollout", "restart", "deployment/iris-api"]);
    course.kubectl(&["rollout", "status", "deployment/iris-api", "--timeout=120s"]);
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
    wait_until("the autoscaler adds pods under load", TIMEOUT, async || {
        let scaler = course.get("hpa/iris-api")["status"].to_string();
        if replicas() > 2 { Ok(()) } else { Err(scaler) }
    })
    .await;
    let tally = load.stop();
    assert!(tally.answered > 0 && tally.failed.is_empty(), "{tally:?}");
    wait_until("the autoscaler takes them away again", TIMEOUT, async || match replicas() {
        2 => Ok(()),
        other => Err(format!("{other} replicas")),
    })
    .await;
}
