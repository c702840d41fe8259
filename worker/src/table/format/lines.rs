//! Text: one row a line, split into columns by a regular expression with named groups.
//!
//! Owns the pattern, the scan of the whole file that finds lines without it and the columns' types, and decoding. Lines end
//! with a line feed, before which a carriage return may stand; blank lines are skipped, and so is a byte order mark. The
//! pattern is searched in the line, as grep does: `^` and `$` tie it to the line's ends. A group that takes no part, or is
//! empty, is null. Types come from every row, as those of CSV do.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::catalog::TableProvider;
use mlpipeline_crds::{OnMismatch, Reading};

use super::csv_header::{LineEnd, skipped};
use super::kept_places::{KeptPlaces, Places};
use super::line_pattern::LinePattern;
use super::ndjson::LineSplitter;
use super::{FileFormat, Opened, ReadOptions, Writing};
use crate::table::TableError;
use crate::table::encode_error::EncodeError;
use crate::table::file::LocalFile;
use crate::table::text::{
    BlockBytes, ColumnBuilders, ColumnKinds, ColumnRules, Decode, FileRules, Malformed, OLD_LINE_ENDS,
    TextKinds, TextTable, checked, index_blocks, inspect_blocks, not_utf8, shown, utf8, wrong_type,
};

/// The longest line, in bytes: what a pattern is searched in at once.
const LINE_LIMIT: usize = 1 << 20;

/// Lines of text.
pub(super) struct Lines;

impl FileFormat for Lines {
    fn check(&self, options: &ReadOptions) -> Result<(), String> {
        let Reading { delimiter, quote, escape, .. } = &options.reading;
        if delimiter.is_some() || quote.is_some() || escape.is_some() {
            return Err("reading.delimiter, quote and escape are for csv; a pattern splits text".to_owned());
        }
        if !options.columns.is_empty() {
            return Err("columns names those of a CSV file without header, and the format is text".to_owned());
        }
        LinePattern::new(options).map(|_| ())
    }

