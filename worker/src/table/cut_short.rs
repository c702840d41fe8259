//! Downloads of which only the content shows that they were cut short: the server had not said where they end.
//!
//! Owns what the end of a whole file looks like in each format. Must not know how files are fetched.

use mlpipeline_crds::Format;

use super::TableError;
use super::file::LocalFile;
use crate::network::FetchError;

/// What every Parquet file ends with.
const PARQUET_END: &[u8] = b"PAR1";

/// An error of a file's content; or that the file was cut short on its way, where that may be so and its end is missing. A whole file may have
/// no line end behind its last row, so that an end which is missing says nothing as long as the rows can be read.
pub(super) fn or_cut_short(error: TableError, files: &[LocalFile], format: Format) -> TableError {
    let TableError::Content { place, problem, .. } = &error else { return error };
    let Some(file) = files.iter().find(|file| file.arrival.end_is_unknown && !has_end(file, format)) else {
        return error;
    };
    let place = place.as_ref().map(|place| format!(", {place}")).unwrap_or_default();
    let missing = if format == Format::Parquet { "has no footer" } else { "ends within a line" };
    FetchError::CutShort { name: file.name.clone(), problem: format!("{missing}{place}: {problem}") }.into()
}

/// Whether a file ends as a whole one does. One that cannot be read has another problem.
fn has_end(file: &LocalFile, format: Format) -> bool {
    let Ok(last) = file.last_bytes(PARQUET_END.len() as u64) else { return true };
    match format {
        Format::Parquet => last == PARQUET_END,
        Format::Csv | Format::Ndjson | Format::Text => matches!(last.last(), Some(b'\n' | b'\r')),
    }
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
            ("", Format::Csv, true, 4),
            ("a,b\n1", Format::Csv, false, 3),
            ("a,b\n1\n", Format::Csv, true, 3),
            ("a,b\r\n1\r", Format::Csv, true, 3),
            ("{\"a\":", Format::Ndjson, true, 4),
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
