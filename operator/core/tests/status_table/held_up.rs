//! The status of what is held up for longer than usual.

use jiff::SignedDuration;
use mlpipeline_core::observed::{Observed, Overdue, PodIssue, RunPhase};
use mlpipeline_core::plan::Work;
use mlpipeline_core::status::status;

use crate::{PIPELINE, condition, kstatus, now, pipeline, plan_at, planned, run, serving, status_of};

#[test]
fn d3_a_schedule_that_is_held_up_ends_ready_and_one_that_runs_does_not() {
    let scheduled = "
    - {name: rows, prepare: {sql: SELECT 2 AS x}, schedule: {cron: '0 2 * * *'}}
";
    let pipeline = pipeline(&format!("{}{scheduled}", PIPELINE.trim_end()));
    let mut observed = serving(&pipeline);
    let plan = planned(&pipeline, &observed);
    let Some(Work::Scheduled { run: work, .. }) = &plan.steps[3].work else { panic!("{plan:?}") };
    let rows = observed.steps.entry("rows".into()).or_default();
    rows.runs.push(run(work, RunPhase::Active, 0.0));
    let unscheduled = PodIssue { reason: "Unschedulable".into(), message: "no node takes the pod".into() };
    rows.pod_issues.push(unscheduled.clone());
    let from = now().saturating_add(SignedDuration::from_mins(5)).expect("a time");
    rows.overdue.push(Overdue { from, pod_issue: unscheduled });
    let status_at =
        |time| status(&pipeline, &plan_at(&pipeline, &observed, time), &observed, None, None, time);
    let soon = status_at(now());
    assert_eq!(condition(&soon, "Ready").0, "True");
    assert_eq!(soon.steps[3].message.as_deref(), Some("Unschedulable: no node takes the pod"));
    assert_eq!(plan_at(&pipeline, &observed, now()).wake_at, Some(from), "it is looked at again");
    let late = status_at(from);
    let (ready, reason, message) = condition(&late, "Ready");
    assert_eq!((ready, reason, kstatus(&late)), ("False", "Unschedulable", "InProgress"));
    assert!(message.contains("the next begins when Job"), "{message}");
    assert_eq!(soon.next_run, late.next_run, "the status names the schedule's times alone");
}

#[test]
fn an_autoscaler_that_does_not_work_leaves_a_pipeline_ready_whose_pods_answer() {
    let autoscaled = "replicas: 2}, pod: {resources: {requests: {cpu: 1}}}}";
    let autoscaled = PIPELINE.replace(
        "replicas: 2}}",
        &autoscaled.replace("replicas: 2", "autoscaling: {minReplicas: 2, maxReplicas: 4}"),
    );
    let pipeline = pipeline(&autoscaled);
    let mut observed = serving(&pipeline);
    let pod_issue = PodIssue { reason: "FailedGetResourceMetric".into(), message: "no metrics".into() };
    observed.steps.get_mut("api").expect("pods").not_autoscaled = Some(Overdue { from: now(), pod_issue });
    let status = status_of(&pipeline, &observed, None);
    assert_eq!(condition(&status, "Ready").0, "True");
    let expected = ("True", "NotAutoscaled", "2 pods answer predictions; api: no metrics");
    assert_eq!(condition(&status, "Serving"), expected);
}

#[test]
fn a_load_balancers_address_is_the_endpoint_and_without_one_a_pipeline_stays_ready_whose_pods_answer() {
    let balanced = PIPELINE.replace("replicas: 2}}", "replicas: 2, service: {type: LoadBalancer}}}");
    let pipeline = pipeline(&balanced);
    let mut observed = serving(&pipeline);
    let api = observed.steps.get_mut("api").expect("pods");
    let pod_issue = PodIssue { reason: "NoExternalAddress".into(), message: "no quota".into() };
    api.no_external_address = Some(Overdue { from: now(), pod_issue });
    let status = status_of(&pipeline, &observed, None);
    assert_eq!(condition(&status, "Ready").0, "True");
    let expected = ("True", "NoExternalAddress", "2 pods answer predictions; api: no quota");
    assert_eq!(condition(&status, "Serving"), expected);
    assert_eq!(status.endpoint.as_deref(), Some("http://iris-api.ml.svc"));
    let api = observed.steps.get_mut("api").expect("pods");
    (api.no_external_address, api.external_address) = (None, Some("lb.example.com".into()));
    let status = status_of(&pipeline, &observed, None);
    assert_eq!(status.endpoint.as_deref(), Some("http://lb.example.com"));
    assert_eq!(condition(&status, "Serving").1, "PodsReady");
}

