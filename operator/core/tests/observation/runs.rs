//! Runs: whether they are done, what they report, and why they failed; and what is rolled out.

use mlpipeline_core::observation::{Snapshot, read};
use mlpipeline_core::observed::RunPhase;
use serde_json::{Value, json};

use crate::{KEY, REPORT, ended, failed_job, job, object, pod, run, snapshot, waiting};

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
    // The Job has not said yet when it began.
    assert_eq!(done.started.map(|time| time.to_string()).as_deref(), Some("2026-11-20T09:59:00Z"));
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
    assert_eq!(phase(&|_| {}), RunPhase::Succeeded, "the kubelet reports it a second later");
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
        "another pod will show it"
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
    assert_eq!(gone.pending_report, None);
    // What is left may be an earlier attempt's pod, which failed.
    let failed = r#"{"outcome":"failed","reason":"StorageUnavailable"}"#;
    let left = run(complete_job(REPORT), vec![pod(ended(4, "Error", failed))]);
    assert_eq!(left.report.expect("the Job keeps it").metrics["accuracy"], 0.97);
}

#[test]
fn a_report_is_pending_until_the_job_holds_the_very_words_of_its_pod() {
    let pending_report = |kept: &str, said: &str| {
        run(complete_job(kept), vec![pod(ended(0, "Completed", said))]).pending_report
    };
    assert_eq!(pending_report(REPORT, REPORT), None);
    assert_eq!(pending_report("", REPORT).as_deref(), Some(REPORT));
    assert_eq!(
        pending_report(&REPORT.replace("0.97", "1"), REPORT).as_deref(),
        Some(REPORT),
        "somebody changed it"
    );
    assert_eq!(pending_report("", "done!"), None, "no report");
    assert_eq!(pending_report("", r#"{"outcome":"failed"}"#), None, "no success");
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
    assert_eq!(run(full, vec![pod(ended(0, "Completed", REPORT))]).pending_report, None);
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

/// A pod of an Indexed Job that succeeded at this second and reports this accuracy.
fn indexed(index: u32, second: u32, accuracy: f64) -> Value {
    let report = format!(r#"{{"outcome":"succeeded","metrics":{{"accuracy":{accuracy}}}}}"#);
    let mut pod = pod(ended(0, "Completed", &report));
    pod["metadata"]["name"] = json!(format!("shards-{index}-{second}"));
    pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] = json!(index.to_string());
    let end = format!("2026-11-20T10:00:{second:02}Z");
    pod["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"] = json!(end);
    pod
}

#[test]
fn the_first_index_speaks_for_an_indexed_run_and_the_last_to_succeed_for_any_other() {
    let complete = json!({"succeeded": 3, "completionTime": "2026-11-20T10:01:00Z",
        "conditions": [{"type": "Complete", "status": "True"}]});
    let of = |mode: &str, pods: Vec<Value>| {
        let found = run(
            job(json!({"template": {}, "completions": 3, "completionMode": mode}), complete.clone()),
            pods,
        );
        let accuracy = found.report.and_then(|report| report.metrics.get("accuracy").copied());
        (accuracy, found.finished.map(|time| time.to_string()))
    };
    let pods = [indexed(2, 9, 0.2), indexed(0, 5, 0.5), indexed(1, 7, 0.7)];
    let end = Some("2026-11-20T10:01:00Z".to_owned());
    for turn in 0..3 {
        let mut pods = pods.to_vec();
        pods.rotate_left(turn);
        assert_eq!(of("Indexed", pods.clone()), (Some(0.5), end.clone()), "whatever the order");
        assert_eq!(of("NonIndexed", pods), (Some(0.2), end.clone()), "whatever the order");
    }
    let others = vec![indexed(2, 9, 0.2), indexed(1, 7, 0.7)];
    assert_eq!(of("Indexed", others).0, None, "nobody stands in for the first index");
}

#[test]
fn a_failure_is_reported_by_whoever_knows_most_of_it() {
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
fn s11_objects_that_say_nothing_sensible_are_left_out() {
    let nameless: Value = json!({"metadata": {}});
    let foreign_label = json!({"metadata": {"name": "x", "labels": {"mlpipeline.dev/step": "train", "mlpipeline.dev/revision": "../etc"}}});
    for job in [nameless.clone(), foreign_label] {
        assert!(read(&snapshot(job, vec![nameless.clone()])).steps.is_empty());
    }
    let mut broken = job(json!({"template": {}}), json!({}));
    broken["metadata"]["annotations"] = json!({"mlpipeline.dev/fingerprint": "{not json"});
    assert_eq!(run(broken, vec![pod(ended(0, "Completed", "not a report"))]).report, None);
}

#[test]
fn a_run_is_idle_while_none_of_its_pods_is_at_work() {
    let is_idle = |status: Value, pods: Vec<Value>| run(job(json!({"template": {}}), status), pods).is_idle;
    assert!(is_idle(json!({}), vec![]), "no pod could be created");
    let waits = || pod(waiting("ImagePullBackOff", "not found"));
    assert!(is_idle(json!({"active": 1}), vec![waits()]));
    assert!(!is_idle(json!({"active": 2}), vec![waits(), pod(json!({"phase": "Running"}))]));
    assert!(!is_idle(json!({"active": 1, "ready": 1}), vec![]), "the pod is not known yet");
    let failed = || pod(json!({"phase": "Failed"}));
    assert!(is_idle(json!({"active": 1, "failed": 1}), vec![failed(), waits()]), "an attempt failed before");
    assert!(is_idle(json!({"failed": 1}), vec![failed()]), "the next one is not there yet");
    assert!(!is_idle(json!({"active": 1, "failed": 1}), vec![failed(), pod(json!({"phase": "Running"}))]));
    assert!(!is_idle(json!({"active": 1, "succeeded": 1}), vec![waits()]), "an index is done");
    assert!(!is_idle(failed_job("BackoffLimitExceeded"), vec![]), "it is over");
}

#[test]
fn q2_a_pod_that_the_job_does_not_count_for_a_moment_counts_all_the_same() {
    let pods = |status: Value| {
        run(job(json!({"template": {}}), status), vec![pod(ended(0, "Completed", REPORT))]).pods
    };
    assert_eq!(pods(json!({"active": 1})), 1);
    assert_eq!(pods(json!({"uncountedTerminatedPods": {"succeeded": ["u"]}})), 1);
    assert_eq!(pods(json!({"succeeded": 1})), 1);
    assert_eq!(pods(json!({"active": 1, "failed": 2})), 3, "pods that failed before may be gone");
}

#[test]
fn s11_settings_that_nobody_can_read_are_like_none() {
    let settings = |text: &str| {
        let mut job = job(json!({"template": {}}), json!({}));
        job["metadata"]["annotations"] = json!({"mlpipeline.dev/settings": text});
        run(job, vec![]).settings
    };
    assert_eq!(settings("{not json"), None);
    assert_eq!(settings(r#"{"retries":"../etc"}"#), None);
    assert!(settings(r#"{"retries":"0123456789ab"}"#).is_some());
}

#[test]
fn more_pods_that_are_asked_for_take_nothing_from_those_that_are_steady() {
    let of_key = |key: &str, is_ready: &str| {
        json!({"metadata": {"name": "iris-api-x", "labels": {"mlpipeline.dev/step": "api", "mlpipeline.dev/revision": key}},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": is_ready}]}})
    };
    let settled_ready = |observed: i64, (replicas, updated, ready): (i32, i32, i32), pods: Vec<Value>| {
        let value = json!({
            "metadata": {"name": "iris-api", "generation": 2, "labels": {"mlpipeline.dev/step": "api"}},
            "spec": {"replicas": 5, "selector": {}, "template": {"metadata": {"labels": {"mlpipeline.dev/revision": KEY}}}},
            "status": {"observedGeneration": observed, "replicas": replicas, "updatedReplicas": updated, "readyReplicas": ready},
        });
        let pods = pods.into_iter().map(object).collect();
        let snapshot = Snapshot { deployments: vec![object(value)], pods, ..Snapshot::default() };
        read(&snapshot).steps["api"].long_running.clone().expect("a Deployment").settled_ready
    };
    assert_eq!(settled_ready(2, (5, 5, 2), vec![]), 2, "three are starting");
    assert_eq!(settled_ready(2, (5, 3, 5), vec![]), 0, "two are of an older template");
    let two = |key: &str| vec![of_key(key, "True"), of_key(key, "True"), of_key(key, "False")];
    assert_eq!(settled_ready(1, (2, 2, 2), two(KEY)), 2, "the controller has not seen the new number yet");
    assert_eq!(settled_ready(1, (2, 2, 2), two("ba9876543210")), 0, "or has not seen the new template yet");
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
        observed.steps["api"].long_running.clone().expect("a Deployment")
    };
    assert!(deployment(2, 2, 2, 2).settled);
    assert_eq!(deployment(2, 2, 2, 2).model.map(|model| model.to_string()).as_deref(), Some("ba9876543210"));
    assert!(!deployment(1, 2, 2, 2).settled, "the controller has not seen the newest template");
    let rolling = deployment(2, 3, 1, 2);
    assert_eq!((rolling.settled, rolling.updated_ready, rolling.ready), (false, 0, 2));
}
