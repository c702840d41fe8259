//! Addresses for pods.

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use mlpipeline_crds::ServiceType;

use super::container::some_if_any;
use super::metadata;
use crate::names;
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::pod_labels::selector_labels;
use crate::step_kind::{ExposedPort, Exposure};
use crate::tracks::Track;

/// The Service of a step; `None` for a step that nobody reaches.
pub(super) fn service(pipeline: &ValidatedPipeline, step: &ValidStep) -> Option<Service> {
    let Exposure { service_type: kind, ports, only_own_node } = step.action.descriptor().exposure()?;
    let ports: Vec<ServicePort> = ports.into_iter().map(service_port).collect();
    Some(Service {
        metadata: metadata::of_step(pipeline, step, names::step_object(&pipeline.name, &step.name)),
        spec: Some(ServiceSpec {
            selector: Some(selector_labels(pipeline, step, Track::Stable)),
            ports: some_if_any(ports),
            type_: Some(type_name(kind).to_owned()),
            cluster_ip: (kind == ServiceType::Headless).then(|| "None".to_owned()),
            internal_traffic_policy: only_own_node.then(|| "Local".to_owned()),
            external_traffic_policy: (only_own_node && is_external(kind)).then(|| "Local".to_owned()),
            ..ServiceSpec::default()
        }),
        status: None,
    })
}

/// Whether the Service is reached at ports of nodes.
fn is_external(kind: ServiceType) -> bool {
    matches!(kind, ServiceType::NodePort | ServiceType::LoadBalancer)
}

fn service_port(port: ExposedPort) -> ServicePort {
    ServicePort {
        target_port: Some(IntOrString::String(port.target)),
        name: Some(port.name),
        port: port.port,
        node_port: port.node_port,
        protocol: Some("TCP".to_owned()),
        app_protocol: None,
    }
}

fn type_name(kind: ServiceType) -> &'static str {
    match kind {
        ServiceType::ClusterIP | ServiceType::Headless => "ClusterIP",
        ServiceType::NodePort => "NodePort",
        ServiceType::LoadBalancer => "LoadBalancer",
    }
}
