//! Parquet files as a table of the query engine.
//!
//! Owns how its files are divided among partitions, and that statistics are not trusted. Must not list files: those that were found are
//! those that are read.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as QueryResult;
use datafusion::common::config::TableParquetOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::DataFusionError;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::parquet_damage::NamedScan;
use super::parquet_files::ParquetFiles;
use crate::engine::with_positive_nan;
use crate::failure::StepError;
use crate::table::TableError;
use crate::table::file::LocalFile;

/// A table of Parquet files that have the same columns.
#[derive(Debug)]
pub(super) struct ParquetTable {
    /// What messages call it.
    name: Arc<str>,
    schema: SchemaRef,
    files: Arc<ParquetFiles>,
    /// How many bytes each file has.
    sizes: Vec<u64>,
    /// By place, in which file and why the values of columns cannot be read.
    unread: Vec<Option<(String, String)>>,
}

impl ParquetTable {
    /// The table of files of these sizes, in bytes, in the order of their paths.
    /// `unread` says of a column's place in which file and why its values cannot be read: a query that reads it is refused.
    pub(super) fn new(
        name: &str,
        schema: SchemaRef,
        mut files: Vec<(LocalFile, u64)>,
        unread: Vec<Option<(String, String)>>,
    ) -> Self {
        files.sort_by(|(one, _), (other, _)| one.path.as_os_str().cmp(other.path.as_os_str()));
        let sizes = files.iter().map(|(_, size)| *size).collect();
        let files = Arc::new(ParquetFiles::new(files.into_iter().map(|(file, _)| file)));
        Self { name: name.into(), schema, files, sizes, unread }
    }
}

#[async_trait]
impl TableProvider for ParquetTable {
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
        let read = |place: &usize| projection.is_none_or(|read| read.contains(place));
        let unread = self.unread.iter().enumerate().filter(|(place, _)| read(place));
        if let Some((file, problem)) = unread.filter_map(|(_, problem)| problem.as_ref()).next() {
            let error = TableError::content(file, problem.as_str());
            return Err(DataFusionError::External(Box::new(StepError::from(error))));
        }
        // Statistics know no NaN, and may be wrong: with them a filter, min, max or a constant column would give other answers than
        // the rows do.
        let mut options = TableParquetOptions::default();
        options.global.pruning = false;
        options.global.schema_force_view_types = false;
        let source = ParquetSource::new(Arc::clone(&self.schema))
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::clone(&self.files) as _);
        let file = |(place, size): (usize, &u64)| PartitionedFile::new(ParquetFiles::name(place), *size);
        let files = FileGroup::new(self.sizes.iter().enumerate().map(file).collect());
        // The URL names a store that must be there, and from which nothing is read.
        let scan = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
            .with_file_groups(files.split_files(state.config().target_partitions().max(1)))
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        let rows = DataSourceExec::from_data_source(scan);
        with_positive_nan(Arc::new(NamedScan::new(rows, Arc::clone(&self.files), Arc::clone(&self.name))))
    }

    /// Filters are looked at by the query, row by row.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> QueryResult<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}
