//! Tests: blocks of CSV give the columns, rows and errors that the definition gives for the whole text.
//!
//! The definition is written here once more, with no regard to speed: one parser of records over all of the text, and one list of
//! texts for each column.

use std::sync::Arc;

use csv_core::ReadRecordResult;
use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use mlpipeline_crds::Reading;
use proptest::prelude::*;

use super::csv::{CsvDecoder, inspect};
use super::csv_dialect::Dialect;
use super::csv_splitter::CsvSplitter;
use crate::table::text::{BlockBytes, ColumnRules, Decode, FileRules, Malformed, Splitter, TextKinds};

/// Columns of the generated tables, some more than there are kinds of fields.
const COLUMNS: usize = 3;

/// The types, and every value as text, by column; or where and what is wrong.
type Table = Result<(Vec<DataType>, Vec<Vec<Option<String>>>), Malformed>;

fn rules(nulls: bool) -> Vec<ColumnRules> {
    let null_values = if nulls { vec!["NA".to_owned()] } else { Vec::new() };
    let rules = FileRules::new(&Reading { null_values, ..Reading::default() }).expect("rules");
    (0..COLUMNS).map(|_| rules.column("x").expect("rules")).collect()
}

fn names() -> Vec<String> {
    (0..COLUMNS).map(|column| format!("c{column}")).collect()
}

/// The records of all of the text, each with its place.
fn records(text: &str, dialect: Dialect) -> Vec<(usize, Vec<String>)> {
    let (mut reader, mut input, mut records) = (dialect.reader(), text.as_bytes(), Vec::new());
    let (mut fields, mut ends) = (vec![0; text.len() + 1], vec![0; text.len() + 1]);
    loop {
        let start = text.len() - input.len();
        let blank = input.iter().take_while(|byte| b"\n\r".contains(byte)).count();
        let (mut read, mut written, mut ended) = (0, 0, 0);
        loop {
            let (result, more, wrote, found) =
                reader.read_record(&input[read..], &mut fields[written..], &mut ends[ended..]);
            (read, written, ended) = (read + more, written + wrote, ended + found);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return records,
                other => panic!("{other:?}"),
            }
        }
        let starts = std::iter::once(&0).chain(&ends);
        let cut =
            |(from, to): (&usize, &usize)| String::from_utf8(fields[*from..*to].to_vec()).expect("UTF-8");
        records.push((start + blank, starts.zip(&ends[..ended]).map(cut).collect()));
        input = &input[read..];
    }
}

/// What the definition gives for all of the text.
fn by_definition(text: &str, dialect: Dialect, rules: &[ColumnRules]) -> Table {
    let mut kinds = [TextKinds::default(); COLUMNS];
    let mut columns = vec![Vec::new(); COLUMNS];
    for (offset, fields) in records(text, dialect) {
        if fields.len() != COLUMNS {
            let plural = if fields.len() == 1 { "" } else { "s" };
            let problem = format!("{} field{plural} where the header has {COLUMNS} columns", fields.len());
            return Err(Malformed { offset: offset as u64, problem });
        }
        for (column, field) in fields.into_iter().enumerate() {
            kinds[column].add(field.as_bytes(), &rules[column]).expect("no type is named");
            columns[column].push((!rules[column].is_null(field.as_bytes())).then_some(field));
        }
    }
    Ok((kinds.iter().zip(rules).map(|(kind, rules)| kind.data_type(rules)).collect(), columns))
}

/// What blocks give that end where the walk finds ends of records in pieces of so many bytes; `None` where the walk finds a fault.
fn by_blocks(text: &str, piece: usize, dialect: Dialect, rules: &[ColumnRules]) -> Option<Table> {
    let mut splitter = CsvSplitter::new(dialect);
    let (mut blocks, mut start, mut at) = (Vec::new(), 0, 0);
    for bytes in text.as_bytes().chunks(piece) {
        if let Some(end) = splitter.last_end(bytes).ok()? {
            blocks.push((start, &text.as_bytes()[start..at + end]));
            start = at + end;
        }
        at += bytes.len();
    }
    splitter.finish().ok()?;
    blocks.push((start, &text.as_bytes()[start..]));
    Some(of_blocks(&blocks, dialect, rules))
}

