//! What a serve step needs: pods that can be counted, and addresses that can be reached.

use std::net::IpAddr;

use mlpipeline_crds::{Ingress, PodSettings, Serve, ServiceType};

use super::actions::Checked;
use super::dns::{check_entry_key, check_name_of, is_dns_name};
use super::errors::Errors;
use super::labels::check_annotations;
use super::resources::has_cpu_request;
use crate::quoted::quoted;
use crate::step_kind::SERVE_PORT;

/// The class of an Ingress, from before it had a field.
const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";

impl Checked for Serve {
    fn check(&self, pod: &PodSettings, path: &str, errors: &mut Errors) {
        errors.require_between(self.replicas, (0, 1000), format!("{path}.replicas"));
        if let Some(autoscaling) = &self.autoscaling {
            errors.require(
                self.replicas.is_none(),
                format!("{path}.replicas"),
                "is not for a step with autoscaling, which has minReplicas and maxReplicas: keep one of the two",
            );
            let path = format!("{path}.autoscaling");
            if !has_cpu_request(pod.resources.as_ref()) {
                errors.add_with_hint(
                    &path,
                    "goes by the CPU use in percent of the request, and the step's pods request no CPU",
                    "set pod.resources.requests.cpu of the step, such as 250m; the resources of a step replace those of the pipeline",
                );
            }
            errors.require_between(Some(autoscaling.max_replicas), (1, 1000), format!("{path}.maxReplicas"));
            if autoscaling.max_replicas >= 1 {
                let allowed = (1, autoscaling.max_replicas);
                errors.require_between(autoscaling.min_replicas, allowed, format!("{path}.minReplicas"));
            }
            let target = autoscaling.target_cpu_utilization_percentage;
            errors.require_between(target, (1, 1000), format!("{path}.targetCPUUtilizationPercentage"));
        }
        if let Some(service) = &self.service {
            let kind = service.service_type.unwrap_or_default();
            check_ports(service.port, service.node_port, kind, &format!("{path}.service"), errors);
            if let Some(port) =
                service.port.filter(|port| kind == ServiceType::Headless && *port != SERVE_PORT)
            {
                errors.add_with_hint(
                    format!("{path}.service.port"),
                    format!("is {port}, and a headless Service maps no ports: clients reach the pods at their port {SERVE_PORT}"),
                    "leave port out, or take the type ClusterIP",
                );
            }
        }
        if let Some(ingress) = &self.ingress {
            check_ingress(ingress, &format!("{path}.ingress"), errors);
        }
        if let Some(auth) = &self.auth {
            let path = format!("{path}.auth.apiKeySecret");
            check_name_of("Secret", Some(&auth.api_key_secret.name), format!("{path}.name"), errors);
            check_entry_key(&auth.api_key_secret.key, format!("{path}.key"), errors);
        }
    }
}

fn check_ingress(ingress: &Ingress, path: &str, errors: &mut Errors) {
    let host = ingress.host.strip_prefix("*.").unwrap_or(&ingress.host);
    if !is_dns_name(host) {
        let problem = format!("{} is not a valid host name", quoted(&ingress.host));
        errors.add_with_hint(format!("{path}.host"), problem, host_hint(&ingress.host));
    }
    errors.require(
        !is_address(host),
        format!("{path}.host"),
        format!("{} is an address, and an Ingress goes by host names: name a host", quoted(&ingress.host)),
    );
    let prefix = ingress.path.as_deref().unwrap_or("/");
    errors.require(prefix.starts_with('/'), format!("{path}.path"), "does not begin with /");
    let is_plain = !["//", "/./", "/../", "%2f", "%2F"].iter().any(|part| prefix.contains(part))
        && !["/.", "/.."].iter().any(|end| prefix.ends_with(end));
    errors.require(
        is_plain,
        format!("{path}.path"),
        format!("{} is not a valid path: leave out //, /./, /../ and %2f", quoted(prefix)),
    );
    check_path_signs(prefix, &format!("{path}.path"), errors);
    check_name_of("IngressClass", ingress.class_name.as_deref(), format!("{path}.className"), errors);
    check_name_of("Secret", ingress.tls_secret.as_deref(), format!("{path}.tlsSecret"), errors);
    check_annotations(&ingress.annotations, &format!("{path}.annotations"), errors);
    let annotated = ingress.annotations.get(CLASS_ANNOTATION);
    if let (Some(class), Some(annotated)) = (&ingress.class_name, annotated)
        && class != annotated
    {
        errors.add_with_hint(
            format!("{path}.annotations"),
            format!(
                "{} is {}, and className is {}: Kubernetes rejects two different ones",
                quoted(CLASS_ANNOTATION),
                quoted(annotated),
                quoted(class)
            ),
            "leave the annotation out",
        );
    }
}

/// Signs of a URL's path beside letters and digits (RFC 3986, `pchar` and `/`), but for the two that end a word in some proxy's
/// configuration, into which controllers write paths as they are: `;` and `'`.
const PATH_SIGNS: &str = "-._~!$&()*+,=:@/";

/// Refuses what is not part of a URL's path: a controller may take it for its configuration.
fn check_path_signs(prefix: &str, path: &str, errors: &mut Errors) {
    let mut rest = prefix;
    while let Some(sign) = rest.chars().next() {
        let is_hex = |code: &str| code.bytes().all(|byte| byte.is_ascii_hexdigit());
        let length = match sign {
            '%' if rest.get(1..3).is_some_and(is_hex) => 3,
            sign if sign.is_ascii_alphanumeric() || PATH_SIGNS.contains(sign) => 1,
            sign => {
                return errors.add_with_hint(
                    path,
                    format!("{} has the sign {}", quoted(prefix), quoted(&sign.to_string())),
                    "a path has letters, digits, any of -._~!$&()*+,=:@/, and all else as %XX",
                );
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// What to do about a host name that is not valid.
fn host_hint(host: &str) -> String {
    let name = host.strip_prefix("*.").unwrap_or(host);
    if host == "*" {
        return "a * stands for the first part of a name only: write *.example.com".to_owned();
    }
    if let Some((scheme, rest)) = host.split_once("://") {
        return format!(
            "leave {}:// out and write the name alone: {}",
            quoted(scheme).trim_matches('"'),
            quoted(rest)
        );
    }
    if name.contains('/') {
        return "a path goes into path: write the name alone".to_owned();
    }
    if name.contains(':') {
        return "an Ingress goes by names alone: leave the port out".to_owned();
    }
    if let Some(sign) = name.chars().find(|sign| !sign.is_ascii_alphanumeric() && !"-.".contains(*sign)) {
        return format!(
            "{} is not allowed: lower-case letters, digits, - and . are",
            quoted(&sign.to_string())
        );
    }
    if name.contains(|sign: char| sign.is_ascii_uppercase()) {
        return format!("write it in lower case: {}", quoted(&host.to_ascii_lowercase()));
    }
    "its parts, with a dot between them, begin and end with a letter or digit; 253 characters at most"
        .to_owned()
}

/// Whether a host is an address, also one whose numbers have zeros first: Kubernetes reads these as addresses too.
fn is_address(host: &str) -> bool {
    let is_byte = |part: &str| {
        let number = part.trim_start_matches('0');
        !part.is_empty() && (number.is_empty() || number.parse::<u8>().is_ok())
    };
    let numbers: Vec<&str> = host.split('.').collect();
    host.parse::<IpAddr>().is_ok() || (numbers.len() == 4 && numbers.into_iter().all(is_byte))
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
