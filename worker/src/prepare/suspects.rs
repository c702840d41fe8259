//! Which rows of which inputs a query may have failed on: those where one of its expressions cannot be computed.
//!
//! Owns the way from an expression of a plan to the columns of the input that it is computed from. Must not read rows.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::{Cast, TryCast};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, TableScan, lit};

use crate::engine::FailedValue;

/// Rows of an input that an expression of the query cannot be computed of.
pub(super) struct Suspect {
    /// The input, as the query calls it.
    pub table: String,
    /// The columns of it that the expression is computed from.
    pub columns: BTreeSet<String>,
    /// What is true of these rows.
    pub condition: Expr,
}

/// All that a query may have failed on.
pub(super) struct Suspects {
    pub found: Vec<Suspect>,
    /// Whether there is nothing else, such as an expression of what the query itself has computed of several rows.
    pub are_all: bool,
}

impl Suspects {
    /// Those of an analyzed plan, whose types are made alike.
    pub(super) fn of(plan: &LogicalPlan, failed: &FailedValue<'_>) -> Self {
        let mut suspects = Self { found: Vec::new(), are_all: true };
        // Looking fails nowhere.
        let _ = plan.apply_with_subqueries(|node| {
            node.apply_expressions(|expr| {
                expr.apply(|part| {
                    if let Some(condition) = failing(part, failed, node) {
                        suspects.add(&condition, node);
                    }
                    Ok(TreeNodeRecursion::Continue)
                })
            })
        });
        suspects
    }

    /// Adds the rows of which a condition over the inputs of a node is true.
    fn add(&mut self, condition: &Expr, node: &LogicalPlan) {
        let inputs = node.inputs();
        let Some((condition, scan)) = resolve(condition, &inputs) else {
            self.are_all = false;
            return;
        };
        let columns: BTreeSet<String> =
            condition.column_refs().into_iter().map(|column| column.name.clone()).collect();
        let table = scan.table_name.table().to_owned();
        // Rows that the query leaves out before cannot be what it failed on.
        let mut kept = Vec::new();
        inputs.iter().for_each(|input| filters(input, scan, &mut kept));
        let condition = kept.into_iter().fold(condition, Expr::and);
        self.found.push(Suspect { table, columns, condition });
    }
}

/// The condition under which a part of an expression fails as the query did; `None` where it does not fail so.
fn failing(part: &Expr, failed: &FailedValue<'_>, node: &LogicalPlan) -> Option<Expr> {
    match (failed, part) {
        // Of what is no truth value, the engine says the lower-case letters.
        (FailedValue::Text(_), Expr::Cast(cast)) if cast.field.data_type() == &DataType::Boolean => {
            Some(is_refused(cast))
        }
        (FailedValue::Text(value), Expr::Cast(cast)) => {
            Some(is_refused(cast).and(text(&cast.expr).eq(lit(*value))))
        }
        (FailedValue::Time(value), Expr::Cast(cast)) if cast.field.data_type().is_temporal() => {
            Some(text(&cast.expr).eq(lit(*value)))
        }
        (FailedValue::Time(value), Expr::ScalarFunction(call)) if call.func.name().starts_with("to_") => {
            call.args.first().map(|arg| text(arg).eq(lit(*value)))
        }
        (FailedValue::Number(value), Expr::Cast(cast)) => {
            let value = number(value)?;
            Some(is_refused(cast).and(Expr::clone(&cast.expr).eq(value)))
        }
        (FailedValue::Number(value), Expr::ScalarFunction(call)) if call.func.name() == "exact_double" => {
            let value = number(value)?;
            call.args.first().map(|arg| arg.clone().eq(value))
        }
        (FailedValue::Decimal(value), Expr::Cast(cast)) => match cast.field.data_type() {
            DataType::Decimal128(_, scale) => {
                let widest = |expr: Expr| try_cast(expr, DataType::Decimal128(38, *scale));
                let is_value = widest(Expr::clone(&cast.expr)).eq(widest(lit(*value)));
                Some(is_refused(cast).and(is_value))
            }
            _ => None,
        },
        (FailedValue::Call(name, numbers), Expr::ScalarFunction(call)) if call.func.name() == *name => {
            let is_it = |(arg, said): (&Expr, &str)| Some(arg.clone().eq(number(said)?));
            let all: Option<Vec<Expr>> = call.args.iter().zip(numbers.split(", ")).map(is_it).collect();
            all?.into_iter().reduce(Expr::and)
        }
        (FailedValue::Operands(left, right), Expr::ScalarFunction(call))
            if call.func.name().starts_with("checked_") =>
        {
            let [one, other] = call.args.as_slice() else { return None };
            Some(one.clone().eq(number(left)?).and(other.clone().eq(number(right)?)))
        }
        (
            FailedValue::Operands(left, right),
            Expr::BinaryExpr(BinaryExpr { left: one, op: Operator::Divide, right: other }),
        ) => Some(Expr::clone(one).eq(number(left)?).and(Expr::clone(other).eq(number(right)?))),
        (FailedValue::Root, Expr::ScalarFunction(call)) if call.func.name() == "sqrt" => {
            call.args.first().map(|arg| arg.clone().lt(lit(0)))
        }
        (
            FailedValue::Divisor,
            Expr::BinaryExpr(BinaryExpr { op: Operator::Divide | Operator::Modulo, right, .. }),
        ) => {
            let has_type = |input: &&LogicalPlan| right.get_type(input.schema()).ok();
            let is_float =
                node.inputs().iter().filter_map(has_type).any(|found: DataType| found.is_floating());
            (!is_float).then(|| Expr::clone(right).eq(lit(0)))
        }
        _ => None,
    }
    .filter(|condition| !condition.column_refs().is_empty())
}

