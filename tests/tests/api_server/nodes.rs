//! Three nodes on a control plane of the test's own: Kubernetes' scheduler and controllers decide, and this stands for the kubelets. A node can
//! be lost: then nothing more comes from it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, PersistentVolume, Pod};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use mlpipeline_tests::control_plane::{ControlPlane, Settings};
use mlpipeline_tests::wait_until;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::task::JoinHandle;

use super::kubelet::{self, Script};
use super::operator_bed::LONG;

/// The nodes.
pub const NODES: [&str; 3] = ["one", "two", "three"];

/// A cluster of three nodes. The kubelets end when it is dropped.
pub struct Cluster {
    pub control_plane: &'static ControlPlane,
    client: Client,
    kubelets: JoinHandle<()>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    lost: BTreeSet<String>,
    script: Script,
    /// Steps whose Jobs' pods begin and do not end.
    endless: BTreeSet<String>,
    /// Whether a node has room for hundreds of pods. On large nodes the scheduler's scores hardly differ, and it spreads less.
    large: bool,
}

impl Cluster {
    pub async fn start() -> Self {
        Self::of(State::default()).await
    }

    /// One whose nodes have room for hundreds of pods.
    pub async fn large() -> Self {
        Self::of(State { large: true, ..State::default() }).await
    }

