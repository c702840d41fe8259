//! Opening a source as a table.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::dataframe::DataFrame;
use mlpipeline_crds::{DataSource, Format};

use super::TableError;
use super::blocks::TextFile;
use super::csv::{self, Scanned};
use super::error::query_error;
use super::lines;
use super::locate::{Located, locate};
use super::ndjson;
use super::parquet;
use super::text_table::TextTable;
use crate::WorkContext;
use crate::artifact::Column;
use crate::context::Cancellation;
use crate::failure::StepError;

/// Opens a source as rows that are read when they are asked for, in the order of the files and of the rows in them, in
/// memory that does not grow with them. `name` is what messages call the table.
///
/// # Errors
/// When the source cannot be found, fetched or understood, or its rows are malformed: text formats are looked through from
/// end to end before the first row is given.
pub async fn open(source: &DataSource, name: &str, context: &WorkContext) -> Result<DataFrame, StepError> {
    let table = provider(source, name, context).await?;
    context.session().read_table(table).map_err(|error| query_error(&error))
}

/// Opens a source as a table for queries.
///
/// # Errors
/// As [`open`].
pub async fn provider(
    source: &DataSource,
    name: &str,
    context: &WorkContext,
) -> Result<Arc<dyn TableProvider>, StepError> {
    let located = locate(source, context).await.map_err(|error| named(error, name))?;
    let cancellation = context.cancellation.clone();
    let opened = tokio::task::spawn_blocking(move || table(located, &cancellation)).await;
    let opened = opened.map_err(|error| TableError::Internal(error.to_string()))?;
    opened.map_err(|error| named(error.into(), name))
}

/// Puts the table's name before a message, for it is what the spec calls the source.
fn named(error: StepError, name: &str) -> StepError {
    StepError { message: format!("{name}: {}", error.message), ..error }
}

/// A table of files of known columns, as they were written by [`super::write`].
pub(crate) fn written(
    file: TextFile,
    format: Format,
    columns: Vec<Column>,
    cancellation: &Cancellation,
) -> Result<Arc<dyn TableProvider>, TableError> {
    table(Located { files: vec![file], format, header: Vec::new(), columns, lines: None }, cancellation)
}

fn table(located: Located, cancellation: &Cancellation) -> Result<Arc<dyn TableProvider>, TableError> {
    let stop = || cancellation.is_cancelled();
    let Located { files, format, header, columns, lines } = located;
    let known = schema_of(&columns);
    match (format, known) {
        (Format::Parquet, _) => parquet::table(&files),
        (Format::Csv, Some(schema)) => {
            let blocks = csv::cut(&files, &schema)?;
            Ok(Arc::new(TextTable::csv(schema, files, blocks)))
        }
        (Format::Ndjson, Some(schema)) => {
            let blocks = ndjson::cut(&files)?;
            Ok(Arc::new(TextTable::ndjson(schema, files, blocks)))
        }
        (Format::Csv, None) => {
            let scanned = csv::scan(&files, &header, &stop)?;
            warn(&files, &scanned);
            Ok(Arc::new(TextTable::csv(scanned.schema, files, scanned.blocks)))
        }
        (Format::Ndjson, None) => {
            let scanned = ndjson::scan(&files, &stop)?;
            Ok(Arc::new(TextTable::ndjson(scanned.schema, files, scanned.blocks)))
        }
        (Format::Text, _) => {
            let pattern = lines.ok_or_else(|| TableError::Internal("text without a pattern".into()))?;
            let scanned = lines::scan(&files, &pattern, &stop)?;
            warn(&files, &scanned);
            Ok(Arc::new(TextTable::lines(pattern, scanned.schema, files, scanned.blocks)))
        }
    }
}

fn warn(files: &[TextFile], scanned: &Scanned) {
    if let Some(warning) = &scanned.warning {
        let name = files.first().map(|file| file.name.as_str()).unwrap_or_default();
        tracing::warn!("{name}: {warning}");
    }
}

/// The columns of a manifest; `None` where there are none, or one has a type that this build does not know.
fn schema_of(columns: &[Column]) -> Option<SchemaRef> {
    let fields: Option<Vec<Field>> = columns
        .iter()
        .map(|column| Some(Field::new(&column.name, column.data_type.parse::<DataType>().ok()?, true)))
        .collect();
    fields.filter(|fields| !fields.is_empty()).map(|fields| Arc::new(Schema::new(fields)))
}
