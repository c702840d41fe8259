//! What is wrong with text, for people.

use mlpipeline_crds::ColumnType;

use super::blocks::{Malformed, shown};

/// What to do about text that is not UTF-8.
pub(crate) fn not_utf8() -> String {
    "it is not UTF-8; say which encoding it has, for example with reading: {encoding: windows-1252}"
        .to_owned()
}

/// The text of a block.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|error| {
        let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
        let problem = format!("byte 0x{byte:02X} here: {}", not_utf8());
        Malformed { offset: error.valid_up_to() as u64, problem }
    })
}

/// What is wrong with a field that is not of the type that the spec names.
pub(crate) fn wrong_type(column: &str, field: &str, declared: ColumnType) -> String {
    let wanted = match declared {
        ColumnType::Text => "text",
        ColumnType::Integer => "an integer of 64 bits",
        ColumnType::Number => "a number",
        ColumnType::Boolean => "true or false",
        ColumnType::Date => "a date",
        ColumnType::Timestamp => "a time without a time zone",
    };
    format!(
        "column \"{column}\" has {}, and reading.types says that it holds {wanted}; change the type, or name it in nullValues if it stands for null",
        shown(field)
    )
}
