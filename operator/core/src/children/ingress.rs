//! A host name for a serve step.

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressServiceBackend,
    IngressSpec, IngressTLS, ServiceBackendPort,
};
use mlpipeline_crds::Serve;

use super::metadata;
use crate::names;
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::step_kind::SERVE_PORT_NAME;

/// The Ingress of a serve step; `None` where the spec asks for none.
pub(super) fn ingress(pipeline: &ValidatedPipeline, step: &ValidStep, serve: &Serve) -> Option<Ingress> {
    let wanted = serve.ingress.as_ref()?;
    let name = names::step_object(&pipeline.name, &step.name);
    let mut metadata = metadata::of_step(pipeline, step, name.clone());
    metadata.annotations = (!wanted.annotations.is_empty()).then(|| wanted.annotations.clone());
    let backend = IngressBackend {
        service: Some(IngressServiceBackend {
            name,
            port: Some(ServiceBackendPort { name: Some(SERVE_PORT_NAME.to_owned()), number: None }),
        }),
        resource: None,
    };
    Some(Ingress {
        metadata,
        spec: Some(IngressSpec {
            ingress_class_name: wanted.class_name.clone(),
            rules: Some(vec![IngressRule {
                host: Some(wanted.host.clone()),
                http: Some(HTTPIngressRuleValue {
                    paths: vec![HTTPIngressPath {
                        backend,
                        path: Some(wanted.path.clone().unwrap_or_else(|| "/".to_owned())),
                        path_type: "Prefix".to_owned(),
                    }],
                }),
            }]),
            tls: wanted.tls_secret.clone().map(|secret| {
                vec![IngressTLS { hosts: Some(vec![wanted.host.clone()]), secret_name: Some(secret) }]
            }),
            default_backend: None,
        }),
        status: None,
    })
}