    async fn of(state: State) -> Self {
        let settings = Settings { lost_nodes: Some((5, 1)), ..Settings::default() };
        let mut control_plane = ControlPlane::start(settings).await.unwrap();
        control_plane.start_scheduler("scheduler").await.unwrap();
        // The bed holds it as the shared one, which lasts as long as the process.
        let control_plane: &'static ControlPlane = Box::leak(Box::new(control_plane));
        let client = control_plane.client().await;
        let nodes: Api<Node> = Api::all(client.clone());
        for name in NODES {
            let node = json!({"metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}});
            nodes.create(&PostParams::default(), &serde_json::from_value(node).unwrap()).await.unwrap();
        }
        let state = Arc::new(Mutex::new(state));
        let kubelets = tokio::spawn(work(client.clone(), Arc::clone(&state)));
        let cluster = Self { control_plane, client, kubelets, state };
        for name in NODES {
            wait_until(&format!("node {name} to take pods"), LONG, async || {
                let node = cluster.node(name).await;
                let taints = node.spec.and_then(|spec| spec.taints).unwrap_or_default();
                if taints.is_empty() { Ok(()) } else { Err(format!("{taints:?}")) }
            })
            .await;
        }
        cluster
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on nothing comes from this node.
    pub fn lose(&self, node: &str) {
        self.state().lost.insert(node.to_owned());
    }

    /// Lets pods of a step's Jobs begin, and not end.
    pub fn is_endless(&self, step: &str, endless: bool) {
        let mut state = self.state();
        if endless {
            state.endless.insert(step.to_owned())
        } else {
            state.endless.remove(step)
        };
    }

    /// Lets pods that come, and are to run all the time, stay as they are; or become ready.
    pub fn holds_pods(&self, holds: bool) {
        self.state().script.holds = holds;
    }

    pub async fn node(&self, name: &str) -> Node {
        Api::all(self.client.clone()).get(name).await.unwrap()
    }

    /// Says of a lost node that it will not come back, as people and cloud controllers do: its pods and volumes can move.
    pub async fn is_gone_for_good(&self, node: &str) {
        let taint = json!({"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"});
        let mut taints = json!(self.node(node).await.spec.and_then(|spec| spec.taints).unwrap_or_default());
        taints.as_array_mut().unwrap().push(taint);
        let tainted = Patch::Merge(json!({"spec": {"taints": taints}}));
        Api::<Node>::all(self.client.clone()).patch(node, &PatchParams::default(), &tainted).await.unwrap();
    }

    /// A volume that a claim of these modes is bound to, on any node.
    pub async fn add_volume(&self, name: &str, modes: &[&str]) {
        let volume = json!({"metadata": {"name": name}, "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": modes, "hostPath": {"path": "/nowhere"},
        }});
        let volume: PersistentVolume = serde_json::from_value(volume).unwrap();
        Api::all(self.client.clone()).create(&PostParams::default(), &volume).await.unwrap();
    }

    /// Drains a node as people do, and returns what kubectl says.
    pub async fn drain(&self, node: &str) -> Result<String, String> {
        let output = Command::new(self.control_plane.program("kubectl"))
            .env("KUBECONFIG", self.control_plane.admin().kubeconfig())
            .env("HOME", self.control_plane.folder())
            .args(["drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=90s"])
            .output()
            .await
            .unwrap();
        let said =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        if output.status.success() { Ok(said) } else { Err(said) }
    }

    /// What the scheduler says of a step's pods, for a test that fails.
    pub async fn said_of(&self, namespace: &str, step: &str) -> String {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let of_step = ListParams::default().labels(&format!("mlpipeline.dev/step={step}"));
        let pods = pods.list(&of_step).await.unwrap().items.into_iter();
        let said = pods.map(|pod| {
            let name = pod.name_any();
            format!(
                "{name} on {:?}, ends {:?}: {:?}",
                pod.spec.and_then(|spec| spec.node_name),
                pod.metadata.deletion_timestamp,
                pod.status
            )
        });
        said.collect::<Vec<_>>().join("; ")
    }

    /// The nodes of the ready pods of a step.
    pub async fn nodes_of(&self, namespace: &str, step: &str) -> Vec<String> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let of_step = ListParams::default().labels(&format!("mlpipeline.dev/step={step}"));
        let pods = pods.list(&of_step).await.unwrap().items.into_iter();
        let ready = pods.filter(|pod| pod.metadata.deletion_timestamp.is_none() && is_running(pod));
        let mut nodes: Vec<String> = ready.filter_map(|pod| pod.spec?.node_name).collect();
        nodes.sort();
        nodes
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kubelets.abort();
    }
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

fn is_running(pod: &Pod) -> bool {
    phase(pod) == "Running"
}

async fn work(client: Client, state: Arc<Mutex<State>>) {
    // However many pods there are to play: a node without a sign of life for seconds is lost.
    tokio::join!(live(&client, &state), play_all(&client, &state));
}

/// Gives signs of life of all nodes but those that are lost.
async fn live(client: &Client, state: &Mutex<State>) {
    let nodes: Api<Node> = Api::all(client.clone());
    loop {
        let (lost, large) = {
            let state = state.lock().unwrap_or_else(PoisonError::into_inner);
            (state.lost.clone(), state.large)
        };
        for name in NODES.iter().filter(|name| !lost.contains(**name)) {
            let sign = Patch::Merge(json!({ "status": sign_of_life(large) }));
            let _ = nodes.patch_status(name, &PatchParams::default(), &sign).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn play_all(client: &Client, state: &Mutex<State>) {
    let all_pods: Api<Pod> = Api::all(client.clone());
    loop {
        let lost = state.lock().unwrap_or_else(PoisonError::into_inner).lost.clone();
        let pods = all_pods.list(&ListParams::default()).await.map(|list| list.items).unwrap_or_default();
        for pod in pods {
            let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone());
            if node.is_some_and(|node| !lost.contains(&node)) {
                play(client, &pod, state).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn sign_of_life(large: bool) -> Value {
    let now = k8s_openapi::jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let amounts = if large {
        json!({"cpu": "100", "memory": "500Gi", "pods": "1000"})
    } else {
        json!({"cpu": "8", "memory": "16Gi", "pods": "110"})
    };
    let conditions = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"].map(|kind| {
        let status = if kind == "Ready" { "True" } else { "False" };
        json!({"type": kind, "status": status, "lastHeartbeatTime": now, "reason": "Played"})
    });
    json!({"capacity": amounts, "allocatable": amounts, "conditions": conditions})
}

/// What the kubelet of a pod's node does about it.
async fn play(client: &Client, pod: &Pod, state: &Mutex<State>) {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &pod.namespace().unwrap_or_default());
    if pod.metadata.deletion_timestamp.is_some() {
        let _ = pods.delete(&pod.name_any(), &DeleteParams::default().grace_period(0)).await;
        return;
    }
    let of_job = pod.owner_references().iter().any(|owner| owner.kind == "Job");
    let next = {
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let step = pod.labels().get("mlpipeline.dev/step").map(String::as_str).unwrap_or_default();
        let is_endless = of_job && state.endless.contains(step);
        match phase(pod) {
            "Pending" if is_endless => Some(json!({"phase": "Running"})),
            "Pending" => kubelet::next(pod, &state.script),
            "Running" if of_job && !is_endless => kubelet::next(pod, &state.script),
            _ => None,
        }
    };
    if let Some(status) = next {
        let status = Patch::Merge(json!({ "status": status }));
        let _ = pods.patch_status(&pod.name_any(), &PatchParams::default(), &status).await;
    }
}
