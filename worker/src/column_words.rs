//! Columns and their types in the words of people: those of `reading.types` where it has one, else plain ones.
//!
//! Must not know where columns come from.

use std::collections::{HashMap, HashSet};

use datafusion::arrow::datatypes::DataType;

use crate::engine::in_sql;

/// The most columns that a message names of those that something is wrong with.
pub(crate) const MOST_NAMED: usize = 10;

/// The most columns that a message names of a table, for one to be found among them.
pub(crate) const MOST_LISTED: usize = 60;

/// A type in words.
pub(crate) fn type_words(found: &DataType) -> String {
    let words = match found {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text",
        DataType::Boolean => "boolean",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Timestamp(_, None) => "timestamp",
        DataType::Timestamp(_, Some(_)) => "timestamp with a time zone",
        DataType::Time32(_) | DataType::Time64(_) => "time of day",
        DataType::Duration(_) => "duration",
        DataType::Interval(_) => "interval",
        DataType::Struct(_) => "object",
        DataType::Map(..) => "map",
        DataType::Null => "nothing but null",
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => return format!("list of {}", type_words(item.data_type())),
        DataType::Dictionary(_, values) => return type_words(values),
        DataType::RunEndEncoded(_, values) => return type_words(values.data_type()),
        other if other.is_binary() || matches!(other, DataType::FixedSizeBinary(_)) => "bytes",
        other if other.is_integer() => "integer",
        other if other.is_numeric() => "number",
        other => return in_sql(&other.to_string()),
    };
    words.to_owned()
}

/// The same of a type's own text. One that holds others is not always read again.
fn words_of(text: &str) -> String {
    if let Ok(found) = text.parse::<DataType>() {
        return type_words(&found);
    }
    match text.split('(').next() {
        Some("Struct") => "object".to_owned(),
        Some("Map") => "map".to_owned(),
        Some("List" | "LargeList" | "FixedSizeList") => "list".to_owned(),
        _ => in_sql(text),
    }
}

/// What became of a type, as it is said of a column.
fn change(is: &str, was: &str) -> String {
    let (is_words, was_words) = (words_of(is), words_of(was));
    if is_words != was_words {
        return format!("is {is_words} instead of {was_words}");
    }
    if is_words.starts_with("list") || matches!(is_words.as_str(), "object" | "map") {
        return format!("is {is_words} with other types within");
    }
    let (is_sql, was_sql) = (in_sql(is), in_sql(was));
    if is_sql == was_sql {
        format!("is {is} instead of {was}")
    } else {
        format!("is {is_sql} instead of {was_sql}")
    }
}

/// How columns differ from those that are expected, each with its type's text: a few of those that do, and how many more.
pub(crate) fn differences(found: &[(&str, String)], expected: &[(&str, String)]) -> String {
    let known: HashMap<&str, &str> =
        expected.iter().map(|(name, of_type)| (*name, of_type.as_str())).collect();
    let mut said = Vec::new();
    for (name, of_type) in found {
        match known.get(name) {
            None => said.push(format!("\"{name}\" ({}) is new", words_of(of_type))),
            Some(before) if before != of_type => {
                said.push(format!("\"{name}\" {}", change(of_type, before)));
            }
            Some(_) => {}
        }
    }
    let there: HashSet<&str> = found.iter().map(|(name, _)| *name).collect();
    let missing = expected.iter().filter(|(name, _)| !there.contains(name));
    said.extend(missing.map(|(name, of_type)| format!("\"{name}\" ({}) is missing", words_of(of_type))));
    if said.is_empty() {
        let names = |columns: &[(&str, String)]| columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        let (found, expected): (Vec<String>, Vec<String>) = (names(found), names(expected));
        return other_order(&texts(&found), &texts(&expected));
    }
    listed(&said, MOST_NAMED)
}

/// How names of columns differ from those that are expected.
pub(crate) fn other_names<T: AsRef<str>, U: AsRef<str>>(found: &[T], expected: &[U]) -> String {
    let (found, expected) = (texts(found), texts(expected));
    let (there, known): (HashSet<&str>, HashSet<&str>) =
        (found.iter().copied().collect(), expected.iter().copied().collect());
    let new = found.iter().filter(|name| !known.contains(*name)).map(|name| format!("\"{name}\" is new"));
    let missing = expected.iter().filter(|name| !there.contains(*name));
    let missing = missing.map(|name| format!("\"{name}\" is missing"));
    let said: Vec<String> = new.chain(missing).collect();
    if said.is_empty() { other_order(&found, &expected) } else { listed(&said, MOST_NAMED) }
}

