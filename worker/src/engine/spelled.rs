//! What SQL spells otherwise than the engine: patterns, parts of durations, times without seconds and sums of decimals that are written out.
//!
//! Owns the order in which these are read; each has a module of its own. It runs before types are made alike, and before the other rules,
//! which then see one spelling.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

use super::rewrite::rewrite;
use super::{duration_parts, exact_literals, like_escape, minutes, similar_to};

/// Rewrites expressions to the engine's spelling.
#[derive(Debug)]
pub(super) struct Spelled;

impl AnalyzerRule for Spelled {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite(plan, &read)
    }

    fn name(&self) -> &'static str {
        "spelled"
    }
}

fn read(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match &expr {
        Expr::SimilarTo(_) => similar_to::read(expr),
        Expr::Like(like) if like.escape_char.is_some() => like_escape::read(like.clone()),
        Expr::ScalarFunction(function) if function.func.name() == "to_char" => {
            check_pattern(function, schema)?;
            Ok(Transformed::no(expr))
        }
        Expr::ScalarFunction(_) => duration_parts::read(expr, schema),
        Expr::BinaryExpr(_) => {
            let folded = exact_literals::read(expr);
            Ok(if folded.transformed { folded } else { minutes::read(folded.data, schema) })
        }
        _ => Ok(minutes::read(expr, schema)),
    }
}

/// A pattern of `to_char` without any part would be the answer itself, as one of PostgreSQL's.
fn check_pattern(ScalarFunction { args, .. }: &ScalarFunction, schema: &DFSchema) -> Result<()> {
    let [value, Expr::Literal(pattern, _)] = args.as_slice() else { return Ok(()) };
    let Some(pattern) = pattern.try_as_str().flatten() else { return Ok(()) };
    // Durations have names of formats.
    if pattern.contains('%') || matches!(value.get_type(schema), Ok(DataType::Duration(_))) {
        return Ok(());
    }
    plan_err!(
        "the pattern {pattern:?} of to_char has no part that begins with %, and would be the answer itself; patterns are those of strftime, as \
         '%Y-%m-%d' for YYYY-MM-DD and '%H:%M:%S' for HH24:MI:SS"
    )
}
