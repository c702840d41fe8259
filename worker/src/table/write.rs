//! Writing rows to one file, batch by batch.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::RecordBatchStream;
use futures::StreamExt;
use mlpipeline_crds::Format;
use tokio::sync::mpsc;

use super::encode_error::EncodeError;
use super::{TableError, format};
use crate::artifact::{Column, create_unlinked};
use crate::engine::query_error;
use crate::failure::{FileError, StepError};
use crate::progress::Progress;

/// What messages call a result that is being written.
const RESULT: &str = "the result";

/// How many batches may wait for the writer.
const BATCHES_AHEAD: usize = 4;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// How many rows.
    pub rows: u64,
    /// The columns with their types, for the manifest; none for Parquet, which holds them itself.
    pub columns: Vec<Column>,
}

/// Writes a query's rows to a new file and makes it durable. The rows are computed while others are written.
///
/// # Errors
/// When a row cannot be computed, a column has a type that the format cannot hold, or the file cannot be written.
pub async fn write(
    rows: SendableRecordBatchStream,
    format: Format,
    path: &Path,
    progress: Progress,
) -> Result<Written, StepError> {
    let shown = path.to_owned();
    let file = create_unlinked(path).map_err(TableError::io("create", path))?;
    let sync = file.try_clone().map_err(TableError::io("open", path))?;
    let written = write_to(rows, format, file, path, progress).await?;
    let synced = tokio::task::spawn_blocking(move || sync.sync_all()).await;
    synced
        .map_err(|error| TableError::Internal(error.to_string()))?
        .map_err(TableError::io("sync", &shown))?;
    Ok(written)
}

/// Writes a query's rows to any output, for example standard output. `path` is what messages about storage call it.
///
/// # Errors
/// As [`write`].
pub async fn write_to(
    mut rows: SendableRecordBatchStream,
    format: Format,
    output: impl Write + Send + 'static,
    path: &Path,
    progress: Progress,
) -> Result<Written, StepError> {
    let schema = RecordBatchStream::schema(rows.as_ref().get_ref());
    let columns = columns(&schema, format)?;
    let (send, receive) = mpsc::channel(BATCHES_AHEAD);
    let path = path.to_owned();
    // Encoding is work for a core, so it has a thread of its own, beside the query's.
    let writer = tokio::task::spawn_blocking(move || write_batches(receive, format, output, &schema, &path));
    let bar = progress.rows("write");
    let mut count = 0_u64;
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(|error| query_error(&error))?;
        count += batch.num_rows() as u64;
        bar.add(batch.num_rows() as u64);
        if send.send(batch).await.is_err() {
            // The writer is gone, and says why below.
            break;
        }
    }
    drop(send);
    writer.await.map_err(|error| TableError::Internal(error.to_string()))??;
    Ok(Written { rows: count, columns })
}

fn write_batches(
    mut batches: mpsc::Receiver<RecordBatch>,
    format: Format,
    output: impl Write + Send,
    schema: &SchemaRef,
    path: &Path,
) -> Result<(), TableError> {
    let output = BufWriter::with_capacity(256 << 10, output);
    let failed = |error: EncodeError| encoding(path, error);
    let mut writer = format::of(format).writer(Box::new(output), schema).map_err(failed)?;
    while let Some(batch) = batches.blocking_recv() {
        writer.write(&batch).map_err(failed)?;
    }
    writer.finish().map_err(failed)
}

/// Encoders wrap the answers of the operating system; they are looked for, since they are storage's fault, not the data's.
fn encoding(path: &Path, error: EncodeError) -> TableError {
    if let EncodeError::Column(problem) = error {
        return TableError::Query(problem);
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(current) = cause {
        let found = current.downcast_ref::<io::Error>().or(match current.downcast_ref::<ArrowError>() {
            Some(ArrowError::IoError(_, source)) => Some(source),
            _ => None,
        });
        if let Some(source) = found {
            let source = match source.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => io::Error::new(source.kind(), source.to_string()),
            };
            return FileError { action: "write", path: path.to_owned(), source }.into();
        }
        cause = current.source();
    }
    // The file's own name is that of a draft, which says nothing to people.
    TableError::content(RESULT, error.to_string())
}

/// The columns to remember, having checked that a result can have them.
fn columns(schema: &Schema, format: Format) -> Result<Vec<Column>, TableError> {
    let mut names = BTreeSet::new();
    let mut columns = Vec::new();
    if schema.fields().is_empty() {
        return Err(TableError::Query("the result has no columns".to_owned()));
    }
    for field in schema.fields() {
        let name = field.name();
        if !names.insert(name) {
            let text = format!("the result has two columns called \"{name}\"; rename one of them with AS");
            return Err(TableError::Query(text));
        }
        columns.push(Column { name: name.clone(), data_type: plain(field.data_type()).to_string() });
    }
    // A nested type is found again by inspecting the values.
    let readable = columns.iter().all(|column| column.data_type.parse::<DataType>().is_ok());
    Ok(if format::of(format).knows_its_columns() || !readable { Vec::new() } else { columns })
}

/// The type by which a column of a text file is read again.
fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 | DataType::Null => DataType::Utf8,
        DataType::Dictionary(_, values) => plain(values),
        other => other.clone(),
    }
}
