//! CSV: RFC 4180 in UTF-8, strictly.
//!
//! Owns the header, the scan of the whole file that finds malformed rows and the columns' types, and decoding. A byte order
//! mark is skipped. Every row has as many fields as the header. Blank lines are skipped. An empty field is null, quoted or
//! not. Quoted fields may span lines. Types come from every row, not from a sample, so that a fraction in the last row is as
//! good as one in the first; `NA` and its like are text.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::csv::ReaderBuilder;
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;

use super::TableError;
use super::blocks::{self, Block, Malformed, RECORD_LIMIT, TextFile};
use super::csv_records::{CsvSplitter, Records};
use super::text_type::TextKinds;

/// The mark that some programs put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The rows of a batch; fewer where there are many columns, since the parser reserves memory for each field of a batch.
const BATCH_ROWS: usize = 8192;

/// The fields of a batch.
const BATCH_FIELDS: usize = 1 << 18;

/// What a scan finds.
#[derive(Debug)]
pub(super) struct Scanned {
    /// The columns, in the files' order.
    pub schema: SchemaRef,
    /// The files' rows.
    pub blocks: Vec<Block>,
    /// Something that is no error and should be known, for people.
    pub warning: Option<String>,
}

/// Scans files that have the same columns. `columns` are the names where the files have no header.
pub(super) fn scan(
    files: &[TextFile],
    columns: &[String],
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Scanned, TableError> {
    let (names, starts) = headers(files, columns)?;
    let warning = if columns.is_empty() { data_as_header(&names) } else { None };
    let width = names.len();
    let (blocks, seen) =
        blocks::scan(files, &starts, || Box::new(CsvSplitter::default()), |bytes| look(bytes, width), stop)?;
    let mut kinds = vec![TextKinds::default(); width];
    for block in seen {
        for (all, one) in kinds.iter_mut().zip(block) {
            all.merge(one);
        }
    }
    let fields: Vec<Field> =
        names.iter().zip(kinds).map(|(name, kind)| Field::new(name, kind.data_type(), true)).collect();
    Ok(Scanned { schema: Arc::new(Schema::new(fields)), blocks, warning })
}

/// Cuts files whose columns are known into blocks, without looking at the rows.
pub(super) fn cut(files: &[TextFile], schema: &SchemaRef) -> Result<Vec<Block>, TableError> {
    let mut blocks = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let (names, start) = header(file)?;
        let expected: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        if names != expected {
            return Err(TableError::content(
                &file.name,
                format!("its columns are {} instead of {}", names.join(", "), expected.join(", ")),
            ));
        }
        blocks::split(index, file, start, &mut CsvSplitter::default(), &mut |block, _| {
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
    let rows = (BATCH_FIELDS / schema.fields().len().max(1)).clamp(1, BATCH_ROWS);
    let mut decoder = ReaderBuilder::new(Arc::clone(schema))
        .with_batch_size(rows)
        .with_projection(projection.to_vec())
        .build_decoder();
    let mut batches = Vec::new();
    let mut rest = bytes;
    loop {
        let read = decoder.decode(rest)?;
        rest = rest.get(read..).unwrap_or_default();
        if read == 0 || decoder.capacity() == 0 {
            match decoder.flush()? {
                Some(batch) => batches.push(batch),
                None => return Ok(batches),
            }
        }
    }
}

/// The columns' names, and where in each file the rows begin.
fn headers(files: &[TextFile], columns: &[String]) -> Result<(Vec<String>, Vec<u64>), TableError> {
    let mut names: Option<Vec<String>> = None;
    let mut starts = Vec::with_capacity(files.len());
    for file in files {
        let (found, after) = header(file)?;
        if !columns.is_empty() {
            refuse_header_row(file, &found, columns)?;
            starts.push(mark_length(file)?);
            continue;
        }
        starts.push(after);
        match &names {
            None => {
                refuse_duplicates(file, &found)?;
                names = Some(found);
            }
            Some(first) if *first != found => {
                let first_name = files.first().map(|file| file.name.as_str()).unwrap_or_default();
                return Err(TableError::line(
                    &file.name,
                    1,
                    format!(
                        "its columns are {}, but those of {first_name} are {}; files that are read together have the same header",
                        found.join(", "),
                        first.join(", ")
                    ),
                ));
            }
            Some(_) => {}
        }
    }
    Ok((names.unwrap_or_else(|| columns.to_vec()), starts))
}

/// The first record of a file, as names, and where the next one begins. A column without a name is called by its place,
/// `column_3`.
fn header(file: &TextFile) -> Result<(Vec<String>, u64), TableError> {
    let mark = mark_length(file)?;
    let mut size: usize = 64 << 10;
    loop {
        let mut bytes = Vec::new();
        let open = File::open(&file.path).map_err(TableError::io("open", &file.path))?;
        open.take(size as u64).read_to_end(&mut bytes).map_err(TableError::io("read", &file.path))?;
        let whole = bytes.len() < size;
        let data = bytes.get(usize::try_from(mark).unwrap_or_default()..).unwrap_or_default();
        let mut records = Records::new(data);
        // A record that ends with what was read may go on behind it.
        if records.advance() && (whole || records.position() < data.len()) {
            let mut names = Vec::with_capacity(records.fields());
            for index in 0..records.fields() {
                let name = std::str::from_utf8(records.field(index))
                    .map_err(|_| TableError::line(&file.name, 1, not_utf8()))?;
                names.push(if name.is_empty() { format!("column_{}", index + 1) } else { name.to_owned() });
            }
            return Ok((names, mark + records.position() as u64));
        }
        if whole {
            return Err(TableError::content(
                &file.name,
                "the file is empty; a CSV file has at least a header, or rows when the columns are given",
            ));
        }
        if size > RECORD_LIMIT {
            return Err(TableError::line(&file.name, 1, "the first line does not end; is this a CSV file?"));
        }
        size *= 4;
    }
}

/// How many bytes the byte order mark takes: 3 or 0.
fn mark_length(file: &TextFile) -> Result<u64, TableError> {
    let mut first = Vec::new();
    let open = File::open(&file.path).map_err(TableError::io("open", &file.path))?;
    open.take(3).read_to_end(&mut first).map_err(TableError::io("read", &file.path))?;
    if first.starts_with(b"\xFF\xFE") || first.starts_with(b"\xFE\xFF") {
        return Err(TableError::content(
            &file.name,
            "it is UTF-16, and only UTF-8 is read; convert it with iconv -f utf-16 -t utf-8",
        ));
    }
    Ok(if first == BYTE_ORDER_MARK { 3 } else { 0 })
}

fn refuse_duplicates(file: &TextFile, names: &[String]) -> Result<(), TableError> {
    let mut known = BTreeSet::new();
    for name in names {
        if !known.insert(name) {
            let hint = if looks_like_data(names) {
                "the first line looks like data: give the columns' names where the file has no header"
            } else {
                "name each column once"
            };
            return Err(TableError::line(
                &file.name,
                1,
                format!("the header has \"{name}\" twice; {hint}. It is: {}", names.join(", ")),
            ));
        }
    }
    Ok(())
}

/// Refuses a file whose first row is the given names: it has a header after all, which would be read as a row.
fn refuse_header_row(file: &TextFile, first: &[String], columns: &[String]) -> Result<(), TableError> {
    if first == columns {
        return Err(TableError::line(
            &file.name,
            1,
            "it holds the columns' names, so the file has a header; leave out columns",
        ));
    }
    Ok(())
}

fn looks_like_data(names: &[String]) -> bool {
    let numbers = names.iter().filter(|name| name.parse::<f64>().is_ok()).count();
    numbers > 0 && numbers * 2 >= names.len()
}

fn data_as_header(names: &[String]) -> Option<String> {
    looks_like_data(names).then(|| {
        format!(
            "the first line is taken for the header, but looks like data ({}); give the columns' names where the file has no header",
            names.join(", ")
        )
    })
}

pub(super) fn not_utf8() -> String {
    "it is not UTF-8; convert the file, for example with iconv -f latin1 -t utf-8".to_owned()
}

/// Checks the rows of a block and says what is in its columns.
fn look(bytes: &[u8], width: usize) -> Result<Vec<TextKinds>, Malformed> {
    if let Err(error) = std::str::from_utf8(bytes) {
        let offset = error.valid_up_to() as u64;
        let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
        return Err(Malformed { offset, problem: format!("byte 0x{byte:02X} here: {}", not_utf8()) });
    }
    let mut kinds = vec![TextKinds::default(); width];
    let mut records = Records::new(bytes);
    while records.advance() {
        if records.fields() != width {
            let problem = format!(
                "{} where the header has {}",
                counted(records.fields(), "field"),
                counted(width, "column")
            );
            return Err(Malformed { offset: records.start() as u64, problem });
        }
        for (index, kind) in kinds.iter_mut().enumerate() {
            kind.add(records.field(index));
        }
    }
    Ok(kinds)
}

fn counted(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}
