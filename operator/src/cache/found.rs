//! A child of any kind, as the cache holds it.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use mlpipeline_core::child_kind::ChildKind;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::field_stripping::StripFields;
use super::index::{Index, PipelineKey};

/// A child of any kind, as it was found. Copies share the object.
#[derive(Clone)]
pub struct Found {
    /// Its kind.
    pub kind: ChildKind,
    object: Arc<dyn Object>,
}

impl Found {
    /// Its metadata.
    #[must_use]
    pub fn metadata(&self) -> &ObjectMeta {
        self.object.metadata()
    }

    /// All of it, as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        self.object.json()
    }
}

/// What every object can do.
trait Object: Send + Sync {
    fn metadata(&self) -> &ObjectMeta;
    fn json(&self) -> Value;
}

impl<K: Resource<DynamicType = ()> + Serialize + Send + Sync> Object for K {
    fn metadata(&self) -> &ObjectMeta {
        self.meta()
    }

    fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Adds all objects of one kind and one pipeline.
pub(super) fn collect<K>(index: &Index<K>, kind: ChildKind, key: &PipelineKey, all: &mut Vec<Found>)
where
    K: Resource<DynamicType = ()> + Clone + PartialEq + Serialize + Send + Sync + 'static,
{
    all.extend(index.of(key).into_iter().map(|object| Found { kind, object }));
}

/// Stores a response. One that cannot be decoded is left to the watch, which will deliver the object again.
pub(super) fn insert_json<K>(index: &Index<K>, object: Value)
where
    K: Resource<DynamicType = ()> + Clone + PartialEq + DeserializeOwned + StripFields,
{
    if let Ok(object) = serde_json::from_value::<K>(object) {
        index.insert(object.strip_fields());
    }
}
