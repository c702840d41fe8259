//! The structural schema of the resource, applied as a strict API server would, with every complaint at once.
//!
//! Owns the walk over schema and document. Must not judge what the schema does not say: the pure core does that.

use std::collections::{BTreeMap, BTreeSet};

use mlpipeline_core::validate::closest;
use regex::Regex;
use serde_json::{Map, Value};

use super::yaml::{Content, Entry, Node, Position};

/// The schema of an `MLPipeline` without its descriptions; a test holds it to what [`mlpipeline_crds`] derives, which takes
/// too long to do at each start.
const SCHEMA: &str = include_str!("schema.json");

/// What is said of a field that the schema does not have.
pub const UNKNOWN_FIELD: &str = "is not a known field";

/// One thing that does not fit the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The field: "spec.steps[2].train.target".
    pub path: String,
    /// Where it stands in the file.
    pub at: Position,
    /// What is wrong.
    pub problem: String,
    /// What is allowed, or what to do.
    pub hint: Option<String>,
    /// Whether the value has the right type and is only too small, too long or the like.
    pub is_bound: bool,
}

/// Checks a document against the schema of the resource.
#[must_use]
pub fn check(document: &Node) -> Vec<Complaint> {
    // The text is part of this build, and a test reads it.
    let schema: Value = serde_json::from_str(SCHEMA).unwrap_or_default();
    let mut walk = Walk::default();
    walk.value(&schema, document, "");
    walk.complaints
}

#[derive(Default)]
struct Walk {
    complaints: Vec<Complaint>,
    patterns: BTreeMap<String, Option<Regex>>,
}

impl Walk {
    fn add(&mut self, path: &str, at: Position, problem: String, hint: Option<String>, is_bound: bool) {
        self.complaints.push(Complaint { path: path.to_owned(), at, problem, hint, is_bound });
    }

    fn bound(&mut self, path: &str, node: &Node, problem: String) {
        self.add(path, node.at, problem, None, true);
    }

    fn value(&mut self, schema: &Value, node: &Node, path: &str) {
        let fits = match (schema["type"].as_str(), &node.content) {
            _ if schema["x-kubernetes-int-or-string"] == true => self.quantity(schema, node, path),
            (Some("object"), Content::Map(entries)) => {
                self.map(schema, node, entries, path);
                true
            }
            (Some("array"), Content::List(items)) => {
                self.list(schema, node, items, path);
                true
            }
            (Some("string"), Content::Text(text)) => {
                self.text(schema, node, text, path);
                true
            }
            (Some("integer"), Content::Integer(number)) => {
                self.integer(schema, node, *number, path);
                true
            }
            (Some("number"), Content::Integer(number)) => {
                self.number(schema, node, *number as f64, path);
                true
            }
            (Some("number"), Content::Float(number)) if number.is_finite() => {
                self.number(schema, node, *number, path);
                true
            }
            (Some("boolean"), Content::Boolean(_)) | (None, _) => true,
            _ => false,
        };
        if !fits {
            let problem = format!("is {}; {} is needed", describe(node), wanted(schema));
            self.add(path, node.at, problem, type_hint(schema, node), false);
        }
    }

    /// An amount as Kubernetes writes it; whether it has one of the types for that.
    fn quantity(&mut self, schema: &Value, node: &Node, path: &str) -> bool {
        match &node.content {
            Content::Integer(number) => self.integer(schema, node, *number, path),
            Content::Text(text) => {
                if !schema["pattern"].as_str().is_none_or(|pattern| self.matches(pattern, text)) {
                    let problem =
                        format!("is {}; an amount such as 2, 500m or 1.5Gi is needed", quoted(text));
                    self.bound(path, node, problem);
                } else {
                    self.text(schema, node, text, path);
                }
            }
            _ => return false,
        }
        true
    }

    fn map(&mut self, schema: &Value, node: &Node, entries: &[Entry], path: &str) {
        let properties = schema["properties"].as_object();
        let others = schema.get("additionalProperties");
        let required = schema["required"].as_array().into_iter().flatten();
        let required: Vec<&str> = required.filter_map(Value::as_str).collect();
        for entry in entries {
            let below = join(path, &entry.key);
            let is_required = required.contains(&entry.key.as_str());
            match (properties.and_then(|properties| properties.get(&entry.key)), others) {
                // The API server drops fields without a value.
                (Some(_), _) | (None, Some(_)) if entry.value.is_null() && !is_required => {}
                (Some(schema), _) | (None, Some(schema)) => self.value(schema, &entry.value, &below),
                (None, None) => {
                    let hint = properties.map(|known| known_fields(&entry.key, known));
                    self.add(&below, entry.at, UNKNOWN_FIELD.into(), hint, false);
                }
            }
        }
        for name in required {
            if node.get(name).is_none() {
                self.add(&join(path, name), node.at, "is missing".into(), Some(needed(schema, name)), false);
            }
        }
        if let Some(most) = schema["maxProperties"].as_u64().filter(|most| entries.len() as u64 > *most) {
            self.bound(path, node, format!("has {} entries; at most {most} are allowed", entries.len()));
        }
    }