fn texts<T: AsRef<str>>(names: &[T]) -> Vec<&str> {
    names.iter().map(|name| name.as_ref()).collect()
}

/// What differs where the names, and the types, are the same.
fn other_order(found: &[&str], expected: &[&str]) -> String {
    let mut pairs = found.iter().zip(expected).enumerate();
    match pairs.find(|(_, (found, expected))| found != expected) {
        Some((at, (found, expected))) => {
            format!("they are in another order: column {} is \"{found}\" instead of \"{expected}\"", at + 1)
        }
        None if found.len() != expected.len() => {
            format!("there are {} instead of {}, and some have the same name", found.len(), expected.len())
        }
        None => {
            "some may be null in one of them and not in the other, or have other notes beside them".to_owned()
        }
    }
}

/// The first ones, at most so many, and how many more there are.
pub(crate) fn listed<T: AsRef<str>>(said: &[T], most: usize) -> String {
    let shown = texts(said.get(..most).unwrap_or(said)).join(", ");
    match said.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown}, and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::datatypes::{Field, TimeUnit};

    use super::*;

    #[test]
    fn types_are_said_in_the_words_of_reading() {
        let list = DataType::List(Arc::new(Field::new("item", DataType::Float32, true)));
        for (found, words) in [
            (DataType::Utf8View, "text"),
            (DataType::UInt8, "integer"),
            (DataType::Decimal128(5, 2), "number"),
            (DataType::Timestamp(TimeUnit::Millisecond, None), "timestamp"),
            (DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())), "timestamp with a time zone"),
            (DataType::Struct(vec![Field::new("x", DataType::Int64, true)].into()), "object"),
            (DataType::BinaryView, "bytes"),
            (DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), "text"),
            (list, "list of number"),
        ] {
            assert_eq!(type_words(&found), words);
        }
    }

    #[test]
    fn only_columns_that_differ_are_named_and_few_of_them() {
        let typed = |columns: &[(&'static str, DataType)]| {
            columns.iter().map(|(name, of_type)| (*name, of_type.to_string())).collect::<Vec<_>>()
        };
        let said = |found: &[(&'static str, DataType)], expected: &[(&'static str, DataType)]| {
            differences(&typed(found), &typed(expected))
        };
        use DataType::{Float64, Int32, Int64, Timestamp, Utf8};
        let found =
            said(&[("a", Int64), ("b", Int64), ("d", Utf8)], &[("a", Int64), ("b", Utf8), ("c", Float64)]);
        assert_eq!(found, "\"b\" is integer instead of text, \"d\" (text) is new, \"c\" (number) is missing");
        assert_eq!(said(&[("a", Int32)], &[("a", Int64)]), "\"a\" is INT instead of BIGINT");
        let unit = |unit| [("t", Timestamp(unit, None))];
        let found = said(&unit(TimeUnit::Second), &unit(TimeUnit::Millisecond));
        assert_eq!(found, "\"t\" is Timestamp(s) instead of Timestamp(ms)");
        let object = |within| [("o", DataType::Struct(vec![Field::new("x", within, true)].into()))];
        let found = said(&object(Int64), &object(Utf8));
        assert_eq!(found, "\"o\" is object with other types within");
        let found = said(&[("b", Utf8), ("a", Utf8)], &[("a", Utf8), ("b", Utf8)]);
        assert_eq!(found, "they are in another order: column 1 is \"b\" instead of \"a\"");
        let names: Vec<String> = (0..5000).map(|number| format!("c{number}")).collect();
        let said = other_names(&names, &["x"]);
        assert!(said.starts_with("\"c0\" is new, ") && said.ends_with(", and 4991 more"), "{said}");
        assert!(said.len() < 300, "{said}");
        assert_eq!(
            other_names(&["a", "b"], &["b", "a"]),
            "they are in another order: column 1 is \"a\" instead of \"b\""
        );
    }
}
