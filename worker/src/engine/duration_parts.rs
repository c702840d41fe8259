//! Parts of the difference of two times, as PostgreSQL has them of an interval: hours are those beyond whole days, minutes those beyond
//! whole hours, and the seconds since the epoch have a fraction. The engine counts all hours, all minutes, and cuts seconds.
//!
//! Whole numbers stay whole, as parts of times are here: 4.75 seconds have the second 4 and the millisecond 4750.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, lit};

use super::cast::cast;

/// Microseconds of a second, a minute, an hour and a day.
const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `date_part` of a duration as arithmetic on its microseconds.
pub(super) fn read(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let (part, duration) = match &expr {
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == "date_part" => {
            match args.as_slice() {
                [Expr::Literal(part, _), duration]
                    if matches!(duration.get_type(schema), Ok(DataType::Duration(_))) =>
                {
                    (part.try_as_str().flatten().unwrap_or_default().to_lowercase(), duration)
                }
                _ => return Ok(Transformed::no(expr)),
            }
        }
        _ => return Ok(Transformed::no(expr)),
    };
    let microseconds = || {
        let duration = cast(Expr::clone(duration), DataType::Duration(TimeUnit::Microsecond));
        cast(duration, DataType::Int64)
    };
    // What is beyond whole ones of a unit, in units of another.
    let beyond = |whole: i64, unit: i64| {
        let rest = binary(microseconds(), Operator::Modulo, lit(whole));
        cast(binary(rest, Operator::Divide, lit(unit)), DataType::Int32)
    };
    let written = match part.trim_matches(['\'', '"']) {
        "epoch" => {
            #[expect(clippy::cast_precision_loss, reason = "a million is exact")]
            let second = lit(SECOND as f64);
            binary(cast(microseconds(), DataType::Float64), Operator::Divide, second)
        }
        "d" | "day" | "days" => cast(binary(microseconds(), Operator::Divide, lit(DAY)), DataType::Int32),
        "h" | "hr" | "hrs" | "hour" | "hours" => beyond(DAY, HOUR),
        "m" | "min" | "mins" | "minute" | "minutes" => beyond(HOUR, MINUTE),
        "s" | "sec" | "secs" | "second" | "seconds" => beyond(MINUTE, SECOND),
        "ms" | "msec" | "msecs" | "msecond" | "mseconds" | "millisecond" | "milliseconds" => {
            beyond(MINUTE, 1000)
        }
        "us" | "usec" | "usecs" | "usecond" | "useconds" | "microsecond" | "microseconds" => {
            beyond(MINUTE, 1)
        }
        part => {
            return plan_err!(
                "the difference of two times has no {part}, since its length is in days and less: take day, hour, minute, second, millisecond, \
                 microsecond or epoch (all seconds), or a part of each time: date_part('month', b) - date_part('month', a)"
            );
        }
    };
    Ok(Transformed::yes(written))
}

fn binary(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr { left: left.into(), op, right: right.into() })
}
