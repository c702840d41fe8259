//! An ORDER BY in a query within that nothing depends on: it is left out, since its rows would be sorted for nothing, and since the engine gives
//! up where it stands above a condition that refers to the row outside. What is wrong in it is said all the same.
//!
//! Must not touch an ORDER BY with LIMIT, nor one below what may depend on the order of rows: groups come in the order of their first rows, sums
//! of doubles are added in it, and so are texts.

use std::ops::ControlFlow;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::logical_expr::{ExprSchemable, LogicalPlan};
use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Query, Select, SetExpr, Statement, TableFactor, VisitMut, VisitorMut,
    visit_expressions,
};

/// Aggregates that are the same in any order of the rows.
const COUNTING: [&str; 3] = ["count", "bool_and", "bool_or"];

/// Leaves them out of a statement.
pub(super) fn leave_out(statement: &mut Statement) {
    // It never breaks off.
    let _ = statement.visit(&mut Leaving);
}

/// Finds what a plan sorts by and cannot be computed: what is left out is not planned any further.
pub(super) fn check(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Sort(sort) = node {
            for by in &sort.expr {
                by.expr.get_type(sort.input.schema())?;
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

struct Leaving;

impl VisitorMut for Leaving {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Self::Break> {
        of_select(select);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        match expr {
            // Whether there is a row, and whether a value is among them, is the same in any order.
            Expr::Exists { subquery, .. } => of_existence(subquery),
            Expr::InSubquery { subquery, .. } => of_rows(subquery),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Of a SELECT that asks for what is the same in any order: its only row has counts alone.
fn of_select(select: &mut Select) {
    let is_one_group = matches!(&select.group_by, GroupByExpr::Expressions(groups, _) if groups.is_empty());
    if is_one_group && count_functions(select).is_some_and(|counts| counts > 0) {
        of_tables(select);
    }
}

/// Of a query of which only matters whether it has a row.
fn of_existence(query: &mut Query) {
    query.order_by = None;
    if let SetExpr::Select(select) = query.body.as_mut()
        && select.having.is_none()
        && select.qualify.is_none()
    {
        of_tables(select);
    }
}

/// Of a query whose rows are taken in any order.
fn of_rows(query: &mut Query) {
    if !takes_all(query) {
        return;
    }
    query.order_by = None;
    if let SetExpr::Select(select) = query.body.as_mut()
        && count_functions(select).is_some()
    {
        of_tables(select);
    }
}

fn of_tables(select: &mut Select) {
    for tables in &mut select.from {
        of_table(&mut tables.relation);
        tables.joins.iter_mut().for_each(|join| of_table(&mut join.relation));
    }
}

fn of_table(table: &mut TableFactor) {
    if let TableFactor::Derived { subquery, .. } = table {
        of_rows(subquery);
    }
}

/// Whether the rows of a query are the same in any order.
fn takes_all(query: &Query) -> bool {
    let takes_first = match query.body.as_ref() {
        SetExpr::Select(select) => matches!(select.distinct, Some(Distinct::On(_))),
        _ => false,
    };
    query.limit_clause.is_none() && query.fetch.is_none() && !takes_first
}

/// How many functions that count a SELECT has; `None` if it has others, which may depend on the order of rows.
fn count_functions(select: &Select) -> Option<usize> {
    let mut counts = 0;
    let mut look = |expr: &Expr| {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        let is_counting = function.over.is_none()
            && COUNTING.iter().any(|name| function.name.to_string().eq_ignore_ascii_case(name));
        if !is_counting {
            return ControlFlow::Break(());
        }
        counts += 1;
        ControlFlow::Continue(())
    };
    let are_all_counting = visit_expressions(&select.projection, &mut look).is_continue()
        && visit_expressions(&select.having, &mut look).is_continue()
        && visit_expressions(&select.qualify, &mut look).is_continue();
    are_all_counting.then_some(counts)
}
