//! How the texts of columns are understood: nulls, numbers, dates, and the types that a spec names.

use std::borrow::Cow;
use std::collections::BTreeMap;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use mlpipeline_crds::{ColumnReading, ColumnType, Reading};

use super::date::DateNotation;
use crate::column_words::{MOST_LISTED, listed};

/// Types that columns have by what came before, such as the columns of a model or of an earlier file; unlike those of `reading.types` they
/// change no value, and are no reason to refuse one. A column that has other values has the type that they make it have.
pub type ExpectedTypes = BTreeMap<String, ColumnType>;

/// The rules of one column.
#[derive(Clone, Debug)]
pub(crate) struct ColumnRules {
    /// The type that the spec names.
    pub declared: Option<ColumnType>,
    /// The type that it is to have where all values are of it as they are written.
    pub expected: Option<ColumnType>,
    /// The type that it has without any value, where an earlier file says it.
    pub before: Option<DataType>,
    /// Texts that stand for null, beside the empty one.
    nulls: Vec<Vec<u8>>,
    decimal: u8,
    thousands: Option<char>,
    /// How dates are written, where it is not ISO 8601.
    pub date: Option<DateNotation>,
    /// Whether that is said of this column alone.
    is_own_date: bool,
}

impl Default for ColumnRules {
    fn default() -> Self {
        Self {
            declared: None,
            expected: None,
            before: None,
            nulls: Vec::new(),
            decimal: b'.',
            thousands: None,
            date: None,
            is_own_date: false,
        }
    }
}

impl ColumnRules {
    /// The usual rules, for a column of a type that a spec names.
    pub(super) fn declaring(declared: ColumnType) -> Self {
        Self { declared: Some(declared), ..Self::default() }
    }

    /// Whether a field stands for null.
    pub(crate) fn is_null(&self, field: &[u8]) -> bool {
        field.is_empty() || (!self.nulls.is_empty() && self.nulls.iter().any(|null| null == field))
    }

    /// Whether nobody says anything of it that changes what kind a field is.
    pub(super) fn is_usual(&self) -> bool {
        let is_named = self.declared.is_some() || self.is_kept_as_text();
        !is_named && self.nulls.is_empty() && self.date.is_none() && self.has_plain_numbers()
    }

    /// Whether the column is text, whatever its values.
    pub(super) fn is_kept_as_text(&self) -> bool {
        self.declared == Some(ColumnType::Text)
            || self.declared.is_none() && self.expected == Some(ColumnType::Text)
    }

    /// Whether a text that is a number as well as a date is a date: the spec says so of this column. What it says of the whole file
    /// does not make dates of the numbers in other columns.
    pub(super) fn is_date_before_number(&self) -> bool {
        let is_named = matches!(self.declared, Some(ColumnType::Date | ColumnType::Timestamp));
        self.date.is_some() && (is_named || self.is_own_date && self.declared.is_none())
    }

    /// Whether values can be dates in the spec's notation: not where it names another type.
    pub(super) fn may_be_date(&self) -> bool {
        matches!(self.declared, None | Some(ColumnType::Date | ColumnType::Timestamp))
    }

    /// Whether numbers are written as every program writes them.
    pub(super) fn has_plain_numbers(&self) -> bool {
        self.decimal == b'.' && self.thousands.is_none()
    }

    /// A number's text as parsers take it; `None` when the text breaks the rules for decimal sign and groups.
    pub(super) fn number<'a>(&self, text: &'a str) -> Option<Cow<'a, str>> {
        if self.has_plain_numbers() {
            return Some(Cow::Borrowed(text));
        }
        let decimal = char::from(self.decimal);
        let (whole, fraction) = match text.split_once(decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        // A sign that is neither the decimal one nor the one for groups has no place in a number.
        if fraction.is_some_and(|rest| rest.contains(['.', ','])) {
            return None;
        }
        let mut plain = match self.thousands {
            None if whole.contains(['.', ',']) => return None,
            None => whole.to_owned(),
            Some(sign) => without_groups(whole, sign)?,
        };
        if let Some(fraction) = fraction {
            plain.push('.');
            plain.push_str(fraction);
        }
        Some(Cow::Owned(plain))
    }
}

/// The digits of a whole number without the signs between groups of three; `None` where these stand elsewhere.
fn without_groups(whole: &str, sign: char) -> Option<String> {
    // Programs write spaces in numbers as narrow or unbreakable ones.
    let is_sign = |found: char| found == sign || (sign == ' ' && matches!(found, '\u{a0}' | '\u{202f}'));
    let mut parts = whole.split(is_sign);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    let lead = plain.trim_start_matches(['+', '-']).len();
    let mut grouped = false;
    for part in parts {
        grouped = true;
        let digits = part.split_once(['e', 'E']).map_or(part, |(digits, _)| digits);
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        plain.push_str(part);
    }
    (!grouped || (1..=3).contains(&lead)).then_some(plain).filter(|plain| !plain.contains(['.', ',']))
}

/// The rules of a file's columns, by their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileRules {
    reading: Reading,
    expected: ExpectedTypes,
    before: Option<SchemaRef>,
    date: Option<DateNotation>,
}

