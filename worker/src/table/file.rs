//! A file of rows on the local disk.
//!
//! Owns that all reads of a file see one and the same content: a file that others can write must be, before and after each read, as it
//! was when it was found. Else rows of two contents would be mixed, or a part of them would be missing, without a word.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::TableError;
use crate::artifact::{
    ArtifactError, FileEntry, FileVersion, hash_open, open_beneath, open_regular, open_unlinked,
};
use crate::failure::StepError;

/// The mark that some programs put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What is known of how a file was fetched.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Arrival {
    /// Whether the server did not say where it ends, so that it may have been cut short.
    pub end_is_unknown: bool,
    /// Whether the server called it a page of HTML.
    pub is_page: bool,
}

/// What a Parquet file begins and ends with.
const PARQUET: &[u8] = b"PAR1";

/// A file on the local disk, uncompressed.
#[derive(Clone, Debug)]
pub(crate) struct LocalFile {
    /// Where it lies.
    pub path: PathBuf,
    /// What to call it in messages: its URI without credentials, or its path on the volume.
    pub name: String,
    /// How it was when it was found on the volume; `None` for one that this process wrote itself.
    stored: Option<FileVersion>,
    /// How it was fetched, where it was.
    pub(super) arrival: Arrival,
}

impl LocalFile {
    /// A file that this process wrote.
    pub(crate) fn own(path: PathBuf, name: String) -> Self {
        Self { path, name, stored: None, arrival: Arrival::default() }
    }

    /// The same file, of which it is known how it was fetched.
    pub(super) fn arrived(self, arrival: Arrival) -> Self {
        Self { arrival, ..self }
    }

    /// A file of a volume, which others can write. From now on it is an error where anything is written to it.
    ///
    /// # Errors
    /// When it is not a regular file, cannot be opened, or lies outside the root once links are followed.
    pub(crate) fn stored(root: &Path, path: PathBuf, name: String) -> Result<Self, ArtifactError> {
        let file = open_beneath(root, &path)?;
        let stored = FileVersion::of(&file).map_err(ArtifactError::io("inspect", &path))?;
        Ok(Self { path, name, stored: Some(stored), arrival: Arrival::default() })
    }

    /// The size and digest of its content: of what every read gives, before and after.
    ///
    /// # Errors
    /// When it cannot be read, or is not as it was found.
    pub(super) fn hash(&self) -> Result<FileEntry, StepError> {
        let open = self.open()?;
        let version = open.try_clone().map_err(TableError::io("inspect", &self.path))?;
        let hashed = hash_open(open, &self.path)?;
        self.unchanged(&version)?;
        Ok(hashed)
    }

    /// Opens the file.
    ///
    /// # Errors
    /// When it cannot be opened, or is not as it was found.
    pub(super) fn open(&self) -> Result<File, TableError> {
        // What this process wrote is no link, whoever can write in the same folder.
        let open = if self.stored.is_some() { open_regular } else { open_unlinked };
        let file = open(&self.path).map_err(TableError::io("open", &self.path))?;
        self.unchanged(&file)?;
        Ok(file)
    }

    /// Whether the open file is as it was found: what was read of it until now is of that content.
    ///
    /// # Errors
    /// When it is another one, was written to, or cannot be inspected.
    pub(super) fn unchanged(&self, open: &File) -> Result<(), TableError> {
        let Some(stored) = self.stored else { return Ok(()) };
        let found = FileVersion::of(open).map_err(TableError::io("inspect", &self.path))?;
        if found == stored { Ok(()) } else { Err(TableError::Changed(self.name.clone())) }
    }

    /// Fills a buffer with the bytes of the open file from a place on.
    ///
    /// # Errors
    /// When there are not as many, they cannot be read, or the file is not as it was found.
    pub(super) fn read_at(&self, open: &File, buffer: &mut [u8], offset: u64) -> Result<(), TableError> {
        let read = open.read_exact_at(buffer, offset);
        // A file that was cut while it was read is no failure of the disk.
        self.unchanged(open)?;
        read.map_err(TableError::io("read", &self.path))
    }

    /// The first bytes of the file, at most so many.
    pub(super) fn first_bytes(&self, limit: usize) -> Result<Vec<u8>, TableError> {
        let mut bytes = Vec::new();
        let open = self.open()?;
        (&open).take(limit as u64).read_to_end(&mut bytes).map_err(TableError::io("read", &self.path))?;
        self.unchanged(&open)?;
        Ok(bytes)
    }

