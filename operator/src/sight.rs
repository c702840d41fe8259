//! What of one watched scope is seen: the pipelines, and each kind of child.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use kube::runtime::reflector::Store;

use super::cache::Cache;
use super::guarded::Guarded;

/// How often a start looks whether the caches are complete.
const LOOK: Duration = Duration::from_millis(50);

/// The sight of one namespace, or of all.
#[derive(Clone)]
pub struct Sight {
    /// The namespace; all when absent.
    pub namespace: Option<String>,
    /// The pipelines that are known.
    pub pipelines: Store<Guarded>,
    /// The children that are known.
    pub cache: Arc<Cache>,
}

impl Sight {
    /// What is not seen, in words: its first list is not complete yet, or refused.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let of_scope =
            self.namespace.as_ref().map(|name| format!(" in namespace {name}")).unwrap_or_default();
        let own = (!self.has_pipelines() || self.cache.pipelines_refused().is_some())
            .then(|| ("mlpipelines", self.cache.pipelines_refused().is_some()));
        let word = |(kind, is_refused): (&str, bool)| {
            format!("{kind}{of_scope}{}", if is_refused { " (refused)" } else { "" })
        };
        self.cache.missing().into_iter().chain(own).map(word).collect()
    }

    /// Whether everything is seen that may be.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.has_pipelines() && self.cache.awaited().is_empty()
    }

    /// Whether it is not complete and there is no telling when it will be: the operator may not see the pipelines themselves.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        !self.has_pipelines() && self.cache.pipelines_refused().is_some()
    }

    /// Waits until everything is seen that may be.
    pub async fn complete(&self) {
        while !self.is_complete() {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn has_pipelines(&self) -> bool {
        self.pipelines.wait_until_ready().now_or_never().is_some()
    }
}

/// Waits until everything is seen in every scope that may be seen, and there is one.
pub async fn enough(sights: &[Sight]) {
    let is_enough = || {
        sights.iter().any(Sight::is_complete)
            && sights.iter().all(|sight| sight.is_complete() || sight.is_refused())
    };
    while !is_enough() {
        tokio::time::sleep(LOOK).await;
    }
}
