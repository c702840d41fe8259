use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;

fn metadata() -> Value {
    json!({
        "name": "a-1", "generateName": "a-", "namespace": "ns", "uid": "u", "resourceVersion": "7", "generation": 2,
        "creationTimestamp": "2026-11-21T00:00:00Z", "deletionTimestamp": "2026-11-21T00:01:00Z",
        "deletionGracePeriodSeconds": 30, "labels": {"l": "1"}, "annotations": {"mlpipeline.dev/a": "1"},
        "ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "o", "uid": "o", "controller": true}],
        "finalizers": ["f"], "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {}}}],
    })
}

/// The same fields are kept of an object that is decoded and of one that a call returned.
#[track_caller]
fn keeps<K>(sent: &Value, kept: &Value)
where
    K: StripFields<Wire = PartialDecode<K>>
        + PartialEq
        + std::fmt::Debug
        + DeserializeOwned
        + serde::Serialize,
    PartialDecode<K>: DeserializeOwned,
{
    let whole: K = serde_json::from_value(sent.clone()).expect("an object");
    let decoded = K::from_wire(serde_json::from_value(sent.clone()).expect("an object"));
    let mut json = serde_json::to_value(&decoded).expect("JSON");
    for field in ["apiVersion", "kind"] {
        json.as_object_mut().expect("an object").remove(field);
    }
    assert_eq!(&json, kept);
    assert_eq!(decoded, whole.strip_fields());
}

fn kept_metadata(dropped: &[&str]) -> Value {
    let mut metadata = metadata();
    for field in ["finalizers", "managedFields"].iter().chain(dropped) {
        metadata.as_object_mut().expect("an object").remove(*field);
    }
    metadata
}

#[test]
fn of_a_pod_its_phase_its_containers_states_and_the_conditions_that_are_read_are_kept() {
    let state = json!({"terminated": {"exitCode": 1, "message": "m", "finishedAt": "2026-11-21T00:00:30Z"}});
    let unschedulable =
        json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "none"});
    let lost = json!({"type": "Ready", "status": "False", "lastTransitionTime": "2026-11-21T00:00:40Z"});
    let ready = json!({"type": "ContainersReady", "status": "True"});
    let initialized = json!({"type": "Initialized", "status": "True"});
    let sent = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata(),
        "spec": {"containers": [{"name": "step", "image": "i"}], "nodeName": "n"},
        "status": {
            "phase": "Failed", "reason": "Evicted", "message": "low on memory", "podIP": "198.18.0.9", "qosClass": "Burstable",
            "conditions": [unschedulable, {"type": "Ready", "status": "False", "reason": "PodFailed"}, lost, ready, initialized],
            "initContainerStatuses": [{
                "name": "mesh", "image": "m", "imageID": "x", "ready": false, "started": true, "restartCount": 2, "state": state,
            }],
            "containerStatuses": [{
                "name": "step", "image": "i", "imageID": "x", "ready": false, "restartCount": 2, "state": state, "lastState": state,
            }],
        },
    });
    let kept = json!({
        "metadata": kept_metadata(&["annotations"]),
        "status": {
            "phase": "Failed", "reason": "Evicted", "message": "low on memory", "conditions": [unschedulable, lost, ready],
            "initContainerStatuses": [{
                "name": "mesh", "image": "m", "imageID": "", "ready": false, "started": true, "restartCount": 2, "state": state,
            }],
            "containerStatuses": [{
                "name": "step", "image": "i", "imageID": "", "ready": false, "restartCount": 2, "state": state, "lastState": state,
            }],
        },
    });
    keeps::<Pod>(&sent, &kept);
}

#[test]
fn why_a_pod_is_not_ready_is_kept_while_it_runs() {
    let not_ready = json!({"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady", "message": "gate x",
        "lastTransitionTime": "2026-11-21T00:00:40Z"});
    for (phase, is_kept) in [("Pending", false), ("Running", true), ("Succeeded", false)] {
        let status = json!({"phase": phase, "conditions": [not_ready]});
        let sent = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata(), "status": status});
        let status = if is_kept { status } else { json!({"phase": phase}) };
        keeps::<Pod>(&sent, &json!({"metadata": kept_metadata(&["annotations"]), "status": status}));
    }
}

#[test]
fn of_a_job_how_many_pods_it_runs_and_how_it_stands_is_kept() {
    let spec = json!({
        "activeDeadlineSeconds": 60, "backoffLimit": 3, "completionMode": "Indexed", "completions": 6, "parallelism": 2, "suspend": true,
        "selector": {"matchLabels": {"l": "1"}}, "podFailurePolicy": {"rules": []}, "podReplacementPolicy": "Failed",
        "ttlSecondsAfterFinished": 9, "manualSelector": false,
        "template": {"spec": {"containers": [{"name": "step", "image": "i"}]}},
    });
    let status = json!({
        "active": 1, "succeeded": 3, "failed": 2, "completedIndexes": "0-2", "failedIndexes": "3",
        "startTime": "2026-11-21T00:00:00Z", "completionTime": "2026-11-21T00:00:50Z",
        "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "m"}],
        "ready": 1, "terminating": 1, "uncountedTerminatedPods": {"failed": ["u"]},
    });
    let without = |from: &Value, dropped: &[&str]| {
        let mut kept = from.clone();
        dropped.iter().for_each(|field| drop(kept.as_object_mut().expect("an object").remove(*field)));
        kept
    };
    let dropped = ["selector", "podFailurePolicy", "podReplacementPolicy", "manualSelector", "template"];
    // The template is the one field of a Job's spec that its type requires.
    let mut kept_spec = without(&spec, &dropped);
    kept_spec["template"] = json!({});
    let kept = json!({
        "metadata": kept_metadata(&[]),
        "spec": kept_spec,
        "status": without(&status, &["ready", "terminating", "uncountedTerminatedPods"]),
    });
    keeps::<Job>(
        &json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata(), "spec": spec, "status": status}),
        &kept,
    );
}

#[test]
fn an_object_without_spec_or_status_is_decoded() {
    for bare in [json!({"metadata": {}}), json!({"metadata": {"name": "a"}, "spec": {}, "status": {}})] {
        serde_json::from_value::<PartialDecode<Pod>>(bare.clone()).expect("a pod");
        serde_json::from_value::<PartialDecode<Job>>(bare).expect("a job");
    }
}
