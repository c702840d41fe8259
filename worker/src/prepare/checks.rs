//! Checks: what must hold of a result before it is published. All rules of columns are counted in one pass over its rows.

use std::path::Path;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::{Column, ScalarValue, TableReference};
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Expr, lit, when};
use datafusion::prelude::SessionContext;

use mlpipeline_crds::{Check, Format, beginning};

use super::PrepareError;
use super::check_rules::{Rule, nearest, rules, scale};
use super::exact_number::ExactNumber;
use super::query::select;
use crate::WorkContext;
use crate::engine::query_error;
use crate::failure::StepError;
use crate::table::{LocalFile, Written, written};

/// How many offending rows a message shows.
const SHOWN: usize = 3;

/// How many characters of a value a message shows.
const VALUE_SHOWN: usize = 60;

/// The name by which checks know the result.
const OUTPUT: &str = "output";

/// Runs every check over a written result.
///
/// # Errors
/// One that names all the checks that fail, how many rows break each, and the first of those rows; or the first check that
/// cannot be applied.
pub async fn run(
    checks: &[Check],
    path: &Path,
    format: Format,
    result: &Written,
    context: &WorkContext,
) -> Result<(), StepError> {
    let file = LocalFile::own(path.to_owned(), OUTPUT.to_owned());
    let session = context.session();
    let output = written(file, format, result.columns.clone(), &context.read_ahead(), &context.cancellation)?;
    session.register_table(TableReference::bare(OUTPUT), output).map_err(|error| query_error(&error))?;
    let output = session.table(OUTPUT).await.map_err(|error| query_error(&error))?;
    let of_check = |check: &Check, error: StepError| StepError {
        message: format!("check \"{}\": {}", title(check), error.message),
        ..error
    };
    let mut rules = Vec::with_capacity(checks.len());
    for check in checks {
        rules.push(column_rules(&output, check).map_err(|error| of_check(check, error.into()))?);
    }
    // The rows are read once for all rules; again only for examples of a rule that is broken.
    let counts = broken_rows(&output, &rules).await.map_err(|error| query_error(&error))?;
    let mut failures = Vec::new();
    for ((check, rules), counts) in checks.iter().zip(&rules).zip(&counts) {
        let broken = match (&check.sql, &check.column) {
            (Some(sql), None) => query_check(&session, check, sql).await,
            (None, Some(column)) => column_check(&output, check, column, rules, counts, result.rows).await,
            _ => Err(PrepareError::Check("exactly one of sql and column says what is checked".into()).into()),
        };
        let broken = broken.map_err(|error| of_check(check, error))?;
        if !broken.is_empty() {
            failures.push(format!("check \"{}\": {}", title(check), broken.join(", and ")));
        }
    }
    if failures.is_empty() {
        return Ok(());
    }
    let text = match failures.as_slice() {
        [only] => only.clone(),
        all => format!("{} checks failed. {}", all.len(), all.join(". ")),
    };
    Err(PrepareError::Failed(text).into())
}

/// What a check is called: its name, or what it looks at.
fn title(check: &Check) -> String {
    check
        .name
        .clone()
        .or_else(|| check.column.as_ref().map(|column| format!("column {column}")))
        .or_else(|| check.sql.clone())
        .unwrap_or_default()
}

/// A query that must give one number.
async fn query_check(session: &SessionContext, check: &Check, sql: &str) -> Result<Vec<String>, StepError> {
    let wrong = |problem: String| StepError::from(PrepareError::Check(problem));
    let expected = check.equals.ok_or_else(|| wrong("an sql check says what the query must equal".into()))?;
    let batches = select(session, sql).await?.collect().await.map_err(|error| query_error(&error))?;
    let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
    let Some(batch) = batches.iter().find(|batch| batch.num_rows() > 0).filter(|_| rows == 1) else {
        return Err(wrong(format!("the query gives {rows} rows, and one number is expected")));
    };
    let [column] = batch.columns() else {
        return Err(wrong(format!(
            "the query gives {} columns, and one number is expected",
            batch.num_columns()
        )));
    };
    let scalar = ScalarValue::try_from_array(column, 0).map_err(|error| query_error(&error))?;
    if scalar.is_null() {
        return Ok(vec![format!("the query gives null instead of {expected}")]);
    }
    let found = exact(&scalar).map_err(|error| query_error(&error))?;
    let (text, is_equal) = match (found, &scalar) {
        (Some(text), _) => {
            let is_equal =
                ExactNumber::parse(&text).is_some_and(|found| Some(found) == ExactNumber::of(expected));
            (text, is_equal)
        }
        (None, ScalarValue::Boolean(Some(truth))) => {
            let number = u8::from(*truth);
            (number.to_string(), f64::from(number) == expected.nearest())
        }
        (None, other) => match other.cast_to(&DataType::Float64) {
            Ok(ScalarValue::Float64(Some(number))) if other.data_type().is_numeric() => {
                let (expected, _) = nearest(expected, &other.data_type());
                let text = match other {
                    ScalarValue::Float32(Some(single)) => single.to_string(),
                    _ => number.to_string(),
                };
                (text, expected == *other)
            }
            _ => {
                return Err(wrong(format!(
                    "the query gives {}, and one number is expected",
                    scalar.data_type()
                )));
            }
        },
    };
    Ok(if is_equal { Vec::new() } else { vec![format!("the query gives {text} instead of {expected}")] })
}

