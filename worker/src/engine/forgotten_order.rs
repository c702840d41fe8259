//! What the engine takes for sorted or constant after a join or grouping sets, and is not: a sort by it would be left out.
//!
//! Rows of an outer join without a partner have null where `b.k = 'x'` held of the table; so have totals of grouping sets. And rows that are sorted by
//! `a` are not sorted by `a, b` once each has got its partners, in the order of their `b`: two of one `a` may have the same.
//! The inputs of such nodes therefore say nothing of it. A query within that sorts its rows, on the other hand, does so whoever reads them.

use std::sync::Arc;

use datafusion::common::JoinType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use super::assumed_order::AssumedOrder;

/// Lets inputs of joins and grouping sets forget their order, and constants that do not hold behind them. It runs before sorts are planned.
#[derive(Debug)]
pub(super) struct ForgottenOrder;

impl PhysicalOptimizerRule for ForgottenOrder {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(forget).data()
    }

    fn name(&self) -> &'static str {
        "forgotten_order"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn forget(plan: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    if let Some(sort) = plan.downcast_ref::<SortExec>() {
        let by = sort.expr().clone();
        return Ok(Transformed::yes(Arc::new(AssumedOrder::required(plan, by))));
    }
    let Some(nulls) = adds_nulls(&plan) else { return Ok(Transformed::no(plan)) };
    let children: Vec<Arc<dyn ExecutionPlan>> = plan.children().into_iter().cloned().collect();
    let forgetting: Vec<Arc<dyn ExecutionPlan>> =
        children.iter().zip(nulls).map(|(child, nulls)| forgetful(child, nulls)).collect::<Result<_>>()?;
    if children.iter().zip(&forgetting).all(|(child, forgetting)| Arc::ptr_eq(child, forgetting)) {
        return Ok(Transformed::no(plan));
    }
    Ok(Transformed::yes(replace_children_if_necessary(plan, forgetting)?))
}

/// Whether a window's rows have a column that is known to be equal to what is computed: the engine would sort by the one, and look for the other.
fn has_equal_values(window: &Arc<dyn ExecutionPlan>) -> bool {
    let is_window = window.downcast_ref::<WindowAggExec>().is_some()
        || window.downcast_ref::<BoundedWindowAggExec>().is_some();
    is_window
        && window.children().into_iter().any(|input| {
            input
                .equivalence_properties()
                .eq_group()
                .iter()
                .any(|class| class.iter().any(|expr| !expr.is::<Column>() && !expr.is::<Literal>()))
        })
}

/// Of each input of a join, of grouping sets or of a window, whether nothing is kept of what is equal in its rows: in a join they are null in rows
/// that have none of it. `None` for other nodes.
fn adds_nulls(plan: &Arc<dyn ExecutionPlan>) -> Option<Vec<bool>> {
    if has_equal_values(plan) {
        return Some(vec![true]);
    }
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        return aggregate.group_expr().has_grouping_set().then(|| vec![true]);
    }
    let hash = plan.downcast_ref::<HashJoinExec>().map(HashJoinExec::join_type).copied();
    let nested = plan.downcast_ref::<NestedLoopJoinExec>().map(NestedLoopJoinExec::join_type).copied();
    let merge = plan.downcast_ref::<SortMergeJoinExec>().map(SortMergeJoinExec::join_type);
    let cross = plan.downcast_ref::<CrossJoinExec>().map(|_| JoinType::Inner);
    match hash.or(nested).or(merge).or(cross)? {
        JoinType::Inner => Some(vec![false, false]),
        JoinType::Left => Some(vec![false, true]),
        JoinType::Right => Some(vec![true, false]),
        JoinType::Full => Some(vec![true, true]),
        // They have the columns of one side alone, row by row as they came.
        JoinType::LeftSemi
        | JoinType::RightSemi
        | JoinType::LeftAnti
        | JoinType::RightAnti
        | JoinType::LeftMark
        | JoinType::RightMark => None,
    }
}

/// The input without its order, and without its constants where its columns may be null; itself where it has none.
fn forgetful(input: &Arc<dyn ExecutionPlan>, nulls: bool) -> Result<Arc<dyn ExecutionPlan>> {
    let known = input.equivalence_properties();
    let is_equal = !known.eq_group().is_empty();
    if known.oeq_class().is_empty() && !(nulls && is_equal) {
        return Ok(Arc::clone(input));
    }
    let mut said = EquivalenceProperties::new(input.schema());
    if !nulls {
        said.add_equivalence_group(known.eq_group().clone())?;
    }
    Ok(Arc::new(AssumedOrder::new(Arc::clone(input), said)))
}
