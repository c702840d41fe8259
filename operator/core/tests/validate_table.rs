//! What is refused, and in which words: a table that reads as documentation, and mutations of every field.
//!
//! `tests/validate_table.txt` holds the rows, with all errors of each spec, as they are printed; `yaml_table` says how they are written.
//! `{kinds}` stands for the list of all kinds of steps.

#![allow(clippy::expect_used, clippy::panic)]

mod yaml_table;

use std::collections::BTreeSet;

use jiff::Timestamp;
use mlpipeline_core::observed::Observed;
use mlpipeline_core::plan::{Schedules, plan};
use mlpipeline_core::validate::validate;
use mlpipeline_crds::{MLPipeline, StepKind};
use proptest::prelude::*;
use serde_json::{Value, json};

const TABLE: &str = include_str!("validate_table.txt");
const LEAST_ROWS: usize = 60;

fn resource(name: &str, spec: Value) -> Option<MLPipeline> {
    let resource = json!({
        "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline", "metadata": {"name": name}, "spec": spec,
    });
    serde_json::from_value(resource).ok()
}

fn errors_of(resource: &MLPipeline) -> Vec<String> {
    let errors = validate(resource).err().unwrap_or_default();
    errors.iter().map(|error| error.to_string().replace(&StepKind::listed(), "{kinds}")).collect()
}

/// The table with the errors that there really are in place of those that it claims.
fn played(table: &str) -> String {
    yaml_table::played(table, |resource, spec| {
        let errors = errors_of(resource);
        assert!(!errors.is_empty(), "nothing is wrong with\n{spec}");
        errors
    })
}

/// Kubernetes takes 256 KiB of annotations, in which Jobs keep what they did: a step with more would never start.
#[test]
fn a_step_whose_objects_could_not_keep_what_it_is_is_refused() {
    let of_bytes = |bytes: usize| {
        let run = json!({"image": "x", "args": vec!["y".repeat(1000); bytes / 1000]});
        errors_of(&resource("p", json!({"steps": [{"name": "a", "run": run}]})).expect("a pipeline"))
    };
    assert!(of_bytes(150_000).is_empty());
    let errors = of_bytes(300_000);
    assert!(
        matches!(errors.as_slice(), [error] if error.starts_with("spec.steps[0]: has 30") && error.contains("keep 245760 at most")),
        "{errors:?}"
    );
}

#[test]
fn every_rule_speaks_in_these_words() {
    yaml_table::compare("validate_table.txt", TABLE, &played(TABLE));
    assert!(TABLE.matches("\n# ").count() + 1 >= LEAST_ROWS);
}

#[test]
fn a_table_that_claims_something_else_is_found_out() {
    let row = "# a lie\nsteps: []\n  spec.steps: is fine\n";
    assert_ne!(played(row), row);
}

#[test]
fn messages_are_short_and_on_one_line_whatever_is_quoted() {
    for text in ["x\ny".to_owned(), "é".repeat(100_000), "\u{0}\u{202e}".repeat(50)] {
        let spec = json!({"steps": [
            {"name": text, "prepare": {"inputs": [{"name": text, "uri": text, "sha256": text}]}, "after": [text]},
            {"name": "b", "train": {"data": {"step": text}, "target": text, "features": [text], "algorithm": {}},
             "schedule": {"cron": text, "timeZone": text}, "timeout": text},
            {"name": "c", "run": {"image": "x", "inputs": [{"name": text, "step": text}]},
             "pod": {"mounts": [{"name": text, "mountPath": text}]}},
        ]});
        let errors = errors_of(&resource(&text, spec).expect("a resource"));
        assert!(errors.len() >= 10, "{errors:#?}");
        for error in errors {
            assert!(!error.contains(['\n', '\u{0}']), "{error:?}");
            assert!(error.chars().count() < 700, "{} characters: {error}", error.chars().count());
        }
    }
}

/// Resources that have nearly every field between them.
fn rich() -> Vec<Value> {
    [include_str!("data/crash-course.yaml"), include_str!("data/workloads.yaml"), EVERYTHING_ELSE]
        .map(|yaml| json!(serde_saphyr::from_str::<MLPipeline>(yaml).expect("a resource")))
        .to_vec()
}

const EVERYTHING_ELSE: &str = r#"
apiVersion: mlpipeline.dev/v1alpha1
kind: MLPipeline
metadata: {name: everything}
spec:
  suspend: false
  image: worker:1
  replicas: 2
  history: 5
  storage: {volume: {claimName: shared}}
  pod: {volumes: [{name: files, configMap: {name: files}}], labels: {team: ml}}
  steps:
    - name: house
      prepare:
        inputs:
          - {name: a, uri: "http://example.com/a.csv", columns: [x, z], sha256: 0000000000000000000000000000000000000000000000000000000000000000}
          - {name: b, uri: "file:in/b.txt", format: ndjson}
        sql: SELECT * FROM a
        checks: [{name: c, column: x, notNull: true, unique: true, oneOf: ["1"], min: 0.5, max: 2}]
        output: {format: csv}
      schedule: {cron: "0 2 * * MON-FRI", timeZone: Europe/Berlin, concurrencyPolicy: Replace, startingDeadlineSeconds: 60, suspend: true}
      rerun: token
      pod: {mounts: [{name: files, mountPath: /files}]}
    - name: price
      train:
        data: {step: house}
        target: z
        features: [x]
        algorithm: {linearRegression: {alpha: 0.5}}
        crossValidation: {folds: 5, seed: 3}
        gate: {metric: r2, min: 0.1, max: 1, maxRegression: 0.1}
      timeout: 1h30m
    - name: api
      serve: {model: {step: price}, service: {type: LoadBalancer, port: 8080}, ingress: {host: a.example.com, path: /x}}
      after: [tell]
    - name: tell
      run: {image: curl, args: [a], completions: 3, restartPolicy: OnFailure, inputs: [{name: model, step: price}]}
      parallelism: 2
      retries: 1
