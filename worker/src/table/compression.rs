//! The compression of a result, as its name asks for it. Must not know where files go.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};

use flate2::{Compression as Level, GzBuilder};
use mlpipeline_crds::{Compression, Format};

use super::TableError;

/// The bytes that are read and written at a time.
const BUFFER: usize = 256 << 10;

/// The compression that a result's name asks for; `None` for a plain file.
///
/// # Errors
/// When it is not written, or not for this format.
pub(crate) fn compression_of(name: &str, format: Format) -> Result<Option<Compression>, TableError> {
    Compression::of_result(name, format).map_err(|problem| TableError::Source(format!("{name}: {problem}")))
}

/// Compresses a file into another one, and makes that durable. The same bytes become the same bytes: no time and no name is in them.
///
/// # Errors
/// When one cannot be read, or the other one not written.
pub(crate) fn compress(from: File, to: File, with: Compression) -> io::Result<()> {
    let mut from = BufReader::with_capacity(BUFFER, from);
    let to = BufWriter::with_capacity(BUFFER, to);
    let mut written = match with {
        Compression::Gzip => {
            let mut encoder = GzBuilder::new().mtime(0).write(to, Level::default());
            io::copy(&mut from, &mut encoder)?;
            encoder.finish()?
        }
        Compression::Zstd => {
            let mut encoder = zstd::Encoder::new(to, zstd::DEFAULT_COMPRESSION_LEVEL)?;
            encoder.include_checksum(true)?;
            io::copy(&mut from, &mut encoder)?;
            encoder.finish()?
        }
    };
    written.flush()?;
    written.get_ref().sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_rows_are_the_same_compressed_bytes_and_no_time_is_in_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let plain = folder.path().join("plain");
        std::fs::write(&plain, "a\n1\n".repeat(100_000)).expect("a file");
        for compression in [Compression::Gzip, Compression::Zstd] {
            let compressed = |name: &str| {
                let path = folder.path().join(name);
                let to = File::create(&path).expect("a file");
                compress(File::open(&plain).expect("the file"), to, compression).expect("compressed");
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
