//! Whether the pods of a pipeline can work on its volume, by how nodes may mount that: of a volume of its own, and of a claim that the
//! spec names, once its modes are known.

use mlpipeline_crds::{AccessMode, Workload};

use crate::pipeline::ValidStep;
use crate::quoted::quoted;
use crate::step_kind::Replicas;

/// What is wrong with the access modes, and what to do; `None` where the steps can work with them. Nothing is known of an empty list.
#[must_use]
pub fn problem(modes: &[AccessMode], steps: &[ValidStep]) -> Option<String> {
    if !modes.is_empty() && modes.iter().all(|mode| *mode == AccessMode::ReadOnlyMany) {
        return Some(
            "is only ReadOnlyMany, and steps write to the volume; add ReadWriteOnce or ReadWriteMany"
                .to_owned(),
        );
    }
    if !modes.contains(&AccessMode::ReadWriteOncePod) {
        return None;
    }
    if modes.len() > 1 {
        return Some(
            "has ReadWriteOncePod beside other modes, which Kubernetes rejects; name it alone, or leave it out"
                .to_owned(),
        );
    }
    let stays = steps.iter().find(|step| needs_a_second_pod(step, steps))?;
    Some(one_pod_at_a_time(stays))
}

fn one_pod_at_a_time(stays: &ValidStep) -> String {
    format!(
        "is ReadWriteOncePod, by which one pod at a time can mount the volume, and the step {} keeps its pods: no other pod would \
         ever begin; take ReadWriteOnce or ReadWriteMany",
        quoted(&stays.name)
    )
}

/// What is wrong with the access modes of a claim that these steps name in `pod.volumes`, and what to do; `None` where they can work with
/// them. ReadOnlyMany alone is no fault: a mount that may write need not, and not every volume enforces its modes. One replica alone works:
/// in a roll-out it goes before the new one comes.
#[must_use]
pub fn problem_beside_storage(modes: &[AccessMode], steps: &[ValidStep]) -> Option<String> {
    if !modes.contains(&AccessMode::ReadWriteOncePod) {
        return None;
    }
    let is_one_of_several =
        |step: &&ValidStep| steps.len() > 1 || step.action.descriptor().replicas().fewest() > 1;
    let second = steps.iter().filter(|step| step.is_long_running()).find(is_one_of_several)?;
    Some(one_pod_at_a_time(second))
}

/// Whether a step keeps pods, and another one is needed beside: of another step, of a further replica, or of the roll-out, in which a new
/// pod comes before the old one goes.
fn needs_a_second_pod(step: &ValidStep, steps: &[ValidStep]) -> bool {
    let replaces_first = matches!(step.action.descriptor().replicas(), Replicas::OneAtATime)
        || step.workload() == Workload::StatefulSet;
    let is_one = step.action.descriptor().replicas().fewest() <= 1;
    step.is_long_running() && !(steps.len() == 1 && replaces_first && is_one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::validate;

    fn steps(yaml: &str) -> Vec<ValidStep> {
        let resource = serde_json::json!({
            "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline", "metadata": {"name": "p"},
            "spec": {"steps": serde_saphyr::from_str::<serde_json::Value>(yaml).unwrap()},
        });
        validate(&serde_json::from_value(resource).unwrap()).unwrap().steps
    }

    #[test]
    fn modes_that_the_steps_cannot_work_with_are_named() {
        use AccessMode::{ReadOnlyMany, ReadWriteMany, ReadWriteOnce, ReadWriteOncePod};
        let ends = "[{name: a, run: {image: x}}, {name: b, run: {image: x}, after: [a]}]";
        let stays =
            "[{name: a, run: {image: x}}, {name: b, run: {image: x, workload: Deployment}, after: [a]}]";
        let alone = "[{name: b, run: {image: x, workload: Deployment}}]";
        let set = "[{name: b, run: {image: x, workload: StatefulSet}}]";
        let rows = [
            (vec![], stays, None),
            (vec![ReadWriteOnce], stays, None),
            (vec![ReadWriteMany, ReadOnlyMany], stays, None),
            (vec![ReadOnlyMany], ends, Some("only ReadOnlyMany")),
            (vec![ReadWriteOncePod, ReadWriteOnce], ends, Some("beside other modes")),
            (vec![ReadWriteOncePod], ends, None),
            (vec![ReadWriteOncePod], stays, Some("the step \"b\" keeps its pods")),
            (vec![ReadWriteOncePod], alone, Some("keeps its pods")),
            (vec![ReadWriteOncePod], set, None),
        ];
        for (modes, yaml, expected) in rows {
            let found = problem(&modes, &steps(yaml));
            let fits = match (&found, expected) {
                (None, None) => true,
                (Some(found), Some(expected)) => found.contains(expected),
                _ => false,
            };
            assert!(fits, "{modes:?} {yaml}: {found:?}");
        }
        assert_eq!(problem_beside_storage(&[ReadOnlyMany], &steps(ends)), None);
        assert_eq!(problem_beside_storage(&[ReadWriteOncePod], &steps(alone)), None);
        assert!(problem_beside_storage(&[ReadWriteOncePod], &steps(stays)).is_some());
        let two = "[{name: b, run: {image: x, workload: Deployment, replicas: 2}}]";
        assert!(problem_beside_storage(&[ReadWriteOncePod], &steps(two)).is_some());
    }
}
