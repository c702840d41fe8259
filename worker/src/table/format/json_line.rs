//! What one line of NDJSON holds: found by looking at every value of it.

use std::collections::BTreeMap;
use std::fmt;

use mlpipeline_crds::ColumnType;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::COLUMN_LIMIT;
use super::json_problem::{not_json, not_object};
use super::json_type::{BIG_INTEGER, BOOLEAN, FLOAT, INTEGER, JsonKinds, Kinds, TEXT};
use crate::table::text::{is_of, wrong_type};

/// Whole numbers up to this one are exact as numbers with a fraction.
const EXACT_LIMIT: u64 = 1 << 53;

/// 2 to the 64th, which has 20 digits.
const U64_LIMIT: f64 = 18_446_744_073_709_551_616.0;

/// The smallest whole number of 64 bits, which has [`LONG_DIGITS`] digits.
const I64_LEAST: f64 = -9_223_372_036_854_775_808.0;

/// The fewest digits of a whole number that 64 bits may not hold.
const LONG_DIGITS: usize = 19;

/// Whether a line has a whole number of so many digits that 64 bits may not hold it.
fn has_long_integer(line: &[u8]) -> bool {
    // A run of so many digits covers at least one of the places that are looked at.
    (LONG_DIGITS - 1..line.len()).step_by(LONG_DIGITS).any(|at| {
        let is_digit = |at: &usize| line.get(*at).is_some_and(u8::is_ascii_digit);
        if !is_digit(&at) {
            return false;
        }
        let start = (0..=at).rev().take_while(is_digit).last().unwrap_or(at);
        let end = (at..line.len()).take_while(is_digit).last().unwrap_or(at);
        let before = start.checked_sub(1).and_then(|at| line.get(at));
        let after = line.get(end + 1);
        end + 1 - start >= LONG_DIGITS
            && !matches!(before, Some(b'.' | b'e' | b'E' | b'"'))
            && !matches!(after, Some(b'.' | b'e' | b'E' | b'"'))
    })
}

fn whole_kind(value: i64) -> u8 {
    if value.unsigned_abs() <= EXACT_LIMIT { INTEGER } else { BIG_INTEGER }
}

/// Whether a zero with a sign in the line is written as the whole number `-0`, and none with a fraction.
fn has_whole_minus_zero(line: &[u8]) -> bool {
    let zeros = memchr::memmem::find_iter(line, b"-0").filter(|at| {
        let before = at.checked_sub(1).and_then(|at| line.get(at));
        before.is_some_and(|sign| matches!(sign, b':' | b'[' | b',') || sign.is_ascii_whitespace())
    });
    let mut behind = zeros.map(|at| line.get(at + 2)).peekable();
    behind.peek().is_some() && behind.all(|sign| !matches!(sign, Some(b'.' | b'e' | b'E')))
}

/// Adds one object in JSON.
pub(super) fn add_line(kinds: &mut JsonKinds, line: &[u8]) -> Result<(), String> {
    if line.first() != Some(&b'{') {
        return Err(not_object(line));
    }
    let mut reader = serde_json::Deserializer::from_slice(line);
    let mut unfit = None;
    reader
        .deserialize_map(ObjectVisitor(
            kinds,
            Line { text: line, is_long: has_long_integer(line) },
            &mut unfit,
        ))
        .and_then(|()| reader.end())
        .map_err(|error| not_json(line, &error))?;
    match unfit {
        None => Ok(()),
        Some(Unfit { column, value, declared }) => {
            let value = number_as_written(line, &column).unwrap_or(value);
            Err(wrong_type(&column, &value, declared, None))
        }
    }
}

/// The number that a column has in a line, with the digits that stand there.
fn number_as_written(line: &[u8], column: &str) -> Option<String> {
    let values: BTreeMap<String, &RawValue> = serde_json::from_slice(line).ok()?;
    let written = values.get(column)?.get();
    written.starts_with(|sign: char| sign == '-' || sign.is_ascii_digit()).then(|| written.to_owned())
}

/// What is known of the line that an object is in.
#[derive(Clone, Copy)]
struct Line<'a> {
    text: &'a [u8],
    /// Whether it has a long whole number.
    is_long: bool,
}

/// A value that is not of the type that the spec names.
struct Unfit {
    column: String,
    value: String,
    declared: ColumnType,
}

/// With the line, and the first value that is not of its column's type.
struct ObjectVisitor<'a>(&'a mut JsonKinds, Line<'a>, &'a mut Option<Unfit>);

impl<'de> Visitor<'de> for ObjectVisitor<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.0.objects += 1;
        while let Some(key) = map.next_key::<String>()? {
            let place = self.0.place(key);
            if self.0.is_repeated(place) {
                let key = self.0.keys.get(place).map(|(key, _)| key.as_str()).unwrap_or_default();
                return Err(A::Error::custom(format!("the key \"{key}\" is there twice in one object")));
            }
            if self.0.keys.len() > COLUMN_LIMIT {
                return Err(A::Error::custom(format!("there are more than {COLUMN_LIMIT} different keys")));
            }
            if let Some((key, kinds)) = self.0.keys.get_mut(place) {
                let mut unfit = None;
                map.next_value_seed(ValueSeed(kinds, self.1, &mut unfit))?;
                if let Some((value, declared)) = unfit.zip(kinds.declared)
                    && self.2.is_none()
                {
                    *self.2 = Some(Unfit { column: key.clone(), value, declared });
                }
            }
        }
        Ok(())
    }
}

