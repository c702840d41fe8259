//! The names of a CSV file's columns, and where its rows begin.

use std::collections::BTreeSet;

use super::check_width;
use super::csv_dialect::Dialect;
use super::csv_records::Records;
use crate::column_words::{MOST_LISTED, listed, other_names};
use crate::table::TableError;
use crate::table::file::LocalFile;
use crate::table::text::{RECORD_LIMIT, not_utf8, nul_run, shown};

/// Signs that often separate fields, in the order in which they are guessed.
const LIKELY_DELIMITERS: [char; 4] = [';', '\t', '|', ','];

/// What a first line with NUL bytes means.
const NULS: &str = "the first line has NUL bytes, as UTF-16 has that is read as UTF-8; if it is that, write reading: {encoding: utf-16}, and else remove them";

/// How headers are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeaderRules<'a> {
    pub dialect: Dialect,
    /// Whether the spec names the delimiter, so that none is guessed.
    pub delimiter_is_given: bool,
    /// The names where files have no header.
    pub columns: &'a [String],
    /// How many lines come before the header.
    pub skip_rows: usize,
}

/// The columns' names, and where in each file the rows begin.
pub(super) fn headers(
    files: &[LocalFile],
    rules: HeaderRules<'_>,
) -> Result<(Vec<String>, Vec<u64>), TableError> {
    let mut names: Option<Vec<String>> = None;
    let mut starts = Vec::with_capacity(files.len());
    for file in files {
        let begin = skipped(file, rules.skip_rows, LineEnd::Any)?;
        refuse_answer(file, begin, !rules.columns.is_empty())?;
        let (found, after) = header(file, begin, rules.dialect)?;
        if !rules.columns.is_empty() {
            refuse_header_row(file, &found, rules.columns)?;
            starts.push(begin);
            continue;
        }
        starts.push(after);
        match &names {
            None => {
                refuse_other_delimiter(file, &found, rules)?;
                refuse_duplicates(file, &found)?;
                names = Some(found);
            }
            Some(first) if *first != found => {
                let first_name = files.first().map(|file| file.name.as_str()).unwrap_or_default();
                return Err(TableError::line(
                    &file.name,
                    1,
                    format!(
                        "its columns are not those of {first_name}: {}; files that are read together have the same header",
                        other_names(&found, first)
                    ),
                ));
            }
            Some(_) => {}
        }
    }
    Ok((names.unwrap_or_else(|| rules.columns.to_vec()), starts))
}

/// What ends a line that is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnd {
    /// A line feed.
    Feed,
    /// A line feed, a carriage return, or both.
    Any,
}

/// Where the first line that counts begins: behind a byte order mark and the lines that are left out.
pub(super) fn skipped(file: &LocalFile, rows: usize, end: LineEnd) -> Result<u64, TableError> {
    let mark = file.mark_length()?;
    if rows == 0 {
        return Ok(mark);
    }
    let bytes = file.first_bytes(RECORD_LIMIT)?;
    let rest = bytes.get(usize::try_from(mark).unwrap_or_default()..).unwrap_or_default();
    let ends = memchr::memchr2_iter(b'\n', b'\r', rest).filter(|at| match rest.get(*at..*at + 2) {
        Some([b'\r', b'\n']) => false,
        _ => end == LineEnd::Any || rest.get(*at) == Some(&b'\n'),
    });
    match { ends }.nth(rows - 1) {
        Some(at) => Ok(mark + at as u64 + 1),
        None => Err(TableError::content(
            &file.name,
            format!("skipRows leaves out {rows} lines, and the file has no more of them"),
        )),
    }
}

