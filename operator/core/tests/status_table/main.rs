//! The status in each situation of a pipeline's life, as kstatus, `kubectl wait` and people read it.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod held_up;
mod models;
mod removed_runs;
mod replaced_runs;

use std::collections::BTreeMap;

use jiff::Timestamp;
use mlpipeline_core::observed::{Observed, ObservedLongRunning, ObservedRun, PodIssue, RunPhase};
use mlpipeline_core::piece::Piece;
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::{Plan, RunWork, Schedules, Work, plan};
use mlpipeline_core::status::{Problem, held, invalid, status};
use mlpipeline_core::template_version::TemplateVersion;
use mlpipeline_core::tracks::Tracks;
use mlpipeline_core::validate::validate;
use mlpipeline_crds::{MLPipeline, MLPipelineStatus, Revision, StepReport};

const PIPELINE: &str = "
apiVersion: mlpipeline.dev/v1alpha1
kind: MLPipeline
metadata: {name: iris, namespace: ml, generation: 3}
spec:
  steps:
    - {name: data, prepare: {sql: SELECT 1 AS x}}
    - name: train
      train:
        data: {step: data}
        target: x
        algorithm: {logisticRegression: {}}
        gate: {metric: accuracy, min: 0.9}
    - {name: api, serve: {model: {step: train}, replicas: 2}}
";

fn pipeline(yaml: &str) -> ValidatedPipeline {
    let resource: MLPipeline = serde_saphyr::from_str(yaml).expect("a pipeline");
    validate(&resource).expect("it makes sense")
}

fn now() -> Timestamp {
    "2026-11-20T10:00:00.5Z".parse().expect("a time")
}

fn planned(pipeline: &ValidatedPipeline, observed: &Observed) -> Plan {
    plan_at(pipeline, observed, now())
}

fn plan_at(pipeline: &ValidatedPipeline, observed: &Observed, time: Timestamp) -> Plan {
    plan(pipeline, observed, time, Schedules::Keep)
}

fn run(work: &RunWork, phase: RunPhase, accuracy: f64) -> ObservedRun {
    let mut report = StepReport::succeeded(Some(work.key.clone()));
    report.metrics = BTreeMap::from([("accuracy".to_owned(), accuracy)]);
    ObservedRun {
        name: format!("iris-{}", work.key),
        key: work.key.clone(),
        attempt: 1,
        piece: Piece::Commit,
        scheduled: false,
        fingerprint: Some(work.fingerprint.clone()),
        settings: Some(work.settings.clone()),
        default_image: None,
        is_idle: false,
        created: None,
        started: Some(now()),
        finished: (phase != RunPhase::Active).then(now),
        report: (phase == RunPhase::Succeeded).then_some(report),
        pending_report: None,
        phase,
        pods: 1,
    }
}

/// Finishes the run that the plan asks for next, of whichever step.
fn finish_next(pipeline: &ValidatedPipeline, observed: &mut Observed, phase: &RunPhase, accuracy: f64) {
    for step in planned(pipeline, observed).steps {
        if let Some(Work::Once(work)) = &step.work {
            observed.steps.entry(step.name.clone()).or_default().runs.push(run(
                work,
                phase.clone(),
                accuracy,
            ));
        }
    }
}

/// Brings up the pods that the plan asks for.
fn roll_out(pipeline: &ValidatedPipeline, observed: &mut Observed, ready: i32) {
    for step in planned(pipeline, observed).steps {
        if let Some(Work::LongRunning(Tracks { stable: work, candidate: None, shadow: None })) = &step.work {
            let live = ObservedLongRunning {
                image: None,
                template: TemplateVersion::NEWEST,
                key: Some(work.key.clone()),
                fingerprint: Some(work.fingerprint.clone()),
                model: work.model.clone(),
                model_digest: work.model_digest.clone(),
                probe_port: work.probe_port,
                desired: 2,
                updated_ready: ready,
                ready,
                settled_ready: ready,
                settled: true,
            };
            observed.steps.entry(step.name.clone()).or_default().long_running = Some(live);
        }
    }
}

fn serving(pipeline: &ValidatedPipeline) -> Observed {
    let mut observed = Observed::default();
    for _ in 0..2 {
        finish_next(pipeline, &mut observed, &RunPhase::Succeeded, 0.97);
    }
    roll_out(pipeline, &mut observed, 2);
    observed
}

fn status_of(
    pipeline: &ValidatedPipeline,
    observed: &Observed,
    before: Option<&MLPipelineStatus>,
) -> MLPipelineStatus {
    status(pipeline, &planned(pipeline, observed), observed, None, before, now())
}

