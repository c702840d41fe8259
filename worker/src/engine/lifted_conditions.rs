//! Conditions of a query within that refer to the row outside of its SELECT, written behind that query: the engine moves them out of the SELECT by
//! the columns that they name, and loses those that the query within does not give, or gives under another name.
//!
//! Owns up to where a condition is moved, past nothing that would then be of other rows. Must not refuse anything: that is `correlated`.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, DFSchema, JoinType};
use datafusion::error::Result;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Distinct, Expr, ExprSchemable, Filter, Join, LogicalPlan, Operator, Projection,
    SubqueryAlias,
};
use datafusion::optimizer::AnalyzerRule;

use super::subqueries::has_select;

/// Moves conditions of queries within behind them. It runs first: what is asked of a condition is asked where it stands then.
#[derive(Debug)]
pub(super) struct LiftedConditions;

impl AnalyzerRule for LiftedConditions {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let mut names = 0;
        plan.transform_up_with_subqueries(|plan| match plan {
            LogicalPlan::Subquery(select) if !select.outer_ref_columns.is_empty() => {
                let outputs = select.subquery.schema().columns().into_iter().collect();
                let mut lifting = Lifting { names, outputs };
                let settled = lifting.settled(LogicalPlan::clone(&select.subquery))?;
                names = lifting.names;
                Ok(Transformed::yes(LogicalPlan::Subquery(select.with_plan(Arc::new(settled)))))
            }
            other => Ok(Transformed::no(other)),
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "lifted_conditions"
    }
}

/// A plan without conditions that refer to the row outside, and these, over its rows.
struct Lifted {
    plan: LogicalPlan,
    conditions: Vec<Expr>,
}

struct Lifting {
    /// How many columns got a name here.
    names: usize,
    /// What the SELECT gives.
    outputs: BTreeSet<Column>,
}

impl Lifting {
    /// The plan with the same columns, and conditions as far up in it as they may be.
    fn settled(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        match plan {
            LogicalPlan::Projection(mut projection) => {
                projection.input = Arc::new(self.filtered(projection.input)?);
                Ok(LogicalPlan::Projection(projection))
            }
            LogicalPlan::Aggregate(mut aggregate) => {
                aggregate.input = Arc::new(self.filtered(aggregate.input)?);
                Ok(LogicalPlan::Aggregate(aggregate))
            }
            // It is a SELECT of its own.
            LogicalPlan::Subquery(select) => Ok(LogicalPlan::Subquery(select)),
            other => other.map_children(|input| Ok(Transformed::yes(self.settled(input)?))).data(),
        }
    }

    /// The rows of a plan, which may have more columns, and the conditions above them.
    fn filtered(&mut self, input: Arc<LogicalPlan>) -> Result<LogicalPlan> {
        let lifted = self.lifted(Arc::unwrap_or_clone(input))?;
        self.held(lifted)
    }

    /// The rows with the conditions above them.
    fn held(&mut self, mut lifted: Lifted) -> Result<LogicalPlan> {
        // The engine gives the columns of conditions beside what the SELECT does, and takes two of one name for one.
        let asked = columns(&lifted.conditions);
        if asked.is_empty() {
            return with_conditions(lifted.plan, lifted.conditions);
        }
        let all: BTreeSet<&Column> = self.outputs.iter().chain(&asked).collect();
        let names: BTreeSet<&str> = all.iter().map(|column| column.name.as_str()).collect();
        let is_computed = |column: &Column| column.relation.is_none() && self.outputs.contains(column);
        if names.len() < all.len() || asked.iter().any(is_computed) {
            lifted = self.renamed(lifted)?;
        }
        with_conditions(lifted.plan, lifted.conditions)
    }

    fn lifted(&mut self, plan: LogicalPlan) -> Result<Lifted> {
        match plan {
            LogicalPlan::Filter(filter) => {
                let Lifted { plan, mut conditions } = self.lifted(Arc::unwrap_or_clone(filter.input))?;
                let parts = split_conjunction_owned(filter.predicate).into_iter();
                let (moved, kept): (Vec<Expr>, Vec<Expr>) = parts.partition(is_moved);
                conditions.extend(moved);
                Ok(Lifted { plan: with_conditions(plan, kept)?, conditions })
            }
            LogicalPlan::Projection(projection) => self.past_projection(projection),
            LogicalPlan::SubqueryAlias(named) => self.past_name(named),
            LogicalPlan::Join(join) if matches!(join.join_type, JoinType::Inner | JoinType::Left) => {
                self.past_join(join)
            }
            LogicalPlan::Distinct(Distinct::All(input)) => self.past_distinct(input),
            LogicalPlan::Aggregate(aggregate) if is_of_groups(&aggregate) => self.past_groups(aggregate),
            other => Ok(Lifted { plan: self.settled(other)?, conditions: Vec::new() }),
        }
    }

