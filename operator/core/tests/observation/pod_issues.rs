//! Pod issues: what keeps pods from working.

use mlpipeline_core::observation::{Snapshot, WarningEvent, read};
use mlpipeline_core::observed::PodIssue;
use serde_json::{Value, json};

use crate::{REPORT, ended, failed_job, job, object, pod, run, snapshot, waiting};

#[test]
fn what_keeps_a_pod_from_starting_is_named() {
    let unscheduled = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."}]});
    let bound = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/3 nodes are available: 3 node(s) didn't match pod affinity rules."}]});
    let rows = [
        (bound, Some(("Unschedulable", "one node at a time can mount the pipeline's volume"))),
        (
            waiting("ImagePullBackOff", "Back-off pulling image"),
            Some(("ImagePullBackOff", "image ttl.sh/nothing:1 cannot be pulled: Back-off")),
        ),
        (
            waiting("CreateContainerConfigError", "secret \"x\" not found"),
            Some(("CreateContainerConfigError", "secret \"x\" not found")),
        ),
        (waiting("ContainerCreating", ""), None),
        (unscheduled, Some(("Unschedulable", "no node takes the pod: 0/1 nodes"))),
        (json!({"phase": "Running"}), None),
    ];
    for (status, expected) in rows {
        let observed = read(&snapshot(job(json!({"template": {}}), json!({})), vec![pod(status)]));
        let pod_issue = observed.steps["train"].pod_issues.first();
        match (pod_issue, expected) {
            (None, None) => {}
            (Some(found), Some((reason, part))) => {
                assert_eq!(found.reason, reason);
                assert!(found.message.contains(part), "{}", found.message);
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The next step's pod is made a second before the pod of the step before has left its place.
#[test]
fn a_pod_that_finds_no_room_while_another_is_cleaned_up_has_no_issue() {
    let unschedulable = json!({"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available"}]});
    let mut other = pod(ended(0, "Completed", REPORT));
    other["metadata"]["ownerReferences"] = json!([
        {"apiVersion": "batch/v1", "kind": "Job", "name": "iris-data", "uid": "other", "controller": true}]);
    let pod_issues = |phase: &str| {
        let mut other = other.clone();
        other["status"]["phase"] = json!(phase);
        let job = job(json!({"template": {}}), json!({"active": 1}));
        read(&snapshot(job, vec![pod(unschedulable.clone()), other])).steps["train"].pod_issues.clone()
    };
    assert_eq!(pod_issues("Running"), []);
    let reasons: Vec<String> =
        pod_issues("Succeeded").into_iter().map(|pod_issue| pod_issue.reason).collect();
    assert_eq!(reasons, ["Unschedulable"]);
}

/// The first pod_issue of a Job of one pod with three retries, as (reason, message).
fn pod_issue(status: Value, pods: Vec<Value>) -> Option<(String, String)> {
    let observed = read(&snapshot(job(json!({"template": {}, "backoffLimit": 3}), status), pods));
    observed.steps["train"]
        .pod_issues
        .first()
        .map(|pod_issue| (pod_issue.reason.clone(), pod_issue.message.clone()))
}

fn evicted() -> Value {
    json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory.",
        "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"}]})
}

#[test]
fn a_failed_attempt_is_named_while_the_job_tries_again() {
    let backing_off = json!({"failed": 1});
    let out_of_memory = pod_issue(backing_off.clone(), vec![pod(ended(137, "OOMKilled", ""))]);
    let (reason, message) = out_of_memory.expect("a pod_issue");
    assert_eq!(reason, "OutOfMemory");
    assert!(message.starts_with("attempt 1 of 4 failed: the container used more memory"), "{message}");
    assert!(message.ends_with("; it is tried again"), "{message}");
    // The pod has failed and the Job does not know yet; and the next attempt is at work.
    for status in [json!({"active": 1}), json!({"active": 1, "failed": 1})] {
        let pods = vec![pod(ended(137, "OOMKilled", "")), pod(json!({"phase": "Running"}))];
        let (reason, message) = pod_issue(status, pods).expect("a pod_issue");
        assert_eq!(reason, "OutOfMemory");
        assert!(message.starts_with("attempt 1 of 4"), "{message}");
    }
    let said = r#"{"outcome":"failed","reason":"StorageUnavailable","message":"no answer from storage"}"#;
    let (reason, message) = pod_issue(backing_off, vec![pod(ended(4, "Error", said))]).expect("a pod_issue");
    assert_eq!((reason.as_str(), message.contains("no answer from storage")), ("StorageUnavailable", true));
}

