//! The page of the chart's values, from the comments of `values.yaml` and the operator's flags.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::flags;
use super::helm::chart;

const INTRODUCTION: &str = "<!-- Written by `make chart` from the comments of charts/mlpipeline/values.yaml and the operator's flags. -->
# Values of the Helm chart

[How to install](../how-to/install.md) says which of them you may want. None has to be set. A value that is not listed is an error, but for `global` and `enabled`: charts above this one may set them, and nothing here reads them. Helm itself does: `condition: mlpipeline.enabled` of a dependency.

| Value | Default | What it is |
|---|---|---|
";

/// The whole page.
pub fn page() -> String {
    let text = std::fs::read_to_string(chart().join("values.yaml")).unwrap();
    let defaults: Value = serde_saphyr::from_str(&text).unwrap();
    let mut page = INTRODUCTION.to_owned();
    for (path, comment) in comments(&text) {
        let default = path.split('.').fold(&defaults, |value, key| &value[key]);
        row(&mut page, &path, default, &comment);
    }
    page.push_str(
        "\n## Flags of the operator\n\nThese go below `operator`, as in `operator: {concurrency: 32}`.\n\n",
    );
    page.push_str("| Value | Default | What it is |\n|---|---|---|\n");
    for (name, schema) in flags::schema()["properties"].as_object().unwrap() {
        let choices = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let choices = choices.collect::<Vec<_>>().join(", ");
        let one_of = if choices.is_empty() { String::new() } else { format!(" One of {choices}.") };
        let comment = format!("{}.{one_of}", schema["description"].as_str().unwrap());
        row(&mut page, &format!("operator.{name}"), &schema["default"], &comment);
    }
    page
}

fn row(page: &mut String, path: &str, default: &Value, comment: &str) {
    let default = if default.is_null() { String::new() } else { format!("`{default}`") };
    let _ = writeln!(page, "| `{path}` | {default} | {} |", comment.replace('|', "\\|"));
}

/// Each value that has a comment of its own, in the order of the file.
fn comments(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (mut comment, mut section) = (Vec::new(), String::new());
    for line in text.lines() {
        let (trimmed, depth) = (line.trim_start(), line.len() - line.trim_start().len());
        if let Some(words) = trimmed.strip_prefix("# ") {
            comment.push(words.to_owned());
            continue;
        }
        if let Some((key, _)) = trimmed.split_once(':') {
            if depth == 0 {
                section = key.to_owned();
            }
            let path = if depth == 0 { key.to_owned() } else { format!("{section}.{key}") };
            if !comment.is_empty() {
                found.push((path, comment.join(" ")));
            }
        }
        comment.clear();
    }
    found
}

#[test]
fn every_value_is_documented_and_in_the_schema() {
    let text = std::fs::read_to_string(chart().join("values.yaml")).unwrap();
    let defaults: Value = serde_saphyr::from_str(&text).unwrap();
    let documented: BTreeMap<String, String> = comments(&text).into_iter().collect();
    let schema: Value =
        serde_json::from_str(&std::fs::read_to_string(chart().join("values.schema.json")).unwrap()).unwrap();
    for (key, value) in defaults.as_object().unwrap() {
        let property = resolve(&schema, &schema["properties"][key]);
        assert!(property.is_object(), "{key} is not in the schema");
        let inner = value.as_object().into_iter().flatten().map(|(inner, _)| inner);
        for inner in inner.filter(|_| !documented.contains_key(key)) {
            assert!(documented.contains_key(&format!("{key}.{inner}")), "{key}.{inner} has no comment");
            assert!(property["properties"][inner].is_object(), "{key}.{inner} is not in the schema");
        }
        assert!(documented.contains_key(key) || value.is_object(), "{key} has no comment");
    }
    for key in schema["properties"].as_object().unwrap().keys() {
        // What the chart above this one sets.
        if ["global", "enabled"].contains(&key.as_str()) {
            continue;
        }
        assert!(!defaults[key].is_null(), "{key} is in the schema and not in values.yaml");
    }
}

fn resolve<'a>(schema: &'a Value, property: &'a Value) -> &'a Value {
    match property["$ref"].as_str() {
        Some(reference) => schema.pointer(reference.trim_start_matches('#')).expect("a definition"),
        None => property,
    }
}
