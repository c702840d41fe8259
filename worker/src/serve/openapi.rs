//! The OpenAPI 3.1 document of a served model, made from the schema it was trained with.
//!
//! Owns what `/openapi.json` says; it must say exactly what the server does.

use serde_json::{Map, Value, json};

use super::auth::KEY_HEADER;
use super::limits::ServingLimits;
use crate::model::{Feature, FeatureKind, Finding, Model, NumberValues, ONNX, Target, Values};
use crate::preprocess::{TimeKind, shown_time};

/// The document.
#[must_use]
pub fn document(model: &Model, revision: &str, limits: ServingLimits) -> Value {
    let mut schemas = json!({
        "Row": row(model),
        "Prediction": prediction(&model.schema().target),
        "Error": error(),
    });
    let mut components = json!({});
    if limits.needs_key {
        components["securitySchemes"] = json!({
            "bearer": {"type": "http", "scheme": "bearer"},
            "apiKey": {"type": "apiKey", "in": "header", "name": KEY_HEADER},
        });
    }
    components["schemas"] = schemas.take();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": title(&model.schema().target),
            "version": revision,
            "description": format!(
                "{}. Every answer names the pod that gave it in x-mlpipeline-pod and the model's \
                 revision in x-mlpipeline-model-revision.",
                origin(model)
            ),
        },
        "servers": [{"url": "."}],
        "paths": {
            "/predict": {"post": predict(model, limits)},
            "/health": {"get": simple("health", "Whether the process answers", "application/json", json!({
                "type": "object", "required": ["status"], "properties": {"status": {"const": "ok"}},
            }))},
            "/ready": {"get": ready()},
            "/metrics": {"get": simple("metrics", "Counters in Prometheus' text format", "text/plain", json!({"type": "string"}))},
            "/openapi.json": {"get": simple("openapi", "This document", "application/json", json!({"type": "object"}))},
            "/docs": {"get": simple("docs", "A page to try the model with", "text/html", json!({"type": "string"}))},
        },
        "components": components,
    })
}

/// Where the model comes from.
fn origin(model: &Model) -> String {
    match model.info().algorithm.as_str() {
        ONNX => "A model that was made elsewhere, as ONNX".to_owned(),
        algorithm => format!("A model trained by {algorithm}"),
    }
}

fn predict(model: &Model, limits: ServingLimits) -> Value {
    let refused = |description: &str| {
        json!({
            "description": description,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        })
    };
    let one_or_many = |schema: &str| {
        let schema = format!("#/components/schemas/{schema}");
        let list =
            json!({"type": "array", "items": {"$ref": schema}, "minItems": 1, "maxItems": limits.max_rows});
        json!({"oneOf": [{"$ref": schema}, list]})
    };
    let mut operation = json!({
        "operationId": "predict",
        "summary": format!("Predict {} for one row or for many", model.schema().target.name()),
        "description": "One object is answered by one prediction, a list by a list in the same order.",
        "requestBody": {
            "required": true,
            "content": {"application/json": {"schema": one_or_many("Row"), "example": example(model)}},
        },
        "responses": {
            "200": {
                "description": "The prediction, or one for each row",
                "content": {"application/json": {"schema": one_or_many("Prediction")}},
            },
            "400": refused("The body is not JSON"),
            "408": refused("The body did not arrive in time"),
            "413": refused(&format!(
                "The body has more than {} rows or {} bytes", limits.max_rows, limits.max_body_bytes
            )),
            "415": refused("The body is declared to be something else than application/json, or has a Content-Encoding"),
            "422": refused("Features are missing, unknown, of another type, or too large; all of them are listed"),
            "503": refused("The model is being loaded, or too much is going on; try again"),
        },
    });
    if limits.needs_key {
        operation["security"] = json!([{"bearer": []}, {"apiKey": []}]);
        operation["responses"]["401"] = refused("The API key is missing or another");
    }
    operation
}

fn row(model: &Model) -> Value {
    let features = &model.schema().features;
    let largest = model.largest_value();
    let properties: Map<String, Value> =
        features.iter().map(|feature| (feature.name.clone(), property(feature, largest))).collect();
    let names: Vec<&str> =
        features.iter().filter(|feature| !feature.optional).map(|feature| feature.name.as_str()).collect();
    json!({
        "type": "object",
        "description": "One value for each feature",
        "required": names,
        "properties": properties,
        "additionalProperties": false,
        "example": example(model),
    })
}

/// One feature. Whole numbers are no more than what training saw: the model takes any number up to the largest. So does it
/// any text.
fn property(feature: &Feature, largest: f64) -> Value {
    let (mut kinds, mut property) = match &feature.values {
        Values::Number(numbers) => number_property(numbers, largest),
        Values::Text(texts) => (
            vec!["string", "integer", "boolean"],
            json!({
                "description": if texts.common.is_empty() { "A text".to_owned() } else { format!(
                    "A text; frequent in training: {}. A text that training did not see is taken as a rare one, or as none \
                     of those that training saw",
                    texts.common.join(", ")
                ) },
            }),
        ),
        Values::Time(times) => {
            let shown = |time| shown_time(time, times.kind);
            let format = match times.kind {
                TimeKind::Date => "Dates",
                TimeKind::Timestamp => "Times, in UTC where there is no offset,",
            };
            let description =
                format!("{format} from {} to {} in training", shown(times.min), shown(times.max));
            (vec!["string"], json!({"description": description}))
        }
    };
    if feature.optional {
        kinds.push("null");
        let description = property["description"].as_str().unwrap_or_default();
        property["description"] = json!(format!("{description}; null or left out where it is missing"));
    }
    property["type"] = match kinds.as_slice() {
        [one] => json!(one),
        several => json!(several),
    };
    property["examples"] = json!([value(feature)]);
    property
}

