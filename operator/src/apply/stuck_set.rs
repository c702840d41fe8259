//! StatefulSets that wait for a pod which cannot become ready before the set replaces it. Pure.
//!
//! A StatefulSet that keeps its pods in order replaces none while another one is not ready, though the newest template may be what that
//! one needs (kubernetes/kubernetes issue 67250). One whose pods are managed in parallel replaces them all the same, one at a time from the
//! last. The policy of a set can never be changed; but a set can be deleted without its pods, and the next one adopts them.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use mlpipeline_core::child_kind::ChildKind;
use serde_json::{Value, json};

use super::desired::Desired;
use super::fixed_fields::{PARALLEL, POD_MANAGEMENT};
use crate::observe::is_controlled_by;

/// The label by which a StatefulSet knows the template that a pod was made by.
const TEMPLATE_REVISION: &str = "controller-revision-hash";
/// How old a pod of an earlier template is that counts: a pod that has just been moved to another node becomes ready by itself.
const GRACE: Duration = Duration::from_secs(30);

/// How long until a set counts as stuck; no time where it is, and `None` where nothing says that it will be. `pods` are those of the
/// pipeline.
pub(super) fn stuck_in(set: &StatefulSet, pods: &[Arc<Pod>], now: Timestamp) -> Option<Duration> {
    let uid = set.metadata.uid.as_deref()?;
    let policy = set.spec.as_ref().and_then(|spec| spec.pod_management_policy.as_deref());
    let status = set.status.as_ref()?;
    let newest = status.update_revision.as_ref()?;
    if policy == Some(PARALLEL) || status.observed_generation != set.metadata.generation {
        return None;
    }
    let is_older = |pod: &Pod| {
        let labels = pod.metadata.labels.as_ref();
        labels.and_then(|labels| labels.get(TEMPLATE_REVISION)).is_some_and(|revision| revision != newest)
    };
    let waits =
        pods.iter().filter(|pod| is_controlled_by(&pod.metadata, uid) && is_older(pod) && is_not_ready(pod));
    waits.filter_map(|pod| Some(left_of_grace(pod.metadata.creation_timestamp.as_ref()?.0, now))).min()
}

/// What is created under a name that is free. Where pods that are not ready were left to it, it must not wait for them.
pub(super) fn adopting(desired: &Desired, pods: &[Arc<Pod>]) -> Desired {
    let mut next = desired.clone();
    let selector = desired.value.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    if let Some(selector) = selector.filter(|_| desired.kind == ChildKind::StatefulSet) {
        let is_left = |pod: &&Arc<Pod>| {
            let labels = pod.metadata.labels.as_ref();
            let has = |name: &String, value: &Value| {
                labels.and_then(|labels| labels.get(name)).map(String::as_str) == value.as_str()
            };
            is_not_ready(pod) && selector.iter().all(|(name, value)| has(name, value))
        };
        if pods.iter().any(|pod| is_left(&pod))
            && let Some(spec) = next.value.get_mut("spec").and_then(Value::as_object_mut)
        {
            spec.insert(POD_MANAGEMENT.to_owned(), json!(PARALLEL));
        }
    }
    next
}

/// Whether a pod that stays is not ready.
fn is_not_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let is_ready =
        conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
    pod.metadata.deletion_timestamp.is_none() && !is_ready
}

fn left_of_grace(created: Timestamp, now: Timestamp) -> Duration {
    let age = Duration::try_from(now.duration_since(created)).unwrap_or_default();
    GRACE.saturating_sub(age)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).expect("such an object")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn set(policy: &str, observed: i64) -> StatefulSet {
        object(json!({
            "metadata": {"name": "shop-db", "uid": "set", "generation": 3},
            "spec": {"podManagementPolicy": policy, "selector": {}, "template": {}},
            "status": {"replicas": 3, "readyReplicas": 2, "observedGeneration": observed, "updateRevision": "good"},
        }))
    }

    /// A pod that was made at second 100.
    fn pod(revision: &str, ready: bool, owner: &str) -> Value {
        json!({
            "metadata": {
                "name": "shop-db-2", "creationTimestamp": at(100), "labels": {TEMPLATE_REVISION: revision, "step": "db"},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "shop-db", "uid": owner, "controller": true}],
            },
            "status": {"conditions": if ready { json!([{"type": "Ready", "status": "True"}]) } else { json!([]) }},
        })
    }

    fn stuck(set: &StatefulSet, pods: &[Value], second: i64) -> Option<u64> {
        let pods: Vec<Arc<Pod>> = pods.iter().map(|pod| Arc::new(object(pod.clone()))).collect();
        stuck_in(set, &pods, at(second)).map(|wait| wait.as_secs())
    }

    #[test]
    fn d1_a_set_is_stuck_on_a_pod_of_an_earlier_template_that_is_not_ready_and_nothing_else() {
        let ordered = set("OrderedReady", 3);
        let bad = pod("bad", false, "set");
        assert_eq!(stuck(&ordered, &[pod("good", true, "set"), bad.clone()], 200), Some(0));
        assert_eq!(stuck(&ordered, std::slice::from_ref(&bad), 110), Some(20), "it may be about to start");
        assert_eq!(
            stuck(&ordered, &[pod("old", true, "set"), pod("good", false, "set")], 200),
            None,
            "a roll-out"
        );
        assert_eq!(stuck(&ordered, &[pod("bad", false, "other")], 200), None, "somebody else's pod");
        let mut ending = bad.clone();
        ending["metadata"]["deletionTimestamp"] = json!(at(150));
        assert_eq!(stuck(&ordered, &[ending], 200), None, "it is being replaced");
        assert_eq!(
            stuck(&set("OrderedReady", 2), std::slice::from_ref(&bad), 200),
            None,
            "the template is news to the controller"
        );
        assert_eq!(stuck(&set(PARALLEL, 3), &[bad], 200), None, "it does not wait");
    }

    #[test]
    fn d1_a_set_that_finds_pods_which_are_not_ready_does_not_wait_for_them() {
        let value = |kind: &str| json!({"kind": kind, "metadata": {"name": "shop-db"}, "spec": {"selector": {"matchLabels": {"step": "db"}}}});
        let policy = |kind: ChildKind, pods: &[Value]| {
            let desired =
                Desired { kind, name: "shop-db".into(), hash: "h".into(), value: value(kind.kind()) };
            let pods: Vec<Arc<Pod>> = pods.iter().map(|pod| Arc::new(object(pod.clone()))).collect();
            adopting(&desired, &pods).value["spec"][POD_MANAGEMENT].as_str().map(str::to_owned)
        };
        let set = ChildKind::StatefulSet;
        let mut of_another_step = pod("bad", false, "set");
        of_another_step["metadata"]["labels"]["step"] = json!("other");
        assert_eq!(policy(set, &[pod("bad", false, "gone")]).as_deref(), Some(PARALLEL));
        assert_eq!(policy(set, &[]), None);
        assert_eq!(policy(set, &[pod("old", true, "gone"), of_another_step]), None);
        assert_eq!(policy(ChildKind::Deployment, &[pod("bad", false, "gone")]), None);
    }
}
