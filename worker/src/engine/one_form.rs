//! Where numbers get one form: what is computed gets a positive NaN, and what rows are sorted, divided or looked up by also a positive zero. So
//! does what lists and objects hold where they are compared, which the engine does bit by bit.
//!
//! It runs after types are made alike. Must not change numbers that are compared as they are, which stay plain for what reads them.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::common::utils::normalize_float_zero_scalar;
use datafusion::common::{DFSchema, JoinConstraint, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{
    AggregateFunction, Case, Cast, GroupingSet, InList, ScalarFunction, Sort, TryCast, WindowFunction,
};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    BinaryExpr, Distinct, Expr, ExprSchemable, LogicalPlan, Operator, Projection, ScalarUDF,
};
use datafusion::optimizer::AnalyzerRule;

use super::canonical::{self, Form, holds_numbers, is_number};
use super::days_and_numbers::CHOOSING;
use super::far_times::compares;
use super::rewrite::rewrite_node;

/// Functions that look for a value in a list, or for values of one in another: the list and what is looked for come first.
const LOOKING: [&str; 11] = [
    "array_has",
    "array_has_all",
    "array_has_any",
    "array_position",
    "array_positions",
    "array_remove",
    "array_remove_n",
    "array_remove_all",
    "array_replace",
    "array_replace_n",
    "array_replace_all",
];

/// Puts the functions that give the forms into a plan.
#[derive(Debug)]
pub(super) struct OneForm {
    value: Arc<ScalarUDF>,
    key: Arc<ScalarUDF>,
}

impl AnalyzerRule for OneForm {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|plan| {
            rewrite_node(plan, &|expr, schema| self.read_among(expr, schema))?
                .map_data(|plan| self.divide(self.sort(plan)))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "one_form"
    }
}

impl OneForm {
    pub(super) fn new() -> Self {
        Self { value: canonical::function(Form::Value), key: canonical::function(Form::Key) }
    }

    /// What IN, ANY and ALL compare with the rows of a SELECT. NOT IN knows the nulls of columns alone, which a key is not.
    fn read_among(&self, expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        match expr {
            Expr::InSubquery(among) if among.negated && is_holder(&among.expr, schema) => no_not_in(),
            Expr::Not(inner) if matches!(inner.as_ref(), Expr::InSubquery(among) if is_holder(&among.expr, schema)) => {
                no_not_in()
            }
            Expr::InSubquery(mut among) if is_holder(&among.expr, schema) => {
                self.make_key(&mut among.expr, schema);
                let keys = self.keys_of(Arc::clone(&among.subquery.subquery))?;
                among.subquery = among.subquery.with_plan(keys);
                Ok(Transformed::yes(Expr::InSubquery(among)))
            }
            Expr::SetComparison(mut compared) if is_holder(&compared.expr, schema) => {
                self.make_key(&mut compared.expr, schema);
                let keys = self.keys_of(Arc::clone(&compared.subquery.subquery))?;
                compared.subquery = compared.subquery.with_plan(keys);
                Ok(Transformed::yes(Expr::SetComparison(compared)))
            }
            other => Ok(self.read(other, schema)),
        }
    }

