//! Ports of nodes that pods take for themselves, compared with each other: a node has each port once. Must not count nodes.

use mlpipeline_crds::{MLPipelineSpec, Workload};

use super::errors::Errors;
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::quoted::quoted;
use crate::shared_node::{pods_at_once, ports};

/// A port of a node, and the pods that take it.
struct HostPort<'a> {
    number: i32,
    step: &'a ValidStep,
}

/// Checks the ports of nodes of all steps.
pub(super) fn check_all(spec: &MLPipelineSpec, pipeline: &ValidatedPipeline, errors: &mut Errors) {
    let is_one_node = pipeline.keeps_pods_together();
    let mut earlier: Vec<HostPort<'_>> = Vec::new();
    for (index, step) in spec.steps.iter().enumerate() {
        let Some(step) = pipeline.step(&step.name).filter(|step| step.is_long_running()) else { continue };
        let numbered = ports(step).iter().enumerate();
        for (place, number) in numbered.filter_map(|(place, port)| Some((place, port.host_port?))) {
            let path = format!("spec.steps[{index}].run.ports[{place}].hostPort");
            let pods = pods_at_once(step);
            if is_one_node && pods > 1 {
                errors.add_with_hint(
                    path.as_str(),
                    format!(
                        "{number} is there once on a node, and the {pods} pods of the step must all be on the one node that mounts the pipeline's volume: \
                         all but one would wait forever"
                    ),
                    "leave hostPort out, set replicas to 1, or take a volume with the access mode ReadWriteMany",
                );
            }
            let here = HostPort { number, step };
            if let Some(other) = earlier.iter().find(|other| meet(other, &here, is_one_node)) {
                errors.add_with_hint(
                    path,
                    format!(
                        "{number} is a port that pods of the step {} take on the same node, which has it once",
                        quoted(&other.step.name)
                    ),
                    "take another port in one of the two",
                );
            }
            earlier.push(here);
        }
    }
}

/// Whether pods of both have to be on one node, and want the same port of it: all are on the node that mounts their volume, and a DaemonSet is
/// on each node that pods of its kind may be on.
fn meet(one: &HostPort<'_>, other: &HostPort<'_>, is_one_node: bool) -> bool {
    let (a, b) = (one.step, other.step);
    let is_everywhere = [a, b].iter().any(|step| step.workload() == Workload::DaemonSet);
    let same_nodes = a.pod.node_selector == b.pod.node_selector
        && a.pod.affinity == b.pod.affinity
        && a.pod.topology_spread_constraints == b.pod.topology_spread_constraints
        && a.pod.tolerations == b.pod.tolerations;
    one.number == other.number
        && a.name != b.name
        && pods_at_once(a).min(pods_at_once(b)) > 0
        && (is_one_node || (is_everywhere && same_nodes))
}
