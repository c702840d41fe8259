//! What is normal for a moment and holds a step up when it lasts, with the time from which it counts.

use mlpipeline_core::observation::{Snapshot, WarningEvent, read};
use mlpipeline_core::observed::{Overdue, PodIssue};
use serde_json::{Value, json};

use crate::{REPORT, ended, failed_job, job, object, pod, snapshot, waiting};

const TEN: &str = "2026-11-20T10:00:00Z";

/// What counts as overdue of the step, as (reason, minute, message).
fn overdue(snapshot: &Snapshot) -> Vec<(String, String, String)> {
    let observed = read(snapshot);
    let of = |overdue: &Overdue| {
        let minute = overdue.from.strftime("%H:%M").to_string();
        (overdue.pod_issue.reason.clone(), minute, overdue.pod_issue.message.clone())
    };
    observed.steps.get("train").map(|step| step.overdue.iter().map(of).collect()).unwrap_or_default()
}

fn one(snapshot: &Snapshot) -> (String, String, String) {
    let mut all = overdue(snapshot);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn working(pod: Value) -> Snapshot {
    snapshot(job(json!({"template": {}}), json!({"active": 1, "startTime": TEN})), vec![pod])
}

fn container(name: &str, state: Value) -> Value {
    json!({"name": name, "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state})
}

fn running() -> Value {
    json!({"phase": "Running", "containerStatuses": [container("step", json!({"running": {"startedAt": TEN}}))]})
}

#[test]
fn d3_a_sidecar_that_outlives_the_worker_is_named_after_a_minute() {
    let mut done = ended(0, "Completed", REPORT);
    done["phase"] = json!("Running");
    let statuses = done["containerStatuses"].as_array_mut().expect("a list");
    statuses.push(container("proxy", json!({"running": {"startedAt": TEN}})));
    let (reason, minute, message) = one(&working(pod(done.clone())));
    assert_eq!((reason.as_str(), minute.as_str()), ("SidecarRunning", "10:01"));
    assert!(message.contains("container proxy") && message.contains("restartPolicy Always"), "{message}");
    // Its container at work again, or the sidecar ended: nothing to name.
    assert_eq!(overdue(&working(pod(running()))), []);
    done["containerStatuses"][1]["state"] = json!({"terminated": {"exitCode": 0}});
    assert_eq!(overdue(&working(pod(done))), []);
}

#[test]
fn d3_an_init_container_that_something_else_added_is_named_where_it_fails_or_does_not_end() {
    let status = |state: Value, started: bool| {
        let mut init = container("mesh-init", state);
        init["started"] = json!(started);
        json!({"phase": "Pending", "initContainerStatuses": [init],
            "containerStatuses": [container("step", json!({"waiting": {"reason": "PodInitializing"}}))]})
    };
    let at_work = json!({"running": {"startedAt": "2026-11-20T10:02:00Z"}});
    let named = overdue(&working(pod(status(at_work.clone(), false))));
    let (reason, minute, message) = &named[0];
    assert_eq!((reason.as_str(), minute.as_str()), ("InitContainerRunning", "10:07"));
    assert!(message.contains("mesh-init"), "{message}");
    // One that counts as started is a sidecar, and the step waits for something else.
    assert_eq!(one(&working(pod(status(at_work, true)))).0, "PodsPending");
    let crashing = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}});
    let observed = read(&working(pod(status(crashing, false))));
    let issue = observed.steps["train"].pod_issues.first().expect("an issue");
    assert_eq!(issue.reason, "CrashLoopBackOff");
    assert!(
        issue.message.starts_with("container mesh-init, which something else added"),
        "{}",
        issue.message
    );
}

#[test]
fn a_failure_of_a_container_that_something_else_added_is_not_called_the_workers() {
    let failed = |status: Value| {
        let snapshot =
            snapshot(job(json!({"template": {}}), failed_job("BackoffLimitExceeded")), vec![pod(status)]);
        format!("{:?}", read(&snapshot).steps["train"].runs[0].phase)
    };
    let end = json!({"terminated": {"exitCode": 2, "message": "no route to the mesh"}});
    let init = json!({"phase": "Failed", "initContainerStatuses": [container("mesh-init", end.clone())],
        "containerStatuses": [container("step", json!({"waiting": {"reason": "PodInitializing"}}))]});
    let mut beside = ended(0, "Completed", REPORT);
    beside["phase"] = json!("Failed");
    beside["containerStatuses"].as_array_mut().expect("a list").push(container("proxy", end));
    for (status, name) in [(init, "mesh-init"), (beside, "proxy")] {
        let phase = failed(status);
        assert!(phase.contains("InjectedContainerFailed") && phase.contains(name), "{phase}");
        assert!(phase.contains("exit code 2; its last words: no route to the mesh"), "{phase}");
    }
}

