//! YAML as a tree in which every value and key knows its line and column.
//!
//! Owns reading text into [`Node`]s within limits, with the types that kubectl gives plain scalars: those of YAML 1.1. Must not know what the
//! documents mean.

mod decode;
mod key;

use std::io::Cursor;

use serde_json::{Map, Number, Value};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Error, Location};

pub use key::Key;

/// The most bytes of one file: more than any resource that an API server would take (3 MiB with its overhead).
pub const MAX_BYTES: usize = 4 << 20;
/// How deeply values may nest; the resource itself needs less than 20, and a level takes some 30 KB of stack when unoptimised.
const MAX_DEPTH: usize = 32;
/// The most values of one document, aliases replayed.
const MAX_NODES: usize = 200_000;

/// Where something stands in a file, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

/// One value of a document.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub content: Content,
    /// Where it begins.
    pub at: Position,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Content {
    /// `null`, `~` or nothing.
    Null,
    /// true or false, or one of YAML 1.1's other words for them, which Kubernetes reads so too.
    Boolean(bool),
    /// A whole number.
    Integer(i128),
    /// Another number; not always finite.
    Float(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<Entry>),
}

/// One entry of a map.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// Where the key begins.
    pub at: Position,
    /// The value.
    pub value: Node,
}

/// Text that is no YAML, or more of it than is allowed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{problem}")]
pub struct SyntaxError {
    /// What is wrong.
    pub problem: String,
    /// Where, if that is known.
    pub at: Option<Position>,
}

/// Reads all documents of a text; empty ones are left out. After a document that is wrong, those that follow are still read.
pub fn read_documents(bytes: &[u8]) -> Vec<Result<Node, SyntaxError>> {
    let failed = |problem: String, at| vec![Err(SyntaxError { problem, at })];
    if bytes.len() > MAX_BYTES {
        let problem = format!("has {} bytes; at most {MAX_BYTES} are read", bytes.len());
        return failed(problem, None);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
            let at = Position { line: line as u64, column: column as u64 };
            return failed("is not UTF-8 text: save the file as UTF-8".to_owned(), Some(at));
        }
    };
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(MAX_BYTES + 1),
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 2 * MAX_NODES,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 2 * MAX_NODES },
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::PassThrough,
        // As kubectl reads numbers: 0444 is 292.
        legacy_octal_numbers: true,
        with_snippet: false,
    };
    let mut reader = Cursor::new(bytes);
    let lines: Vec<&str> = text.lines().collect();
    serde_saphyr::read_with_options::<_, Node>(&mut reader, options)
        .map(|document| {
            let mut node = document.map_err(|error| syntax_error(&error))?;
            key::settle(&mut node, &lines)?;
            Ok(node)
        })
        .collect()
}

fn syntax_error(error: &Error) -> SyntaxError {
    let text = error.without_snippet().to_string();
    // The position is reported beside the message.
    let line = text.lines().next().unwrap_or_default();
    let line = line.split(" at line ").next().unwrap_or(line).trim_start_matches("error: ");
    let problem = match error.without_snippet() {
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => too_deep(),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => too_many(),
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("the key \"{key}\" is there twice"),
        Error::DuplicateMappingKey { key: None, .. } => "a key is there twice".to_owned(),
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            "an alias stands for something that holds the alias".to_owned()
        }
        // Flow collections are counted by the scanner, and what an alias brings reports as text: neither has a variant.
        _ if line.contains("recursion limit") => too_deep(),
        _ if line.contains("budget breached") => too_many(),
        _ => line.to_owned(),
    };
    SyntaxError { problem, at: error.location().and_then(position) }
}

fn too_deep() -> String {
    format!("nests values more than {MAX_DEPTH} deep")
}

fn too_many() -> String {
    format!("has more values than the {MAX_NODES} that are read; an alias counts as all that it stands for")
}

fn position(location: Location) -> Option<Position> {
    (location != Location::UNKNOWN).then(|| Position { line: location.line(), column: location.column() })
}

impl Node {
    /// The value of a map's key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.content {
            Content::Map(entries) => {
                entries.iter().find(|entry| entry.key.text == key).map(|entry| &entry.value)
            }
            _ => None,
        }
    }

    /// The value as text, if it is text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.content, Content::Null)
    }

    /// The whole number that this is, also where it is written as 1e3 or 2.0: on its way to the API server it loses what follows the point.
    #[must_use]
    pub fn whole(&self) -> Option<i128> {
        match self.content {
            Content::Integer(number) => Some(number),
            // Beyond this bound the API server reads a number with a fraction, whatever it looks like.
            Content::Float(number) if number.fract() == 0.0 && number.abs() < 9_223_372_036_854_775_808.0 => {
                Some(number as i128)
            }
            _ => None,
        }
    }

    /// The same value as JSON, without fields that have no value, as the API server reads it. Numbers that JSON does not have
    /// become null.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Boolean(value) => Value::Bool(*value),
            Content::Integer(value) => Number::from_i128(*value).map_or(Value::Null, Value::Number),
            Content::Float(value) => {
                let whole = self.whole().and_then(Number::from_i128);
                whole.or_else(|| Number::from_f64(*value)).map_or(Value::Null, Value::Number)
            }
            Content::Text(text) => Value::String(text.clone()),
            Content::List(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            Content::Map(entries) => {
                let entries = entries.iter().filter(|entry| !entry.value.is_null());
                let fields = entries.map(|entry| (entry.key.text.clone(), entry.value.to_json()));
                Value::Object(fields.collect::<Map<_, _>>())
            }
        }
    }

    /// Where the value at a path such as "spec.steps[2].train" stands, or the nearest value above it that is there.
    #[must_use]
    pub fn find(&self, path: &str) -> Position {
        self.walk(path).last().map_or(self.at, |(at, _)| at)
    }

    /// The value at a path such as "spec.steps[2].train", if it is there.
    #[must_use]
    pub fn value_at(&self, path: &str) -> Option<&Node> {
        let parts = parts(path).count();
        if parts == 0 { Some(self) } else { self.walk(path).nth(parts - 1).map(|(_, node)| node) }
    }

    /// The values on the way to a path, as far as they are there, each with where it or its key stands.
    fn walk(&self, path: &str) -> impl Iterator<Item = (Position, &Node)> {
        parts(path).scan(self, |node, part| {
            let next = match (&node.content, part.strip_suffix(']')) {
                (Content::List(items), Some(index)) => {
                    index.parse::<usize>().ok().and_then(|index| items.get(index)).map(|item| (item.at, item))
                }
                (Content::Map(entries), _) => {
                    entries.iter().find(|entry| entry.key.names(part)).map(|entry| (entry.at, &entry.value))
                }
                _ => None,
            }?;
            *node = next.1;
            Some(next)
        })
    }
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split(['.', '[']).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests;
