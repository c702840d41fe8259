//! Ports that may lead nowhere.

use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::shared_node;

/// The ports of nodes that a Service may have, where whoever runs the cluster did not choose others.
const NODE_PORTS: std::ops::RangeInclusive<i32> = 30_000..=32_767;

/// A sentence for each step with a port that may lead nowhere.
pub(super) fn notes(pipeline: &ValidatedPipeline) -> Vec<String> {
    pipeline.steps.iter().flat_map(|step| [without_service(step), outside_range(step)]).flatten().collect()
}

fn without_service(step: &ValidStep) -> Option<String> {
    let leads_nowhere = shared_node::ports(step).iter().any(|port| port.host_port.is_none());
    (!step.is_long_running() && leads_nowhere).then(|| {
        format!(
            "step {} is a Job with ports, and a Job has no Service: others reach them by the pod's address only; set run.workload to Deployment, \
             or leave run.ports out",
            step.name
        )
    })
}

fn outside_range(step: &ValidStep) -> Option<String> {
    let exposure = step.action.descriptor().exposure()?;
    let outside =
        exposure.ports.iter().filter_map(|port| port.node_port).find(|port| !NODE_PORTS.contains(port))?;
    Some(format!(
        "step {} asks for the nodePort {outside}, and most clusters take {} to {} only; take one of these, or leave nodePort out for one that the \
         cluster chooses",
        step.name,
        NODE_PORTS.start(),
        NODE_PORTS.end()
    ))
}
