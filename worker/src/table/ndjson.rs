//! NDJSON: one JSON object a line, in UTF-8.
//!
//! Owns the scan of the whole file that finds malformed lines and the columns' types, and decoding. Blank lines are skipped,
//! and so is a byte order mark. A key that a line lacks is null there. Columns are in the order in which keys first occur.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::ReaderBuilder;

use super::TableError;
use super::blocks::{self, Block, Malformed, Splitter, TextFile};
use super::csv::Scanned;
use super::json_type::JsonKinds;

/// The rows of a batch.
const BATCH_ROWS: usize = 8192;

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

/// Scans files; a column's type holds its values in all of them.
pub(super) fn scan(files: &[TextFile], stop: &(dyn Fn() -> bool + Sync)) -> Result<Scanned, TableError> {
    let starts = files.iter().map(start).collect::<Result<Vec<u64>, _>>()?;
    let (blocks, seen) = blocks::scan(files, &starts, || Box::new(LineSplitter), look, stop)?;
    let mut all = JsonKinds::default();
    for kinds in seen {
        all.merge(kinds);
    }
    let name = files.first().map(|file| file.name.as_str()).unwrap_or_default();
    let fields = all.fields().map_err(|problem| TableError::content(name, problem))?;
    Ok(Scanned { schema: Arc::new(Schema::new(fields)), blocks, warning: None })
}

/// Cuts files whose columns are known into blocks, without looking at the rows.
pub(super) fn cut(files: &[TextFile]) -> Result<Vec<Block>, TableError> {
    let mut blocks = Vec::new();
    for (index, file) in files.iter().enumerate() {
        blocks::split(index, file, 0, &mut LineSplitter, &mut |block, _| {
            blocks.push(block);
            true
        })?;
    }
    Ok(blocks)
}

/// The rows of a block, as batches with the projected columns.
pub(super) fn decode(
    schema: &SchemaRef,
    projection: &[usize],
    bytes: &[u8],
) -> Result<Vec<RecordBatch>, ArrowError> {
    let projected = Arc::new(schema.project(projection)?);
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

/// Where the first line begins: behind a byte order mark.
fn start(file: &TextFile) -> Result<u64, TableError> {
    let mut bytes = Vec::new();
    let open = File::open(&file.path).map_err(TableError::io("open", &file.path))?;
    open.take(1024).read_to_end(&mut bytes).map_err(TableError::io("read", &file.path))?;
    let mark = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    match bytes.get(mark..).unwrap_or_default().trim_ascii_start().first() {
        Some(b'[') => Err(TableError::content(
            &file.name,
            "it is a JSON array; write one object a line instead, for example with jq -c '.[]'",
        )),
        None if bytes.len() < 1024 => {
            Err(TableError::content(&file.name, "the file is empty; NDJSON has one JSON object a line"))
        }
        _ => Ok(mark as u64),
    }
}

/// Checks the lines of a block and says what is in them.
fn look(bytes: &[u8]) -> Result<JsonKinds, Malformed> {
    let mut kinds = JsonKinds::default();
    let mut offset = 0_u64;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii();
        if !text.is_empty() {
            kinds.add_line(text).map_err(|problem| Malformed { offset, problem })?;
        }
        offset += line.len() as u64;
    }
    Ok(kinds)
}
