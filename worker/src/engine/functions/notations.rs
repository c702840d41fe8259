//! Patterns of times, in which `%f` is a fraction of a second as in other programs: the engine counts nanoseconds with it, so that `10:00:00.5`
//! would be read as five of them.

use std::sync::Arc;

use chrono::Datelike;
use datafusion::arrow::array::{ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Date32Type};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF};

/// The days since 1970 of the years 0 to 99.
const SHORT_YEARS: std::ops::Range<i32> = -719_528..-683_003;

/// Calls a function of a text and patterns.
///
/// # Errors
/// Its own, when a pattern has `%f` where it says nothing, and when `%Y` has taken a year of two digits for one of the first century.
pub(super) fn by_pattern(function: &ScalarUDF, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
    let name = function.name();
    let has_pattern = args.args.len() > 1;
    let values = function.invoke_with_args(with_fractions(args, name)?)?;
    let is_time = matches!(values.data_type(), DataType::Date32 | DataType::Timestamp(..));
    // Seconds since 1970 do not reach those years: the engine refuses them.
    let days =
        if has_pattern && is_time { Some(cast(&values.to_array(1)?, &DataType::Date32)?) } else { None };
    let short = days.and_then(|days| {
        days.as_primitive::<Date32Type>().iter().flatten().find(|day| SHORT_YEARS.contains(day))
    });
    if let Some(day) = short {
        let year = Date32Type::to_naive_date_opt(day).map_or(0, |date| date.year());
        return Err(DataFusionError::Execution(format!(
            "{name}: a text is read by its pattern as the year {year}; in patterns %Y is a year of four digits, and %y one of two"
        )));
    }
    Ok(values)
}

/// The arguments of a function of a text and patterns, with the engine's own sign for fractions.
///
/// # Errors
/// When a pattern has `%f` where that sign does not say the same.
fn with_fractions(mut args: ScalarFunctionArgs, name: &str) -> Result<ScalarFunctionArgs> {
    for pattern in args.args.iter_mut().skip(1).filter(|pattern| pattern.data_type().is_string()) {
        let texts = cast(&pattern.to_array(1)?, &DataType::Utf8)?;
        let texts = texts.as_string::<i32>();
        if !texts.iter().flatten().any(|text| text.contains("%f")) {
            continue;
        }
        let changed = texts.iter().map(|text| text.map(engines).transpose());
        let changed: StringArray = changed
            .collect::<std::result::Result<_, String>>()
            .map_err(|problem| DataFusionError::Execution(format!("{name}: {problem}")))?;
        let changed: ArrayRef = cast(&(Arc::new(changed) as ArrayRef), &pattern.data_type())?;
        *pattern = match pattern {
            ColumnarValue::Scalar(_) => ColumnarValue::Scalar(ScalarValue::try_from_array(&changed, 0)?),
            ColumnarValue::Array(_) => ColumnarValue::Array(changed),
        };
    }
    Ok(args)
}

/// A pattern with `%.f` for `.%f`.
fn engines(pattern: &str) -> std::result::Result<String, String> {
    let mut changed = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(found) = rest.chars().next() {
        // Two signs of percent are one that is written.
        let (taken, put) = if let Some(behind) = rest.strip_prefix(".%f") {
            (rest.len() - behind.len(), "%.f")
        } else if rest.starts_with("%%") {
            (2, "%%")
        } else if rest.starts_with("%f") {
            return Err(format!(
                "in the pattern \"{pattern}\" %f stands behind no point; write %.f for a fraction of a second with its point, and replace other \
                 signs before: to_timestamp(replace(x, ',', '.'), '%Y-%m-%d %H:%M:%S%.f')"
            ));
        } else {
            (found.len_utf8(), "")
        };
        let own = rest.get(..taken).unwrap_or_default();
        changed.push_str(if put.is_empty() { own } else { put });
        rest = rest.get(taken..).unwrap_or_default();
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_behind_a_point_is_written_as_the_engine_writes_it() {
        for (pattern, expected) in [
            ("%H:%M:%S.%f", Some("%H:%M:%S%.f")),
            ("%H:%M:%S%.f", Some("%H:%M:%S%.f")),
            ("é.%f%%f", Some("é%.f%%f")),
            ("%S,%f", None),
            ("%%%f", None),
        ] {
            assert_eq!(engines(pattern).ok().as_deref(), expected, "{pattern}");
        }
    }
}
