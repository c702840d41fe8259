//! What to do about values that do not fit the schema, in words. Must not walk or judge anything.

use mlpipeline_core::quoted::quoted;
use mlpipeline_core::validate::closest;
use serde_json::{Map, Value};

use super::yaml::{Content, Node};

/// The fields that hold a time span as text.
const DURATIONS: [&str; 2] = ["timeout", "pollInterval"];

/// The type that a schema asks for, for people.
pub(super) fn wanted(schema: &Value) -> String {
    let known = known_texts(schema);
    if !known.is_empty() {
        return one_of(&known);
    }
    let wanted = match schema["type"].as_str() {
        _ if schema["x-kubernetes-int-or-string"] == true => "text or a whole number",
        Some("object") => "a map",
        Some("array") => "a list",
        Some("string") => "text",
        Some("integer") => "a whole number",
        Some("number") => "a number",
        Some("boolean") => "true or false",
        _ => "a value",
    };
    wanted.to_owned()
}

/// The texts of which a value is one; none where it may be others.
fn known_texts(schema: &Value) -> Vec<&str> {
    schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A value in words.
pub(super) fn describe(node: &Node) -> String {
    match &node.content {
        Content::Null => "empty".into(),
        Content::Boolean(value) => format!("{value}"),
        Content::Integer(number) => format!("the number {number}"),
        Content::Float(number) => format!("the number {number:?}"),
        Content::Text(text) => format!("the text {}", quoted(text)),
        Content::List(_) => "a list".into(),
        Content::Map(_) => "a map".into(),
    }
}

/// Words with or before the last.
pub(super) fn one_of(words: &[&str]) -> String {
    match words {
        [] => "nothing".into(),
        [only] => (*only).to_owned(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}

/// What to do about a value of another type than the field's.
pub(super) fn type_hint(schema: &Value, node: &Node, path: &str) -> Option<String> {
    let field = path.rsplit(['.', '[']).next().unwrap_or(path);
    let takes_text = schema["type"] == "string" || schema["x-kubernetes-int-or-string"] == true;
    match (&node.content, schema["type"].as_str()) {
        (Content::Integer(number), _) if DURATIONS.contains(&field) => {
            Some(format!("write it with its unit: \"{number}s\""))
        }
        (Content::Integer(_) | Content::Float(_) | Content::Boolean(_), _)
            if takes_text && known_texts(schema).is_empty() =>
        {
            Some("put it in quotes".to_owned())
        }
        (Content::Text(text), Some("integer" | "number")) if text.trim().parse::<f64>().is_ok() => {
            Some("remove the quotes".to_owned())
        }
        (Content::Null, _) => Some("give it a value".to_owned()),
        (Content::Map(_), Some("array")) => Some("begin each item with a dash".to_owned()),
        (Content::Text(text), Some("array")) => Some(as_list(schema, text)),
        (Content::Text(_) | Content::Integer(_) | Content::Float(_), Some("object")) => {
            // An item of a list has no name.
            let name = if field.ends_with(']') { String::new() } else { format!("{field}: ") };
            as_map(schema, node).map(|map| format!("write {name}{map}"))
        }
        _ => None,
    }
}

/// How text is written as a list.
fn as_list(schema: &Value, text: &str) -> String {
    if schema["items"]["type"] != "string" {
        return "begin each item with a dash".to_owned();
    }
    let words: Vec<String> = text.split_whitespace().take(8).map(quoted).collect();
    if text.len() > 120 || words.is_empty() {
        return "write each word as an item of a list".to_owned();
    }
    match words.as_slice() {
        [only] => format!("write it as an item: [{only}]"),
        _ => format!("write each word as an item: [{}]", words.join(", ")),
    }
}

/// How a value is written as the map that a field takes, where there is one field of that map that it can only be meant for.
fn as_map(schema: &Value, node: &Node) -> Option<String> {
    let fields = schema["properties"].as_object()?;
    let has = |name: &str| fields.contains_key(name);
    let text = node.text();
    if let Some(name) = text.filter(|name| fields.get(*name).is_some_and(|field| field["type"] == "object")) {
        return Some(format!("{{{name}: {{}}}}"));
    }
    let is_uri = text.is_some_and(|text| text.contains(':') && !text.contains(' '));
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "-_.".contains(sign);
    let is_name = text.is_some_and(|text| {
        text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.chars().all(is_plain)
    });
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let field = match required.as_slice() {
        [only] => *only,
        [] if is_uri && has("uri") => "uri",
        [] if is_name && has("step") => "step",
        _ => return None,
    };
    let value = match (&node.content, fields.get(field)?["type"].as_str()?) {
        (Content::Text(text), "string") if is_name => text.clone(),
        (Content::Text(text), "string") => quoted(text),
        (Content::Integer(number), "integer" | "number") => number.to_string(),
        (Content::Float(number), "number") => number.to_string(),
        _ => return None,
    };
    (value.len() <= 120).then(|| format!("{{{field}: {value}}}"))
}

/// What to do about a field that is not known here.
pub(super) fn known_fields(unknown: &str, known: &Map<String, Value>, path: &str) -> String {
    if unknown == "image" && path.ends_with(".pod") {
        return "the image of a run step is named in run.image, and that of all other steps in spec.image"
            .to_owned();
    }
    if let Some(field) = closest(unknown, known.keys().map(String::as_str)) {
        return format!("did you mean {field}?");
    }
    // A field that differs in case and dashes, or in a word at its end, is many edits away and still obvious.
    let plain = |name: &str| name.replace(['-', '_'], "").to_ascii_lowercase();
    let wanted = plain(unknown);
    let alike = |field: &str| {
        let field = plain(field);
        field == wanted
            || (field.len() >= 4 && wanted.starts_with(&field))
            || (wanted.len() >= 4 && field.starts_with(&wanted))
    };
    match known.keys().find(|field| alike(field)) {
        Some(field) => format!("did you mean {field}?"),
        None if known.is_empty() => "no fields are known here".to_owned(),
        None => format!("there are {}", known.keys().map(String::as_str).collect::<Vec<_>>().join(", ")),
    }
}

/// What is needed of a field that is missing.
pub(super) fn needed(schema: &Value, name: &str) -> String {
    let field = &schema["properties"][name];
    match field["enum"].as_array() {
        Some(known) => {
            let known: Vec<&str> = known.iter().filter_map(Value::as_str).collect();
            format!("{} is needed", one_of(&known))
        }
        None => format!("{} is needed", wanted(field)),
    }
}