fn of_blocks(blocks: &[(usize, &[u8])], dialect: Dialect, rules: &[ColumnRules]) -> Table {
    let mut kinds = [TextKinds::default(); COLUMNS];
    for (start, bytes) in blocks {
        let (found, _) = inspect(bytes, dialect, &names(), rules)
            .map_err(|error| Malformed { offset: error.offset + *start as u64, ..error })?;
        kinds.iter_mut().zip(found).for_each(|(all, one)| all.merge(one));
    }
    let types: Vec<DataType> = kinds.iter().zip(rules).map(|(kind, rules)| kind.data_type(rules)).collect();
    let fields: Vec<Field> =
        names().into_iter().zip(&types).map(|(name, kind)| Field::new(name, kind.clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let decoder = CsvDecoder { dialect, rules: rules.into() };
    let mut columns = vec![Vec::new(); COLUMNS];
    for (number, (_, bytes)) in blocks.iter().enumerate() {
        let block = BlockBytes { number, bytes };
        for batch in decoder.decode(&schema, &[0, 1, 2], 5, block).expect("rows that were inspected") {
            columns.iter_mut().enumerate().for_each(|(column, values)| values.extend(shown(&batch, column)));
        }
    }
    Ok((types, columns))
}

fn shown(batch: &RecordBatch, column: usize) -> Vec<Option<String>> {
    let values = batch.column(column);
    let format = ArrayFormatter::try_new(values, &FormatOptions::default()).expect("a type that is shown");
    (0..values.len()).map(|row| values.is_valid(row).then(|| format.value(row).to_string())).collect()
}

/// Every text as the engine casts it to the column's type.
fn cast(table: Table) -> Table {
    let (types, columns) = table?;
    let columns = types.iter().zip(columns).map(|(data_type, texts)| {
        let texts = datafusion::arrow::array::StringArray::from(texts);
        let values = datafusion::arrow::compute::cast(&texts, data_type).expect("texts of the type");
        let schema = Schema::new(vec![Field::new("x", data_type.clone(), true)]);
        shown(&RecordBatch::try_new(Arc::new(schema), vec![values]).expect("a column"), 0)
    });
    let columns = columns.collect();
    Ok((types, columns))
}

/// Rows whose first ones are plain, so that whatever else there is comes late.
fn text() -> impl Strategy<Value = String> {
    let field = prop_oneof![
        4 => "-?[1-9][0-9]{0,6}",
        2 => "-?[0-9]{1,3}\\.[0-9]{1,4}",
        2 => "20[0-9]{2}-0[1-9]-[0-2][1-8]",
        1 => "[a-z é]{0,12}",
        1 => "\"[a-z,\n0-9]{0,9}\"",
        1 => prop::sample::select(vec![
            "007", "", "NA", "\"\"", "1.5", "9223372036854775808", "9007199254740993", "0001E5", "1e5", "true", "2026-01-31",
            "2026-02-30", "2026-01-31T10:00:00Z", "\"say \"\"hi\"\"\"", "\"a\r\nb\"", "5\" disk", "\"12\"", "-0", "\"\n\"",
        ]).prop_map(str::to_owned),
    ];
    let end = prop::sample::select(vec!["\n", "\n", "\n", "\r\n", "\n\n", "\r\n\r\n", "\r"]);
    let width = prop_oneof![40 => Just(COLUMNS), 1 => 1..5_usize];
    let row = width.prop_flat_map(move |width| prop::collection::vec(field.clone(), width));
    let late = prop::collection::vec((row, end), 0..12);
    (0..40_usize, prop::sample::select(vec!["1", "1.5", "2026-01-31", "x", "\"7\"", ""]), late, any::<bool>())
        .prop_map(|(plain, field, late, ended)| {
            let mut text = format!("{field},{field},{field}x\n").repeat(plain);
            for (row, end) in late {
                text.push_str(&row.join(","));
                text.push_str(end);
            }
            if !ended {
                text.pop();
            }
            text
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Late leading zeros, fractions, texts, quotes, nulls and ragged rows, mixed line ends, in one block and in many.
    #[test]
    fn blocks_give_what_the_definition_gives(text in text(), piece in 1..200_usize, nulls in any::<bool>(), escaped in any::<bool>()) {
        let escape = escaped.then_some(b'\\');
        let (dialect, rules) = (Dialect { escape, ..Dialect::default() }, rules(nulls));
        if let Some(found) = by_blocks(&text, piece, dialect, &rules) {
            prop_assert_eq!(found, cast(by_definition(&text, dialect, &rules)));
        }
    }
}
