//! What type the texts of a column have: found by inspecting every one of them.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use mlpipeline_crds::ColumnType;

use super::field_kind::{
    BIG_INTEGER, BOOLEAN, DATE, FLOAT, INTEGER, TEXT, TIME, ZONED_TIME, common_kind, fits, kind,
};
use super::rules::ColumnRules;

/// The kinds of text that were met in a column. Two sets are merged by taking both, in any order, so that the type does not
/// depend on which core saw which rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TextKinds(u8);

impl TextKinds {
    /// Adds one field; one that stands for null says nothing.
    ///
    /// # Errors
    /// When the field is not of the type that the spec names; says which that is.
    pub(crate) fn add(&mut self, field: &[u8], rules: &ColumnRules) -> Result<(), ColumnType> {
        if self.is_settled(rules) || rules.is_null(field) {
            return Ok(());
        }
        let kind = kind(field, rules);
        self.0 |= kind;
        match rules.declared {
            Some(declared) if !fits(kind, declared) => Err(declared),
            _ => Ok(()),
        }
    }

    /// Adds a field of a column of which nobody says anything, if it is one as most are; false, and nothing done, where it is another.
    #[inline(always)]
    pub(super) fn add_common(&mut self, field: &[u8]) -> bool {
        if field.is_empty() {
            return true;
        }
        let kind = common_kind(field);
        self.0 |= kind.unwrap_or(0);
        kind.is_some()
    }

    /// Whether no other field can change the type. Once text, always text.
    pub(super) fn is_settled(self, rules: &ColumnRules) -> bool {
        rules.is_kept_as_text() || self.0 & TEXT != 0 && rules.declared.is_none()
    }

    /// Adds what was met elsewhere.
    pub(crate) fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// The type that the spec names; else the narrowest type that holds every field without a loss: integers and numbers with
    /// a fraction together are numbers with a fraction, dates and times together are times, anything else together is text, and
    /// so is nothing at all.
    pub(crate) fn data_type(self, rules: &ColumnRules) -> DataType {
        let time = || type_of(ColumnType::Timestamp);
        match (rules.declared, self.0) {
            (Some(declared), _) => type_of(declared),
            (None, 0) if let Some(before) = &rules.before => before.clone(),
            (None, found)
                if let Some(expected) = rules.expected.filter(|expected| holds(*expected, found)) =>
            {
                type_of(expected)
            }
            (None, BOOLEAN) => DataType::Boolean,
            (None, found) if found != 0 && found & !(INTEGER | BIG_INTEGER) == 0 => DataType::Int64,
            (None, found) if found & FLOAT != 0 && found & !(INTEGER | FLOAT) == 0 => DataType::Float64,
            (None, DATE) => DataType::Date32,
            (None, found) if found & TIME != 0 && found & !(DATE | TIME) == 0 => time(),
            (None, ZONED_TIME) => DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
            _ => DataType::Utf8,
        }
    }
}

/// The type of a column of which a spec, a model or an earlier file names the type.
pub(crate) fn type_of(named: ColumnType) -> DataType {
    match named {
        ColumnType::Text => DataType::Utf8,
        ColumnType::Integer => DataType::Int64,
        ColumnType::Number => DataType::Float64,
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Date => DataType::Date32,
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
    }
}