    /// The last bytes of the file, at most so many.
    pub(super) fn last_bytes(&self, limit: u64) -> Result<Vec<u8>, TableError> {
        let open = self.open()?;
        let size = open.metadata().map_err(TableError::io("inspect", &self.path))?.len();
        let mut bytes = vec![0; usize::try_from(size.min(limit)).unwrap_or_default()];
        self.read_at(&open, &mut bytes, size.saturating_sub(limit))?;
        Ok(bytes)
    }

    /// How many bytes the byte order mark of a text file takes: 3 or 0.
    ///
    /// # Errors
    /// When it cannot be read, or is no text, or of another encoding.
    pub(super) fn mark_length(&self) -> Result<u64, TableError> {
        let first = self.first_bytes(4096)?;
        if first.starts_with(PARQUET) && self.last_bytes(PARQUET.len() as u64)? == PARQUET {
            return Err(TableError::content(
                &self.name,
                "it is a Parquet file, and text is expected by its name or its format; write format: parquet",
            ));
        }
        if first.starts_with(b"\xFF\xFE") || first.starts_with(b"\xFE\xFF") {
            return Err(TableError::content(
                &self.name,
                "it is UTF-16, and UTF-8 is expected; write reading: {encoding: utf-16}",
            ));
        }
        if looks_like_utf16(&first) {
            return Err(TableError::content(
                &self.name,
                "every second byte is NUL, as in UTF-16 without a byte order mark, and UTF-8 is expected; write reading: {encoding: utf-16}",
            ));
        }
        Ok(if first.starts_with(BYTE_ORDER_MARK) { 3 } else { 0 })
    }
}

/// Whether text of ASCII, for the greater part, has NUL as the other half of its signs.
fn looks_like_utf16(first: &[u8]) -> bool {
    let nuls = |from| first.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (nuls(0), nuls(1));
    even.min(odd) == 0 && even.max(odd) * 4 > first.len()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    /// A file of a volume that has this content.
    fn stored(root: &Path, content: &str) -> LocalFile {
        let path = root.join("in.csv");
        std::fs::write(&path, content).expect("a file");
        LocalFile::stored(root, path, "file:in.csv".into()).expect("a file")
    }

    /// Writes a file until its times are others: the kernel's clock for files may have a coarse tick, within which two changes look
    /// like one.
    fn overwrite(path: &Path, content: &str) {
        let changed = || std::fs::metadata(path).map(|found| (found.ctime(), found.ctime_nsec()));
        let before = changed().expect("a file");
        while changed().expect("a file") == before {
            std::fs::write(path, content).expect("written");
        }
    }

    #[test]
    fn a_file_that_is_replaced_by_a_link_after_it_was_found_is_not_read() {
        let root = tempfile::tempdir().expect("a folder");
        let file = stored(root.path(), "a\n1\n");
        assert_eq!(file.first_bytes(10).expect("bytes"), b"a\n1\n");
        std::fs::remove_file(&file.path).expect("removed");
        std::os::unix::fs::symlink("/proc/self/environ", &file.path).expect("a link");
        let error = file.first_bytes(10).expect_err("another file").to_string();
        assert!(error.contains("changed while it was read"), "{error}");
        let path = file.path;
        assert!(LocalFile::stored(root.path(), path.clone(), "file:in.csv".into()).is_err());
        assert!(LocalFile::own(path, "data.csv".into()).first_bytes(10).is_err());
    }

    #[test]
    fn a_file_that_is_written_to_after_it_was_found_is_not_read_and_is_worth_another_run() {
        let root = tempfile::tempdir().expect("a folder");
        let file = stored(root.path(), "a\n1\n");
        assert_eq!(file.hash().expect("read").size, 4);
        assert_eq!(file.first_bytes(10).expect("as it was"), b"a\n1\n");
        overwrite(&file.path, "a\n2\n");
        let error = StepError::from(file.first_bytes(10).expect_err("another content"));
        assert!(error.message.contains("file:in.csv changed while it was read"), "{error}");
        assert_eq!((error.exit_code.code(), error.reason), (4, "DataChanged"));
        assert!(file.hash().is_err());
    }

    #[test]
    fn a_file_that_is_written_to_between_opening_and_reading_is_not_read() {
        let root = tempfile::tempdir().expect("a folder");
        let file = stored(root.path(), "a\n1\n");
        let open = file.open().expect("as it was");
        let mut bytes = [0; 4];
        file.read_at(&open, &mut bytes, 0).expect("as it was");
        // Shorter too, so that there is less than is to be read.
        overwrite(&file.path, "a\n");
        let error = file.read_at(&open, &mut bytes, 0).expect_err("another content").to_string();
        assert!(error.contains("changed while it was read"), "{error}");
    }
}
