//! What stands for a cluster's storage: each claim that waits gets a volume as it asks for, one that grows gets what it asks for, and a Service of
//! type LoadBalancer an address.

use std::time::Duration;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Service};
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// Ends when it is dropped.
pub struct Provisioner(JoinHandle<()>);

impl Provisioner {
    pub fn start(client: Client, namespace: &str) -> Self {
        Self(tokio::spawn(work(client, namespace.to_owned())))
    }
}

impl Drop for Provisioner {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn work(client: Client, namespace: String) {
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), &namespace);
    let services: Api<Service> = Api::namespaced(client.clone(), &namespace);
    let volumes: Api<PersistentVolume> = Api::all(client);
    loop {
        // What fails now is tried again in the next round.
        for claim in claims.list(&ListParams::default()).await.map(|list| list.items).unwrap_or_default() {
            serve(&claims, &volumes, &claim).await;
        }
        for service in services.list(&ListParams::default()).await.map(|list| list.items).unwrap_or_default()
        {
            let is_balanced =
                service.spec.as_ref().and_then(|spec| spec.type_.as_deref()) == Some("LoadBalancer");
            let balancer = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
            if is_balanced && balancer.is_none_or(|balancer| balancer.ingress.is_none()) {
                let status = json!({"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}});
                let _ = services
                    .patch_status(&service.name_any(), &PatchParams::default(), &Patch::Merge(status))
                    .await;
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn serve(
    claims: &Api<PersistentVolumeClaim>,
    volumes: &Api<PersistentVolume>,
    claim: &PersistentVolumeClaim,
) {
    let Some(spec) = claim.spec.as_ref() else { return };
    let size = json!(spec.resources.as_ref().and_then(|asked| asked.requests.as_ref()?.get("storage")));
    let status = claim.status.as_ref();
    match status.and_then(|status| status.phase.as_deref()) {
        Some("Pending") => {
            let mut volume = json!({"metadata": {"name": format!("pv-{}", claim.uid().unwrap_or_default())}, "spec": {
                "capacity": {"storage": size}, "accessModes": spec.access_modes, "hostPath": {"path": "/nowhere"},
                "claimRef": {"namespace": claim.namespace(), "name": claim.name_any(), "uid": claim.uid()},
            }});
            if let Some(class) = &spec.storage_class_name {
                volume["spec"]["storageClassName"] = json!(class);
            }
            let volume: PersistentVolume = serde_json::from_value(volume).unwrap();
            let _ = volumes.create(&PostParams::default(), &volume).await;
        }
        Some("Bound") => {
            let has = json!(status.and_then(|status| status.capacity.as_ref()?.get("storage")));
            if has != size && size != Value::Null {
                let grown = Patch::Merge(json!({"status": {"capacity": {"storage": size}}}));
                let _ = claims.patch_status(&claim.name_any(), &PatchParams::default(), &grown).await;
            }
        }
        _ => {}
    }
}
