//! Time zones: a time without one that is made of a time with one has the clock of its zone, and a moment keeps what it is.
//!
//! The engine takes the clock of UTC for the first, gives no zone to seconds since 1970, and counts steps of days from midnight in UTC. It runs
//! before types are made alike. Must not change times of UTC.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::functions::datetime::expr_fn::to_local_time;
use datafusion::logical_expr::expr::{Between, Cast, ScalarFunction, TryCast};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable};

use super::cast::cast;
use super::far_times::compares;
use super::functions::has_zone;

/// How the zone of times with one is called where nothing else is said, in tables and in SQL.
pub(super) const UTC: &str = "+00:00";

/// Other names of it.
const UTC_NAMES: [&str; 6] = ["UTC", "Etc/UTC", "GMT", "Z", "+0000", "-00:00"];

/// Nanoseconds of a quarter of an hour: zones differ from UTC by some of them.
const QUARTER: i64 = 900_000_000_000;

/// Rewrites or refuses what would be of another time.
pub(super) fn read(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match expr {
        Expr::Cast(Cast { expr, field }) => {
            let time = before_cast(*expr, field.data_type(), schema)?;
            Ok(time.update_data(|time| Expr::Cast(Cast { expr: time.into(), field })))
        }
        Expr::TryCast(TryCast { expr, field }) => {
            let time = before_cast(*expr, field.data_type(), schema)?;
            Ok(time.update_data(|time| Expr::TryCast(TryCast { expr: time.into(), field })))
        }
        Expr::ScalarFunction(ScalarFunction { ref func, ref args }) if func.name() == "date_bin" => {
            check_steps(args, schema)?;
            Ok(Transformed::no(expr))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(op) => {
            let (left_zoned, right_zoned) = (zoned(&left, schema), zoned(&right, schema));
            let (left, right) = (beside(*left, right_zoned, schema), beside(*right, left_zoned, schema));
            let transformed = left.transformed || right.transformed;
            let binary = BinaryExpr { left: left.data.into(), op, right: right.data.into() };
            Ok(Transformed::new_transformed(Expr::BinaryExpr(binary), transformed))
        }
        Expr::Between(Between { expr, negated, low, high }) => {
            let time = zoned(&expr, schema);
            let (low, high) = (beside(*low, time.clone(), schema), beside(*high, time, schema));
            let transformed = low.transformed || high.transformed;
            let between = Between { expr, negated, low: low.data.into(), high: high.data.into() };
            Ok(Transformed::new_transformed(Expr::Between(between), transformed))
        }
        other => Ok(Transformed::no(other)),
    }
}

/// The type of an expression that is a time of another zone than UTC.
fn zoned(expr: &Expr, schema: &DFSchema) -> Option<DataType> {
    expr.get_type(schema)
        .ok()
        .filter(|found| matches!(found, DataType::Timestamp(_, Some(zone)) if !is_utc(zone)))
}

fn is_utc(zone: &str) -> bool {
    zone == UTC || UTC_NAMES.iter().any(|name| name.eq_ignore_ascii_case(zone))
}

/// A date beside a time of a zone: the day begins there.
fn beside(expr: Expr, time: Option<DataType>, schema: &DFSchema) -> Transformed<Expr> {
    match time {
        Some(time) if expr.get_type(schema).is_ok_and(|found| found == DataType::Date32) => {
            Transformed::yes(cast(expr, time))
        }
        _ => Transformed::no(expr),
    }
}

/// What is cast to a time.
fn before_cast(expr: Expr, to: &DataType, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match to {
        DataType::Timestamp(_, None) if zoned(&expr, schema).is_some() => {
            Ok(Transformed::yes(to_local_time(vec![expr])))
        }
        DataType::Timestamp(_, Some(zone)) if !is_utc(zone) => moment(expr, schema),
        _ => Ok(Transformed::no(expr)),
    }
}

/// What a function makes of seconds since 1970, or of a text with its zone, is a moment in UTC.
fn moment(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    if !is_moment(&expr, schema)? {
        return Ok(Transformed::no(expr));
    }
    match expr.get_type(schema)? {
        DataType::Timestamp(unit, None) => {
            Ok(Transformed::yes(cast(expr, DataType::Timestamp(unit, Some(UTC.into())))))
        }
        _ => Ok(Transformed::no(expr)),
    }
}

fn is_moment(expr: &Expr, schema: &DFSchema) -> Result<bool> {
    let Expr::ScalarFunction(ScalarFunction { func, args }) = expr else { return Ok(false) };
    let name = func.name();
    let Some((value, patterns)) = args.split_first() else { return Ok(name == "now") };
    if !name.starts_with("to_timestamp") && name != "from_unixtime" {
        return Ok(false);
    }
    if !patterns.is_empty() {
        return Ok(patterns.iter().any(says_zone));
    }
    let found = value.get_type(schema)?;
    if found.is_string() {
        return plan_err!(
            "{name} of a text has no time zone, and AT TIME ZONE would take its clock for that of the zone; write CAST(x AS TIMESTAMPTZ) AT TIME \
             ZONE '…' for texts that say their zone, as 2024-01-31T10:00:00Z, and CAST(x AS TIMESTAMP) AT TIME ZONE '…' for others"
        );
    }
    Ok(found.is_numeric())
}

/// Whether an argument is a pattern with a time zone.
fn says_zone(pattern: &Expr) -> bool {
    match pattern {
        Expr::Literal(pattern, _) => pattern.try_as_str().flatten().is_some_and(has_zone),
        _ => false,
    }
}

/// Steps of a quarter of an hour and of what divides it are the same in all zones.
fn check_steps(args: &[Expr], schema: &DFSchema) -> Result<()> {
    let is_short = match args.first() {
        Some(Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(step)), _)) => {
            let is_of_clock = step.months == 0 && step.days == 0 && step.nanoseconds > 0;
            is_of_clock && QUARTER % step.nanoseconds == 0
        }
        _ => false,
    };
    if is_short || !args.iter().any(|arg| zoned(arg, schema).is_some()) {
        return Ok(());
    }
    plan_err!(
        "date_bin counts its steps from midnight in UTC, which is none in the time zone of its time; write date_bin(INTERVAL '1 day', to_local_time(t)) for \
         steps by the clock of the zone, or date_trunc('day', t)"
    )
}
