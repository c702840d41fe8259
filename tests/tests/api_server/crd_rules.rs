//! Every rule of the CustomResourceDefinition refuses what it is there to refuse, at the right field and with its message.

use std::collections::BTreeSet;

use mlpipeline_tests::control_plane::ControlPlane;
use serde::Deserialize;
use serde_json::{Value, json};

use super::pipelines::Pipelines;
use super::schema;

/// One row of the table; its head says what the columns mean.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    at: String,
    rule: String,
    field: String,
    before: Option<Value>,
    spec: Value,
}

fn rows() -> Vec<Row> {
    serde_saphyr::from_str(include_str!("crd_rules.yaml")).unwrap()
}

/// Every rule's place and message.
fn rules() -> BTreeSet<(String, String)> {
    let mut rules = BTreeSet::new();
    schema::walk(&schema::spec(), "spec", &mut |path, schema| {
        for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
            rules.insert((path.to_owned(), rule["message"].as_str().unwrap_or_default().to_owned()));
        }
    });
    rules
}

#[test]
fn every_rule_has_a_row_and_every_row_a_rule() {
    let (rules, rows) = (rules(), rows());
    let covers =
        |row: &Row, (at, message): &(String, String)| row.at == *at && message.starts_with(&row.rule);
    for rule in &rules {
        assert!(rows.iter().any(|row| covers(row, rule)), "no row in crd_rules.yaml for {rule:?}");
    }
    for row in &rows {
        let of = rules.iter().filter(|rule| covers(row, rule)).count();
        assert_eq!(of, 1, "the row {:?} at {} fits {of} rules", row.rule, row.at);
    }
}

#[tokio::test]
async fn every_rule_refuses_with_its_message_at_its_field() {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace("crd-rules").await;
    let pipelines = Pipelines::new(control_plane.client().await, namespace.name());
    for (number, row) in rows().into_iter().enumerate() {
        let answer = match &row.before {
            None => pipelines.would_create(&row.spec).await,
            Some(before) => {
                let current = pipelines.create(&format!("row-{number}"), before).await.unwrap();
                pipelines.would_replace(&current, &row.spec).await
            }
        };
        let refusal = answer.expect_err(&format!("admitted although {:?} at {}", row.rule, row.at));
        assert_eq!(refusal.code, 422, "{refusal:?}");
        let [(field, message)] = refusal.causes.as_slice() else {
            panic!("{:?} at {}: more or less than one cause: {refusal:?}", row.rule, row.at)
        };
        assert_eq!(*field, row.field, "{:?} at {}", row.rule, row.at);
        assert!(message.contains(&row.rule), "{:?} at {}: {message}", row.rule, row.at);
    }
}

fn with_volume(volume: Value) -> Value {
    json!({"storage": {"volume": volume}, "steps": [{"name": "a", "run": {"image": "i"}}]})
}

#[tokio::test]
async fn what_a_volume_is_asked_to_be_may_be_edited_and_taken_back() {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace("crd-claim-change").await;
    let pipelines = Pipelines::new(control_plane.client().await, namespace.name());
    let plain = pipelines.create("plain", &json!({"steps": [{"name": "a", "run": {"image": "i"}}]})).await;
    let volume = json!({"size": "1Gi", "storageClassName": "fast", "accessModes": ["ReadWriteMany"]});
    let own = pipelines.create("own", &with_volume(volume)).await;
    let given = pipelines.create("given", &with_volume(json!({"claimName": "shared"}))).await;
    let [plain, own, given] = [plain, own, given].map(Result::unwrap);
    let grown =
        json!({"size": "2Gi", "storageClassName": "fast", "accessModes": ["ReadWriteMany"], "retain": true});
    let same_size_as_number =
        json!({"size": 1_073_741_824, "storageClassName": "fast", "accessModes": ["ReadWriteMany"]});
    let changes = [
        (&plain, with_volume(json!({"size": "2Gi"}))),
        (&plain, with_volume(json!({"storageClassName": "fast"}))),
        (&plain, with_volume(json!({"accessModes": ["ReadWriteMany"]}))),
        (&own, plain["spec"].clone()),
        (&own, with_volume(json!({"size": "1Mi", "storageClassName": "slow"}))),
        (&own, with_volume(same_size_as_number)),
        (&given, with_volume(json!({"size": "1Mi"}))),
        (&plain, with_volume(json!({"claimName": "shared"}))),
        (&own, with_volume(grown)),
        (&own, with_volume(json!({"claimName": "shared"}))),
        (&given, with_volume(json!({"claimName": "other"}))),
        (&given, with_volume(json!({"storageClassName": "fast"}))),
    ];
    for (current, spec) in changes {
        let answer = pipelines.would_replace(current, &spec).await;
        assert!(answer.is_ok(), "{spec}: {answer:?}");
    }
}