/// The first condition that decides, as kstatus does it.
fn kstatus(status: &MLPipelineStatus) -> &'static str {
    for condition in &status.conditions {
        match (condition.type_.as_str(), condition.status.as_str()) {
            ("Reconciling", "True") => return "InProgress",
            ("Stalled", "True") => return "Failed",
            _ => {}
        }
    }
    let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
    match ready.map(|ready| ready.status.as_str()) {
        Some("True") | None => "Current",
        Some(_) => "InProgress",
    }
}

fn condition<'a>(status: &'a MLPipelineStatus, kind: &str) -> (&'a str, &'a str, &'a str) {
    let found =
        status.conditions.iter().find(|condition| condition.type_ == kind).expect("the condition is set");
    (found.status.as_str(), found.reason.as_str(), found.message.as_str())
}

#[test]
fn a_new_pipeline_is_in_progress_from_its_first_status_on() {
    let pipeline = pipeline(PIPELINE);
    let status = status_of(&pipeline, &Observed::default(), None);
    assert_eq!(kstatus(&status), "InProgress");
    assert_eq!(status.observed_generation, Some(3));
    assert_eq!(status.progress.as_deref(), Some("0/3"));
    assert_eq!(condition(&status, "Ready"), ("False", "Running", "data: never run before"));
    for kind in ["Reconciling", "Stalled", "Serving", "Suspended"] {
        condition(&status, kind);
    }
}

#[test]
fn a_pipeline_that_serves_is_current_and_says_what_it_serves() {
    let pipeline = pipeline(PIPELINE);
    let observed = serving(&pipeline);
    let status = status_of(&pipeline, &observed, None);
    assert_eq!(kstatus(&status), "Current");
    assert_eq!(condition(&status, "Ready").1, "Serving");
    assert_eq!(condition(&status, "Serving"), ("True", "PodsReady", "2 pods answer predictions"));
    assert_eq!(status.progress.as_deref(), Some("3/3"));
    assert_eq!(status.score.as_deref(), Some("accuracy=0.970"));
    assert_eq!(status.endpoint.as_deref(), Some("http://iris-api.ml.svc"));
    assert_eq!(status.replicas, Some(2));
    assert_eq!(status.selector.as_deref(), Some("mlpipeline.dev/pipeline=iris,mlpipeline.dev/step=api"));
    assert!(status.models[0].serving);
    assert_eq!(Some(status.models[0].revision.clone()), status.model);
}

#[test]
fn a_pipeline_that_is_scaled_to_zero_is_ready_and_says_that_no_pod_answers() {
    let pipeline = pipeline(&PIPELINE.replace("replicas: 2", "replicas: 0"));
    let mut observed = serving(&pipeline);
    let api = observed.steps.get_mut("api").and_then(|api| api.long_running.as_mut()).expect("a Deployment");
    (api.desired, api.updated_ready, api.ready, api.settled_ready) = (0, 0, 0, 0);
    let status = status_of(&pipeline, &observed, None);
    assert_eq!(kstatus(&status), "Current");
    assert_eq!(condition(&status, "Ready"), ("True", "Done", "all steps are done"));
    assert_eq!(condition(&status, "Serving"), ("False", "NoReadyPods", "no pod answers predictions"));
    let message = status.steps[2].message.clone().unwrap_or_default();
    assert!(message.starts_with("scaled to zero; no pod serves model"), "{message}");
}

#[test]
fn q2_the_status_of_an_unchanged_world_is_the_same_text() {
    let pipeline = pipeline(PIPELINE);
    let observed = serving(&pipeline);
    let first = status_of(&pipeline, &observed, None);
    let later = "2026-11-21T10:00:00Z".parse().expect("a time");
    let second = status(&pipeline, &planned(&pipeline, &observed), &observed, None, Some(&first), later);
    assert_eq!(first, second);
    // What the API server keeps is what was sent: times to the second, numbers as they were.
    let kept: MLPipelineStatus =
        serde_json::from_str(&serde_json::to_string(&first).expect("JSON")).expect("a status");
    assert_eq!(kept, first);
}

#[test]
fn what_a_run_found_worth_knowing_stands_beside_how_its_step_stands() {
    let pipeline = pipeline(PIPELINE);
    let mut observed = serving(&pipeline);
    let train = observed.steps.get_mut("train").expect("the step");
    for report in train.runs.iter_mut().filter_map(|run| run.report.as_mut()) {
        report.message = Some("left out: name".to_owned());
    }
    let status = status_of(&pipeline, &observed, None);
    let message = |step: usize| status.steps[step].message.as_deref();
    assert_eq!((message(0), message(1)), (Some("up to date"), Some("up to date; left out: name")));
    assert_eq!(condition(&status, "Ready").2, "all steps are done, and pods answer");
}

