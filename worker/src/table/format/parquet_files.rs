//! The bytes of Parquet files for the query engine: each file is the one that was found, or reading it is an error.
//!
//! Owns the way from a file of a table to its footer and its byte ranges. Must not know what is in them, nor trust a name: a file that is
//! gone, replaced or written to gives no rows rather than others.

use std::fmt::{self, Debug};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use datafusion::common::Result as QueryResult;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::ParquetMetaData;

use super::parquet_embedded::refuse_unknown;
use super::parquet_words::without_kinds;
use crate::failure::StepError;
use crate::table::TableError;
use crate::table::file::LocalFile;

/// A file's footer, and its size in bytes.
///
/// # Errors
/// When the file cannot be read, is not as it was found, or is not a whole Parquet file.
pub(super) fn footer(file: &LocalFile) -> Result<(ArrowReaderMetadata, u64), TableError> {
    let open = file.open()?;
    let length = open.metadata().map_err(TableError::io("inspect", &file.path))?.len();
    if length == 0 {
        return Err(TableError::content(&file.name, "the file is empty"));
    }
    // The Arrow schema in the footer is looked at before it is converted.
    let loaded = ArrowReaderMetadata::load(&open, ArrowReaderOptions::new().with_skip_arrow_metadata(true));
    file.unchanged(&open)?;
    let malformed = |error: ParquetError| match disk_answer(&error) {
        Some(answer) => TableError::io("read", &file.path)(answer),
        None => {
            let said = error.to_string();
            let problem =
                format!("it is not a whole Parquet file, of {length} bytes: {}", without_kinds(&said));
            TableError::content(&file.name, problem)
        }
    };
    let metadata = Arc::clone(loaded.map_err(malformed)?.metadata());
    refuse_unknown(&metadata).map_err(|problem| TableError::content(&file.name, problem))?;
    let loaded = ArrowReaderMetadata::try_new(metadata, ArrowReaderOptions::new()).map_err(malformed)?;
    Ok((loaded, length))
}

/// What the operating system answered, where that is what is wrong.
fn disk_answer(error: &ParquetError) -> Option<io::Error> {
    let ParquetError::External(cause) = error else { return None };
    cause.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error).map(io::Error::from_raw_os_error)
}

/// The files of a table. Their places in the list are their names for the query engine.
#[derive(Debug)]
pub(super) struct ParquetFiles(Vec<Arc<ParquetFile>>);

impl ParquetFiles {
    pub(super) fn new(files: impl Iterator<Item = LocalFile>) -> Self {
        let file = |file| Arc::new(ParquetFile { file, footer: Mutex::default() });
        Self(files.map(file).collect())
    }

    /// What a file is called by its place: names are in the order of the places.
    pub(super) fn name(place: usize) -> String {
        format!("{place:020}")
    }

    /// What messages call the first file whose rows cannot all be read, once that is known of one. An only file is not read again.
    pub(super) fn damaged(&self) -> Option<String> {
        let found = match self.0.as_slice() {
            [only] => Some(only),
            files => files.iter().find(|file| !is_whole(&file.file)),
        };
        found.map(|file| file.file.name.clone())
    }

    /// What messages call all of them.
    pub(super) fn described(&self) -> String {
        let name =
            |file: Option<&Arc<ParquetFile>>| file.map(|file| file.file.name.clone()).unwrap_or_default();
        format!("one of {} files from {} to {}", self.0.len(), name(self.0.first()), name(self.0.last()))
    }
}

/// Whether all rows of a file can be read.
fn is_whole(file: &LocalFile) -> bool {
    let Ok(open) = file.open() else { return true };
    let rows = ParquetRecordBatchReaderBuilder::try_new(open).and_then(|reader| reader.build());
    rows.is_ok_and(|mut rows| rows.all(|batch| batch.is_ok()))
}

impl ParquetFileReaderFactory for ParquetFiles {
    fn create_reader(
        &self,
        _partition: usize,
        file: PartitionedFile,
        _size_hint: Option<usize>,
        _metrics: &ExecutionPlanMetricsSet,
    ) -> QueryResult<Box<dyn AsyncFileReader + Send>> {
        let place = file.object_meta.location.as_ref().parse::<usize>().ok();
        let file = place
            .and_then(|place| self.0.get(place))
            .ok_or_else(|| DataFusionError::Internal("a Parquet file that is not of the table".to_owned()))?;
        Ok(Box::new(Reader { file: Arc::clone(file), open: None }))
    }
}

/// A file of a table, with its footer for as long as somebody reads it.
struct ParquetFile {
    file: LocalFile,
    footer: Mutex<Weak<ParquetMetaData>>,
}

impl Debug for ParquetFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.file.fmt(formatter)
    }
}

impl ParquetFile {
    fn footer(&self) -> Result<Arc<ParquetMetaData>, TableError> {
        let mut known = self.footer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.upgrade() {
            return Ok(known);
        }
        let found = Arc::clone(footer(&self.file)?.0.metadata());
        *known = Arc::downgrade(&found);
        Ok(found)
    }

    fn ranges(&self, open: &File, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, TableError> {
        let size = open.metadata().map_err(TableError::io("inspect", &self.file.path))?.len();
        let range = |range: &Range<u64>| {
            // Before memory is taken for them: a footer can name any bytes.
            if range.end > size {
                self.file.unchanged(open)?;
                let problem = format!("its footer names bytes up to {}, and the file has {size}", range.end);
                return Err(TableError::content(&self.file.name, problem));
            }
            let length = range.end.saturating_sub(range.start);
            let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
            self.file.read_at(open, &mut bytes, range.start)?;
            Ok(Bytes::from(bytes))
        };
        ranges.iter().map(range).collect()
    }
}

/// One reader of a file. Its handle is opened by the first read.
struct Reader {
    file: Arc<ParquetFile>,
    open: Option<Arc<File>>,
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        async move { Ok(self.get_byte_ranges(vec![range]).await?.pop().unwrap_or_default()) }.boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        async move {
            let (file, known) = (Arc::clone(&self.file), self.open.clone());
            let (open, bytes) = aside(move || {
                let open = match known {
                    Some(open) => open,
                    None => Arc::new(file.file.open()?),
                };
                let bytes = file.ranges(&open, &ranges)?;
                Ok((open, bytes))
            })
            .await?;
            self.open = Some(open);
            Ok(bytes)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        let file = Arc::clone(&self.file);
        aside(move || file.footer()).boxed()
    }
}

/// Reads on a thread that nothing else waits for. An error of ours stays what it is on its way through the engine.
async fn aside<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, TableError> + Send + 'static,
) -> ParquetResult<T> {
    let read = tokio::task::spawn_blocking(read).await;
    let read = read.unwrap_or_else(|lost| Err(TableError::Internal(lost.to_string())));
    read.map_err(|error| ParquetError::External(Box::new(StepError::from(error))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_does_not_answer_is_told_from_a_file_that_is_not_whole() {
        let answered = |error: io::Error| disk_answer(&ParquetError::External(Box::new(error)));
        // EIO and EMFILE.
        for code in [5, 24] {
            let found = answered(io::Error::from_raw_os_error(code)).and_then(|error| error.raw_os_error());
            assert_eq!(found, Some(code));
        }
        assert!(answered(io::ErrorKind::UnexpectedEof.into()).is_none());
        assert!(disk_answer(&ParquetError::General("no footer".to_owned())).is_none());
    }
}
