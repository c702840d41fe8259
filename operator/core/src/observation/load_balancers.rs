//! What Services of type LoadBalancer say of the address that something outside gives them.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Service;

use super::snapshot::Snapshot;
use crate::observed::{Overdue, PodIssue};

/// How long a cloud may take to make a load balancer.
const GRACE: SignedDuration = SignedDuration::from_mins(5);

/// The first address, as it stands in a URL.
pub(super) fn address(service: &Service) -> Option<String> {
    if !is_load_balancer(service) {
        return None;
    }
    let given = service.status.as_ref()?.load_balancer.as_ref()?.ingress.as_ref()?.first()?;
    let name = given.hostname.as_deref().filter(|name| !name.is_empty());
    let literal = given.ip.as_deref().filter(|ip| !ip.is_empty());
    let literal = literal.map(|ip| if ip.contains(':') { format!("[{ip}]") } else { ip.to_owned() });
    name.map(str::to_owned).or(literal)
}

/// Why a Service has no address, when that lasts. A Service does not say since when it is one of this type, so its age counts.
pub(super) fn missing(service: &Service, snapshot: &Snapshot) -> Option<Overdue> {
    if !is_load_balancer(service) || address(service).is_some() {
        return None;
    }
    let created = service.metadata.creation_timestamp.as_ref()?.0;
    let warning = service.metadata.uid.as_deref().and_then(|uid| snapshot.warning_events.get(uid));
    let why = warning
        .map_or("nothing says why; does anything in this cluster make load balancers?", |warning| {
            warning.pod_issue.message.as_str()
        });
    let name = service.metadata.name.as_deref().unwrap_or_default();
    let message = format!("Service {name} of type LoadBalancer has no external address: {why}");
    let pod_issue = PodIssue { reason: "NoExternalAddress".to_owned(), message };
    Some(Overdue { from: created.saturating_add(GRACE).ok()?, pod_issue })
}

fn is_load_balancer(service: &Service) -> bool {
    service.spec.as_ref().and_then(|spec| spec.type_.as_deref()) == Some("LoadBalancer")
}
