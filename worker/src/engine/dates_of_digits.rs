//! Numbers that are made dates: the engine takes them for days since 1970, so that 20240131 becomes a day of the year 57386. Refused, with
//! ways out; digits are read by a pattern.
//!
//! It looks at casts and functions that are written out, before types are made alike. Must not refuse days that are added.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Cast, ScalarFunction, TryCast};
use datafusion::logical_expr::{Expr, ExprSchemable};

/// Functions that cast to the type of another value. `arrow_cast` names a type of Arrow's, of which Date32 is by its definition days since 1970.
const CASTS: [&str; 2] = ["cast_to_type", "try_cast_to_type"];

/// Functions that read a text by patterns.
const READING: [&str; 8] = [
    "to_date",
    "to_time",
    "to_timestamp",
    "to_timestamp_seconds",
    "to_timestamp_millis",
    "to_timestamp_micros",
    "to_timestamp_nanos",
    "to_unixtime",
];

/// Refuses numbers that would become days.
pub(super) fn check(expr: &Expr, schema: &DFSchema) -> Result<()> {
    let number = |expr: &Expr| expr.get_type(schema).ok().filter(DataType::is_numeric);
    let is_date = |found: &DataType| matches!(found, DataType::Date32 | DataType::Date64);
    match expr {
        Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field })
            if is_date(field.data_type()) && number(expr).is_some() =>
        {
            refuse("a cast to a date", expr)
        }
        Expr::ScalarFunction(ScalarFunction { func, args }) => {
            let Some(first) = args.first() else { return Ok(()) };
            let name = func.name();
            if CASTS.contains(&name) {
                let becomes_date = expr.get_type(schema).is_ok_and(|found| is_date(&found));
                return if becomes_date && number(first).is_some() { refuse(name, first) } else { Ok(()) };
            }
            if !READING.contains(&name) {
                return Ok(());
            }
            match number(first) {
                Some(found) if args.len() > 1 && !found.is_integer() => plan_err!(
                    "{name} reads the digits of a whole number by a pattern, and {} may have a fraction ({found}); write {name}(CAST(x AS BIGINT), …)",
                    shown(first)
                ),
                Some(_) if args.len() == 1 && name == "to_date" => refuse(name, first),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

fn refuse(place: &str, number: &Expr) -> Result<()> {
    let x = shown(number);
    plan_err!(
        "{place} would take the number {x} for days since 1970; digits of a date are read by their pattern, to_date(CAST({x} AS VARCHAR), \
         '%Y%m%d'), or where the file is read, byColumn: {{{x}: {{dateFormat: \"%Y%m%d\"}}}}; seconds since 1970 are to_timestamp({x}), and days \
         DATE '1970-01-01' + {x}"
    )
}

/// What messages call an expression.
fn shown(expr: &Expr) -> &str {
    match expr {
        Expr::Column(column) => &column.name,
        _ => "x",
    }
}
