//! Addresses for pods.

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use mlpipeline_crds::{ServiceSettings, ServiceType, Workload};

use super::container::{SERVE_PORT_NAME, some_if_any};
use super::metadata;
use crate::names;
use crate::pipeline::{ValidAction, ValidStep, ValidatedPipeline};

/// The Service of a step; `None` for a step that nobody reaches.
pub(super) fn service(pipeline: &ValidatedPipeline, step: &ValidStep) -> Option<Service> {
    let (kind, ports) = match &step.action {
        ValidAction::Serve(serve) => {
            let settings = serve.service.clone().unwrap_or_default();
            (settings.service_type.unwrap_or_default(), vec![serve_port(&settings)])
        }
        ValidAction::Run(run) => {
            let is_stateful = run.workload == Some(Workload::StatefulSet);
            if run.ports.is_empty() && !is_stateful {
                return None;
            }
            // Stable names of a StatefulSet's pods need a headless Service, with ports or without.
            let default = if is_stateful { ServiceType::Headless } else { ServiceType::ClusterIP };
            let kind = run.ports.first().and_then(|port| port.service).unwrap_or(default);
            let ports = run.ports.iter().map(|port| ServicePort {
                name: Some(port.name.clone()),
                port: port.port,
                target_port: Some(IntOrString::String(port.name.clone())),
                node_port: port.node_port,
                protocol: Some("TCP".to_owned()),
                app_protocol: None,
            });
            (kind, ports.collect())
        }
        ValidAction::Prepare(_) | ValidAction::Train(_) | ValidAction::Score(_) => return None,
    };
    // A client of a daemon means the one of the node that it asks, its own most of all.
    let only_own_node =
        matches!(&step.action, ValidAction::Run(run) if run.workload == Some(Workload::DaemonSet));
    Some(Service {
        metadata: metadata::of_step(pipeline, step, names::step_object(&pipeline.name, &step.name)),
        spec: Some(ServiceSpec {
            selector: Some(metadata::selector_labels(pipeline, step)),
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

fn serve_port(settings: &ServiceSettings) -> ServicePort {
    ServicePort {
        name: Some(SERVE_PORT_NAME.to_owned()),
        port: settings.port.unwrap_or(ServiceSettings::DEFAULT_PORT),
        target_port: Some(IntOrString::String(SERVE_PORT_NAME.to_owned())),
        node_port: settings.node_port,
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
