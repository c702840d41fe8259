//! What is wrong with text, for people.

use std::str::Utf8Error;

use mlpipeline_crds::ColumnType;

use super::blocks::{Malformed, shown};
use super::field_kind::is_finer_than_microseconds;
use super::nul::nul_run;
use super::rules::ColumnRules;
use crate::clock_parts::has_second_60;

/// What to do about text that is not UTF-8.
pub(crate) fn not_utf8() -> String {
    "it is not UTF-8; say which encoding it has, for example with reading: {encoding: windows-1252}"
        .to_owned()
}

/// The text of bytes, if they are UTF-8: in a way that is quicker over many of them, and finds where they are not as the slower one does.
pub(crate) fn checked(bytes: &[u8]) -> Result<&str, Utf8Error> {
    simdutf8::basic::from_utf8(bytes).or_else(|_| std::str::from_utf8(bytes))
}

/// What is said of a file with the line ends of old Macs.
pub(crate) const OLD_LINE_ENDS: &str = "its lines end with carriage returns alone, as programs of old Macs wrote them, and lines end with a line feed here; write them again, as with tr '\\r' '\\n'";

/// The text of a block: UTF-8 without runs of NUL bytes.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Malformed> {
    if let Some((offset, problem)) = nul_run(bytes) {
        return Err(Malformed { offset: offset as u64, problem });
    }
    checked(bytes).map_err(|error| {
        let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
        let problem = format!("byte 0x{byte:02X} here: {}", not_utf8());
        Malformed { offset: error.valid_up_to() as u64, problem }
    })
}

/// What stands behind the value in what is said of it.
const SAYS: &str = ", and reading.types says that it holds ";

/// The line and the value that a message about a table speaks of, where it holds one of [`wrong_type`].
pub(crate) fn not_of_type(message: &str) -> Option<String> {
    let (before, _) = message.split_once(SAYS)?;
    let (_, place) = before.split_once(", line ")?;
    Some(format!("the first such value is in line {place}"))
}

/// What is wrong with a field that is not of the type that the spec names, in a file that has these rules for the column; none where
/// the format has values of its own.
pub(crate) fn wrong_type(
    column: &str,
    field: &str,
    declared: ColumnType,
    rules: Option<&ColumnRules>,
) -> String {
    let notation = rules.and_then(|rules| rules.date.as_ref());
    let like = notation.map(|notation| format!(" like {}", notation.text())).unwrap_or_default();
    let wanted = match declared {
        ColumnType::Text => "text".to_owned(),
        ColumnType::Integer => "an integer of 64 bits".to_owned(),
        ColumnType::Number => "a number".to_owned(),
        ColumnType::Boolean => "true or false".to_owned(),
        ColumnType::Date => format!("a date{like}"),
        ColumnType::Timestamp => format!("a time without a time zone{like}"),
    };
    let of_time = matches!(declared, ColumnType::Date | ColumnType::Timestamp);
    let hint = if of_time && notation.is_some_and(|notation| notation.is_with_short_year(field)) {
        "; %Y is a year of four digits, and %y one of two"
    } else if declared == ColumnType::Timestamp && is_finer_than_microseconds(field) {
        "; a time holds microseconds, six digits behind the point, and none is cut off: name the type text to keep them all"
    } else if declared == ColumnType::Timestamp && has_second_60(field) {
        "; a minute has the seconds 0 to 59, and 60 would be one of the next minute"
    } else {
        ""
    };
    let or_null = if rules.is_some() { ", or name it in nullValues if it stands for null" } else { "" };
    format!("column \"{column}\" has {}{SAYS}{wanted}{hint}; change the type{or_null}", shown(field))
}
