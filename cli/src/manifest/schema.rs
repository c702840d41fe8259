//! The structural schema of the resource, applied as a strict API server would, with every complaint at once.
//!
//! Owns the walk over schema and document. Must not judge what the schema does not say: the pure core does that.

use std::collections::{BTreeMap, BTreeSet};

use mlpipeline_core::quoted::quoted;
use mlpipeline_core::validate::closest;
use mlpipeline_crds::Shown;
use regex::Regex;
use serde_json::Value;

use super::hint::{describe, known_fields, needed, one_of, type_hint, wanted};
use super::yaml::{Content, Entry, Key, Node, Position};

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
            (Some("integer"), Content::Integer(_) | Content::Float(_)) => {
                let whole = node.whole();
                whole.into_iter().for_each(|number| self.integer(schema, node, number, path));
                whole.is_some()
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
            self.add(path, node.at, problem, type_hint(schema, node, path), false);
        }
    }

    /// An amount as Kubernetes writes it; whether it has one of the types for that.
    fn quantity(&mut self, schema: &Value, node: &Node, path: &str) -> bool {
        match (&node.content, node.whole()) {
            (_, Some(number)) => self.integer(schema, node, number, path),
            (Content::Text(text), _) => {
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
            if entry.key.written.is_some() {
                self.misread_key(&entry.key, entry.at, path);
                continue;
            }
            let key = &entry.key.text;
            let below = join(path, key);
            let is_required = required.contains(&key.as_str());
            match (properties.and_then(|properties| properties.get(key)), others) {
                // The API server drops fields without a value.
                (Some(_), _) | (None, Some(_)) if entry.value.is_null() && !is_required => {}
                (Some(schema), _) | (None, Some(schema)) => self.value(schema, &entry.value, &below),
                (None, None) => {
                    let hint = properties.map(|known| known_fields(key, known, path));
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

    /// A key that Kubernetes reads as another than the one that stands there.
    fn misread_key(&mut self, key: &Key, at: Position, path: &str) {
        let written = key.written.as_deref().unwrap_or_default();
        let (problem, hint) = if key.is_null() {
            ("is an empty key, which Kubernetes refuses".to_owned(), "name the entry, in quotes".to_owned())
        } else {
            let problem = format!("is read as {} by Kubernetes", quoted(&key.text));
            (problem, format!("put the key in quotes: {}", quoted(written)))
        };
        self.add(&join(path, written), at, problem, Some(hint), true);
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
                (Some(least), Some(most)) => format!("{} to {}", Shown(least), Shown(most)),
                (Some(least), None) => format!("{} or more", Shown(least)),
                (None, most) => format!("at most {}", Shown(most.unwrap_or_default())),
            };
            self.bound(path, node, format!("is {}; {allowed} is allowed", Shown(number)));
        }
    }
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
