//! The compression of a result, by the name of its place: `.gz` and `.zst`, as they are read.

use super::format::Format;

/// Endings of names that other programs would open as what is not written here.
const NOT_WRITTEN: [&str; 4] = [".zip", ".bz2", ".xz", ".7z"];

/// A compression that results are written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstd,
}

/// A name of a result that says what is not written: in words that follow the name, and say what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CompressionError(String);

impl Compression {
    /// The compression that a result's name asks for; `None` for a plain file.
    ///
    /// # Errors
    /// When the format is not compressed as a whole, or no such compression is written.
    pub fn of_result(name: &str, format: Format) -> Result<Option<Self>, CompressionError> {
        let lower = name.to_ascii_lowercase();
        if let Some(ending) = NOT_WRITTEN.iter().find(|ending| lower.ends_with(**ending)) {
            let text =
                format!("{ending} is not written; end the name with .gz or .zst, or leave {ending} out");
            return Err(CompressionError(text));
        }
        let (compression, ending) = match () {
            () if lower.ends_with(".gz") => (Self::Gzip, ".gz"),
            () if lower.ends_with(".zst") => (Self::Zstd, ".zst"),
            () => return Ok(None),
        };
        if format == Format::Parquet {
            return Err(CompressionError(format!(
                "Parquet is compressed inside of the file, and nothing reads it compressed once more; leave {ending} out"
            )));
        }
        Ok(Some(compression))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_whether_and_how_a_result_is_compressed() {
        let of = |name| Compression::of_result(name, Format::Csv).expect("it can be written");
        for (name, expected) in [
            ("a.csv.gz", Some(Compression::Gzip)),
            ("A.CSV.GZ", Some(Compression::Gzip)),
            ("a.ndjson.zst", Some(Compression::Zstd)),
            ("a.csv", None),
            ("gz", None),
        ] {
            assert_eq!(of(name), expected, "{name}");
        }
        for (name, format, part) in [
            ("a.parquet.gz", Format::Parquet, "leave .gz out"),
            ("a.parquet.zst", Format::Parquet, "leave .zst out"),
            ("a.csv.bz2", Format::Csv, "end the name with .gz or .zst"),
            ("a.csv.zip", Format::Csv, "leave .zip out"),
        ] {
            let error = Compression::of_result(name, format).expect_err(name).to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
