//! Opening a source as a table.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::dataframe::DataFrame;
use mlpipeline_crds::{DataSource, Format};
use url::Url;

use super::TableError;
use super::counted::CountedTable;
use super::cut_short::or_cut_short;
use super::file::LocalFile;
use super::format::{self, ReadOptions};
use super::leaves::leaves;
use super::source::{Located, locate};
use super::text::ExpectedTypes;
use crate::WorkContext;
use crate::artifact::Column;
use crate::cancellation::Cancellation;
use crate::engine::{ReadAhead, query_error, streaming};
use crate::failure::StepError;
use crate::network::redaction_of;
use crate::redaction::Redaction;

/// Opens a source as rows that are read when they are asked for, in the order of the files and of the rows in them, in
/// memory that does not grow with them. `name` is what messages call the table.
///
/// # Errors
/// When the source cannot be found, fetched or understood, or its rows are malformed: text formats are read from
/// end to end before the first row is given.
pub async fn open(source: &DataSource, name: &str, context: &WorkContext) -> Result<DataFrame, StepError> {
    open_expecting(source, name, ExpectedTypes::new(), context).await
}

/// [`open`], where columns are to have these types if they can.
///
/// # Errors
/// As [`open`].
pub async fn open_expecting(
    source: &DataSource,
    name: &str,
    expected: ExpectedTypes,
    context: &WorkContext,
) -> Result<DataFrame, StepError> {
    let table = provider(source, name, expected, context).await?;
    let session = streaming(&context.session(), leaves(table.schema().fields()));
    session.read_table(table).map_err(|error| query_error(&error))
}

/// What is known of a source's columns beside what is in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownColumns {
    /// Types that columns are to have if they can.
    pub expected: ExpectedTypes,
    /// The columns of a file that came before.
    pub before: Vec<Column>,
    /// The columns themselves, by whoever wrote the files; empty where nobody says.
    pub own: Vec<Column>,
}

/// Opens a source as a table for queries.
///
/// # Errors
/// As [`open`].
pub async fn provider(
    source: &DataSource,
    name: &str,
    expected: ExpectedTypes,
    context: &WorkContext,
) -> Result<Arc<dyn TableProvider>, StepError> {
    provider_of(source, name, KnownColumns { expected, ..KnownColumns::default() }, context).await
}

/// [`provider`], where more is known of the columns.
///
/// # Errors
/// As [`open`].
pub(crate) async fn provider_of(
    source: &DataSource,
    name: &str,
    known: KnownColumns,
    context: &WorkContext,
) -> Result<Arc<dyn TableProvider>, StepError> {
    // A server may repeat what it was asked with, also where it answers something else than the table.
    let of_url = redaction(source);
    let named = |error: StepError| StepError {
        message: format!("{name}: {}", of_url.without_secrets(&error.message)),
        ..error
    };
    let mut located = locate(source, context).await.map_err(named)?;
    located.options.table = name.to_owned();
    located.options.expected = known.expected;
    located.options.before = schema_of(&known.before);
    if located.columns.is_empty() {
        located.columns = known.own;
    }
    let cancellation = context.cancellation.clone();
    let ahead = context.read_ahead();
    let opened = tokio::task::spawn_blocking(move || {
        let (files, format) = (located.files.clone(), located.format);
        table(located, &ahead, &cancellation).map_err(|error| or_cut_short(error, &files, format))
    })
    .await;
    let opened = opened.map_err(|error| TableError::Internal(error.to_string()))?;
    opened.map_err(|error| named(error.into()))
}

/// Takes out of messages what the URL of a source holds.
fn redaction(source: &DataSource) -> Redaction {
    let url = match source {
        DataSource::Uri { uri, .. } => Url::parse(uri).ok(),
        DataSource::Artifact { .. } => None,
    };
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    url.map(|url| redaction_of(&url)).unwrap_or_default()
}

/// A table of a file of known columns, as it was written by [`super::write`].
pub(crate) fn written(
    file: LocalFile,
    format: Format,
    columns: Vec<Column>,
    ahead: &ReadAhead,
    cancellation: &Cancellation,
) -> Result<Arc<dyn TableProvider>, TableError> {
    let located = Located { files: vec![file], format, columns, rows: None, options: ReadOptions::default() };
    table(located, ahead, cancellation)
}

fn table(
    located: Located,
    ahead: &ReadAhead,
    cancellation: &Cancellation,
) -> Result<Arc<dyn TableProvider>, TableError> {
    let stop = || cancellation.is_cancelled();
    let Located { files, format, columns, rows, options } = located;
    let format = format::of(format);
    if let Some(schema) = schema_of(&columns) {
        let table = format.open(files, schema, &options)?;
        return Ok(match rows {
            Some(rows) => Arc::new(CountedTable::new(table, rows)),
            None => table,
        });
    }
    let name = files.first().map(|file| file.name.clone()).unwrap_or_default();
    if let Some(twice) = twice(options.columns.iter()) {
        let problem = format!("columns names \"{twice}\" twice, for {name}; name each column once");
        return Err(TableError::Source(problem));
    }
    let pages = files.iter().any(|file| file.arrival.is_page);
    let opened = format.infer(files, &options, &stop)?;
    if pages && opened.rows == 0 && opened.table.schema().fields().len() == 1 {
        let problem = "it has no rows, and the server sends it as text/html, as it sends an HTML or XML page; does the address need a login?";
        return Err(TableError::content(&name, problem));
    }
    ahead.note(opened.held);
    let schema = opened.table.schema();
    if let Some(twice) = twice(schema.fields().iter().map(|field| field.name())) {
        let problem = format!(
            "it has two columns called \"{twice}\", of which a query could name neither; write the file with different names"
        );
        return Err(TableError::content(&name, problem));
    }
    if let Some(warning) = opened.warning {
        tracing::warn!("{name}: {warning}");
    }
    Ok(Arc::new(CountedTable::new(opened.table, opened.rows)))
}

/// The first name that is there more than once.
fn twice<'a>(mut names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let mut known = BTreeSet::new();
    names.find(|name| !known.insert(*name))
}

/// The columns of a manifest; `None` where there are none, or one has a type that this build does not know.
fn schema_of(columns: &[Column]) -> Option<SchemaRef> {
    let fields: Option<Vec<Field>> = columns
        .iter()
        .map(|column| Some(Field::new(&column.name, column.data_type.parse::<DataType>().ok()?, true)))
        .collect();
    fields.filter(|fields| !fields.is_empty()).map(|fields| Arc::new(Schema::new(fields)))
}