    fn infer(
        &self,
        files: Vec<LocalFile>,
        options: &ReadOptions,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Opened, TableError> {
        let pattern = LinePattern::new(options).map_err(TableError::Source)?;
        let name = files.first().map(|file| file.name.clone()).unwrap_or_default();
        let names = pattern.names();
        let rules = FileRules::new(&options.reading)
            .and_then(|rules| {
                rules.expecting(&options.expected).after(options.before.as_ref()).columns(&names)
            })
            .map_err(|problem| TableError::content(&name, problem))?;
        let starts = starts(&files, options)?;
        let (blocks, summaries) = inspect_blocks(
            &files,
            &starts,
            || Box::new(LineSplitter),
            |bytes: &[u8]| inspect(bytes, &pattern, &rules),
            stop,
        )?;
        let mut kinds = vec![TextKinds::default(); names.len()];
        let (mut rows, mut skipped, mut example) = (0_u64, 0_u64, None);
        let mut kept = Vec::with_capacity(summaries.len());
        for block in summaries {
            for (all, one) in kinds.iter_mut().zip(block.kinds) {
                all.merge(one);
            }
            rows += block.rows;
            skipped += block.skipped;
            example = example.or(block.example);
            kept.push(block.places);
        }
        let fields: Vec<Field> = names
            .iter()
            .zip(kinds)
            .zip(&rules)
            .map(|((name, kind), rules)| Field::new(name, kind.data_type(rules), true))
            .collect();
        let warning = example.map(|line| {
            format!("lines left out because the pattern is not in them: {skipped}, the first of them: {line}")
        });
        let decoder = LineDecoder { pattern, rules: rules.into(), kept };
        let table = TextTable::new(Arc::new(Schema::new(fields)), files, blocks, decoder);
        Ok(Opened { table: Arc::new(table), rows, held: 0, warning })
    }

    fn open(
        &self,
        files: Vec<LocalFile>,
        schema: SchemaRef,
        options: &ReadOptions,
    ) -> Result<Arc<dyn TableProvider>, TableError> {
        let pattern = LinePattern::new(options).map_err(TableError::Source)?;
        let rules = FileRules::new(&options.reading)
            .and_then(|rules| rules.columns(&pattern.names()))
            .map_err(TableError::Source)?;
        let starts = starts(&files, options)?;
        let blocks = index_blocks(&files, &starts, || Box::new(LineSplitter))?;
        let decoder = LineDecoder { pattern, rules: rules.into(), kept: Vec::new() };
        Ok(Arc::new(TextTable::new(schema, files, blocks, decoder)))
    }

    fn writing(&self, _schema: &SchemaRef) -> Result<Writing, EncodeError> {
        let text = "text is read, and not written; write csv, ndjson or parquet".to_owned();
        Err(EncodeError::Column(text))
    }
}

/// The summary of a block.
struct Summary {
    kinds: Vec<TextKinds>,
    rows: u64,
    skipped: u64,
    example: Option<String>,
    places: Option<KeptPlaces>,
}

/// Checks the lines of a block and says what is in its columns.
fn inspect(bytes: &[u8], pattern: &LinePattern, rules: &[ColumnRules]) -> Result<Summary, Malformed> {
    let text = utf8(bytes)?;
    let mut kinds = ColumnKinds::new(rules);
    let mut summary = Summary { kinds: Vec::new(), rows: 0, skipped: 0, example: None, places: None };
    let mut places = Places::new(bytes.len());
    let mut search = pattern.search();
    for (offset, line) in lines(text) {
        let offset = offset as u64;
        if line.len() > LINE_LIMIT {
            let problem = format!(
                "the line has {} bytes, and at most {LINE_LIMIT} are read; is this a text file?",
                line.len()
            );
            return Err(Malformed { offset, problem });
        }
        if !pattern.is_left_out(line) {
            if search.find(line) {
                summary.rows += 1;
                places.add(line.len(), search.places());
                kinds.add(|column| search.group(column, line).as_bytes()).map_err(|(column, declared)| {
                    let name = pattern.groups.get(column).map(|(_, name)| name.as_str()).unwrap_or_default();
                    let field = search.group(column, line);
                    Malformed { offset, problem: wrong_type(name, field, declared, rules.get(column)) }
                })?;
            } else if pattern.on_mismatch == OnMismatch::Skip {
                summary.skipped += 1;
                places.add(line.len(), pattern.groups.iter().map(|_| None));
                summary.example.get_or_insert_with(|| shown(line));
            } else {
                let problem = format!(
                    "the pattern is not in the line {}; the pattern is {}. Change it, or leave such lines out with onMismatch: Skip",
                    shown(line),
                    pattern.text()
                );
                return Err(Malformed { offset, problem });
            }
        }
    }
    Ok(Summary { kinds: kinds.finish(), places: places.keep(), ..summary })
}

#[derive(Debug)]
struct LineDecoder {
    pattern: LinePattern,
    rules: Arc<[ColumnRules]>,
    /// What was kept of the scan, by the block's number.
    kept: Vec<Option<KeptPlaces>>,
}

impl Decode for LineDecoder {
    fn decode(
        &self,
        schema: &SchemaRef,
        columns: &[usize],
        batch_rows: usize,
        block: BlockBytes<'_>,
    ) -> Result<Vec<RecordBatch>, ArrowError> {
        let text = checked(block.bytes).map_err(|_| ArrowError::ParseError(not_utf8()))?;
        let kept = self.kept.get(block.number).and_then(Option::as_ref);
        let mut search = self.pattern.search();
        let mut builders = ColumnBuilders::new(schema, columns, &self.rules, batch_rows)?;
        let searched = lines(text).map(|(_, line)| line).filter(|line| !self.pattern.is_left_out(line));
        for (number, line) in searched.enumerate() {
            let is_found = match kept {
                Some(kept) => search.recall(kept, number),
                None => search.find(line),
            };
            if is_found {
                builders.add(|index| search.group(index, line))?;
            }
        }
        builders.finish()
    }
}

/// Where the first line of each file begins: behind a byte order mark and the lines that are left out.
fn starts(files: &[LocalFile], options: &ReadOptions) -> Result<Vec<u64>, TableError> {
    let rows = options.reading.skip_rows.and_then(|rows| usize::try_from(rows).ok()).unwrap_or(0);
    let start = |file: &LocalFile| {
        let start = skipped(file, rows, LineEnd::Feed);
        // Of such a file, there are no lines to be left out.
        refuse_old_line_ends(file)?;
        start
    };
    files.iter().map(start).collect()
}

/// Refuses a file whose lines end with carriage returns alone: all of it would be one line. The first line says it, since none may be longer.
fn refuse_old_line_ends(file: &LocalFile) -> Result<(), TableError> {
    let bytes = file.first_bytes(LINE_LIMIT + 1)?;
    let has_feed = memchr::memchr(b'\n', &bytes).is_some();
    // A single line may have carriage returns in it, as what shows progress has.
    let is_ended = bytes.ends_with(b"\r") || bytes.len() > LINE_LIMIT;
    if !has_feed && is_ended && memchr::memchr(b'\r', bytes.trim_ascii()).is_some() {
        return Err(TableError::content(&file.name, OLD_LINE_ENDS));
    }
    Ok(())
}

/// The lines of a text with where they begin, in bytes.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len()]).map(move |end| {
        let begin = std::mem::replace(&mut start, end + 1);
        let line = text.get(begin..end).unwrap_or_default();
        (begin, line.strip_suffix('\r').unwrap_or(line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pattern: &str, on_mismatch: OnMismatch) -> ReadOptions {
        ReadOptions {
            pattern: Some(pattern.to_owned()),
            on_mismatch: Some(on_mismatch),
            ..ReadOptions::default()
        }
    }

    fn rows(pattern: &str, on_mismatch: OnMismatch, text: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lines.txt");
        std::fs::write(&path, text).expect("a file");
        let options = options(pattern, on_mismatch);
        Lines.check(&options)?;
        let files = vec![LocalFile::own(path, "lines.txt".into())];
        let table = Lines.infer(files, &options, &|| false).map_err(|error| error.to_string())?.table;
        let schema = table.schema();
        let rows = async {
            let session = datafusion::prelude::SessionContext::new();
            session.read_table(table).expect("a table").collect().await.expect("rows")
        };
        let batches = tokio::runtime::Runtime::new().expect("a runtime").block_on(rows);
        let types: Vec<String> = schema.fields().iter().map(|field| field.data_type().to_string()).collect();
        let mut csv = Vec::new();
        let mut writer = datafusion::arrow::csv::WriterBuilder::new().with_header(false).build(&mut csv);
        for batch in &batches {
            writer.write(batch).expect("csv");
        }
        drop(writer);
        Ok(format!("{}\n{}", types.join(" "), String::from_utf8(csv).expect("text")))
    }

    #[test]
    fn groups_become_columns_with_the_types_of_their_texts() {
        let listing = "-r--r--r--    1 root     root          4096 Mar 20 00:40 /sys/kernel/irq/7/type\r\n\n\
                       drwxr-xr-x   12 root     0               0 Mar 20 00:40 /sys/a name, with a comma\n";
        let pattern = r"^(?<mod>\S+)\s+(?<no>\d+)\s+(?<user>\S+)\s+(?<group>\S+)\s+(?<size>\d+)\s+(?<date>\w+ +\d+ [\d:]+)\s+(?<file>.+)$";
        let expected = "Utf8 Int64 Utf8 Utf8 Int64 Utf8 Utf8\n\
                        -r--r--r--,1,root,root,4096,Mar 20 00:40,/sys/kernel/irq/7/type\n\
                        drwxr-xr-x,12,root,0,0,Mar 20 00:40,\"/sys/a name, with a comma\"\n";
        assert_eq!(rows(pattern, OnMismatch::Fail, listing).as_deref(), Ok(expected));
    }

    #[test]
    fn every_type_that_a_scan_finds_is_read() {
        let text = "true 1.5 2026-01-31 2026-01-31T10:00:00.5 2026-01-31T10:00:00Z x\n\
                    FALSE -2 1999-12-01 2026-01-31 2026-01-31T10:00:00+02:00 \n";
        let found =
            rows(r"^(?<a>\S+) (?<b>\S+) (?<c>\S+) (?<d>\S+) (?<e>\S+) (?<f>\S*)", OnMismatch::Fail, text);
        let expected = "Boolean Float64 Date32 Timestamp(µs) Timestamp(µs, \"+00:00\") Utf8\n\
                        true,1.5,2026-01-31,2026-01-31T10:00:00.500,2026-01-31T10:00:00Z,x\n\
                        false,-2.0,1999-12-01,2026-01-31T00:00:00,2026-01-31T08:00:00Z,\n";
        assert_eq!(found.as_deref(), Ok(expected));
    }

    #[test]
    fn rows_are_the_same_whether_or_not_places_were_kept() {
        let long = "x".repeat(300);
        let longer = format!("k={} 1", "é".repeat(40_000));
        let texts = [
            "k=a 1\n\n  \n# a comment\nno pair\nkey=\r\n=b 22\n k=é 3 ü\nkk=7 7",
            &format!("a=b 2\n{long}=c 3\nd={long}\n"),
            &format!("a=b 2\n{longer}\nnone\nz=y 4\n"),
            "",
        ];
        for pattern in [
            r"^\s*(?<key>\S*?)=(?<value>\S*)(?: (?<rest>.+))?$",
            r"(?<key>\w+)=(?<value>\w+) (?<rest>\d+)",
            r"(?<all>(?<key>\w)=(?<value>.?))",
        ] {
            for text in texts {
                let folder = tempfile::tempdir().expect("a folder");
                let path = folder.path().join("lines.txt");
                std::fs::write(&path, text).expect("a file");
                let mut options = options(pattern, OnMismatch::Skip);
                options.reading.comment = Some("#".into());
                let files = vec![LocalFile::own(path, "lines.txt".into())];
                let kept = Lines.infer(files.clone(), &options, &|| false).expect("a table").table;
                let searched = Lines.open(files, kept.schema(), &options).expect("a table");
                assert_eq!(shown_rows(kept), shown_rows(searched), "{pattern} in {text:?}");
            }
        }
    }

    /// The rows of a table as people see them.
    fn shown_rows(table: Arc<dyn TableProvider>) -> String {
        let rows = async {
            let session = datafusion::prelude::SessionContext::new();
            session.read_table(table).expect("a table").collect().await.expect("rows")
        };
        let batches = tokio::runtime::Runtime::new().expect("a runtime").block_on(rows);
        datafusion::arrow::util::pretty::pretty_format_batches(&batches).expect("a text").to_string()
    }

    #[test]
    fn a_line_without_the_pattern_is_named_or_left_out() {
        let text = "\u{feff}a=1\ntotal 12\nb=2";
        let failed = rows(r"(?<key>\w)=(?<value>\d)", OnMismatch::Fail, text).expect_err("a bad line");
        let expected = "lines.txt, line 2: the pattern is not in the line \"total 12\"; the pattern is (?<key>\\w)=(?<value>\\d). Change it, or leave such lines out with onMismatch: Skip";
        assert_eq!(failed, expected);
        let skipped = rows(r"(?<key>\w)=(?<value>\d)", OnMismatch::Skip, text);
        assert_eq!(skipped.as_deref(), Ok("Utf8 Int64\na,1\nb,2\n"));
        assert_eq!(rows(r"(?<key>\w)", OnMismatch::Fail, "").as_deref(), Ok("Utf8\n"));
        // A carriage return within a line is a sign as any other.
        assert_eq!(rows(r"(?<key>\w)\r", OnMismatch::Fail, "a\rb\r\n").as_deref(), Ok("Utf8\na\n"));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (pattern, text, part) in [
            ("(", "a", "the pattern is not a valid regular expression"),
            (r"(\w+)", "a", "has no named group"),
            (r"(?<a>\w{1000}{1000})", "a", "the pattern is not a valid regular expression"),
            (r"(?<a>.)", &"x".repeat(LINE_LIMIT + 1), "the line has 1048577 bytes"),
            (r"(?<a>.)", "a\rb\r", "carriage returns alone"),
            (r"(?<a>.)", "abc\0\0\n", "2 NUL bytes here"),
        ] {
            let error = rows(pattern, OnMismatch::Skip, text).expect_err(pattern);
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn rows_are_counted_where_no_column_is_wanted() {
        let pattern = LinePattern::new(&options("(?<a>x)", OnMismatch::Skip)).expect("a pattern");
        let schema =
            Arc::new(Schema::new(vec![Field::new("a", datafusion::arrow::datatypes::DataType::Utf8, true)]));
        let decoder = LineDecoder { pattern, rules: Arc::new([]), kept: Vec::new() };
        let block = BlockBytes { number: 0, bytes: b"x\ny\nx\n" };
        let batches = decoder.decode(&schema, &[], 8192, block).expect("rows");
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
    }
}
