//! Rows as JSON objects, one after the other, from a file of any format.

use std::path::Path;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::WriterBuilder;
use datafusion::arrow::json::writer::LineDelimited;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use mlpipeline_crds::Format;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::DeliverError;
use crate::WorkContext;
use crate::artifact::{Column, open_unlinked};
use crate::engine::query_error;
use crate::failure::StepError;
use crate::table::{LocalFile, TableError, refuse_map_keys, refuse_unwritable, written};

/// Rows, each the text of a JSON object.
pub(crate) type JsonRows = BoxStream<'static, Result<Vec<u8>, StepError>>;

/// The rows of a file that [`crate::table::write`] wrote, in its order, in memory that does not grow with them.
pub(super) async fn rows_of_file(
    file: LocalFile,
    format: Format,
    columns: Vec<Column>,
    context: &WorkContext,
) -> Result<JsonRows, StepError> {
    let (ahead, cancellation) = (context.read_ahead(), context.cancellation.clone());
    let open = move || written(file, format, columns, &ahead, &cancellation);
    let opened = tokio::task::spawn_blocking(open).await;
    let table = opened.map_err(DeliverError::lost)??;
    refuse_map_keys(&table.schema()).map_err(TableError::Query)?;
    let frame = context.session().read_table(table).map_err(|error| query_error(&error))?;
    let batches = frame.execute_stream().await.map_err(|error| query_error(&error))?;
    let mut before = 0_u64;
    let rows = batches.flat_map(move |batch| {
        let objects = batch.map_err(|error| query_error(&error)).and_then(|batch| {
            refuse_unwritable(&batch, before)
                .map_err(|problem| TableError::content("the result", problem))?;
            before += batch.num_rows() as u64;
            Ok(objects(&batch).map_err(|error| DeliverError::Internal(error.to_string()))?)
        });
        stream::iter(match objects {
            Ok(objects) => objects.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    });
    Ok(rows.boxed())
}

/// The rows of a batch, a JSON object each. JSON has no line ends inside of texts, so that each is a line.
fn objects(batch: &RecordBatch) -> Result<Vec<Vec<u8>>, ArrowError> {
    let mut lines = Vec::new();
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(&mut lines);
    writer.write(batch)?;
    writer.finish()?;
    drop(writer);
    Ok(lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect())
}

/// The lines of an NDJSON file, which are its rows.
pub(crate) async fn rows_of_lines(path: &Path) -> Result<JsonRows, StepError> {
    // It lies on a volume, where others can put a link in its place.
    let file = open_unlinked(path).map_err(TableError::io("open", path))?;
    let lines = BufReader::with_capacity(256 << 10, tokio::fs::File::from_std(file)).split(b'\n');
    let path = path.to_owned();
    let rows = stream::unfold(Some(lines), move |lines| {
        let path = path.clone();
        async move {
            let mut lines = lines?;
            match lines.next_segment().await {
                Ok(Some(line)) => Some((Ok(line), Some(lines))),
                Ok(None) => None,
                Err(error) => Some((Err(TableError::io("read", &path)(error).into()), None)),
            }
        }
    });
    Ok(rows.filter(|row| std::future::ready(!row.as_ref().is_ok_and(Vec::is_empty))).boxed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_link_in_the_place_of_the_rows_is_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let link = folder.path().join("rows.ndjson");
        std::os::unix::fs::symlink("/proc/self/environ", &link).expect("a link");
        let error = rows_of_lines(&link).await.err().expect("refused");
        assert!(error.message.contains("symbolic link"), "{}", error.message);
    }
}
