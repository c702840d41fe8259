//! Where numbers get one form: what is computed gets a positive NaN, and what rows are sorted, divided or looked up by also a positive zero.
//!
//! It runs after types are made alike. Must not change columns that are compared as they are, which stay plain for what reads them.

use std::sync::Arc;

use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::common::utils::normalize_float_zero_scalar;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{
    AggregateFunction, Case, Cast, ScalarFunction, Sort, TryCast, WindowFunction,
};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, ScalarUDF};
use datafusion::optimizer::AnalyzerRule;

use super::canonical::{self, Form, is_number};
use super::days_and_numbers::CHOOSING;
use super::rewrite::rewrite_node;

/// Puts the functions that give the forms into a plan.
#[derive(Debug)]
pub(super) struct OneForm {
    value: Arc<ScalarUDF>,
    key: Arc<ScalarUDF>,
}

impl AnalyzerRule for OneForm {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|plan| {
            rewrite_node(plan, &|expr, schema| Ok(self.read(expr, schema)))?
                .map_data(|plan| Ok(self.sort(plan)))
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

    fn read(&self, expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
        match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if computes(op) => {
                // NaN goes through: it gets its sign once, from the whole.
                let (left, right) = (self.within(*left).into(), self.within(*right).into());
                self.value_of(Expr::BinaryExpr(BinaryExpr { left, op, right }), schema)
            }
            Expr::Negative(inner) if !matches!(inner.as_ref(), Expr::Literal(..)) => {
                let inner = self.within(*inner);
                self.value_of(Expr::Negative(inner.into()), schema)
            }
            Expr::ScalarFunction(call) => self.read_function(call, schema),
            Expr::Case(case) if case.expr.is_some() => self.read_case(case, schema),
            Expr::AggregateFunction(aggregate) => self.read_aggregate(aggregate, schema),
            Expr::WindowFunction(window) => self.read_window(window, schema),
            other if is_read_from_text(&other, schema) => self.value_of(other, schema),
            other => Transformed::no(other),
        }
    }

    fn read_function(&self, mut call: ScalarFunction, schema: &DFSchema) -> Transformed<Expr> {
        if call.func.name() == "nullif" {
            self.make_keys(&mut call.args, schema);
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
            let names = NamePreserver::new_for_projection();
            for arg in &mut params.args {
                let name = names.save(arg);
                self.make_key(arg, schema);
                *arg = name.restore(std::mem::take(arg));
            }
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
        let LogicalPlan::Sort(mut sort) = plan else { return plan };
        for by in &mut sort.expr {
            by.expr = std::mem::take(&mut by.expr).unalias();
        }
        self.sort_by_keys(&mut sort.expr, sort.input.schema());
        LogicalPlan::Sort(sort)
    }

    fn sort_by_keys(&self, order: &mut [Sort], schema: &DFSchema) {
        order.iter_mut().for_each(|by| self.make_key(&mut by.expr, schema));
    }

    fn make_keys(&self, exprs: &mut [Expr], schema: &DFSchema) {
        exprs.iter_mut().for_each(|expr| self.make_key(expr, schema));
    }

    fn make_key(&self, expr: &mut Expr, schema: &DFSchema) {
        *expr = match std::mem::take(expr) {
            Expr::Literal(value, metadata) => Expr::Literal(normalize_float_zero_scalar(value), metadata),
            other if has_forms(&other, schema) => apply(&self.key, other),
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

fn apply(function: &Arc<ScalarUDF>, expr: Expr) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(function), vec![expr]))
}

fn has_forms(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|found| is_number(&found))
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
    text.get_type(schema).is_ok_and(|found| found.is_string())
}
