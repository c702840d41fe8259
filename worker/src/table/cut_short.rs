//! Downloads of which only the content shows that they were cut short: the server had not said where they end.
//!
//! Owns what the end of a whole file looks like in each format. Must not know how files are fetched.

use mlpipeline_crds::Format;

use super::TableError;
use super::file::LocalFile;
use super::text::line_of;
use crate::network::FetchError;

/// What every Parquet file begins and ends with.
const PARQUET_END: &[u8] = b"PAR1";

/// How many bytes show what a file is.
const FIRST: usize = 64;

/// An error of a file's content; or that the file was cut short on its way, where that may be so, its end is missing, and the error is there. A whole
/// file may have no line end behind its last row, so that an end which is missing says nothing as long as the rows can be read.
pub(super) fn or_cut_short(error: TableError, files: &[LocalFile], format: Format) -> TableError {
    let TableError::Content { name, place, problem } = &error else { return error };
    let is_cut = |file: &&LocalFile| {
        file.arrival.end_is_unknown && file.name == *name && !has_end(file, format, place.as_deref())
    };
    let Some(file) = files.iter().find(is_cut) else { return error };
    let place = place.as_ref().map(|place| format!(", {place}")).unwrap_or_default();
    let missing = if format == Format::Parquet { "has no footer" } else { "ends within a line" };
    FetchError::CutShort { name: file.name.clone(), problem: format!("{missing}{place}: {problem}") }.into()
}

/// Whether a file ends as a whole one does, or what is wrong with it is elsewhere. One that cannot be read has another problem, and so have a page and an
/// array of JSON, whichever way they end.
fn has_end(file: &LocalFile, format: Format, place: Option<&str>) -> bool {
    let ends =
        file.last_bytes(PARQUET_END.len() as u64).and_then(|last| Ok((file.first_bytes(FIRST)?, last)));
    let Ok((first, last)) = ends else { return true };
    match format {
        Format::Parquet => !first.starts_with(PARQUET_END) || last == PARQUET_END,
        Format::Csv | Format::Ndjson | Format::Text => {
            let is_other = matches!(first.trim_ascii_start().first(), None | Some(b'<' | b'['));
            is_other || matches!(last.last(), Some(b'\n' | b'\r')) || !is_last_line(file, place)
        }
    }
}

/// Whether a place is the last line of a file.
fn is_last_line(file: &LocalFile, place: Option<&str>) -> bool {
    let line = place.and_then(|place| place.strip_prefix("line ")?.parse::<u64>().ok());
    let last = file.open().ok().map(|open| line_of(&open, u64::MAX));
    line.is_some() && line >= last
}

#[cfg(test)]
mod tests {
    use super::super::file::Arrival;
    use super::*;
    use crate::failure::StepError;

    #[test]
    fn what_is_wrong_with_a_file_whose_end_is_missing_is_that_it_was_cut_short() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data");
        for (bytes, format, end_is_unknown, code) in [
            ("a,b\n1", Format::Csv, true, 4),
            ("", Format::Csv, true, 3),
            ("a,b\n1,2,3\n1,2", Format::Csv, true, 3),
            ("<html>\n<p", Format::Csv, true, 3),
            ("[{\n1", Format::Ndjson, true, 3),
            ("<html>", Format::Parquet, true, 3),
            ("a,b\n1", Format::Csv, false, 3),
            ("a,b\n1\n", Format::Csv, true, 3),
            ("a,b\r\n1\r", Format::Csv, true, 3),
            ("{\"a\":1}\n{\"a\":", Format::Ndjson, true, 4),
            ("{\"a\":\n", Format::Ndjson, true, 3),
            ("PAR1...", Format::Parquet, true, 4),
            ("PAR1...PAR1", Format::Parquet, true, 3),
        ] {
            std::fs::write(&path, bytes).expect("written");
            let arrival = Arrival { end_is_unknown, is_page: false };
            let file = LocalFile::own(path.clone(), "http://a/".into()).arrived(arrival);
            let error = or_cut_short(TableError::line("http://a/", 2, "it is wrong"), &[file], format);
            let error = StepError::from(error);
            assert_eq!(error.exit_code.code(), code, "{bytes:?}: {error}");
            assert!(error.message.contains("line 2: it is wrong"), "{error}");
        }
    }
}
