//! S11: every leaf of the resource's schema with every odd value: nothing panics, each is reported, and other pipelines continue.

#![allow(clippy::expect_used, reason = "a test fails by it")]

mod world;

use std::time::Duration;

use mlpipeline_crds::custom_resource_definition;
use serde_json::{Value, json};
use world::World;
use world::controllers::Script;
use world::state::Key;

const HEALTHY: &str =
    "{apiVersion: mlpipeline.dev/v1alpha1, kind: MLPipeline, metadata: {name: healthy}, spec: {steps: [
    {name: a, run: {image: busybox}}]}}";

/// One part of a path through the schema.
#[derive(Clone, Debug)]
enum Part {
    Field(String),
    First,
    Any,
}

/// Every leaf, and every odd value that it may be given: of the wrong kind among them, as an older or laxer schema lets through.
fn mutations() -> Vec<(String, Vec<Part>, Value)> {
    let crd = serde_json::to_value(custom_resource_definition()).expect("JSON");
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let mut leaves = Vec::new();
    collect(schema, Vec::new(), &mut leaves);
    let mut all = Vec::new();
    for (path, schema) in leaves {
        let odd = [
            json!(null),
            json!(""),
            json!("é\u{0}\u{202e}/../%"),
            json!("x".repeat(70_000)),
            json!(0),
            json!(-1),
            json!(i64::MAX),
            json!(1e308),
            json!(true),
            json!([]),
            json!({}),
        ];
        let of_schema = ["minimum", "maximum", "default"].map(|bound| schema[bound].clone());
        let named = schema["enum"].as_array().into_iter().flatten().cloned();
        for value in
            odd.into_iter().chain(of_schema.into_iter().filter(|value| !value.is_null())).chain(named)
        {
            all.push((format!("{path:?} = {:.40}", value.to_string()), path.clone(), value));
        }
    }
    all
}

fn collect(schema: &Value, path: Vec<Part>, leaves: &mut Vec<(Vec<Part>, Value)>) {
    let deeper = |part: Part| [path.clone(), vec![part]].concat();
    if let Some(fields) = schema["properties"].as_object() {
        for (name, inner) in fields {
            collect(inner, deeper(Part::Field(name.clone())), leaves);
        }
    } else if schema["items"].is_object() {
        collect(&schema["items"], deeper(Part::First), leaves);
    } else if schema["additionalProperties"].is_object() {
        collect(&schema["additionalProperties"], deeper(Part::Any), leaves);
    } else {
        leaves.push((path, schema.clone()));
    }
}

/// Puts a value at a path, with whatever must be around it.
fn put(target: &mut Value, path: &[Part], value: Value) {
    let Some((part, rest)) = path.split_first() else {
        *target = value;
        return;
    };
    let name = match part {
        Part::First => {
            if !target.is_array() {
                *target = json!([]);
            }
            let list = target.as_array_mut().expect("a list");
            if list.is_empty() {
                list.push(Value::Null);
            }
            return put(&mut list[0], rest, value);
        }
        Part::Field(name) => name.as_str(),
        Part::Any => "key",
    };
    if !target.is_object() {
        *target = json!({});
    }
    put(&mut target[name], rest, value);
}

/// The actions that a step may have; a path through one of them gets a step that has no other.
const ACTIONS: [(&str, &str); 6] = [
    ("prepare", "{inputs: [{name: t, uri: 'http://h/t.csv'}]}"),
    ("train", "{data: {uri: 'http://h/t.csv'}, target: y, algorithm: {linearRegression: {}}}"),
    ("serve", "{model: {uri: 'http://h/m'}}"),
    ("score", "{model: {uri: 'http://h/m'}, input: {uri: 'http://h/t.csv'}}"),
    ("run", "{image: busybox, ports: [{name: http, port: 80}]}"),
    ("import", "{onnx: {uri: 'http://h/m.onnx'}, target: y}"),
];

fn mutated(path: &[Part], value: &Value) -> Value {
    let through = |name: &str| path.iter().any(|part| matches!(part, Part::Field(field) if field == name));
    let action = ACTIONS.iter().find(|(name, _)| through(name)).unwrap_or(&ACTIONS[4]);
    let about: Value = serde_saphyr::from_str(action.1).expect("YAML");
    let mut step = json!({"name": "a"});
    step[action.0] = about;
    let mut spec = json!({"steps": [step]});
    put(&mut spec, path, value.clone());
    spec
}

#[tokio::test(start_paused = true)]
async fn s11_no_leaf_of_the_schema_makes_the_operator_panic_or_keep_silent() {
    let all = mutations();
    assert!(all.len() > 1000, "{} mutations", all.len());
    for batch in all.chunks(200) {
        let world = World::new();
        world.start_controllers(Script::default());
        let operator = world.start();
        let key = |at: usize| Key::new("mlpipelines", "ns", &format!("m{at}"));
        for (at, (_, path, value)) in batch.iter().enumerate() {
            let pipeline = json!({
                "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline",
                "metadata": {"name": format!("m{at}")}, "spec": mutated(path, value),
            });
            world.with(|state| state.user_applies(&key(at), &pipeline));
        }
        let healthy = world.user_applies(HEALTHY);
        world.until("the healthy one ready", |world| world.is_ready(&healthy)).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        let first = batch.first().map(|(what, ..)| what);
        assert!(!operator.has_ended(), "the operator ended in the batch that begins with {first:?}");
        for (at, (what, ..)) in batch.iter().enumerate() {
            assert!(world.condition(&key(at), "Ready").is_some(), "nothing is said of {what}");
        }
    }
    println!(
        "{} mutations of {} leaves",
        all.len(),
        all.iter().map(|(_, path, _)| format!("{path:?}")).collect::<std::collections::BTreeSet<_>>().len()
    );
}