#[test]
fn d3_d4_a_pod_on_a_lost_node_is_named_while_it_waits_for_its_end_and_after() {
    let mut unreachable = running();
    unreachable["conditions"] = json!([
        {"type": "Ready", "status": "False", "lastTransitionTime": "2026-11-20T10:05:00Z"},
        {"type": "ContainersReady", "status": "True"}]);
    let (reason, minute, message) = one(&working(pod(unreachable.clone())));
    assert_eq!((reason.as_str(), minute.as_str()), ("NodeUnreachable", "10:06"));
    assert!(message.contains("pod iris-train-x") && message.contains("pod.tolerations"), "{message}");
    // The kubelet, or a gate of somebody's, gives a reason.
    unreachable["conditions"][0]["reason"] = json!("ReadinessGatesNotReady");
    assert_eq!(overdue(&working(pod(unreachable))), []);

    let deleted = |status: Value| {
        let mut pod = pod(status);
        pod["metadata"]["deletionTimestamp"] = json!("2026-11-20T10:10:30Z");
        working(pod)
    };
    let (reason, minute, message) = one(&deleted(running()));
    assert_eq!((reason.as_str(), minute.as_str()), ("PodTerminating", "10:11"));
    assert!(message.contains("node.kubernetes.io/out-of-service"), "{message}");
    let mut tainted = running();
    tainted["conditions"] =
        json!([{"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager"}]);
    assert_eq!(one(&deleted(tainted)).0, "NodeLost");
    assert_eq!(overdue(&deleted(ended(137, "Error", ""))), [], "it has ended, wherever it was");
}

/// A pod of a Deployment that runs since ten and is not ready.
fn not_ready(reason: &str, since: &str, statuses: Value) -> Snapshot {
    let mut pod = pod(json!({"phase": "Running", "containerStatuses": statuses, "conditions": [
        {"type": "Ready", "status": "False", "reason": reason, "lastTransitionTime": since, "message": "its words"}]}));
    pod["metadata"]["ownerReferences"] = json!([
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "iris-train-5", "uid": "set", "controller": true}]);
    Snapshot { pods: vec![object(pod)], ..Snapshot::default() }
}

#[test]
fn d3_a_pod_that_runs_and_never_becomes_ready_is_named_with_the_kubelets_words() {
    let runs = |at: &str| container("step", json!({"running": {"startedAt": at}}));
    for reason in ["ReadinessGatesNotReady", "ContainersNotReady"] {
        let (name, minute, message) = one(&not_ready(reason, TEN, json!([runs(TEN)])));
        assert_eq!((name.as_str(), minute.as_str()), ("PodNotReady", "10:11"));
        assert_eq!(message, "pod iris-train-x runs and does not become ready: its words");
    }
    let pulled_late = not_ready("ContainersNotReady", TEN, json!([runs("2026-11-20T10:20:00Z")]));
    assert_eq!(one(&pulled_late).1, "10:31", "from the begin of its container");
    let failed_later = not_ready("ContainersNotReady", "2026-11-20T12:00:00Z", json!([runs(TEN)]));
    assert_eq!(one(&failed_later).1, "12:11", "from the end of its being ready");
    assert_eq!(overdue(&not_ready("PodCompleted", TEN, json!([runs(TEN)]))), [], "it has ended well");
    let mut of_job = running();
    of_job["conditions"] = json!([{"type": "Ready", "status": "False", "reason": "ContainersNotReady", "lastTransitionTime": TEN}]);
    assert_eq!(overdue(&working(pod(of_job))), [], "nobody waits for a run to become ready");
}

