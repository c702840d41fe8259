//! A pipeline as the API server sends it: one whose spec cannot be decoded affects only itself.
//!
//! Like kube's own `DeserializeGuard`, and it decodes the status apart from the rest. The last status is known although the spec
//! cannot be decoded, so it is not written again; and a status that cannot be decoded is only overwritten.

use std::borrow::Cow;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use mlpipeline_crds::{MLPipeline, MLPipelineStatus};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A pipeline, or what is known of one that cannot be decoded.
#[derive(Clone, Debug)]
pub struct DeserializeGuard(pub Result<MLPipeline, Unreadable>);

/// A pipeline that cannot be decoded.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// The last status that was written.
    pub status: Option<MLPipelineStatus>,
    /// Why it cannot be decoded.
    pub error: String,
}

impl DeserializeGuard {
    /// The last status that was written.
    #[must_use]
    pub fn status(&self) -> Option<&MLPipelineStatus> {
        match &self.0 {
            Ok(pipeline) => pipeline.status.as_ref(),
            Err(unreadable) => unreadable.status.as_ref(),
        }
    }
}

impl<'de> Deserialize<'de> for DeserializeGuard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Value::deserialize(deserializer)?;
        let status = value.as_object_mut().and_then(|object| object.remove("status"));
        // What the API server writes into a new pipeline says nothing.
        let status = status.and_then(|status| serde_json::from_value(status).ok());
        let status = status.filter(MLPipelineStatus::is_observed);
        Ok(Self(match MLPipeline::deserialize(&value) {
            Ok(pipeline) => Ok(MLPipeline { status, ..pipeline }),
            Err(error) => {
                let metadata = value.get_mut("metadata").map(Value::take).unwrap_or_default();
                let metadata = serde_json::from_value(metadata).map_err(D::Error::custom)?;
                Err(Unreadable { metadata, status, error: error.to_string() })
            }
        }))
    }
}

impl Resource for DeserializeGuard {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        MLPipeline::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        MLPipeline::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        MLPipeline::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        MLPipeline::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        match &self.0 {
            Ok(pipeline) => pipeline.meta(),
            Err(unreadable) => &unreadable.metadata,
        }
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        match &mut self.0 {
            Ok(pipeline) => pipeline.meta_mut(),
            Err(unreadable) => &mut unreadable.metadata,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(spec: &Value, status: &Value) -> DeserializeGuard {
        let object = json!({
            "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline",
            "metadata": {"name": "a", "namespace": "ns"}, "spec": spec, "status": status,
        });
        serde_json::from_value(object).expect("the guard holds it")
    }

    #[test]
    fn s11_the_status_of_a_resource_that_cannot_be_decoded_is_known() {
        let unreadable = read(&json!({"steps": 5}), &json!({"progress": "1/2"}));
        assert!(unreadable.0.as_ref().is_err_and(|unreadable| unreadable.error.contains('5')));
        assert_eq!(unreadable.meta().name.as_deref(), Some("a"));
        assert_eq!(unreadable.status().and_then(|status| status.progress.as_deref()), Some("1/2"));
    }

    #[test]
    fn the_status_that_the_api_server_begins_a_pipeline_with_is_none() {
        let steps = json!({"steps": [{"name": "a", "run": {"image": "busybox"}}]});
        assert!(read(&steps, &json!({"observedGeneration": -1})).status().is_none());
        assert!(read(&steps, &json!({"observedGeneration": 1})).status().is_some());
    }

    #[test]
    fn s11_a_status_that_cannot_be_decoded_is_none() {
        let steps = json!({"steps": [{"name": "a", "run": {"image": "busybox"}}]});
        for status in [json!({"steps": "x"}), Value::Null, json!({"conditions": [{"status": 5}]})] {
            let pipeline = read(&steps, &status);
            assert!(pipeline.0.is_ok() && pipeline.status().is_none(), "{status}");
        }
        let both = read(&json!(3), &json!(4));
        assert!(both.0.is_err() && both.status().is_none());
    }
}
