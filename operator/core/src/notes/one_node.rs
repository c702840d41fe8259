//! Pods that something binds to one node, most often a volume, and that then get stuck where there is more than one node, or at the next change.

use std::fmt::Write as _;

use k8s_openapi::api::core::v1::PodAffinityTerm;
use mlpipeline_crds::Workload;

use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::shared_node::{
    HOSTNAME, is_replaced_beside, names_pods_of, pods_at_once, ports, selects, terms_of_apart,
};
use crate::step_node::{Bond, bond};

/// What there is to do about the pipeline's volume.
const WAY_OUT: &str = "take a volume with the access mode ReadWriteMany";

/// A sentence for each step that is stuck so.
pub(super) fn notes(pipeline: &ValidatedPipeline) -> Vec<String> {
    let of_step = |step| match bond(pipeline, step) {
        None => [None, None, None, None],
        Some(Bond::Storage) => {
            let apart = terms_of_apart(step).find_map(|(_, term)| apart(pipeline, step, term));
            [
                daemon(step),
                host_port(pipeline, step, &Bond::Storage),
                apart,
                spread(pipeline, step, &Bond::Storage),
            ]
        }
        // Of its own pods alone: others may be elsewhere.
        Some(bond) => [None, host_port(pipeline, step, &bond), None, spread(pipeline, step, &bond)],
    };
    pipeline.steps.iter().flat_map(of_step).flatten().collect()
}

fn daemon(step: &ValidStep) -> Option<String> {
    let is_everywhere =
        step.workload() == Workload::DaemonSet && !step.pod.node_selector.contains_key(HOSTNAME);
    is_everywhere.then(|| {
        format!(
            "step {} is a DaemonSet, and one node at a time can mount the pipeline's volume: its pods on all other nodes wait forever; {WAY_OUT}, \
             or make the DaemonSet a pipeline of its own",
            step.name
        )
    })
}

fn host_port(pipeline: &ValidatedPipeline, step: &ValidStep, bond: &Bond) -> Option<String> {
    let port = ports(step).iter().find_map(|port| port.host_port)?;
    let (node, way_out) = (bond.node(), bond.way_out());
    let pods = pods_at_once(step);
    if pods > 1 {
        return Some(format!(
            "step {} takes the hostPort {port}, and its {pods} pods must all be on {node}, which has that port once: all but one wait forever; leave \
             hostPort out, set replicas to 1, or {way_out}",
            step.name
        ));
    }
    (is_replaced_beside(pipeline, step) && pods == 1).then(|| {
        format!(
            "step {} takes the hostPort {port}, and when it changes, its new pod has to begin beside the old one on {node}: it waits forever; leave \
             hostPort out, set run.workload to StatefulSet, or {way_out}",
            step.name
        )
    })
}

/// What a term keeps the step's pods apart from, where that is no error: what comes at the next change or run, and nodes whose labels are not
/// known.
fn apart(pipeline: &ValidatedPipeline, step: &ValidStep, term: &PodAffinityTerm) -> Option<String> {
    let is_certain = term.topology_key == HOSTNAME;
    let is_own_revision = term.match_label_keys.as_ref().is_some_and(|keys| !keys.is_empty());
    let other = pipeline.steps.iter().find(|other| {
        let is_refused = is_certain && other.is_long_running() && step.is_long_running();
        let may_meet = if other.name == step.name {
            (is_replaced_beside(pipeline, step) && !is_own_revision)
                || (pods_at_once(step) > 1 && !is_certain)
        } else {
            !is_refused && (step.is_long_running() || other.is_long_running())
        };
        let is_there = pods_at_once(step).min(pods_at_once(other)) > 0;
        may_meet && is_there && names_pods_of(term, pipeline, other, step)
    })?;
    let mut note =
        format!("step {} asks to be apart by the label {} from pods ", step.name, term.topology_key);
    let _ = match (other.name == step.name, pods_at_once(step)) {
        (true, 1) => {
            write!(note, "like its own: when it changes, the new one has to begin beside the old one")
        }
        (true, _) => write!(note, "like its own"),
        (false, _) => write!(note, "of step {}", other.name),
    };
    Some(format!(
        "{note}, and all must be on the one node that mounts the pipeline's volume: one waits while the other stays; prefer to be apart only, or \
         {WAY_OUT}"
    ))
}

fn spread(pipeline: &ValidatedPipeline, step: &ValidStep, bond: &Bond) -> Option<String> {
    let constraint = step.pod.topology_spread_constraints.iter().find(|constraint| {
        let is_own_revision = constraint.match_label_keys.as_ref().is_some_and(|keys| !keys.is_empty());
        let beside = i32::from(is_replaced_beside(pipeline, step) && !is_own_revision);
        let pods = pods_at_once(step);
        constraint.when_unsatisfiable == "DoNotSchedule"
            && step.is_long_running()
            && pods > 0
            && pods.saturating_add(beside) > constraint.max_skew
            && selects(constraint.label_selector.as_ref(), pipeline, step)
    })?;
    Some(format!(
        "step {} asks for its pods to be spread by the label {}, and all must be on {}: where nodes differ by that label, some wait forever; \
         set whenUnsatisfiable to ScheduleAnyway, or {}",
        step.name,
        constraint.topology_key,
        bond.node(),
        bond.way_out()
    ))
}