#[test]
fn a_failed_run_stalls_the_pipeline_with_the_workers_own_words() {
    let pipeline = pipeline(PIPELINE);
    let mut observed = Observed::default();
    let failed =
        RunPhase::Failed { reason: "ColumnNotFound".into(), message: "column \"x\" not found".into() };
    finish_next(&pipeline, &mut observed, &failed, 0.0);
    let status = status_of(&pipeline, &observed, None);
    assert_eq!(kstatus(&status), "Failed");
    assert_eq!(condition(&status, "Ready"), ("False", "ColumnNotFound", "data: column \"x\" not found"));
    assert_eq!(condition(&status, "Reconciling").0, "False");
}

#[test]
fn a_refused_retraining_is_a_failure_while_the_old_model_serves_on() {
    let first = pipeline(PIPELINE);
    let mut observed = serving(&first);
    let served = observed.steps["api"].long_running.clone().and_then(|live| live.model);
    let edited = pipeline(&PIPELINE.replace("logisticRegression: {}", "logisticRegression: {alpha: 100}"));
    finish_next(&edited, &mut observed, &RunPhase::Succeeded, 0.5);
    let status = status_of(&edited, &observed, None);
    assert_eq!(kstatus(&status), "Failed");
    assert_eq!(condition(&status, "Ready").1, "GateRejected");
    assert_eq!(condition(&status, "Serving").0, "True");
    assert_eq!(status.model, served.as_ref().map(Revision::to_string));
    assert!(
        status.steps[2].message.as_deref().is_some_and(|text| text.contains("was rejected")),
        "{:?}",
        status.steps[2]
    );
}

#[test]
fn a_suspended_pipeline_is_ready_as_long_as_all_that_its_spec_asks_for_is_done() {
    let pipeline_before = pipeline(PIPELINE);
    let observed = serving(&pipeline_before);
    let ready = status_of(&pipeline_before, &observed, None);
    let suspended = pipeline(&PIPELINE.replace("spec:", "spec:\n  suspend: true"));
    let status = status_of(&suspended, &observed, Some(&ready));
    assert_eq!(kstatus(&status), "Current");
    assert_eq!((condition(&status, "Ready").0, condition(&status, "Suspended").0), ("True", "True"));
    let edited = PIPELINE.replace("spec:", "spec:\n  suspend: true").replace("SELECT 1", "SELECT 2");
    let status = status_of(&pipeline(&edited), &observed, Some(&ready));
    assert_eq!((condition(&status, "Ready").0, condition(&status, "Suspended").0), ("False", "True"));
    let fresh = status_of(&suspended, &Observed::default(), None);
    assert_eq!((condition(&fresh, "Ready").0, condition(&fresh, "Reconciling").0), ("False", "False"));
}

#[test]
fn a_pod_that_cannot_start_is_the_reason_that_people_read() {
    let pipeline = pipeline(PIPELINE);
    let mut observed = Observed::default();
    finish_next(&pipeline, &mut observed, &RunPhase::Active, 0.0);
    let pod_issue =
        PodIssue { reason: "ImagePullBackOff".into(), message: "image x cannot be pulled".into() };
    observed.steps.entry("data".into()).or_default().pod_issues.push(pod_issue);
    let status = status_of(&pipeline, &observed, None);
    assert_eq!(kstatus(&status), "InProgress");
    assert_eq!(condition(&status, "Ready").1, "ImagePullBackOff");
    assert!(condition(&status, "Ready").2.contains("image x cannot be pulled"));
}

#[test]
fn a_problem_with_children_is_told_whether_or_not_it_passes() {
    let pipeline = pipeline(PIPELINE);
    let observed = Observed::default();
    let plan = planned(&pipeline, &observed);
    for (transient, expected) in [(true, "InProgress"), (false, "Failed")] {
        let problem =
            Problem { reason: "NameTaken".into(), message: "Job x is somebody else's".into(), transient };
        let status = status(&pipeline, &plan, &observed, Some(&problem), None, now());
        assert_eq!(kstatus(&status), expected);
        assert_eq!(condition(&status, "Ready"), ("False", "NameTaken", "Job x is somebody else's"));
    }
}

