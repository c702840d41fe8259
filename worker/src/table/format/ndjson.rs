//! NDJSON: one JSON object a line, in UTF-8.
//!
//! Owns the scan of the whole file that finds malformed lines and the columns' types, decoding, and writing. Blank lines are
//! skipped, and so is a byte order mark. A key that a line lacks is null there. Columns are in the order in which keys first
//! occur. Numbers that JSON cannot hold are refused when rows are written.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::writer::LineDelimited;
use datafusion::arrow::json::{ReaderBuilder, WriterBuilder};
use datafusion::catalog::TableProvider;
use mlpipeline_crds::Reading;

use super::json_mixed::{add_lines, mixed_at};
use super::json_type::{ColumnTypes, JsonKinds};
use super::json_values::refuse_unwritable;
use super::map_keys::refuse_map_keys;
use super::{BatchEncoder, FileFormat, Opened, ReadOptions, Writing};
use crate::column_words::{MOST_LISTED, listed};
use crate::engine::batch_with_positive_nan;
use crate::table::TableError;
use crate::table::encode_error::EncodeError;
use crate::table::file::LocalFile;
use crate::table::leaves::{BATCH_VALUES, leaves};
use crate::table::text::{
    BlockBytes, Decode, Malformed, Splitter, TextTable, index_blocks, inspect_blocks, type_of,
};

/// One JSON object a line.
pub(super) struct Ndjson;

/// What is said of files without a line whose columns nothing else says.
const EMPTY: &str = "the file is empty; NDJSON has one JSON object a line, or name the columns in reading.types, for a table without rows";

impl FileFormat for Ndjson {
    fn check(&self, options: &ReadOptions) -> Result<(), String> {
        let known = Reading {
            types: options.reading.types.clone(),
            encoding: options.reading.encoding,
            ..Reading::default()
        };
        if known != options.reading {
            return Err(
                "of reading, ndjson has types and encoding; the other fields are for csv and text".to_owned()
            );
        }
        refuse_columns(options, "ndjson")
    }

    fn infer(
        &self,
        files: Vec<LocalFile>,
        options: &ReadOptions,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Opened, TableError> {
        let starts = files.iter().map(start).collect::<Result<Vec<u64>, _>>()?;
        let types = Arc::new(ColumnTypes {
            declared: options.reading.types.clone(),
            expected: options.expected.clone(),
            before: options.before.clone(),
        });
        let look = |bytes: &[u8]| inspect(bytes, &types);
        let (blocks, summaries) = inspect_blocks(&files, &starts, || Box::new(LineSplitter), look, stop)?;
        let mut all = JsonKinds::new(Arc::clone(&types));
        for kinds in summaries {
            all.merge(kinds);
        }
        let rows = all.objects;
        let name = files.first().map(|file| file.name.clone()).unwrap_or_default();
        let unplaced = |problem| TableError::content(&name, problem);
        if all.objects == 0 && options.before.is_none() && options.reading.types.is_empty() {
            return Err(TableError::content(&name, EMPTY));
        }
        let fields = match all.fields() {
            // Without any line, the columns are those that the spec names.
            Ok(fields) if all.objects == 0 && fields.is_empty() => options
                .reading
                .types
                .iter()
                .map(|(column, declared)| Field::new(column, type_of(*declared), true))
                .collect(),
            Ok(fields) => check_declared(fields, &options.reading).map_err(unplaced)?,
            Err(problem) => {
                mixed_at(&files, &blocks, &types, stop)?;
                return Err(unplaced(problem));
            }
        };
        let is_boolean_text =
            |field: &Field| *field.data_type() == DataType::Boolean && all.has_text(field.name());
        let texts = fields.iter().enumerate().filter(|(_, field)| is_boolean_text(field));
        let decoder = NdjsonDecoder { boolean_texts: texts.map(|(index, _)| index).collect() };
        let table = TextTable::new(Arc::new(Schema::new(fields)), files, blocks, decoder);
        Ok(Opened { table: Arc::new(table), rows, held: 0, warning: None })
    }

    fn open(
        &self,
        files: Vec<LocalFile>,
        schema: SchemaRef,
        _options: &ReadOptions,
    ) -> Result<Arc<dyn TableProvider>, TableError> {
        // A result without rows is an empty file.
        let starts = vec![0; files.len()];
        let blocks = index_blocks(&files, &starts, || Box::new(LineSplitter))?;
        Ok(Arc::new(TextTable::new(schema, files, blocks, NdjsonDecoder::default())))
    }

    fn writing(&self, schema: &SchemaRef) -> Result<Writing, EncodeError> {
        refuse_map_keys(schema)
            .map_err(|problem| EncodeError::Column(format!("{problem}, or write parquet")))?;
        Ok(Writing::Batches(Box::new(NdjsonEncoder)))
    }
}

/// Refuses what describes files without names for their columns.
pub(super) fn refuse_columns(options: &ReadOptions, format: &str) -> Result<(), String> {
    if !options.columns.is_empty() {
        return Err(format!("columns names those of a CSV file without header, and the format is {format}"));
    }
    if options.pattern.is_some() {
        return Err(format!("a pattern goes with text, and the format is {format}"));
    }
    Ok(())
}

/// Refuses types of columns that are not there.
fn check_declared(fields: Vec<Field>, reading: &Reading) -> Result<Vec<Field>, String> {
    if let Some(name) = reading.types.keys().find(|name| fields.iter().all(|field| field.name() != *name)) {
        let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        return Err(format!(
            "reading.types names the column \"{name}\", which is not there; the columns are {}",
            listed(&names, MOST_LISTED)
        ));
    }
    Ok(fields)
}

/// Ends a record at each line end.
#[derive(Debug, Default)]
pub(super) struct LineSplitter;

impl Splitter for LineSplitter {
    fn last_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        Ok(memchr::memrchr(b'\n', bytes).map(|at| at + 1))
    }