#[test]
fn d3_a_container_that_ends_before_it_is_ready_has_one_reason_while_it_runs_and_while_it_waits() {
    let mut begun_again = container("step", json!({"running": {"startedAt": "2026-11-20T10:30:00Z"}}));
    begun_again["lastState"] = json!({"terminated": {"exitCode": 3, "reason": "Error"}});
    begun_again["restartCount"] = json!(1);
    let once = overdue(&not_ready("ContainersNotReady", TEN, json!([begun_again])));
    assert_eq!(once.len(), 1, "a node that reboots ends each container once: {once:?}");
    begun_again["restartCount"] = json!(2);
    let all = overdue(&not_ready("ContainersNotReady", TEN, json!([begun_again])));
    let said: Vec<_> = all.iter().map(|(reason, minute, _)| (reason.as_str(), minute.as_str())).collect();
    assert_eq!(said, [("PodNotReady", "10:41"), ("CrashLoopBackOff", "10:11")]);
    assert_eq!(all[1].2, "the container ends again and again with exit code 3");
}

#[test]
fn d3_a_job_that_is_suspended_or_queued_is_named() {
    let suspended = |label: Option<&str>, status: Value| {
        let mut job = job(json!({"template": {}, "suspend": true}), status);
        job["metadata"]["creationTimestamp"] = json!(TEN);
        if let Some(queue) = label {
            job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] = json!(queue);
        }
        snapshot(job, vec![])
    };
    let (reason, minute, message) = one(&suspended(None, json!({})));
    assert_eq!((reason.as_str(), minute.as_str()), ("JobSuspended", "10:01"));
    assert!(message.contains("Job iris-train is suspended") && message.contains("spec.suspend"), "{message}");
    let later = json!({"conditions": [{"type": "Suspended", "status": "True", "lastTransitionTime": "2026-11-20T11:00:00Z"}]});
    let (reason, minute, message) = one(&suspended(Some("gpus"), later));
    assert_eq!((reason.as_str(), minute.as_str()), ("JobQueued", "11:01"));
    assert!(message.contains("queue gpus of Kueue"), "{message}");
}

#[test]
fn d3_a_run_none_of_whose_pods_begins_is_named_after_five_minutes_with_the_cause_where_it_is_known() {
    let (reason, minute, message) = one(&working(pod(waiting("ContainerCreating", ""))));
    assert_eq!((reason.as_str(), minute.as_str()), ("PodsPending", "10:05"));
    assert!(message.contains("kubectl describe pods -l job-name=iris-train"), "{message}");
    let (reason, minute, _) = one(&working(pod(waiting("ErrImagePull", "not found"))));
    assert_eq!(
        (reason.as_str(), minute.as_str()),
        ("ImagePullBackOff", "10:05"),
        "one reason for each attempt"
    );
    assert_eq!(overdue(&working(pod(running()))), []);
    let failed = snapshot(job(json!({"template": {}}), failed_job("BackoffLimitExceeded")), vec![]);
    assert_eq!(overdue(&failed), []);
}

#[test]
fn d3_a_schedule_whose_jobs_are_rejected_is_named_until_one_is_made() {
    let cron_job = json!({"metadata": {"name": "iris-train", "uid": "cron", "labels": {"mlpipeline.dev/step": "train"}},
        "spec": {"schedule": "0 2 * * *", "jobTemplate": {}}});
    let message = "jobs.batch \"x\" is forbidden: exceeded quota: few, requested: count/jobs.batch=1";
    let warned = |made: Option<&str>, suspend: bool| {
        let mut job =
            job(json!({"template": {}}), json!({"conditions": [{"type": "Complete", "status": "True"}]}));
        job["metadata"]["ownerReferences"] = json!([
            {"apiVersion": "batch/v1", "kind": "CronJob", "name": "iris-train", "uid": "cron", "controller": true}]);
        job["metadata"]["creationTimestamp"] = json!(made);
        let mut cron_job = cron_job.clone();
        cron_job["spec"]["suspend"] = json!(suspend);
        let pod_issue = PodIssue { reason: "FailedCreate".into(), message: message.into() };
        let warning = WarningEvent { pod_issue, time: Some(TEN.parse().expect("a time")) };
        let jobs = if made.is_some() { vec![object(job)] } else { vec![] };
        let warning_events = [("cron".to_owned(), warning)].into();
        let snapshot =
            Snapshot { jobs, cron_jobs: vec![object(cron_job)], warning_events, ..Snapshot::default() };
        read(&snapshot).steps["train"].pod_issues.first().cloned()
    };
    let issue = warned(None, false).expect("an issue");
    assert_eq!(issue.reason, "QuotaExceeded");
    assert!(issue.message.starts_with("the API server rejects its Jobs: jobs.batch"), "{}", issue.message);
    assert!(warned(Some("2026-11-20T02:00:00Z"), false).is_some(), "an earlier one");
    assert_eq!(warned(Some("2026-11-20T10:00:01Z"), false), None);
    assert_eq!(warned(None, true), None, "a schedule that is suspended asks for no Job");
}

