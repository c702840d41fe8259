//! A SELECT in the place of a value is null where it has no row, also where none of its rows has a null there: the engine takes that for never
//! null, and leaves out what asks whether it is.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Spans;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Subquery, Volatility,
};

/// The subquery, whose value is known to be null at times unless it has one row in any case.
pub(super) fn nullable(subquery: Subquery) -> Result<Subquery> {
    let plan = &subquery.subquery;
    let Some((qualifier, field)) = plan.schema().iter().next() else { return Ok(subquery) };
    if field.is_nullable() || has_one_row(plan) {
        return Ok(subquery);
    }
    let value = Expr::Column((qualifier, field.as_ref()).into());
    let function = Arc::new(ScalarUDF::new_from_impl(Nullable::new()));
    let value = Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![value])).alias(field.name());
    let plan = LogicalPlanBuilder::from(LogicalPlan::clone(plan)).project(vec![value])?.build()?;
    Ok(Subquery {
        subquery: Arc::new(plan),
        outer_ref_columns: subquery.outer_ref_columns,
        spans: Spans::new(),
    })
}

/// Whether a plan has exactly one row: an aggregate of all rows.
fn has_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::Projection(projection) => has_one_row(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => has_one_row(&alias.input),
        _ => false,
    }
}

/// A value as it is, which may be null for all that is known.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Nullable {
    signature: Signature,
}

impl Nullable {
    fn new() -> Self {
        // What is computed beforehand would be a constant, and no constant is null.
        Self { signature: Signature::any(1, Volatility::Volatile) }
    }
}

impl ScalarUDFImpl for Nullable {
    fn name(&self) -> &'static str {
        "nullable"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.first().cloned().ok_or_else(|| DataFusionError::Internal("no argument".to_owned()))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let found = args.arg_fields.first().map_or(DataType::Null, |field| field.data_type().clone());
        Ok(Arc::new(Field::new(self.name(), found, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        args.args.into_iter().next().ok_or_else(|| DataFusionError::Internal("no argument".to_owned()))
    }
}
