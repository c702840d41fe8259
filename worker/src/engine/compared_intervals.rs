//! Intervals are compared by how long they are, with months of 30 days as in PostgreSQL: the engine compares months, then days, then hours,
//! and 25 hours would be shorter than a day.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Decimal128Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, IntervalMonthDayNanoType, IntervalUnit,
};
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::{Between, InList, ScalarFunction};
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, LogicalPlan, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;

use super::far_times::compares;
use super::rewrite::rewrite;

/// Nanoseconds of a day.
const DAY: i128 = 86_400_000_000_000;

/// What intervals are once their types are made alike.
const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

/// What the length of an interval is, in nanoseconds.
const LENGTH: DataType = DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0);

/// Replaces intervals that are compared by their lengths. It runs after types are made alike.
#[derive(Debug)]
pub(super) struct ComparedIntervals {
    length: Arc<ScalarUDF>,
}

impl ComparedIntervals {
    pub(super) fn new() -> Self {
        let signature = Signature::any(1, Volatility::Immutable);
        Self { length: Arc::new(ScalarUDF::new_from_impl(IntervalLength { signature })) }
    }

    fn of(&self, expr: Expr) -> Expr {
        Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&self.length), vec![expr]))
    }

    fn compare(&self, expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
        let is_interval = |expr: &Expr| expr.get_type(schema).is_ok_and(|found| found == INTERVAL);
        match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right })
                if compares(op) && is_interval(&left) && is_interval(&right) =>
            {
                let (left, right) = (self.of(*left).into(), self.of(*right).into());
                Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right }))
            }
            Expr::Between(Between { expr, negated, low, high }) if is_interval(&expr) => {
                let (low, high) = (self.of(*low).into(), self.of(*high).into());
                Transformed::yes(Expr::Between(Between { expr: self.of(*expr).into(), negated, low, high }))
            }
            Expr::InList(InList { expr, list, negated }) if is_interval(&expr) => {
                let list = list.into_iter().map(|item| self.of(item)).collect();
                Transformed::yes(Expr::InList(InList { expr: self.of(*expr).into(), list, negated }))
            }
            other => Transformed::no(other),
        }
    }
}

impl AnalyzerRule for ComparedIntervals {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite(plan, &|expr, schema| Ok(self.compare(expr, schema)))
    }

    fn name(&self) -> &'static str {
        "compared_intervals"
    }
}

/// How long an interval is.
#[derive(Debug, PartialEq, Eq, Hash)]
struct IntervalLength {
    signature: Signature,
}

impl ScalarUDFImpl for IntervalLength {
    fn name(&self) -> &'static str {
        "interval_length"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(LENGTH)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let [interval] = args.args.as_slice() else {
            return Err(DataFusionError::Internal("one argument is expected".to_owned()));
        };
        let array = cast(&interval.to_array(rows)?, &INTERVAL)?;
        let lengths: Decimal128Array = array
            .as_primitive::<IntervalMonthDayNanoType>()
            .iter()
            .map(|interval| {
                let interval = interval?;
                let days = i128::from(interval.months) * 30 + i128::from(interval.days);
                Some(days * DAY + i128::from(interval.nanoseconds))
            })
            .collect();
        let lengths: ArrayRef = Arc::new(lengths.with_data_type(LENGTH));
        Ok(ColumnarValue::Array(lengths))
    }
}
