//! What is built and then observed is read back as what was planned, so that the next plan changes nothing without a reason.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::{Job, JobCondition, JobStatus};
use mlpipeline_core::child_kind::Child;
use mlpipeline_core::children::{BuildSettings, build};
use mlpipeline_core::observation::{Snapshot, read};
use mlpipeline_core::observed::{Observed, ObservedRun, PodIssue, RunPhase};
use mlpipeline_core::piece::Piece;
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::{Decision, LongRunningWork, Plan, RunWork, Schedules, Work, plan};
use mlpipeline_core::tracks::Track;
use mlpipeline_core::validate::validate;
use mlpipeline_crds::{MLPipeline, Revision, StepReport};

const ONE_STEP: &str = "{apiVersion: mlpipeline.dev/v1alpha1, kind: MLPipeline, metadata: {name: one}, spec: {steps: [\
    {name: data, prepare: {sql: SELECT 1 AS a}}]}}";

fn pipeline(yaml: &str) -> ValidatedPipeline {
    let resource: MLPipeline = serde_saphyr::from_str(yaml).expect("the text holds a pipeline");
    validate(&resource).expect("the pipeline makes sense")
}

fn settings() -> BuildSettings {
    BuildSettings { worker_image: "mlpipeline-worker:test".into(), cluster_user_ids: false }
}

/// The only Job of a plan.
fn built_job(pipeline: &ValidatedPipeline, plan: &Plan) -> Job {
    let built = build(pipeline, plan, &settings()).into_iter().find_map(|child| match child {
        Child::Job(job) => Some(job),
        _ => None,
    });
    built.expect("a Job")
}

fn succeeded(run: &RunWork) -> ObservedRun {
    let mut report = StepReport::succeeded(Some(run.key.clone()));
    report.metrics.insert("accuracy".into(), 0.97);
    ObservedRun {
        name: run.key.to_string(),
        key: run.key.clone(),
        attempt: 1,
        piece: run.piece,
        scheduled: false,
        fingerprint: Some(run.fingerprint.clone()),
        settings: Some(run.settings.clone()),
        default_image: None,
        phase: RunPhase::Succeeded,
        is_idle: false,
        created: None,
        started: None,
        finished: None,
        pods: 1,
        report: Some(report),
        pending_report: None,
    }
}

/// The plan of a pipeline whose steps have all been done, up to the pods that serve.
fn serving_plan(pipeline: &ValidatedPipeline) -> Plan {
    plan(pipeline, &serving(pipeline), Timestamp::UNIX_EPOCH, Schedules::RunOnce)
}

/// What exists of a pipeline whose steps have all been done, up to the pods that serve.
fn serving(pipeline: &ValidatedPipeline) -> Observed {
    let mut observed = Observed::default();
    loop {
        let decided = plan(pipeline, &observed, Timestamp::UNIX_EPOCH, Schedules::RunOnce);
        if decided.steps.iter().any(|step| matches!(step.work, Some(Work::LongRunning(_)))) {
            return observed;
        }
        for step in &decided.steps {
            if let Some(Work::Once(run)) = &step.work {
                let found = observed.steps.entry(step.name.clone()).or_default();
                found.runs.push(succeeded(run));
            }
        }
    }
}

#[test]
fn an_autoscaled_deployment_names_its_replicas_only_while_it_begins() {
    let iris = pipeline(include_str!("data/crash-course.yaml"));
    let mut decided = serving_plan(&iris);
    let replicas = |plan: &Plan| {
        let children = build(&iris, plan, &settings());
        let mut found = children.into_iter().filter_map(|child| match child {
            Child::Deployment(found) => found.spec.map(|spec| spec.replicas),
            _ => None,
        });
        found.next().expect("a Deployment")
    };
    assert_eq!(replicas(&decided), Some(2), "minReplicas");
    for step in &mut decided.steps {
        if let Some(Work::LongRunning(tracks)) = &mut step.work {
            tracks.stable.first_replicas = None;
        }
    }
    assert_eq!(replicas(&decided), None, "from then on they are the autoscaler's");
}