/// Whether a cast does not take the value.
fn is_refused(cast: &Cast) -> Expr {
    let value = Expr::clone(&cast.expr);
    let becomes = try_cast(value.clone(), cast.field.data_type().clone());
    value.is_not_null().and(becomes.is_null())
}

fn text(expr: &Expr) -> Expr {
    try_cast(expr.clone(), DataType::Utf8)
}

fn try_cast(expr: Expr, to: DataType) -> Expr {
    Expr::TryCast(TryCast::new(Box::new(expr), to))
}

/// A number as the engine says it.
fn number(said: &str) -> Option<Expr> {
    let whole = said.parse::<i64>().map(lit).or_else(|_| said.parse::<u64>().map(lit));
    whole.ok().or_else(|| said.parse::<f64>().ok().map(lit))
}

/// An expression over the rows of some plans as one over the columns of a table, and the only scan of a table that it is computed from. What
/// cannot be cast is null in it.
fn resolve<'a>(expr: &Expr, inputs: &[&'a LogicalPlan]) -> Option<(Expr, &'a TableScan)> {
    let mut scan: Option<&'a TableScan> = None;
    let mut is_known = true;
    let resolved = expr.clone().transform_up(|part| match part {
        Expr::Column(column) => {
            let traced = inputs.iter().copied().find(|input| input.schema().has_column(&column));
            match traced.and_then(|input| trace(&column, input)) {
                Some((source, found)) if scan.is_none_or(|known| std::ptr::eq(known, found)) => {
                    scan = Some(found);
                    Ok(Transformed::yes(source))
                }
                _ => {
                    is_known = false;
                    Ok(Transformed::no(Expr::Column(column)))
                }
            }
        }
        Expr::Cast(Cast { expr, field }) => Ok(Transformed::yes(Expr::TryCast(TryCast { expr, field }))),
        Expr::AggregateFunction(_)
        | Expr::WindowFunction(_)
        | Expr::GroupingSet(_)
        | Expr::OuterReferenceColumn(..)
        | Expr::ScalarSubquery(_)
        | Expr::InSubquery(_)
        | Expr::Exists(_)
        | Expr::Unnest(_) => {
            is_known = false;
            Ok(Transformed::no(part))
        }
        other => Ok(Transformed::no(other)),
    });
    let resolved = resolved.data().ok().filter(|_| is_known)?;
    Some((resolved, scan?))
}

/// A column of a plan as an expression over the columns of a table, where each row has it of one row of that.
fn trace<'a>(column: &Column, plan: &'a LogicalPlan) -> Option<(Expr, &'a TableScan)> {
    match plan {
        LogicalPlan::TableScan(scan) => Some((Expr::Column(Column::from_name(&column.name)), scan)),
        LogicalPlan::SubqueryAlias(alias) => {
            let place = alias.schema.maybe_index_of_column(column)?;
            let inner = Column::from(alias.input.schema().qualified_field(place));
            trace(&inner, &alias.input)
        }
        LogicalPlan::Projection(projection) => {
            let place = projection.schema.maybe_index_of_column(column)?;
            let computed = projection.expr.get(place)?.clone().unalias();
            resolve(&computed, &[projection.input.as_ref()])
        }
        LogicalPlan::Aggregate(aggregate) => {
            let place = aggregate.schema.maybe_index_of_column(column)?;
            resolve(aggregate.group_expr.get(place)?, &[aggregate.input.as_ref()])
        }
        LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Join(_) => {
            let inputs = plan.inputs();
            trace(column, inputs.into_iter().find(|input| input.schema().has_column(column))?)
        }
        _ => None,
    }
}

/// Adds the conditions of a plan on rows of a scan, as far as they are of these rows alone.
fn filters(plan: &LogicalPlan, scan: &TableScan, kept: &mut Vec<Expr>) {
    if let LogicalPlan::Filter(filter) = plan
        && let Some((condition, found)) = resolve(&filter.predicate, &[filter.input.as_ref()])
        && std::ptr::eq(found, scan)
    {
        kept.push(condition);
    }
    plan.inputs().into_iter().for_each(|input| filters(input, scan, kept));
}
