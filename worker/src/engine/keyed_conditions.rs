//! Conditions that compare something computed of a row with the row outside, as one that compares a column: the engine groups rows by the columns of
//! such conditions, and several of their values may be equal to one, as the texts 1 and 01 are to a number. The row outside would then come out
//! once for each.
//!
//! It runs when types are made alike. Must not look at other conditions than those that refer to the row outside.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::common::{Column, DFSchema};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, Filter, LogicalPlan, Operator, Projection, ScalarUDF,
};
use datafusion::optimizer::AnalyzerRule;

use super::canonical::{Form, function, is_number};
use super::subqueries::has_select;

/// Makes columns of what is compared with the row outside.
#[derive(Debug)]
pub(super) struct KeyedConditions {
    /// The form of numbers in which those that are equal are one.
    key: Arc<ScalarUDF>,
}

impl KeyedConditions {
    pub(super) fn new() -> Self {
        Self { key: function(Form::Key) }
    }

    /// Rows whose conditions compare columns.
    fn keyed(&self, input: Arc<LogicalPlan>, names: &mut usize) -> Result<Arc<LogicalPlan>> {
        let LogicalPlan::Filter(filter) = input.as_ref() else { return Ok(input) };
        let schema = filter.input.schema();
        let (mut conditions, mut kept, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        for part in split_conjunction(&filter.predicate) {
            if !part.contains_outer() {
                kept.push(part.clone());
                continue;
            }
            match self.compared(part, schema) {
                Some((key, outside)) => {
                    *names += 1;
                    let name = format!("__equal_{names}");
                    keys.push(key.alias(name.clone()));
                    conditions.push(Expr::Column(Column::from_name(name)).eq(outside));
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
        let columns = schema.columns().into_iter().map(Expr::Column).chain(keys).collect();
        let rows = Arc::new(LogicalPlan::Projection(Projection::try_new(columns, rows)?));
        match conjunction(conditions) {
            Some(condition) => Ok(Arc::new(LogicalPlan::Filter(Filter::try_new(condition, rows)?))),
            None => Ok(rows),
        }
    }

    /// What is equal to a value of the row outside and is no column whose values are each equal to themselves alone, and that value.
    fn compared(&self, condition: &Expr, schema: &DFSchema) -> Option<(Expr, Expr)> {
        let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = condition else { return None };
        let is_within = |expr: &Expr| expr.any_column_refs() && !expr.contains_outer() && !has_select(expr);
        let (within, outside) = match (left.as_ref(), right.as_ref()) {
            (left, right) if is_within(left) && !right.any_column_refs() => (left, right),
            (left, right) if is_within(right) && !left.any_column_refs() => (right, left),
            _ => return None,
        };
        let is_float = within.get_type(schema).is_ok_and(|found: DataType| is_number(&found));
        let key = match within {
            within if is_float => {
                Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&self.key), vec![within.clone()]))
            }
            Expr::Column(_) => return None,
            within => within.clone(),
        };
        Some((key, outside.clone()))
    }
}

impl AnalyzerRule for KeyedConditions {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let mut names = 0;
        plan.transform_up_with_subqueries(|plan| match plan {
            // Its groups are those of the columns of the conditions already.
            LogicalPlan::Aggregate(mut aggregate) if aggregate.group_expr.is_empty() => {
                aggregate.input = self.keyed(aggregate.input, &mut names)?;
                Ok(Transformed::yes(LogicalPlan::Aggregate(aggregate)))
            }
            LogicalPlan::Projection(mut projection) => {
                projection.input = self.keyed(projection.input, &mut names)?;
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
