//! Reads the body of a prediction request: rows of features by name, straight into one row-major buffer.
//!
//! Owns what a request may look like and every word on what is wrong with one. Must not know of HTTP or of the model
//! beyond the names of its features.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::model::FeatureKind;

/// How many problems one answer spells out; the rest are counted.
const MAX_PROBLEMS: usize = 50;

/// How much of a caller's own text a message repeats, in characters.
const MAX_QUOTED: usize = 40;

/// The features that a row must have, in the order of the model's columns.
#[derive(Clone, Debug)]
pub struct RowFeatures {
    names: Vec<String>,
    /// Which of them may be given as true and false, which the model sees as 1 and 0.
    booleans: Vec<bool>,
    index: HashMap<String, usize>,
}

impl RowFeatures {
    /// Features by name and kind, in the model's order.
    #[must_use]
    pub fn new<'a>(features: impl IntoIterator<Item = (&'a str, FeatureKind)>) -> Self {
        let (names, booleans): (Vec<String>, Vec<bool>) =
            features.into_iter().map(|(name, kind)| (name.to_owned(), kind == FeatureKind::Boolean)).unzip();
        let index = names.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect();
        Self { names, booleans, index }
    }

    /// The names in the model's order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The column of a feature. Most callers send the features in the model's order, so the column after the last one is
    /// tried first.
    fn column(&self, name: &str, expected: usize) -> Option<usize> {
        if self.names.get(expected).is_some_and(|feature| feature == name) {
            return Some(expected);
        }
        self.index.get(name).copied()
    }
}

/// The rows of a request, all of them complete and finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// One value for each feature and row, row after row.
    pub values: Vec<f64>,
    /// How many rows.
    pub count: usize,
    /// Whether the body was one object and not a list.
    pub single: bool,
}

/// One thing that is wrong with one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The row's place in the list, from 0.
    pub row: usize,
    /// The feature, where the problem is with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// What is wrong with it.
    pub problem: String,
}

/// Why a body gives no rows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowsError {
    /// It is not JSON.
    #[error("the body is not JSON: {0}")]
    Malformed(String),
    /// It is JSON of another shape.
    #[error(
        "the body must be an object with one number for each feature, or a list of such objects, not {0}"
    )]
    WrongShape(&'static str),
    /// There are more rows than a request may have.
    #[error("a request has at most {limit} rows; send the others in further requests")]
    TooManyRows {
        /// The most rows of a request.
        limit: usize,
    },
    /// Rows that cannot be predicted for.
    #[error("{}", summary(problems, *total))]
    Wrong {
        /// The first problems.
        problems: Vec<Problem>,
        /// How many problems there are.
        total: usize,
    },
}

/// The first problem, and how many more there are.
fn summary(problems: &[Problem], total: usize) -> String {
    let more = match total.saturating_sub(1) {
        0 => String::new(),
        1 => "; and 1 more problem".to_owned(),
        more => format!("; and {more} more problems"),
    };
    match problems.first() {
        Some(Problem { row, feature: Some(feature), problem }) => {
            format!("row {row}: feature \"{feature}\" {problem}{more}")
        }
        Some(Problem { row, feature: None, problem }) => format!("row {row} {problem}{more}"),
        None => format!("{total} problems"),
    }
}

/// Reads one object or a list of objects, at most `max_rows` of them.
///
/// # Errors
/// When the body is no JSON or of another shape, has too many rows, or has rows with anything but one finite number for
/// each feature; all of their problems are told at once.
pub fn read_rows(body: &[u8], features: &RowFeatures, max_rows: usize) -> Result<Rows, RowsError> {
    let mut reader = Reader {
        features,
        max_rows,
        values: Vec::new(),
        count: 0,
        too_many: false,
        problems: Vec::new(),
        total: 0,
    };
    let mut json = serde_json::Deserializer::from_slice(body);
    let first = body.iter().copied().find(|byte| !byte.is_ascii_whitespace());
    let read = match first {
        Some(b'{') => RowSeed(&mut reader).deserialize(&mut json),
        Some(b'[') => json.deserialize_seq(ListVisitor(&mut reader)),
        None => return Err(RowsError::Malformed("it is empty".into())),
        Some(_) => json.deserialize_ignored_any(IgnoredAny).map(drop),
    };
    match read.and_then(|()| json.end()) {
        Err(_) if reader.too_many => return Err(RowsError::TooManyRows { limit: max_rows }),
        Err(error) => return Err(RowsError::Malformed(error.to_string())),
        Ok(()) => {}
    }
    if let Some(byte) = first.filter(|byte| !matches!(byte, b'{' | b'[')) {
        return Err(RowsError::WrongShape(kind_of(byte)));
    }
    if reader.count == 0 {
        return Err(RowsError::WrongShape("an empty list"));
    }
    if reader.total > 0 {
        return Err(RowsError::Wrong { problems: reader.problems, total: reader.total });
    }
    Ok(Rows { values: reader.values, count: reader.count, single: first == Some(b'{') })
}

