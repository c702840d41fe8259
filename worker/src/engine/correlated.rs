//! A SELECT that refers to the row outside, as the engine works it out: as a join, with the condition that refers to that row above all else.
//!
//! What counts, numbers or cuts rows above such a condition would then do so for the rows of all at once. Where that gives another answer, the
//! query is refused with a way out. Must not ask whether nulls count as false: that is `subqueries`.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion, TreeNodeVisitor};
use datafusion::common::{Column, DFSchema, JoinType, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, FetchType, Join, Limit, LogicalPlan, SkipType, Subquery,
};

/// What is asked of a SELECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Its rows, or its only one.
    Rows,
    /// Whether it has a row: EXISTS.
    IsThere,
    /// Whether a value compares with those of its rows: IN, ANY, ALL.
    IsAmong,
}

/// Refuses what would be of the rows of all.
pub(super) fn check(select: &Subquery, asked: Asked) -> Result<()> {
    if select.outer_ref_columns.is_empty() {
        return Ok(());
    }
    let plan = match select.subquery.as_ref() {
        // Whether there is a row does not depend on how many are taken.
        LogicalPlan::Limit(limit) if asked == Asked::IsThere && takes_the_first(limit)? => {
            limit.input.as_ref()
        }
        plan => plan,
    };
    plan.visit(&mut Above { asked, refers: false, is_total: false })?;
    Ok(())
}

/// Refuses a table of a query within a SELECT that is called like one outside: the condition that refers to the row outside leaves that query, and what it
/// says of the table within would be said of the one outside.
pub(super) fn check_names(select: &Subquery, outside: &DFSchema) -> Result<()> {
    columns_of_conditions(&select.subquery, outside).map(|_| ())
}

/// The columns of the SELECT itself in the conditions that refer to the row outside.
fn columns_of_conditions(plan: &LogicalPlan, outside: &DFSchema) -> Result<Vec<Column>> {
    let mut columns = Vec::new();
    if matches!(plan, LogicalPlan::Subquery(_)) {
        return Ok(columns);
    }
    for input in plan.inputs() {
        columns.extend(columns_of_conditions(input, outside)?);
    }
    if let LogicalPlan::SubqueryAlias(named) = plan
        && let Some(column) = columns.iter().find(|column| outside.has_column(column))
    {
        let (name, within) =
            (column.relation.as_ref().map_or("t", |table| table.table()), named.alias.table());
        return plan_err!(
            "\"{name}\" stands in the query that is called \"{within}\" and outside too, and a condition of it refers to the row outside; write that \
             condition behind the query: (SELECT * FROM \"{name}\") AS \"{within}\" WHERE \"{within}\".k = …"
        );
    }
    if plan.contains_outer_reference() {
        for expr in plan.expressions() {
            let referring = split_conjunction(&expr).into_iter().filter(|part| part.contains_outer());
            columns.extend(referring.flat_map(|part| part.column_refs().into_iter().cloned()));
        }
    }
    Ok(columns)
}

/// Looks at what stands above a condition that refers to the row outside.
struct Above {
    asked: Asked,
    /// Whether there was such a condition.
    refers: bool,
    /// Whether there was an aggregate that has a row for no rows too.
    is_total: bool,
}

impl<'n> TreeNodeVisitor<'n> for Above {
    type Node = LogicalPlan;

    fn f_down(&mut self, node: &'n LogicalPlan) -> Result<TreeNodeRecursion> {
        // One within it is looked at for itself.
        let is_within = matches!(node, LogicalPlan::Subquery(_));
        Ok(if is_within { TreeNodeRecursion::Jump } else { TreeNodeRecursion::Continue })
    }

    fn f_up(&mut self, node: &'n LogicalPlan) -> Result<TreeNodeRecursion> {
        if self.refers {
            self.check(node)?;
        }
        self.refers |= node.contains_outer_reference();
        Ok(TreeNodeRecursion::Continue)
    }
}

