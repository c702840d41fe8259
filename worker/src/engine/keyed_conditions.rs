//! Conditions that compare something computed of a row with the row outside, as one that compares a column: the engine groups rows by the columns of
//! such conditions, and several of their values may be equal to one, as the texts 1 and 01 are to a number. The row outside would then come out
//! once for each.
//!
//! It runs when types are made alike. Must not look at other conditions than those that refer to the row outside.

use std::sync::Arc;

use datafusion::common::Column;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::error::Result;
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{BinaryExpr, Expr, Filter, LogicalPlan, Operator, Projection};
use datafusion::optimizer::AnalyzerRule;

use super::subqueries::has_select;

/// Makes columns of what is compared with the row outside.
#[derive(Debug)]
pub(super) struct KeyedConditions;

impl AnalyzerRule for KeyedConditions {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let mut names = 0;
        plan.transform_up_with_subqueries(|plan| match plan {
            // Its groups are those of the columns of the conditions already.
            LogicalPlan::Aggregate(mut aggregate) if aggregate.group_expr.is_empty() => {
                aggregate.input = keyed(aggregate.input, &mut names)?;
                Ok(Transformed::yes(LogicalPlan::Aggregate(aggregate)))
            }
            LogicalPlan::Projection(mut projection) => {
                projection.input = keyed(projection.input, &mut names)?;
                Ok(Transformed::yes(LogicalPlan::Projection(projection)))
            }
            other => Ok(Transformed::no(other)),
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "keyed_conditions"
    }
}

/// Rows whose conditions compare columns.
fn keyed(input: Arc<LogicalPlan>, names: &mut usize) -> Result<Arc<LogicalPlan>> {
    let LogicalPlan::Filter(filter) = input.as_ref() else { return Ok(input) };
    let (mut conditions, mut kept, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    for part in split_conjunction(&filter.predicate) {
        if !part.contains_outer() {
            kept.push(part.clone());
            continue;
        }
        match compared(part) {
            Some((key, outside)) => {
                *names += 1;
                let name = format!("__equal_{names}");
                keys.push(key.clone().alias(name.clone()));
                conditions.push(Expr::Column(Column::from_name(name)).eq(outside.clone()));
            }
            None => conditions.push(part.clone()),
        }
    }
    if keys.is_empty() {
        return Ok(input);
    }
    // What leaves out rows stands below: a key may not be there for them.
    let rows = match conjunction(kept) {
        Some(kept) => Arc::new(LogicalPlan::Filter(Filter::try_new(kept, Arc::clone(&filter.input))?)),
        None => Arc::clone(&filter.input),
    };
    let columns = filter.input.schema().columns().into_iter().map(Expr::Column).chain(keys).collect();
    let rows = Arc::new(LogicalPlan::Projection(Projection::try_new(columns, rows)?));
    match conjunction(conditions) {
        Some(condition) => Ok(Arc::new(LogicalPlan::Filter(Filter::try_new(condition, rows)?))),
        None => Ok(rows),
    }
}

/// What is computed of the row within and equal to a value of the row outside, and that value.
fn compared(condition: &Expr) -> Option<(&Expr, &Expr)> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = condition else { return None };
    let is_computed = |expr: &Expr| {
        let is_column = matches!(expr, Expr::Column(_));
        !is_column && expr.any_column_refs() && !expr.contains_outer() && !has_select(expr)
    };
    match (left.as_ref(), right.as_ref()) {
        (left, right) if is_computed(left) && !right.any_column_refs() => Some((left, right)),
        (left, right) if is_computed(right) && !left.any_column_refs() => Some((right, left)),
        _ => None,
    }
}
