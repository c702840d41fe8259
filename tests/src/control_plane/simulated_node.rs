//! A node on which pods end without ever running: kube-scheduler binds them, and kwok plays their kubelet.

use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::PostParams;
use serde_json::json;

use super::{ControlPlane, tools};
use crate::process::Process;
use crate::wait_until;

const NAME: &str = "simulated";

impl ControlPlane {
    /// Starts kube-scheduler and kwok with a node that takes any number of pods. What becomes of them is said in `stages`, a
    /// file of kwok's Stages.
    ///
    /// # Errors
    /// Says which program is missing.
    ///
    /// # Panics
    /// On a cluster that was given: it has nodes of its own.
    pub async fn simulate_node(&mut self, stages: &Path) -> Result<(), String> {
        let client = self.client().await;
        let account = self.start_scheduler(NAME).await?;
        let kubeconfig = account.kubeconfig().display().to_string();
        let kwok = [
            format!("--kubeconfig={kubeconfig}"),
            format!("--config={}", stages.display()),
            "--manage-all-nodes=true".to_owned(),
            // The node counts as there by its lease alone.
            "--node-lease-duration-seconds=40".to_owned(),
        ];
        let server = self.server.as_mut().expect("a given cluster has nodes of its own");
        server.add(Process::start(&tools::find("kwok")?, &kwok, self.folder.path(), None)?);
        let nodes: Api<Node> = Api::all(client);
        let node = json!({"metadata": {"name": NAME, "annotations": {"kwok.x-k8s.io/node": "fake"}}});
        let node: Node = serde_json::from_value(node).map_err(|error| error.to_string())?;
        let made = nodes.create(&PostParams::default(), &node).await;
        made.map_err(|error| format!("no simulated node: {error}"))?;
        wait_until("the simulated node to be ready", Duration::from_secs(60), async || {
            let node = nodes.get(NAME).await.map_err(|error| error.to_string())?;
            let conditions = node.status.and_then(|status| status.conditions).unwrap_or_default();
            let taints = node.spec.and_then(|spec| spec.taints).unwrap_or_default();
            let ready = conditions.iter().any(|now| now.type_ == "Ready" && now.status == "True");
            if ready && taints.is_empty() { Ok(()) } else { Err(format!("{conditions:?} {taints:?}")) }
        })
        .await;
        Ok(())
    }
}
