//! Every bound of the CustomResourceDefinition refuses what is beyond it, at the right field.
//!
//! The cases are made from the schema: for each place in it and each bound there, the smallest spec that leads to the place
//! and breaks the bound.

use mlpipeline_tests::control_plane::ControlPlane;
use regex::Regex;
use serde_json::{Map, Value, json};

use super::pipelines::Pipelines;
use super::schema;

/// A spec with one thing wrong.
struct Case {
    /// The schema's place and keyword: `spec.steps[].name maxLength`.
    what: String,
    spec: Value,
    /// The path that the API server should name.
    field: String,
    /// What its message should say.
    says: String,
}

/// One step on the way from `spec` to a place in the schema.
#[derive(Clone)]
enum Part {
    Property(String),
    Item,
    Entry,
}

#[tokio::test]
async fn every_bound_refuses_what_is_beyond_it() {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace("crd-bounds").await;
    let pipelines = Pipelines::new(control_plane.client().await, namespace.name());
    let cases = cases();
    assert!(cases.len() > 500, "only {} cases were found in the schema", cases.len());
    for case in cases {
        let refusal = pipelines.would_create(&case.spec).await.expect_err(&case.what);
        assert_eq!(refusal.code, 422, "{}: {refusal:?}", case.what);
        let named = refusal
            .causes
            .iter()
            .any(|(field, message)| *field == case.field && message.to_lowercase().contains(&case.says));
        assert!(named, "{}: no {:?} at {}: {refusal:?}", case.what, case.says, case.field);
    }
}

#[tokio::test]
async fn an_unknown_field_is_refused_wherever_it_stands() {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace("crd-unknown").await;
    let pipelines = Pipelines::new(control_plane.client().await, namespace.name());
    let mut places = 0;
    let root = schema::spec();
    for (parts, schema) in places_of(&root) {
        if schema.get("properties").is_none() {
            continue;
        }
        let mut value = smallest(schema);
        value["nonesuch"] = json!(1);
        let (spec, field) = spec_with(&root, &parts, value);
        let refusal = pipelines.would_create(&spec).await.expect_err(&field);
        let says = format!("unknown field \"{field}.nonesuch\"");
        assert!(refusal.message.contains(&says), "{says}: {refusal:?}");
        places += 1;
    }
    assert!(places > 50, "only {places} objects were found in the schema");
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let root = schema::spec();
    for (parts, schema) in places_of(&root) {
        for (keyword, limit) in schema.as_object().into_iter().flatten() {
            for (wrong, below, says) in wrong_values(keyword, limit, schema) {
                let (spec, field) = spec_with(&root, &parts, wrong);
                let what = format!("{field} {keyword}");
                cases.push(Case { what, spec, field: format!("{field}{below}"), says });
            }
        }
    }
    cases
}

/// Values that break one bound of a schema, the path below it that is at fault, and part of the message, in lower case.
fn wrong_values(keyword: &str, limit: &Value, schema: &Value) -> Vec<(Value, String, String)> {
    let at = |value: Value, says: &str| vec![(value, String::new(), says.to_owned())];
    let size = || usize::try_from(limit.as_u64().unwrap()).unwrap();
    let number = || limit.as_f64().unwrap();
    match keyword {
        "maxLength" if schema.get("type").is_none() => at(json!("1".repeat(size() + 1)), "too long"),
        "maxLength" => at(json!("a".repeat(size() + 1)), "too long"),
        "minLength" => at(json!("a".repeat(size() - 1)), "at least"),
        "pattern" => {
            let length = schema["minLength"].as_u64().unwrap_or(0).max(1) as usize;
            at(json!("\u{e9}".repeat(length)), "should match")
        }
        "enum" => at(json!("Nonesuch"), "unsupported value"),
        "minimum" => at(json!(whole_or_not(number() - 1.0, schema)), "greater than or equal to"),
        "maximum" => at(json!(whole_or_not(number() + 1.0, schema)), "less than or equal to"),
        "maxItems" => at(list_of(size() + 1, &schema["items"]), "too many"),
        "minItems" => at(list_of(size() - 1, &schema["items"]), "at least"),
        "maxProperties" => {
            let entries =
                (0..=size()).map(|key| (format!("k{key}"), smallest(&schema["additionalProperties"])));
            at(Value::Object(entries.collect()), "too many")
        }
        "required" => {
            let names = limit.as_array().unwrap().iter().filter_map(Value::as_str);
            let without = |name: &str| {
                let mut value = smallest(schema);
                value.as_object_mut().unwrap().remove(name);
                (value, format!(".{name}"), "required value".to_owned())
            };
            names.map(without).collect()
        }
        "type" => match limit.as_str().unwrap() {
            "string" => at(json!(7), "must be of type string"),
            other => at(json!("text"), &format!("must be of type {other}")),
        },
        _ => Vec::new(),
    }
}