impl Above {
    fn check(&mut self, node: &LogicalPlan) -> Result<()> {
        match node {
            LogicalPlan::Window(_) => plan_err!(
                "a window in a SELECT that refers to the row outside would be over the rows of all; work it out for each in a query within: EXISTS \
                 (SELECT 1 FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY v) AS r FROM b) AS b WHERE b.k = a.k AND b.r = 2), or join \
                 that query"
            ),
            LogicalPlan::Distinct(Distinct::On(_)) => plan_err!(
                "DISTINCT ON in a SELECT that refers to the row outside would be of the rows of all; name what refers to it in a query within: \
                 (SELECT DISTINCT ON (k, g) * FROM b ORDER BY k, g, v) AS b WHERE b.k = a.k"
            ),
            LogicalPlan::Limit(_) if self.asked != Asked::Rows => plan_err!(
                "LIMIT or OFFSET in the SELECT of EXISTS, IN, ANY or ALL that refers to the row outside would be left out; EXISTS of more than one \
                 row is (SELECT count(*) FROM b WHERE b.k = a.k) > 1; for values of the first rows, number them in a query within: (SELECT *, \
                 row_number() OVER (PARTITION BY k ORDER BY v) AS r FROM b) AS b WHERE b.k = a.k AND b.r <= 2"
            ),
            LogicalPlan::Join(join) => check_join(join),
            LogicalPlan::Aggregate(aggregate) => self.check_aggregate(aggregate),
            _ => Ok(()),
        }
    }

    fn check_aggregate(&mut self, aggregate: &Aggregate) -> Result<()> {
        if self.is_total {
            return plan_err!(
                "an aggregate of an aggregate without GROUP BY that refers to the row outside would be null where there are no rows; take the one \
                 within alone: (SELECT count(*) FROM b WHERE b.k = a.k)"
            );
        }
        let is_set = aggregate.group_expr.iter().any(|group| matches!(group, Expr::GroupingSet(_)));
        if is_set {
            return plan_err!(
                "totals of ROLLUP, CUBE or GROUPING SETS in a SELECT that refers to the row outside would be left out where there are no rows; \
                 write their aggregates as values: (SELECT count(*) FROM b WHERE b.k = a.k)"
            );
        }
        if !aggregate.group_expr.is_empty() {
            return Ok(());
        }
        if self.asked != Asked::Rows {
            return plan_err!(
                "EXISTS, IN, ANY or ALL with an aggregate without GROUP BY that refers to the row outside would not know that there is a row for \
                 no rows too; compare the aggregate as a value: (SELECT count(*) FROM b WHERE b.k = a.k) = 0"
            );
        }
        self.is_total = true;
        Ok(())
    }
}

/// Rows that an outer join has without any of the other table are left out by a condition of that one, once it stands above.
fn check_join(join: &Join) -> Result<()> {
    let (is_left, is_right) = match join.join_type {
        JoinType::Left => (false, true),
        JoinType::Right => (true, false),
        JoinType::Full => (true, true),
        _ => (false, false),
    };
    if (is_left && refers(&join.left)?) || (is_right && refers(&join.right)?) {
        return plan_err!(
            "in a SELECT that refers to the row outside, a LEFT, RIGHT or FULL JOIN would leave out its rows without any of the table that refers to it; \
             join in the query outside: SELECT a.id, max(c.v) FROM a CROSS JOIN c LEFT JOIN b ON b.k = a.k AND b.v = c.v GROUP BY a.id"
        );
    }
    Ok(())
}

/// Whether a condition of these rows refers to the row outside.
fn refers(rows: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    rows.apply(|node| {
        if matches!(node, LogicalPlan::Subquery(_)) {
            return Ok(TreeNodeRecursion::Jump);
        }
        found |= node.contains_outer_reference();
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

fn takes_the_first(limit: &Limit) -> Result<bool> {
    Ok(matches!(limit.get_skip_type()?, SkipType::Literal(0))
        && matches!(limit.get_fetch_type()?, FetchType::Literal(_)))
}
