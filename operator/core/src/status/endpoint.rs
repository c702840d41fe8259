//! Where predictions are answered, and by which pods.

use mlpipeline_crds::{Serve, ServiceType};

use crate::names;
use crate::observed::Observed;
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::pod_labels::selector_labels;
use crate::step_kind::service_port;
use crate::tracks::Track;

/// The port that a URL of HTTP need not name.
const HTTP_PORT: i32 = 80;

/// The address of the first serve step: its host name outside or that of its load balancer, else its Service's name inside the cluster.
pub(super) fn endpoint(pipeline: &ValidatedPipeline, observed: &Observed) -> Option<String> {
    let (step, serve) = pipeline.steps.iter().find_map(|step| Some((step, serve_of(step)?)))?;
    if let Some(ingress) = &serve.ingress {
        let scheme = if ingress.tls_secret.is_some() { "https" } else { "http" };
        return Some(format!("{scheme}://{}{}", ingress.host, ingress.path.as_deref().unwrap_or("/")));
    }
    let settings = serve.service.clone().unwrap_or_default();
    let name = names::step_object(&pipeline.name, &step.name);
    let port = match service_port(&settings) {
        HTTP_PORT => String::new(),
        port => format!(":{port}"),
    };
    let found = observed.steps.get(&step.name).and_then(|found| found.external_address.as_ref());
    let is_balanced = settings.service_type == Some(ServiceType::LoadBalancer);
    if let Some(address) = found.filter(|_| is_balanced) {
        return Some(format!("http://{address}{port}"));
    }
    let outside = match (settings.service_type.unwrap_or_default(), settings.node_port) {
        (ServiceType::NodePort, Some(node_port)) => format!(" (nodes: {node_port})"),
        _ => String::new(),
    };
    Some(format!("http://{name}.{}.svc{port}{outside}", pipeline.namespace))
}

/// The serve step that the scale subresource speaks of: the only one.
pub(super) fn only_serving_step(pipeline: &ValidatedPipeline) -> Option<&ValidStep> {
    let mut serving = pipeline.steps.iter().filter(|step| serve_of(step).is_some());
    serving.next().filter(|_| serving.next().is_none())
}

/// The selector of the pods that answer for a step, as text.
pub(super) fn selector(pipeline: &ValidatedPipeline, step: &ValidStep) -> String {
    let labels = selector_labels(pipeline, step, Track::Stable);
    labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
}

fn serve_of(step: &ValidStep) -> Option<&Serve> {
    step.action.descriptor().serving()
}