#[test]
fn d1_a_volume_that_does_not_grow_is_named_when_it_lasts_and_everything_continues_on_it() {
    let pipeline = pipeline(PIPELINE);
    let mut observed = serving(&pipeline);
    let pod_issue = PodIssue { reason: "VolumeNotGrown".into(), message: "disk quota".into() };
    let from = now().saturating_add(SignedDuration::from_mins(5)).expect("a time");
    observed.volume_not_grown = Some(Overdue { from, pod_issue });
    let status_at =
        |time| status(&pipeline, &plan_at(&pipeline, &observed, time), &observed, None, None, time);
    let soon = status_at(now());
    assert_eq!(condition(&soon, "Ready").0, "True");
    assert_eq!(plan_at(&pipeline, &observed, now()).wake_at, Some(from), "it is looked at again");
    let late = status_at(from);
    assert_eq!(condition(&late, "Ready"), ("False", "VolumeNotGrown", "disk quota"));
    assert_eq!(condition(&late, "Stalled").0, "True");
    assert_eq!(condition(&late, "Serving"), condition(&soon, "Serving"), "pods answer");
}

#[test]
fn a_step_that_failed_is_said_before_a_volume_that_does_not_grow() {
    let pipeline = pipeline(PIPELINE);
    let mut observed = Observed::default();
    let plan = planned(&pipeline, &observed);
    let Some(Work::Once(work)) = &plan.steps[0].work else { panic!("{plan:?}") };
    let failed = RunPhase::Failed { reason: "StorageFull".into(), message: "no space left".into() };
    observed.steps.entry(plan.steps[0].name.clone()).or_default().runs.push(run(work, failed, 0.0));
    let pod_issue = PodIssue { reason: "VolumeNotGrown".into(), message: "disk quota".into() };
    observed.volume_not_grown = Some(Overdue { from: now(), pod_issue });
    let status = status_of(&pipeline, &observed, None);
    assert_eq!((condition(&status, "Ready").1, condition(&status, "Stalled").0), ("StorageFull", "True"));
}

#[test]
fn a_run_that_took_too_long_says_what_it_waited_for_when_its_pods_are_gone() {
    for schedule in ["", ", schedule: {cron: '0 2 * * *'}"] {
        let pipeline = pipeline(&PIPELINE.replace("1 AS x}}", &format!("1 AS x}}{schedule}}}")));
        let mut observed = Observed::default();
        let planned = planned(&pipeline, &observed);
        let (Some(Work::Once(work)) | Some(Work::Scheduled { run: work, .. })) = &planned.steps[0].work
        else {
            panic!("{planned:?}")
        };
        let data = observed.steps.entry("data".into()).or_default();
        data.runs.push(run(work, RunPhase::Active, 0.0));
        data.pod_issues
            .push(PodIssue { reason: "Unschedulable".into(), message: "no node takes the pod".into() });
        let waiting = status_of(&pipeline, &observed, None);
        let data = observed.steps.get_mut("data").expect("a step");
        data.pod_issues.clear();
        let timed_out =
            RunPhase::Failed { reason: "DeadlineExceeded".into(), message: "it took too long".into() };
        data.runs[0].phase = timed_out;
        data.runs[0].finished = Some(now());
        let failed = status_of(&pipeline, &observed, Some(&waiting));
        let message = failed.steps[0].message.clone().unwrap_or_default();
        let expected = "it took too long [before that: Unschedulable: no node takes the pod]";
        assert!(message.starts_with(expected), "{message}");
        assert!(condition(&failed, "Ready").2.contains(expected), "{failed:?}");
        assert_eq!(status_of(&pipeline, &observed, Some(&failed)), failed, "q2: the same text again");
        // A status that was deleted takes this with it, and no more.
        let rebuilt = status_of(&pipeline, &observed, None).steps[0].message.clone().unwrap_or_default();
        assert!(rebuilt.starts_with("it took too long") && !rebuilt.contains('['), "{rebuilt}");
    }
}