/// The decision for the only step of this pipeline, when the Job failed that was built for the same step without settings.
fn decision_after_failure(yaml: &str, change: impl Fn(&mut Job)) -> Decision {
    let before = pipeline(ONE_STEP);
    let decided = plan(&before, &Observed::default(), Timestamp::UNIX_EPOCH, Schedules::Keep);
    let mut job = built_job(&before, &decided);
    let condition = JobCondition { type_: "Failed".into(), status: "True".into(), ..JobCondition::default() };
    job.status = Some(JobStatus { conditions: Some(vec![condition]), ..JobStatus::default() });
    change(&mut job);
    let observed = read(&Snapshot { jobs: vec![Arc::new(job)], ..Snapshot::default() });
    plan(&pipeline(yaml), &observed, Timestamp::UNIX_EPOCH, Schedules::Keep).steps[0].decision
}

#[test]
fn a_failed_job_is_tried_again_when_the_settings_that_it_records_change_and_not_by_an_upgrade() {
    let with = |settings: &str| {
        format!(
            "{{apiVersion: mlpipeline.dev/v1alpha1, kind: MLPipeline, metadata: {{name: one}}, spec: {{steps: [\
            {{name: data, prepare: {{sql: SELECT 1 AS a}}{settings}}}]}}}}"
        )
    };
    assert_eq!(decision_after_failure(&with(""), |_| {}), Decision::Failed);
    for settings in [
        ", retries: 5",
        ", timeout: 1h",
        ", pod: {resources: {limits: {memory: 1Gi}}}",
        ", pod: {nodeSelector: {a: b}}",
        ", pod: {affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: []}}, priorityClassName: high}",
        ", pod: {tolerations: [{operator: Exists}]}",
        ", pod: {imagePullSecrets: [{name: registry}]}",
        ", pod: {imagePullPolicy: Always}",
        ", pod: {serviceAccountName: reader}",
        ", pod: {env: [{name: A, value: b}]}",
        ", pod: {envFrom: [{secretRef: {name: a}}]}",
    ] {
        assert_eq!(decision_after_failure(&with(settings), |_| {}), Decision::Run, "{settings}");
        let of_version_before = |job: &mut Job| {
            let annotations = job.metadata.annotations.as_mut().expect("annotations");
            annotations.remove("mlpipeline.dev/settings").expect("it is recorded");
        };
        assert_eq!(
            decision_after_failure(&with(settings), of_version_before),
            Decision::Failed,
            "{settings}"
        );
    }
}

#[test]
fn a_candidate_beside_the_stable_pods_is_a_workload_of_its_own_and_is_read_back_as_one() {
    let iris = pipeline(include_str!("data/crash-course.yaml"));
    let alone = serving_plan(&iris);
    let mut both = alone.clone();
    let candidate_key = Revision::of(&["candidate"]);
    for step in &mut both.steps {
        if let Some(Work::LongRunning(tracks)) = &mut step.work {
            let candidate = LongRunningWork { key: candidate_key.clone(), ..tracks.stable.clone() };
            tracks.candidate = Some(Box::new(candidate));
        }
    }
    let deployments = |plan: &Plan| {
        let children = build(&iris, plan, &settings()).into_iter();
        let found = children.filter_map(|child| match child {
            Child::Deployment(found) => Some(Arc::new(found)),
            _ => None,
        });
        found.collect::<Vec<_>>()
    };
    let (before, after) = (deployments(&alone), deployments(&both));
    assert_eq!(after.first(), before.first(), "the stable pods are the same as without it");
    let [_, candidate] = after.as_slice() else { panic!("{after:#?}") };
    assert_eq!(candidate.metadata.name.as_deref(), Some("iris-api-candidate"));
    let observed = read(&Snapshot { deployments: after.clone(), ..Snapshot::default() });
    let api = &observed.steps["api"];
    assert_eq!(api.other_tracks[&Track::Candidate].key, Some(candidate_key));
    assert_ne!(
        api.long_running.as_ref().and_then(|found| found.key.clone()),
        api.other_tracks[&Track::Candidate].key
    );
}

#[test]
fn a_piece_before_the_one_that_commits_is_a_job_of_its_own_and_is_read_back_as_one() {
    let one = pipeline(ONE_STEP);
    let whole = plan(&one, &Observed::default(), Timestamp::UNIX_EPOCH, Schedules::Keep);
    let mut trials = whole.clone();
    for step in &mut trials.steps {
        if let Some(Work::Once(run)) = &mut step.work {
            run.piece = Piece::Trials;
        }
    }
    let (commit, trials) = (built_job(&one, &whole), built_job(&one, &trials));
    assert_ne!(commit.metadata.name, trials.metadata.name);
    let read_back = |job: &Job| {
        let observed = read(&Snapshot { jobs: vec![Arc::new(job.clone())], ..Snapshot::default() });
        observed.steps.get("data").map(|step| step.runs.iter().map(|run| run.piece).collect::<Vec<_>>())
    };
    assert_eq!(read_back(&commit), Some(vec![Piece::Commit]));
    assert_eq!(read_back(&trials), Some(vec![Piece::Trials]));
    let mut newer = trials.clone();
    newer.metadata.labels.get_or_insert_default().insert("mlpipeline.dev/piece".into(), "votes".into());
    assert!(read_back(&newer).is_none_or(|runs| runs.is_empty()), "a piece that this version does not know");
}

