//! Keys of maps. Without quotes, YAML 1.1 reads `yes`, `1.50` and `0444` as a boolean and numbers, and kubectl writes those as text again: `true`,
//! `1.5` and `292`. Must not judge that: the walk over the schema does.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Content, Node, Position, SyntaxError};

/// What is said of a key that is no scalar.
const NOT_TEXT: &str = "a key is a map or a list, and must be text: render a template such as {{ … }} before its result is read, or put the text in quotes";

/// A key of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key as Kubernetes reads it.
    pub text: String,
    /// What stands in the file, where that is something else.
    pub written: Option<String>,
    /// Where a key stands that is not text.
    untyped_at: Option<Position>,
    kind: Kind,
}

/// What a key is in YAML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Boolean,
    Number,
    Null,
    /// A map or a list.
    Compound,
}

impl Key {
    /// Whether a part of a path names this key, as it is read or as it is written.
    #[must_use]
    pub fn names(&self, part: &str) -> bool {
        self.text == part || self.written.as_deref() == Some(part)
    }

    /// Whether there is no key, which Kubernetes refuses.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.kind == Kind::Null
    }

    pub(super) fn at(self, defined: Option<Position>) -> Self {
        let untyped_at = self.untyped_at.and(defined);
        Self { untyped_at, ..self }
    }

    fn of(text: String, kind: Kind) -> Self {
        let anywhere = Position { line: 1, column: 1 };
        Self { text, written: None, untyped_at: (kind != Kind::Text).then_some(anywhere), kind }
    }
}

/// Adds what is written to each key that is read as something else.
///
/// # Errors
/// The first key that is no text and can become none, or that is there twice once it is text.
pub(super) fn settle(node: &mut Node, lines: &[&str]) -> Result<(), SyntaxError> {
    match &mut node.content {
        Content::List(items) => items.iter_mut().try_for_each(|item| settle(item, lines)),
        Content::Map(entries) => {
            let mut seen = BTreeSet::new();
            for entry in entries {
                let (key, at) = (&mut entry.key, Some(entry.at));
                if key.kind == Kind::Compound {
                    return Err(SyntaxError { problem: NOT_TEXT.to_owned(), at });
                }
                // The parser compares keys as they are written: 1 and '1' are two to it. Words for true and false have complaints of their own.
                if key.kind != Kind::Boolean && !seen.insert(key.text.clone()) {
                    return Err(SyntaxError {
                        problem: format!("the key \"{}\" is there twice", key.text),
                        at,
                    });
                }
                let written = key.untyped_at.map(|at| scalar_at(at, lines));
                key.written = written.filter(|written| key.kind == Kind::Null || *written != key.text);
                settle(&mut entry.value, lines)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The plain scalar without blanks that begins at a place.
fn scalar_at(at: Position, lines: &[&str]) -> String {
    let line =
        usize::try_from(at.line - 1).ok().and_then(|index| lines.get(index)).copied().unwrap_or_default();
    let before = usize::try_from(at.column - 1).unwrap_or_default();
    let is_part = |sign: &char| !sign.is_whitespace() && !":,{}[]".contains(*sign);
    line.chars().skip(before).take_while(is_part).take(60).collect()
}

/// A number as kubectl writes it as a key: as Go does by `%g` for 32 bits.
fn number(value: f64) -> String {
    #[allow(clippy::cast_possible_truncation, reason = "kubectl does so")]
    let short = value as f32;
    if !short.is_finite() {
        let sign = if short < 0.0 { "-" } else { "" };
        return if short.is_nan() { ".nan".to_owned() } else { format!("{sign}.inf") };
    }
    let scientific = format!("{short:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>().unwrap_or_default() {
        -4..6 => format!("{short}"),
        exponent => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("text as a key")
    }

    fn visit_unit<E>(self) -> Result<Key, E> {
        Ok(Key::of("null".to_owned(), Kind::Null))
    }

    fn visit_none<E>(self) -> Result<Key, E> {
        Ok(Key::of("null".to_owned(), Kind::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        Key::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Key, E> {
        Ok(Key::of(value.to_string(), Kind::Boolean))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Key, E> {
        Ok(Key::of(value.to_string(), Kind::Number))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Key, E> {
        Ok(Key::of(value.to_string(), Kind::Number))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Key, E> {
        Ok(Key::of(number(value), Kind::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Key, E> {
        Ok(Key::of(value.to_owned(), Kind::Text))
    }

    fn visit_string<E>(self, value: String) -> Result<Key, E> {
        Ok(Key::of(value, Kind::Text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Key, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Key::of(String::new(), Kind::Compound))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Key, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Key::of(String::new(), Kind::Compound))
    }
}
