//! Reads the body of a prediction request: rows of features by name, straight into raw rows.
//!
//! Owns what a request may look like and every word on what is wrong with one. Must not know of HTTP or of the model
//! beyond the names of its features.

mod reader;

use std::collections::HashMap;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny};

use crate::model::Feature;
use crate::preprocess::{Form, RawRows, Spelling};
use reader::{ListVisitor, Reader, RowSeed, kind_of};

/// The features that a row has, in the order of the model's schema.
#[derive(Clone, Debug)]
pub struct RowFeatures {
    names: Vec<String>,
    forms: Vec<ValueForm>,
    /// Which of them may be null or left out.
    optional: Vec<bool>,
    index: HashMap<String, usize>,
    largest: f64,
}

/// What a feature's value may be in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
enum ValueForm {
    Number,
    /// True and false, or 1 and 0, as which the model sees them.
    Boolean,
    /// A text; whole numbers and booleans are taken as the text that a table has for them.
    Text(Spelling),
    /// A date or time, as text.
    Time,
}

impl RowFeatures {
    /// A model's features, whose numbers are at most `largest` from zero.
    #[must_use]
    pub fn new(features: &[Feature], largest: f64) -> Self {
        let names: Vec<String> = features.iter().map(|feature| feature.name.clone()).collect();
        let index = names.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect();
        let form = |feature: &Feature| match feature.form() {
            Form::Number if feature.is_boolean() => ValueForm::Boolean,
            Form::Number | Form::Boolean => ValueForm::Number,
            Form::Text => ValueForm::Text(feature.spelling()),
            Form::Time => ValueForm::Time,
        };
        let optional = features.iter().map(|feature| feature.optional).collect();
        Self { names, forms: features.iter().map(form).collect(), optional, index, largest }
    }

    /// The names in the model's order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The names of those that every row has.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        let required = self.names.iter().zip(&self.optional).filter(|(_, optional)| !**optional);
        required.map(|(name, _)| name.as_str())
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

/// The rows of a request, all of them complete and within bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// Their values.
    pub raw: RawRows,
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
    #[error("the body must be an object with one value for each feature, or a list of such objects, not {0}")]
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
/// When the body is no JSON or of another shape, has too many rows, or has rows with anything but one value in range for
/// each feature; all of their problems are reported at once.
pub fn read_rows(body: &[u8], features: &RowFeatures, max_rows: usize) -> Result<Rows, RowsError> {
    let mut reader = Reader::new(features, max_rows);
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
    Ok(Rows { raw: reader.raw, count: reader.count, single: first == Some(b'{') })
}

#[cfg(test)]
mod tests;
