//! Texts beside booleans: they are read as booleans, as texts beside numbers are as numbers, where the engine does not compare them.
//!
//! Owns operators, IN, BETWEEN and CASE. Must not change what CASE and UNION give; texts that functions are given are those of `functions`.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Between, Case, InList};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator, binary_expr};
use datafusion::optimizer::AnalyzerRule;
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::cast::cast;
use super::rewrite::rewrite;

/// What a query's operator is called that is true for one null too: the parser has none.
pub(crate) const IS_DISTINCT: &str = "IS DISTINCT FROM";

/// Its opposite, which is true for two.
pub(crate) const IS_NOT_DISTINCT: &str = "IS NOT DISTINCT FROM";

/// Casts texts beside booleans: in comparisons when they are planned, and in IN, BETWEEN and CASE before types are made alike.
#[derive(Debug)]
pub(super) struct TruthValues;

impl ExprPlanner for TruthValues {
    fn plan_binary_op(
        &self,
        mut compared: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let Some(operator) = operator(&compared.op) else { return Ok(PlannerResult::Original(compared)) };
        let is_read = read(&mut [&mut compared.left, &mut compared.right], schema);
        if is_read || matches!(compared.op, BinaryOperator::Custom(_)) {
            Ok(PlannerResult::Planned(binary_expr(compared.left, operator, compared.right)))
        } else {
            Ok(PlannerResult::Original(compared))
        }
    }
}

impl AnalyzerRule for TruthValues {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite(plan, &|expr, schema| Ok(rewrite_expr(expr, schema)))
    }

    fn name(&self) -> &'static str {
        "truth_values"
    }
}

/// The operator of a comparison.
fn operator(written: &BinaryOperator) -> Option<Operator> {
    match written {
        BinaryOperator::Eq => Some(Operator::Eq),
        BinaryOperator::NotEq => Some(Operator::NotEq),
        BinaryOperator::Lt => Some(Operator::Lt),
        BinaryOperator::LtEq => Some(Operator::LtEq),
        BinaryOperator::Gt => Some(Operator::Gt),
        BinaryOperator::GtEq => Some(Operator::GtEq),
        BinaryOperator::Spaceship => Some(Operator::IsNotDistinctFrom),
        BinaryOperator::Custom(name) => match name.as_str() {
            IS_DISTINCT => Some(Operator::IsDistinctFrom),
            IS_NOT_DISTINCT => Some(Operator::IsNotDistinctFrom),
            _ => None,
        },
        _ => None,
    }
}

fn rewrite_expr(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    match expr {
        Expr::Between(Between { mut expr, negated, mut low, mut high }) => {
            let is_read = read(&mut [&mut *expr, &mut *low, &mut *high], schema);
            Transformed::new_transformed(Expr::Between(Between { expr, negated, low, high }), is_read)
        }
        Expr::InList(InList { mut expr, mut list, negated }) => {
            let mut all: Vec<&mut Expr> = list.iter_mut().collect();
            all.push(&mut expr);
            let is_read = read(&mut all, schema);
            Transformed::new_transformed(Expr::InList(InList { expr, list, negated }), is_read)
        }
        Expr::Case(Case { expr: Some(mut compared), mut when_then_expr, else_expr }) => {
            let whens = when_then_expr.iter_mut().map(|(when, _)| when.as_mut());
            let mut all: Vec<&mut Expr> = whens.collect();
            all.push(&mut compared);
            let is_read = read(&mut all, schema);
            let case = Case { expr: Some(compared), when_then_expr, else_expr };
            Transformed::new_transformed(Expr::Case(case), is_read)
        }
        other => Transformed::no(other),
    }
}

/// Reads texts as booleans if there is a boolean among the values that are compared, and says whether it did.
fn read(compared: &mut [&mut Expr], schema: &DFSchema) -> bool {
    let types: Vec<Option<DataType>> = compared.iter().map(|expr| expr.get_type(schema).ok()).collect();
    if !types.contains(&Some(DataType::Boolean)) {
        return false;
    }
    let mut is_read = false;
    for (expr, found) in compared.iter_mut().zip(types) {
        if found.is_some_and(|found| found.is_string()) {
            **expr = cast(std::mem::take::<Expr>(expr), DataType::Boolean);
            is_read = true;
        }
    }
    is_read
}