#[test]
fn an_eviction_is_named_although_it_counts_as_no_attempt() {
    let (reason, message) = pod_issue(json!({"active": 1}), vec![pod(evicted())]).expect("a pod_issue");
    assert_eq!(reason, "Evicted");
    assert!(message.contains("low on resource: memory.; this is not counted as an attempt"), "{message}");
    let mut preempted = ended(143, "Error", "");
    preempted["conditions"] = json!([{"type": "DisruptionTarget", "status": "True",
        "reason": "PreemptionByScheduler", "message": "a pod of higher priority needs the room"}]);
    let (reason, message) = pod_issue(json!({"active": 1}), vec![pod(preempted)]).expect("a pod_issue");
    assert_eq!(reason, "PreemptionByScheduler");
    assert!(message.contains("higher priority"), "{message}");
}

#[test]
fn an_attempt_that_no_other_follows_is_left_to_the_job_to_tell() {
    let done = ended(0, "Completed", REPORT);
    let wrong_data = r#"{"outcome":"failed","reason":"ColumnNotFound","message":"no column x"}"#;
    let rows = [
        (json!({"failed": 4}), vec![pod(ended(137, "OOMKilled", ""))]),
        (json!({"failed": 1}), vec![pod(ended(3, "Error", wrong_data))]),
        (failed_job("BackoffLimitExceeded"), vec![pod(ended(137, "OOMKilled", ""))]),
        (json!({"failed": 1}), vec![pod(ended(137, "OOMKilled", "")), pod(done)]),
    ];
    for (status, pods) in rows {
        assert_eq!(pod_issue(status.clone(), pods), None, "{status}");
    }
}