fn number_property(numbers: &NumberValues, largest: f64) -> (Vec<&'static str>, Value) {
    let (seen, kinds) = match numbers.kind {
        FeatureKind::Float => ("Numbers", vec!["number"]),
        FeatureKind::Integer => ("Whole numbers", vec!["number"]),
        FeatureKind::Boolean => ("True and false, or 1 and 0,", vec!["boolean", "number"]),
    };
    // A range of one value says nothing, as of a model that was made elsewhere.
    let description = if numbers.min < numbers.max {
        let (min, max) = (numbers.min, numbers.max);
        format!("{seen} from {min} to {max} in training, {} on average", rounded(numbers.mean))
    } else {
        seen.trim_end_matches(',').to_owned()
    };
    let (minimum, maximum) = match numbers.kind {
        FeatureKind::Boolean => (0.0, 1.0),
        FeatureKind::Float | FeatureKind::Integer => (-largest, largest),
    };
    (kinds, json!({"description": description, "minimum": minimum, "maximum": maximum}))
}

/// A feature's example, as it would be sent.
pub fn value(feature: &Feature) -> Value {
    match &feature.values {
        Values::Number(numbers) if numbers.kind == FeatureKind::Boolean => json!(numbers.example != 0.0),
        Values::Number(numbers) => json!(numbers.example),
        Values::Text(texts) => json!(texts.common.first()),
        Values::Time(times) => json!(shown_time(times.example, times.kind)),
    }
}

/// A row that looks like the training data.
pub fn example(model: &Model) -> Value {
    let pairs = model.schema().features.iter().map(|feature| (feature.name.clone(), value(feature)));
    Value::Object(pairs.collect())
}

/// A number with four significant digits, for people.
pub fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

fn title(target: &Target) -> String {
    match target {
        Target::Class { name, .. } | Target::Number { name, .. } => format!("Predicts {name}"),
        Target::Finding(finding) => format!("Finds the {} of a row", finding.name()),
    }
}

/// What a finding answers: its fields, all of which are there.
fn finding(finding: &Finding) -> (Vec<String>, Value) {
    let mut properties = Map::new();
    let answers = finding.answers();
    if !answers.is_empty() {
        properties.insert(finding.name().to_owned(), json!({"enum": answers}));
    }
    for number in finding.numbers() {
        properties.insert(number, json!({"type": "number", "description": finding.description()}));
    }
    (properties.keys().cloned().collect(), Value::Object(properties))
}

fn prediction(target: &Target) -> Value {
    let name = target.name();
    let (names, properties) = match target {
        Target::Number { .. } => {
            (vec![name.to_owned()], json!({name: {"type": "number", "description": "The predicted number"}}))
        }
        Target::Class { labels, .. } => {
            let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
            let (index, label) = (format!("{name}_index"), format!("{name}_name"));
            let probability = json!({"type": "number", "minimum": 0, "maximum": 1});
            let each: Map<String, Value> =
                labels.iter().map(|label| (label.clone(), probability.clone())).collect();
            let properties = json!({
                index.as_str(): {"type": "integer", "minimum": 0, "maximum": labels.len().saturating_sub(1)},
                label.as_str(): {"enum": labels, "description": "The likeliest class"},
                "probabilities": {
                    "type": "object", "required": labels, "properties": each, "additionalProperties": false,
                    "description": "How likely each class is; the sum is 1",
                },
            });
            (vec![index, label, "probabilities".to_owned()], properties)
        }
        Target::Finding(found) => finding(found),
    };
    json!({"type": "object", "required": names, "properties": properties, "additionalProperties": false})
}

fn error() -> Value {
    let texts = json!({"type": "array", "items": {"type": "string"}});
    json!({
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {"type": "string", "description": "What is wrong, for people"},
            "details": {"type": "array", "items": {
                "type": "object",
                "required": ["row", "problem"],
                "properties": {
                    "row": {"type": "integer", "minimum": 0, "description": "The row's place in the list"},
                    "feature": {"type": "string"},
                    "problem": {"type": "string"},
                },
            }},
            "features": texts,
            "endpoints": texts,
        },
    })
}

fn ready() -> Value {
    let body = |ready: bool| {
        let schema = json!({
            "type": "object",
            "required": ["ready"],
            "properties": {"ready": {"const": ready}, "reason": {"type": "string"}},
        });
        json!({"application/json": {"schema": schema}})
    };
    json!({
        "operationId": "ready",
        "summary": "Whether requests should be sent here",
        "responses": {
            "200": {"description": "Yes", "content": body(true)},
            "503": {"description": "The model is being loaded, or the server is draining", "content": body(false)},
        },
    })
}

fn simple(name: &str, summary: &str, content_type: &str, schema: Value) -> Value {
    json!({
        "operationId": name,
        "summary": summary,
        "responses": {"200": {"description": summary, "content": {content_type: {"schema": schema}}}},
    })
}

#[cfg(test)]
mod tests;