    fn read(&self, expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
        match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if computes(op) => {
                // NaN goes through: it gets its sign once, from the whole.
                let (left, right) = (self.within(*left).into(), self.within(*right).into());
                self.value_of(Expr::BinaryExpr(BinaryExpr { left, op, right }), schema)
            }
            Expr::BinaryExpr(BinaryExpr { mut left, op, mut right })
                if compares(op) && is_holder(&left, schema) =>
            {
                self.make_key(&mut left, schema);
                self.make_key(&mut right, schema);
                Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right }))
            }
            Expr::InList(InList { mut expr, mut list, negated }) if is_holder(&expr, schema) => {
                self.make_key(&mut expr, schema);
                self.make_keys(&mut list, schema);
                Transformed::yes(Expr::InList(InList { expr, list, negated }))
            }
            Expr::Negative(inner) if !matches!(inner.as_ref(), Expr::Literal(..)) => {
                let inner = self.within(*inner);
                self.value_of(Expr::Negative(inner.into()), schema)
            }
            Expr::ScalarFunction(call) => self.read_function(call, schema),
            Expr::Case(case) if case.expr.is_some() => self.read_case(case, schema),
            Expr::AggregateFunction(aggregate) => self.read_aggregate(aggregate, schema),
            Expr::WindowFunction(window) => self.read_window(window, schema),
            other if is_read_from_text(&other, schema) => Transformed::yes(apply(&self.value, other)),
            other => Transformed::no(other),
        }
    }

    fn read_function(&self, mut call: ScalarFunction, schema: &DFSchema) -> Transformed<Expr> {
        if call.func.name() == "nullif" {
            self.make_keys(&mut call.args, schema);
            return Transformed::yes(Expr::ScalarFunction(call));
        }
        if LOOKING.contains(&call.func.name()) {
            call.args.iter_mut().take(2).for_each(|arg| self.make_key(arg, schema));
            return Transformed::yes(Expr::ScalarFunction(call));
        }
        let is_passed_on = CHOOSING.contains(&call.func.name());
        let call = Expr::ScalarFunction(call);
        if is_passed_on { Transformed::no(call) } else { self.value_of(call, schema) }
    }

    fn read_case(&self, mut case: Case, schema: &DFSchema) -> Transformed<Expr> {
        if let Some(compared) = &mut case.expr {
            self.make_key(compared, schema);
        }
        for (when, _) in &mut case.when_then_expr {
            self.make_key(when, schema);
        }
        Transformed::yes(Expr::Case(case))
    }

    fn read_aggregate(&self, mut aggregate: AggregateFunction, schema: &DFSchema) -> Transformed<Expr> {
        let is_of_an_order = aggregate.func.supports_within_group_clause();
        let params = &mut aggregate.params;
        if params.distinct {
            // With the names that they have the engine still knows what it counts as it groups.
            params.args.iter_mut().for_each(|arg| self.make_named_key(arg, schema));
        }
        // What stands in WITHIN GROUP is an argument as well, and is the same there.
        if params.distinct || !is_of_an_order {
            self.sort_by_keys(&mut params.order_by, schema);
        }
        Transformed::yes(Expr::AggregateFunction(aggregate))
    }

    fn read_window(&self, mut window: Box<WindowFunction>, schema: &DFSchema) -> Transformed<Expr> {
        let params = &mut window.params;
        if params.distinct {
            self.make_keys(&mut params.args, schema);
        }
        self.make_keys(&mut params.partition_by, schema);
        self.sort_by_keys(&mut params.order_by, schema);
        Transformed::yes(Expr::WindowFunction(window))
    }

    /// What a plan sorts by is no column of its result, and needs no name.
    fn sort(&self, plan: LogicalPlan) -> LogicalPlan {
        match plan {
            LogicalPlan::Sort(mut sort) => {
                self.sort_by_plain_keys(&mut sort.expr, sort.input.schema());
                LogicalPlan::Sort(sort)
            }
            LogicalPlan::Distinct(Distinct::On(mut first)) => {
                // What they begin with is compared with what they are sorted by.
                for on in &mut first.on_expr {
                    self.make_plain_key(on, first.input.schema());
                }
                if let Some(order) = &mut first.sort_expr {
                    self.sort_by_plain_keys(order, first.input.schema());
                }
                LogicalPlan::Distinct(Distinct::On(first))
            }
            other => other,
        }
    }

    /// Rows that the engine divides or joins by the bits of lists and objects.
    fn divide(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        match plan {
            LogicalPlan::Aggregate(mut aggregate) => {
                let schema = aggregate.input.schema();
                let groups = aggregate.group_expr.iter_mut().flat_map(each_group);
                for group in groups.filter(|group| is_holder(group, schema)) {
                    self.make_named_key(group, schema);
                }
                Ok(LogicalPlan::Aggregate(aggregate))
            }
            LogicalPlan::Distinct(Distinct::All(input)) => {
                Ok(LogicalPlan::Distinct(Distinct::All(self.keys_of(input)?)))
            }
            LogicalPlan::Join(mut join) => {
                let (left_schema, right_schema) = (join.left.schema(), join.right.schema());
                for (left, right) in join.on.iter_mut().filter(|(left, _)| is_holder(left, left_schema)) {
                    // What is shared by USING are columns.
                    if join.join_constraint != JoinConstraint::On {
                        let column = left.schema_name().to_string();
                        return plan_err!(
                            "USING and NATURAL do not compare lists and objects with numbers, of which 0.0 and -0.0 are one value; write a JOIN b ON \
                             a.k = b.k in the place of {column}"
                        );
                    }
                    self.make_key(left, left_schema);
                    self.make_key(right, right_schema);
                }
                Ok(LogicalPlan::Join(join))
            }
            other => Ok(other),
        }
    }

    /// The rows with lists and objects as keys.
    fn keys_of(&self, input: Arc<LogicalPlan>) -> Result<Arc<LogicalPlan>> {
        let schema = Arc::clone(input.schema());
        let mut columns: Vec<Expr> = schema.columns().into_iter().map(Expr::Column).collect();
        if !columns.iter().any(|column| is_holder(column, &schema)) {
            return Ok(input);
        }
        for column in columns.iter_mut().filter(|column| is_holder(column, &schema)) {
            self.make_named_key(column, &schema);
        }
        Ok(Arc::new(LogicalPlan::Projection(Projection::try_new(columns, input)?)))
    }

    fn sort_by_plain_keys(&self, order: &mut [Sort], schema: &DFSchema) {
        order.iter_mut().for_each(|by| self.make_plain_key(&mut by.expr, schema));
    }

    /// A key without the name that it would have as a column.
    fn make_plain_key(&self, expr: &mut Expr, schema: &DFSchema) {
        *expr = std::mem::take(expr).unalias();
        self.make_key(expr, schema);
    }

    /// A key with the name that it has as a column, by which the engine still knows it.
    fn make_named_key(&self, expr: &mut Expr, schema: &DFSchema) {
        let name = NamePreserver::new_for_projection().save(expr);
        self.make_plain_key(expr, schema);
        *expr = name.restore(std::mem::take(expr));
    }

    fn sort_by_keys(&self, order: &mut [Sort], schema: &DFSchema) {
        order.iter_mut().for_each(|by| self.make_key(&mut by.expr, schema));
    }

    fn make_keys(&self, exprs: &mut [Expr], schema: &DFSchema) {
        exprs.iter_mut().for_each(|expr| self.make_key(expr, schema));
    }

    fn make_key(&self, expr: &mut Expr, schema: &DFSchema) {
        *expr = match std::mem::take(expr) {
            Expr::Literal(value, metadata) if is_number(&value.data_type()) => {
                Expr::Literal(normalize_float_zero_scalar(value), metadata)
            }
            other if has_forms(&other, schema) || is_holder(&other, schema) => apply(&self.key, other),
            other => other,
        };
    }

    fn value_of(&self, expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
        if has_forms(&expr, schema) {
            Transformed::yes(apply(&self.value, expr))
        } else {
            Transformed::no(expr)
        }
    }

    /// What was computed, before it got its form.
    fn within(&self, expr: Expr) -> Expr {
        match expr {
            Expr::ScalarFunction(mut call) if Arc::ptr_eq(&call.func, &self.value) => {
                call.args.pop().unwrap_or_default()
            }
            other => other,
        }
    }
}

