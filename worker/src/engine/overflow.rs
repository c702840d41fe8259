//! `+`, `-`, also before one number, `*`, `<<` and `>>` of whole numbers: an error where the result does not fit, where the engine would wrap
//! around.

use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::kernels::numeric::{add, mul, sub};
use datafusion::arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Decimal128Type};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::physical_expr_common::datum::apply;

use super::rewrite::rewrite;
use super::shifts::{shift_left, shift_right};

/// Replaces arithmetic of whole numbers by functions that check. It runs after types are made alike.
#[derive(Debug)]
pub(super) struct CheckedArithmetic {
    plus: Arc<ScalarUDF>,
    minus: Arc<ScalarUDF>,
    times: Arc<ScalarUDF>,
    shift_left: Arc<ScalarUDF>,
    shift_right: Arc<ScalarUDF>,
    /// What is as wide as a decimal may be has no more digits than that.
    digits: Arc<ScalarUDF>,
}

impl CheckedArithmetic {
    pub(super) fn new() -> Self {
        let checked = |operation| Arc::new(ScalarUDF::new_from_impl(Checked::new(operation)));
        Self {
            plus: checked(Operation::Plus),
            minus: checked(Operation::Minus),
            times: checked(Operation::Times),
            shift_left: checked(Operation::ShiftLeft),
            shift_right: checked(Operation::ShiftRight),
            digits: Arc::new(ScalarUDF::new_from_impl(CheckedDigits::new())),
        }
    }

    fn function(&self, operator: Operator) -> Option<&Arc<ScalarUDF>> {
        match operator {
            Operator::Plus => Some(&self.plus),
            Operator::Minus => Some(&self.minus),
            Operator::Multiply => Some(&self.times),
            Operator::BitwiseShiftLeft => Some(&self.shift_left),
            Operator::BitwiseShiftRight => Some(&self.shift_right),
            _ => None,
        }
    }

    /// The smallest whole number has no opposite: 0 less it is what is checked.
    fn check_negation(&self, expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        let Expr::Negative(negated) = expr else { return Ok(Transformed::no(expr)) };
        match negated.get_type(schema) {
            Ok(whole) if whole.is_signed_integer() => {
                let zero = Expr::Literal(ScalarValue::new_zero(&whole)?, None);
                let call = ScalarFunction::new_udf(Arc::clone(&self.minus), vec![zero, *negated]);
                Ok(Transformed::yes(Expr::ScalarFunction(call)))
            }
            _ => Ok(Transformed::no(Expr::Negative(negated))),
        }
    }

    fn check(&self, expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = expr else {
            return self.check_negation(expr, schema);
        };
        let is_whole = |side: &Expr| side.get_type(schema).is_ok_and(|found| found.is_integer());
        if let Some(function) = self.function(op).filter(|_| is_whole(&left) && is_whole(&right)) {
            let call = ScalarFunction::new_udf(Arc::clone(function), vec![*left, *right]);
            return Ok(Transformed::yes(Expr::ScalarFunction(call)));
        }
        let binary = Expr::BinaryExpr(BinaryExpr { left, op, right });
        let is_widest = op.is_numerical_operators()
            && matches!(binary.get_type(schema), Ok(DataType::Decimal128(DECIMAL128_MAX_PRECISION, _)));
        if !is_widest {
            return Ok(Transformed::no(binary));
        }
        let call = ScalarFunction::new_udf(Arc::clone(&self.digits), vec![binary]);
        Ok(Transformed::yes(Expr::ScalarFunction(call)))
    }
}

impl AnalyzerRule for CheckedArithmetic {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite(plan, &|expr, schema| self.check(expr, schema))
    }

    fn name(&self) -> &'static str {
        "checked_arithmetic"
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Operation {
    Plus,
    Minus,
    Times,
    ShiftLeft,
    ShiftRight,
}

/// An operation of two whole numbers of one type.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Checked {
    operation: Operation,
    signature: Signature,
}

impl Checked {
    fn new(operation: Operation) -> Self {
        Self { operation, signature: Signature::any(2, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &'static str {
        match self.operation {
            Operation::Plus => "checked_plus",
            Operation::Minus => "checked_minus",
            Operation::Times => "checked_times",
            Operation::ShiftLeft => "checked_shift_left",
            Operation::ShiftRight => "checked_shift_right",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.first().cloned().ok_or_else(|| DataFusionError::Internal("no argument".to_owned()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else {
            return Err(DataFusionError::Internal("two arguments are expected".to_owned()));
        };
        match self.operation {
            Operation::Plus => apply(left, right, add),
            Operation::Minus => apply(left, right, sub),
            Operation::Times => apply(left, right, mul),
            Operation::ShiftLeft => apply(left, right, shift_left),
            Operation::ShiftRight => apply(left, right, shift_right),
        }
    }
}

/// A decimal, where it has as many digits as its type at most: the engine computes with more and writes them.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CheckedDigits {
    signature: Signature,
}

impl CheckedDigits {
    fn new() -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for CheckedDigits {
    fn name(&self) -> &'static str {
        "checked_digits"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.first().cloned().ok_or_else(|| DataFusionError::Internal("no argument".to_owned()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = args.args.as_slice() else {
            return Err(DataFusionError::Internal("one argument is expected".to_owned()));
        };
        let array = value.to_array(args.number_rows)?;
        if let Some(decimals) = array.as_primitive_opt::<Decimal128Type>() {
            decimals.validate_decimal_precision(DECIMAL128_MAX_PRECISION)?;
        }
        Ok(value.clone())
    }
}
