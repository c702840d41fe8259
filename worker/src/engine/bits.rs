//! Operators of bits beside numbers with a fraction, which the engine cuts without a word: refused, with a way out.
//!
//! It runs before types are made alike. Must not compute anything: that is `shifts`.

use datafusion::common::{DFSchema, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator};

use super::number_types::has_fraction;

/// Refuses numbers whose fraction would be cut.
pub(super) fn check(expr: &Expr, schema: &DFSchema) -> Result<()> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = expr else { return Ok(()) };
    let Some(sign) = sign(*op) else { return Ok(()) };
    for side in [left, right] {
        let Some(found) = side.get_type(schema).ok().filter(has_fraction) else { continue };
        let x = shown(side);
        return plan_err!(
            "{sign} takes whole numbers, and would cut the fraction of {x} ({found}); CAST({x} AS BIGINT) cuts it, and CAST(round({x}) AS BIGINT) \
             takes the nearest whole number"
        );
    }
    Ok(())
}

/// How an operator of bits is written.
fn sign(operator: Operator) -> Option<&'static str> {
    match operator {
        Operator::BitwiseAnd => Some("&"),
        Operator::BitwiseOr => Some("|"),
        Operator::BitwiseXor => Some("XOR"),
        Operator::BitwiseShiftLeft => Some("<<"),
        Operator::BitwiseShiftRight => Some(">>"),
        _ => None,
    }
}

/// What messages call an expression.
fn shown(expr: &Expr) -> String {
    match expr {
        Expr::Column(column) => column.name.clone(),
        Expr::Literal(value, _) => value.to_string(),
        other => other.human_display().to_string(),
    }
}
