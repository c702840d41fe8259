//! SIGKILL in the middle of scenarios, to everything that takes part. Only on the node of `make cluster`, whose processes are ours
//! to kill; run alone, since every other test would suffer with it.

use std::process::Command;

use mlpipeline_tests::{programs, wait_until};

use crate::bed::{Namespace, PATIENCE, kubectl, node_address, post, sample, try_http, try_kubectl};
use crate::k8s_pipe;

const FLOWER: &str = r#"{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}"#;

/// Kills a process of the node at once, and starts it again.
fn kill_and_restart(process: &str) {
    run("kill.sh", &["program", process]);
    run("up.sh", &[]);
}

/// Kills all replicas of the operator at once. The kubelet starts them again, after a while where it was not the first time: then
/// there may be none to kill.
fn kill_operator() {
    kill_in_pods("^/bin/mlpipeline-operator");
}

/// Kills every process of the node's pods whose command line matches, if there is any; never another one of this machine.
fn kill_in_pods(pattern: &str) {
    run("kill.sh", &["pods", pattern]);
}

/// Runs a script of the node.
fn run(script: &str, arguments: &[&str]) {
    let path = programs::repository().join("tests/cluster").join(script);
    let output = Command::new(path).args(arguments).output().expect("the script is there");
    assert!(output.status.success(), "{script} {arguments:?}: {output:?}");
}

/// Waits until a step has a Job, and kills its pods as they are.
async fn kill_pods_of(namespace: &Namespace, step: &str) {
    wait_until("a Job is there", PATIENCE, async || {
        if namespace.jobs(step).is_empty() { Err("no Job".to_owned()) } else { Ok(()) }
    })
    .await;
    let selector = format!("mlpipeline.dev/step={step}");
    namespace.kubectl(&["delete", "pods", "-l", &selector, "--force", "--grace-period=0"]);
}

#[tokio::test]
async fn faults_scenario_1_survives_a_kill_of_everything_that_takes_part() {
    let course = Namespace("ml-course");
    kubectl(&["apply", "-k", &sample("crash-course")]);
    kill_pods_of(&course, "data").await;
    kill_operator();
    kill_and_restart("kubelet");
    kill_pods_of(&course, "train").await;
    kill_and_restart("kube-apiserver");
    kill_operator();
    course.wait_ready(&["iris"]);

    // Once each, whatever was killed: S1 and L2.
    assert_eq!((course.jobs("data").len(), course.jobs("train").len()), (1, 1));
    let answer = post(&format!("http://{}:30080/predict", node_address()), FLOWER, &[]);
    assert_eq!(answer.json()["species_name"], "setosa", "{answer:?}");

    // What serves goes on serving while nobody watches over it. (An API server that is away for forty seconds, as on a busy
    // machine, has Kubernetes itself take the node for dead, until the kubelet is heard again.)
    kill_operator();
    kill_and_restart("kube-apiserver");
    kill_and_restart("etcd");
    let url = format!("http://{}:30080/health", node_address());
    wait_until("predictions are answered", PATIENCE, async || try_http(&url, &[])).await;
    course.wait_ready(&["iris"]);
    course.delete().await;
}

#[tokio::test]
async fn faults_scenario_3_survives_a_kill_of_everything_that_takes_part() {
    let namespace = Namespace("k8s-pipe");
    k8s_pipe::apply(&namespace);
    for (number, step) in k8s_pipe::CONTINUOUS.iter().enumerate() {
        k8s_pipe::drop_listing(&namespace, number).await;
        kill_operator();
        let selector = format!("mlpipeline.dev/step={step}");
        namespace.kubectl(&["delete", "pods", "-l", &selector, "--force", "--grace-period=0"]);
        // The worker's own process too, as if the kernel had taken it.
        kill_in_pods("^/bin/mlpipeline-worker.*k8s-pipe");
        kill_and_restart(["kubelet", "kube-apiserver", "containerd"][number]);
    }
    // Each kill of a sender may cost one answer.
    k8s_pipe::all_rows_are_posted(&namespace, 6).await;
    namespace.wait_ready(&["k8s-pipe"]);
    namespace.delete().await;
}

#[tokio::test]
async fn faults_scenario_6_a_retraining_survives_a_kill_of_everything_that_takes_part() {
    let namespace = Namespace("mlops");
    kubectl(&["apply", "-k", &sample("mlops")]);
    namespace.kubectl(&["rollout", "status", "deployment/measurements", "--timeout=120s"]);
    wait_until("the schedule is set up", PATIENCE, async || {
        namespace.try_kubectl(&["create", "job", "night", "--from=cronjob/flowers-data"])
    })
    .await;
    kill_operator();
    kill_and_restart("kube-controller-manager");
    kill_pods_of(&namespace, "train").await;
    kill_and_restart("kube-apiserver");
    kill_and_restart("kubelet");
    namespace.wait_ready(&["flowers"]);
    let trained = namespace.jobs("train");

    // A roll-out cut off in the middle.
    let patch = r#"[{"op": "replace", "path": "/spec/steps/1/train/algorithm/logisticRegression/alpha", "value": 0.5}]"#;
    namespace.kubectl(&["patch", "mlp", "flowers", "--type", "json", "--patch", patch]);
    wait_until("the edit is trained", PATIENCE, async || match namespace.jobs("train") {
        more if more.len() > trained.len() => Ok(()),
        same => Err(format!("{same:?}")),
    })
    .await;
    kill_operator();
    kill_and_restart("kube-apiserver");
    let status = namespace
        .wait_status("flowers", "the edited model serves", |status| {
            status["steps"][2]["state"] == "Serving" && status["observedGeneration"] == 2
        })
        .await;
    assert_eq!(namespace.jobs("train").len(), trained.len() + 1, "S1: {status}");
    let answer = post(&format!("http://{}:30082/predict", node_address()), FLOWER, &[]);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(try_kubectl(&["get", "--raw", "/readyz"]).is_ok());
    namespace.delete().await;
}