#[test]
fn l7_an_invalid_spec_stalls_and_forgets_nothing_that_still_exists() {
    let good = pipeline(PIPELINE);
    let before = status_of(&good, &serving(&good), None);
    let wrong: MLPipeline =
        serde_saphyr::from_str(&PIPELINE.replace("step: data", "step: dta")).expect("a pipeline");
    let errors = validate(&wrong).expect_err("a reference leads nowhere");
    let status = invalid(Some(4), Some(false), &errors, Some(&before), now());
    assert_eq!(kstatus(&status), "Failed");
    assert_eq!(status.observed_generation, Some(4));
    assert!(
        condition(&status, "Ready").2.contains("did you mean \"data\"?"),
        "{}",
        condition(&status, "Ready").2
    );
    assert_eq!((status.model, status.steps.len()), (before.model, 3));
}

/// While nothing is read of a pipeline, its pods may come and go, and an edit of `suspend` is not carried out: no condition says that it is.
#[test]
fn d3_the_conditions_of_a_pipeline_that_is_held_say_what_is_true_now() {
    let good = pipeline(PIPELINE);
    let running = status_of(&good, &serving(&good), None);
    let problem = Problem {
        reason: "OtherOwner".into(),
        message: "another installation has it".into(),
        transient: false,
    };
    let held = |suspend, before: Option<&MLPipelineStatus>| held(Some(4), suspend, &problem, before, now());
    let at_rest = held(Some(false), Some(&running));
    assert_eq!(
        condition(&at_rest, "Serving"),
        ("Unknown", "OtherOwner", "the pods are not looked at: another installation has it")
    );
    assert_eq!(condition(&at_rest, "Suspended").0, "False");
    let edited = held(Some(true), Some(&at_rest));
    assert_eq!(
        condition(&edited, "Suspended"),
        (
            "Unknown",
            "OtherOwner",
            "spec.suspend is set, and cannot be carried out: another installation has it"
        )
    );
    assert_eq!(
        condition(&held(Some(true), Some(&edited)), "Suspended").0,
        "Unknown",
        "it was never carried out"
    );
    assert_eq!(condition(&held(None, Some(&running)), "Suspended").0, "Unknown");
    let new = held(Some(false), None);
    assert_eq!(condition(&new, "Suspended").0, "False");
    assert!(new.conditions.iter().all(|condition| condition.type_ != "Serving"), "nothing is known to serve");
}

/// Nothing is left to do before the first tick of a clock: `kubectl wait` and Flux need not wait for it.
#[test]
fn a_pipeline_that_only_awaits_its_schedules_is_ready() {
    let scheduled = "
    - {name: rows, prepare: {sql: SELECT 2 AS x}, schedule: {cron: '*/5 * * * *'}}
    - {name: batch, score: {model: {step: train}, input: {step: rows}}, schedule: {cron: '*/5 * * * *'}}
";
    let pipeline = pipeline(&format!("{}{scheduled}", PIPELINE.trim_end()));
    let status = status_of(&pipeline, &serving(&pipeline), None);
    assert_eq!((kstatus(&status), status.progress.as_deref()), ("Current", Some("5/5")), "{status:?}");
    // What the scheduled step reads is not there yet, and no schedule will bring it.
    let status = status_of(&pipeline, &Observed::default(), None);
    assert_eq!((kstatus(&status), status.progress.as_deref()), ("InProgress", Some("1/5")), "{status:?}");
}

/// Pods that are awaited are not reported before they are there.
#[test]
fn a_serve_step_that_awaits_a_schedule_is_not_ready() {
    let nightly = PIPELINE.replace(
        "prepare: {sql: SELECT 1 AS x}",
        "prepare: {sql: SELECT 1 AS x}, schedule: {cron: '0 2 * * *'}",
    );
    let status = status_of(&pipeline(&nightly), &Observed::default(), None);
    assert_eq!((kstatus(&status), status.progress.as_deref()), ("InProgress", Some("1/3")), "{status:?}");
}

#[test]
fn s6_reconciling_and_stalled_are_never_both_true() {
    let pipeline = pipeline(PIPELINE);
    let failed = RunPhase::Failed { reason: "X".into(), message: "y".into() };
    for phase in [RunPhase::Active, RunPhase::Succeeded, failed] {
        for accuracy in [0.1, 0.97] {
            let mut observed = Observed::default();
            for _ in 0..3 {
                finish_next(&pipeline, &mut observed, &phase, accuracy);
                let status = status_of(&pipeline, &observed, None);
                let holds = |kind| condition(&status, kind).0 == "True";
                assert!(!(holds("Reconciling") && holds("Stalled")), "{status:?}");
                assert!(!holds("Ready") || !(holds("Reconciling") || holds("Stalled")), "{status:?}");
            }
        }
    }
}
