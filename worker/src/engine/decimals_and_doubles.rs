//! Decimals beside doubles, wherever they become one type: the engine makes decimals with 15 digits behind the point of both, in which a double
//! is another number than the one that is written, and 1e30 has no place.
//!
//! Both are doubles, as in PostgreSQL; but a number that is written out is the decimal that it is, so that all digits of the others count: those
//! of decimals, and those of whole numbers that it is compared with. It runs before types are made alike. Must not change arithmetic, which is of
//! doubles there.

use std::sync::Arc;

use datafusion::arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Field, FieldRef,
};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Between, Case, Cast, InList, InSubquery, ScalarFunction, TryCast};
use datafusion::logical_expr::expr_rewriter::coerce_plan_expr_for_schema;
use datafusion::logical_expr::expr_schema::cast_subquery;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Union, lit};
use datafusion::optimizer::AnalyzerRule;

use super::cast::cast;
use super::days_and_numbers::CHOOSING;
use super::exact_literals::as_decimal;
use super::far_times::compares;
use super::number_types::{EXACT, is_long};
use super::rewrite::rewrite_node;

/// Digits of a whole number of 64 bits as a decimal.
const LONG_DIGITS: u8 = 20;

/// Makes doubles of decimals, or decimals of numbers that are written out.
#[derive(Debug)]
pub(super) struct DecimalsAndDoubles;

impl AnalyzerRule for DecimalsAndDoubles {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|plan| {
            rewrite_node(plan, &read)?
                .map_data(columns)?
                // What is above sees the types as they are now.
                .map_data(LogicalPlan::recompute_schema)
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "decimals_and_doubles"
    }
}

fn read(mut expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let transformed = match &mut expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(*op) => {
            compare_alike(vec![&mut **left, &mut **right], schema)
        }
        Expr::Between(Between { expr, low, high, .. }) => {
            compare_alike(vec![&mut **expr, &mut **low, &mut **high], schema)
        }
        Expr::InList(InList { expr, list, .. }) => {
            compare_alike(std::iter::once(&mut **expr).chain(list.iter_mut()).collect(), schema)
        }
        Expr::InSubquery(within) => read_within(within, schema)?,
        Expr::Case(case) => read_case(case, schema),
        Expr::ScalarFunction(ScalarFunction { func, args })
            if CHOOSING.contains(&func.name()) || func.name() == "make_array" =>
        {
            // Of nvl2 the first is only looked at.
            let skipped = usize::from(func.name() == "nvl2");
            make_alike(args.iter_mut().skip(skipped).collect(), schema)
        }
        Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field })
            if field.data_type().is_decimal() =>
        {
            match as_decimal(expr) {
                Some(decimal) => {
                    **expr = lit(decimal);
                    true
                }
                None => false,
            }
        }
        _ => false,
    };
    Ok(Transformed::new_transformed(expr, transformed))
}

fn read_case(case: &mut Case, schema: &DFSchema) -> bool {
    let compared = match &mut case.expr {
        Some(compared) => {
            let whens = case.when_then_expr.iter_mut().map(|(when, _)| &mut **when);
            compare_alike(std::iter::once(&mut **compared).chain(whens).collect(), schema)
        }
        None => false,
    };
    let mut results: Vec<&mut Expr> = case.when_then_expr.iter_mut().map(|(_, then)| &mut **then).collect();
    if let Some(other) = &mut case.else_expr {
        results.push(&mut **other);
    }
    make_alike(results, schema) || compared
}

fn read_within(within: &mut InSubquery, schema: &DFSchema) -> Result<bool> {
    let Some(found) =
        within.subquery.subquery.schema().fields().first().map(|field| field.data_type().clone())
    else {
        return Ok(false);
    };
    let Ok(own) = within.expr.get_type(schema) else { return Ok(false) };
    if own.is_decimal() && found.is_floating() {
        *within.expr = cast(std::mem::take(&mut *within.expr), DataType::Float64);
        return Ok(true);
    }
    if own.is_floating() && found.is_decimal() {
        within.subquery = cast_subquery(within.subquery.clone(), &DataType::Float64)?;
        return Ok(true);
    }
    Ok(false)
}

/// Makes doubles or decimals of what becomes one type, where it is some of both; whether anything was to be done.
fn make_alike(exprs: Vec<&mut Expr>, schema: &DFSchema) -> bool {
    let types = types_of(&exprs, schema);
    if !(types.iter().any(DataType::is_decimal) && types.iter().any(DataType::is_floating)) {
        return false;
    }
    match written(&exprs, &types) {
        Some(decimals) => make_decimals(exprs, decimals),
        None => make_doubles(exprs, &types),
    }
    true
}

/// The same of what is compared: there whole numbers beside a large number that is written out are not to become doubles, and decimals that have no
/// type in common with one are.
fn compare_alike(exprs: Vec<&mut Expr>, schema: &DFSchema) -> bool {
    let types = types_of(&exprs, schema);
    let has = |is: fn(&DataType) -> bool| types.iter().any(is);
    // A text would be cast to as many digits as the decimal has.
    if has(DataType::is_string) && exprs.iter().any(|expr| is_written_decimal(expr)) {
        make_doubles(exprs, &types);
        return true;
    }
    if has(is_long) && has(DataType::is_floating) && exprs.iter().any(|expr| is_large(expr)) {
        if let Some(decimals) = written(&exprs, &types) {
            make_decimals(exprs, decimals);
            return true;
        }
    } else if has(DataType::is_decimal)
        && !has(DataType::is_floating)
        && exprs.iter().any(|expr| is_written_decimal(expr))
        && !have_common_decimal(types.iter().cloned())
    {
        make_doubles(exprs, &types);
        return true;
    }
    make_alike(exprs, schema)
}

