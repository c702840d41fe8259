//! How complete the cache of one kind is.

use k8s_openapi::api::core::v1::Pod;
use kube::Resource;
use mlpipeline_core::child_kind::ChildKind;

use super::index::Index;

/// How complete the cache of one kind is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncState {
    /// The kind of child; `None` for pods.
    pub child: Option<ChildKind>,
    /// The resource as a Role names it: "jobs".
    pub resource: &'static str,
    /// Whether the first list is complete.
    pub is_listed: bool,
    /// The API server's message where it has denied access for a while.
    pub access_denied: Option<String>,
}

impl SyncState {
    pub(super) fn of_child<K>(kind: ChildKind, index: &Index<K>) -> Self
    where
        K: Resource<DynamicType = ()> + Clone + PartialEq,
    {
        Self::of(Some(kind), kind.plural(), index)
    }

    pub(super) fn of_pods(index: &Index<Pod>) -> Self {
        Self::of(None, "pods", index)
    }

    fn of<K>(child: Option<ChildKind>, resource: &'static str, index: &Index<K>) -> Self
    where
        K: Resource<DynamicType = ()> + Clone + PartialEq,
    {
        Self { child, resource, is_listed: index.is_listed(), access_denied: index.access_denied() }
    }

    /// Whether nothing is missing.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        self.is_listed && self.access_denied.is_none()
    }

    /// Whether the first list is still to come. A list that the API server denies may never come.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        !self.is_listed && self.access_denied.is_none()
    }
}
