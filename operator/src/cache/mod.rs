//! What exists, as the watches last reported it: every kind of child, by pipeline.
//!
//! Owns the copies of the API server's objects and nothing else. Only objects that carry our `managed-by` label are watched, so
//! the objects of others cost nothing.

pub mod access_denied;
mod field_stripping;
mod found;
pub mod index;
mod kinds;
mod partial_decode;
pub(super) mod resilient_watch;
mod sync_state;
pub mod warning_events;
pub mod watch;
pub mod watch_children;

use std::sync::PoisonError;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use tokio::time::Instant;

use self::field_stripping::StripFields;
pub use self::found::Found;
pub use self::kinds::Cache;
pub use self::sync_state::SyncState;

impl Cache {
    /// Kinds that are not synced: the first list is not complete yet, or the API server denies access.
    #[must_use]
    pub fn not_synced(&self) -> Vec<SyncState> {
        self.sync_states().into_iter().filter(|state| !state.is_synced()).collect()
    }

    /// Stores a Job that was written.
    pub fn insert_job(&self, job: Job) {
        self.jobs.insert(job.strip_fields());
    }

    /// Stores a pod that was listed; whether it was not known like this.
    pub fn insert_pod(&self, pod: Pod) -> bool {
        self.pods.insert(pod.strip_fields())
    }

    /// The API server's message where it has denied access to the pipelines themselves for a while.
    #[must_use]
    pub fn pipelines_denied(&self) -> Option<String> {
        self.pipelines.lock().unwrap_or_else(PoisonError::into_inner).message().map(str::to_owned)
    }

    /// Notes that the API server denied access to the pipelines themselves, with a list of them known or not; whether that is new.
    pub fn note_pipelines_denied(&self, message: String, has_list: bool) -> bool {
        let mut pipelines = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        pipelines.note(message, has_list, Instant::now())
    }

    /// Notes that the API server allows access to the pipelines themselves; whether that is new.
    pub fn note_pipelines_allowed(&self) -> bool {
        self.pipelines.lock().unwrap_or_else(PoisonError::into_inner).end()
    }
}