/// Whether a column of this type holds all values of these kinds as they are written: unlike where a spec names the type, a whole number
/// is not rounded.
fn holds(expected: ColumnType, found: u8) -> bool {
    fits(found, expected) && !(expected == ColumnType::Number && found & BIG_INTEGER != 0)
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::compute::kernels::cast_utils::Parser;
    use datafusion::arrow::datatypes::{Float64Type, Int64Type};
    use mlpipeline_crds::{ColumnReading, Reading};

    use super::*;
    use crate::table::text::rules::FileRules;

    fn type_of(fields: &[&str]) -> String {
        let (mut kinds, rules) = (TextKinds::default(), ColumnRules::default());
        for field in fields {
            kinds.add(field.as_bytes(), &rules).expect("no type is named");
        }
        kinds.data_type(&rules).to_string()
    }

    #[test]
    fn a_column_has_the_narrowest_type_that_holds_every_field() {
        let rows: [(&[&str], &str); 51] = [
            (&["1", "-2", "", "9223372036854775807"], "Int64"),
            (&["1", "2", "2.5"], "Float64"),
            (&["1", "9223372036854775808"], "Utf8"),
            (&["1", "-9223372036854775808"], "Int64"),
            (&["12345678901234567890"], "Utf8"),
            (&["9007199254740993", "1"], "Int64"),
            (&["9007199254740993", "1.5"], "Utf8"),
            (&["9007199254740992", "1.5"], "Float64"),
            (&["007", "07302"], "Utf8"),
            (&["1", "00"], "Utf8"),
            (&["-01"], "Utf8"),
            (&["0001E5"], "Utf8"),
            (&["01.5"], "Utf8"),
            (&["0", "-0.5", "0.5"], "Float64"),
            (&["1", "1e400"], "Utf8"),
            (&["2026-01-31T10:00:00.123456789"], "Utf8"),
            (&["2026-01-31T10:00:00.123456000"], "Timestamp(µs)"),
            (&["2024-01-01T12:30:60", "2024-01-01T12:30:59"], "Utf8"),
            (&["2024-01-01T12:30:60.5Z"], "Utf8"),
            (&["1e5", ".5", "5.", "-1.5E-3"], "Float64"),
            (&["1.5", "NaN", "inf", "-inf"], "Float64"),
            (&["1", "NA"], "Utf8"),
            (&["true", "FALSE", ""], "Boolean"),
            (&["true", "1"], "Utf8"),
            (&["2026-01-31", "1999-12-01"], "Date32"),
            (&["2026-02-30"], "Utf8"),
            (&["2026-01-31 10:00:00", "2026-01-31T10:00:00.123"], "Timestamp(µs)"),
            (&["2026-01-31", "2026-01-31 10:00:00"], "Timestamp(µs)"),
            (&["9999-12-31", "0001-01-01T10:00:00"], "Timestamp(µs)"),
            (&["9999-12-31T23:59:59Z"], "Timestamp(µs, \"+00:00\")"),
            (&["2026-01-31T10:00:00Z", "2026-01-31T10:00:00+02:00"], "Timestamp(µs, \"+00:00\")"),
            (&["2026-01-31T10:00:00Z", "2026-01-31T10:00:00"], "Utf8"),
            (&["2026-01-31T10:00:00Z", "2026-01-31"], "Utf8"),
            (&["2024-01-01T10:00:00EST", "2024-01-01T10:00:00"], "Utf8"),
            (&["2024-01-01T10:00:00CET"], "Utf8"),
            (&["2024-01-01 10:00:00.5Europe/Berlin"], "Utf8"),
            (&["2024-01-01 10:00:00 America/New_York"], "Utf8"),
            (&["2024-01-01 10:00:00 UTC", "2024-01-01T10:00:00UTC"], "Timestamp(µs, \"+00:00\")"),
            (&["", ""], "Utf8"),
            (&[], "Utf8"),
            (&["1", "x"], "Utf8"),
            (&[" 1"], "Utf8"),
            (&["1_000"], "Utf8"),
            (&["0x10"], "Utf8"),
            (&["-"], "Utf8"),
            (&["+5"], "Utf8"),
            (&["1", "+491234567"], "Utf8"),
            (&["+1.5", "-2"], "Float64"),
            (&["5 "], "Utf8"),
            (&["1.5 "], "Utf8"),
            (&["1-1"], "Utf8"),
        ];
        for (fields, expected) in rows {
            assert_eq!(type_of(fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn a_field_that_is_not_of_the_type_that_the_spec_names_is_refused() {
        for (declared, good, bad) in [
            (ColumnType::Text, "1", None),
            (ColumnType::Integer, "007", Some("1.5")),
            (ColumnType::Number, "1", Some("x")),
            (ColumnType::Boolean, "TRUE", Some("1")),
            (ColumnType::Date, "2026-01-31", Some("31.01.2026")),
            (ColumnType::Timestamp, "2026-01-31", Some("2026-01-31T10:00:00Z")),
            (ColumnType::Timestamp, "2026-01-31T10:00:00", Some("2026-01-31T10:00:00EST")),
            (ColumnType::Timestamp, "2026-01-31T10:00:59", Some("2026-01-31T10:00:60")),
            (ColumnType::Timestamp, "2026-01-31T10:00:00.1", Some("2026-01-31T10:00:00.1Europe/Berlin")),
        ] {
            let reading = Reading { types: [("x".to_owned(), declared)].into(), ..Reading::default() };
            let rules = FileRules::new(&reading).and_then(|rules| rules.column("x")).expect("rules");
            let mut kinds = TextKinds::default();
            assert_eq!(kinds.add(good.as_bytes(), &rules), Ok(()), "{good}");
            if let Some(bad) = bad {
                assert_eq!(kinds.add(bad.as_bytes(), &rules), Err(declared), "{bad}");
            }
        }
    }

    #[test]
    fn digits_that_are_dates_are_dates_where_the_spec_says_so_of_their_column() {
        #[derive(Clone, Copy)]
        enum Said {
            OfTheColumn,
            OfTheFile,
            WithItsType(ColumnType),
        }
        let type_of = |notation: &str, said: Said, fields: &[&str]| {
            let notation = Some(notation.to_owned());
            let mut reading = Reading::default();
            match said {
                Said::OfTheColumn => {
                    let own = ColumnReading { date_format: notation, ..ColumnReading::default() };
                    reading.by_column.insert("x".to_owned(), own);
                }
                Said::OfTheFile => reading.date_format = notation,
                Said::WithItsType(declared) => {
                    reading.date_format = notation;
                    reading.types.insert("x".to_owned(), declared);
                }
            }
            let rules = FileRules::new(&reading).and_then(|rules| rules.column("x")).expect("rules");
            let mut kinds = TextKinds::default();
            let added = fields.iter().try_for_each(|field| kinds.add(field.as_bytes(), &rules));
            added.map(|()| kinds.data_type(&rules).to_string()).unwrap_or_else(|_| "refused".to_owned())
        };
        use Said::{OfTheColumn, OfTheFile, WithItsType};
        for (notation, said, fields, expected) in [
            ("%Y%m%d", OfTheColumn, &["20240101", "20241231", ""][..], "Date32"),
            ("%d%m%Y", OfTheColumn, &["01012024", "31122024"], "Date32"),
            ("%y%m%d", OfTheColumn, &["240101"], "Date32"),
            ("%Y%m%d%H%M%S", OfTheColumn, &["20240101100000"], "Timestamp(µs)"),
            ("%Y%m%d%H.%M", OfTheColumn, &["2024010110.30"], "Timestamp(µs)"),
            ("%Y%m%d", OfTheColumn, &["20240101", "7"], "Utf8"),
            ("%Y%m%d", OfTheColumn, &["7", "8"], "Int64"),
            ("%Y%m%d", OfTheFile, &["20240101", "7"], "Int64"),
            ("%Y%m%d", OfTheFile, &["20240101"], "Int64"),
            ("%d.%m.%Y", OfTheFile, &["01.02.2024"], "Date32"),
            ("%Y%m%d", WithItsType(ColumnType::Date), &["20240101"], "Date32"),
            ("%Y%m%d", WithItsType(ColumnType::Date), &["20241301"], "refused"),
            ("%Y%m%d", WithItsType(ColumnType::Timestamp), &["20240101"], "Timestamp(µs)"),
            ("%Y%m%d", WithItsType(ColumnType::Integer), &["20240101"], "Int64"),
            ("%d%m%Y", WithItsType(ColumnType::Integer), &["01012024"], "Int64"),
        ] {
            assert_eq!(type_of(notation, said, fields), expected, "{notation} {fields:?}");
        }
    }

    #[test]
    fn a_column_has_the_type_that_is_expected_where_all_its_fields_are_of_it_as_they_are_written() {
        let type_of = |expected: ColumnType, fields: &[&str]| {
            let expected = [("x".to_owned(), expected)].into();
            let rules = FileRules::default().expecting(&expected).column("x").expect("rules");
            let mut kinds = TextKinds::default();
            for field in fields {
                kinds.add(field.as_bytes(), &rules).expect("no type is named");
            }
            kinds.data_type(&rules).to_string()
        };
        for (expected, fields, found) in [
            (ColumnType::Text, &["TRUE", "1"][..], "Utf8"),
            (ColumnType::Text, &["2026-01-31"], "Utf8"),
            (ColumnType::Integer, &["1", ""], "Int64"),
            (ColumnType::Integer, &["01067"], "Utf8"),
            (ColumnType::Integer, &["1.5"], "Float64"),
            (ColumnType::Integer, &["", ""], "Int64"),
            (ColumnType::Number, &["1", "2"], "Float64"),
            (ColumnType::Number, &["9007199254740993"], "Int64"),
            (ColumnType::Number, &["007"], "Utf8"),
            (ColumnType::Boolean, &["1"], "Int64"),
            (ColumnType::Date, &[""], "Date32"),
            (ColumnType::Timestamp, &["2026-01-31"], "Timestamp(µs)"),
            (ColumnType::Timestamp, &["2026-01-31T10:00:00Z"], "Timestamp(µs, \"+00:00\")"),
        ] {
            assert_eq!(type_of(expected, fields), found, "{expected:?} {fields:?}");
        }
    }

    #[test]
    fn what_is_called_a_type_is_parsed_by_the_reader_as_that_type() {
        for field in [
            "1",
            "-0",
            "007",
            "+5",
            "1.",
            ".5",
            "1e400",
            "-1.5E-3",
            "nan",
            "Infinity",
            "123456789012345678901",
        ] {
            let mut kinds = TextKinds::default();
            let rules = ColumnRules::default();
            kinds.add(field.as_bytes(), &rules).expect("no type is named");
            let parsed = match kinds.data_type(&rules) {
                DataType::Int64 => Int64Type::parse(field).is_some(),
                DataType::Float64 => Float64Type::parse(field).is_some(),
                _ => true,
            };
            assert!(parsed, "{field}");
        }
    }
}
