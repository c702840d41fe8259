//! Text files as a table: blocks are parsed on several cores, and the rows come in the files' order.

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
use futures::{StreamExt, TryStreamExt};

use super::TableError;
use super::blocks::{Block, TextFile, cores};
use super::lines::{self, LinePattern};
use super::{csv, ndjson};
use crate::failure::StepError;

/// How a block becomes rows.
#[derive(Clone, Debug)]
enum Decoder {
    Csv,
    Ndjson,
    Lines(LinePattern),
}

impl Decoder {
    /// The rows of a block's bytes, with the columns of these numbers.
    fn decode(
        &self,
        schema: &SchemaRef,
        columns: &[usize],
        bytes: &[u8],
    ) -> Result<Vec<RecordBatch>, ArrowError> {
        match self {
            Self::Csv => csv::decode(schema, columns, bytes),
            Self::Ndjson => ndjson::decode(schema, columns, bytes),
            Self::Lines(pattern) => lines::decode(pattern, schema, columns, bytes),
        }
    }
}

/// A table of text files that were cut into blocks.
#[derive(Clone, Debug)]
pub(super) struct TextTable {
    schema: SchemaRef,
    files: Arc<[TextFile]>,
    blocks: Arc<[Block]>,
    decoder: Decoder,
}

impl TextTable {
    pub(super) fn csv(schema: SchemaRef, files: Vec<TextFile>, blocks: Vec<Block>) -> Self {
        Self { schema, files: files.into(), blocks: blocks.into(), decoder: Decoder::Csv }
    }

    pub(super) fn ndjson(schema: SchemaRef, files: Vec<TextFile>, blocks: Vec<Block>) -> Self {
        Self { schema, files: files.into(), blocks: blocks.into(), decoder: Decoder::Ndjson }
    }

    pub(super) fn lines(
        pattern: LinePattern,
        schema: SchemaRef,
        files: Vec<TextFile>,
        blocks: Vec<Block>,
    ) -> Self {
        Self { schema, files: files.into(), blocks: blocks.into(), decoder: Decoder::Lines(pattern) }
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
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> QueryResult<Arc<dyn ExecutionPlan>> {
        let columns: Vec<usize> =
            projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let projected = Arc::new(self.schema.project(&columns)?);
        let part =
            TextPartition { table: self.clone(), columns: columns.into(), schema: Arc::clone(&projected) };
        let plan = StreamingTableExec::try_new(projected, vec![Arc::new(part)], None, [], false, limit)?;
        Ok(Arc::new(plan))
    }
}

/// The table's only partition, with the columns that a query wants.
#[derive(Debug)]
struct TextPartition {
    table: TextTable,
    columns: Arc<[usize]>,
    schema: Arc<Schema>,
}

impl PartitionStream for TextPartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let table = self.table.clone();
        let columns = Arc::clone(&self.columns);
        let numbers = 0..table.blocks.len();
        let batches = futures::stream::iter(numbers)
            .map(move |number| {
                let (table, columns) = (table.clone(), Arc::clone(&columns));
                // Parsing is work for a core, so it has a thread that no I/O waits for. One more block than there are
                // cores is parsed ahead, and no more: this bounds the memory.
                let parse = tokio::task::spawn_blocking(move || block_rows(&table, &columns, number));
                async move {
                    match parse.await {
                        Ok(rows) => {
                            rows.map_err(|error| DataFusionError::External(Box::new(StepError::from(error))))
                        }
                        Err(error) => Err(DataFusionError::External(Box::new(StepError::from(
                            TableError::Internal(error.to_string()),
                        )))),
                    }
                }
            })
            .buffered(cores() + 1)
            .map_ok(|rows| futures::stream::iter(rows.into_iter().map(Ok)))
            .try_flatten();
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

fn block_rows(table: &TextTable, columns: &[usize], number: usize) -> Result<Vec<RecordBatch>, TableError> {
    let Some(block) = table.blocks.get(number) else { return Ok(Vec::new()) };
    let bytes = block.read(&table.files)?;
    table.decoder.decode(&table.schema, columns, &bytes).map_err(|error| {
        let name = table.files.get(block.file).map(|file| file.name.as_str()).unwrap_or_default();
        TableError::content(name, format!("{error}; was the file changed while it was read?"))
    })
}