/// The first record of a file from a byte on, as names, and where the next one begins. A column without a name is called by its
/// place, `column_3`.
fn header(file: &LocalFile, begin: u64, dialect: Dialect) -> Result<(Vec<String>, u64), TableError> {
    let start = usize::try_from(begin).unwrap_or(usize::MAX);
    let mut size: usize = 64 << 10;
    loop {
        let limit = start.saturating_add(size);
        let bytes = file.first_bytes(limit)?;
        let whole = bytes.len() < limit;
        let data = bytes.get(start..).unwrap_or_default();
        // A read that ends inside of a character is not a fault of the file.
        let text = match std::str::from_utf8(data) {
            Ok(text) => text,
            Err(error) if !whole && error.error_len().is_none() => {
                std::str::from_utf8(data.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
            }
            Err(_) => first_line(data).ok_or_else(|| {
                let line = data.split(|byte| *byte == b'\n').next().unwrap_or_default();
                TableError::line(&file.name, 1, nuls(line).unwrap_or_else(not_utf8))
            })?,
        };
        let mut records = Records::new(text, dialect);
        // A record that ends with what was read may continue behind it.
        if records.advance() && (whole || records.position() < text.len()) {
            let name = |index| match records.field(index) {
                "" => format!("column_{}", index + 1),
                name => name.to_owned(),
            };
            check_width(file, records.fields())?;
            let line = text.get(..records.position()).unwrap_or_default().as_bytes();
            if let Some(problem) = nuls(line) {
                return Err(TableError::line(&file.name, 1, problem));
            }
            return Ok(((0..records.fields()).map(name).collect(), begin + records.position() as u64));
        }
        if whole {
            return Err(TableError::content(
                &file.name,
                "the file is empty; a CSV file has at least a header, or rows when the columns are given",
            ));
        }
        if size >= RECORD_LIMIT {
            let problem = "the first line does not end; is this a CSV file?".to_owned();
            return Err(TableError::line(&file.name, 1, nuls(data).unwrap_or(problem)));
        }
        size = RECORD_LIMIT.min(size * 4);
    }
}

/// What is said of a first line with NUL bytes. Several after each other are what UTF-16 has not, and files with holes have.
fn nuls(line: &[u8]) -> Option<String> {
    let hole = nul_run(line).map(|(_, problem)| problem);
    hole.or_else(|| memchr::memchr(0, line).map(|_| NULS.to_owned()))
}

/// The lines before the one with the first byte that is not UTF-8: the scan names that byte and its line.
fn first_line(data: &[u8]) -> Option<&str> {
    let valid = std::str::from_utf8(data).err().map_or(data.len(), |error| error.valid_up_to());
    let end = memchr::memchr(b'\n', data.get(..valid)?)?;
    std::str::from_utf8(data.get(..=end)?).ok()
}

/// How much of a file is looked at for what is no CSV.
const ANSWER_BYTES: usize = 4096;

/// Refuses what a server answers instead of the file: a page, or an object of JSON. Where the columns are given, the first field may hold JSON,
/// and only a file that is nothing else is refused.
fn refuse_answer(file: &LocalFile, begin: u64, are_named: bool) -> Result<(), TableError> {
    let start = usize::try_from(begin).unwrap_or(usize::MAX);
    let bytes = file.first_bytes(start.saturating_add(ANSWER_BYTES))?;
    let first = String::from_utf8_lossy(bytes.get(start..).unwrap_or_default());
    let first = first.trim_start();
    if is_page(first, are_named) {
        return Err(TableError::content(
            &file.name,
            "it is an HTML or XML page, not CSV; does the address need a login, or lead to a page about the file?",
        ));
    }
    let is_whole = bytes.len() < start.saturating_add(ANSWER_BYTES);
    let is_json = match are_named {
        true => is_whole && serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(first).is_ok(),
        false => is_json(first),
    };
    if is_json {
        return Err(TableError::content(
            &file.name,
            format!(
                "it is JSON, not CSV: {}; is it the answer of a server that refuses? Rows of one object a line are read with format: ndjson",
                shown(first.lines().next().unwrap_or_default())
            ),
        ));
    }
    Ok(())
}

/// Whether a text begins as HTML or XML does. A header may have names in angle brackets, and these have a delimiter or a line end behind them.
/// Where the columns are given, the first field may be a piece of a page, and only what begins a whole one counts.
fn is_page(text: &str, are_named: bool) -> bool {
    const WHOLE: [&str; 4] = ["<!doctype", "<?xml", "<html", "<error>"];
    const STARTS: [&str; 2] = ["<!--", "<head"];
    let start: String = text.chars().take(9).collect::<String>().to_ascii_lowercase();
    let begins = |pages: &[&str]| pages.iter().any(|page| start.starts_with(page));
    if begins(&WHOLE) {
        return true;
    }
    if are_named {
        return false;
    }
    if begins(&STARTS) {
        return true;
    }
    let Some((tag, rest)) = text.strip_prefix('<').and_then(|rest| rest.split_once('>')) else {
        return false;
    };
    tag.starts_with(|sign: char| sign.is_ascii_alphabetic())
        && !tag.contains(['<', '\n', '"', ','])
        && rest.trim_start().starts_with('<')
}

/// Whether a text begins as JSON does.
fn is_json(text: &str) -> bool {
    let object = |text: &str| text.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with('"'));
    object(text) || text.strip_prefix('[').is_some_and(|rest| object(rest.trim_start()))
}

