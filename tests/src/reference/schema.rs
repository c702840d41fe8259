//! The page about the resource: one section for each object in the schema, one row for each field.

use std::fmt::Write as _;

use serde_json::{Map, Value};

const INTRODUCTION: &str = "<!-- Written by `make reference` from the CustomResourceDefinition: edit the types in crds/src instead. -->
# The MLPipeline resource

`apiVersion: mlpipeline.dev/v1alpha1`, `kind: MLPipeline`, short name `mlp`. `kubectl explain mlpipeline.spec` shows the same
text. A field in **bold** must be given. Fields that are types of Kubernetes' own are those of the Pod with the same name.
";

/// The whole page.
pub(super) fn page() -> String {
    let schema = mlpipeline_crds::pipeline_schema();
    let mut page = Page { text: INTRODUCTION.to_owned(), written: Vec::new() };
    for part in ["spec", "status"] {
        page.object(part, &schema["properties"][part]);
    }
    page.text
}

struct Page {
    text: String,
    /// Objects that have a section, to link to when the same object occurs again.
    written: Vec<(String, Value)>,
}

impl Page {
    /// A section for an object, then those of the objects in it.
    fn object(&mut self, path: &str, schema: &Value) {
        self.written.push((path.to_owned(), schema["properties"].clone()));
        let _ = writeln!(self.text, "\n## {path}\n");
        if let Some(text) = schema["description"].as_str() {
            let _ = writeln!(self.text, "{}\n", one_line(text));
        }
        self.text.push_str("| Field | Type | Meaning |\n|---|---|---|\n");
        let mut below = Vec::new();
        for (name, field) in fields(schema) {
            let required =
                schema["required"].as_array().is_some_and(|list| list.contains(&Value::from(name.as_str())));
            let shown = if required { format!("**`{name}`**") } else { format!("`{name}`") };
            let inner_path = format!("{path}.{name}{}", suffix(field));
            let kind = self.kind(&inner_path, field);
            let _ = writeln!(self.text, "| {shown} | {kind} | {} |", meaning(field));
            if described(element(field)) {
                below.push((inner_path, element(field)));
            }
        }
        for rule in rules(schema) {
            let _ = write!(self.text, "\nRule: {rule}.\n");
        }
        for (path, field) in below {
            if self.section_of(field).is_none() {
                self.object(&path, field);
            }
        }
    }

    fn section_of(&self, schema: &Value) -> Option<&str> {
        self.written
            .iter()
            .find(|(_, properties)| *properties == schema["properties"])
            .map(|(path, _)| path.as_str())
    }

    /// The type for the table, linked to its section where it has one.
    fn kind(&self, path: &str, field: &Value) -> String {
        let inner = element(field);
        let name = if described(inner) {
            let section = self.section_of(inner).unwrap_or(path);
            format!("[object](#{})", anchor(section))
        } else {
            plain_kind(inner).to_owned()
        };
        match suffix(field) {
            "[]" => format!("list of {name}"),
            "{}" => format!("map of {name}"),
            _ => name,
        }
    }
}

fn fields(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flat_map(Map::iter)
}

/// Whether this is an object of ours: Kubernetes' own carry no descriptions in this schema.
fn described(schema: &Value) -> bool {
    fields(schema).next().is_some() && fields(schema).all(|(_, field)| field["description"].is_string())
}

/// What a list or map holds, or the schema itself.
fn element(schema: &Value) -> &Value {
    match suffix(schema) {
        "[]" => &schema["items"],
        "{}" => &schema["additionalProperties"],
        _ => schema,
    }
}

fn suffix(schema: &Value) -> &'static str {
    if schema.get("items").is_some() {
        "[]"
    } else if schema.get("additionalProperties").is_some_and(Value::is_object) {
        "{}"
    } else {
        ""
    }
}

fn plain_kind(schema: &Value) -> &str {
    if schema["x-kubernetes-int-or-string"] == true {
        return "quantity";
    }
    match (schema["type"].as_str().unwrap_or("value"), schema["format"].as_str()) {
        ("string", Some("date-time")) => "time",
        ("string", _) => "text",
        ("boolean", _) => "true or false",
        (kind, _) => kind,
    }
}

/// The description with the field's bounds.
fn meaning(field: &Value) -> String {
    let mut text = one_line(field["description"].as_str().unwrap_or_default()).replace('|', "\\|");
    let inner = element(field);
    if let Some(values) = inner["enum"].as_array() {
        let values: Vec<String> =
            values.iter().filter_map(Value::as_str).map(|value| format!("`{value}`")).collect();
        let _ = write!(text, " One of {}.", values.join(", "));
    }
    let numbers = bounds(inner, "minimum", "maximum").map(|range| format!(" {range}."));
    let items = bounds(field, "minItems", "maxItems").map(|range| format!(" {range} entries."));
    text.push_str(&numbers.unwrap_or_default());
    text.push_str(&items.unwrap_or_default());
    for rule in rules(field) {
        let _ = write!(text, " Rule: {}.", rule.replace('|', "\\|"));
    }
    text
}

fn bounds(schema: &Value, low: &str, high: &str) -> Option<String> {
    let number = |key: &str| schema[key].as_f64().map(|number| number.to_string());
    match (number(low), number(high)) {
        (Some(low), Some(high)) => Some(format!("{low} to {high}")),
        (Some(low), None) => Some(format!("At least {low}")),
        (None, Some(high)) => Some(format!("At most {high}")),
        (None, None) => None,
    }
}

fn rules(schema: &Value) -> impl Iterator<Item = &str> {
    let list = schema["x-kubernetes-validations"].as_array().into_iter().flatten();
    list.filter_map(|rule| rule["message"].as_str())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The fragment that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|sign| sign.is_alphanumeric() || matches!(sign, '-' | '_' | ' '));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}
