//! Kueue admits the runs of pipelines: it holds their Jobs back until a queue has room, and takes the room back while they run. `make kueue`
//! brings it to the node; it is too long to build for every change.

use std::time::Duration;

use mlpipeline_tests::wait_until;
use serde_json::{Value, json};

use crate::bed::{Namespace, TIMEOUT, kubectl};

const QUEUE: &str = "clusterqueue/pipelines";

#[tokio::test]
async fn kueue_admits_the_runs_of_pipelines_and_takes_them_back() {
    let namespace = Namespace("kueue-test");
    let folder = tempfile::tempdir().expect("a folder");
    kubectl(&["create", "namespace", namespace.0]);
    apply(folder.path(), &queues());

    // No room: the Job waits, and nobody takes that for a failure.
    apply(folder.path(), &[pipeline("chain", &["one", "two"], "true")]);
    let held = job(&namespace, "one").await;
    assert_eq!(held["spec"]["suspend"], true, "{held}");
    assert_eq!(namespace.kubectl(&["get", "pods", "-o", "name"]), "");
    namespace
        .wait_status("chain", "a run that waits is in progress", |status| {
            holds(status, "Reconciling") && !holds(status, "Stalled") && !holds(status, "Ready")
        })
        .await;

    room("100m");
    namespace.wait_ready(&["chain"]);
    for step in ["one", "two"] {
        assert_eq!(namespace.jobs(step).len(), 1, "a run that was held back is the same run");
    }
    wait_until("each run took its turn in the queue", TIMEOUT, async || match finished(&namespace) {
        2 => Ok(()),
        other => Err(format!("{other} finished workloads")),
    })
    .await;

    // Room for one at a time: the second pipeline's run waits for the end of the first one's.
    apply(folder.path(), &[pipeline("first", &["long"], "trap exit TERM; sleep 3600 & wait")]);
    running(&namespace, "long").await;
    apply(folder.path(), &[pipeline("second", &["short"], "true")]);
    assert_eq!(job(&namespace, "short").await["spec"]["suspend"], true);

    // The room is taken back: the run stops, is not a failure, and is the one that continues.
    stop("HoldAndDrain");
    wait_until("the run is suspended, and its pod is gone", TIMEOUT, async || {
        let job = job(&namespace, "long").await;
        let pods = namespace.pods("long")?;
        if job["spec"]["suspend"] == true && pods.is_empty() {
            Ok(())
        } else {
            Err(format!("{job} {pods:?}"))
        }
    })
    .await;
    let status = namespace.get("mlp/first")["status"].take();
    assert!(!holds(&status, "Stalled") && !holds(&status, "Ready"), "{status}");
    stop("None");
    room("200m");
    running(&namespace, "long").await;
    namespace.wait_ready_within(Duration::from_secs(120), &["second"]);
    assert_eq!(namespace.jobs("long").len(), 1, "S1: {status}");
    namespace.delete().await;
    kubectl(&["delete", QUEUE, "resourceflavor/any"]);
}

fn apply(folder: &std::path::Path, objects: &[Value]) {
    let file = folder.join("objects.json");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    std::fs::write(&file, list.to_string()).expect("written");
    kubectl(&["apply", "--server-side", "-f", file.to_str().expect("a path")]);
}

/// A queue without room, which is the one of every Job of the namespace that names none.
fn queues() -> [Value; 3] {
    let version = "kueue.x-k8s.io/v1beta2";
    let none = json!({"name": "cpu", "nominalQuota": "0"});
    [
        json!({"apiVersion": version, "kind": "ResourceFlavor", "metadata": {"name": "any"}}),
        json!({"apiVersion": version, "kind": "ClusterQueue", "metadata": {"name": "pipelines"}, "spec": {
            "namespaceSelector": {},
            "resourceGroups": [{"coveredResources": ["cpu"], "flavors": [{"name": "any", "resources": [none]}]}],
        }}),
        json!({"apiVersion": version, "kind": "LocalQueue", "metadata": {"name": "default", "namespace": "kueue-test"},
            "spec": {"clusterQueue": "pipelines"}}),
    ]
}

/// Steps that run a line of shell, one after the other, each with a tenth of a processor.
fn pipeline(name: &str, steps: &[&str], line: &str) -> Value {
    let steps = steps.iter().enumerate().map(|(at, step)| {
        let after: Vec<&str> = (at > 0).then(|| steps[at - 1]).into_iter().collect();
        json!({
            "name": step, "after": after, "run": {"image": "busybox:1.35", "command": ["sh", "-c", line]},
            "pod": {"resources": {"requests": {"cpu": "100m"}}},
        })
    });
    json!({
        "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline",
        "metadata": {"name": name, "namespace": "kueue-test"}, "spec": {"steps": steps.collect::<Vec<_>>()},
    })
}

fn room(cpu: &str) {
    let path = "/spec/resourceGroups/0/flavors/0/resources/0/nominalQuota";
    let patch = json!([{"op": "replace", "path": path, "value": cpu}]);
    kubectl(&["patch", QUEUE, "--type", "json", "--patch", &patch.to_string()]);
}

fn stop(policy: &str) {
    let patch = json!({"spec": {"stopPolicy": policy}});
    kubectl(&["patch", QUEUE, "--type", "merge", "--patch", &patch.to_string()]);
}

fn holds(status: &Value, kind: &str) -> bool {
    let conditions = status["conditions"].as_array().into_iter().flatten();
    conditions.clone().any(|one| one["type"] == kind && one["status"] == "True")
}

/// The only Job of a step, once it is there.
async fn job(namespace: &Namespace, step: &str) -> Value {
    let name = wait_until("the step has a Job", TIMEOUT, async || match namespace.jobs(step).as_slice() {
        [name] => Ok(name.clone()),
        other => Err(format!("{other:?}")),
    })
    .await;
    namespace.get(&format!("job/{name}"))
}

async fn running(namespace: &Namespace, step: &str) {
    wait_until("a pod of the step runs", TIMEOUT, async || {
        let pods = namespace.pods(step)?;
        if pods.iter().any(|pod| pod.phase == "Running") { Ok(()) } else { Err(format!("{pods:?}")) }
    })
    .await;
}

/// How many of Kueue's own objects for Jobs are finished.
fn finished(namespace: &Namespace) -> usize {
    let list = namespace.get("workloads.kueue.x-k8s.io");
    list["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|workload| holds(&workload["status"], "Finished"))
        .count()
}