/// Refuses a header of one field that another delimiter would split.
fn refuse_other_delimiter(
    file: &LocalFile,
    names: &[String],
    rules: HeaderRules<'_>,
) -> Result<(), TableError> {
    let [only] = names else { return Ok(()) };
    let other = LIKELY_DELIMITERS.into_iter().find(|sign| only.contains(*sign));
    match other.filter(|_| !rules.delimiter_is_given) {
        Some(sign) => {
            let written = if sign == '\t' { "\\t".to_owned() } else { sign.to_string() };
            Err(TableError::line(
                &file.name,
                1,
                format!(
                    "the header is the one field {}; if {written:?} separates the fields, say so with reading: {{delimiter: \"{written}\"}}, and else with reading: {{delimiter: \",\"}}",
                    shown(only)
                ),
            ))
        }
        None => Ok(()),
    }
}

fn refuse_duplicates(file: &LocalFile, names: &[String]) -> Result<(), TableError> {
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
                format!("the header has \"{name}\" twice; {hint}. It is: {}", listed(names, MOST_LISTED)),
            ));
        }
    }
    Ok(())
}

/// Refuses a file whose first row is the given names: it has a header after all, which would be read as a row.
fn refuse_header_row(file: &LocalFile, first: &[String], columns: &[String]) -> Result<(), TableError> {
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

/// What people should know of a header that looks like data.
pub(super) fn data_as_header(names: &[String]) -> Option<String> {
    looks_like_data(names).then(|| {
        format!(
            "the first line is taken for the header, but looks like data ({}); give the columns' names where the file has no header",
            listed(names, MOST_LISTED)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_json_are_told_from_headers() {
        for page in [
            "<!DOCTYPE HTML><html>",
            "<html>\n",
            "<!-- x -->\n<html>",
            "<?xml version=\"1.0\"?>",
            "<Error><Code>AccessDenied</Code>",
            "<Error>\n  <Code>",
            "<body class=x><p>",
        ] {
            assert!(is_page(page, false), "{page}");
        }
        for (field, expected) in [
            ("<p><b>one</b></p>\n", false),
            ("<header>\n<x>", false),
            ("<!-- x -->\n", false),
            ("<HTML>\n", true),
            ("<?xml", true),
        ] {
            assert_eq!(is_page(field, true), expected, "{field}");
        }
        for header in ["<TICKER>,<PER>,<DATE>\nA,1,2", "<DATE>\n2024", "<a;<b>\n<c", "a<b>", "<5,x\n"] {
            assert!(!is_page(header, false) && !is_json(header), "{header}");
        }
        for json in ["{\"error\":\"token expired\"}", "{ \"a\": 1 }", "[{\"a\":1}]", "[\n {\n\"a\""] {
            assert!(is_json(json) && !is_page(json, false), "{json}");
        }
        assert!(!is_json("{a},b") && !is_json("[a],b"));
    }
}
