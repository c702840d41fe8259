//! Kubernetes' own scheduler, for beds that have nodes.

use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kube::Api;
use kube::api::PostParams;
use serde_json::json;

use super::{ControlPlane, Identity, tools};
use crate::process::Process;

impl ControlPlane {
    /// Starts kube-scheduler as a service account of this name that may do everything, and gives that.
    ///
    /// # Errors
    /// Says which program is missing.
    ///
    /// # Panics
    /// On a cluster that was given: it has a scheduler.
    pub async fn start_scheduler(&mut self, name: &str) -> Result<Identity, String> {
        let client = self.client().await;
        // Of this group the audit log says no more than who did what.
        let account = self.service_account("kube-system", name).await;
        let binding = serde_json::from_value(json!({
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "kube-system"}],
        }));
        let binding: ClusterRoleBinding = binding.map_err(|error| error.to_string())?;
        let bound = Api::all(client).create(&PostParams::default(), &binding).await;
        bound.map_err(|error| format!("{name} gets no rights: {error}"))?;
        // The scheduler's own limit of 50 calls a second would hide what is measured.
        let configuration = json!({
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "leaderElection": {"leaderElect": false},
            "clientConnection": {"kubeconfig": account.kubeconfig().display().to_string(), "qps": 2000, "burst": 3000},
        });
        let configuration = self.folder.write("scheduler.json", &configuration.to_string())?;
        let arguments = [format!("--config={}", configuration.display()), "--secure-port=0".to_owned()];
        let process = Process::start(&tools::find("kube-scheduler")?, &arguments, self.folder.path(), None)?;
        self.server.as_mut().expect("a given cluster has a scheduler of its own").add(process);
        Ok(account)
    }
}