#[test]
fn d3_a_service_that_is_given_no_address_is_named_after_five_minutes_with_the_clouds_words() {
    let found = |kind: &str, ingress: Value, warned: bool| {
        let service = json!({"metadata": {"name": "iris-train", "uid": "service", "creationTimestamp": TEN,
            "labels": {"mlpipeline.dev/step": "train"}}, "spec": {"type": kind}, "status": {"loadBalancer": {"ingress": ingress}}});
        let pod_issue =
            PodIssue { reason: "SyncLoadBalancerFailed".into(), message: "no quota for addresses".into() };
        let warning = ("service".to_owned(), WarningEvent { pod_issue, time: None });
        let warning_events = Some(warning).filter(|_| warned).into_iter().collect();
        let snapshot = Snapshot { services: vec![object(service)], warning_events, ..Snapshot::default() };
        let step = read(&snapshot).steps["train"].clone();
        (step.external_address, step.no_external_address)
    };
    for (warned, words) in [(true, "no quota for addresses"), (false, "nothing says why")] {
        let (address, missing) = found("LoadBalancer", json!([]), warned);
        let missing = missing.expect("an issue");
        assert_eq!((address, missing.from.strftime("%H:%M").to_string().as_str()), (None, "10:05"));
        assert!(missing.pod_issue.message.contains("Service iris-train"), "{missing:?}");
        assert!(missing.pod_issue.message.contains(words), "{missing:?}");
    }
    for (ingress, address) in [
        (json!([{"ip": "192.0.2.7"}]), "192.0.2.7"),
        (json!([{"ip": "2001:db8::7"}]), "[2001:db8::7]"),
        (json!([{"hostname": "lb.example.com", "ip": "192.0.2.7"}]), "lb.example.com"),
    ] {
        assert_eq!(found("LoadBalancer", ingress, true), (Some(address.to_owned()), None));
    }
    assert_eq!(found("ClusterIP", json!([]), true), (None, None));
}

#[test]
fn d3_an_autoscaler_that_cannot_read_metrics_is_named_after_two_minutes() {
    let issue = |kind: &str, status: &str, reason: &str| {
        let autoscaler = json!({"metadata": {"name": "iris-train", "labels": {"mlpipeline.dev/step": "train"}},
            "spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "iris-train"}},
            "status": {"desiredReplicas": 1, "conditions": [{"type": kind, "status": status, "reason": reason,
                "message": "unable to get metrics for resource cpu", "lastTransitionTime": TEN}]}});
        let snapshot =
            Snapshot { horizontal_pod_autoscalers: vec![object(autoscaler)], ..Snapshot::default() };
        read(&snapshot).steps["train"].not_autoscaled.clone()
    };
    let found = issue("ScalingActive", "False", "FailedGetResourceMetric").expect("an issue");
    assert_eq!(found.pod_issue.reason, "FailedGetResourceMetric");
    assert!(found.pod_issue.message.contains("unable to get metrics for resource cpu"), "{found:?}");
    assert_eq!(found.from.strftime("%H:%M").to_string(), "10:02");
    assert!(issue("AbleToScale", "False", "FailedGetScale").is_some());
    for fine in [
        ("ScalingActive", "True", "ValidMetricFound"),
        ("ScalingActive", "False", "ScalingDisabled"),
        ("ScalingLimited", "False", "DesiredWithinRange"),
    ] {
        assert_eq!(issue(fine.0, fine.1, fine.2), None, "{fine:?}");
    }
}
