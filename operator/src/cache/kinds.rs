//! One cache a child kind, generated from the table of child kinds in `mlpipeline_core::child_kind`.
//!
//! A kind that is added to that table is cached, watched, compared, and removed without a line here. Pods are the one kind that is
//! cached and is not a child of a pipeline: other controllers create them.

use std::sync::{Arc, Mutex};

use futures::stream::BoxStream;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use mlpipeline_core::child_kind::ChildKind;
use serde_json::Value;

use super::access_denied::AccessDenied;
use super::field_stripping::{StripFields, own_annotations};
use super::found::{Found, collect, insert_json};
use super::index::{Index, PipelineKey};
use super::sync_state::SyncState;
use super::warning_events::WarningEvents;
use super::watch::{Affected, watch};

macro_rules! define_cache {
    ($($(#[$doc:meta])* $kind:ident($object:path) $field:ident;)+) => {
        /// Every child that is known, and the pods of children.
        #[derive(Debug, Default)]
        pub struct Cache {
            $($(#[$doc])* pub $field: Index<$object>,)+
            /// The pods of all children.
            pub pods: Index<Pod>,
            /// What the cluster warned of last.
            pub warning_events: WarningEvents,
            /// Whether the API server lets us list and watch the pipelines themselves.
            pub(super) pipelines: Mutex<AccessDenied>,
        }

        impl Cache {
            /// How complete the cache of each kind is.
            pub(super) fn sync_states(&self) -> Vec<SyncState> {
                vec![
                    $(SyncState::of_child(ChildKind::$kind, &self.$field),)+
                    SyncState::of_pods(&self.pods),
                ]
            }

            /// All children of a pipeline that are applied.
            #[must_use]
            pub fn applied(&self, key: &PipelineKey) -> Vec<Found> {
                let mut all = Vec::new();
                $(if ChildKind::$kind.is_applied() {
                    collect(&self.$field, ChildKind::$kind, key, &mut all);
                })+
                all
            }

            /// Stores the API server's response to a write of ours.
            pub fn insert(&self, kind: ChildKind, object: Value) {
                match kind {
                    $(ChildKind::$kind => insert_json(&self.$field, object),)+
                }
            }

            /// Removes what was deleted.
            pub fn remove(&self, kind: ChildKind, object: &ObjectMeta) {
                match kind {
                    $(ChildKind::$kind => self.$field.remove(object),)+
                }
            }

            /// The pipeline that owns the object of this kind and name, as far as it is known.
            #[must_use]
            pub fn owner_key(&self, kind: &str, namespace: &str, name: &str) -> Option<PipelineKey> {
                $(if kind == ChildKind::$kind.kind() {
                    return self.$field.owner_key(namespace, name);
                })+
                if kind == "Pod" { self.pods.owner_key(namespace, name) } else { None }
            }
        }

        /// The watches of all kinds.
        pub(super) fn watches(
            client: &Client,
            namespace: Option<&str>,
            cache: &Arc<Cache>,
        ) -> Vec<BoxStream<'static, Affected>> {
            vec![
                $(watch(client, namespace, cache, |cache| &cache.$field),)+
                watch(client, namespace, cache, |cache| &cache.pods),
            ]
        }

        $(strip_fields!($kind $object);)+
    };
}

/// The longest annotation that a spec may ask for, in bytes of its 4,096 characters: it is compared with what is there.
const LONGEST_ANNOTATION: usize = 4 * 4096;

/// Objects that are compared with what they should be are cached whole, except for who owns which field.
macro_rules! strip_fields {
    // A Job is created and never changed: `partial_decode.rs` lists the few fields of it that are read.
    (Job $object:path) => {};
    ($kind:ident $object:path) => {
        impl StripFields for $object {
            type Wire = Self;

            fn strip_fields(mut self) -> Self {
                self.metadata.managed_fields = None;
                self.metadata = own_annotations(self.metadata, LONGEST_ANNOTATION);
                self
            }

            fn from_wire(wire: Self) -> Self {
                wire.strip_fields()
            }
        }
    };
}

mlpipeline_core::child_kinds!(define_cache);