/// A number as the schema's type writes it.
fn whole_or_not(number: f64, schema: &Value) -> Value {
    if schema["type"] == "number" { json!(number) } else { json!(number as i64) }
}

/// So many smallest items; those of a map-list differ in their keys.
fn list_of(count: usize, items: &Value) -> Value {
    let numbered = |number: usize| {
        let mut item = smallest(items);
        if let Some(name) = item.get_mut("name") {
            *name = json!(format!("a{number}"));
        }
        if let Some(path) = item.get_mut("mountPath") {
            *path = json!(format!("/{number}"));
        }
        item
    };
    (0..count).map(numbered).collect()
}

/// The smallest value that a schema admits.
fn smallest(schema: &Value) -> Value {
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let fields = required.map(|name| (name.to_owned(), smallest(&schema["properties"][name])));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Some("array") => list_of(schema["minItems"].as_u64().unwrap_or(0) as usize, &schema["items"]),
        Some("boolean") => json!(true),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        _ => text(schema),
    }
}

/// A short text that a schema admits.
fn text(schema: &Value) -> Value {
    let pattern = Regex::new(schema["pattern"].as_str().unwrap_or("")).unwrap();
    let shortest = schema["minLength"].as_u64().unwrap_or(0) as usize;
    let candidates = ["a", "1", "/a", "1s", &"0".repeat(64)];
    let fits = |text: &&str| text.len() >= shortest && pattern.is_match(text);
    json!(candidates.iter().find(|text| fits(text)).unwrap_or_else(|| panic!("no text for {schema}")))
}

/// Every place in a schema, and the way to it.
fn places_of(schema: &Value) -> Vec<(Vec<Part>, &Value)> {
    fn visit<'a>(schema: &'a Value, parts: &[Part], found: &mut Vec<(Vec<Part>, &'a Value)>) {
        found.push((parts.to_vec(), schema));
        let mut go = |part: Part, inner: &'a Value| visit(inner, &[parts, &[part]].concat(), found);
        if let Some(items) = schema.get("items") {
            go(Part::Item, items);
        }
        if let Some(values) = schema.get("additionalProperties") {
            go(Part::Entry, values);
        }
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            go(Part::Property(name.clone()), inner);
        }
    }
    let mut found = Vec::new();
    visit(schema, &[], &mut found);
    found
}

/// The smallest spec that holds a value at a place, and the value's path as the API server writes it.
fn spec_with(root: &Value, parts: &[Part], value: Value) -> (Value, String) {
    let mut schemas = vec![root];
    let mut field = "spec".to_owned();
    for part in parts {
        let schema = *schemas.last().unwrap();
        let (inner, written) = match part {
            Part::Property(name) => (&schema["properties"][name], format!(".{name}")),
            Part::Item => (&schema["items"], "[0]".to_owned()),
            Part::Entry => (&schema["additionalProperties"], ".key".to_owned()),
        };
        schemas.push(inner);
        field.push_str(&written);
    }
    let mut value = value;
    for (part, schema) in parts.iter().zip(schemas).rev() {
        let mut around = smallest(schema);
        match part {
            Part::Property(name) => around[name] = value,
            Part::Item => around = json!([value]),
            Part::Entry => around["key"] = value,
        }
        value = around;
    }
    (value, field)
}
