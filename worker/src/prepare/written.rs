//! What of a query, as it is written, an error speaks of: what it divides by, and what a text that is written out stands beside.
//!
//! Must not read rows, nor say where a value is: that is `blame`.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::{Between, Case, Cast, InList};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator};

use crate::engine::{FailedValue, compares, with_divisors};
use crate::failure::StepError;

/// The most expressions that a message names.
const MOST_NAMED: usize = 3;

/// Functions that compare their arguments.
const COMPARING: [&str; 6] =
    ["nullif", "greatest", "least", "array_has", "array_position", "array_positions"];

/// The error, with the expressions of the query that it is about, where they are known. The plan is as it was before it was analyzed.
pub(super) fn with_expressions(error: StepError, plan: &LogicalPlan) -> StepError {
    let message = match FailedValue::in_message(&error.message) {
        Some(FailedValue::Divisor) => with_divisors(&error.message, &named(plan, divisors)),
        Some(FailedValue::Text(text)) => {
            let compared = named(plan, |expr, node| beside(&compared(expr), node, text));
            let given = named(plan, |expr, node| beside(&given(expr), node, text));
            match (compared.as_slice(), given.as_slice()) {
                ([], []) => return error,
                ([], others) => format!("{}. The text stands beside {}", error.message, others.join(" and ")),
                (others, _) => {
                    format!("{}. The text is compared with {}", error.message, others.join(" and "))
                }
            }
        }
        _ => return error,
    };
    StepError { message, ..error }
}

/// The names of what is found in all expressions of a plan; none where they are many.
fn named(plan: &LogicalPlan, find: impl Fn(&Expr, &LogicalPlan) -> Vec<Expr>) -> Vec<String> {
    let mut names = Vec::new();
    // Looking fails nowhere.
    let _ = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                for found in find(part, node) {
                    let name = match found {
                        Expr::Column(column) => column.name,
                        other => other.human_display().to_string(),
                    };
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    // What people did not write is not said to them.
    let is_own = |name: &String| !name.contains("<subquery>") && !name.contains("Int64(");
    if names.len() > MOST_NAMED || !names.iter().all(is_own) { Vec::new() } else { names }
}

/// What an expression divides by, if a zero there is an error.
fn divisors(expr: &Expr, node: &LogicalPlan) -> Vec<Expr> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = expr else { return Vec::new() };
    let schema = merge_schema(&node.inputs());
    let is_quotient_of = |fails: fn(&DataType) -> bool| {
        [left, right].iter().all(|side| side.get_type(&schema).is_ok_and(|found| fails(&found)))
    };
    let is_error = match op {
        Operator::Divide => is_quotient_of(DataType::is_integer),
        Operator::Modulo => is_quotient_of(|found| found.is_integer() || found.is_decimal()),
        _ => false,
    };
    let is_zero =
        |value: &ScalarValue| ScalarValue::new_zero(&value.data_type()).is_ok_and(|zero| zero == *value);
    let is_other_number = matches!(right.as_ref(), Expr::Literal(value, _) if !is_zero(value));
    let is_guarded = matches!(right.as_ref(), Expr::ScalarFunction(call) if call.func.name() == "nullif");
    if is_error && !is_other_number && !is_guarded { vec![Expr::clone(right)] } else { Vec::new() }
}

/// What a text that is written out stands beside in an expression, which is no text.
fn beside(all: &[&Expr], node: &LogicalPlan, text: &str) -> Vec<Expr> {
    if !all.iter().any(|expr| is_text(expr, text)) {
        return Vec::new();
    }
    let schema = merge_schema(&node.inputs());
    let is_other =
        |expr: &Expr| expr.any_column_refs() && expr.get_type(&schema).is_ok_and(|found| !found.is_string());
    all.iter().copied().filter(|expr| is_other(expr)).cloned().collect()
}

/// What an expression compares.
fn compared(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(*op) => {
            vec![left.as_ref(), right.as_ref()]
        }
        Expr::Between(Between { expr, low, high, .. }) => vec![expr.as_ref(), low.as_ref(), high.as_ref()],
        Expr::InList(InList { expr, list, .. }) => std::iter::once(expr.as_ref()).chain(list).collect(),
        Expr::Case(Case { expr: Some(expr), when_then_expr, .. }) => {
            let whens = when_then_expr.iter().map(|(when, _)| when.as_ref());
            std::iter::once(expr.as_ref()).chain(whens).collect()
        }
        Expr::ScalarFunction(call) if COMPARING.contains(&call.func.name()) => call.args.iter().collect(),
        _ => Vec::new(),
    }
}

/// What an expression gives one of.
fn given(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Case(Case { when_then_expr, else_expr, .. }) => {
            let thens = when_then_expr.iter().map(|(_, then)| then.as_ref());
            thens.chain(else_expr.as_deref()).collect()
        }
        Expr::ScalarFunction(call) if call.func.name() == "coalesce" => call.args.iter().collect(),
        _ => Vec::new(),
    }
}

/// Whether it is this text, of which the engine says the lower-case letters at times, as it is written or as it is read.
fn is_text(expr: &Expr, text: &str) -> bool {
    match expr {
        Expr::Literal(value, _) => {
            value.try_as_str().flatten().is_some_and(|written| written.eq_ignore_ascii_case(text))
        }
        Expr::Cast(Cast { expr, .. }) => is_text(expr, text),
        _ => false,
    }
}
