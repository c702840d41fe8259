//! Whatever is taken can come about: specs with one field changed to something unusual, against the real API server. A spec that the operator
//! takes, and whose children the API server refuses, would be stuck forever.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, PostParams};
use mlpipeline_core::child_kind::Child;
use mlpipeline_core::children::{BuildSettings, build};
use mlpipeline_core::observed::{Observed, ObservedRun, RunPhase};
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::{RunWork, Schedules, Work, plan};
use mlpipeline_core::validate::validate;
use mlpipeline_crds::{MLPipeline, StepReport};
use mlpipeline_tests::control_plane::ControlPlane;
use serde::Deserialize;
use serde_json::{Value, json};

use super::pipelines::{Pipelines, pipeline};

/// How many changed specs are tried when `CASES` does not say.
const CASES: usize = 100;

/// What a field is changed to.
fn unusual() -> Vec<Value> {
    let long = "x".repeat(254);
    vec![
        json!(""),
        json!(" "),
        json!("-"),
        json!("a b"),
        json!("UPPER_case"),
        json!("a.b"),
        json!("a/b"),
        json!("9a"),
        json!("é"),
        json!("a-"),
        json!("-1"),
        json!("0"),
        json!("1Gi"),
        json!("1.5"),
        json!("10s"),
        json!("0s"),
        json!("a\nb"),
        json!("$(X)"),
        json!("*/5 * * * *"),
        json!(long),
        json!(0),
        json!(1),
        json!(-1),
        json!(65_536),
        json!(i32::MAX),
        json!(1.5),
        json!(true),
        json!(null),
        json!([]),
        json!({}),
    ]
}

/// Specs that together use every field.
fn everything() -> Vec<Value> {
    #[derive(Deserialize)]
    struct File {
        rows: Vec<Value>,
    }
    serde_saphyr::from_str::<File>(include_str!("everything.yaml")).unwrap().rows
}

/// Every place in a value, as a JSON pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                found.push(format!("{at}/{name}"));
                places(inner, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                found.push(format!("{at}/{index}"));
                places(inner, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// Every change of one field, in an order that mixes them, the same at every run.
/// With each, the spec that was changed, by its number.
fn changes(specs: Vec<Value>) -> impl Iterator<Item = (usize, Value, String)> {
    let unusual = unusual();
    let all: Vec<(usize, String)> = specs
        .iter()
        .enumerate()
        .flat_map(|(number, spec)| {
            let mut pointers = Vec::new();
            places(spec, "", &mut pointers);
            pointers.into_iter().map(move |pointer| (number, pointer))
        })
        .collect();
    let count = all.len() * unusual.len();
    // A stride that shares no divisor with the count comes to every change once.
    let stride = (7_919..).find(|stride| gcd(*stride, count) == 1).unwrap();
    (0..count).map(move |index| {
        let at = index * stride % count;
        let (number, pointer) = &all[at / unusual.len()];
        let value = &unusual[at % unusual.len()];
        let mut changed = specs[*number].clone();
        *changed.pointer_mut(pointer).unwrap() = value.clone();
        (*number, changed, format!("{pointer} = {value}"))
    })
}

fn gcd(left: usize, right: usize) -> usize {
    if right == 0 { left } else { gcd(right, left % right) }
}

fn valid(name: &str, namespace: &str, spec: &Value) -> Option<ValidatedPipeline> {
    let mut resource = pipeline(name, spec);
    resource["metadata"]["namespace"] = json!(namespace);
    resource["metadata"]["uid"] = json!("2f1b0a30-5f6c-4f6e-9b0e-1f6a6d1f0c11");
    let resource: MLPipeline = serde_json::from_value(resource).ok()?;
    validate(&resource).ok()
}

/// Everything that is built until nothing more happens, when every run succeeds.
fn children(pipeline: &ValidatedPipeline) -> BTreeMap<(&'static str, String), Value> {
    let settings = BuildSettings { worker_image: "worker:1".into(), cluster_user_ids: false };
    let mut observed = Observed::default();
    let mut all = BTreeMap::new();
    for _ in 0..pipeline.steps.len() + 1 {
        let decided = plan(pipeline, &observed, Timestamp::UNIX_EPOCH, Schedules::Keep);
        for child in build(pipeline, &decided, &settings) {
            let value = serde_json::to_value(&child).unwrap();
            let name = value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            all.insert((kind_of(&child), name), value);
        }
        for step in &decided.steps {
            let Some(Work::Once(run) | Work::Scheduled { run, .. }) = &step.work else { continue };
            let runs = &mut observed.steps.entry(step.name.clone()).or_default().runs;
            runs.push(succeeded(run));
        }
    }
    all
}

fn kind_of(child: &Child) -> &'static str {
    child.kind().kind()
}

fn succeeded(run: &RunWork) -> ObservedRun {
    let mut report = StepReport::succeeded(Some(run.key.clone()));
    report.metrics.extend(["accuracy", "r2"].map(|metric| (metric.to_owned(), 0.97)));
    ObservedRun {
        name: format!("run-{}", run.key),
        key: run.key.clone(),
        attempt: run.attempt,
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

/// Seen to fail with a validation that does not look into affinities: the API server refused the Jobs for an empty list of terms.
#[tokio::test]
async fn whatever_is_taken_has_children_that_are_accepted() {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace("generated").await;
    let client = control_plane.client().await;
    let pipelines = Pipelines::new(client.clone(), namespace.name());
    let cases = std::env::var("CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let (mut taken, mut refused) = (0_usize, Vec::new());
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    let specs = everything();
    // What is the same without the change, the first of them shows.
    let unchanged: Vec<_> = specs
        .iter()
        .map(|spec| {
            valid("made", namespace.name(), spec).map(|pipeline| children(&pipeline)).unwrap_or_default()
        })
        .collect();
    let mut shown = vec![false; specs.len()];
    for (number, spec, change) in changes(specs) {
        let Some(pipeline) = valid("made", namespace.name(), &spec) else { continue };
        // What the definition refuses is reported at once.
        if pipelines.would_create(&spec).await.is_err() {
            continue;
        }
        taken += 1;
        let is_first = !std::mem::replace(&mut shown[number], true);
        for (id, value) in children(&pipeline) {
            if !is_first && unchanged[number].get(&id) == Some(&value) {
                continue;
            }
            let (kind, name) = id;
            let api_version = value["apiVersion"].as_str().unwrap_or_default().to_owned();
            let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version.as_str()));
            let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
            let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace.name(), &resource);
            let object: DynamicObject = serde_json::from_value(value).unwrap();
            let answer = api.create(&dry_run, &object).await.map_err(|error| error.to_string());
            // A port that another Service of the cluster has: it may be free tomorrow.
            if let Err(error) = answer.as_ref().map_err(String::as_str)
                && !error.contains("port is already allocated")
            {
                refused.push(format!("{change}: {kind} {name}: {error}"));
                break;
            }
        }
        if taken == cases {
            break;
        }
    }
    assert!(taken >= cases.min(100), "only {taken} of the changed specs are taken");
    assert!(refused.is_empty(), "{} of {taken} specs:\n{}", refused.len(), refused.join("\n"));
}
