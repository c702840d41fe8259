//! A namespace for one test.

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{DeleteParams, ObjectMeta, PostParams};
use kube::{Api, Client};
use std::collections::BTreeMap;
use std::time::Duration;

use super::Identity;
use crate::wait_until;

/// Marks the namespaces of tests, so that a person may remove what a killed run has left on a cluster of theirs.
pub(super) const LABEL: &str = "mlpipeline.dev/test";

/// A namespace of one test's own, deleted at the test's end. Nobody waits for that: the names are never used again.
#[derive(Debug)]
pub struct TestNamespace {
    name: String,
    owner: Identity,
}

impl TestNamespace {
    /// Makes a namespace whose name begins with `test`, and waits until pods may be made in it.
    pub(super) async fn make(test: &str, owner: &Identity) -> Self {
        let client = owner.client().await;
        let namespace = Namespace {
            metadata: ObjectMeta {
                generate_name: Some(format!("{test}-")),
                labels: Some(BTreeMap::from([(LABEL.to_owned(), test.to_owned())])),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        let made = Api::all(client.clone()).create(&PostParams::default(), &namespace).await;
        let made = made.unwrap_or_else(|error| panic!("no namespace for {test}: {error}"));
        let namespace = Self { name: made.metadata.name.unwrap_or_default(), owner: owner.clone() };
        let accounts: Api<ServiceAccount> = Api::namespaced(client, &namespace.name);
        wait_until("the default service account", Duration::from_secs(30), async || {
            accounts.get("default").await.map(drop).map_err(|error| error.to_string())
        })
        .await;
        namespace
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for TestNamespace {
    fn drop(&mut self) {
        // The test's own runtime is about to end: the one request gets a thread and a runtime of its own.
        let (name, owner) = (self.name.clone(), self.owner.clone());
        let deletion = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(delete(owner.client(), &name));
            std::io::Result::Ok(())
        });
        // What is not deleted ends with the server; and a panic here would hide the test's own.
        let _ = deletion.join();
    }
}

async fn delete(client: impl Future<Output = Client>, name: &str) {
    let namespaces: Api<Namespace> = Api::all(client.await);
    let params = DeleteParams::default();
    let _ = tokio::time::timeout(Duration::from_secs(10), namespaces.delete(name, &params)).await;
}
