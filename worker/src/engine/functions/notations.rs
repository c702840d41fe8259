//! Texts that functions read by patterns, each row by the first pattern in which it is written, and digits of whole numbers as texts.
//!
//! Must not know what a pattern means: `pattern` does. What is not read by a pattern is left to the engine.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::compute::kernels::cast_utils::Parser;
use datafusion::arrow::datatypes::{DataType, Date32Type, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF};

use super::super::leap_seconds::refuse_second_60;
use super::pattern::Pattern;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Calls a function of a text, or of a whole number, and patterns.
///
/// # Errors
/// Its own; when a pattern says no time, and when a text is in none of its patterns.
pub(super) fn by_pattern(function: &ScalarUDF, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
    let name = function.name();
    let Some(first) = args.args.first().map(ColumnarValue::data_type) else {
        return function.invoke_with_args(args);
    };
    let mut patterns = args.args.iter().skip(1);
    if args.args.len() == 1 {
        if name == "to_date" && first.is_string() {
            return dates(name, &args);
        }
        if let Some(texts) = args.args.first().filter(|_| first.is_string()) {
            refuse_second_60(texts)?;
        }
        return function.invoke_with_args(args);
    }
    if patterns.all(|pattern| pattern.data_type().is_string()) && (first.is_string() || first.is_integer()) {
        return read(name, &args, first.is_integer());
    }
    function.invoke_with_args(args)
}

/// Texts as dates, without a pattern.
fn dates(name: &str, args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let columns = texts(args)?;
    let Some(column) = columns.first() else { return no_argument() };
    let days = column.as_string::<i32>().iter().map(|text| {
        let Some(text) = text else { return Ok(None) };
        Date32Type::parse(text).map(i64::from).map(Some).ok_or_else(|| {
            DataFusionError::Execution(format!(
                "{name} cannot read '{text}' as a date: dates are read as 2024-01-31, and others with their pattern: to_date(x, '%d.%m.%Y')"
            ))
        })
    });
    let days: Int64Array = days.collect::<Result<_>>()?;
    values(days, args)
}

/// Texts by patterns.
fn read(name: &str, args: &ScalarFunctionArgs, is_number: bool) -> Result<ColumnarValue> {
    let columns = texts(args)?;
    let columns: Vec<&StringArray> = columns.iter().map(|column| column.as_string::<i32>()).collect();
    let Some((texts, patterns)) = columns.split_first() else { return no_argument() };
    let mut known: HashMap<&str, Pattern> = HashMap::new();
    for text in patterns.iter().flat_map(|column| column.iter().flatten()) {
        if let Entry::Vacant(place) = known.entry(text) {
            let pattern = Pattern::new(text)
                .map_err(|problem| DataFusionError::Execution(format!("{name}: {problem}")))?;
            place.insert(pattern);
        }
    }
    let to = args.return_field.data_type();
    let row = |row: usize| -> Result<Option<i64>> {
        if texts.is_null(row) {
            return Ok(None);
        }
        let text = texts.value(row);
        let mut failed = None;
        for column in patterns.iter().filter(|column| column.is_valid(row)) {
            let written = column.value(row);
            let Some(pattern) = known.get(written) else { continue };
            match value(pattern, text, is_number, to) {
                Ok(value) => return Ok(Some(value)),
                Err(problem) => failed = Some((written, problem)),
            }
        }
        let Some((written, problem)) = failed else { return Ok(None) };
        let problem = problem.unwrap_or_else(|| format!("it is not written as {written}"));
        Err(DataFusionError::Execution(format!("{name} cannot read '{text}' by its pattern: {problem}")))
    };
    let numbers: Int64Array = (0..texts.len()).map(row).collect::<Result<_>>()?;
    values(numbers, args)
}

/// What a text says by a pattern, as the number by which its type holds it.
fn value(
    pattern: &Pattern,
    text: &str,
    is_number: bool,
    to: &DataType,
) -> std::result::Result<i64, Option<String>> {
    let digits = if is_number { Some(pattern.of_number(text).ok_or(None::<String>)?) } else { None };
    let text = digits.as_deref().unwrap_or(text);
    if matches!(to, DataType::Time64(_)) { pattern.clock(text) } else { held(pattern.moment(text)?, to) }
}

fn held(moment: DateTime<Utc>, to: &DataType) -> std::result::Result<i64, Option<String>> {
    match to {
        DataType::Date32 => Ok(moment.timestamp().div_euclid(DAY)),
        DataType::Timestamp(TimeUnit::Millisecond, _) => Ok(moment.timestamp_millis()),
        DataType::Timestamp(TimeUnit::Microsecond, _) => Ok(moment.timestamp_micros()),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => moment.timestamp_nanos_opt().ok_or_else(|| {
            let problem = "it is a time outside of the years 1678 to 2261; to_timestamp_micros holds it";
            Some(problem.to_owned())
        }),
        _ => Ok(moment.timestamp()),
    }
}

/// All arguments as texts, of one row where each is a single value.
fn texts(args: &ScalarFunctionArgs) -> Result<Vec<ArrayRef>> {
    let rows = if is_single(args) { 1 } else { args.number_rows };
    let text = |arg: &ColumnarValue| -> Result<ArrayRef> {
        let column = cast(&arg.to_array(rows)?, &DataType::Utf8)?;
        Ok(column)
    };
    args.args.iter().map(text).collect()
}

fn is_single(args: &ScalarFunctionArgs) -> bool {
    args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)))
}

/// Numbers as values of the type that the function gives.
fn values(numbers: Int64Array, args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
    let to = args.return_field.data_type();
    let mut numbers: ArrayRef = Arc::new(numbers);
    if *to == DataType::Date32 {
        numbers = cast(&numbers, &DataType::Int32)?;
    }
    let values = cast(&numbers, to)?;
    Ok(if is_single(args) {
        ColumnarValue::Scalar(ScalarValue::try_from_array(&values, 0)?)
    } else {
        ColumnarValue::Array(values)
    })
}

fn no_argument<T>() -> Result<T> {
    Err(DataFusionError::Internal("an argument is expected".to_owned()))
}
