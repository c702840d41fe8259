//! What children say, read as data: one case for each thing that a kubelet, a scheduler or a controller may say.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::Arc;

use mlpipeline_operator::core::observed::{ObservedRun, RunPhase, Trouble};
use mlpipeline_operator::core::reading::{Notice, Snapshot, read};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const KEY: &str = "0123456789ab";

fn object<T: DeserializeOwned>(value: Value) -> Arc<T> {
    Arc::new(serde_json::from_value(value).expect("the fixture is such an object"))
}

fn job(spec: Value, status: Value) -> Value {
    json!({
        "metadata": {"name": "iris-train", "uid": "job-uid", "labels": {
            "mlpipeline.dev/step": "train", "mlpipeline.dev/revision": KEY, "mlpipeline.dev/attempt": "2"}},
        "spec": spec,
        "status": status,
    })
}

fn pod(status: Value) -> Value {
    json!({
        "metadata": {"name": "iris-train-x", "labels": {"mlpipeline.dev/step": "train"}, "ownerReferences": [
            {"apiVersion": "batch/v1", "kind": "Job", "name": "iris-train", "uid": "job-uid", "controller": true}]},
        "status": status,
    })
}

fn ended(code: i32, reason: &str, message: &str) -> Value {
    json!({"containerStatuses": [{"name": "step", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": code, "reason": reason, "message": message, "finishedAt": "2026-11-20T10:00:00Z"}}}],
        "phase": if code == 0 { "Succeeded" } else { "Failed" }})
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({"phase": "Pending", "containerStatuses": [{"name": "step", "image": "ttl.sh/nothing:1", "imageID": "",
        "ready": false, "restartCount": 0, "state": {"waiting": {"reason": reason, "message": message}}}]})
}

fn failed_job(reason: &str) -> Value {
    json!({"failed": 1, "conditions": [{"type": "Failed", "status": "True", "reason": reason, "message": "the Job's own words"}]})
}

fn snapshot(job: Value, pods: Vec<Value>) -> Snapshot {
    Snapshot { jobs: vec![object(job)], pods: pods.into_iter().map(object).collect(), ..Snapshot::default() }
}

fn run(job: Value, pods: Vec<Value>) -> ObservedRun {
    let observed = read(&snapshot(job, pods));
    observed.steps["train"].runs[0].clone()
}

fn failure(job_reason: &str, pod_status: Value) -> (String, String) {
    match run(job(json!({"template": {}}), failed_job(job_reason)), vec![pod(pod_status)]).phase {
        RunPhase::Failed { reason, message } => (reason, message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_run_of_one_pod_is_done_as_soon_as_its_pod_says_so() {
    let report = r#"{"outcome":"succeeded","revision":"0123456789ab","metrics":{"accuracy":0.97}}"#;
    let done =
        run(job(json!({"template": {}}), json!({"active": 1})), vec![pod(ended(0, "Completed", report))]);
    assert_eq!(done.phase, RunPhase::Succeeded);
    assert_eq!(done.attempt, 2);
    assert_eq!(done.finished.map(|time| time.to_string()).as_deref(), Some("2026-11-20T10:00:00Z"));
    assert_eq!(done.report.expect("a report").metrics["accuracy"], 0.97);
}

/// What a run comes to whose containers have ended and whose pod is not called Succeeded yet, with something changed.
fn phase_of_ending_pod(report: &str, change: impl Fn(&mut Value)) -> RunPhase {
    let mut pod = pod(ended(0, "Completed", report));
    pod["status"]["phase"] = json!("Running");
    change(&mut pod);
    run(job(json!({"template": {}}), json!({"active": 1})), vec![pod]).phase
}

#[test]
fn a_run_is_done_when_its_worker_has_reported_success_and_all_containers_have_ended_well() {
    let phase = |change: &dyn Fn(&mut Value)| phase_of_ending_pod(REPORT, change);
    assert_eq!(phase(&|_| {}), RunPhase::Succeeded, "the kubelet says so of the pod a second later");
    let beside = |state: Value| {
        move |pod: &mut Value| {
            let other = json!({"name": "agent", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state});
            pod["status"]["containerStatuses"].as_array_mut().expect("a list").push(other);
        }
    };
    assert_eq!(phase(&beside(json!({"running": {}}))), RunPhase::Active, "another container is at work");
    assert_eq!(phase(&beside(json!({"terminated": {"exitCode": 1}}))), RunPhase::Active, "another failed");
    assert_eq!(phase(&beside(json!({"terminated": {"exitCode": 0}}))), RunPhase::Succeeded);
    assert_eq!(
        phase(&|pod| pod["status"]["containerStatuses"] = json!([])),
        RunPhase::Active,
        "none has begun"
    );
    assert_eq!(
        phase(&|pod| pod["status"]["phase"] = json!("Failed")),
        RunPhase::Active,
        "another pod will tell"
    );
    // What the worker has reported is there, whatever becomes of its pod.
    let deleted: &dyn Fn(&mut Value) =
        &|pod| pod["metadata"]["deletionTimestamp"] = json!("2026-11-20T10:00:00Z");
    assert_eq!(phase(deleted), RunPhase::Succeeded);
}

/// A node that is short of memory tells a container to stop. It may end well with half its work done, and the kubelet says why only
/// when the pod has Failed.
#[test]
fn a_container_that_ended_well_without_a_report_is_done_only_when_its_pod_is() {
    for words in ["", "stopped, bye", r#"{"outcome":"failed"}"#] {
        assert_eq!(phase_of_ending_pod(words, |_| {}), RunPhase::Active, "{words}");
        assert_eq!(
            phase_of_ending_pod(words, |pod| pod["status"]["phase"] = json!("Succeeded")),
            RunPhase::Succeeded
        );
    }
}

/// The next step's pod is made a second before the pod of the step before has left its place.
#[test]
fn a_pod_that_finds_no_room_while_another_is_cleaned_up_is_in_no_trouble() {
    let unschedulable = json!({"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available"}]});
    let mut other = pod(ended(0, "Completed", REPORT));
    other["metadata"]["ownerReferences"] = json!([
        {"apiVersion": "batch/v1", "kind": "Job", "name": "iris-data", "uid": "other", "controller": true}]);
    let troubles = |phase: &str| {
        let mut other = other.clone();
        other["status"]["phase"] = json!(phase);
        let job = job(json!({"template": {}}), json!({"active": 1}));
        read(&snapshot(job, vec![pod(unschedulable.clone()), other])).steps["train"].troubles.clone()
    };
    assert_eq!(troubles("Running"), []);
    let told: Vec<String> = troubles("Succeeded").into_iter().map(|trouble| trouble.reason).collect();
    assert_eq!(told, ["Unschedulable"]);
}

const REPORT: &str = r#"{"outcome":"succeeded","revision":"0123456789ab","metrics":{"accuracy":0.97}}"#;

/// A Job that ended well, with this annotation for its report.
fn complete_job(report: &str) -> Value {
    let mut job = job(
        json!({"template": {}}),
        json!({"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}),
    );
    job["metadata"]["annotations"] = json!({"mlpipeline.dev/report": report});
    job
}

#[test]
fn a_report_that_the_job_keeps_is_read_when_its_pod_is_gone() {
    let gone = run(complete_job(REPORT), vec![]);
    assert_eq!(gone.report.expect("the Job keeps it").metrics["accuracy"], 0.97);
    assert_eq!(gone.unkept, None);
    // What is left may be an earlier attempt's pod, which failed.
    let failed = r#"{"outcome":"failed","reason":"StorageUnavailable"}"#;
    let left = run(complete_job(REPORT), vec![pod(ended(4, "Error", failed))]);
    assert_eq!(left.report.expect("the Job keeps it").metrics["accuracy"], 0.97);
}

#[test]
fn a_report_is_unkept_until_the_job_holds_the_very_words_of_its_pod() {
    let unkept =
        |kept: &str, said: &str| run(complete_job(kept), vec![pod(ended(0, "Completed", said))]).unkept;
    assert_eq!(unkept(REPORT, REPORT), None);
    assert_eq!(unkept("", REPORT).as_deref(), Some(REPORT));
    assert_eq!(unkept(&REPORT.replace("0.97", "1"), REPORT).as_deref(), Some(REPORT), "somebody changed it");
    assert_eq!(unkept("", "done!"), None, "no report");
    assert_eq!(unkept("", r#"{"outcome":"failed"}"#), None, "no success");
}

#[test]
fn s11_what_others_write_in_the_place_of_a_kept_report_counts_no_more_than_a_pods_word() {
    assert_eq!(run(complete_job("{not json"), vec![]).report, None);
    assert_eq!(run(complete_job(r#"{"outcome":"failed"}"#), vec![]).report, None);
    let said = run(complete_job(&REPORT.replace("0.97", "1")), vec![pod(ended(0, "Completed", REPORT))]);
    assert_eq!(said.report.expect("a report").metrics["accuracy"], 0.97, "the pod knows it first hand");
    let mut at_work = complete_job(REPORT);
    at_work["status"] = json!({"active": 1});
    let at_work = run(at_work, vec![pod(json!({"phase": "Running"}))]);
    assert_eq!((at_work.phase, at_work.report), (RunPhase::Active, None));
}

#[test]
fn a_report_for_which_the_job_has_no_room_stays_with_its_pod() {
    let mut full = complete_job("");
    full["metadata"]["annotations"]["theirs"] = json!("x".repeat(256 * 1024 - 100));
    assert_eq!(run(full, vec![pod(ended(0, "Completed", REPORT))]).unkept, None);
}

#[test]
fn a_run_of_many_pods_is_done_when_its_job_is() {
    let many = json!({"template": {}, "completions": 6});
    let one_of_them = vec![pod(ended(0, "Completed", ""))];
    assert_eq!(
        run(job(many.clone(), json!({"active": 5, "succeeded": 1})), one_of_them.clone()).phase,
        RunPhase::Active
    );
    let complete = json!({"succeeded": 6, "conditions": [{"type": "Complete", "status": "True"}]});
    assert_eq!(run(job(many, complete), one_of_them).phase, RunPhase::Succeeded);
}

#[test]
fn a_failure_is_told_by_whoever_knows_most_of_it() {
    let report = r#"{"outcome":"failed","reason":"ColumnNotFound","message":"column \"species\" not found"}"#;
    let rows = [
        (
            failure("PodFailurePolicy", ended(3, "Error", report)),
            "ColumnNotFound",
            "column \"species\" not found",
        ),
        (
            failure("BackoffLimitExceeded", ended(137, "OOMKilled", "")),
            "OutOfMemory",
            "more memory than its limit",
        ),
        (
            failure("BackoffLimitExceeded", ended(1, "Error", "boom")),
            "ContainerFailed",
            "exit code 1; its last words: boom",
        ),
        (
            failure(
                "BackoffLimitExceeded",
                json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource"}),
            ),
            "Evicted",
            "low on resource",
        ),
        (
            failure("BackoffLimitExceeded", json!({"phase": "Running"})),
            "BackoffLimitExceeded",
            "the Job's own words",
        ),
        (failure("DeadlineExceeded", ended(143, "Error", "")), "DeadlineExceeded", "longer than its timeout"),
    ];
    for ((reason, message), expected, part) in rows {
        assert_eq!(reason, expected);
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn what_keeps_a_pod_from_starting_is_named() {
    let unscheduled = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."}]});
    let rows = [
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
        let trouble = observed.steps["train"].troubles.first();
        match (trouble, expected) {
            (None, None) => {}
            (Some(found), Some((reason, part))) => {
                assert_eq!(found.reason, reason);
                assert!(found.message.contains(part), "{}", found.message);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn s11_objects_that_say_nothing_sensible_are_left_out() {
    let nameless: Value = json!({"metadata": {}});
    let foreign_label = json!({"metadata": {"name": "x", "labels": {"mlpipeline.dev/step": "train", "mlpipeline.dev/revision": "../etc"}}});
    for job in [nameless.clone(), foreign_label] {
        assert!(read(&snapshot(job, vec![nameless.clone()])).steps.is_empty());
    }
    let mut broken = job(json!({"template": {}}), json!({}));
    broken["metadata"]["annotations"] = json!({"mlpipeline.dev/meaning": "{not json"});
    assert_eq!(run(broken, vec![pod(ended(0, "Completed", "not a report"))]).report, None);
}

#[test]
fn a_roll_out_is_over_when_no_pod_of_the_old_template_is_left() {
    let deployment = |observed: i64, replicas: i32, updated: i32, ready: i32| {
        let value = json!({
            "metadata": {"name": "iris-api", "generation": 2, "labels": {"mlpipeline.dev/step": "api"}},
            "spec": {"replicas": 2, "selector": {}, "template": {"metadata": {
                "labels": {"mlpipeline.dev/revision": KEY}, "annotations": {"mlpipeline.dev/model": "ba9876543210"}}}},
            "status": {"observedGeneration": observed, "replicas": replicas, "updatedReplicas": updated, "readyReplicas": ready},
        });
        let observed = read(&Snapshot { deployments: vec![object(value)], ..Snapshot::default() });
        observed.steps["api"].live.clone().expect("a Deployment")
    };
    assert!(deployment(2, 2, 2, 2).settled);
    assert_eq!(deployment(2, 2, 2, 2).model.map(|model| model.to_string()).as_deref(), Some("ba9876543210"));
    assert!(!deployment(1, 2, 2, 2).settled, "the controller has not seen the newest template");
    let rolling = deployment(2, 3, 1, 2);
    assert_eq!((rolling.settled, rolling.updated_ready, rolling.ready), (false, 0, 2));
}

/// The first trouble of a Job of one pod with three retries, as (reason, message).
fn trouble(status: Value, pods: Vec<Value>) -> Option<(String, String)> {
    let observed = read(&snapshot(job(json!({"template": {}, "backoffLimit": 3}), status), pods));
    observed.steps["train"].troubles.first().map(|trouble| (trouble.reason.clone(), trouble.message.clone()))
}

fn evicted() -> Value {
    json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory.",
        "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"}]})
}

#[test]
fn a_failed_attempt_is_named_while_the_job_tries_again() {
    let backing_off = json!({"failed": 1});
    let out_of_memory = trouble(backing_off.clone(), vec![pod(ended(137, "OOMKilled", ""))]);
    let (reason, message) = out_of_memory.expect("a trouble");
    assert_eq!(reason, "OutOfMemory");
    assert!(message.starts_with("attempt 1 of 4 failed: the container used more memory"), "{message}");
    assert!(message.ends_with("; it is tried again"), "{message}");
    // The pod has failed and the Job does not know yet; and the next attempt is at work.
    for status in [json!({"active": 1}), json!({"active": 1, "failed": 1})] {
        let pods = vec![pod(ended(137, "OOMKilled", "")), pod(json!({"phase": "Running"}))];
        let (reason, message) = trouble(status, pods).expect("a trouble");
        assert_eq!(reason, "OutOfMemory");
        assert!(message.starts_with("attempt 1 of 4"), "{message}");
    }
    let said = r#"{"outcome":"failed","reason":"StorageUnavailable","message":"no answer from storage"}"#;
    let (reason, message) = trouble(backing_off, vec![pod(ended(4, "Error", said))]).expect("a trouble");
    assert_eq!((reason.as_str(), message.contains("no answer from storage")), ("StorageUnavailable", true));
}

#[test]
fn an_eviction_is_named_although_it_counts_as_no_attempt() {
    let (reason, message) = trouble(json!({"active": 1}), vec![pod(evicted())]).expect("a trouble");
    assert_eq!(reason, "Evicted");
    assert!(message.contains("low on resource: memory.; that counts as no attempt"), "{message}");
    let mut preempted = ended(143, "Error", "");
    preempted["conditions"] = json!([{"type": "DisruptionTarget", "status": "True",
        "reason": "PreemptionByScheduler", "message": "a pod of higher priority needs the room"}]);
    let (reason, message) = trouble(json!({"active": 1}), vec![pod(preempted)]).expect("a trouble");
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
        assert_eq!(trouble(status.clone(), pods), None, "{status}");
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
        let (reason, message) = trouble(json!({}), vec![pod(container(false, state))]).expect("a trouble");
        assert_eq!(reason, "OutOfMemory");
        assert!(message.contains("limits.memory"), "{message}");
    }
    assert_eq!(trouble(json!({}), vec![pod(container(true, running))]), None, "it is well again");
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
        let trouble = Trouble {
            reason: "FailedCreate".into(),
            message: "pods \"x\" is forbidden: exceeded quota: small".into(),
        };
        let time = Some("2026-11-20T10:00:00.5Z".parse().expect("a time"));
        let job = job(json!({"template": {}, "backoffLimit": 3}), status);
        let notices = [("job-uid".to_owned(), Notice { trouble, time })].into();
        let observed = read(&Snapshot { notices, ..snapshot(job, pods.into_iter().collect()) });
        observed.steps["train"].troubles.first().map(|trouble| trouble.reason.clone())
    };
    assert_eq!(warned(None, json!({})).as_deref(), Some("QuotaExceeded"));
    let failed = || json!({"failed": 1});
    assert_eq!(warned(Some("2026-11-20T09:59:00Z"), failed()).as_deref(), Some("QuotaExceeded"), "the retry");
    assert_eq!(warned(Some("2026-11-20T10:00:00Z"), failed()).as_deref(), Some("ContainerFailed"));
    assert_eq!(warned(Some("2026-11-20T10:01:00Z"), failed()).as_deref(), Some("ContainerFailed"));
}
