//! Times beyond those that nanoseconds reach, as `9999-12-31` where something has no end: read as microseconds, as the tables' times are.
//!
//! The engine takes the text of a time, and a date beside a time, as nanoseconds, which end in 2262. What nanoseconds hold stays so.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Between, Cast, InList};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator};
use datafusion::optimizer::AnalyzerRule;

use super::cast::cast;
use super::rewrite::rewrite;

/// Casts to microseconds what would be cast to nanoseconds in vain. It runs before types are made alike.
#[derive(Debug)]
pub(super) struct FarTimes;

impl AnalyzerRule for FarTimes {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite(plan, &|expr, schema| Ok(read_expr(expr, schema)))
    }

    fn name(&self) -> &'static str {
        "far_times"
    }
}

fn read_expr(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(op) => {
            let (left_type, right_type) = (time_type(&left, schema), time_type(&right, schema));
            let (left, right) = (beside(*left, &right_type, schema), beside(*right, &left_type, schema));
            let transformed = left.transformed || right.transformed;
            let binary = BinaryExpr { left: left.data.into(), op, right: right.data.into() };
            Transformed::new_transformed(Expr::BinaryExpr(binary), transformed)
        }
        Expr::Between(Between { expr, negated, low, high }) => {
            let time = time_type(&expr, schema);
            let (low, high) = (beside(*low, &time, schema), beside(*high, &time, schema));
            let transformed = low.transformed || high.transformed;
            let between = Between { expr, negated, low: low.data.into(), high: high.data.into() };
            Transformed::new_transformed(Expr::Between(between), transformed)
        }
        Expr::InList(InList { expr, list, negated }) => {
            let time = time_type(&expr, schema);
            let list: Vec<_> = list.into_iter().map(|item| beside(item, &time, schema)).collect();
            let transformed = list.iter().any(|item| item.transformed);
            let list = list.into_iter().map(|item| item.data).collect();
            Transformed::new_transformed(Expr::InList(InList { expr, list, negated }), transformed)
        }
        Expr::Cast(Cast { expr, field }) => match field.data_type() {
            DataType::Timestamp(TimeUnit::Nanosecond, zone) if is_far(&expr) => {
                Transformed::yes(cast(*expr, DataType::Timestamp(TimeUnit::Microsecond, zone.clone())))
            }
            _ => Transformed::no(Expr::Cast(Cast { expr, field })),
        },
        other => Transformed::no(other),
    }
}

/// Whether an operator compares two values.
pub(crate) fn compares(operator: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// The type of an expression that is a time in microseconds.
fn time_type(expr: &Expr, schema: &DFSchema) -> Option<DataType> {
    let found = expr.get_type(schema).ok()?;
    matches!(found, DataType::Timestamp(TimeUnit::Microsecond, _)).then_some(found)
}

/// What stands beside a time of this type: a date becomes one, and so does a text, or what a text was cast to, that is one exactly.
fn beside(expr: Expr, time: &Option<DataType>, schema: &DFSchema) -> Transformed<Expr> {
    let Some(time) = time else { return Transformed::no(expr) };
    let is_date = expr.get_type(schema).is_ok_and(|found| found == DataType::Date32);
    let text = match &expr {
        Expr::Cast(Cast { expr: text, field }) if matches!(field.data_type(), DataType::Timestamp(..)) => {
            text
        }
        other => other,
    };
    let is_exact = Nanoseconds::of(text).is_some_and(|found| found.loses_nothing());
    if is_date || is_exact { Transformed::yes(cast(expr, time.clone())) } else { Transformed::no(expr) }
}

/// The text of a time that microseconds hold: how many nanoseconds it is, where they reach it.
struct Nanoseconds(Option<i64>);

impl Nanoseconds {
    fn of(expr: &Expr) -> Option<Self> {
        let Expr::Literal(text @ (ScalarValue::Utf8(Some(_)) | ScalarValue::Utf8View(Some(_))), _) = expr
        else {
            return None;
        };
        let read = |unit| text.cast_to(&DataType::Timestamp(unit, None)).ok().filter(|time| !time.is_null());
        read(TimeUnit::Microsecond)?;
        match read(TimeUnit::Nanosecond) {
            Some(ScalarValue::TimestampNanosecond(nanoseconds, _)) => Some(Self(nanoseconds)),
            _ => Some(Self(None)),
        }
    }

    /// Whether the time is the same in microseconds.
    fn loses_nothing(&self) -> bool {
        self.0.is_none_or(|nanoseconds| nanoseconds % 1000 == 0)
    }
}

/// Whether this is the text of a time that microseconds hold and nanoseconds do not.
fn is_far(expr: &Expr) -> bool {
    Nanoseconds::of(expr).is_some_and(|found| found.0.is_none())
}
