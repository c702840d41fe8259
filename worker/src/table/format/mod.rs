//! File formats, one file each: how rows are found in files, read from them, and written.
//!
//! A format is added by a file here, a line in [`of`], and a variant of [`Format`] in crds. Must not know where files come from.

#[cfg(test)]
mod changed_tests;
mod character_run;
mod csv;
#[cfg(test)]
mod csv_by_definition;
mod csv_dialect;
mod csv_encoder;
mod csv_header;
mod csv_marks;
mod csv_records;
mod csv_splitter;
mod empty_texts;
mod greedy_path;
mod json_line;
mod json_mixed;
mod json_problem;
mod json_type;
mod json_values;
mod kept_places;
mod line_pattern;
mod lines;
mod map_keys;
mod ndjson;
mod number_text;
mod parquet;
mod parquet_damage;
mod parquet_embedded;
mod parquet_files;
mod parquet_table;
mod parquet_types;
mod parquet_words;

use std::io::Write;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::TableProvider;
use mlpipeline_crds::{Format, OnMismatch, Reading};

use super::TableError;
use super::encode_error::EncodeError;
use super::file::LocalFile;
use super::text::ExpectedTypes;
pub(crate) use json_values::refuse_unwritable;
pub(crate) use map_keys::refuse_map_keys;

/// The most columns of a table: what has more is data on its side, and the plan of a query over it would take minutes.
const COLUMN_LIMIT: usize = 10_000;

/// Refuses a table of too many columns.
fn check_width(file: &LocalFile, columns: usize) -> Result<(), TableError> {
    if columns <= COLUMN_LIMIT {
        return Ok(());
    }
    Err(TableError::content(
        &file.name,
        format!(
            "it has more than {COLUMN_LIMIT} columns, and that is the most that a table has; give each value a row of its own, or leave columns out before"
        ),
    ))
}

/// What a spec says of files beside their format.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadOptions {
    /// What messages call the table; empty where it has no name.
    pub table: String,
    /// The columns' names where CSV files have no header.
    pub columns: Vec<String>,
    /// How lines of text become columns.
    pub pattern: Option<String>,
    /// What happens to lines in which the pattern is not found.
    pub on_mismatch: Option<OnMismatch>,
    /// Signs, nulls, numbers, dates and types.
    pub reading: Reading,
    /// The types that columns are to have where all their values are of them as they are written.
    pub expected: ExpectedTypes,
    /// The columns of a file that came before: a column without any value has the type that it had there.
    pub before: Option<SchemaRef>,
}

/// A table of files.
pub(crate) struct Opened {
    /// The rows.
    pub table: Arc<dyn TableProvider>,
    /// How many they are.
    pub rows: u64,
    /// What reading one part of the files holds in memory at most, in bytes, where that depends on them; else 0.
    pub held: u64,
    /// Something that is not an error and that people should know.
    pub warning: Option<String>,
}

/// A file format.
pub(crate) trait FileFormat: Send + Sync {
    /// Refuses options that the format does not have.
    ///
    /// # Errors
    /// Says which, and which format has it.
    fn check(&self, options: &ReadOptions) -> Result<(), String>;

    /// Opens files that have the same columns; names and types come from the whole of them.
    ///
    /// # Errors
    /// When a file cannot be read, or is not of the format.
    fn infer(
        &self,
        files: Vec<LocalFile>,
        options: &ReadOptions,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Opened, TableError>;

    /// Opens files whose columns are known.
    ///
    /// # Errors
    /// When a file cannot be read, or has other columns.
    fn open(
        &self,
        files: Vec<LocalFile>,
        schema: SchemaRef,
        options: &ReadOptions,
    ) -> Result<Arc<dyn TableProvider>, TableError>;

    /// The type by which a column that was written is read again: text where what is written is not read as the column's own type.
    fn read_again(&self, data_type: DataType) -> DataType {
        data_type
    }

    /// Whether files hold the names and types of their columns themselves.
    fn knows_its_columns(&self) -> bool {
        false
    }

    /// How rows of these columns are written.
    ///
    /// # Errors
    /// When the format cannot hold a column.
    fn writing(&self, schema: &SchemaRef) -> Result<Writing, EncodeError>;
}

/// How rows become the bytes of a file.
pub(crate) enum Writing {
    /// Each batch alone, so that several cores work on them. The bytes are put together in the order of the batches.
    Batches(Box<dyn BatchEncoder>),
    /// One batch after the other, by what this begins on an output.
    Rows(OpenWriter),
}

/// Begins to write rows of these columns to an output.
pub(crate) type OpenWriter = fn(Box<dyn Write + Send>, &SchemaRef) -> Result<Box<dyn RowWriter>, EncodeError>;

/// Batches of rows as bytes, each alone.
pub(crate) trait BatchEncoder: Send + Sync {
    /// Appends what comes before the first row.
    fn head(&self, out: &mut Vec<u8>);

    /// Appends the rows of a batch. `before` is how many rows came before it, for messages.
    ///
    /// # Errors
    /// When a value cannot be written.
    fn encode(&self, batch: &RecordBatch, before: u64, out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// Something that is not an error and that people should know, once all rows are written.
    fn warning(&self) -> Option<String> {
        None
    }
}

/// Rows on their way into a file.
pub(crate) trait RowWriter {
    /// Writes rows.
    ///
    /// # Errors
    /// When a value cannot be written, or the output refuses.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), EncodeError>;

    /// Writes what is left.
    ///
    /// # Errors
    /// As [`RowWriter::write`].
    fn finish(self: Box<Self>) -> Result<(), EncodeError>;
}

/// The format of a name.
pub(crate) fn of(format: Format) -> &'static dyn FileFormat {
    match format {
        Format::Csv => &csv::Csv,
        Format::Ndjson => &ndjson::Ndjson,
        Format::Parquet => &parquet::Parquet,
        Format::Text => &lines::Lines,
    }
}
