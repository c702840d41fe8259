//! Rewriting the expressions of a plan, each from within, so that its columns keep their names.

use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::GroupingSet;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, LogicalPlan};

/// What becomes of an expression over rows of a schema, once those in it are rewritten.
pub(super) type Rewrite<'a> = &'a dyn Fn(Expr, &DFSchema) -> Result<Transformed<Expr>>;

/// The plan, with every expression of it and of the queries within rewritten.
pub(super) fn rewrite(plan: LogicalPlan, rewrite: Rewrite<'_>) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|plan| rewrite_node(plan, rewrite)).data()
}

/// One node of a plan, with its own expressions rewritten.
pub(super) fn rewrite_node(plan: LogicalPlan, rewrite: Rewrite<'_>) -> Result<Transformed<LogicalPlan>> {
    let mut schema = merge_schema(&plan.inputs());
    if let LogicalPlan::TableScan(scan) = &plan {
        schema.merge(&scan.projected_schema);
    }
    let names = NamePreserver::new(&plan);
    let named = |expr: Expr| {
        let name = names.save(&expr);
        let written = expr.transform_up(|expr| rewrite(expr, &schema))?;
        Ok(written.update_data(|expr| name.restore(expr)))
    };
    plan.map_expressions(|expr| match expr {
        // The columns of grouping sets are those of the expressions in them, and have their names.
        Expr::GroupingSet(sets) => grouping_set(sets, &named),
        expr => named(expr),
    })
}

fn grouping_set(
    sets: GroupingSet,
    named: &dyn Fn(Expr) -> Result<Transformed<Expr>>,
) -> Result<Transformed<Expr>> {
    let all = |set: Vec<Expr>| set.into_iter().map(|expr| named(expr).data()).collect::<Result<Vec<Expr>>>();
    let written = match sets {
        GroupingSet::Rollup(set) => GroupingSet::Rollup(all(set)?),
        GroupingSet::Cube(set) => GroupingSet::Cube(all(set)?),
        GroupingSet::GroupingSets(sets) => {
            GroupingSet::GroupingSets(sets.into_iter().map(all).collect::<Result<_>>()?)
        }
    };
    Ok(Transformed::yes(Expr::GroupingSet(written)))
}
