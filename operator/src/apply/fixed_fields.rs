//! Fields that stay as they are on an object that exists: those that the API server never lets anybody change, and those of which a change
//! alone is not worth a roll-out. Pure.

use mlpipeline_core::child_kind::ChildKind;
use mlpipeline_core::children::CONTAINER;
use mlpipeline_core::labels::label;
use serde_json::{Value, json};

/// A StatefulSet's template of claims.
const CLAIM_TEMPLATES: &str = "volumeClaimTemplates";
/// Whether a StatefulSet waits for each of its pods before it goes on to the next.
pub(super) const POD_MANAGEMENT: &str = "podManagementPolicy";
/// It does not.
pub(super) const PARALLEL: &str = "Parallel";
/// Where the labels stand of the pods that a template makes.
const POD_LABELS: &str = "/spec/template/metadata/labels";
/// How often version 0.1.0 asked pods that start whether they are ready.
const EARLIER_STARTUP: i64 = 60;

/// Puts the fields that stay into what is desired.
pub(super) fn keep(kind: ChildKind, desired: &mut Value, actual: &Value) {
    match kind {
        ChildKind::StatefulSet => {
            keep_claim_templates(desired, actual);
            keep_pod_management(desired, actual);
        }
        ChildKind::Deployment => keep_startup(desired, actual),
        ChildKind::PersistentVolumeClaim => keep_owner(desired, actual),
        _ => {}
    }
}

fn keep_claim_templates(desired: &mut Value, actual: &Value) {
    let Some(spec) = desired.get_mut("spec").and_then(Value::as_object_mut) else { return };
    match actual.get("spec").and_then(|spec| spec.get(CLAIM_TEMPLATES)) {
        Some(fixed) => drop(spec.insert(CLAIM_TEMPLATES.to_owned(), fixed.clone())),
        None => drop(spec.remove(CLAIM_TEMPLATES)),
    }
}

/// A set that adopted pods which were not ready goes on without order.
fn keep_pod_management(desired: &mut Value, actual: &Value) {
    let policy = actual.get("spec").and_then(|spec| spec.get(POD_MANAGEMENT));
    let policy = policy.filter(|policy| policy.as_str() == Some(PARALLEL));
    if let (Some(spec), Some(policy)) = (desired.get_mut("spec").and_then(Value::as_object_mut), policy) {
        spec.insert(POD_MANAGEMENT.to_owned(), policy.clone());
    }
}

/// A claim that has its owner keeps the reference as it is: a StatefulSet may have written it in another form, and some clusters let nobody
/// change one who may not delete the claim.
fn keep_owner(desired: &mut Value, actual: &Value) {
    let Some(wanted) = desired.pointer_mut("/metadata/ownerReferences/0") else { return };
    let found = actual.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let same = found.and_then(|all| all.iter().find(|owner| owner.get("uid") == wanted.get("uid")));
    if let Some(same) = same {
        wanted.clone_from(same);
    }
}

/// Pods that began with the shorter start-up of an earlier version keep it until what they do changes: they have started.
fn keep_startup(desired: &mut Value, actual: &Value) {
    let revision = |object: &Value| object.pointer(POD_LABELS)?.get(label::REVISION).cloned();
    let is_same_work = revision(desired) == revision(actual);
    let threshold =
        actual.pointer("/spec/template/spec/containers").and_then(Value::as_array).and_then(|all| {
            let own = all.iter().find(|container| container.get("name") == Some(&json!(CONTAINER)))?;
            own.pointer("/startupProbe/failureThreshold")?.as_i64()
        });
    let wanted = desired.pointer_mut("/spec/template/spec/containers/0/startupProbe/failureThreshold");
    if let Some(wanted) = wanted.filter(|_| is_same_work && threshold == Some(EARLIER_STARTUP)) {
        *wanted = json!(EARLIER_STARTUP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d6_a_stateful_sets_template_of_claims_is_never_edited() {
        let set = |templates: Value| json!({"spec": {"replicas": 2, "volumeClaimTemplates": templates}});
        let mut desired = set(json!([{"metadata": {"name": "replica"}}]));
        let actual = set(json!([{"metadata": {"name": "replica", "ownerReferences": []}}]));
        keep(ChildKind::StatefulSet, &mut desired, &actual);
        assert_eq!(desired, actual);
        let without = json!({"spec": {"replicas": 2}});
        keep(ChildKind::StatefulSet, &mut desired, &without);
        assert_eq!(desired, without);
    }

    #[test]
    fn d1_a_set_that_does_not_wait_for_its_pods_stays_so() {
        let set = |more: Value| json!({"spec": more});
        let kept = |actual: Value| {
            let mut desired = set(json!({"replicas": 2}));
            keep(ChildKind::StatefulSet, &mut desired, &set(actual));
            desired
        };
        let parallel = json!({"replicas": 2, "podManagementPolicy": "Parallel"});
        assert_eq!(kept(parallel.clone()), set(parallel));
        assert_eq!(kept(json!({"podManagementPolicy": "OrderedReady"})), set(json!({"replicas": 2})));
    }

    #[test]
    fn d6_a_claim_keeps_the_form_of_its_owner_and_no_other_owner() {
        let claim = |owners: Value| json!({"metadata": {"ownerReferences": owners}});
        let wanted = claim(json!([{"uid": "a", "controller": true}]));
        let kept = |actual: Value| {
            let mut desired = wanted.clone();
            keep(ChildKind::PersistentVolumeClaim, &mut desired, &claim(actual));
            desired
        };
        assert_eq!(kept(json!([{"uid": "b"}, {"uid": "a"}])), claim(json!([{"uid": "a"}])));
        assert_eq!(kept(json!([{"uid": "b"}])), wanted);
        let mut retained = claim(json!([]));
        keep(ChildKind::PersistentVolumeClaim, &mut retained, &wanted);
        assert_eq!(retained, claim(json!([])));
    }

    #[test]
    fn d5_pods_keep_the_start_up_of_an_earlier_version_until_their_work_changes() {
        let deployment = |revision: &str, threshold: i64| {
            let container = json!({"name": "step", "startupProbe": {"failureThreshold": threshold}});
            json!({"spec": {"template": {
                "metadata": {"labels": {"mlpipeline.dev/revision": revision}},
                "spec": {"containers": [container]},
            }}})
        };
        let kept = |revision: &str, threshold: i64| {
            let mut desired = deployment("new", 600);
            keep(ChildKind::Deployment, &mut desired, &deployment(revision, threshold));
            desired["spec"]["template"]["spec"]["containers"][0]["startupProbe"]["failureThreshold"].clone()
        };
        assert_eq!(kept("new", 60), 60);
        assert_eq!(kept("old", 60), 600);
        assert_eq!(kept("new", 5), 600, "somebody changed it");
    }
}
