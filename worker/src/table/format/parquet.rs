//! Parquet: files that hold the names and types of their columns themselves.
//!
//! Owns reading without trust in a file's statistics, and writing.

use std::io::Write;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, IntervalUnit, SchemaRef};
use datafusion::catalog::TableProvider;
use mlpipeline_crds::Reading;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::properties::WriterProperties;

use super::ndjson::refuse_columns;
use super::parquet_embedded::is_embedded;
use super::parquet_files::footer;
use super::parquet_table::ParquetTable;
use super::parquet_types::{batch_of, refuse_types, schema_of};
use super::{FileFormat, Opened, ReadOptions, RowWriter, Writing, check_width};
use crate::column_words::differences;
use crate::table::TableError;
use crate::table::encode_error::EncodeError;
use crate::table::file::LocalFile;

/// A row group is closed when it has this many bytes, or [`GROUP_ROWS`] rows: it is held in memory until then.
const GROUP_BYTES: usize = 32 << 20;

/// The most rows of a row group.
const GROUP_ROWS: usize = 1 << 20;

/// What a page and a dictionary take at most as writers make them by default.
const PAGE_BYTES: u64 = 2 << 20;

/// Apache Parquet.
pub(super) struct Parquet;

impl FileFormat for Parquet {
    fn check(&self, options: &ReadOptions) -> Result<(), String> {
        if options.reading != Reading::default() {
            return Err(
                "reading is for csv, text and ndjson; a Parquet file holds its types itself".to_owned()
            );
        }
        refuse_columns(options, "parquet")
    }

    fn infer(
        &self,
        files: Vec<LocalFile>,
        options: &ReadOptions,
        _stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Opened, TableError> {
        table(files, &options.table)
    }

    fn open(
        &self,
        files: Vec<LocalFile>,
        _schema: SchemaRef,
        options: &ReadOptions,
    ) -> Result<Arc<dyn TableProvider>, TableError> {
        Ok(table(files, &options.table)?.table)
    }

    fn knows_its_columns(&self) -> bool {
        true
    }

    fn writing(&self, schema: &SchemaRef) -> Result<Writing, EncodeError> {
        refuse_types(schema)?;
        Ok(Writing::Rows(begin))
    }
}

/// Begins a file on an output.
fn begin(output: Box<dyn Write + Send>, schema: &SchemaRef) -> Result<Box<dyn RowWriter>, EncodeError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .build();
    let schema = schema_of(schema);
    let writer = ArrowWriter::try_new(output, Arc::clone(&schema), Some(properties))?;
    Ok(Box::new(ParquetWriter { writer, schema }))
}

struct ParquetWriter {
    writer: ArrowWriter<Box<dyn Write + Send>>,
    schema: SchemaRef,
}

impl RowWriter for ParquetWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), EncodeError> {
        self.writer.write(&batch_of(batch, &self.schema)?)?;
        if self.writer.in_progress_size() >= GROUP_BYTES {
            self.writer.flush()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), EncodeError> {
        self.writer.finish()?;
        Ok(self.writer.inner_mut().flush()?)
    }
}

/// A table of this name of Parquet files that have the same columns, in the order of their paths, with as many rows as their footers say.
fn table(files: Vec<LocalFile>, name: &str) -> Result<Opened, TableError> {
    let mut first: Option<(&LocalFile, SchemaRef)> = None;
    let (mut rows, mut most) = (0_u64, 0);
    let mut sizes = Vec::with_capacity(files.len());
    let mut unread: Vec<Option<(String, String)>> = Vec::new();
    for file in &files {
        let (footer, size) = footer(file)?;
        let (schema, metadata) = (Arc::clone(footer.schema()), footer.metadata());
        check_width(file, schema.fields().len())?;
        rows = rows.saturating_add(u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(0));
        most = metadata.row_groups().iter().map(held).fold(most, u64::max);
        sizes.push(size);
        unread.resize(schema.fields().len(), None);
        let knows_units = is_embedded(metadata);
        for (unread, field) in unread.iter_mut().zip(schema.fields()) {
            if unread.is_none() && has_lost_intervals(field.data_type(), knows_units) {
                let problem = format!(
                    "column \"{}\" holds intervals of Parquet, of which months would be lost; write them as a text or a number of days, as with CAST(x AS \
                     VARCHAR) in the program that wrote the file, or name the other columns in sql",
                    field.name()
                );
                *unread = Some((file.name.clone(), problem));
            }
        }
        match &first {
            None => first = Some((file, schema)),
            Some((first, expected)) if expected.fields() != schema.fields() => {
                let problem = format!(
                    "its columns are not those of {}: {}; files that are read together have the same columns",
                    first.name,
                    differences(&columns(&schema), &columns(expected))
                );
                return Err(TableError::content(&file.name, problem));
            }
            Some(_) => {}
        }
    }
    let Some((_, schema)) = first else {
        return Err(TableError::Internal("a table of no file".into()));
    };
    let files = files.into_iter().zip(sizes).collect();
    let table = Arc::new(ParquetTable::new(name, schema, files, unread));
    Ok(Opened { table, rows, held: most, warning: None })
}

/// Whether a type has intervals that are not read whole. Parquet's have months, days and milliseconds, and Arrow's reader takes the last two of them
/// unless the Arrow schema in the file says that there are only the first.
fn has_lost_intervals(found: &DataType, knows_units: bool) -> bool {
    match found {
        DataType::Interval(unit) => !knows_units || *unit == IntervalUnit::MonthDayNano,
        DataType::Struct(fields) => {
            fields.iter().any(|field| has_lost_intervals(field.data_type(), knows_units))
        }
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => has_lost_intervals(item.data_type(), knows_units),
        _ => false,
    }
}

/// What reading a row group holds: its columns as they lie in the file, and a page and a dictionary of each.
fn held(group: &RowGroupMetaData) -> u64 {
    let bytes = |count: i64| u64::try_from(count).unwrap_or(0);
    let of_column = |column: &ColumnChunkMetaData| {
        bytes(column.compressed_size()).saturating_add(bytes(column.uncompressed_size()).min(PAGE_BYTES))
    };
    group.columns().iter().map(of_column).fold(0, u64::saturating_add)
}

fn columns(schema: &SchemaRef) -> Vec<(&str, String)> {
    schema.fields().iter().map(|field| (field.name().as_str(), field.data_type().to_string())).collect()
}
