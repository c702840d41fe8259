//! How complete the caches of one watched scope are: the pipelines, and each kind of child.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use kube::runtime::reflector::Store;

use super::cache::Cache;
use super::deserialize_guard::DeserializeGuard;

/// How often a start checks whether the caches are synced.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The caches of one namespace, or of all.
#[derive(Clone)]
pub struct CacheSync {
    /// The namespace; all when absent.
    pub namespace: Option<String>,
    /// The pipelines that are known.
    pub pipelines: Store<DeserializeGuard>,
    /// The children that are known.
    pub cache: Arc<Cache>,
}

impl CacheSync {
    /// The resources that are not synced: the first list is not complete yet, or the API server denies access.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let scope = self.namespace.as_ref().map(|name| format!(" in namespace {name}")).unwrap_or_default();
        let name = |resource: &str, is_denied: bool| {
            format!("{resource}{scope}{}", if is_denied { " (access denied)" } else { "" })
        };
        let children = self.cache.not_synced();
        let children = children.iter().map(|state| name(state.resource, state.access_denied.is_some()));
        let is_denied = self.cache.pipelines_denied().is_some();
        let pipelines = (!self.has_pipelines() || is_denied).then(|| name("mlpipelines", is_denied));
        children.chain(pipelines).collect()
    }

    /// Whether every list that the API server allows is complete.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.has_pipelines() && !self.cache.not_synced().iter().any(|state| state.is_pending())
    }

    /// Whether it may never be complete: the API server denies access to the pipelines themselves.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        !self.has_pipelines() && self.cache.pipelines_denied().is_some()
    }

    /// Waits until every list that the API server allows is complete.
    pub async fn complete(&self) {
        while !self.is_complete() {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    fn has_pipelines(&self) -> bool {
        self.pipelines.wait_until_ready().now_or_never().is_some()
    }
}

/// Waits until at least one scope is complete, and every other one is complete or denied.
pub async fn caches_synced(scopes: &[CacheSync]) {
    let are_synced = || {
        scopes.iter().any(CacheSync::is_complete)
            && scopes.iter().all(|scope| scope.is_complete() || scope.is_denied())
    };
    while !are_synced() {
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
