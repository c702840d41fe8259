//! Text: one row a line, cut into columns by a regular expression with named groups.
//!
//! Owns the pattern, the scan of the whole file that finds lines without it and the columns' types, and decoding. Lines end
//! with a line feed, before which a carriage return may stand; blank lines are skipped, and so is a byte order mark. The
//! pattern is looked for in the line, as grep does: `^` and `$` tie it to the line's ends. A group that takes no part, or is
//! empty, is null. Types come from every row, as those of CSV do.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringBuilder};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use mlpipeline_crds::OnMismatch;
use regex::{CaptureLocations, Regex};

use super::TableError;
use super::blocks::{self, Block, Malformed, TextFile};
use super::csv::{Scanned, not_utf8};
use super::ndjson::LineSplitter;
use super::text_type::TextKinds;

/// The longest line, in bytes: what a pattern is looked for in at once.
const LINE_LIMIT: usize = 1 << 20;

/// How many characters of a line a message shows.
const SHOWN: usize = 80;

/// The rows of a batch.
const BATCH_ROWS: usize = 8192;

/// How lines become rows.
#[derive(Clone, Debug)]
pub(super) struct LinePattern {
    regex: Regex,
    /// The named groups with their numbers, in the order in which they open.
    groups: Arc<[(usize, String)]>,
    on_mismatch: OnMismatch,
}

impl LinePattern {
    pub(super) fn new(pattern: &str, on_mismatch: Option<OnMismatch>) -> Result<Self, TableError> {
        let regex = Regex::new(pattern)
            .map_err(|error| TableError::Source(format!("the pattern is no regular expression: {error}")))?;
        let named = regex.capture_names().enumerate();
        let groups: Vec<(usize, String)> =
            named.filter_map(|(number, name)| Some((number, name?.to_owned()))).collect();
        if groups.is_empty() {
            let text = format!(
                "the pattern {pattern} has no named group, and these become the columns; write one as (?<name>…)"
            );
            return Err(TableError::Source(text));
        }
        Ok(Self { regex, groups: groups.into(), on_mismatch: on_mismatch.unwrap_or_default() })
    }

    /// The text of a group in a line whose groups were found; empty where it takes no part.
    fn group<'a>(&self, index: usize, line: &'a str, found: &CaptureLocations) -> &'a str {
        let place = self.groups.get(index).and_then(|(number, _)| found.get(*number));
        place.and_then(|(start, end)| line.get(start..end)).unwrap_or_default()
    }
}

/// Scans files; a column's type holds its texts in all of them.
pub(super) fn scan(
    files: &[TextFile],
    pattern: &LinePattern,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Scanned, TableError> {
    let starts = files.iter().map(start).collect::<Result<Vec<u64>, _>>()?;
    let look = |bytes: &[u8]| look(bytes, pattern);
    let (blocks, seen): (Vec<Block>, Vec<Seen>) =
        blocks::scan(files, &starts, || Box::new(LineSplitter), look, stop)?;
    let mut kinds = vec![TextKinds::default(); pattern.groups.len()];
    let (mut skipped, mut example) = (0_u64, None);
    for block in seen {
        for (all, one) in kinds.iter_mut().zip(block.kinds) {
            all.merge(one);
        }
        skipped += block.skipped;
        example = example.or(block.example);
    }
    let fields: Vec<Field> = pattern
        .groups
        .iter()
        .zip(kinds)
        .map(|((_, name), kind)| Field::new(name, kind.data_type(), true))
        .collect();
    let warning = example.map(|line| {
        format!("lines left out because the pattern is not in them: {skipped}, the first of them: {line}")
    });
    Ok(Scanned { schema: Arc::new(Schema::new(fields)), blocks, warning })
}

/// The rows of a block, as batches with the projected columns.
pub(super) fn decode(
    pattern: &LinePattern,
    schema: &SchemaRef,
    projection: &[usize],
    bytes: &[u8],
) -> Result<Vec<RecordBatch>, ArrowError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ArrowError::ParseError(not_utf8()))?;
    let projected = Arc::new(schema.project(projection)?);
    let mut found = pattern.regex.capture_locations();
    let mut batches = Vec::new();
    let mut columns: Vec<StringBuilder> = projection.iter().map(|_| StringBuilder::new()).collect();
    let mut rows = 0;
    for line in text.split('\n').map(without_return).filter(|line| !is_blank(line)) {
        if pattern.regex.captures_read(&mut found, line).is_none() {
            continue;
        }
        for (column, index) in columns.iter_mut().zip(projection) {
            let text = pattern.group(*index, line, &found);
            column.append_option((!text.is_empty()).then_some(text));
        }
        rows += 1;
        if rows == BATCH_ROWS {
            batches.push(batch(&projected, &mut columns, rows)?);
            rows = 0;
        }
    }
    if rows > 0 {
        batches.push(batch(&projected, &mut columns, rows)?);
    }
    Ok(batches)
}

fn batch(schema: &SchemaRef, columns: &mut [StringBuilder], rows: usize) -> Result<RecordBatch, ArrowError> {
    // What does not parse as the type that the scan found is an error, never a null.
    let strictly = CastOptions { safe: false, ..CastOptions::default() };
    let arrays: Vec<ArrayRef> = columns
        .iter_mut()
        .zip(schema.fields())
        .map(|(column, field)| cast_with_options(&column.finish(), field.data_type(), &strictly))
        .collect::<Result<_, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)
}

