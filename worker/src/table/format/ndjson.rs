//! NDJSON: one JSON object a line, in UTF-8.
//!
//! Owns the scan of the whole file that finds malformed lines and the columns' types, decoding, and writing. Blank lines are
//! skipped, and so is a byte order mark. A key that a line lacks is null there. Columns are in the order in which keys first
//! occur. Numbers that JSON cannot hold are refused when rows are written.

use std::io::Write;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::writer::LineDelimited;
use datafusion::arrow::json::{ReaderBuilder, Writer, WriterBuilder};
use datafusion::catalog::TableProvider;
use mlpipeline_crds::{ColumnType, Reading};

use super::json_line::add_line;
use super::json_type::JsonKinds;
use super::json_values::refuse_unwritable;
use super::map_keys::refuse_map_keys;
use super::{FileFormat, Opened, ReadOptions, RowWriter};
use crate::table::TableError;
use crate::table::encode_error::EncodeError;
use crate::table::file::LocalFile;
use crate::table::text::{Decode, Malformed, Splitter, TextTable, index_blocks, inspect_blocks};

/// The rows of a batch.
const BATCH_ROWS: usize = 8192;

/// One JSON object a line.
pub(super) struct Ndjson;

impl FileFormat for Ndjson {
    fn extensions(&self) -> &'static [&'static str] {
        &["ndjson", "jsonl", "json"]
    }

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
        let (blocks, summaries) = inspect_blocks(&files, &starts, || Box::new(LineSplitter), inspect, stop)?;
        let mut all = JsonKinds::default();
        for kinds in summaries {
            all.merge(kinds);
        }
        let rows = all.objects;
        let name = files.first().map(|file| file.name.clone()).unwrap_or_default();
        let fields = all
            .fields()
            .and_then(|fields| declared(fields, &options.reading))
            .map_err(|problem| TableError::content(&name, problem))?;
        let table = TextTable::new(Arc::new(Schema::new(fields)), files, blocks, NdjsonDecoder);
        Ok(Opened { table: Arc::new(table), rows, warning: None })
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
        Ok(Arc::new(TextTable::new(schema, files, blocks, NdjsonDecoder)))
    }

    fn writer<'a>(
        &self,
        output: Box<dyn Write + Send + 'a>,
        schema: &SchemaRef,
    ) -> Result<Box<dyn RowWriter + 'a>, EncodeError> {
        refuse_map_keys(schema)
            .map_err(|problem| EncodeError::Column(format!("{problem}, or write parquet")))?;
        let writer = WriterBuilder::new().with_explicit_nulls(true).build(output);
        Ok(Box::new(NdjsonWriter { writer, rows: 0 }))
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

/// The columns with the types that the spec names.
fn declared(fields: Vec<Field>, reading: &Reading) -> Result<Vec<Field>, String> {
    if let Some(name) = reading.types.keys().find(|name| fields.iter().all(|field| field.name() != *name)) {
        let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        return Err(format!(
            "reading.types names the column \"{name}\", which is not there; the columns are {}",
            names.join(", ")
        ));
    }
    let with_type = |field: Field| match reading.types.get(field.name()) {
        None => field,
        Some(declared) => field.with_data_type(match declared {
            ColumnType::Text => DataType::Utf8,
            ColumnType::Integer => DataType::Int64,
            ColumnType::Number => DataType::Float64,
            ColumnType::Boolean => DataType::Boolean,
            ColumnType::Date => DataType::Date32,
            ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        }),
    };
    Ok(fields.into_iter().map(with_type).collect())
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
        None if bytes.len() < 1024 => {
            Err(TableError::content(&file.name, "the file is empty; NDJSON has one JSON object a line"))
        }
        _ => Ok(mark as u64),
    }
}

/// Checks the lines of a block and says what is in them.
fn inspect(bytes: &[u8]) -> Result<JsonKinds, Malformed> {
    let mut kinds = JsonKinds::default();
    let mut offset = 0_u64;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii();
        if !text.is_empty() {
            add_line(&mut kinds, text).map_err(|problem| Malformed { offset, problem })?;
        }
        offset += line.len() as u64;
    }
    Ok(kinds)
}

#[derive(Debug)]
struct NdjsonDecoder;

impl Decode for NdjsonDecoder {
    fn decode(
        &self,
        schema: &SchemaRef,
        columns: &[usize],
        bytes: &[u8],
    ) -> Result<Vec<RecordBatch>, ArrowError> {
        let projected = Arc::new(schema.project(columns)?);
        let mut decoder = ReaderBuilder::new(projected)
            .with_batch_size(BATCH_ROWS)
            .with_coerce_primitive(true)
            .build_decoder()?;
        let mut batches = Vec::new();
        let mut rest = bytes;
        loop {
            let read = decoder.decode(rest)?;
            rest = rest.get(read..).unwrap_or_default();
            match decoder.flush()? {
                Some(batch) => batches.push(batch),
                None if rest.is_empty() || read == 0 => return Ok(batches),
                None => {}
            }
        }
    }
}

struct NdjsonWriter<'a> {
    writer: Writer<Box<dyn Write + Send + 'a>, LineDelimited>,
    rows: u64,
}

impl RowWriter for NdjsonWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), EncodeError> {
        refuse_unwritable(batch, self.rows)
            .map_err(|problem| EncodeError::Value(format!("{problem}, or write csv or parquet")))?;
        self.rows += batch.num_rows() as u64;
        Ok(self.writer.write(batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), EncodeError> {
        self.writer.finish()?;
        Ok(self.writer.into_inner().flush()?)
    }
}
