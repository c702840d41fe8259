//! A SELECT within a condition: where the engine takes its nulls for false, or cannot work it out, the query is refused with a way out.
//!
//! `IN` is null where a value is not found among nulls. That makes no difference where only true counts, as below the ANDs and ORs of
//! WHERE; below NOT it does. Must not look at what a SELECT within does with its rows: that is `correlated`.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, JoinType, TableReference, plan_err};
use datafusion::error::Result;
use datafusion::functions_aggregate::count::count_all;
use datafusion::logical_expr::expr::{InSubquery, SetComparison};
use datafusion::logical_expr::utils::{conjunction, split_conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    BinaryExpr, Cast, Expr, Filter, Join, LogicalPlan, LogicalPlanBuilder, Operator, lit, scalar_subquery,
};

use super::correlated::{self, Asked};

/// Refuses what would be answered wrongly or not at all. Conditions of an inner join that have a SELECT within become a filter of its rows,
/// which is the same; and nulls of a value that NOT IN looks for are asked for beside it.
pub(super) fn check(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    match plan {
        LogicalPlan::Filter(filter) => {
            check_condition(&filter.predicate)?;
            if !has_in(&filter.predicate) {
                return Ok(Transformed::no(LogicalPlan::Filter(filter)));
            }
            let condition = with_nulls(filter.predicate)?;
            Ok(Transformed::yes(LogicalPlan::Filter(Filter::try_new(condition, filter.input)?)))
        }
        LogicalPlan::Join(join) => check_join(join),
        LogicalPlan::Subquery(select) => {
            correlated::check(&select, Asked::Rows)?;
            Ok(Transformed::no(LogicalPlan::Subquery(select)))
        }
        other => {
            for expr in other.expressions() {
                check_value(&expr)?;
            }
            Ok(Transformed::no(other))
        }
    }
}

fn check_join(mut join: Join) -> Result<Transformed<LogicalPlan>> {
    let Some(condition) = join.filter.take_if(|condition| has_subquery(condition)) else {
        return Ok(Transformed::no(LogicalPlan::Join(join)));
    };
    if join.join_type != JoinType::Inner {
        return plan_err!(
            "IN, NOT IN or EXISTS with a SELECT in the ON of an outer join cannot be worked out; put it into a query of the table that it is \
             about: a LEFT JOIN (SELECT * FROM b WHERE b.k IN (SELECT …)) AS b ON …, or make it a column: (SELECT a.*, (SELECT count(*) FROM c \
             WHERE c.k = a.k) > 0 AS found FROM a) AS a LEFT JOIN b ON … AND a.found"
        );
    }
    check_condition(&condition)?;
    let (after, within): (Vec<Expr>, Vec<Expr>) =
        split_conjunction_owned(condition).into_iter().partition(has_subquery);
    join.filter = conjunction(within);
    let joined = LogicalPlan::Join(join);
    match conjunction(after) {
        Some(condition) => {
            let condition = with_nulls(condition)?;
            Ok(Transformed::yes(LogicalPlan::Filter(Filter::try_new(condition, joined.into())?)))
        }
        None => Ok(Transformed::no(joined)),
    }
}

/// ANY or ALL with its SELECT as a table of a name of its own: the engine takes a column that is called as the compared one for that one.
pub(super) fn apart(compared: SetComparison, outside: &DFSchema) -> Result<Transformed<Expr>> {
    if !compared.subquery.outer_ref_columns.is_empty() {
        let compared_with = compared.expr.column_refs();
        let found = compared.subquery.subquery.schema().columns();
        if let Some(column) = found.iter().find(|column| compared_with.contains(column)) {
            let name = column.relation.as_ref().map_or("t", |table| table.table());
            return plan_err!(
                "ANY or ALL compares a column of \"{name}\" with the same one of its SELECT, which refers to the row outside; give the table another \
                 name within: FROM \"{name}\" AS z"
            );
        }
        correlated::check_names(&compared.subquery, outside)?;
        return Ok(Transformed::no(Expr::SetComparison(compared)));
    }
    let mut name = AMONG.to_owned();
    while outside.iter().any(|(table, _)| table.is_some_and(|table| table.table() == name)) {
        name.push('_');
    }
    let select = LogicalPlan::clone(&compared.subquery.subquery);
    let named = LogicalPlanBuilder::from(select).alias(TableReference::bare(name))?.build()?;
    let subquery = compared.subquery.with_plan(Arc::new(named));
    Ok(Transformed::yes(Expr::SetComparison(SetComparison { subquery, ..compared })))
}

/// The name of the table with the values of ANY or ALL, if no other one has it.
const AMONG: &str = "__among";

