//! CSV: RFC 4180 in UTF-8, strictly; other signs and notations as `reading` says.
//!
//! Owns the scan of the whole file that finds malformed rows and the columns' types, and decoding. A byte order mark is
//! skipped. Every row has as many fields as the header. Blank lines are skipped. An empty field is null, quoted or not. Quoted
//! fields may span lines. Types come from every row, not from a sample, so that a fraction in the last row is as good as one in
//! the first; `NA` and its like are text unless `nullValues` names them.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::catalog::TableProvider;
use mlpipeline_crds::Reading;

use super::csv_dialect::Dialect;
use super::csv_encoder::CsvEncoder;
use super::csv_header::{HeaderRules, data_as_header, headers};
use super::csv_records::Records;
use super::csv_splitter::CsvSplitter;
use super::{FileFormat, Opened, ReadOptions, Writing};
use crate::column_words::{other_names, type_words};
use crate::table::TableError;
use crate::table::encode_error::EncodeError;
use crate::table::file::LocalFile;
use crate::table::text::{
    BlockBytes, ColumnBuilders, ColumnKinds, ColumnRules, Decode, FileRules, Malformed, TextKinds, TextTable,
    checked, index_blocks, inspect_blocks, not_utf8, utf8, wrong_type,
};

/// Comma-separated values.
pub(super) struct Csv;

impl FileFormat for Csv {
    fn check(&self, options: &ReadOptions) -> Result<(), String> {
        if options.pattern.is_some() {
            return Err("a pattern goes with text, and the format is csv".to_owned());
        }
        dialect(&options.reading).map(|_| ())
    }

    fn infer(
        &self,
        files: Vec<LocalFile>,
        options: &ReadOptions,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Opened, TableError> {
        let name = files.first().map(|file| file.name.clone()).unwrap_or_default();
        let dialect = dialect(&options.reading).map_err(TableError::Source)?;
        let (names, starts) = headers(&files, header_rules(options, dialect))?;
        let rules = column_rules(options, &names).map_err(|problem| TableError::content(&name, problem))?;
        let warning = if options.columns.is_empty() { data_as_header(&names) } else { None };
        let (blocks, summaries) = inspect_blocks(
            &files,
            &starts,
            || Box::new(CsvSplitter::new(dialect)),
            |bytes| inspect(bytes, dialect, &names, &rules),
            stop,
        )?;
        let mut kinds = vec![TextKinds::default(); names.len()];
        let mut rows = 0;
        for (summary, counted) in summaries {
            rows += counted;
            for (all, one) in kinds.iter_mut().zip(summary) {
                all.merge(one);
            }
        }
        let fields: Vec<Field> = names
            .iter()
            .zip(kinds)
            .zip(&rules)
            .map(|((name, kind), rules)| Field::new(name, kind.data_type(rules), true))
            .collect();
        let decoder = CsvDecoder { dialect, rules: rules.into() };
        let table = TextTable::new(Arc::new(Schema::new(fields)), files, blocks, decoder);
        Ok(Opened { table: Arc::new(table), rows, held: 0, warning })
    }

    fn open(
        &self,
        files: Vec<LocalFile>,
        schema: SchemaRef,
        options: &ReadOptions,
    ) -> Result<Arc<dyn TableProvider>, TableError> {
        let dialect = dialect(&options.reading).map_err(TableError::Source)?;
        let (names, starts) = headers(&files, header_rules(options, dialect))?;
        let expected: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let name = files.first().map(|file| file.name.clone()).unwrap_or_default();
        if names != expected {
            let problem = format!("its columns are others: {}", other_names(&names, &expected));
            return Err(TableError::content(&name, problem));
        }
        let rules = column_rules(options, &names).map_err(|problem| TableError::content(&name, problem))?;
        let blocks = index_blocks(&files, &starts, || Box::new(CsvSplitter::new(dialect)))?;
        let decoder = CsvDecoder { dialect, rules: rules.into() };
        Ok(Arc::new(TextTable::new(schema, files, blocks, decoder)))
    }

    fn read_again(&self, data_type: DataType) -> DataType {
        // The digits of bytes are not read as bytes.
        let is_bytes = data_type.is_binary() || matches!(data_type, DataType::FixedSizeBinary(_));
        if is_bytes { DataType::Utf8 } else { data_type }
    }

    fn writing(&self, schema: &SchemaRef) -> Result<Writing, EncodeError> {
        for field in schema.fields() {
            if !fits(field.data_type()) {
                let name = field.name();
                return Err(EncodeError::Column(format!(
                    "column \"{name}\" has the type {}, which CSV cannot hold; write ndjson or parquet, or {}",
                    type_words(field.data_type()),
                    as_text(name, field.data_type())
                )));
            }
        }
        Ok(Writing::Batches(Box::new(CsvEncoder::new(SchemaRef::clone(schema)))))
    }
}

/// The signs of a file.
fn dialect(reading: &Reading) -> Result<Dialect, String> {
    let default = Dialect::default();
    let sign = |name: &str, text: &Option<String>| match text.as_deref().map(str::as_bytes) {
        None => Ok(None),
        Some([byte]) if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Ok(Some(*byte)),
        Some(_) => Err(format!(
            "reading.{name} is {:?}, and one ASCII character that is not a line end is expected",
            text.as_deref().unwrap_or_default()
        )),
    };
    let dialect = Dialect {
        delimiter: sign("delimiter", &reading.delimiter)?.unwrap_or(default.delimiter),
        quote: sign("quote", &reading.quote)?.unwrap_or(default.quote),
        escape: sign("escape", &reading.escape)?,
        comment: sign("comment", &reading.comment)?,
    };
    let signs = [Some(dialect.delimiter), Some(dialect.quote), dialect.escape, dialect.comment];
    for (at, sign) in signs.iter().enumerate() {
        let again = signs.get(at + 1..).unwrap_or_default();
        if sign.is_some() && again.contains(sign) {
            return Err("reading: delimiter, quote, escape and comment are different characters; leave escape out where quotes are doubled".to_owned());
        }
    }
    Ok(dialect)
}

fn header_rules(options: &ReadOptions, dialect: Dialect) -> HeaderRules<'_> {
    HeaderRules {
        dialect,
        delimiter_is_given: options.reading.delimiter.is_some(),
        columns: &options.columns,
        skip_rows: options.reading.skip_rows.and_then(|rows| usize::try_from(rows).ok()).unwrap_or(0),
    }
}

