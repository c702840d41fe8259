//! Reading JSON into rows with serde: one pass, no tree, and every problem on the way noted instead of ending it.

use std::borrow::Cow;
use std::fmt;

use mlpipeline_crds::beginning;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Problem, RowFeatures, ValueForm};
use crate::preprocess::{RawRows, Spelling, parse_time, whole_text};

/// How many problems one answer spells out; the rest are counted.
pub(super) const MAX_PROBLEMS: usize = 50;

/// How much of a caller's own text a message repeats, in characters.
pub(super) const MAX_QUOTED: usize = 40;

/// What was read so far.
pub(super) struct Reader<'a> {
    features: &'a RowFeatures,
    max_rows: usize,
    /// NaN, which JSON cannot express, where no value was given yet or it is null; infinite where it was refused.
    pub(super) raw: RawRows,
    /// Which features the current row has given, by the number of the row that last gave them.
    given: Vec<usize>,
    /// Rows begun.
    pub(super) count: usize,
    /// Whether reading was broken off at a row too many.
    pub(super) too_many: bool,
    /// The first problems.
    pub(super) problems: Vec<Problem>,
    /// How many problems there are.
    pub(super) total: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(features: &'a RowFeatures, max_rows: usize) -> Self {
        Self {
            features,
            max_rows,
            raw: RawRows::new(features.names.len()),
            given: vec![0; features.names.len()],
            count: 0,
            too_many: false,
            problems: Vec::new(),
            total: 0,
        }
    }
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
        let (Some(slot), Some(given)) =
            (self.raw.numbers.get_mut(start + column), self.given.get_mut(column))
        else {
            return;
        };
        if *given == self.count {
            self.problem(name, || "is given twice".into());
            return;
        }
        *given = self.count;
        let optional = features.optional.get(column).copied().unwrap_or_default();
        if optional && json == "null" {
            return;
        }
        let value = match features.forms.get(column) {
            Some(ValueForm::Text(spelling)) => text(json, spelling).map(|text| {
                let texts = self.raw.texts.get_mut(column);
                texts.map_or(f64::NAN, |texts| f64::from(texts.place(&text)))
            }),
            Some(ValueForm::Time) => time(json),
            Some(ValueForm::Boolean) => boolean(json),
            Some(ValueForm::Number) | None => number(json, features.largest),
        };
        match value {
            Ok(value) => *slot = value,
            Err(problem) => {
                *slot = f64::INFINITY;
                self.problem(name, || problem);
            }
        }
    }

    /// Notes what the current row lacks.
    fn missing(&mut self) {
        let features = self.features;
        for (column, name) in features.names.iter().enumerate() {
            let given = self.given.get(column).is_some_and(|row| *row == self.count);
            if !given && !features.optional.get(column).copied().unwrap_or_default() {
                self.problem(Some(name), || "is missing".into());
            }
        }
    }
}

/// A text, or the text that a table has for a whole number or boolean; else what there is in its place.
fn text<'a>(json: &'a str, spelling: &'a Spelling) -> Result<Cow<'a, str>, String> {
    match json.bytes().next() {
        Some(b'"') => serde_json::from_str::<Cow<'_, str>>(json).map_err(|error| error.to_string()),
        Some(first @ (b't' | b'f')) => Ok(Cow::Borrowed(spelling.of(first == b't'))),
        Some(b'-' | b'0'..=b'9') => {
            let whole = json.parse::<i64>().map(|whole| whole.to_string()).ok();
            let whole = whole.or_else(|| json.parse::<u64>().map(|whole| whole.to_string()).ok());
            let whole = whole.or_else(|| json.parse().ok().and_then(whole_text));
            let problem =
                || format!("must be a text, or a whole number as one, not the number {}", quoted(json));
            whole.map(Cow::Owned).ok_or_else(problem)
        }
        Some(byte) => Err(format!("must be a text, not {}", kind_of(byte))),
        None => Err("must be a text".into()),
    }
}