fn types_of(exprs: &[&mut Expr], schema: &DFSchema) -> Vec<DataType> {
    exprs.iter().map(|expr| expr.get_type(schema).unwrap_or(DataType::Null)).collect()
}

/// A double that is written out, beyond which not all whole numbers are doubles.
fn is_large(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(ScalarValue::Float64(Some(number)), _) => number.abs() >= EXACT as f64,
        Expr::Negative(inner) => is_large(inner),
        _ => false,
    }
}

/// A number that is written out with more digits than a double has, which is spelled as the cast of its text.
fn is_written_decimal(expr: &Expr) -> bool {
    match expr {
        Expr::Cast(Cast { expr, field }) => {
            field.data_type().is_decimal()
                && matches!(expr.as_ref(), Expr::Literal(text, _) if text.data_type().is_string())
        }
        Expr::Negative(inner) => is_written_decimal(inner),
        _ => false,
    }
}

fn make_decimals(exprs: Vec<&mut Expr>, decimals: Vec<Option<ScalarValue>>) {
    for (expr, decimal) in exprs.into_iter().zip(decimals) {
        if let Some(decimal) = decimal {
            *expr = lit(decimal);
        }
    }
}

fn make_doubles(exprs: Vec<&mut Expr>, types: &[DataType]) {
    for (expr, found) in exprs.into_iter().zip(types) {
        if found.is_decimal() {
            *expr = cast(std::mem::take(expr), DataType::Float64);
        }
    }
}

/// Of each expression the decimal that is written there in the place of a double. `None` where a double is computed or of a column, or the
/// decimals have no type in common.
fn written(exprs: &[&mut Expr], types: &[DataType]) -> Option<Vec<Option<ScalarValue>>> {
    let decimals: Vec<Option<ScalarValue>> = exprs
        .iter()
        .zip(types)
        .map(|(expr, found)| if found.is_floating() { as_decimal(expr).map(Some) } else { Some(None) })
        .collect::<Option<_>>()?;
    let all = types.iter().cloned().chain(decimals.iter().flatten().map(ScalarValue::data_type));
    have_common_decimal(all).then_some(decimals)
}

/// Whether there is a decimal that holds all values of these types.
fn have_common_decimal(types: impl Iterator<Item = DataType>) -> bool {
    let (mut whole, mut fraction, mut most) = (0, 0, i16::from(DECIMAL128_MAX_PRECISION));
    for found in types {
        let (precision, scale) = match found {
            DataType::Decimal32(precision, scale)
            | DataType::Decimal64(precision, scale)
            | DataType::Decimal128(precision, scale) => (precision, scale),
            DataType::Decimal256(precision, scale) => {
                most = i16::from(DECIMAL256_MAX_PRECISION);
                (precision, scale)
            }
            long if is_long(&long) => (LONG_DIGITS, 0),
            _ => continue,
        };
        whole = whole.max(i16::from(precision) - i16::from(scale));
        fraction = fraction.max(i16::from(scale));
    }
    whole + fraction <= most
}

/// Columns that become one, and columns by which tables are joined.
fn columns(plan: LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Union(union) => Ok(LogicalPlan::Union(alike_columns(union)?)),
        LogicalPlan::Join(mut join) => {
            for (left, right) in &mut join.on {
                let types = (left.get_type(join.left.schema())?, right.get_type(join.right.schema())?);
                match types {
                    (own, other) if own.is_decimal() && other.is_floating() => {
                        *left = cast(std::mem::take(left), DataType::Float64);
                    }
                    (own, other) if own.is_floating() && other.is_decimal() => {
                        *right = cast(std::mem::take(right), DataType::Float64);
                    }
                    _ => {}
                }
            }
            Ok(LogicalPlan::Join(join))
        }
        other => Ok(other),
    }
}

fn alike_columns(union: Union) -> Result<Union> {
    let is_mixed = |place: usize| {
        // The union may still have a type from before its inputs were rewritten.
        let schemas =
            || union.inputs.iter().map(|input| input.schema()).chain(std::iter::once(&union.schema));
        let fields = || schemas().filter_map(move |schema| schema.fields().get(place));
        fields().any(|field| field.data_type().is_decimal())
            && fields().any(|field| field.data_type().is_floating())
    };
    let mixed: Vec<bool> = (0..union.schema.fields().len()).map(is_mixed).collect();
    if !mixed.contains(&true) {
        return Ok(union);
    }
    let inputs = union.inputs.into_iter().map(|input| -> Result<Arc<LogicalPlan>> {
        let doubles = with_doubles(input.schema(), &mixed)?;
        Ok(Arc::new(coerce_plan_expr_for_schema(Arc::unwrap_or_clone(input), &doubles)?))
    });
    let inputs = inputs.collect::<Result<Vec<_>>>()?;
    let schema = Arc::new(with_doubles(&union.schema, &mixed)?);
    Ok(Union { inputs, schema })
}

/// The schema with doubles in the place of numbers in these columns.
pub(super) fn with_doubles(schema: &DFSchema, mixed: &[bool]) -> Result<DFSchema> {
    let fields = schema.iter().zip(mixed).map(|((table, field), mixed)| {
        let field: FieldRef = if *mixed && field.data_type().is_numeric() {
            Arc::new(Field::clone(field).with_data_type(DataType::Float64))
        } else {
            Arc::clone(field)
        };
        (table.cloned(), field)
    });
    DFSchema::new_with_metadata(fields.collect(), schema.metadata().clone())
}
