//! Writing rows to one file: CSV, NDJSON or Parquet, batch by batch.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::{csv, json};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::RecordBatchStream;
use futures::StreamExt;
use mlpipeline_crds::Format;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use tokio::sync::mpsc;

use super::TableError;
use super::error::query_error;
use crate::artifact::Column;
use crate::failure::StepError;
use crate::progress::Progress;

/// How many batches may wait for the writer.
const BATCHES_AHEAD: usize = 4;

/// A row group of a Parquet file is closed when it has this many bytes, or [`GROUP_ROWS`] rows: it is held in memory until
/// then.
const GROUP_BYTES: usize = 64 << 20;

/// The most rows of a row group.
const GROUP_ROWS: usize = 1 << 20;

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
    let file = File::create(path).map_err(TableError::io("create", path))?;
    let sync = file.try_clone().map_err(TableError::io("open", path))?;
    let written = write_to(rows, format, file, &path.display().to_string(), progress).await?;
    let synced = tokio::task::spawn_blocking(move || sync.sync_all()).await;
    synced
        .map_err(|error| TableError::Internal(error.to_string()))?
        .map_err(TableError::io("sync", &shown))?;
    Ok(written)
}

/// Writes a query's rows to any output, for example standard output. `name` is what messages call it.
///
/// # Errors
/// As [`write`].
pub async fn write_to(
    mut rows: SendableRecordBatchStream,
    format: Format,
    output: impl Write + Send + 'static,
    name: &str,
    progress: Progress,
) -> Result<Written, StepError> {
    let schema = RecordBatchStream::schema(rows.as_ref().get_ref());
    let columns = columns(&schema, format)?;
    let (send, receive) = mpsc::channel(BATCHES_AHEAD);
    let output_name = name.to_owned();
    // Encoding is work for a core, so it has a thread of its own, beside the query's.
    let writer =
        tokio::task::spawn_blocking(move || write_batches(receive, format, output, &schema, &output_name));
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
    name: &str,
) -> Result<(), TableError> {
    let mut encoder = Encoder::new(format, BufWriter::with_capacity(256 << 10, output), schema, name)?;
    while let Some(batch) = batches.blocking_recv() {
        encoder.write(&batch).map_err(|error| encoding(name, error))?;
    }
    encoder.finish().map_err(|error| encoding(name, error))
}

/// A file being written.
enum Encoder<W: Write + Send> {
    Csv(Box<csv::Writer<W>>),
    Ndjson(Box<json::Writer<W, json::writer::LineDelimited>>),
    Parquet(Box<ArrowWriter<W>>),
}

impl<W: Write + Send> Encoder<W> {
    fn new(format: Format, output: W, schema: &SchemaRef, name: &str) -> Result<Self, TableError> {
        Ok(match format {
            Format::Csv => {
                let mut writer = csv::WriterBuilder::new().with_header(true).build(output);
                // A result without rows has a header all the same.
                writer
                    .write(&RecordBatch::new_empty(SchemaRef::clone(schema)))
                    .map_err(|error| encoding(name, error.into()))?;
                Self::Csv(Box::new(writer))
            }
            Format::Ndjson => {
                Self::Ndjson(Box::new(json::WriterBuilder::new().with_explicit_nulls(true).build(output)))
            }
            Format::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::SNAPPY)
                    .set_max_row_group_row_count(Some(GROUP_ROWS))
                    .build();
                let writer = ArrowWriter::try_new(output, SchemaRef::clone(schema), Some(properties))
                    .map_err(|error| encoding(name, error.into()))?;
                Self::Parquet(Box::new(writer))
            }
            Format::Text => {
                let text = "text is read, and not written; write csv, ndjson or parquet".to_owned();
                return Err(TableError::Query(text));
            }
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), EncodeError> {
        match self {
            Self::Csv(writer) => writer.write(batch)?,
            Self::Ndjson(writer) => writer.write(batch)?,
            Self::Parquet(writer) => {
                writer.write(batch)?;
                if writer.in_progress_size() >= GROUP_BYTES {
                    writer.flush()?;
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<(), EncodeError> {
        match self {
            Self::Csv(writer) => writer.into_inner().flush()?,
            Self::Ndjson(mut writer) => {
                writer.finish()?;
                writer.into_inner().flush()?;
            }
            Self::Parquet(mut writer) => {
                writer.finish()?;
                writer.inner_mut().flush()?;
            }
        }
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
enum EncodeError {
    #[error(transparent)]
    Arrow(#[from] ArrowError),
    #[error(transparent)]
    Parquet(#[from] ParquetError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Encoders wrap the answers of the operating system; they are looked for, since they are storage's fault, not the data's.
fn encoding(name: &str, error: EncodeError) -> TableError {
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
            return TableError::Io { action: "write", path: name.into(), source };
        }
        cause = current.source();
    }
    TableError::content(name, error.to_string())
}

/// The columns to remember, having checked that the format holds them.
fn columns(schema: &Schema, format: Format) -> Result<Vec<Column>, TableError> {
    let mut names = BTreeSet::new();
    let mut columns = Vec::new();
    if schema.fields().is_empty() {
        return Err(TableError::Query("the result has no columns".to_owned()));
    }
    for field in schema.fields() {
        let name = field.name();
        if !names.insert(name) {
            let text =
                format!("the result has two columns called \"{name}\"; name one of them otherwise with AS");
            return Err(TableError::Query(text));
        }
        if format == Format::Csv && !fits_csv(field.data_type()) {
            let text = format!(
                "column \"{name}\" has the type {}, which CSV cannot hold; write ndjson or parquet, or cast it",
                field.data_type()
            );
            return Err(TableError::Query(text));
        }
        columns.push(Column { name: name.clone(), data_type: plain(field.data_type()).to_string() });
    }
    // A nested type is found again by looking at the values.
    let readable = columns.iter().all(|column| column.data_type.parse::<DataType>().is_ok());
    Ok(if format == Format::Parquet || !readable { Vec::new() } else { columns })
}

/// The type by which a column of a text file is read again.
fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 | DataType::Null => DataType::Utf8,
        DataType::Dictionary(_, values) => plain(values),
        other => other.clone(),
    }
}

/// Whether values of a type can be written to CSV and read from it again.
fn fits_csv(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => fits_csv(values),
        DataType::Null | DataType::Utf8View | DataType::LargeUtf8 | DataType::Utf8 | DataType::Boolean => {
            true
        }
        DataType::Date32 | DataType::Date64 | DataType::Time32(_) | DataType::Time64(_) => true,
        DataType::Timestamp(..) => true,
        other => other.is_numeric(),
    }
}