/// Milliseconds since 1970 of a date or time, or what there is in its place.
fn time(json: &str) -> Result<f64, String> {
    match json.bytes().next() {
        Some(b'"') => {
            let text: String = serde_json::from_str(json).map_err(|error| error.to_string())?;
            let time = parse_time(&text).ok_or_else(|| {
                format!(
                    "must be a date or time such as 2024-02-29 or 2024-02-29T12:30:00Z, not {}",
                    quoted(json)
                )
            })?;
            Ok(time as f64)
        }
        Some(byte) => Err(format!("must be a date or time as text, not {}", kind_of(byte))),
        None => Err("must be a date or time".into()),
    }
}

/// 1 of what is true and 0 of what is false, spelled as JSON, a table's texts or numbers spell them; or what there is in its place.
fn boolean(json: &str) -> Result<f64, String> {
    let wrong = |found: String| format!("must be true or false, or 1 or 0, not {found}");
    match json.bytes().next() {
        Some(b't') => Ok(1.0),
        Some(b'f') => Ok(0.0),
        Some(b'-' | b'0'..=b'9') => {
            let known = json.parse::<f64>().ok().filter(|number| [0.0, 1.0].contains(number));
            // -0 is 0.
            known.map(|number| number + 0.0).ok_or_else(|| wrong(quoted(json)))
        }
        Some(b'"') => {
            let text: Cow<'_, str> = serde_json::from_str(json).map_err(|error| error.to_string())?;
            match &*text {
                yes if yes.eq_ignore_ascii_case("true") => Ok(1.0),
                no if no.eq_ignore_ascii_case("false") => Ok(0.0),
                _ => Err(wrong(format!("the text {}", quoted(json)))),
            }
        }
        Some(byte) => Err(wrong(kind_of(byte).to_owned())),
        None => Err(wrong("nothing".to_owned())),
    }
}

/// A number that is at most `largest` from zero, or what there is in its place. The text is a whole JSON value, and is read
/// exactly: to the nearest double, as every other reader of CSV or JSON in the worker does.
fn number(json: &str, largest: f64) -> Result<f64, String> {
    match json.bytes().next() {
        Some(b'-' | b'0'..=b'9') => match json.parse::<f64>() {
            Ok(value) if value.abs() <= largest => Ok(value),
            _ => Err(format!("must be between -{largest:e} and {largest:e}, and {} is not", quoted(json))),
        },
        Some(b'"') => Err(format!("must be a number, not the text {}", quoted(json))),
        Some(byte) => Err(format!("must be a number, not {}", kind_of(byte))),
        None => Err("must be a number".into()),
    }
}

/// What a JSON value is, by its first byte.
pub(super) fn kind_of(first: u8) -> &'static str {
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
    beginning(text, MAX_QUOTED)
}

/// A list of rows.
pub(super) struct ListVisitor<'a, 'r>(pub(super) &'a mut Reader<'r>);

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
pub(super) struct RowSeed<'a, 'r>(pub(super) &'a mut Reader<'r>);

impl RowSeed<'_, '_> {
    fn begin<E: serde::de::Error>(&mut self) -> Result<usize, E> {
        if self.0.count >= self.0.max_rows {
            self.0.too_many = true;
            return Err(E::custom("too many rows"));
        }
        self.0.count += 1;
        if self.0.total > 0 {
            // There will be no prediction: the rows that follow are read for their problems only, all in the place of one. So only
            // rows with a value for each feature take memory, and these take it in the body too.
            self.0.raw.numbers.clear();
        }
        let start = self.0.raw.numbers.len();
        self.0.raw.numbers.resize(start + self.0.features.names.len(), f64::NAN);
        Ok(start)
    }

    fn not_an_object<E: serde::de::Error>(mut self, found: &str) -> Result<(), E> {
        self.begin::<E>()?;
        self.0.problem(None, || format!("must be an object with one value for each feature, not {found}"));
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
        formatter.write_str("an object with one value for each feature")
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
                Key::Other(name) => self.0.problem(Some(&name), || "is not a feature of this model".into()),
            }
        }
        // As many as there are may still be one twice, and another missing; the problem was noted then.
        if given < features.names.len() || self.0.total > 0 {
            self.0.missing();
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
