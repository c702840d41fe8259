//! What the engine answers otherwise than SQL says, without a word: written so that it answers rightly, else refused with a way out.
//!
//! Must not know what a query is for. It runs before types are made alike, when they are still those of the tables.

use datafusion::arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::common::{DFSchema, JoinConstraint, JoinType, ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::functions::math::expr_fn::abs;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams, Cast, InList, TryCast};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, lit, not};
use datafusion::optimizer::AnalyzerRule;

use super::nullable::nullable;
use super::number_types::has_fraction;
use super::rewrite::rewrite_node;
use super::{bits, correlated, dates_of_digits, subqueries, zones};

/// Nanoseconds of a day.
const DAY: i64 = 86_400_000_000_000;

/// Rewrites or refuses what would be answered wrongly.
#[derive(Debug)]
pub(super) struct Faithful;

impl AnalyzerRule for Faithful {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|plan| {
            check_using(&plan)?;
            check_orders(&plan)?;
            rewrite_node(plan, &rewrite_expr)?.transform_data(subqueries::check)
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "faithful"
    }
}

fn check_using(plan: &LogicalPlan) -> Result<()> {
    match plan {
        LogicalPlan::Join(join)
            if join.join_constraint == JoinConstraint::Using
                && matches!(join.join_type, JoinType::Right | JoinType::Full) =>
        {
            plan_err!(
                "USING or NATURAL in a RIGHT or FULL JOIN would leave the shared column null for rows of the right table alone; write ON a.k = \
                 b.k, and coalesce(a.k, b.k) AS k"
            )
        }
        _ => Ok(()),
    }
}

/// An aggregate that depends on the order of rows would take that of one beside it with ORDER BY.
fn check_orders(plan: &LogicalPlan) -> Result<()> {
    let LogicalPlan::Aggregate(aggregate) = plan else { return Ok(()) };
    let is_of = |expr: &Expr, names: &[&str], is_sorted: bool| {
        let expr = if let Expr::Alias(alias) = expr { alias.expr.as_ref() } else { expr };
        matches!(expr, Expr::AggregateFunction(AggregateFunction { func, params })
            if names.contains(&func.name()) && params.order_by.is_empty() != is_sorted)
    };
    let sorting = ["array_agg", "string_agg", "nth_value"];
    let taking = ["array_agg", "string_agg", "nth_value", "first_value", "last_value"];
    let any = |names: &[&str], is_sorted: bool| {
        aggregate.aggr_expr.iter().any(|expr| is_of(expr, names, is_sorted))
    };
    if any(&sorting, true) && any(&taking, false) {
        return plan_err!(
            "an aggregate without ORDER BY would take the order of the one beside it; give both the same ORDER BY, or a query each: SELECT a.s, b.s AS \
             sorted FROM (SELECT string_agg(s, '') AS s FROM t) AS a CROSS JOIN (SELECT string_agg(s, '' ORDER BY s) AS s FROM t) AS b"
        );
    }
    Ok(())
}

fn rewrite_expr(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    dates_of_digits::check(&expr, schema)?;
    bits::check(&expr, schema)?;
    let type_of = |expr: &Expr| expr.get_type(schema).ok();
    match expr {
        Expr::InList(list) => Ok(one_by_one(list, schema)),
        Expr::AggregateFunction(AggregateFunction { func, params }) if func.name() == "median" => {
            let args = halves(params.args, schema);
            Ok(args.update_data(|args| {
                Expr::AggregateFunction(AggregateFunction {
                    func,
                    params: AggregateFunctionParams { args, ..params },
                })
            }))
        }
        Expr::WindowFunction(mut window) if window.fun.name() == "median" => {
            let args = halves(std::mem::take(&mut window.params.args), schema);
            Ok(args.update_data(|args| {
                window.params.args = args;
                Expr::WindowFunction(window)
            }))
        }
        Expr::SetComparison(compared) => subqueries::apart(compared, schema),
        Expr::Exists(exists) => {
            correlated::check_names(&exists.subquery, schema)?;
            Ok(Transformed::no(Expr::Exists(exists)))
        }
        Expr::ScalarSubquery(subquery) => {
            correlated::check_names(&subquery, schema)?;
            Ok(Transformed::yes(Expr::ScalarSubquery(nullable(subquery)?)))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            // A type is that of all expressions within: it is asked for where it matters.
            let is_date = |expr: &Expr| type_of(expr) == Some(DataType::Date32);
            let (left, right) = match op {
                Operator::Plus | Operator::Minus if may_have_hours(&right, schema) && is_date(&left) => {
                    (time(*left), *right)
                }
                Operator::Plus if may_have_hours(&left, schema) && is_date(&right) => (*left, time(*right)),
                _ => return zones::read(Expr::BinaryExpr(BinaryExpr { left, op, right }), schema),
            };
            let binary = BinaryExpr { left: left.into(), op, right: right.into() };
            Ok(Transformed::yes(Expr::BinaryExpr(binary)))
        }
        Expr::Cast(Cast { ref expr, ref field }) | Expr::TryCast(TryCast { ref expr, ref field })
            if is_time(field.data_type()) && type_of(expr).as_ref().is_some_and(has_fraction) =>
        {
            plan_err!(
                "a number with a fraction is not cast to a time; to_timestamp(x) takes seconds since 1970"
            )
        }
        other => zones::read(other, schema),
    }
}