    fn finish(&mut self) -> Result<(), Malformed> {
        Ok(())
    }
}

/// Where the first line begins: behind a byte order mark.
fn start(file: &LocalFile) -> Result<u64, TableError> {
    let bytes = file.first_bytes(1024)?;
    let mark = usize::try_from(file.mark_length()?).unwrap_or_default();
    match bytes.get(mark..).unwrap_or_default().trim_ascii_start().first() {
        Some(b'[') => Err(TableError::content(
            &file.name,
            "it is a JSON array; write one object a line instead, for example with jq -c '.[]'",
        )),
        Some(b'<') => Err(TableError::content(
            &file.name,
            "it is an HTML or XML page, not NDJSON; does the address need a login, or lead to a page about the file?",
        )),
        _ => Ok(mark as u64),
    }
}

/// Checks the lines of a block and says what is in them.
fn inspect(bytes: &[u8], types: &Arc<ColumnTypes>) -> Result<JsonKinds, Malformed> {
    let mut kinds = JsonKinds::new(Arc::clone(types));
    add_lines(&mut kinds, bytes, |_| Ok(()))?;
    Ok(kinds)
}

#[derive(Debug, Default)]
struct NdjsonDecoder {
    /// The boolean columns of which some values are texts, by their places: the engine reads no booleans of texts.
    boolean_texts: Vec<usize>,
}

impl NdjsonDecoder {
    /// The columns as they are read of the lines.
    fn as_read(&self, wanted: &SchemaRef, columns: &[usize]) -> SchemaRef {
        if self.boolean_texts.is_empty() {
            return Arc::clone(wanted);
        }
        let fields = wanted.fields().iter().zip(columns).map(|(field, column)| {
            let is_text = self.boolean_texts.contains(column);
            let field = Field::clone(field);
            if is_text { field.with_data_type(DataType::Utf8) } else { field }
        });
        Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
    }
}

/// The rows with the types that are wanted, of texts that were read as such.
fn as_wanted(batch: RecordBatch, wanted: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    // What is no boolean is an error, never a null.
    let strictly = CastOptions { safe: false, ..CastOptions::default() };
    let columns = batch.columns().iter().zip(wanted.fields());
    let columns = columns.map(|(column, field)| cast_with_options(column, field.data_type(), &strictly));
    RecordBatch::try_new(Arc::clone(wanted), columns.collect::<Result<Vec<ArrayRef>, ArrowError>>()?)
}

impl Decode for NdjsonDecoder {
    fn decode(
        &self,
        schema: &SchemaRef,
        columns: &[usize],
        batch_rows: usize,
        block: BlockBytes<'_>,
    ) -> Result<Vec<RecordBatch>, ArrowError> {
        let mut batches = Vec::new();
        let mut take = |batch| {
            batches.push(batch);
            true
        };
        self.decode_each(schema, columns, batch_rows, block, &mut take)?;
        Ok(batches)
    }

    fn decode_each(
        &self,
        schema: &SchemaRef,
        columns: &[usize],
        batch_rows: usize,
        block: BlockBytes<'_>,
        take: &mut dyn FnMut(RecordBatch) -> bool,
    ) -> Result<(), ArrowError> {
        let wanted = Arc::new(schema.project(columns)?);
        let projected = self.as_read(&wanted, columns);
        let is_as_wanted = projected == wanted;
        // A key within an object takes memory in every row, also where a line lacks it.
        let batch_rows = (BATCH_VALUES / leaves(projected.fields()).max(1)).min(batch_rows).max(1);
        let mut decoder = ReaderBuilder::new(projected)
            .with_batch_size(batch_rows)
            .with_coerce_primitive(true)
            .build_decoder()?;
        let mut rest = block.bytes;
        loop {
            let read = decoder.decode(rest)?;
            rest = rest.get(read..).unwrap_or_default();
            let Some(batch) = decoder.flush()? else {
                if rest.is_empty() || read == 0 {
                    return Ok(());
                }
                continue;
            };
            // A text in the place of a number may be one.
            let batch = batch_with_positive_nan(&batch)?;
            if !take(if is_as_wanted { batch } else { as_wanted(batch, &wanted)? }) {
                return Ok(());
            }
        }
    }
}

struct NdjsonEncoder;

impl BatchEncoder for NdjsonEncoder {
    fn head(&self, _out: &mut Vec<u8>) {}

    fn encode(&self, batch: &RecordBatch, before: u64, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        refuse_unwritable(batch, before)
            .map_err(|problem| EncodeError::Value(format!("{problem}, or write csv or parquet")))?;
        let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(out);
        writer.write(batch)?;
        Ok(writer.finish()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_objects_with_many_keys_has_few_rows() {
        let keys = (0..3000).map(|key| Field::new(format!("k{key}"), DataType::Int64, true)).collect();
        let schema = Arc::new(Schema::new(vec![
            Field::new("m", DataType::Struct(keys), true),
            Field::new("n", DataType::Int64, true),
        ]));
        let lines: String = (0..200).map(|key| format!("{{\"m\":{{\"k{key}\":1}},\"n\":{key}}}\n")).collect();
        let rows = |columns: &[usize]| {
            let block = BlockBytes { number: 0, bytes: lines.as_bytes() };
            let batches = NdjsonDecoder::default().decode(&schema, columns, 8192, block).expect("rows");
            batches.iter().map(RecordBatch::num_rows).collect::<Vec<usize>>()
        };
        assert_eq!(rows(&[0]), [87, 87, 26]);
        assert_eq!(rows(&[1]), [200]);
    }
}
