//! Whole numbers of 64 bits that become doubles because they stand beside one, where they come out as they are: in CASE, `coalesce` and its like,
//! lists and UNION. One that no double is fails the query, where the engine would answer another number.
//!
//! It runs before types are made alike. Must not change arithmetic and comparisons, nor casts that are written out, which take the nearest double.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, Field, FieldRef, Float64Type, Int64Type,
};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::{Case, ScalarFunction};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, Projection, ReturnFieldArgs, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, Signature, Union, Volatility,
};
use datafusion::optimizer::AnalyzerRule;

use super::days_and_numbers::CHOOSING;
use super::decimals_and_doubles::with_doubles;
use super::number_types::{EXACT, is_long};
use super::rewrite::rewrite_node;

/// Puts the function that checks around whole numbers beside doubles.
#[derive(Debug)]
pub(super) struct ExactWhole {
    function: Arc<ScalarUDF>,
}

impl ExactWhole {
    pub(super) fn new() -> Self {
        let signature = Signature::any(1, Volatility::Immutable);
        Self { function: Arc::new(ScalarUDF::new_from_impl(ExactDouble { signature })) }
    }

    fn of(&self, expr: Expr) -> Expr {
        Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&self.function), vec![expr]))
    }

    fn read(&self, mut expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
        let transformed = match &mut expr {
            Expr::Case(Case { when_then_expr, else_expr, .. }) => {
                let thens = when_then_expr.iter_mut().map(|(_, then)| &mut **then);
                self.make_exact(thens.chain(else_expr.as_deref_mut()).collect(), schema)
            }
            Expr::ScalarFunction(ScalarFunction { func, args })
                if CHOOSING.contains(&func.name()) || func.name() == "make_array" =>
            {
                // Of nvl2 the first is only looked at.
                let skipped = usize::from(func.name() == "nvl2");
                self.make_exact(args.iter_mut().skip(skipped).collect(), schema)
            }
            _ => false,
        };
        Transformed::new_transformed(expr, transformed)
    }

    /// Makes doubles of whole numbers that stand beside one; whether there were any.
    fn make_exact(&self, exprs: Vec<&mut Expr>, schema: &DFSchema) -> bool {
        let types: Vec<DataType> =
            exprs.iter().map(|expr| expr.get_type(schema).unwrap_or(DataType::Null)).collect();
        if !is_mixed(types.iter()) {
            return false;
        }
        let mut any = false;
        for (expr, found) in exprs.into_iter().zip(&types) {
            if is_long(found) && !is_small(expr) {
                *expr = self.of(std::mem::take(expr));
                any = true;
            }
        }
        any
    }

    /// The columns of a union that become doubles.
    fn columns(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let LogicalPlan::Union(union) = plan else { return Ok(plan) };
        let is_mixed_at = |place: usize| {
            let fields = union.inputs.iter().filter_map(|input| input.schema().fields().get(place));
            is_mixed(fields.map(|field| field.data_type()))
        };
        let mixed: Vec<bool> = (0..union.schema.fields().len()).map(is_mixed_at).collect();
        if !mixed.contains(&true) {
            return Ok(LogicalPlan::Union(union));
        }
        let inputs = union.inputs.into_iter().map(|input| self.exact_columns(input, &mixed));
        let inputs = inputs.collect::<Result<Vec<_>>>()?;
        let schema = Arc::new(with_doubles(&union.schema, &mixed)?);
        Ok(LogicalPlan::Union(Union { inputs, schema }))
    }

    fn exact_columns(&self, input: Arc<LogicalPlan>, mixed: &[bool]) -> Result<Arc<LogicalPlan>> {
        let schema = Arc::clone(input.schema());
        let columns = schema.iter().zip(mixed).map(|((table, field), mixed)| {
            let column = Expr::Column(Column::from((table, field)));
            if *mixed && is_long(field.data_type()) {
                self.of(column).alias_qualified(table.cloned(), field.name())
            } else {
                column
            }
        });
        Ok(Arc::new(LogicalPlan::Projection(Projection::try_new(columns.collect(), input)?)))
    }
}