/// The decimal whose median is asked for, with one digit more: the middle of two would lose its last.
fn halves(args: Vec<Expr>, schema: &DFSchema) -> Transformed<Vec<Expr>> {
    let wider = |expr: Expr| match expr.get_type(schema) {
        Ok(DataType::Decimal128(precision, scale)) if scale < 38 => {
            let wider = DataType::Decimal128(precision.saturating_add(1).min(38), scale + 1);
            Transformed::yes(Expr::Cast(Cast::new(Box::new(expr), wider)))
        }
        _ => Transformed::no(expr),
    };
    let args: Vec<_> = args.into_iter().map(wider).collect();
    let transformed = args.iter().any(|arg| arg.transformed);
    Transformed::new_transformed(args.into_iter().map(|arg| arg.data).collect(), transformed)
}

fn is_time(found: &DataType) -> bool {
    matches!(found, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64)
}

/// An interval that may be of other than whole days: that of a column, or of a number, is known only when rows are read.
fn may_have_hours(expr: &Expr, schema: &DFSchema) -> bool {
    match expr {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _) => {
            interval.nanoseconds % DAY != 0
        }
        Expr::Literal(ScalarValue::IntervalDayTime(Some(interval)), _) => interval.milliseconds != 0,
        Expr::Literal(..) => false,
        Expr::Negative(inner) => may_have_hours(inner, schema),
        other => matches!(
            other.get_type(schema),
            Ok(DataType::Interval(IntervalUnit::MonthDayNano | IntervalUnit::DayTime))
        ),
    }
}

/// A day as the time at which it begins: the engine adds hours to days by leaving them out.
fn time(day: Expr) -> Expr {
    Expr::Cast(Cast::new(Box::new(day), DataType::Timestamp(TimeUnit::Microsecond, None)))
}

/// A list in which a value is looked for, as comparisons, where the engine's own search is wrong: in values of rows it takes null for
/// another value, and in a list of many numbers it knows 0.0 and not -0.0.
fn one_by_one(InList { expr, list, negated }: InList, schema: &DFSchema) -> Transformed<Expr> {
    let is_number = expr.get_type(schema).is_ok_and(|found| found.is_floating());
    let (alone, together): (Vec<Expr>, Vec<Expr>) = list.into_iter().partition(|item| match item {
        Expr::Literal(value, _) => is_number && is_zero(value),
        Expr::Negative(inner) => !matches!(inner.as_ref(), Expr::Literal(..)),
        _ => true,
    });
    if alone.is_empty() {
        return Transformed::no(Expr::InList(InList { expr, list: together, negated }));
    }
    // Of zeros as one question of another form: the optimizer would put `x = 0` back into the list.
    let equals = |item: Expr| match &item {
        Expr::Literal(..) => abs(Expr::clone(&expr)).eq(lit(0.0)),
        _ => Expr::clone(&expr).eq(item),
    };
    let rest = (!together.is_empty())
        .then(|| Expr::InList(InList { expr: expr.clone(), list: together, negated: false }));
    let any = alone.into_iter().map(equals).chain(rest).reduce(Expr::or).unwrap_or(lit(false));
    Transformed::yes(if negated { not(any) } else { any })
}

fn is_zero(value: &ScalarValue) -> bool {
    let zero = value.cast_to(&DataType::Float64).ok();
    matches!(zero, Some(ScalarValue::Float64(Some(number))) if number == 0.0)
}
