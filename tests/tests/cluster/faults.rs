//! SIGKILL in the middle of scenarios, to everything that takes part. Only on the node of `make cluster`, whose processes are ours
//! to kill; run alone, since every other test would suffer with it.

use mlpipeline_tests::wait_until;

use crate::bed::{Namespace, TIMEOUT, http, kubectl, node_address, sample, try_http, try_kubectl};
use crate::k8s_pipe::{Pipe, RUNNING};
use crate::killing::{
    WORKER, kill_and_restart, kill_operator, kill_program, kill_worker, renew_service_rules, were_killed,
};
use crate::load::Load;

const FLOWER: &str = r#"{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}"#;

/// The API server, and who would take the node for dead after it was away for long, or hear of pods late: they begin anew with it.
const CONTROL_PLANE: [&str; 3] = ["kube-controller-manager", "kube-proxy", "kube-apiserver"];

#[tokio::test(flavor = "multi_thread")]
async fn faults_scenario_1_survives_a_kill_of_everything_that_takes_part() {
    let course = Namespace("ml-course");
    kubectl(&["apply", "-k", &sample("crash-course")]);
    kill_worker(&course, "data").await;
    kill_operator().await;
    kill_and_restart(&["kubelet"]).await;
    kill_worker(&course, "train").await;
    kill_and_restart(&CONTROL_PLANE).await;
    kill_operator().await;
    course.wait_ready(&["iris"]);

    // One Job each, of which a pod was killed: S1 and L2.
    for step in ["data", "train"] {
        let jobs = course.jobs(step);
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        let status = &course.get(&format!("job/{}", jobs[0]))["status"];
        assert_eq!(status["succeeded"], 1, "{step}: {status}");
        assert!(status["failed"].as_i64() >= Some(1), "{step}: {status}");
    }
    let url = format!("http://{}:30080", node_address());
    predicts(&url).await;

    // What serves keeps serving while no operator runs: none of it is killed, so no request may fail.
    let load = Load::start(&url, FLOWER, &[], 2);
    kill_operator().await;
    kill_and_restart(&[&CONTROL_PLANE[..], &["etcd"]].concat()).await;
    course.wait_ready(&["iris"]);
    load.stop().all_answered();
    course.delete().await;
}

#[tokio::test]
async fn faults_scenario_3_survives_a_kill_of_everything_that_takes_part() {
    let mut pipe = Pipe::apply();
    for (number, step) in RUNNING.into_iter().enumerate() {
        let program = if step == "api" { "httpd" } else { WORKER };
        let killed = pipe.cut_off(step, |namespace, step| kill_program(namespace, step, program)).await;
        kill_operator().await;
        were_killed(&pipe.namespace, step, &killed).await;
        let programs: [&[&str]; 4] =
            [&["kubelet"], &["kube-apiserver"], &["containerd"], &["etcd", "kube-proxy"]];
        kill_and_restart(programs[number]).await;
    }
    // First: the operator reaches the API server by these rules too.
    renew_service_rules().await;
    pipe.namespace.wait_ready(&["k8s-pipe"]);
    pipe.all_rows_have_come().await;
    pipe.namespace.wait_ready(&["k8s-pipe"]);
    pipe.namespace.delete().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_scenario_6_a_retraining_survives_a_kill_of_everything_that_takes_part() {
    let namespace = Namespace("mlops");
    kubectl(&["apply", "-k", &sample("mlops")]);
    namespace.kubectl(&["rollout", "status", "deployment/measurements", "--timeout=120s"]);
    wait_until("the schedule is set up", TIMEOUT, async || {
        namespace.try_kubectl(&["create", "job", "night", "--from=cronjob/flowers-data"])
    })
    .await;
    kill_operator().await;
    kill_and_restart(&["kube-controller-manager"]).await;
    kill_worker(&namespace, "train").await;
    kill_and_restart(&CONTROL_PLANE).await;
    kill_and_restart(&["kubelet"]).await;
    namespace.wait_ready(&["flowers"]);
    let trained = namespace.jobs("train");
    let url = format!("http://{}:30082", node_address());
    predicts(&url).await;

    // A roll-out cut off in the middle, under load. Nobody kills a pod that serves: those of before go in order, so no request fails.
    let before = namespace.pods("api").expect("pods");
    let load = Load::start(&url, FLOWER, &[], 2);
    let patch = r#"[{"op": "replace", "path": "/spec/steps/1/train/algorithm/logisticRegression/alpha", "value": 0.5}]"#;
    namespace.kubectl(&["patch", "mlp", "flowers", "--type", "json", "--patch", patch]);
    wait_until("a pod of the new model starts", TIMEOUT, async || {
        let pods = namespace.pods("api")?;
        let is_new = pods.iter().any(|pod| before.iter().all(|old| old.uid != pod.uid) && !pod.is_ready);
        if is_new { Ok(()) } else { Err(format!("{pods:?}")) }
    })
    .await;
    kill_operator().await;
    // Not kube-proxy: requests to a pod that ended would fail until the node learns of it, and nothing of ours could help that.
    kill_and_restart(&["kube-controller-manager", "kube-apiserver"]).await;
    let status = namespace
        .wait_status("flowers", "the edited model serves", |status| {
            status["steps"][2]["state"] == "Serving" && status["observedGeneration"] == 2
        })
        .await;
    assert_eq!(namespace.jobs("train").len(), trained.len() + 1, "S1: {status}");
    wait_until("the pods of before are gone", TIMEOUT, async || {
        let pods = namespace.pods("api")?;
        let left = pods.iter().any(|pod| before.iter().any(|old| old.uid == pod.uid));
        if left { Err(format!("{pods:?}")) } else { Ok(()) }
    })
    .await;
    let tally = load.stop();
    tally.all_answered();
    assert_eq!(tally.models.len(), 2, "both models answered in turn: {tally:?}");
    assert!(try_kubectl(&["get", "--raw", "/readyz"]).is_ok());
    namespace.delete().await;
}

/// Waits until predictions are answered, which Kubernetes holds up for a moment when its own parts were away, and looks at one.
async fn predicts(url: &str) {
    wait_until("predictions are answered", TIMEOUT, async || try_http(&format!("{url}/health"), &[])).await;
    let answer =
        http(&format!("{url}/predict"), &["--header", "content-type: application/json", "--data", FLOWER]);
    assert_eq!((answer.status, &answer.json()["species_name"]), (200, &"setosa".into()), "{answer:?}");
}