/// What was read so far.
struct Reader<'a> {
    features: &'a RowFeatures,
    max_rows: usize,
    /// NaN, which JSON cannot express, where no value was given yet; infinite where it was refused.
    values: Vec<f64>,
    count: usize,
    too_many: bool,
    problems: Vec<Problem>,
    total: usize,
}

impl Reader<'_> {
    fn problem(&mut self, feature: Option<&str>, problem: impl FnOnce() -> String) {
        self.total += 1;
        if self.problems.len() < MAX_PROBLEMS {
            let row = self.count.saturating_sub(1);
            self.problems.push(Problem { row, feature: feature.map(quoted), problem: problem() });
        }
    }

    /// Takes the value of one feature of the current row, which begins at `start`.
    fn value(&mut self, start: usize, column: usize, json: &str) {
        let features = self.features;
        let name = features.names.get(column).map(String::as_str);
        let Some(slot) = self.values.get_mut(start + column) else { return };
        if !slot.is_nan() {
            self.problem(name, || "is given twice".into());
            return;
        }
        let boolean = features.booleans.get(column).copied().unwrap_or_default();
        match number(json, boolean) {
            Ok(value) => *slot = value,
            Err(problem) => {
                *slot = f64::INFINITY;
                self.problem(name, || problem);
            }
        }
    }

    fn missing(&mut self, start: usize) {
        let features = self.features;
        for (column, name) in features.names.iter().enumerate() {
            if self.values.get(start + column).is_some_and(|value| value.is_nan()) {
                self.problem(Some(name), || "is missing".into());
            }
        }
    }
}

/// A finite number, or what there is in its place. The text is a whole JSON value, and is read exactly: to the nearest
/// double, as every other reader of CSV or JSON in the worker does.
fn number(json: &str, boolean: bool) -> Result<f64, String> {
    match json.bytes().next() {
        Some(b't') if boolean => Ok(1.0),
        Some(b'f') if boolean => Ok(0.0),
        Some(b'-' | b'0'..=b'9') => match json.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            _ => Err(format!("must be a finite number, and {} is beyond the largest one", quoted(json))),
        },
        Some(b'"') => Err(format!("must be a number, not the text {}", quoted(json))),
        Some(byte) => Err(format!("must be a number, not {}", kind_of(byte))),
        None => Err("must be a number".into()),
    }
}

/// What a JSON value is, by its first byte.
fn kind_of(first: u8) -> &'static str {
    match first {
        b'n' => "null",
        b't' => "true",
        b'f' => "false",
        b'"' => "a text",
        b'[' => "a list",
        b'{' => "an object",
        _ => "a number",
    }
}

/// Text of the caller's, cut to what a message may repeat.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

struct ListVisitor<'a, 'r>(&'a mut Reader<'r>);

impl<'de> Visitor<'de> for ListVisitor<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(RowSeed(self.0))?.is_some() {}
        Ok(())
    }
}

/// One row; whatever is in its place is read to its end, so that all problems are found.
struct RowSeed<'a, 'r>(&'a mut Reader<'r>);

impl RowSeed<'_, '_> {
    fn begin<E: serde::de::Error>(&mut self) -> Result<usize, E> {
        if self.0.count >= self.0.max_rows {
            self.0.too_many = true;
            return Err(E::custom("too many rows"));
        }
        self.0.count += 1;
        let start = self.0.values.len();
        self.0.values.resize(start + self.0.features.names.len(), f64::NAN);
        Ok(start)
    }

    fn not_an_object<E: serde::de::Error>(mut self, found: &str) -> Result<(), E> {
        self.begin::<E>()?;
        self.0.problem(None, || format!("must be an object with one number for each feature, not {found}"));
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with one number for each feature")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut row: A) -> Result<(), A::Error> {
        let start = self.begin()?;
        let features = self.0.features;
        let (mut expected, mut given) = (0, 0);
        while let Some(key) = row.next_key_seed(KeySeed { features, expected })? {
            let json: &RawValue = row.next_value()?;
            match key {
                Key::Feature(column) => {
                    self.0.value(start, column, json.get());
                    expected = column + 1;
                    given += 1;
                }
                Key::Other(name) => self.0.problem(Some(&name), || "is no feature of this model".into()),
            }
        }
        // As many as there are may still be one twice, and another missing; the problem was noted then.
        if given < features.names.len() || self.0.total > 0 {
            self.0.missing(start);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        self.not_an_object("a list")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.not_an_object("null")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.not_an_object(if value { "true" } else { "false" })
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.not_an_object("a text")
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.not_an_object("a number")
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.not_an_object("a number")
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.not_an_object("a number")
    }
}

/// A key of a row's object.
enum Key {
    /// The feature of this column.
    Feature(usize),
    /// No feature.
    Other(String),
}

struct KeySeed<'a> {
    features: &'a RowFeatures,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Key, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Key;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a feature")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Key, E> {
        Ok(match self.features.column(name, self.expected) {
            Some(column) => Key::Feature(column),
            None => Key::Other(name.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests;