/// No pod of the server is ready, for this cause.
fn is_stuck(issue: &str, observed: &mut Observed) {
    let api = observed.steps.get_mut("api").expect("the step");
    api.long_running.as_mut().expect("pods").ready = 0;
    api.pod_issues = vec![PodIssue { reason: issue.to_owned(), message: String::new() }];
}

#[test]
fn d5_pods_that_serve_keep_the_worker_image_that_they_began_with_until_their_work_changes() {
    let iris = pipeline(include_str!("data/crash-course.yaml"));
    let of_version =
        |version: u32| BuildSettings { worker_image: format!("worker:{version}"), cluster_user_ids: false };
    let deployment = |plan: &Plan, version: u32| {
        let children = build(&iris, plan, &of_version(version)).into_iter();
        let mut found = children.filter_map(|child| match child {
            Child::Deployment(found) => Some(found),
            _ => None,
        });
        found.next().expect("a Deployment")
    };
    // What the next plan makes of this Deployment, by an operator of the second version.
    let next = |found: &Deployment, change: fn(&mut Observed)| {
        let mut observed = serving(&iris);
        let read = read(&Snapshot { deployments: vec![Arc::new(found.clone())], ..Snapshot::default() });
        let api = read.steps["api"].long_running.clone();
        observed.steps.entry("api".to_owned()).or_default().long_running = api;
        if let Some(api) = observed.steps.get_mut("api").and_then(|api| api.long_running.as_mut()) {
            api.ready = 2;
        }
        change(&mut observed);
        deployment(&plan(&iris, &observed, Timestamp::UNIX_EPOCH, Schedules::RunOnce), 2)
    };
    let image = |found: &Deployment| {
        let pod = found.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
        pod.and_then(|pod| pod.containers.first()?.image.clone())
    };
    let first = deployment(&serving_plan(&iris), 1);
    assert_eq!(image(&first).as_deref(), Some("worker:1"));
    let same = |_: &mut Observed| {};
    assert_eq!(
        next(&first, same).spec.map(|spec| spec.template),
        first.spec.clone().map(|spec| spec.template)
    );
    let mut tampered = first.clone();
    if let Some(pod) = tampered.spec.as_mut().and_then(|spec| spec.template.spec.as_mut()) {
        pod.containers[0].image = Some("attacker:1".to_owned());
    }
    assert_eq!(image(&next(&tampered, same)).as_deref(), Some("worker:2"), "an image set by hand is drift");
    let mut garbled = first.clone();
    let annotations = garbled.metadata.annotations.get_or_insert_default();
    annotations.insert("mlpipeline.dev/worker-image".to_owned(), "attacker:1".to_owned());
    assert_eq!(image(&next(&garbled, same)).as_deref(), Some("worker:2"), "and so is another record");
    let mut before = first.clone();
    before
        .metadata
        .annotations
        .get_or_insert_default()
        .remove("mlpipeline.dev/worker-image")
        .expect("it is recorded");
    assert_eq!(image(&next(&before, same)).as_deref(), Some("worker:1"), "version 0.1.0 did not record it");
    let other_work = |observed: &mut Observed| {
        let api = observed.steps.get_mut("api").and_then(|api| api.long_running.as_mut());
        api.expect("pods").key = Some(Revision::of(&["other"]));
    };
    assert_eq!(image(&next(&first, other_work)).as_deref(), Some("worker:2"));
    let crashes = |observed: &mut Observed| is_stuck("CrashLoopBackOff", observed);
    assert_eq!(image(&next(&first, crashes)).as_deref(), Some("worker:2"), "the first one cannot run");
    let drained = |observed: &mut Observed| is_stuck("Unschedulable", observed);
    assert_eq!(image(&next(&first, drained)).as_deref(), Some("worker:1"), "it comes back as it was");
}