/// With the line, and the value where it is not of the type that the spec names.
struct ValueSeed<'a>(&'a mut Kinds, Line<'a>, &'a mut Option<String>);

impl ValueSeed<'_> {
    /// Adds a scalar of this kind. A spec's type takes those that `allowed` has, and any scalar as a text.
    fn add(self, kind: u8, allowed: &[ColumnType], value: impl fmt::Display) {
        self.0.scalars |= kind;
        if self
            .0
            .declared
            .is_some_and(|declared| declared != ColumnType::Text && !allowed.contains(&declared))
        {
            *self.2 = Some(value.to_string());
        }
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.add(BOOLEAN, &[ColumnType::Boolean], value);
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.add(whole_kind(value), &[ColumnType::Integer, ColumnType::Number], value);
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        // A whole number that no integer holds would be another one as a number with a fraction: it stays the text that it is.
        match i64::try_from(value) {
            Ok(whole) => self.visit_i64(whole),
            Err(_) => {
                self.add(TEXT, &[], value);
                Ok(())
            }
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        // serde_json gives whole numbers of more than 64 bits as these, and `-0`.
        if value == 0.0 && value.is_sign_negative() && has_whole_minus_zero(self.1.text) {
            return self.visit_i64(0);
        }
        let is_whole = self.1.is_long && value.fract() == 0.0 && !(I64_LEAST < value && value < U64_LIMIT);
        if is_whole {
            self.add(TEXT, &[], value)
        } else {
            self.add(FLOAT, &[ColumnType::Number], value)
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        // As the text of a CSV field is.
        let fitting = self.0.declared.filter(|declared| is_of(value, *declared));
        self.add(TEXT, fitting.as_slice(), value);
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if self.0.declared.is_some() {
            *self.2 = Some("an array".to_owned());
        }
        let kinds = self.0.items.get_or_insert_default();
        while items.next_element_seed(ValueSeed(kinds, self.1, &mut None))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        if self.0.declared.is_some() {
            *self.2 = Some("an object".to_owned());
        }
        ObjectVisitor(self.0.object.get_or_insert_default(), self.1, &mut None).visit_map(map)
    }
}

#[cfg(test)]
mod tests {
    use super::super::json_type::ColumnTypes;
    use super::*;

    fn types(lines: &[&str]) -> Result<Vec<String>, String> {
        let mut kinds = JsonKinds::default();
        for line in lines {
            let mut one = JsonKinds::default();
            add_line(&mut one, line.as_bytes())?;
            kinds.merge(one);
        }
        let fields = kinds.fields()?;
        Ok(fields.iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect())
    }

    #[test]
    fn columns_are_in_the_order_of_their_keys_and_hold_every_value() {
        let found = types(&[
            r#"{"z":1,"a":null,"m":"x"}"#,
            r#"{"b":true,"z":1.5,"a":2}"#,
            r#"{"m":7,"n":18446744073709551615,"l":[],"o":{"x":1}}"#,
            r#"{"l":[1,null]}"#,
        ]);
        let expected = [
            "z Float64",
            "a Int64",
            "m Utf8",
            "b Boolean",
            "n Utf8",
            "l List(Int64)",
            "o Struct(\"x\": Int64)",
        ];
        assert_eq!(found, Ok(expected.map(String::from).to_vec()));
    }

    #[test]
    fn a_value_that_is_not_of_the_type_that_the_spec_names_is_refused_with_its_column() {
        let check = |declared: ColumnType, value: &str| {
            let types =
                ColumnTypes { declared: [("a".to_owned(), declared)].into(), ..ColumnTypes::default() };
            add_line(&mut JsonKinds::new(types.into()), format!("{{\"b\":[1],\"a\":{value}}}").as_bytes())
        };
        use ColumnType::{Boolean, Date, Integer, Number, Text, Timestamp};
        for (declared, good, bad) in [
            (Text, &["1.50", "true", "\"x\"", "null"][..], &["[1]", "{}"][..]),
            (
                Integer,
                &["1", "-0", "\"007\"", "null"],
                &["1.5", "1.0", "-0.0", "\"1.5\"", "18446744073709551615", "true", "\"\"", "[]"],
            ),
            (Number, &["1", "1.5", "\"1e3\""], &["\"x\"", "false", "123456789012345678901234567890"]),
            (Boolean, &["true", "\"true\"", "\"FALSE\""], &["1", "\"yes\"", "\"\""]),
            (Date, &["\"2024-01-01\""], &["\"2024-01-01T05:00:00\"", "19723"]),
            (
                Timestamp,
                &["\"2024-01-01T05:00:00\"", "\"2024-01-01\""],
                &["1700000000", "\"2024-01-01T05:00:00+02:00\""],
            ),
        ] {
            for value in good {
                assert_eq!(check(declared, value), Ok(()), "{declared:?} {value}");
            }
            for value in bad {
                let problem = check(declared, value).expect_err(value);
                assert!(problem.starts_with("column \"a\" has "), "{problem}");
            }
        }
    }

    #[test]
    fn a_number_that_does_not_fit_is_shown_as_it_is_written() {
        let types = ColumnTypes {
            declared: [("a".to_owned(), ColumnType::Integer)].into(),
            ..ColumnTypes::default()
        };
        let types = std::sync::Arc::new(types);
        for written in ["1.0", "1e2", "-0.0", "1.50", "123456789012345678901234567890"] {
            let line = format!("{{\"b\":{{\"a\":1}},\"a\" : {written} }}");
            let mut kinds = JsonKinds::new(std::sync::Arc::clone(&types));
            let problem = add_line(&mut kinds, line.as_bytes()).expect_err(written);
            assert!(problem.starts_with(&format!("column \"a\" has \"{written}\", and")), "{problem}");
        }
    }

    #[test]
    fn a_whole_zero_with_a_sign_is_a_whole_number() {
        for (lines, expected) in [
            (&["{\"a\":-0}", "{\"a\":1}"][..], "a Int64"),
            (&["{\"a\": -0 , \"s\":\"2024-01\"}"], "a Int64"),
            (&["{\"a\":[-0,1]}"], "a List(Int64)"),
            (&["{\"a\":-0.0}"], "a Float64"),
            (&["{\"a\":-0e1}"], "a Float64"),
            (&["{\"a\":-0}", "{\"a\":1.5}"], "a Float64"),
        ] {
            let found = types(lines).expect("columns");
            assert_eq!(found.first().map(String::as_str), Some(expected), "{lines:?}");
        }
    }

    #[test]
    fn a_column_has_the_type_that_is_expected_where_all_its_values_are_of_it() {
        let type_of = |expected: ColumnType, value: &str| {
            let types =
                ColumnTypes { expected: [("a".to_owned(), expected)].into(), ..ColumnTypes::default() };
            let mut kinds = JsonKinds::new(types.into());
            add_line(&mut kinds, format!("{{\"a\":{value}}}").as_bytes()).expect("a line");
            kinds.fields().expect("fields")[0].data_type().to_string()
        };
        for (expected, value, found) in [
            (ColumnType::Integer, "1.5", "Float64"),
            (ColumnType::Integer, "\"0042\"", "Utf8"),
            (ColumnType::Integer, "null", "Int64"),
            (ColumnType::Number, "1", "Float64"),
            (ColumnType::Number, "9007199254740993", "Int64"),
            (ColumnType::Text, "42", "Utf8"),
            (ColumnType::Date, "\"2024-01-01\"", "Utf8"),
            (ColumnType::Date, "null", "Date32"),
            (ColumnType::Text, "[1]", "List(Int64)"),
        ] {
            assert_eq!(type_of(expected, value), found, "{expected:?} {value}");
        }
    }

    #[test]
    fn whole_numbers_that_no_number_type_holds_stay_text() {
        for (lines, expected) in [
            (&["{\"a\":12345678901234567890}"][..], "a Utf8"),
            (&["{\"a\":123456789012345678901234567890}", "{\"a\":1}"], "a Utf8"),
            (&["{\"a\":-9999999999999999998}", "{\"a\":-9999999999999999999}"], "a Utf8"),
            (&["{\"a\":-9223372036854775808}"], "a Int64"),
            (&["{\"a\":9999999999999999999}"], "a Utf8"),
            (&["{\"a\":1e30}", "{\"a\":1.5}"], "a Float64"),
            (&["{\"a\":100000000000000000000.0}"], "a Float64"),
            (&["{\"a\":9007199254740993}", "{\"a\":1}"], "a Int64"),
            (&["{\"a\":9007199254740993}", "{\"a\":1.5}"], "a Utf8"),
        ] {
            assert_eq!(types(lines), Ok(vec![expected.to_owned()]), "{lines:?}");
        }
    }

    #[test]
    fn other_lines_are_refused() {
        for (line, problem) in [
            ("[1]", "not a JSON object"),
            ("{\"a\":1", "not valid JSON"),
            ("{\"a\":1} x", "not valid JSON"),
            ("{\"a\":NaN}", "not valid JSON"),
            ("{\"a\":1,\"b\":{\"c\":1,\"c\":2}}", "the key \"c\" is there twice"),
            ("{\"a\":\"\u{1}\"}", "not valid JSON"),
        ] {
            assert!(types(&[line]).is_err_and(|error| error.contains(problem)), "{line}");
        }
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(types(&[&deep]).is_err_and(|error| error.contains("recursion limit")));
        let mixed = types(&[r#"{"a":{"b":1}}"#, r#"{"a":{"b":[1]}}"#]);
        assert_eq!(
            mixed,
            Err("\"a.b\" holds plain values and arrays in different lines; a column holds one kind".into())
        );
    }
}
