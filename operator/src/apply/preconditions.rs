//! Deletion of one very object, and of nothing that has taken its name since.

use kube::api::{DeleteParams, Preconditions};

/// Deletes this very object, and lets the garbage collector delete what it owns.
pub(super) fn only_this(uid: Option<String>) -> DeleteParams {
    DeleteParams::background().preconditions(Preconditions { uid, resource_version: None })
}

/// Deletes this very object, and leaves what it owns to the next one that selects it.
pub(super) fn only_this_and_not_its_pods(uid: Option<String>) -> DeleteParams {
    DeleteParams::orphan().preconditions(Preconditions { uid, resource_version: None })
}