/// What only rows for which it is true pass.
fn check_condition(condition: &Expr) -> Result<()> {
    for part in split_conjunction(condition) {
        // Of its own, NOT IN is worked out with its nulls, unless the SELECT differs from row to row.
        match (not_in(part), part) {
            (Some(subquery), _) => check_not_in(subquery)?,
            (None, Expr::InSubquery(subquery)) => check_operand(&subquery.expr)?,
            (None, Expr::Not(inner)) if matches!(inner.as_ref(), Expr::InSubquery(_)) => {}
            (None, part) => check_true(part)?,
        }
    }
    condition.apply(|expr| {
        let (select, asked) = match expr {
            Expr::Exists(exists) => (&exists.subquery, Asked::IsThere),
            Expr::InSubquery(found) => (&found.subquery, Asked::IsAmong),
            Expr::SetComparison(compared) => (&compared.subquery, Asked::IsAmong),
            _ => return Ok(TreeNodeRecursion::Continue),
        };
        correlated::check(select, asked)?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// The NOT IN that an expression is, in either of its spellings.
fn not_in(expr: &Expr) -> Option<&InSubquery> {
    match expr {
        Expr::InSubquery(subquery) if subquery.negated => Some(subquery),
        Expr::Not(inner) => match inner.as_ref() {
            Expr::InSubquery(subquery) if !subquery.negated => Some(subquery),
            _ => None,
        },
        _ => None,
    }
}

/// The condition, with what NOT IN says of nulls written beside it where its value is not a column: the engine asks for nulls of columns alone.
fn with_nulls(condition: Expr) -> Result<Expr> {
    let mut parts = Vec::new();
    for part in split_conjunction_owned(condition) {
        let nulls = match not_in(&part).filter(|subquery| !is_column(&subquery.expr)) {
            Some(subquery) => Some(decided(subquery)?),
            None => None,
        };
        parts.push(part);
        parts.extend(nulls);
    }
    Ok(conjunction(parts).unwrap_or_else(|| lit(true)))
}

/// Whether NOT IN is true or false and not null: its SELECT has no row, or there is no null on either side.
fn decided(InSubquery { expr, subquery, .. }: &InSubquery) -> Result<Expr> {
    let columns = subquery.subquery.schema().columns();
    let Some(column) = columns.into_iter().next() else { return Ok(lit(true)) };
    let nulls = LogicalPlanBuilder::from(LogicalPlan::clone(&subquery.subquery))
        .filter(Expr::Column(column).is_null())?
        .build()?;
    let is_present = expr.as_ref().clone().is_not_null();
    Ok(count(&subquery.subquery)?.eq(lit(0_i64)).or(is_present.and(count(&nulls)?.eq(lit(0_i64)))))
}

/// How many rows there are, as a value.
fn count(rows: &LogicalPlan) -> Result<Expr> {
    let counted =
        LogicalPlanBuilder::from(rows.clone()).aggregate(Vec::<Expr>::new(), vec![count_all()])?.build()?;
    Ok(scalar_subquery(Arc::new(counted)))
}

fn is_column(expr: &Expr) -> bool {
    match expr {
        Expr::Column(_) => true,
        Expr::Cast(Cast { expr, .. }) => is_column(expr),
        _ => false,
    }
}

fn check_not_in(InSubquery { expr, subquery, .. }: &InSubquery) -> Result<()> {
    check_operand(expr)?;
    if subquery.outer_ref_columns.is_empty() {
        return Ok(());
    }
    plan_err!(
        "NOT IN with a SELECT that differs from row to row would take its nulls for those of all rows; write NOT EXISTS (SELECT 1 FROM b WHERE \
         b.g = a.g AND b.k = a.k), which keeps rows without k"
    )
}

/// A condition, or a part of it, which is as good as false where it is null.
fn check_true(condition: &Expr) -> Result<()> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And | Operator::Or, right }) => {
            check_true(left)?;
            check_true(right)
        }
        Expr::InSubquery(InSubquery { expr, negated: false, .. }) => check_operand(expr),
        other if has_in(other) => plan_err!(
            "NOT IN with a SELECT stands in WHERE, ON or HAVING of its own, joined to others by AND, and IN below AND and OR alone: elsewhere \
             their nulls would count as false; write (SELECT count(*) FROM b WHERE b.k = a.k) > 0 for IN and = 0 for NOT IN, which are false and \
             true where k is null, or LEFT JOIN (SELECT DISTINCT k FROM b) AS b ON b.k = a.k, and b.k IS NOT NULL or b.k IS NULL"
        ),
        _ => Ok(()),
    }
}

fn check_operand(expr: &Expr) -> Result<()> {
    if has_in(expr) {
        plan_err!("a value that is looked for by IN has an IN within; {VALUE}")
    } else {
        Ok(())
    }
}

/// How a value is made of whether there is a row.
const VALUE: &str = "write (SELECT count(*) FROM b WHERE b.k = a.k) > 0 AS found, or LEFT JOIN (SELECT DISTINCT k FROM b) AS b ON b.k = a.k, and b.k \
                     IS NOT NULL; for FILTER, GROUP BY or ORDER BY, in a query within: SELECT count(*) FILTER (WHERE found) FROM (SELECT a.*, (SELECT \
                     …) > 0 AS found FROM a)";

/// What is a value, of which null is another one than false.
fn check_value(expr: &Expr) -> Result<()> {
    if has_subquery(expr) {
        return plan_err!(
            "IN, EXISTS, ANY or ALL with a SELECT stands in WHERE, ON or HAVING; as a value, {VALUE}"
        );
    }
    Ok(())
}

fn has_in(expr: &Expr) -> bool {
    has(expr, |expr| matches!(expr, Expr::InSubquery(_)))
}

fn has_subquery(expr: &Expr) -> bool {
    has(expr, |expr| matches!(expr, Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_)))
}

/// Whether there is a SELECT within, as a value too.
pub(super) fn has_select(expr: &Expr) -> bool {
    has_subquery(expr) || has(expr, |expr| matches!(expr, Expr::ScalarSubquery(_)))
}

fn has(expr: &Expr, wanted: fn(&Expr) -> bool) -> bool {
    let mut found = false;
    let visited = expr.apply(|expr| {
        found |= wanted(expr);
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found || visited.is_err()
}