/// The expression itself, or those of its grouping sets.
fn each_group(group: &mut Expr) -> Vec<&mut Expr> {
    match group {
        Expr::GroupingSet(GroupingSet::Rollup(set) | GroupingSet::Cube(set)) => set.iter_mut().collect(),
        Expr::GroupingSet(GroupingSet::GroupingSets(sets)) => sets.iter_mut().flatten().collect(),
        one => vec![one],
    }
}

fn apply(function: &Arc<ScalarUDF>, expr: Expr) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(function), vec![expr]))
}

fn has_forms(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|found| is_number(&found))
}

/// Whether it holds numbers that have several forms.
fn is_holder(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|found| holds_numbers(&found))
}

fn computes(operator: Operator) -> bool {
    use Operator::{Divide, Minus, Modulo, Multiply, Plus};
    matches!(operator, Plus | Minus | Multiply | Divide | Modulo)
}

/// Whether this is a cast of a text, which may be `-nan`.
fn is_read_from_text(expr: &Expr, schema: &DFSchema) -> bool {
    let (Expr::Cast(Cast { expr: text, .. }) | Expr::TryCast(TryCast { expr: text, .. })) = expr else {
        return false;
    };
    let is_text = |found: DataType| match found {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            item.data_type().is_string()
        }
        other => other.is_string(),
    };
    (has_forms(expr, schema) || is_holder(expr, schema)) && text.get_type(schema).is_ok_and(is_text)
}

fn no_not_in<T>() -> Result<T> {
    plan_err!(
        "NOT IN with a SELECT does not look for lists and objects with numbers, of which 0.0 and -0.0 are one value; write NOT EXISTS (SELECT 1 FROM b \
         WHERE b.k = a.k)"
    )
}
