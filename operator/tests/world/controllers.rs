//! The rest of a cluster, in small: Jobs get a pod that ends, Deployments get ready pods, claims get bound.

use std::collections::BTreeMap;
use std::time::Duration;

use mlpipeline_crds::{Revision, StepReport};
use serde_json::{Value, json};

use super::World;
use super::state::{Key, State};

/// How long each stage of a pod takes.
const TICK: Duration = Duration::from_millis(500);

/// How the pods of a step end; well where nothing is said.
#[derive(Clone, Default)]
pub struct Script {
    /// (exit code, report) by step.
    pub failing: BTreeMap<String, (i32, StepReport)>,
    /// Steps whose pods never end.
    pub endless: Vec<String>,
    /// Steps whose pods no node takes.
    pub unschedulable: Vec<String>,
}

impl World {
    /// Lets the cluster's controllers run until the test ends.
    pub fn start_controllers(&self, script: Script) {
        let world = self.clone();
        tokio::spawn(async move {
            loop {
                world.with(|state| step(state, &script));
                tokio::time::sleep(TICK).await;
            }
        });
    }

    /// A CronJob fires.
    pub fn fire(&self, cron_job: &str) {
        self.with(|state| {
            let key = Key::new("cronjobs", "ns", cron_job);
            let cron = state.objects[&key].clone();
            let name = format!("{cron_job}-{}", state.version);
            let mut job = cron["spec"]["jobTemplate"].clone();
            job["apiVersion"] = json!("batch/v1");
            job["kind"] = json!("Job");
            job["metadata"]["ownerReferences"] = owner("batch/v1", "CronJob", &cron);
            state.create(&Key::new("jobs", "ns", &name), job);
        });
    }
}

fn step(state: &mut State, script: &Script) {
    let all = |state: &State, resource: &str| -> Vec<(Key, Value)> {
        let found = state.objects.iter().filter(|(key, _)| key.resource == resource);
        found.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    for (key, job) in all(state, "jobs") {
        run_job(state, script, &key, &job);
    }
    for (key, deployment) in all(state, "deployments") {
        roll_out(state, &key, &deployment);
    }
    for (key, claim) in all(state, "persistentvolumeclaims") {
        if claim["status"]["phase"].is_null() {
            state.edit(&key, |claim| claim["status"]["phase"] = json!("Bound"));
        }
    }
    for (_, autoscaler) in all(state, "horizontalpodautoscalers") {
        let name = autoscaler["spec"]["scaleTargetRef"]["name"].as_str().expect("a name");
        let fewest = autoscaler["spec"]["minReplicas"].as_i64().unwrap_or(1);
        state.edit(&Key::new("deployments", "ns", name), |deployment| {
            if deployment["spec"]["replicas"].as_i64().unwrap_or(1) < fewest {
                deployment["spec"]["replicas"] = json!(fewest);
            }
        });
    }
}

/// A stage a tick: a pod, a running pod, ended containers, an ended pod, an ended Job.
fn run_job(state: &mut State, script: &Script, key: &Key, job: &Value) {
    if !job["status"]["conditions"].is_null() {
        return;
    }
    let pod_key = Key::new("pods", &key.namespace, &format!("{}-pod", key.name));
    let labels = &job["spec"]["template"]["metadata"]["labels"];
    let step = labels["mlpipeline.dev/step"].as_str().unwrap_or_default();
    let time = json!(state.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    let Some(pod) = state.objects.get(&pod_key).cloned() else {
        let metadata = json!({"labels": labels, "ownerReferences": owner("batch/v1", "Job", job)});
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": job["spec"]["template"]["spec"],
            "status": {"phase": "Pending"},
        });
        state.create(&pod_key, pod);
        state.edit(key, |job| job["status"] = json!({"active": 1, "startTime": time}));
        return;
    };
    match pod["status"]["phase"].as_str() {
        Some("Pending") if script.unschedulable.iter().any(|name| name == step) => {
            let unscheduled = json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]);
            if pod["status"]["conditions"] != unscheduled {
                state.edit(&pod_key, |pod| pod["status"]["conditions"] = unscheduled);
            }
        }
        Some("Pending") => {
            let status = json!({"phase": "Running", "containerStatuses": [container(&json!({"running": {"startedAt": time}}))]});
            state.edit(&pod_key, |pod| pod["status"] = status);
        }
        Some("Running") if is_over(&pod) => {
            let code = &pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"];
            let phase = if code == 0 { "Succeeded" } else { "Failed" };
            state.edit(&pod_key, |pod| pod["status"]["phase"] = json!(phase));
        }
        Some("Running") if script.endless.iter().any(|name| name == step) => {}
        Some("Running") => {
            let (code, report) = script.failing.get(step).cloned().unwrap_or_else(|| (0, report(labels)));
            let ended =
                json!({"terminated": {"exitCode": code, "finishedAt": time, "message": report.to_json()}});
            // The kubelet cleans up before it says how the pod ended.
            let status = json!({"phase": "Running", "containerStatuses": [container(&ended)]});
            state.edit(&pod_key, |pod| pod["status"] = status);
        }
        phase => {
            let (condition, field) =
                if phase == Some("Succeeded") { ("Complete", "succeeded") } else { ("Failed", "failed") };
            let conditions = json!([{"type": condition, "status": "True", "lastTransitionTime": time}]);
            let started = job["status"]["startTime"].clone();
            state.edit(key, |job| {
                job["status"] = json!({field: 1, "startTime": started, "conditions": conditions});
                if phase == Some("Succeeded") {
                    job["status"]["completionTime"] = time;
                }
            });
        }
    }
}

fn is_over(pod: &Value) -> bool {
    !pod["status"]["containerStatuses"][0]["state"]["terminated"].is_null()
}

fn container(container_state: &Value) -> Value {
    json!({"name": "worker", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": container_state})
}

fn report(labels: &Value) -> StepReport {
    let key = labels["mlpipeline.dev/revision"].as_str().and_then(|text| Revision::parse(text).ok());
    let mut report = StepReport::succeeded(key);
    report.metrics.insert("accuracy".into(), 0.973_333_333_333_333_4);
    report
}

fn roll_out(state: &mut State, key: &Key, deployment: &Value) {
    let replicas = deployment["spec"]["replicas"].clone();
    let status = json!({
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": replicas,
    });
    if deployment["status"] != status {
        state.edit(key, |deployment| deployment["status"] = status);
    }
}

fn owner(version: &str, kind: &str, object: &Value) -> Value {
    json!([{
        "apiVersion": version, "kind": kind, "controller": true,
        "name": object["metadata"]["name"], "uid": object["metadata"]["uid"],
    }])
}
