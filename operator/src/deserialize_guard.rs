//! A pipeline as the API server sends it: one whose spec cannot be decoded affects only itself.
//!
//! Like kube's own `DeserializeGuard`, and it decodes the status apart from the rest. The last status is known although the spec
//! cannot be decoded, so it is not written again; and a status that cannot be decoded is only overwritten.
//!
//! There may be ten thousand pipelines in the cache, and most of them rest. So a spec lies there as text, which is a fraction of what it takes
//! decoded, and is decoded for each reconcile.

use std::borrow::Cow;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use mlpipeline_core::validate::{SPEC_BYTES, spec_too_large};
use mlpipeline_crds::{MLPipeline, MLPipelineSpec, MLPipelineStatus};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A pipeline, or what is known of one that cannot be decoded.
#[derive(Clone, Debug)]
pub struct DeserializeGuard {
    metadata: ObjectMeta,
    status: Option<Box<MLPipelineStatus>>,
    spec: Result<Spec, Unreadable>,
}

/// A spec that can be decoded.
#[derive(Clone, Debug)]
enum Spec {
    /// As JSON.
    Text(Box<str>),
    /// As it is: its JSON would not be read as the very same numbers again, and its revisions would change.
    Decoded(Box<MLPipelineSpec>),
}

/// Why a pipeline cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is no pipeline of this version.
    #[error("{0}")]
    Malformed(String),
    /// It has so many bytes of JSON, and is not kept: anybody may create thousands.
    #[error("{}", spec_too_large(*.0))]
    TooLarge(usize),
}

impl DeserializeGuard {
    /// The last status that was written.
    #[must_use]
    pub fn status(&self) -> Option<&MLPipelineStatus> {
        self.status.as_deref()
    }

    /// Whether it can be decoded.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.spec.is_ok()
    }

    /// The pipeline, without its status.
    ///
    /// # Errors
    /// Why it cannot be decoded.
    pub fn pipeline(&self) -> Result<MLPipeline, Unreadable> {
        let spec = match self.spec.as_ref().map_err(Clone::clone)? {
            Spec::Decoded(spec) => MLPipelineSpec::clone(spec),
            Spec::Text(text) => {
                serde_json::from_str(text).map_err(|error| Unreadable::Malformed(error.to_string()))?
            }
        };
        Ok(MLPipeline { metadata: self.metadata.clone(), spec, status: None })
    }
}

impl<'de> Deserialize<'de> for DeserializeGuard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Value::deserialize(deserializer)?;
        let status = value.as_object_mut().and_then(|object| object.remove("status"));
        // What the API server writes into a new pipeline says nothing.
        let status = status.and_then(|status| serde_json::from_value(status).ok());
        let status = status.filter(MLPipelineStatus::is_observed).map(Box::new);
        match MLPipeline::deserialize(&value) {
            Ok(MLPipeline { metadata, spec, .. }) => {
                let text = value.get("spec").map(Value::to_string).unwrap_or_default();
                if text.len() > SPEC_BYTES {
                    return Ok(Self { metadata, status, spec: Err(Unreadable::TooLarge(text.len())) });
                }
                let again = serde_json::from_str::<MLPipelineSpec>(&text);
                let is_same = again.is_ok_and(|again| again == spec);
                let spec = if is_same { Spec::Text(text.into()) } else { Spec::Decoded(Box::new(spec)) };
                Ok(Self { metadata, status, spec: Ok(spec) })
            }
            Err(error) => {
                let metadata = value.get_mut("metadata").map(Value::take).unwrap_or_default();
                let metadata = serde_json::from_value(metadata).map_err(D::Error::custom)?;
                Ok(Self { metadata, status, spec: Err(Unreadable::Malformed(error.to_string())) })
            }
        }
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
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
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
        assert!(unreadable.pipeline().is_err_and(|unreadable| unreadable.to_string().contains('5')));
        assert_eq!(unreadable.meta().name.as_deref(), Some("a"));
        assert_eq!(unreadable.status().and_then(|status| status.progress.as_deref()), Some("1/2"));
    }

    #[test]
    fn d7_a_spec_that_is_too_large_takes_no_memory() {
        let sql = |length: usize| json!({"steps": [{"name": "a", "prepare": {"sql": "x".repeat(length)}}]});
        let large = read(&sql(SPEC_BYTES), &json!({"progress": "1/2"}));
        assert!(matches!(large.spec, Err(Unreadable::TooLarge(bytes)) if bytes > SPEC_BYTES));
        assert_eq!(large.status().and_then(|status| status.progress.as_deref()), Some("1/2"));
        assert!(read(&sql(SPEC_BYTES - 1000), &Value::Null).is_readable());
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
            assert!(pipeline.is_readable() && pipeline.status().is_none(), "{status}");
        }
        let both = read(&json!(3), &json!(4));
        assert!(!both.is_readable() && both.status().is_none());
    }

    #[test]
    fn d5_a_spec_is_decoded_to_the_very_same_numbers_each_time() {
        // The shortest text of some numbers may be read as a neighbour of theirs.
        let texts =
            ["0.1", "0.30000000000000004", "1e-7", "2.2250738585072014e-308", "0.123456789012345678", "1e23"];
        for text in texts {
            let spec = format!(
                r#"{{"steps": [{{"name": "t", "train": {{"data": {{"uri": "file:a.csv"}}, "target": "y",
                    "algorithm": {{"logisticRegression": {{"alpha": {text}}}}}}}}}]}}"#
            );
            let object = format!(
                r#"{{"apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline", "metadata": {{"name": "a"}}, "spec": {spec}}}"#
            );
            let direct: MLPipeline = serde_json::from_str(&object).expect("a pipeline");
            let guard: DeserializeGuard = serde_json::from_str(&object).expect("the guard holds it");
            assert_eq!(guard.pipeline().expect("a pipeline").spec, direct.spec, "{text}");
        }
    }
}
