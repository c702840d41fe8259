//! The compression of a result, by the name of its place: `.gz` and `.zst`, as they are read.
//!
//! Owns which names are compressed and how. Must not know where files go.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};

use flate2::{Compression as Level, GzBuilder};
use mlpipeline_crds::Format;

use super::TableError;

/// The bytes that are read and written at a time.
const BUFFER: usize = 256 << 10;

/// Endings of names that other programs would open as what is not written here.
const NOT_WRITTEN: [&str; 4] = [".zip", ".bz2", ".xz", ".7z"];

/// A compression that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstd,
}

impl Compression {
    /// The compression that a result's name asks for; `None` for a plain file.
    ///
    /// # Errors
    /// When the format is not compressed as a whole, or no such compression is written.
    pub(crate) fn of_result(name: &str, format: Format) -> Result<Option<Self>, TableError> {
        let lower = name.to_ascii_lowercase();
        if let Some(ending) = NOT_WRITTEN.iter().find(|ending| lower.ends_with(**ending)) {
            let text = format!(
                "{name}: {ending} is not written; end the name with .gz or .zst, or leave {ending} out"
            );
            return Err(TableError::Source(text));
        }
        let found = match () {
            () if lower.ends_with(".gz") => (Self::Gzip, ".gz"),
            () if lower.ends_with(".zst") => (Self::Zstd, ".zst"),
            () => return Ok(None),
        };
        if format == Format::Parquet {
            let text = format!(
                "{name}: Parquet is compressed inside of the file, and nothing reads it compressed once more; leave {} out",
                found.1
            );
            return Err(TableError::Source(text));
        }
        Ok(Some(found.0))
    }

    /// Compresses a file into another one, and makes that durable. The same bytes become the same bytes: no time and no name is in them.
    ///
    /// # Errors
    /// When one cannot be read, or the other one not written.
    pub(crate) fn compress(self, from: File, to: File) -> io::Result<()> {
        let mut from = BufReader::with_capacity(BUFFER, from);
        let to = BufWriter::with_capacity(BUFFER, to);
        let mut written = match self {
            Self::Gzip => {
                let mut encoder = GzBuilder::new().mtime(0).write(to, Level::default());
                io::copy(&mut from, &mut encoder)?;
                encoder.finish()?
            }
            Self::Zstd => {
                let mut encoder = zstd::Encoder::new(to, zstd::DEFAULT_COMPRESSION_LEVEL)?;
                encoder.include_checksum(true)?;
                io::copy(&mut from, &mut encoder)?;
                encoder.finish()?
            }
        };
        written.flush()?;
        written.get_ref().sync_all()
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

    #[test]
    fn the_same_rows_are_the_same_compressed_bytes_and_no_time_is_in_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let plain = folder.path().join("plain");
        std::fs::write(&plain, "a\n1\n".repeat(100_000)).expect("a file");
        for compression in [Compression::Gzip, Compression::Zstd] {
            let compressed = |name: &str| {
                let path = folder.path().join(name);
                let to = File::create(&path).expect("a file");
                compression.compress(File::open(&plain).expect("the file"), to).expect("compressed");
                std::fs::read(path).expect("the file")
            };
            let (first, second) = (compressed("first"), compressed("second"));
            assert!(first == second && first.len() < 10_000, "{compression:?}: {}", first.len());
            if compression == Compression::Gzip {
                assert_eq!(first.get(3..8), Some(&[0, 0, 0, 0, 0][..]), "neither a name nor a time");
            }
        }
    }
}
