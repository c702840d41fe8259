//! Numbers that the engine would cut or wrap: quotients of decimals are numbers with all their digits, counts are signed, and whole numbers that
//! are made whole stay as they are.
//!
//! It runs before types are made alike. Must not change quotients of whole numbers.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator};
use datafusion::optimizer::AnalyzerRule;

use super::cast::cast;
use super::rewrite::rewrite;

/// Casts what would lose digits or its sign.
#[derive(Debug)]
pub(super) struct Numbers;

impl AnalyzerRule for Numbers {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite(plan, &|expr, schema| Ok(rewrite_expr(expr, schema)))
    }

    fn name(&self) -> &'static str {
        "numbers"
    }
}

fn rewrite_expr(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let type_of = |expr: &Expr| expr.get_type(schema).ok();
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Divide, right }) => {
            let sides = [type_of(&left), type_of(&right)];
            let (left, right) = match sides {
                [Some(above), Some(below)] if is_cut(&above, &below) => {
                    (cast(*left, DataType::Float64).into(), cast(*right, DataType::Float64).into())
                }
                _ => {
                    return Transformed::no(Expr::BinaryExpr(BinaryExpr {
                        left,
                        op: Operator::Divide,
                        right,
                    }));
                }
            };
            Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op: Operator::Divide, right }))
        }
        Expr::ScalarFunction(mut function) if is_whole_already(&function, schema) => {
            Transformed::yes(function.args.swap_remove(0))
        }
        // Of counts and positions, `length(a) - length(b)` may be negative.
        Expr::ScalarFunction(function) => {
            let function = Expr::ScalarFunction(function);
            match type_of(&function) {
                Some(DataType::UInt64) => Transformed::yes(cast(function, DataType::Int64)),
                _ => Transformed::no(function),
            }
        }
        other => Transformed::no(other),
    }
}

/// Whether a whole number is made whole, which the engine does by way of a double.
fn is_whole_already(function: &ScalarFunction, schema: &DFSchema) -> bool {
    let value = match (function.func.name(), function.args.as_slice()) {
        ("ceil" | "floor" | "trunc", [value]) => value,
        ("trunc", [value, Expr::Literal(ScalarValue::Int64(Some(0..)), _)]) => value,
        _ => return false,
    };
    value.get_type(schema).is_ok_and(|found| found.is_integer())
}

/// Whether a quotient of these types is a decimal, of which the engine keeps four digits more than there were.
fn is_cut(above: &DataType, below: &DataType) -> bool {
    let is_exact = |found: &DataType| found.is_decimal() || found.is_integer();
    is_exact(above) && is_exact(below) && (above.is_decimal() || below.is_decimal())
}