/// The digits of a whole number or a decimal.
fn exact(scalar: &ScalarValue) -> Result<Option<String>, DataFusionError> {
    if scale(&scalar.data_type()).is_none() {
        return Ok(None);
    }
    match scalar.cast_to(&DataType::Utf8)? {
        ScalarValue::Utf8(text) => Ok(text),
        _ => Ok(None),
    }
}

/// The rules of a check that rows can break one by one; none of a query.
fn column_rules(output: &DataFrame, check: &Check) -> Result<Vec<Rule>, PrepareError> {
    let Some(name) = check.column.as_ref().filter(|_| check.sql.is_none()) else { return Ok(Vec::new()) };
    let fields = output.schema().fields();
    match fields.iter().find(|field| field.name() == name) {
        Some(field) => rules(check, name, field.data_type()),
        None => {
            let columns: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
            Err(PrepareError::Unknown(format!(
                "column \"{name}\" not found in the result; its columns are {}",
                columns.join(", ")
            )))
        }
    }
}

/// How many rows break each rule, in one pass over the rows.
async fn broken_rows(output: &DataFrame, rules: &[Vec<Rule>]) -> Result<Vec<Vec<i64>>, DataFusionError> {
    let mut counted = Vec::new();
    for rule in rules.iter().flatten() {
        let marked = when(rule.breaks.clone(), lit(1_i64)).end()?;
        counted.push(count(marked).alias(format!("rule {}", counted.len())));
    }
    if counted.is_empty() {
        return Ok(rules.iter().map(|_| Vec::new()).collect());
    }
    let batches = output.clone().aggregate(vec![], counted)?.collect().await?;
    let row = batches.first().filter(|batch| batch.num_rows() > 0);
    let numbers = row
        .map(|batch| batch.columns())
        .unwrap_or_default()
        .iter()
        .map(|column| column.as_primitive_opt::<Int64Type>().map_or(0, |numbers| numbers.value(0)));
    let mut numbers: std::collections::VecDeque<i64> = numbers.collect();
    Ok(rules.iter().map(|rules| numbers.drain(..rules.len().min(numbers.len())).collect()).collect())
}

async fn column_check(
    output: &DataFrame,
    check: &Check,
    name: &str,
    rules: &[Rule],
    counts: &[i64],
    rows: u64,
) -> Result<Vec<String>, StepError> {
    let mut failures = Vec::new();
    for (rule, number) in rules.iter().zip(counts).filter(|(_, number)| **number > 0) {
        let shown = examples(output, name, rule).await.map_err(|error| query_error(&error))?;
        failures.push(format!("column \"{name}\" is {} in {number} of {rows} rows: {shown}", rule.says));
    }
    if check.unique == Some(true)
        && let Some(problem) = repeated(output, name).await.map_err(|error| query_error(&error))?
    {
        failures.push(problem);
    }
    Ok(failures)
}

/// The first rows that break a rule.
async fn examples(output: &DataFrame, name: &str, rule: &Rule) -> Result<String, DataFusionError> {
    // Rows are numbered in their order: a window over all of them has one partition.
    let first = output
        .clone()
        .window(vec![row_number().alias(ROW)])?
        .filter(rule.breaks.clone())?
        .select(vec![Expr::Column(Column::from_name(ROW)), Expr::Column(Column::from_name(name))])?
        .limit(0, Some(SHOWN))?
        .collect()
        .await?;
    let rows = numbered(&first)?.into_iter().map(|(row, value)| format!("row {row}: {value}"));
    Ok(rows.collect::<Vec<_>>().join(", "))
}

/// The name of the column with rows' numbers; no CSV or JSON has it by chance.
const ROW: &str = "\u{1}row";

/// How many values occur more than once, and the first of them; `None` when none does.
async fn repeated(output: &DataFrame, name: &str) -> Result<Option<String>, DataFusionError> {
    let column = || Expr::Column(Column::from_name(name));
    let times = || Expr::Column(Column::from_name(ROW));
    let repeated = output
        .clone()
        .filter(column().is_not_null())?
        .aggregate(vec![column()], vec![count(lit(1_i64)).alias(ROW)])?
        .filter(times().gt(lit(1_i64)))?;
    let number = repeated.clone().count().await?;
    if number == 0 {
        return Ok(None);
    }
    let first = repeated.select(vec![times(), column()])?.limit(0, Some(SHOWN))?.collect().await?;
    let examples: Vec<String> =
        numbered(&first)?.into_iter().map(|(times, value)| format!("{value} {times} times")).collect();
    let more = if number > examples.len() {
        format!(", and {} more", number - examples.len())
    } else {
        String::new()
    };
    Ok(Some(format!("column \"{name}\" has values that occur more than once: {}{more}", examples.join(", "))))
}

/// A number and a value as text from each row.
fn numbered(batches: &[RecordBatch]) -> Result<Vec<(String, String)>, DataFusionError> {
    let options = FormatOptions::default().with_null("null");
    let mut shown = Vec::new();
    for batch in batches {
        let [numbers, values] = batch.columns() else { continue };
        let numbers = ArrayFormatter::try_new(numbers, &options)?;
        let texts = ArrayFormatter::try_new(values, &options)?;
        for row in 0..batch.num_rows() {
            let mut text = beginning(&texts.value(row).to_string(), VALUE_SHOWN);
            if values.data_type().is_string() && values.is_valid(row) {
                text = format!("{text:?}");
            }
            shown.push((numbers.value(row).to_string(), text));
        }
    }
    Ok(shown)
}
