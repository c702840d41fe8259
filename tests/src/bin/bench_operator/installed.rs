//! The shipped operator under its shipped rights, as a process whose use of the machine can be read.

use std::process::Stdio;
use std::time::Duration;

use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::{GroupVersionKind, TypeMeta};
use kube::{Api, discovery};
use mlpipeline_tests::control_plane::ControlPlane;
use mlpipeline_tests::programs;
use tokio::process::{Child, Command};

/// What it takes to install the operator, in order.
const MANIFESTS: [&str; 5] = [
    "manager/namespace.yaml",
    "rbac/service-account.yaml",
    "rbac/operator-role.yaml",
    "rbac/operator-binding.yaml",
    "rbac/leader-election.yaml",
];
const NAMESPACE: &str = "mlpipeline-system";

/// A running operator.
pub struct Installed {
    /// The user that the API server knows it by.
    pub user: String,
    program: Child,
}

impl Installed {
    /// Applies the shipped manifests and starts the program with the shipped arguments.
    pub async fn start(control_plane: &ControlPlane) -> Self {
        for file in MANIFESTS {
            let path = programs::repository().join("deploy/config").join(file);
            for document in std::fs::read_to_string(path).unwrap().split("\n---\n") {
                apply(control_plane, document).await;
            }
        }
        let account = control_plane.service_account(NAMESPACE, "mlpipeline-operator").await;
        let log = std::fs::File::create(control_plane.folder().join("operator.log")).unwrap();
        let program = Command::new(programs::path("mlpipeline-operator"))
            .args(["--leader-elect", "--lease-namespace", NAMESPACE])
            .args(["--health-address", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0"])
            .env("KUBECONFIG", account.kubeconfig())
            .env_remove("RUST_LOG")
            .stderr(Stdio::from(log))
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { user: account.username().to_owned(), program }
    }

    /// The processor time that it has used so far, in its own code and in the kernel for it.
    pub fn cpu(&self) -> Duration {
        let text = self.proc("stat");
        // The name of the program, in parentheses, may hold anything.
        let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        // A tick is a hundredth of a second on every Linux that a program may ask.
        Duration::from_millis(ticks * 10)
    }

    /// The most memory that it has held, in MB.
    pub fn peak_memory(&self) -> f64 {
        self.memory("VmHWM:")
    }

    /// The memory that it holds now, in MB.
    pub fn memory_now(&self) -> f64 {
        self.memory("VmRSS:")
    }

    fn memory(&self, field: &str) -> f64 {
        let text = self.proc("status");
        let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0 / 1e6
    }

    fn proc(&self, file: &str) -> String {
        let id = self.program.id().expect("the operator runs");
        std::fs::read_to_string(format!("/proc/{id}/{file}")).unwrap()
    }
}

async fn apply(control_plane: &ControlPlane, document: &str) {
    let object: DynamicObject = serde_saphyr::from_str(document).unwrap();
    let TypeMeta { api_version, kind } = object.types.clone().unwrap();
    let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
    let client = control_plane.client().await;
    let kind = GroupVersionKind::gvk(group, version, &kind);
    let (resource, _) = discovery::pinned_kind(&client, &kind).await.unwrap();
    let api: Api<DynamicObject> = match &object.metadata.namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    let name = object.metadata.name.clone().unwrap();
    api.patch(&name, &PatchParams::apply("bench").force(), &Patch::Apply(&object)).await.unwrap();
}