impl FileRules {
    /// The rules that a spec gives.
    ///
    /// # Errors
    /// Says which field is wrong.
    pub(crate) fn new(reading: &Reading) -> Result<Self, String> {
        let date = reading.date_format.as_deref().map(DateNotation::new).transpose()?;
        let rules = Self { reading: reading.clone(), expected: ExpectedTypes::new(), before: None, date };
        for name in reading.by_column.keys() {
            rules.column(name)?;
        }
        Ok(rules)
    }

    /// The same, where columns are to have these types if they can.
    pub(crate) fn expecting(self, expected: &ExpectedTypes) -> Self {
        Self { expected: expected.clone(), ..self }
    }

    /// The same, where an earlier file had these columns.
    pub(crate) fn after(self, before: Option<&SchemaRef>) -> Self {
        Self { before: before.cloned(), ..self }
    }

    /// The rules of one column.
    ///
    /// # Errors
    /// Says which field is wrong.
    pub(crate) fn column(&self, name: &str) -> Result<ColumnRules, String> {
        let none = ColumnReading::default();
        let own = self.reading.by_column.get(name).unwrap_or(&none);
        let decimal =
            own.decimal.as_deref().or(self.reading.decimal.as_deref()).unwrap_or(Reading::DEFAULT_DECIMAL);
        let thousands = own.thousands.as_deref().or(self.reading.thousands.as_deref());
        if Some(decimal) == thousands {
            return Err(format!(
                "column \"{name}\": decimal and thousands are both \"{decimal}\"; they must differ"
            ));
        }
        let date = match &own.date_format {
            Some(format) => Some(DateNotation::new(format)?),
            None => self.date.clone(),
        };
        let nulls = own.null_values.as_ref().unwrap_or(&self.reading.null_values);
        Ok(ColumnRules {
            declared: self.reading.types.get(name).copied(),
            expected: self.expected.get(name).copied(),
            before: self
                .before
                .as_ref()
                .and_then(|before| before.field_with_name(name).ok())
                .map(|field| field.data_type().clone()),
            nulls: nulls.iter().map(|null| null.as_bytes().to_vec()).collect(),
            decimal: decimal.bytes().next().unwrap_or(b'.'),
            thousands: thousands.and_then(|sign| sign.chars().next()),
            date,
            is_own_date: own.date_format.is_some(),
        })
    }

    /// The rules of these columns, in their order.
    ///
    /// # Errors
    /// When a rule is wrong, or is for a column that there is not.
    pub(crate) fn columns(&self, names: &[String]) -> Result<Vec<ColumnRules>, String> {
        let named = self.reading.types.keys().chain(self.reading.by_column.keys());
        for name in named {
            if !names.contains(name) {
                return Err(format!(
                    "reading names the column \"{name}\", which is not there; the columns are {}",
                    listed(names, MOST_LISTED)
                ));
            }
        }
        names.iter().map(|name| self.column(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(decimal: &str, thousands: Option<&str>) -> ColumnRules {
        let reading = Reading {
            decimal: Some(decimal.to_owned()),
            thousands: thousands.map(str::to_owned),
            ..Reading::default()
        };
        FileRules::new(&reading).and_then(|rules| rules.column("x")).expect("rules")
    }

    #[test]
    fn numbers_are_read_by_their_signs_and_nothing_else_is_a_number() {
        for (decimal, thousands, text, plain) in [
            (",", None, "1,5", Some("1.5")),
            (",", None, "1.5", None),
            (",", Some("."), "1.234.567,89", Some("1234567.89")),
            (",", Some("."), "1.5", None),
            (",", Some("."), "1234,5", Some("1234.5")),
            (".", Some(","), "-1,234", Some("-1234")),
            (".", Some(","), "12,34", None),
            (".", Some(","), "1234,567", None),
            (".", Some(","), ",123", None),
            (".", Some(","), "1.234,567", None),
            (".", Some(" "), "1\u{202f}234\u{a0}567.5", Some("1234567.5")),
            (".", Some("'"), "1'000", Some("1000")),
        ] {
            assert_eq!(rules(decimal, thousands).number(text).as_deref(), plain, "{text}");
        }
    }

    #[test]
    fn a_column_has_its_own_rules_and_unknown_columns_are_named() {
        let reading: Reading = serde_json::from_value(serde_json::json!({
            "nullValues": ["NA"], "types": {"a": "text"}, "byColumn": {"b": {"nullValues": ["-"], "decimal": ","}},
        }))
        .expect("a reading");
        let rules = FileRules::new(&reading).expect("rules");
        let columns = rules.columns(&["a".to_owned(), "b".to_owned()]).expect("columns");
        assert!(columns[0].is_null(b"NA") && !columns[0].is_null(b"-"));
        assert!(columns[1].is_null(b"-") && !columns[1].is_null(b"NA"));
        let error = rules.columns(&["b".to_owned()]).expect_err("no such column");
        assert!(error.contains("names the column \"a\", which is not there; the columns are b"), "{error}");
        let same = Reading { thousands: Some(".".into()), ..Reading::default() };
        assert!(FileRules::new(&same).and_then(|rules| rules.column("x")).is_err());
    }
}
