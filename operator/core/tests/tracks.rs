//! Pods of one track are no other's: nothing that selects those of one finds those of another, and all are known as their step's.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use mlpipeline_core::children::{BuildSettings, build};
use mlpipeline_core::observation::{Snapshot, read};
use mlpipeline_core::observed::{Observed, ObservedLongRunning, ObservedStep};
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::{Plan, Schedules, Work, plan, pod_images};
use mlpipeline_core::status::status;
use mlpipeline_core::tracks::{Track, Tracks};
use mlpipeline_core::validate::validate;
use serde_json::{Value, json};

type Labels = BTreeMap<String, String>;

/// Servers and workloads of all kinds, with everything that selects pods: Services, PodDisruptionBudgets, spreads.
fn pipeline() -> ValidatedPipeline {
    let workload = |name: &str, workload: &str| {
        let replicas = (workload != "DaemonSet").then_some(3);
        json!({"name": name, "run": {"image": "a:1", "workload": workload, "replicas": replicas,
            "ports": [{"name": "http", "port": 8080}]}})
    };
    let resource = json!({
        "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline", "metadata": {"name": "p", "uid": "u"},
        "spec": {
            "storage": {"volume": {"accessModes": ["ReadWriteMany"]}},
            "steps": [
                workload("web", "Deployment"), workload("db", "StatefulSet"), workload("logs", "DaemonSet"),
                {"name": "train", "train": {"data": {"uri": "file:a.csv"}, "target": "b", "algorithm": {"logisticRegression": {}}}},
                {"name": "api", "serve": {"model": {"step": "train"}, "replicas": 3}},
            ],
        },
    });
    validate(&serde_json::from_value(resource).expect("a pipeline"))
        .unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// A plan in which each long-running step has pods of every track; of which work is of no matter here.
fn with_all_tracks(pipeline: &ValidatedPipeline) -> Plan {
    let mut planned = plan(pipeline, &Observed::default(), Timestamp::UNIX_EPOCH, Schedules::Keep);
    let found = planned.steps.iter().find_map(|step| match &step.work {
        Some(Work::LongRunning(tracks)) => Some(tracks.stable.clone()),
        _ => None,
    });
    let stable = found.expect("pods that stay");
    let other = Some(Box::new(stable.clone()));
    let tracks = Tracks { stable, candidate: other.clone(), shadow: other };
    for step in &mut planned.steps {
        if pipeline.step(&step.name).is_some_and(|valid| valid.is_long_running()) {
            step.work = Some(Work::LongRunning(tracks.clone()));
        }
    }
    planned
}

/// The objects of a plan, as they are applied.
fn built(pipeline: &ValidatedPipeline, planned: &Plan) -> Vec<Value> {
    let settings = BuildSettings { worker_image: "worker:1".into(), cluster_user_ids: false };
    let children = build(pipeline, planned, &settings);
    children.iter().map(|child| serde_json::to_value(child).expect("JSON")).collect()
}

fn labels(found: &Value) -> Option<Labels> {
    serde_json::from_value(found.clone()).ok()
}

/// The track that an object belongs to: what says none is of the stable pods.
fn track_of(object: &Value) -> Track {
    let named = object["metadata"]["labels"]["mlpipeline.dev/track"].as_str();
    named.map_or(Track::Stable, |name| Track::parse(name).expect("a track"))
}

/// The labels of a workload's pods.
fn pod_labels(object: &Value) -> Option<Labels> {
    labels(object.pointer("/spec/template/metadata/labels")?)
}

/// Everything in an object by which it selects pods.
fn selectors(object: &Value) -> Vec<Labels> {
    let spread = object.pointer("/spec/template/spec/topologySpreadConstraints").and_then(Value::as_array);
    let spread = spread.into_iter().flatten().map(|constraint| &constraint["labelSelector"]["matchLabels"]);
    let own = &object["spec"]["selector"];
    let own = own.get("matchLabels").unwrap_or(own);
    std::iter::once(own).chain(spread).filter_map(labels).collect()
}

fn selects(selector: &Labels, pods: &Labels) -> bool {
    selector.iter().all(|(name, value)| pods.get(name) == Some(value))
}

#[test]
fn what_selects_the_pods_of_one_track_of_a_step_finds_no_other_pods() {
    let pipeline = pipeline();
    let planned = with_all_tracks(&pipeline);
    let objects = built(&pipeline, &planned);
    let status = status(&pipeline, &planned, &Observed::default(), None, None, Timestamp::UNIX_EPOCH);
    let scale = status.selector.expect("the selector of the scale subresource");
    let scale: Labels = scale
        .split(',')
        .filter_map(|label| label.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let step_of = |object: &Value| object["metadata"]["labels"]["mlpipeline.dev/step"].clone();
    let own = objects.iter().flat_map(|object| {
        let who = (object["kind"].clone(), step_of(object), track_of(object));
        selectors(object).into_iter().map(move |selector| (who.clone(), selector))
    });
    let mut all: Vec<_> = own.collect();
    all.push(((json!("MLPipeline"), json!("api"), Track::Stable), scale));
    for ((kind, step, track), selector) in &all {
        let found: Vec<_> = objects
            .iter()
            .filter(|object| pod_labels(object).is_some_and(|pods| selects(selector, &pods)))
            .map(|object| (step_of(object), track_of(object)))
            .collect();
        assert_eq!(found, [(step.clone(), *track)], "selected by {kind} with {selector:?}");
    }
    let kinds: Vec<_> = all.iter().map(|((kind, ..), _)| kind.as_str().unwrap_or_default()).collect();
    for kind in ["Deployment", "StatefulSet", "DaemonSet", "Service", "PodDisruptionBudget"] {
        assert!(kinds.contains(&kind), "{kind} is not among {kinds:?}");
    }
}

#[test]
fn pods_of_every_track_are_known_as_those_of_their_step() {
    let pipeline = pipeline();
    let planned = with_all_tracks(&pipeline);
    let of_api = built(&pipeline, &planned);
    let of_api = of_api.iter().filter(|object| object["metadata"]["labels"]["mlpipeline.dev/step"] == "api");
    let mut seen = Vec::new();
    for pods in of_api.filter_map(pod_labels) {
        assert_eq!(pods.get("mlpipeline.dev/pipeline").map(String::as_str), Some("p"), "what is watched");
        let pod = json!({"metadata": {"name": "a", "labels": pods}, "status": {"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no room"}]}});
        let pod: Pod = serde_json::from_value(pod).expect("a pod");
        let observed = read(&Snapshot { pods: vec![Arc::new(pod)], ..Snapshot::default() });
        seen.push(observed.steps["api"].pod_issues.len());
    }
    assert_eq!(seen, [1, 1, 1], "a pod of each track");
}

#[test]
fn the_images_of_pods_are_listed_for_every_track() {
    let pipeline = pipeline();
    let planned = with_all_tracks(&pipeline);
    let found = |image: &str| ObservedLongRunning { image: Some(image.to_owned()), ..Default::default() };
    let api = ObservedStep {
        long_running: Some(found("worker:1")),
        other_tracks: [(Track::Candidate, found("worker:2"))].into(),
        ..ObservedStep::default()
    };
    let observed = Observed {
        steps: [("api".to_owned(), api)].into(),
        default_image: Some("worker:2".to_owned()),
        ..Observed::default()
    };
    let said: Vec<String> =
        pod_images(&pipeline, &planned, &observed).iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "the pods of step api take the worker image worker:2 in place of worker:1: they are replaced for another reason, or cannot start with theirs",
            "the candidate pods of step api have the worker image worker:2 already",
            "the shadow pods of step api take the worker image worker:2",
        ]
    );
}