    fn past_projection(&mut self, mut projection: Projection) -> Result<Lifted> {
        let Lifted { plan, conditions } = self.lifted(Arc::unwrap_or_clone(projection.input))?;
        if conditions.is_empty() {
            projection.input = Arc::new(plan);
            return Ok(Lifted { plan: LogicalPlan::Projection(projection), conditions });
        }
        self.projected(projection.expr, Lifted { plan, conditions })
    }

    /// The rows with all their columns, and those of the conditions under names of their own.
    fn renamed(&mut self, Lifted { plan, conditions }: Lifted) -> Result<Lifted> {
        let mut exprs: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
        let mut renamed = Vec::new();
        for column in columns(&conditions) {
            renamed.push((column.clone(), exprs.len()));
            exprs.push(Expr::Column(column).alias(self.name()));
        }
        let projection = Projection::try_new(exprs, Arc::new(plan))?;
        let conditions = placed(conditions, &renamed, &projection.schema)?;
        Ok(Lifted { plan: LogicalPlan::Projection(projection), conditions })
    }

    /// The values of rows, and with them the columns of the conditions.
    fn projected(&mut self, mut exprs: Vec<Expr>, Lifted { plan, conditions }: Lifted) -> Result<Lifted> {
        let mut places = Vec::new();
        for column in columns(&conditions) {
            let place = exprs.iter().position(|expr| is_column(expr, &column)).unwrap_or(exprs.len());
            if place == exprs.len() {
                exprs.push(Expr::Column(column.clone()).alias(self.name()));
            }
            places.push((column, place));
        }
        let projection = Projection::try_new(exprs, Arc::new(plan))?;
        let conditions = placed(conditions, &places, &projection.schema)?;
        Ok(Lifted { plan: LogicalPlan::Projection(projection), conditions })
    }

    fn past_name(&mut self, mut named: SubqueryAlias) -> Result<Lifted> {
        let Lifted { plan, conditions } = self.lifted(Arc::unwrap_or_clone(named.input))?;
        if conditions.is_empty() {
            named.input = Arc::new(plan);
            return Ok(Lifted { plan: LogicalPlan::SubqueryAlias(named), conditions });
        }
        let mut places = Vec::new();
        for column in columns(&conditions) {
            let place = plan.schema().index_of_column(&column)?;
            places.push((column, place));
        }
        let named = SubqueryAlias::try_new(Arc::new(plan), named.alias)?;
        let conditions = placed(conditions, &places, &named.schema)?;
        Ok(Lifted { plan: LogicalPlan::SubqueryAlias(named), conditions })
    }

    /// Rows of the right table that have none of an outer join would be left out by a condition above it.
    fn past_join(&mut self, mut join: Join) -> Result<Lifted> {
        let Lifted { plan: left, mut conditions } = self.lifted(Arc::unwrap_or_clone(join.left))?;
        let right = Arc::unwrap_or_clone(join.right);
        let right = if join.join_type == JoinType::Inner {
            let parts = join.filter.take().map(split_conjunction_owned).into_iter().flatten();
            let (moved, kept): (Vec<Expr>, Vec<Expr>) = parts.partition(is_moved);
            conditions.extend(moved);
            join.filter = conjunction(kept);
            let right = self.lifted(right)?;
            conditions.extend(right.conditions);
            right.plan
        } else {
            self.settled(right)?
        };
        (join.left, join.right) = (Arc::new(left), Arc::new(right));
        let joined = LogicalPlan::Join(join);
        let plan = if conditions.is_empty() { joined } else { joined.recompute_schema()? };
        Ok(Lifted { plan, conditions })
    }

    /// Rows are as different with a column more that is the same in all that pass.
    fn past_distinct(&mut self, input: Arc<LogicalPlan>) -> Result<Lifted> {
        let own: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
        let lifted = self.lifted(Arc::unwrap_or_clone(input))?;
        let is_as_before = lifted.plan.schema().fields().len() == own.len();
        if is_as_before || are_of_one_value(&lifted.conditions, lifted.plan.schema()) {
            let plan = LogicalPlan::Distinct(Distinct::All(Arc::new(lifted.plan)));
            return Ok(Lifted { plan, conditions: lifted.conditions });
        }
        let rows = Projection::try_new(own, Arc::new(self.held(lifted)?))?;
        let plan = LogicalPlan::Distinct(Distinct::All(Arc::new(LogicalPlan::Projection(rows))));
        Ok(Lifted { plan, conditions: Vec::new() })
    }