    fn list(&mut self, schema: &Value, node: &Node, items: &[Node], path: &str) {
        let count = items.len() as u64;
        if let Some(most) = schema["maxItems"].as_u64().filter(|most| count > *most) {
            self.bound(path, node, format!("has {count} items; at most {most} are allowed"));
            // What a list that long holds is not worth hundreds of complaints.
            return;
        }
        if let Some(fewest) = schema["minItems"].as_u64().filter(|fewest| count < *fewest) {
            self.bound(path, node, format!("has {count} items; at least {fewest} are needed"));
        }
        let keys: Vec<&str> = schema["x-kubernetes-list-map-keys"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut seen = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            let below = format!("{path}[{index}]");
            self.value(&schema["items"], item, &below);
            let name: Option<Vec<&str>> = keys.iter().map(|key| item.get(key)?.text()).collect();
            if let (Some(name), [key, ..]) = (name.filter(|name| !name.is_empty()), keys.as_slice())
                && !seen.insert(name.clone())
            {
                let problem = format!("\"{}\" is the {key} of an earlier item too", name.join(", "));
                self.add(&join(&below, key), item.find(key), problem, None, true);
            }
        }
    }

    fn text(&mut self, schema: &Value, node: &Node, text: &str, path: &str) {
        if let Some(known) = schema["enum"].as_array() {
            let known: Vec<&str> = known.iter().filter_map(Value::as_str).collect();
            if !known.contains(&text) {
                let hint = closest(text, known.iter().copied()).map(|word| format!("did you mean {word}?"));
                let problem = format!("is {}; {} is needed", quoted(text), one_of(&known));
                self.add(path, node.at, problem, hint, false);
            }
            return;
        }
        let length = text.chars().count() as u64;
        if let Some(most) = schema["maxLength"].as_u64().filter(|most| length > *most) {
            self.bound(path, node, format!("has {length} characters; at most {most} are allowed"));
        } else if let Some(fewest) = schema["minLength"].as_u64().filter(|fewest| length < *fewest) {
            let problem = match length {
                0 => "is empty".to_owned(),
                _ => format!("has {length} characters; at least {fewest} are needed"),
            };
            self.bound(path, node, problem);
        } else if let Some(pattern) =
            schema["pattern"].as_str().filter(|pattern| !self.matches(pattern, text))
        {
            self.bound(path, node, format!("{} does not match {pattern}", quoted(text)));
        }
    }

    fn matches(&mut self, pattern: &str, text: &str) -> bool {
        let compiled = self.patterns.entry(pattern.to_owned()).or_insert_with(|| Regex::new(pattern).ok());
        compiled.as_ref().is_none_or(|regex| regex.is_match(text))
    }

    fn integer(&mut self, schema: &Value, node: &Node, number: i128, path: &str) {
        let limits = match schema["format"].as_str() {
            Some("int32") => i128::from(i32::MIN)..=i128::from(i32::MAX),
            _ => i128::from(i64::MIN)..=i128::from(i64::MAX),
        };
        if !limits.contains(&number) {
            let problem = format!("is {number}; {} to {} is allowed", limits.start(), limits.end());
            // It cannot even be read into the field's type.
            return self.add(path, node.at, problem, None, false);
        }
        self.number(schema, node, number as f64, path);
    }

    fn number(&mut self, schema: &Value, node: &Node, number: f64, path: &str) {
        let (least, most) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
        if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
            let allowed = match (least, most) {
                (Some(least), Some(most)) => format!("{least} to {most}"),
                (Some(least), None) => format!("{least} or more"),
                (None, most) => format!("at most {}", most.unwrap_or_default()),
            };
            self.bound(path, node, format!("is {number}; {allowed} is allowed"));
        }
    }
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

/// The type that a schema asks for, for people.
fn wanted(schema: &Value) -> &'static str {
    match schema["type"].as_str() {
        _ if schema["x-kubernetes-int-or-string"] == true => "text or a whole number",
        Some("object") => "a map",
        Some("array") => "a list",
        Some("string") => "text",
        Some("integer") => "a whole number",
        Some("number") => "a number",
        Some("boolean") => "true or false",
        _ => "a value",
    }
}

fn describe(node: &Node) -> String {
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

fn quoted(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    if short.len() < text.len() { format!("{short:?}…") } else { format!("{short:?}") }
}

fn one_of(words: &[&str]) -> String {
    match words {
        [] => "nothing".into(),
        [only] => (*only).to_owned(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}

/// What to do about a value that YAML reads as another type than the writer meant.
fn type_hint(schema: &Value, node: &Node) -> Option<String> {
    let takes_text = schema["type"] == "string" || schema["x-kubernetes-int-or-string"] == true;
    match (&node.content, schema["type"].as_str()) {
        (Content::Integer(_) | Content::Float(_) | Content::Boolean(_), _) if takes_text => {
            Some("put it in quotes".to_owned())
        }
        (Content::Text(text), Some("integer" | "number")) if text.trim().parse::<f64>().is_ok() => {
            Some("remove the quotes".to_owned())
        }
        (Content::Null, _) => Some("give it a value".to_owned()),
        (Content::Map(_), Some("array")) => Some("begin each item with a dash".to_owned()),
        _ => None,
    }
}

fn known_fields(unknown: &str, known: &Map<String, Value>) -> String {
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

fn needed(schema: &Value, name: &str) -> String {
    let field = &schema["properties"][name];
    match field["enum"].as_array() {
        Some(known) => {
            let known: Vec<&str> = known.iter().filter_map(Value::as_str).collect();
            format!("{} is needed", one_of(&known))
        }
        None => format!("{} is needed", wanted(field)),
    }
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
