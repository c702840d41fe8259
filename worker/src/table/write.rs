//! Writing rows to one file, batch by batch.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::RecordBatchStream;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use mlpipeline_crds::Format;
use tokio::sync::mpsc;

use super::early_sync::EarlySync;
use super::encode_error::EncodeError;
use super::format::{BatchEncoder, OpenWriter, Writing};
use super::slices::slices;
use super::text::{Buffers, cores};
use super::{TableError, format};
use crate::artifact::{Column, create_unlinked};
use crate::engine::{query_error, until_failed};
use crate::failure::{FileError, StepError};
use crate::progress::Progress;

/// What messages call a result that is being written.
const RESULT: &str = "the result";

/// How many batches may wait for the writer.
const BATCHES_AHEAD: usize = 4;

/// How many bytes are written at once.
const BUFFER: usize = 256 << 10;

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
    let file = EarlySync::new(create_unlinked(path).map_err(TableError::io("create", path))?);
    let written = write_to(rows, format, file.clone(), path, progress).await?;
    let synced = tokio::task::spawn_blocking(move || file.finish()).await;
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
    rows: SendableRecordBatchStream,
    format: Format,
    output: impl Write + Send + 'static,
    path: &Path,
    progress: Progress,
) -> Result<Written, StepError> {
    let schema = RecordBatchStream::schema(rows.as_ref().get_ref());
    let columns = columns(&schema, format)?;
    let bar = progress.rows("write");
    let mut count = 0_u64;
    let rows = until_failed(rows)
        .map(|batch| batch.map_err(|error| query_error(&error)))
        .inspect_ok(|batch| {
            count += batch.num_rows() as u64;
            bar.add(batch.num_rows() as u64);
        })
        .map_ok(|batch| stream::iter(slices(&batch).map(Ok)))
        .try_flatten();
    let writing = format::of(format).writing(&schema).map_err(|error| encoding(path, error))?;
    let path = path.to_owned();
    match writing {
        Writing::Batches(encoder) => write_encoded(rows, encoder.into(), output, path).await?,
        Writing::Rows(open) => {
            let output = BufWriter::with_capacity(BUFFER, output);
            let writer = move |rows| write_rows(rows, open, Box::new(output), &schema, &path);
            hand_over(rows, BATCHES_AHEAD, writer).await?;
        }
    }
    Ok(Written { rows: count, columns })
}

/// Writes batches that are encoded on several cores, in their order.
async fn write_encoded(
    rows: impl Stream<Item = Result<RecordBatch, StepError>>,
    encoder: Arc<dyn BatchEncoder>,
    mut output: impl Write + Send + 'static,
    path: PathBuf,
) -> Result<(), StepError> {
    let buffers = Arc::new(Buffers::default());
    let mut head = Vec::new();
    encoder.head(&mut head);
    let (mut before, path) = (0_u64, Arc::new(path));
    let (given_back, shown) = (Arc::clone(&buffers), Arc::clone(&path));
    let encoded = rows.map(|batch| {
        let (first, encoder) = (before, Arc::clone(&encoder));
        let (buffers, path) = (Arc::clone(&buffers), Arc::clone(&path));
        before += batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
        // Encoding is work for a core, so it has a thread of its own.
        let bytes = batch.map(|batch| {
            tokio::task::spawn_blocking(move || {
                let mut bytes = buffers.take();
                encoder.encode(&batch, first, &mut bytes).map_err(|error| encoding(&path, error))?;
                Ok(bytes)
            })
        });
        async move {
            let encoded = bytes?.await.unwrap_or_else(|lost| Err(TableError::Internal(lost.to_string())));
            encoded.map_err(StepError::from)
        }
    });
    let all = stream::iter([Ok(head)]).chain(encoded.buffered(cores()));
    let writer = move |mut bytes: mpsc::Receiver<Vec<u8>>| {
        let failed = |error: io::Error| encoding(&shown, error.into());
        while let Some(part) = bytes.blocking_recv() {
            output.write_all(&part).map_err(failed)?;
            given_back.give(part);
        }
        output.flush().map_err(failed)
    };
    hand_over(all, 1, writer).await?;
    if let Some(warning) = encoder.warning() {
        tracing::warn!("{RESULT}: {warning}");
    }
    Ok(())
}

/// Hands over what comes to a writer with a thread of its own; so many may wait for it.
async fn hand_over<T: Send + 'static>(
    parts: impl Stream<Item = Result<T, StepError>>,
    ahead: usize,
    writer: impl FnOnce(mpsc::Receiver<T>) -> Result<(), TableError> + Send + 'static,
) -> Result<(), StepError> {
    let (send, receive) = mpsc::channel(ahead);
    let writer = tokio::task::spawn_blocking(move || writer(receive));
    let mut parts = pin!(parts);
    while let Some(part) = parts.next().await {
        if send.send(part?).await.is_err() {
            // The writer is gone, and says why below.
            break;
        }
    }
    drop(send);
    Ok(writer.await.unwrap_or_else(|error| Err(TableError::Internal(error.to_string())))?)
}

fn write_rows(
    mut batches: mpsc::Receiver<RecordBatch>,
    open: OpenWriter,
    output: Box<dyn Write + Send>,
    schema: &SchemaRef,
    path: &Path,
) -> Result<(), TableError> {
    let failed = |error: EncodeError| encoding(path, error);
    let mut writer = open(output, schema).map_err(failed)?;
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
    let mut cause: Option<&(dyn std::error::Error + 'static)> = match &error {
        // It is shown in place of what holds it, and is none of its causes.
        EncodeError::Io(error) => Some(error),
        _ => Some(&error),
    };
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
            return FileError::on::<TableError>("write", path)(source);
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
        let read_again = format::of(format).read_again(plain(field.data_type()));
        columns.push(Column { name: name.clone(), data_type: read_again.to_string() });
    }
    // A nested type is found again by inspecting the values.
    let readable = columns.iter().all(|column| column.data_type.parse::<DataType>().is_ok());
    Ok(if format::of(format).knows_its_columns() || !readable { Vec::new() } else { columns })
}

