//! What is applied is what is stored: no default, no rewriting, nothing dropped.

use std::collections::BTreeSet;

use mlpipeline_crds::MLPipelineSpec;
use mlpipeline_tests::control_plane::ControlPlane;
use serde::Deserialize;
use serde_json::{Value, json};

use super::pipelines::Pipelines;
use super::schema;

/// Fields whose insides are Kubernetes' own and documented there.
const OF_KUBERNETES: [&str; 5] =
    ["affinity", "env[]", "envFrom[]", "tolerations[]", "topologySpreadConstraints[]"];

/// Specs that together use every field of ours.
fn everything() -> Vec<Value> {
    #[derive(Deserialize)]
    struct File {
        rows: Vec<Value>,
    }
    serde_saphyr::from_str::<File>(include_str!("everything.yaml")).unwrap().rows
}

#[test]
fn every_field_of_ours_is_in_the_specs_that_use_everything() {
    let mut used = BTreeSet::new();
    everything().iter().for_each(|spec| paths_in(spec, "spec", &mut used));
    let is_kubernetes = |path: &str| OF_KUBERNETES.iter().any(|field| path.contains(&format!(".{field}.")));
    // A step's pod is the pipeline's pod once more.
    let is_repeated = |path: &str| path.starts_with("spec.steps[].pod.");
    schema::walk(&schema::spec(), "spec", &mut |path, _| {
        let is_field = !path.ends_with("[]") && !path.ends_with("{}");
        if is_field && !is_kubernetes(path) && !is_repeated(path) && !path.contains(".resources.claims") {
            // A map of ours has one key in that file: b.
            assert!(used.contains(&path.replace("{}", ".b")), "{path} is not in everything.yaml");
        }
    });
}

/// The paths of a value, as those of the schema are written.
fn paths_in(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    found.insert(path.to_owned());
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, inner)| paths_in(inner, &format!("{path}.{name}"), found));
        }
        Value::Array(items) => items.iter().for_each(|item| paths_in(item, &format!("{path}[]"), found)),
        _ => {}
    }
}

#[tokio::test]
async fn what_is_stored_is_what_was_applied() {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace("crd-stored").await;
    let pipelines = Pipelines::new(control_plane.client().await, namespace.name());
    for (number, spec) in everything().iter().enumerate() {
        let created = pipelines.create(&format!("created-{number}"), spec).await.unwrap();
        assert_eq!(created["spec"], *spec);
        let name = format!("applied-{number}");
        let applied = pipelines.apply(&name, spec).await.unwrap();
        assert_eq!(applied["spec"], *spec);
        // The operator's first status. Until then the first update stores the one that the schema begins with.
        let applied = pipelines.apply_status(&name, &json!({"observedGeneration": 1})).await.unwrap();
        let again = pipelines.apply(&name, spec).await.unwrap();
        assert_eq!(again["metadata"], applied["metadata"], "applying it again is a change");
    }
}

#[tokio::test]
async fn the_rust_types_read_all_that_the_api_server_admits_and_write_it_back_the_same() {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace("crd-types").await;
    let pipelines = Pipelines::new(control_plane.client().await, namespace.name());
    for spec in everything() {
        let stored = pipelines.would_create(&spec).await.unwrap();
        let read: MLPipelineSpec = serde_json::from_value(stored["spec"].clone()).unwrap();
        let written = serde_json::to_value(&read).unwrap();
        let stored_again = pipelines.would_create(&written).await.unwrap();
        let read_again: MLPipelineSpec = serde_json::from_value(stored_again["spec"].clone()).unwrap();
        assert_eq!(read_again, read);
    }
}

#[tokio::test]
async fn a_null_is_as_good_as_an_absent_field() {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace("crd-null").await;
    let pipelines = Pipelines::new(control_plane.client().await, namespace.name());
    let spec = json!({
        "storage": null, "pod": {"env": null, "labels": null, "resources": null}, "replicas": null,
        "steps": [
            {"name": "a", "run": {"image": "i", "command": null}, "train": null, "schedule": null, "after": null},
            {"name": "b", "prepare": {"sql": null, "inputs": [{"name": "x", "step": "a", "uri": null}]}},
        ],
    });
    let stored = pipelines.create("nulls", &spec).await.unwrap();
    let steps = json!([
        {"name": "a", "run": {"image": "i"}},
        {"name": "b", "prepare": {"inputs": [{"name": "x", "step": "a"}]}},
    ]);
    assert_eq!(stored["spec"], json!({"pod": {}, "steps": steps}));
}

#[tokio::test]
async fn quantities_may_be_numbers_and_texts_but_nothing_else() {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace("crd-quantity").await;
    let pipelines = Pipelines::new(control_plane.client().await, namespace.name());
    let with = |value: Value| {
        let pod = json!({"resources": {"limits": {"memory": value}}});
        json!({"pod": pod, "steps": [{"name": "a", "run": {"image": "i"}}]})
    };
    for good in ["1", "0", "0.5", ".5", "5.", "128Mi", "1e3", "1E6", "12E-3", "100m", "1k", "2T", "1Ei", "5n"]
    {
        let answer = pipelines.would_create(&with(json!(good))).await;
        assert_eq!(answer.unwrap()["spec"]["pod"]["resources"]["limits"]["memory"], good);
    }
    for bad in ["", "-1", "+1", "1 Gi", "1gi", "Gi", "1.2.3", "many", "1K", "1Mi ", "٣"] {
        let refusal = pipelines.would_create(&with(json!(bad))).await.expect_err(bad);
        let at_fault = refusal.causes.iter().any(|(field, _)| field == "spec.pod.resources.limits.memory");
        assert!(at_fault, "{bad}: {refusal:?}");
    }
    for bad in [json!(-1), json!(true), json!([1]), json!({})] {
        assert!(pipelines.would_create(&with(bad.clone())).await.is_err(), "{bad}");
    }
}