/// What a scan sees in a block.
struct Seen {
    kinds: Vec<TextKinds>,
    skipped: u64,
    example: Option<String>,
}

/// Checks the lines of a block and says what is in its columns.
fn look(bytes: &[u8], pattern: &LinePattern) -> Result<Seen, Malformed> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        let byte = bytes.get(offset).copied().unwrap_or_default();
        Malformed { offset: offset as u64, problem: format!("byte 0x{byte:02X} here: {}", not_utf8()) }
    })?;
    let mut seen =
        Seen { kinds: vec![TextKinds::default(); pattern.groups.len()], skipped: 0, example: None };
    let mut found = pattern.regex.capture_locations();
    let mut offset = 0_u64;
    for raw in text.split_inclusive('\n') {
        let line = without_return(raw.strip_suffix('\n').unwrap_or(raw));
        if line.len() > LINE_LIMIT {
            let problem = format!(
                "the line has {} bytes, and at most {LINE_LIMIT} are read; is this a text file?",
                line.len()
            );
            return Err(Malformed { offset, problem });
        }
        if !is_blank(line) {
            if pattern.regex.captures_read(&mut found, line).is_some() {
                for (index, kind) in seen.kinds.iter_mut().enumerate() {
                    kind.add(pattern.group(index, line, &found).as_bytes());
                }
            } else if pattern.on_mismatch == OnMismatch::Skip {
                seen.skipped += 1;
                seen.example.get_or_insert_with(|| shown(line));
            } else {
                let problem = format!(
                    "the pattern is not in the line {}; the pattern is {}. Change it, or leave such lines out with onMismatch: Skip",
                    shown(line),
                    pattern.regex.as_str()
                );
                return Err(Malformed { offset, problem });
            }
        }
        offset += raw.len() as u64;
    }
    Ok(seen)
}

/// Where the first line begins: behind a byte order mark.
fn start(file: &TextFile) -> Result<u64, TableError> {
    let mut bytes = Vec::new();
    let open = File::open(&file.path).map_err(TableError::io("open", &file.path))?;
    open.take(3).read_to_end(&mut bytes).map_err(TableError::io("read", &file.path))?;
    Ok(if bytes == b"\xEF\xBB\xBF" { 3 } else { 0 })
}

fn without_return(line: &str) -> &str {
    line.strip_suffix('\r').unwrap_or(line)
}

fn is_blank(line: &str) -> bool {
    line.trim_ascii().is_empty()
}

/// A line's beginning, for messages.
fn shown(line: &str) -> String {
    let start: String = line.chars().take(SHOWN).collect();
    let more = if start.len() < line.len() { "…" } else { "" };
    format!("{start:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(pattern: &str, on_mismatch: OnMismatch, text: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lines.txt");
        std::fs::write(&path, text).expect("a file");
        let pattern = LinePattern::new(pattern, Some(on_mismatch)).map_err(|error| error.to_string())?;
        let files = [TextFile { path, name: "lines.txt".into() }];
        let scanned = scan(&files, &pattern, &|| false).map_err(|error| error.to_string())?;
        let all: Vec<usize> = (0..scanned.schema.fields().len()).collect();
        let mut batches = Vec::new();
        for block in &scanned.blocks {
            let bytes = block.read(&files).expect("a block");
            batches.extend(decode(&pattern, &scanned.schema, &all, &bytes).expect("rows"));
        }
        let types: Vec<String> =
            scanned.schema.fields().iter().map(|field| field.data_type().to_string()).collect();
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
    fn a_line_without_the_pattern_is_named_or_left_out() {
        let text = "\u{feff}a=1\ntotal 12\nb=2";
        let failed = rows(r"(?<key>\w)=(?<value>\d)", OnMismatch::Fail, text).expect_err("a bad line");
        let expected = "lines.txt, line 2: the pattern is not in the line \"total 12\"; the pattern is (?<key>\\w)=(?<value>\\d). Change it, or leave such lines out with onMismatch: Skip";
        assert_eq!(failed, expected);
        let skipped = rows(r"(?<key>\w)=(?<value>\d)", OnMismatch::Skip, text);
        assert_eq!(skipped.as_deref(), Ok("Utf8 Int64\na,1\nb,2\n"));
        assert_eq!(rows(r"(?<key>\w)", OnMismatch::Fail, "").as_deref(), Ok("Utf8\n"));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (pattern, text, part) in [
            ("(", "a", "the pattern is no regular expression"),
            (r"(\w+)", "a", "has no named group"),
            (r"(?<a>\w{1000}{1000})", "a", "the pattern is no regular expression"),
            (r"(?<a>.)", &"x".repeat(LINE_LIMIT + 1), "the line has 1048577 bytes"),
        ] {
            let error = rows(pattern, OnMismatch::Skip, text).expect_err(pattern);
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn rows_are_counted_where_no_column_is_wanted() {
        let pattern = LinePattern::new("(?<a>x)", Some(OnMismatch::Skip)).expect("a pattern");
        let schema =
            Arc::new(Schema::new(vec![Field::new("a", datafusion::arrow::datatypes::DataType::Utf8, true)]));
        let batches = decode(&pattern, &schema, &[], b"x\ny\nx\n").expect("rows");
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
    }
}
