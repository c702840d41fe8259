//! Days beside whole numbers: the engine takes a number there for days since 1970, so that a 5 among dates becomes 1970-01-06 without a
//! word. Such a query is refused, with a way out.
//!
//! It runs before types are made alike. Must not refuse days that are added; casts that are written out are those of `dates_of_digits`.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Between, Case, InList, ScalarFunction, WindowFunction};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

use super::far_times::compares;
use super::rewrite::rewrite;

/// Functions that give one of their arguments.
pub(super) const CHOOSING: [&str; 6] = ["coalesce", "nvl", "nvl2", "nullif", "greatest", "least"];

/// Functions of windows with a value for rows that are not there.
const WITH_DEFAULT: [&str; 2] = ["lag", "lead"];

/// Refuses days beside numbers.
#[derive(Debug)]
pub(super) struct DaysAndNumbers;

impl AnalyzerRule for DaysAndNumbers {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.apply_with_subqueries(|plan| {
            check_columns(plan)?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        rewrite(plan, &|expr, schema| {
            check(&expr, schema)?;
            Ok(Transformed::no(expr))
        })
    }

    fn name(&self) -> &'static str {
        "days_and_numbers"
    }
}

/// Columns that become one, and columns by which tables are joined.
fn check_columns(plan: &LogicalPlan) -> Result<()> {
    match plan {
        LogicalPlan::Union(union) => {
            for (index, field) in union.schema.fields().iter().enumerate() {
                let types = union.inputs.iter().filter_map(|input| input.schema().fields().get(index));
                alike(
                    types.map(|field| field.data_type().clone()),
                    &format!("column {} of a UNION", field.name()),
                )?;
            }
            Ok(())
        }
        LogicalPlan::Join(join) => join.on.iter().try_for_each(|(left, right)| {
            let left = left.get_type(join.left.schema()).ok();
            alike(left.into_iter().chain(right.get_type(join.right.schema()).ok()), "a comparison")
        }),
        _ => Ok(()),
    }
}

fn check(expr: &Expr, schema: &DFSchema) -> Result<()> {
    let type_of = |expr: &Expr| expr.get_type(schema).ok();
    let all = |exprs: &[&Expr], place: &str| alike(exprs.iter().filter_map(|expr| type_of(expr)), place);
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(*op) => {
            all(&[left, right], "a comparison")
        }
        Expr::Between(Between { expr, low, high, .. }) => all(&[expr, low, high], "a comparison"),
        Expr::InList(InList { expr, list, .. }) => {
            all(&std::iter::once(expr.as_ref()).chain(list).collect::<Vec<_>>(), "IN")
        }
        Expr::Case(Case { expr, when_then_expr, else_expr }) => {
            let results = when_then_expr.iter().map(|(_, then)| then.as_ref()).chain(else_expr.as_deref());
            all(&results.collect::<Vec<_>>(), "CASE")?;
            let Some(compared) = expr.as_deref() else { return Ok(()) };
            let whens = when_then_expr.iter().map(|(when, _)| when.as_ref());
            all(&std::iter::once(compared).chain(whens).collect::<Vec<_>>(), "CASE")
        }
        Expr::ScalarFunction(ScalarFunction { func, args }) if CHOOSING.contains(&func.name()) => {
            // Of nvl2 the first is only looked at.
            let skipped = usize::from(func.name() == "nvl2");
            all(&args.iter().skip(skipped).collect::<Vec<_>>(), func.name())
        }
        Expr::WindowFunction(window) if WITH_DEFAULT.contains(&window.fun.name()) => {
            check_default(window, schema)
        }
        _ => Ok(()),
    }
}

/// The value for rows that are not there becomes one of the column's type.
fn check_default(window: &WindowFunction, schema: &DFSchema) -> Result<()> {
    let [column, _, default] = window.params.args.as_slice() else { return Ok(()) };
    let name = window.fun.name();
    let (Ok(column), Ok(found)) = (column.get_type(schema), default.get_type(schema)) else { return Ok(()) };
    if column.is_integer() && !found.is_integer() && loses_a_fraction(default) {
        return plan_err!(
            "the default of {name} is not a whole number, as its column is, and would lose its fraction; write {name}(CAST(x AS DOUBLE), …)"
        );
    }
    alike([column, found].into_iter(), name)
}

fn loses_a_fraction(default: &Expr) -> bool {
    match default {
        Expr::Literal(value, _) => match value.cast_to(&DataType::Float64) {
            Ok(ScalarValue::Float64(Some(number))) => number.fract() != 0.0,
            _ => false,
        },
        Expr::Negative(inner) => loses_a_fraction(inner),
        _ => false,
    }
}

fn alike(types: impl Iterator<Item = DataType>, place: &str) -> Result<()> {
    let (mut days, mut number) = (false, None);
    for found in types {
        days |= matches!(found, DataType::Date32 | DataType::Date64);
        number = number.or(found.is_numeric().then_some(found));
    }
    match number {
        Some(number) if days => plan_err!(
            "{place} has dates beside numbers ({number}), which would be taken for days since 1970; write the date as DATE '2024-01-31', or \
             make both texts with CAST(x AS VARCHAR)"
        ),
        _ => Ok(()),
    }
}