fn column_rules(options: &ReadOptions, names: &[String]) -> Result<Vec<ColumnRules>, String> {
    FileRules::new(&options.reading)?
        .expecting(&options.expected)
        .after(options.before.as_ref())
        .columns(names)
}

/// Checks the rows of a block and says what is in its columns, and how many rows it has.
pub(super) fn inspect(
    bytes: &[u8],
    dialect: Dialect,
    names: &[String],
    rules: &[ColumnRules],
) -> Result<(Vec<TextKinds>, u64), Malformed> {
    let text = utf8(bytes)?;
    let mut kinds = ColumnKinds::new(rules);
    let mut rows = 0;
    let mut records = Records::new(text, dialect);
    while records.advance() {
        rows += 1;
        let malformed = |problem| Malformed { offset: records.start() as u64, problem };
        if records.fields() != names.len() {
            return Err(malformed(format!(
                "{} where the header has {}",
                counted(records.fields(), "field"),
                counted(names.len(), "column")
            )));
        }
        kinds.add(|column| records.bytes(column)).map_err(|(column, declared)| {
            let name = names.get(column).map(String::as_str).unwrap_or_default();
            malformed(wrong_type(name, records.field(column), declared, rules.get(column)))
        })?;
    }
    Ok((kinds.finish(), rows))
}

fn counted(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// The rows of blocks.
#[derive(Debug)]
pub(super) struct CsvDecoder {
    pub dialect: Dialect,
    pub rules: Arc<[ColumnRules]>,
}

impl Decode for CsvDecoder {
    fn decode(
        &self,
        schema: &SchemaRef,
        columns: &[usize],
        batch_rows: usize,
        block: BlockBytes<'_>,
    ) -> Result<Vec<RecordBatch>, ArrowError> {
        let text = checked(block.bytes).map_err(|_| ArrowError::ParseError(not_utf8()))?;
        let mut builders = ColumnBuilders::new(schema, columns, &self.rules, batch_rows)?;
        let mut records = Records::new(text, self.dialect);
        while records.advance() {
            if records.fields() != schema.fields().len() {
                let found = counted(records.fields(), "field");
                return Err(ArrowError::ParseError(format!(
                    "a row has {found} where there are {}",
                    counted(schema.fields().len(), "column")
                )));
            }
            builders.add(|index| records.field(index))?;
        }
        builders.finish()
    }
}

/// What makes a text or columns of a column that CSV cannot hold.
fn as_text(name: &str, data_type: &DataType) -> String {
    match data_type {
        DataType::Struct(fields) => {
            let first = fields.first().map_or("field", |field| field.name().as_str());
            format!("select its fields: \"{name}\"['{first}'] AS \"{first}\"")
        }
        DataType::Map(..) => format!("select its values by their keys: \"{name}\"['key'] AS \"key\""),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            format!("write its bytes as digits: encode(\"{name}\", 'hex') AS \"{name}\"")
        }
        _ => format!("cast it: CAST(\"{name}\" AS VARCHAR) AS \"{name}\""),
    }
}

/// Whether values of a type can be written to CSV and read from it again.
fn fits(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => fits(values),
        DataType::Null | DataType::Utf8View | DataType::LargeUtf8 | DataType::Utf8 | DataType::Boolean => {
            true
        }
        DataType::Date32 | DataType::Date64 | DataType::Time32(_) | DataType::Time64(_) => true,
        DataType::Timestamp(..) => true,
        other => other.is_numeric(),
    }
}
