//! What a serve step needs: pods that can be counted, and addresses that can be reached.

use mlpipeline_crds::{Serve, ServiceType};

use super::dns::is_dns_name;
use super::errors::Errors;
use crate::quoted::quoted;

pub(super) fn check(serve: &Serve, path: &str, errors: &mut Errors) {
    errors.require_between(serve.replicas, (0, 1000), format!("{path}.replicas"));
    if let Some(autoscaling) = &serve.autoscaling {
        errors.require(
            serve.replicas.is_none(),
            format!("{path}.replicas"),
            "is not for a step with autoscaling, which has minReplicas and maxReplicas: keep one of the two",
        );
        let path = format!("{path}.autoscaling");
        errors.require_between(Some(autoscaling.max_replicas), (1, 1000), format!("{path}.maxReplicas"));
        if autoscaling.max_replicas >= 1 {
            let allowed = (1, autoscaling.max_replicas);
            errors.require_between(autoscaling.min_replicas, allowed, format!("{path}.minReplicas"));
        }
        let target = autoscaling.target_cpu_utilization_percentage;
        errors.require_between(target, (1, 1000), format!("{path}.targetCPUUtilizationPercentage"));
    }
    if let Some(service) = &serve.service {
        let kind = service.service_type.unwrap_or_default();
        check_ports(service.port, service.node_port, kind, &format!("{path}.service"), errors);
    }
    if let Some(ingress) = &serve.ingress {
        let host = ingress.host.strip_prefix("*.").unwrap_or(&ingress.host);
        errors.require(
            is_dns_name(host),
            format!("{path}.ingress.host"),
            format!("{} is not a valid host name", quoted(&ingress.host)),
        );
        errors.require(
            ingress.path.as_ref().is_none_or(|path| path.starts_with('/')),
            format!("{path}.ingress.path"),
            "does not begin with /",
        );
    }
}

pub(super) fn check_ports(
    port: Option<i32>,
    node_port: Option<i32>,
    kind: ServiceType,
    path: &str,
    errors: &mut Errors,
) {
    for (field, value) in [("port", port), ("nodePort", node_port)] {
        errors.require_between(value, (1, 65535), format!("{path}.{field}"));
    }
    errors.require(
        node_port.is_none() || matches!(kind, ServiceType::NodePort | ServiceType::LoadBalancer),
        format!("{path}.nodePort"),
        "is only for a Service of type NodePort or LoadBalancer",
    );
}
