//! How text files are read that do not keep to their format's own way.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How text is read where the format's own way does not fit: signs, nulls, numbers, dates and types. For CSV all of it; for text
/// lines all but delimiter, quote and escape; for NDJSON types and encoding; for Parquet nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("!has(self.decimal) || !has(self.thousands) || self.decimal != self.thousands").message("decimal and thousands are different characters"))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reading {
    /// The types of columns, by their names. A column that is not named has the narrowest type that holds all its values: whole
    /// numbers with leading zeros or a plus sign, or with more digits than 64 bits hold, are text. A value that is not of a type named here is an
    /// error that says in which line.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 1024))]
    pub types: BTreeMap<String, ColumnType>,
    /// Texts that stand for null beside the empty one: NA, null, -.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "atomic"), inner(length(min = 1, max = 64)))]
    pub null_values: Vec<String>,
    /// What separates fields: one ASCII character, for example ";", "|" or a tab; a comma when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1))]
    pub delimiter: Option<String>,
    /// What encloses fields that hold delimiters or line ends: one ASCII character; a double quote when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1))]
    pub quote: Option<String>,
    /// What stands before a quote inside a quoted field: one ASCII character; when absent such a quote is doubled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1))]
    pub escape: Option<String>,
    /// Lines that begin with this ASCII character are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1))]
    pub comment: Option<String>,
    /// How many lines to leave out at the start of each file, before the header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub skip_rows: Option<i32>,
    /// The decimal sign of numbers: "," or "."; a point when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1), regex(pattern = "^[.,]$"))]
    pub decimal: Option<String>,
    /// The sign that groups the digits of numbers: ",", ".", "'", "_" or a space. When absent such texts are not numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1), regex(pattern = "^[.,'_ ]$"))]
    pub thousands: Option<String>,
    /// The files' encoding; UTF-8 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<TextEncoding>,
    /// How dates and times are written, in the notation of strftime: "%d.%m.%Y", "%m/%d/%y %H:%M". ISO 8601 when absent. A year `%Y` has four
    /// digits, and `%f` is a fraction of a second. Texts that are numbers too, such as 20260131, are dates where byColumn or types says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 64))]
    pub date_format: Option<String>,
    /// Where single columns differ from the rest of the file, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 256))]
    pub by_column: BTreeMap<String, ColumnReading>,
}

impl Reading {
    /// The decimal sign, when the spec names none.
    pub const DEFAULT_DECIMAL: &str = ".";
    /// What encloses fields of CSV, when the spec names nothing.
    pub const DEFAULT_QUOTE: char = '"';

    /// The same without defaults that are written out; `None` where nothing else is said. A delimiter that is named is none of them:
    /// with it, a header of one field is not taken for one of another delimiter.
    #[must_use]
    pub fn without_defaults(&self) -> Option<Self> {
        let mut reading = self.clone();
        let file_decimal = self.decimal.as_deref().unwrap_or(Self::DEFAULT_DECIMAL);
        reading.decimal = reading.decimal.filter(|sign| sign != Self::DEFAULT_DECIMAL);
        reading.quote = reading.quote.filter(|sign| sign.chars().ne([Self::DEFAULT_QUOTE]));
        reading.encoding = reading.encoding.filter(|encoding| *encoding != TextEncoding::Utf8);
        for column in reading.by_column.values_mut() {
            column.decimal = column.decimal.take().filter(|sign| sign != file_decimal);
            column.thousands = column.thousands.take().filter(|sign| Some(sign) != self.thousands.as_ref());
            column.null_values = column.null_values.take().filter(|values| *values != self.null_values);
        }
        reading.by_column.retain(|_, column| *column != ColumnReading::default());
        Some(reading).filter(|reading| *reading != Self::default())
    }
}

/// How one column is read where it differs from the rest of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ColumnReading {
    /// Texts that stand for null, instead of the file's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "atomic"), inner(length(min = 1, max = 64)))]
    pub null_values: Option<Vec<String>>,
    /// The decimal sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1), regex(pattern = "^[.,]$"))]
    pub decimal: Option<String>,
    /// The sign that groups digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1), regex(pattern = "^[.,'_ ]$"))]
    pub thousands: Option<String>,
    /// How dates and times are written. Texts that are numbers too are dates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 64))]
    pub date_format: Option<String>,
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ColumnType {
    /// Text, as it stands there: ids, postal codes, telephone numbers.
    Text,
    /// Whole numbers of 64 bits.
    Integer,
    /// Numbers with a fraction, of 64 bits.
    Number,
    /// true and false.
    Boolean,
    /// Days.
    Date,
    /// Times without a time zone.
    Timestamp,
}

/// An encoding of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TextEncoding {
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, by its byte order mark; without one, in the order of bytes in which its first signs are ASCII.
    #[serde(rename = "utf-16")]
    Utf16,
    /// Windows-1252, which holds ISO 8859-1, Latin-1.
    #[serde(rename = "windows-1252")]
    Windows1252,
    /// ISO 8859-15, Latin-9: Western Europe with the euro sign.
    #[serde(rename = "iso-8859-15")]
    Latin9,
    /// Shift JIS.
    #[serde(rename = "shift_jis")]
    ShiftJis,
    /// GB 18030, which holds GBK and GB 2312.
    #[serde(rename = "gb18030")]
    Gb18030,
}