#[test]
fn a_container_that_runs_all_the_time_and_out_of_memory_is_named_so() {
    let container = |ready: bool, state: Value| {
        json!({"phase": "Running", "containerStatuses": [{"name": "step", "image": "i", "imageID": "", "ready": ready,
            "restartCount": 3, "state": state, "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]})
    };
    let crashing = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}});
    let running = json!({"running": {}});
    for state in [crashing, running.clone()] {
        let (reason, message) =
            pod_issue(json!({}), vec![pod(container(false, state))]).expect("a pod_issue");
        assert_eq!(reason, "OutOfMemory");
        assert!(message.contains("limits.memory"), "{message}");
    }
    assert_eq!(pod_issue(json!({}), vec![pod(container(true, running))]), None, "it is well again");
}

#[test]
fn containers_that_others_put_beside_the_step_do_not_speak_for_it() {
    let mut done = ended(0, "Completed", REPORT);
    let beside = json!({"name": "agent", "image": "a", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": 1, "message": "the agent's words"}}});
    done["containerStatuses"].as_array_mut().expect("a list").insert(0, beside);
    let run = run(job(json!({"template": {}}), json!({})), vec![pod(done)]);
    assert_eq!(run.report.expect("the step's own").metrics["accuracy"], 0.97);
}

#[test]
fn a_refusal_of_pods_is_over_when_a_pod_was_made_after_it() {
    let warned = |pod_made: Option<&str>, status: Value| {
        let pods = pod_made.map(|made| {
            let mut failed = pod(ended(1, "Error", "boom"));
            failed["metadata"]["creationTimestamp"] = json!(made);
            failed
        });
        let pod_issue = PodIssue {
            reason: "FailedCreate".into(),
            message: "pods \"x\" is forbidden: exceeded quota: small".into(),
        };
        let time = Some("2026-11-20T10:00:00.5Z".parse().expect("a time"));
        let job = job(json!({"template": {}, "backoffLimit": 3}), status);
        let warning_events = [("job-uid".to_owned(), WarningEvent { pod_issue, time })].into();
        let observed = read(&Snapshot { warning_events, ..snapshot(job, pods.into_iter().collect()) });
        observed.steps["train"].pod_issues.first().map(|pod_issue| pod_issue.reason.clone())
    };
    assert_eq!(warned(None, json!({})).as_deref(), Some("QuotaExceeded"));
    let failed = || json!({"failed": 1});
    assert_eq!(warned(Some("2026-11-20T09:59:00Z"), failed()).as_deref(), Some("QuotaExceeded"), "the retry");
    assert_eq!(warned(Some("2026-11-20T10:00:00Z"), failed()).as_deref(), Some("ContainerFailed"));
    assert_eq!(warned(Some("2026-11-20T10:01:00Z"), failed()).as_deref(), Some("ContainerFailed"));
}

/// The issue of a pod that waits for a claim, with what its provisioner said of it last.
fn claim_issue(claim: Value, warned: Option<&str>) -> Option<PodIssue> {
    let mut waits = pod(json!({"phase": "Pending"}));
    waits["metadata"]["name"] = json!("shop-db-0");
    let claims = vec![serde_json::from_value(claim).expect("a claim")];
    let mut snapshot =
        Snapshot { claims, ..snapshot(job(json!({"template": {}}), json!({"active": 1})), vec![waits]) };
    if let Some(message) = warned {
        let pod_issue = PodIssue { reason: "ProvisioningFailed".to_owned(), message: message.to_owned() };
        snapshot.warning_events.insert("claim".to_owned(), WarningEvent { pod_issue, time: None });
    }
    let mut pod_issues = read(&snapshot).steps["train"].pod_issues.clone().into_iter();
    pod_issues.find(|pod_issue| pod_issue.reason.starts_with("Volume"))
}

#[test]
fn d1_nobody_is_told_to_delete_a_claim_that_has_or_had_a_volume() {
    let claim = |phase: &str| {
        json!({"metadata": {"name": "iris-storage", "uid": "claim"}, "spec": {"storageClassName": "fast", "volumeName": "pv-7"},
            "status": {"phase": phase}})
    };
    let said = |phase: &str, warned: Option<&str>| {
        claim_issue(claim(phase), warned).map(|issue| (issue.reason, issue.message))
    };
    for warned in [None, Some("Bound claim has lost its PersistentVolume")] {
        let (reason, message) = said("Lost", warned).expect("an issue");
        assert_eq!(reason, "VolumeLost");
        for part in [
            "claim iris-storage had PersistentVolume pv-7",
            "restore that PersistentVolume",
            "gives up the data",
        ] {
            assert!(message.contains(part), "{part}: {message}");
        }
        assert!(!message.contains("kubectl delete"), "{message}");
    }
    assert_eq!(said("Pending", None), None, "it is about to be bound");
    let (reason, message) = said("Pending", Some("already bound to a different claim")).expect("an issue");
    assert_eq!(reason, "VolumeNotBound");
    assert!(message.contains("PersistentVolume pv-7") && message.contains("a different claim"), "{message}");
    assert!(!message.contains("kubectl delete") && !message.contains("holds nothing"), "{message}");
    assert_eq!(said("Bound", Some("any")), None);
}

#[test]
fn d1_a_volume_that_does_not_grow_as_kubernetes_accepted_is_named_with_the_provisioners_words() {
    let not_grown_since = |began: &str, found: &str, conditions: Value, warned: Option<&str>| {
        let claim = json!({"metadata": {"name": "iris-storage", "uid": "claim"},
            "spec": {"volumeName": "pv-7", "resources": {"requests": {"storage": "2Gi"}}},
            "status": {"phase": "Bound", "capacity": {"storage": found}, "conditions": conditions}});
        let warning = warned.map(|reason| {
            let pod_issue = PodIssue { reason: reason.into(), message: "disk quota is used up".into() };
            ("claim".to_owned(), WarningEvent { pod_issue, time: None })
        });
        let claims = vec![serde_json::from_value(claim).expect("a claim")];
        let warning_events = warning.into_iter().collect();
        let state = json!({"running": {"startedAt": began}});
        let running = json!({"phase": "Running", "containerStatuses": [{"name": "step", "image": "i", "imageID": "", "ready": true,
            "restartCount": 0, "state": state}]});
        let pods = vec![super::object(pod(running))];
        let found = read(&Snapshot { claims, warning_events, pods, ..Snapshot::default() }).volume_not_grown;
        found.map(|late| (late.from.strftime("%H:%M").to_string(), late.pod_issue.message))
    };
    let not_grown = |found: &str, conditions: Value, warned: Option<&str>| {
        not_grown_since("2026-11-20T09:00:00Z", found, conditions, warned)
    };
    let condition = |kind: &str| json!([{"type": kind, "status": "True", "lastTransitionTime": "2026-11-20T10:00:00Z", "message": "at work"}]);
    let pending = condition("FileSystemResizePending");
    let found = not_grown_since("2026-11-20T10:00:01Z", "1Gi", pending, None);
    assert_eq!(found, None, "no pod runs from before, so the next one has it grow");
    let rows = [
        (
            json!([]),
            Some("VolumeResizeFailed"),
            "00:00",
            "has 1Gi and was to grow to 2Gi: disk quota is used up; ",
        ),
        (condition("Resizing"), Some("VolumeResizeFailed"), "00:00", ": disk quota is used up; "),
        (condition("Resizing"), None, "10:05", ": at work; "),
        (condition("Resizing"), Some("ProvisioningFailed"), "10:05", ": at work; "),
        (
            condition("FileSystemResizePending"),
            Some("VolumeResizeFailed"),
            "10:05",
            "grows when its pods begin again",
        ),
    ];
    for (conditions, warned, minute, part) in rows {
        let (from, message) = not_grown("1Gi", conditions, warned).expect("an issue");
        assert_eq!(from, minute, "{message}");
        assert!(
            message.contains("PersistentVolumeClaim iris-storage") && message.contains(part),
            "{message}"
        );
    }
    assert_eq!(not_grown("1Gi", json!([]), None), None, "nothing says since when");
    assert_eq!(not_grown("2048Mi", condition("Resizing"), Some("VolumeResizeFailed")), None, "it has grown");
}

#[test]
fn a_claim_that_is_not_bound_is_named_with_a_way_out_that_kubernetes_takes() {
    let claim = |class: Value| json!({"metadata": {"name": "iris-storage", "uid": "claim"}, "spec": {"storageClassName": class}});
    let delete = "kubectl delete pvc iris-storage";
    let mut of_replica = claim(json!("fsat"));
    of_replica["metadata"]["name"] = json!("replica-shop-db-0");
    let mut of_another = of_replica.clone();
    of_another["metadata"] =
        json!({"name": "replica-shop-db-1", "uid": "claim", "labels": {"mlpipeline.dev/step": "db"}});
    of_replica["metadata"]["labels"] = json!({"mlpipeline.dev/step": "db"});
    let mut bound = claim(json!(null));
    bound["status"] = json!({"phase": "Bound"});
    let rows: [(Value, Option<&str>, &[&str]); 7] = [
        (
            claim(json!(null)),
            None,
            &["the cluster has no default one", "; set storageClassName of spec.storage.volume"],
        ),
        (
            claim(json!("")),
            None,
            &["its storage class is empty", "correct storageClassName of spec.storage.volume", delete],
        ),
        (
            claim(json!("fsat")),
            Some("\"fsat\" not found"),
            &["\"fsat\" not found; where spec.storage.volume is wrong", delete],
        ),
        (
            of_replica,
            Some("no"),
            &["where replicaVolume of step db is wrong", "delete pvc replica-shop-db-0"],
        ),
        (of_another, Some("no"), &[]),
        (claim(json!("fast")), None, &[]),
        (bound, None, &[]),
    ];
    for (claim, warned, parts) in rows {
        let found = claim_issue(claim.clone(), warned).map(|issue| {
            assert_eq!(issue.reason, "VolumeNotBound");
            issue.message
        });
        assert_eq!(found.is_some(), !parts.is_empty(), "{claim}: {found:?}");
        for part in parts {
            assert!(found.as_ref().is_some_and(|found| found.contains(part)), "{part}: {found:?}");
        }
    }
}

#[test]
fn d3_a_roll_out_that_something_else_holds_back_is_named_while_pods_of_an_earlier_template_stay() {
    let metadata = json!({"name": "iris-train", "labels": {"mlpipeline.dev/step": "train"}});
    let said = |kind: &str, spec: Value, updated: i32| {
        let mut spec = spec;
        spec["selector"] = json!({});
        spec["template"] = json!({});
        let status = json!({"replicas": 3, "updatedReplicas": updated, "currentRevision": "a", "updateRevision": "b",
            "currentNumberScheduled": 3, "updatedNumberScheduled": updated, "desiredNumberScheduled": 3, "numberReady": 3,
            "numberMisscheduled": 0});
        let found = json!({"metadata": metadata, "spec": spec, "status": status});
        let snapshot = match kind {
            "Deployment" => Snapshot { deployments: vec![object(found)], ..Snapshot::default() },
            "StatefulSet" => Snapshot { stateful_sets: vec![object(found)], ..Snapshot::default() },
            _ => Snapshot { daemon_sets: vec![object(found)], ..Snapshot::default() },
        };
        read(&snapshot).steps["train"].pod_issues.first().cloned()
    };
    let strategy = |value: Value| json!({"updateStrategy": value});
    let on_delete = || strategy(json!({"type": "OnDelete"}));
    let partition = |at: i32| strategy(json!({"type": "RollingUpdate", "rollingUpdate": {"partition": at}}));
    let rows = [
        (
            "Deployment",
            json!({"paused": true}),
            "spec.paused of Deployment iris-train; kubectl rollout resume deployment/iris-train",
        ),
        (
            "StatefulSet",
            on_delete(),
            "OnDelete of StatefulSet iris-train; kubectl patch statefulset iris-train -p",
        ),
        (
            "StatefulSet",
            partition(2),
            "spec.updateStrategy.rollingUpdate.partition: 2 of StatefulSet iris-train",
        ),
        ("DaemonSet", on_delete(), "OnDelete of DaemonSet iris-train; kubectl patch daemonset iris-train -p"),
    ];
    for (kind, spec, part) in rows {
        let issue = said(kind, spec.clone(), 1).expect("an issue");
        assert_eq!(issue.reason, "RolloutPaused");
        assert!(issue.message.contains(part), "{}", issue.message);
        assert_eq!(said(kind, spec, 3), None, "nothing is left to roll out");
    }
    for (kind, spec) in [
        ("Deployment", json!({"paused": false})),
        ("StatefulSet", partition(0)),
        ("DaemonSet", strategy(json!({"type": "RollingUpdate"}))),
    ] {
        assert_eq!(said(kind, spec, 1), None, "a roll-out");
    }
}