/// Whether these types become one of doubles, and some are of whole numbers.
fn is_mixed<'a>(types: impl Iterator<Item = &'a DataType>) -> bool {
    let (mut has_long, mut has_double) = (false, false);
    for found in types {
        has_long |= is_long(found);
        has_double |= found.is_floating();
        if !found.is_numeric() && !found.is_null() {
            return false;
        }
    }
    has_long && has_double
}

/// A number that is written out and is a double.
fn is_small(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(ScalarValue::Int64(Some(number)), _) => number.unsigned_abs() <= EXACT,
        Expr::Literal(ScalarValue::UInt64(Some(number)), _) => *number <= EXACT,
        Expr::Literal(value, _) => value.is_null(),
        Expr::Negative(inner) => is_small(inner),
        _ => false,
    }
}

impl AnalyzerRule for ExactWhole {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|plan| {
            rewrite_node(plan, &|expr, schema| Ok(self.read(expr, schema)))?
                .map_data(|plan| self.columns(plan))?
                // What is above sees the types as they are now.
                .map_data(LogicalPlan::recompute_schema)
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "exact_whole"
    }
}

/// The double that a whole number is.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ExactDouble {
    signature: Signature,
}

impl ScalarUDFImpl for ExactDouble {
    fn name(&self) -> &'static str {
        "exact_double"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let is_nullable = args.arg_fields.first().is_none_or(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), DataType::Float64, is_nullable)))
    }

    /// Null stays null, so that joins are planned as they would be without it.
    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = args.args.as_slice() else {
            return Err(DataFusionError::Internal("one argument is expected".to_owned()));
        };
        Ok(ColumnarValue::Array(Arc::new(exact_doubles(&value.to_array(args.number_rows)?)?)))
    }
}

fn exact_doubles(values: &ArrayRef) -> Result<Float64Array> {
    let is_small = |number: &i64| number.unsigned_abs() <= EXACT;
    if values.as_primitive_opt::<Int64Type>().is_some_and(|numbers| numbers.values().iter().all(is_small)) {
        return Ok(cast(values, &DataType::Float64)?.as_primitive::<Float64Type>().clone());
    }
    let wide = cast(values, &DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0))?;
    let exact = |number: i128| {
        let double = number as f64;
        // Doubles of this size are whole.
        if double as i128 == number { Ok(double) } else { Err(is_none(number)) }
    };
    let numbers = wide.as_primitive::<Decimal128Type>().iter();
    numbers.map(|number| number.map(exact).transpose()).collect()
}

/// Its beginning is read again by whoever looks for the row of the number.
fn is_none(number: i128) -> DataFusionError {
    DataFusionError::Execution(format!(
        "{number} cannot be cast to DOUBLE without becoming another number, and stands beside a number with a fraction; CAST(x AS DOUBLE) takes \
         the nearest, and CAST(x AS DECIMAL(38, 2)) keeps all digits beside a number that is written out"
    ))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Int64Array, UInt64Array};

    use super::*;

    #[test]
    fn whole_numbers_are_the_doubles_that_they_are_or_none() {
        let exact = [0, -5, 9_007_199_254_740_992, 9_007_199_254_740_994, i64::MIN];
        let found = exact_doubles(&(Arc::new(Int64Array::from(exact.to_vec())) as ArrayRef));
        let expected: Vec<f64> = exact.iter().map(|number| *number as f64).collect();
        assert_eq!(found.expect("doubles"), Float64Array::from(expected));
        for number in [9_007_199_254_740_993, i64::MAX, -9_007_199_254_740_993] {
            let error = exact_doubles(&(Arc::new(Int64Array::from(vec![number])) as ArrayRef));
            let message = error.expect_err("no double").strip_backtrace();
            assert!(message.contains(&format!("{number} cannot be cast to DOUBLE")), "{message}");
        }
        assert!(exact_doubles(&(Arc::new(UInt64Array::from(vec![u64::MAX])) as ArrayRef)).is_err());
    }
}
