//! Which row of which input has the value that a query could not compute with: what fails names the value alone.

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{DataType, UInt64Type};
use datafusion::common::{Column, TableReference};
use datafusion::error::DataFusionError;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Expr, lit};
use datafusion::prelude::SessionContext;
use mlpipeline_crds::PrepareInput;

use crate::failure::StepError;

/// What stands before and after the value in messages.
const FORMS: [(&str, &str); 4] = [
    ("Cannot cast string '", "' to value of"),
    ("Error parsing timestamp from '", "':"),
    (" cannot read '", "' by its pattern: "),
    (" cannot read '", "' as a date: "),
];

/// The name of the column with rows' numbers; no CSV or JSON has it by chance.
const ROW: &str = "\u{1}row";

/// The error with the place of the value that it names, where an input has that value.
pub(super) async fn with_place(
    error: StepError,
    session: &SessionContext,
    inputs: &[PrepareInput],
) -> StepError {
    let value = FORMS.iter().find_map(|(before, after)| {
        let (_, rest) = error.message.split_once(before)?;
        rest.split_once(after).map(|(value, _)| value.to_owned())
    });
    let Some(value) = value else { return error };
    for input in inputs {
        // An input that cannot be searched must not hide the error.
        if let Ok(Some((row, column))) = find(session, &input.name, &value).await {
            let message = format!(
                "{}. The value is in row {row} of {}, column \"{column}\"",
                error.message, input.name
            );
            return StepError { message, ..error };
        }
    }
    error
}

/// The first row, from 1, with this text, and the column that has it.
async fn find(
    session: &SessionContext,
    table: &str,
    value: &str,
) -> Result<Option<(u64, String)>, DataFusionError> {
    let frame = session.table(TableReference::bare(table)).await?;
    let columns: Vec<String> = frame
        .schema()
        .fields()
        .iter()
        .filter(|field| {
            matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
        })
        .map(|field| field.name().clone())
        .collect();
    let column = |name: &str| Expr::Column(Column::from_name(name));
    let Some(any) = columns.iter().map(|name| column(name).eq(lit(value))).reduce(Expr::or) else {
        return Ok(None);
    };
    let found =
        frame.window(vec![row_number().alias(ROW)])?.filter(any)?.limit(0, Some(1))?.collect().await?;
    let Some(batch) = found.iter().find(|batch| batch.num_rows() > 0) else { return Ok(None) };
    let row = batch.column_by_name(ROW).and_then(|rows| rows.as_primitive_opt::<UInt64Type>());
    let row = row.filter(|rows| !rows.is_empty()).map_or(0, |rows| rows.value(0));
    let holds = |name: &&String| {
        let texts = batch.column_by_name(name);
        texts
            .and_then(|texts| texts.as_string_opt::<i32>())
            .is_some_and(|texts| texts.is_valid(0) && texts.value(0) == value)
    };
    Ok(columns.iter().find(holds).or(columns.first()).map(|name| (row, name.clone())))
}