    fn past_groups(&mut self, mut aggregate: Aggregate) -> Result<Lifted> {
        let Lifted { plan, conditions } = self.lifted(Arc::unwrap_or_clone(aggregate.input))?;
        let is_group = |column: Column| aggregate.group_expr.contains(&Expr::Column(column));
        let is_grouped = columns(&conditions).into_iter().all(is_group);
        // What has a row for each row outside is known by its groups.
        if is_grouped || !are_of_one_value(&conditions, plan.schema()) {
            aggregate.input = Arc::new(self.held(Lifted { plan, conditions })?);
            return Ok(Lifted { plan: LogicalPlan::Aggregate(aggregate), conditions: Vec::new() });
        }
        for column in columns(&conditions) {
            let group = Expr::Column(column);
            if !aggregate.group_expr.contains(&group) {
                aggregate.group_expr.push(group);
            }
        }
        let grouped = Aggregate::try_new(Arc::new(plan), aggregate.group_expr, aggregate.aggr_expr)?;
        Ok(Lifted { plan: LogicalPlan::Aggregate(grouped), conditions })
    }

    /// A name that no other column has.
    fn name(&mut self) -> String {
        self.names += 1;
        format!("__within_{}", self.names)
    }
}

/// Whether it is a condition that the engine moves: one with a SELECT within stays, with the rows that this is about.
fn is_moved(condition: &Expr) -> bool {
    condition.contains_outer() && !has_select(condition)
}

/// Groups of which there is none for no rows.
fn is_of_groups(Aggregate { group_expr, .. }: &Aggregate) -> bool {
    !group_expr.is_empty() && !group_expr.iter().any(|group| matches!(group, Expr::GroupingSet(_)))
}

/// Whether all rows that pass have one value in each column of the conditions. Of another type, several may be equal, as the texts 1 and 01 to a
/// number.
fn are_of_one_value(conditions: &[Expr], schema: &DFSchema) -> bool {
    let is_column = |one: &Expr, other: &Expr| {
        let types = (one.get_type(schema).ok(), other.get_type(schema).ok());
        matches!(one, Expr::Column(_)) && !other.any_column_refs() && types.0.is_some() && types.0 == types.1
    };
    conditions.iter().all(|condition| match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if condition.any_column_refs() => {
            is_column(left, right) || is_column(right, left)
        }
        other => !other.any_column_refs(),
    })
}

fn is_column(expr: &Expr, column: &Column) -> bool {
    match expr {
        Expr::Column(found) => found == column,
        Expr::Alias(alias) => is_column(&alias.expr, column),
        _ => false,
    }
}

fn columns(conditions: &[Expr]) -> BTreeSet<Column> {
    conditions.iter().flat_map(Expr::column_refs).cloned().collect()
}

/// The rows for which these conditions are true too.
fn with_conditions(plan: LogicalPlan, conditions: Vec<Expr>) -> Result<LogicalPlan> {
    if conditions.is_empty() {
        return Ok(plan);
    }
    let (mut parts, input) = match plan {
        LogicalPlan::Filter(filter) => (split_conjunction_owned(filter.predicate), filter.input),
        other => (Vec::new(), Arc::new(other)),
    };
    parts.extend(conditions);
    match conjunction(parts) {
        Some(condition) => Ok(LogicalPlan::Filter(Filter::try_new(condition, input)?)),
        None => Ok(Arc::unwrap_or_clone(input)),
    }
}

/// The conditions with their columns as those at these places of a schema.
fn placed(conditions: Vec<Expr>, places: &[(Column, usize)], schema: &DFSchema) -> Result<Vec<Expr>> {
    let place = |expr: Expr| -> Result<Transformed<Expr>> {
        let found = match &expr {
            Expr::Column(column) => places.iter().find(|(known, _)| known == column),
            _ => None,
        };
        Ok(match found {
            Some((_, place)) => Transformed::yes(Expr::Column(Column::from(schema.qualified_field(*place)))),
            None => Transformed::no(expr),
        })
    };
    conditions.into_iter().map(|condition| condition.transform_up(place).data()).collect()
}
