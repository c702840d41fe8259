//! Parquet files whose pages cannot be decoded: which file of which table it is, in place of the reader's own words.
//!
//! Owns what is said of damage that is found after the footer. Must not change rows, nor errors that are not of the files' content.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::Result as QueryResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::TryStreamExt;

use super::parquet_files::ParquetFiles;
use super::parquet_words::without_kinds;
use crate::engine::{own_error, query_error};
use crate::failure::StepError;
use crate::table::TableError;

/// The rows of its input, and errors that name the damaged file.
#[derive(Debug)]
pub(super) struct NamedScan {
    input: Arc<dyn ExecutionPlan>,
    files: Arc<ParquetFiles>,
    /// What messages call the table; empty where it has no name.
    table: Arc<str>,
}

impl NamedScan {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, files: Arc<ParquetFiles>, table: Arc<str>) -> Self {
        Self { input, files, table }
    }
}

impl DisplayAs for NamedScan {
    fn fmt_as(&self, _form: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "NamedScan: table={}", self.table)
    }
}

impl ExecutionPlan for NamedScan {
    fn name(&self) -> &'static str {
        "NamedScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> QueryResult<TreeNodeRecursion>,
    ) -> QueryResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> QueryResult<Arc<dyn ExecutionPlan>> {
        let input = children.pop().ok_or_else(|| DataFusionError::Internal("no input".to_owned()))?;
        Ok(Arc::new(Self::new(input, Arc::clone(&self.files), Arc::clone(&self.table))))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> QueryResult<Arc<dyn ExecutionPlan>> {
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        self.replace_children(children, options)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> QueryResult<SendableRecordBatchStream> {
        let rows = self.input.execute(partition, context)?;
        let (files, table) = (Arc::clone(&self.files), Arc::clone(&self.table));
        let rows = rows.or_else(move |error| named(error, Arc::clone(&files), Arc::clone(&table)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn supports_limit_pushdown(&self) -> bool {
        true
    }
}

/// The error, with table and file where it is of what is in one.
async fn named(
    error: DataFusionError,
    files: Arc<ParquetFiles>,
    table: Arc<str>,
) -> QueryResult<RecordBatch> {
    let is_of_reader =
        matches!(error.find_root(), DataFusionError::ParquetError(_) | DataFusionError::ArrowError(..));
    if own_error(&error).is_some() || !is_of_reader || query_error(&error).reason != "DataMalformed" {
        return Err(error);
    }
    let said = error.find_root().strip_backtrace();
    // Decoding is work for a core.
    let (of_files, searched) = (Arc::clone(&files), tokio::task::spawn_blocking(move || files.damaged()));
    let file = searched.await.ok().flatten().unwrap_or_else(|| of_files.described());
    let problem = format!("it is damaged: {}; take it from a copy, or write it again", without_kinds(&said));
    let error = StepError::from(TableError::content(&file, problem));
    let message = if table.is_empty() { error.message } else { format!("{table}: {}", error.message) };
    Err(DataFusionError::External(Box::new(StepError { message, ..error })))
}