"#;

/// Pointers of every value in a document.
fn pointers(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            pointers(value, &format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")), found);
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, value)| pointers(value, &format!("{path}/{index}"), found)),
        _ => {}
    }
}

/// What a value is replaced by; the first stands for "it is gone".
fn replacements() -> Vec<Value> {
    vec![
        Value::Null,
        json!(""),
        json!([]),
        json!({}),
        json!(0),
        json!(-1),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(1e308),
        json!(-0.0),
        json!(true),
        json!("日本\u{202e}\u{0}"),
        json!("x".repeat(10_000)),
        json!("-"),
        json!("99999999999999999999h"),
        json!("step"),
        json!(vec!["a"; 200]),
    ]
}

fn mutated(document: &Value, pointer: &str, by: &Value) -> Option<MLPipeline> {
    let mut document = document.clone();
    let (parent, name) = pointer.rsplit_once('/')?;
    match (document.pointer_mut(parent)?, by) {
        (Value::Object(fields), Value::Null) => drop(fields.remove(name)),
        (Value::Array(items), Value::Null) => {
            let index = name.parse().ok().filter(|index| *index < items.len())?;
            drop(items.remove(index));
        }
        _ => *document.pointer_mut(pointer)? = by.clone(),
    }
    serde_json::from_value(document).ok()
}

/// Validation and, where that finds nothing, the plan: neither may panic.
fn survives(resource: &MLPipeline) -> bool {
    let Ok(valid) = validate(resource) else { return false };
    for schedules in [Schedules::Keep, Schedules::RunOnce] {
        let _ = plan(&valid, &Observed::default(), Timestamp::UNIX_EPOCH, schedules);
    }
    true
}

#[test]
fn the_documents_that_are_mutated_are_right_themselves() {
    for document in rich() {
        let resource: MLPipeline = serde_json::from_value(document).expect("a resource");
        assert_eq!(errors_of(&resource), Vec::<String>::new());
    }
}

#[test]
fn no_field_removed_emptied_or_made_monstrous_makes_validation_or_the_plan_panic() {
    let (mut refused, mut accepted) = (0, 0);
    for document in rich() {
        let mut found = Vec::new();
        pointers(&document, "", &mut found);
        for pointer in found {
            for by in replacements() {
                match mutated(&document, &pointer, &by).map(|resource| survives(&resource)) {
                    Some(true) => accepted += 1,
                    Some(false) => refused += 1,
                    None => {}
                }
            }
        }
    }
    assert!(refused > 300 && accepted > 300, "{refused} were refused and {accepted} accepted");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_two_mutations_together_make_anything_panic(
        which in 0..3usize, first in any::<prop::sample::Index>(), second in any::<prop::sample::Index>(),
        values in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
    ) {
        let document = rich().swap_remove(which);
        let mut found = Vec::new();
        pointers(&document, "", &mut found);
        let all = replacements();
        let once = mutated(&document, first.get::<String>(&found), values.0.get(&all));
        let twice = once.and_then(|resource| mutated(&json!(resource), second.get::<String>(&found), values.1.get(&all)));
        if let Some(resource) = twice {
            survives(&resource);
        }
    }

    #[test]
    fn the_order_of_the_steps_is_nothing_to_what_is_wrong(order in Just((0..6usize).collect::<Vec<_>>()).prop_shuffle()) {
        let steps = [
            json!({"name": "a", "run": {"image": " "}}),
            json!({"name": "b", "run": {"image": "x"}, "after": ["c"]}),
            json!({"name": "c", "run": {"image": "x"}, "after": ["d"], "schedule": {"cron": "x"}}),
            json!({"name": "d", "run": {"image": "x"}, "after": ["b", "nobody"]}),
            json!({"name": "e", "run": {"image": "x"}, "after": ["f"]}),
            json!({"name": "f", "run": {"image": "x"}, "after": ["e", "f"]}),
        ];
        let wrong = |order: &[usize]| -> BTreeSet<(String, String)> {
            let listed: Vec<&Value> = order.iter().map(|index| &steps[*index]).collect();
            let resource = resource("p", json!({"steps": listed})).expect("a resource");
            let errors = validate(&resource).expect_err("much is wrong");
            errors.into_iter().map(|error| {
                let path = order.iter().enumerate().fold(error.path, |path, (at, index)| {
                    path.replace(&format!("spec.steps[{at}]"), &format!("<{}>", steps[*index]["name"]))
                });
                (path, error.problem)
            }).collect()
        };
        prop_assert_eq!(wrong(&order), wrong(&[0, 1, 2, 3, 4, 5]));
        prop_assert_eq!(wrong(&order).len(), 6);
    }
}