/// The type by which a column of a text file is read again.
fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 | DataType::Null => DataType::Utf8,
        // There is no text that is read as one of these.
        DataType::Duration(_) | DataType::Interval(_) => DataType::Utf8,
        DataType::Dictionary(_, values) => plain(values),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array};
    use datafusion::arrow::datatypes::{Field, IntervalUnit, TimeUnit};
    use datafusion::physical_plan::stream::RecordBatchStreamAdapter;

    use super::*;

    /// Batches of so many rows each, whose values count on over all of them.
    fn batches(rows: [usize; 40], last: f64) -> SendableRecordBatchStream {
        let mut next = 0_i64;
        let mut all: Vec<RecordBatch> = Vec::new();
        for rows in rows {
            let numbers: Vec<i64> = (next..).take(rows).collect();
            next += rows as i64;
            let halves = numbers.iter().map(|number| *number as f64 / 2.0);
            let halves = halves.map(|half| if half * 2.0 + 1.0 == 780.0 { last } else { half });
            let columns: [(&str, ArrayRef); 2] = [
                ("a", Arc::new(Int64Array::from(numbers.clone()))),
                ("b", Arc::new(Float64Array::from_iter_values(halves))),
            ];
            all.push(RecordBatch::try_from_iter(columns).expect("a batch"));
        }
        let schema = all.first().expect("a batch").schema();
        Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(all.into_iter().map(Ok))))
    }

    /// 780 rows, small batches between large ones.
    fn uneven() -> [usize; 40] {
        std::array::from_fn(|number| if number % 2 == 0 { number * 2 } else { 1 })
    }

    #[test]
    fn what_has_no_text_of_its_type_is_read_again_as_the_text_that_was_written() {
        let types = [
            (DataType::Duration(TimeUnit::Microsecond), "Utf8", "Utf8"),
            (DataType::Interval(IntervalUnit::DayTime), "Utf8", "Utf8"),
            (DataType::Binary, "Utf8", "Binary"),
            (DataType::FixedSizeBinary(2), "Utf8", "FixedSizeBinary(2)"),
            (DataType::Utf8View, "Utf8", "Utf8"),
            (DataType::Int64, "Int64", "Int64"),
        ];
        for (data_type, csv, ndjson) in types {
            let schema = Schema::new(vec![Field::new("x", data_type.clone(), true)]);
            for (format, expected) in [(Format::Csv, csv), (Format::Ndjson, ndjson)] {
                let found = columns(&schema, format).expect("columns");
                assert_eq!(found[0].data_type, expected, "{data_type} in {format:?}");
            }
            assert_eq!(columns(&schema, Format::Parquet).expect("columns"), []);
        }
    }

    #[tokio::test]
    async fn batches_that_several_cores_encode_are_written_in_their_order() {
        let folder = tempfile::tempdir().expect("a folder");
        for (format, head, row) in [
            (Format::Csv, "a,b\n", (|a: usize| format!("{a},{:?}\n", a as f64 / 2.0)) as fn(usize) -> String),
            (Format::Ndjson, "", |a| format!("{{\"a\":{a},\"b\":{:?}}}\n", a as f64 / 2.0)),
        ] {
            let path = folder.path().join(format.extension());
            let last = 389.5;
            let written =
                write(batches(uneven(), last), format, &path, Progress::Silent).await.expect("written");
            assert_eq!(written.rows, 780);
            let expected: String = std::iter::once(head.to_owned()).chain((0..780).map(row)).collect();
            assert_eq!(std::fs::read_to_string(&path).expect("a file"), expected);
        }
    }

    #[tokio::test]
    async fn a_value_that_cannot_be_written_is_named_with_its_row_over_all_batches() {
        let written = write_to(
            batches(uneven(), f64::NAN),
            Format::Ndjson,
            io::sink(),
            Path::new("data.ndjson"),
            Progress::Silent,
        );
        let message = written.await.expect_err("no number").message;
        assert!(message.contains("row 780"), "{message}");
    }

    #[tokio::test]
    async fn a_full_disk_is_the_disks_fault() {
        for format in [Format::Csv, Format::Ndjson, Format::Parquet] {
            let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
            let rows = batches(uneven(), 0.0);
            let error =
                write_to(rows, format, full, Path::new("data"), Progress::Silent).await.expect_err("full");
            assert!(error.message.contains("No space left"), "{}", error.message);
            assert_eq!(error.exit_code, mlpipeline_crds::ExitCode::StorageUnavailable);
            // Drafts are written by way of an open folder.
            let folder = tempfile::tempdir().expect("a folder");
            let open = std::fs::File::open(folder.path()).expect("a folder");
            let handle = std::os::fd::AsRawFd::as_raw_fd(&open);
            let path = format!("/proc/self/fd/{handle}/data");
            let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
            let error = write_to(batches(uneven(), 0.0), format, full, Path::new(&path), Progress::Silent);
            let message = error.await.expect_err("full").message;
            let real = folder.path().canonicalize().expect("a folder").join("data");
            assert!(message.contains(&real.display().to_string()), "{message}");
        }
    }
}
