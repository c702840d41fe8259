//! Text files as a table: blocks are parsed on several cores, and each partition's rows come in the files' order.
//!
//! The partitions are consecutive runs of blocks. How many there are follows from the files alone, never from the cores, so that
//! sums over partitions are the same on every machine. Rows that are not queried, but read from the first to the last, are one
//! partition: the others would hold rows in memory that wait for it.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as QueryResult;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::{Stream, StreamExt, future, stream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::blocks::{Block, cores, line_of};
use super::buffers::Buffers;
use crate::engine::{InOneStream, PARTITIONS};
use crate::failure::StepError;
use crate::table::TableError;
use crate::table::file::LocalFile;

/// A partition has at least so many blocks: fewer are not worth a partition of their own.
const PARTITION_BLOCKS: usize = 8;

/// How many blocks of a partition are parsed ahead of the query where there are several partitions: this bounds the memory.
const BLOCKS_AHEAD: usize = 2;

/// How many batches of a block may wait for the query.
const BATCHES_AHEAD: usize = 4;

/// The content of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockBytes<'a> {
    /// The block's place among those of the table.
    pub number: usize,
    pub bytes: &'a [u8],
}

/// How a block becomes rows.
pub(crate) trait Decode: Debug + Send + Sync {
    /// The rows of a block, with the columns of these numbers, at most so many rows in a batch.
    ///
    /// # Errors
    /// When the bytes are not what the scan found.
    fn decode(
        &self,
        schema: &SchemaRef,
        columns: &[usize],
        batch_rows: usize,
        block: BlockBytes<'_>,
    ) -> Result<Vec<RecordBatch>, ArrowError>;

    /// As [`decode`](Self::decode), but gives one batch after the other, until one is not taken: a short line can be a row of many values.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    fn decode_each(
        &self,
        schema: &SchemaRef,
        columns: &[usize],
        batch_rows: usize,
        block: BlockBytes<'_>,
        take: &mut dyn FnMut(RecordBatch) -> bool,
    ) -> Result<(), ArrowError> {
        for batch in self.decode(schema, columns, batch_rows, block)? {
            if !take(batch) {
                break;
            }
        }
        Ok(())
    }
}

/// A table of text files whose blocks are indexed.
#[derive(Clone, Debug)]
pub(crate) struct TextTable {
    schema: SchemaRef,
    files: Arc<[LocalFile]>,
    blocks: Arc<[Block]>,
    decoder: Arc<dyn Decode>,
    buffers: Arc<Buffers>,
}

impl TextTable {
    pub(crate) fn new(
        schema: SchemaRef,
        files: Vec<LocalFile>,
        blocks: Vec<Block>,
        decoder: impl Decode + 'static,
    ) -> Self {
        Self {
            schema,
            files: files.into(),
            blocks: blocks.into(),
            decoder: Arc::new(decoder),
            buffers: Arc::default(),
        }
    }

    /// Consecutive runs of blocks, at most so many.
    fn partitions(&self, most: usize) -> Vec<Range<usize>> {
        let blocks = self.blocks.len();
        let count = (blocks / PARTITION_BLOCKS).clamp(1, most);
        (0..count).map(|number| blocks * number / count..blocks * (number + 1) / count).collect()
    }
}

#[async_trait]
impl TableProvider for TextTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> QueryResult<Arc<dyn ExecutionPlan>> {
        let columns: Arc<[usize]> =
            projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect()).into();
        let schema = Arc::new(self.schema.project(&columns)?);
        let in_one_stream = state.config().get_extension::<InOneStream>().is_some();
        let ranges = self.partitions(if in_one_stream { 1 } else { PARTITIONS });
        let ahead = if ranges.len() == 1 { cores() } else { BLOCKS_AHEAD };
        let batch_rows = state.config().batch_size();
        let partitions = ranges
            .into_iter()
            .map(|blocks| -> Arc<dyn PartitionStream> {
                Arc::new(TextPartition {
                    table: self.clone(),
                    columns: Arc::clone(&columns),
                    schema: Arc::clone(&schema),
                    blocks,
                    ahead,
                    batch_rows,
                })
            })
            .collect();
        Ok(Arc::new(StreamingTableExec::try_new(schema, partitions, None, [], false, limit)?))
    }
}

/// A run of blocks, with the columns that a query reads.
#[derive(Debug)]
struct TextPartition {
    table: TextTable,
    columns: Arc<[usize]>,
    schema: Arc<Schema>,
    blocks: Range<usize>,
    ahead: usize,
    batch_rows: usize,
}

impl PartitionStream for TextPartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let table = self.table.clone();
        let (columns, batch_rows) = (Arc::clone(&self.columns), self.batch_rows);
        let batches = stream::iter(self.blocks.clone())
            .map(move |number| {
                let (table, columns) = (table.clone(), Arc::clone(&columns));
                let (send, receive) = mpsc::channel(BATCHES_AHEAD);
                // Parsing is work for a core, so it has a thread that no I/O waits for.
                let parse = tokio::task::spawn_blocking(move || {
                    let mut take = |batch| send.blocking_send(batch).is_ok();
                    block_rows(&table, &columns, batch_rows, number, &mut take)
                });
                future::ready(given(receive, parse))
            })
            .buffered(self.ahead)
            .flatten();
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

/// The batches that a thread gives, and behind them the error that ended it, if one did.
fn given(
    batches: mpsc::Receiver<RecordBatch>,
    parse: JoinHandle<Result<(), TableError>>,
) -> impl Stream<Item = QueryResult<RecordBatch>> + Send {
    stream::unfold((batches, Some(parse)), |(mut batches, parse)| async move {
        if let Some(batch) = batches.recv().await {
            return Some((Ok(batch), (batches, parse)));
        }
        let ended = parse?.await.unwrap_or_else(|lost| Err(TableError::Internal(lost.to_string())));
        let error = ended.err()?;
        Some((Err(DataFusionError::External(Box::new(StepError::from(error)))), (batches, None)))
    })
}

/// Gives the rows of a block, batch by batch, until one is not taken.
fn block_rows(
    table: &TextTable,
    columns: &[usize],
    batch_rows: usize,
    number: usize,
    take: &mut dyn FnMut(RecordBatch) -> bool,
) -> Result<(), TableError> {
    let Some(block) = table.blocks.get(number) else { return Ok(()) };
    let mut bytes = table.buffers.take_used();
    block.read(&table.files, &mut bytes)?;
    let content = BlockBytes { number, bytes: &bytes };
    let rows = table.decoder.decode_each(&table.schema, columns, batch_rows, content, take);
    table.buffers.give(bytes);
    rows.map_err(|error| {
        let file = table.files.get(block.file);
        let name = file.map(|file| file.name.as_str()).unwrap_or_default();
        let problem = match &error {
            ArrowError::ParseError(problem) | ArrowError::JsonError(problem) => problem.clone(),
            other => other.to_string(),
        };
        let line = match file.map(LocalFile::open).transpose() {
            Ok(open) => open.map(|open| line_of(&open, block.offset)),
            Err(error) => return error,
        };
        let place = line.map(|line| format!(" (in the rows from line {line} on)")).unwrap_or_default();
        TableError::content(name, format!("{problem}{place}; was the file changed while it was read?"))
    })
}
