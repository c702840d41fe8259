//! Rows that another program wrote, with every NaN positive: by the sign that it gave one, it would be less than all other numbers.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::error::ArrowError;
use datafusion::common::config::ConfigOptions;
use datafusion::error::Result as QueryResult;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;

use super::canonical::{Form, function, in_form, is_or_holds_numbers};

/// The same values of a column.
pub(crate) fn values_with_positive_nan(values: ArrayRef) -> Result<ArrayRef, ArrowError> {
    in_form(values, Form::Value)
}

/// The same rows of a batch.
pub(crate) fn batch_with_positive_nan(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().map(|column| values_with_positive_nan(Arc::clone(column)));
    let columns = columns.collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(batch.schema(), columns, &options)
}

/// The same rows; those without a column of numbers as they are.
pub(crate) fn with_positive_nan(rows: Arc<dyn ExecutionPlan>) -> QueryResult<Arc<dyn ExecutionPlan>> {
    let schema = rows.schema();
    if !schema.fields().iter().any(|field| is_or_holds_numbers(field.data_type())) {
        return Ok(rows);
    }
    let value = function(Form::Value);
    let mut columns: Vec<(Arc<dyn PhysicalExpr>, String)> = Vec::with_capacity(schema.fields().len());
    for (place, field) in schema.fields().iter().enumerate() {
        let mut column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), place));
        if is_or_holds_numbers(field.data_type()) {
            let options = Arc::new(ConfigOptions::default());
            column =
                Arc::new(ScalarFunctionExpr::try_new(Arc::clone(&value), vec![column], &schema, options)?);
        }
        columns.push((column, field.name().clone()));
    }
    Ok(Arc::new(ProjectionExec::try_new(columns, rows)?))
}
