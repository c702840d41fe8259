//! Rows in a file on scratch, for matrices that do not fit into memory.
//!
//! Owns the file: row after row of little-endian 64-bit numbers, written once from its start to its end and then read by many threads
//! at once. It has no name, so that nothing of it stays whatever ends the process.
//! A failure of the disk is kept: whoever reads rows gets zeros from then on, and asks [`ScratchRows::check`] before anything
//! that was made of them is used. So that the loops of algorithms need not stop at each row, and no result is made of zeros.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::error::TrainError;
use crate::artifact::ArtifactError;

/// So many numbers are written at once: 1 MiB.
const WRITTEN_AT_ONCE: usize = 1 << 17;

/// The bytes of a number.
const NUMBER_BYTES: usize = 8;

/// Rows of one width in a file.
#[derive(Debug)]
pub(super) struct ScratchRows {
    width: usize,
    file: File,
    folder: PathBuf,
    /// How many rows are in the file.
    written: usize,
    /// The rows after them.
    pending: Vec<f64>,
    failed: OnceLock<(io::ErrorKind, String)>,
}

impl ScratchRows {
    /// No rows, in a new file in this folder.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(super) fn new(width: usize, folder: &Path) -> Result<Self, TrainError> {
        let file =
            tempfile::tempfile_in(folder).map_err(ArtifactError::io("make a file of rows in", folder))?;
        let folder = folder.to_owned();
        Ok(Self { width, file, folder, written: 0, pending: Vec::new(), failed: OnceLock::new() })
    }

    /// The folder that the file was made in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds one row.
    pub(super) fn push(&mut self, row: &[f64]) {
        self.pending.extend_from_slice(row);
        if self.pending.len() >= WRITTEN_AT_ONCE {
            let bytes: Vec<u8> = self.pending.iter().flat_map(|number| number.to_le_bytes()).collect();
            let done = self.file.write_all_at(&bytes, self.offset(self.written));
            self.keep(done);
            self.written += self.pending.len() / self.width.max(1);
            self.pending.clear();
        }
    }

    /// The numbers of these rows, which are there; zeros after a failure.
    pub(super) fn read(&self, rows: Range<usize>) -> Vec<f64> {
        let in_file = rows.start.min(self.written)..rows.end.min(self.written);
        let mut bytes = vec![0; in_file.len() * self.width * NUMBER_BYTES];
        let done = self.file.read_exact_at(&mut bytes, self.offset(in_file.start));
        self.keep(done);
        let mut numbers: Vec<f64> = Vec::with_capacity(rows.len() * self.width);
        let (read, _) = bytes.as_chunks::<NUMBER_BYTES>();
        numbers.extend(read.iter().map(|bytes| f64::from_le_bytes(*bytes)));
        let of_pending = |row: usize| row.saturating_sub(self.written) * self.width;
        numbers.extend(self.pending.get(of_pending(rows.start)..of_pending(rows.end)).unwrap_or_default());
        if self.failed.get().is_some() {
            numbers.fill(0.0);
        }
        numbers
    }

    /// Whether all that was written and read so far could be.
    ///
    /// # Errors
    /// When it could not.
    pub(super) fn check(&self) -> Result<(), TrainError> {
        let Some((kind, message)) = self.failed.get() else { return Ok(()) };
        let what = "keep the rows that do not fit into memory in";
        Err(ArtifactError::io(what, &self.folder)(io::Error::new(*kind, message.clone())).into())
    }

    fn offset(&self, row: usize) -> u64 {
        (row as u64).saturating_mul((self.width * NUMBER_BYTES) as u64)
    }

    fn keep(&self, done: io::Result<()>) {
        if let Err(error) = done {
            self.failed.get_or_init(|| (error.kind(), error.to_string()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_cannot_be_read_is_zeros_and_is_not_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut rows = ScratchRows::new(2, folder.path()).expect("a file");
        for row in 0..WRITTEN_AT_ONCE {
            rows.push(&[row as f64, 1.0]);
        }
        assert_eq!(rows.read(7..9), [7.0, 1.0, 8.0, 1.0]);
        rows.check().expect("all is well");
        rows.file.set_len(16).expect("a shorter file");
        assert_eq!(rows.read(7..9), [0.0; 4]);
        assert_eq!(rows.read(0..1), [0.0; 2], "even what could be read");
        let error = rows.check().expect_err("the file ended").to_string();
        assert!(error.contains(&folder.path().display().to_string()), "{error}");
    }
}
