//! A file of rows on the local disk.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::TableError;
use crate::artifact::{
    ArtifactError, ChangeTime, FileEntry, FileIdentity, hash_open, open_beneath, open_regular, open_unlinked,
};
use crate::failure::StepError;

/// The mark that some programs put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A file on the local disk, uncompressed.
#[derive(Clone, Debug)]
pub(crate) struct LocalFile {
    /// Where it lies.
    pub path: PathBuf,
    /// What to call it in messages: its URI without credentials, or its path on the volume.
    pub name: String,
    /// Which file was found to lie on the volume; `None` for one that this process wrote itself.
    stored: Option<FileIdentity>,
    /// When it was last changed, where its content was checked and must stay as it was.
    held: Option<ChangeTime>,
}

impl LocalFile {
    /// A file that this process wrote.
    pub(crate) fn own(path: PathBuf, name: String) -> Self {
        Self { path, name, stored: None, held: None }
    }

    /// A file of a volume, which others can write.
    ///
    /// # Errors
    /// When it is not a regular file, cannot be opened, or lies outside the root once links are followed.
    pub(crate) fn stored(root: &Path, path: PathBuf, name: String) -> Result<Self, ArtifactError> {
        let file = open_beneath(root, &path)?;
        let stored = FileIdentity::of(&file).map_err(ArtifactError::io("inspect", &path))?;
        Ok(Self { path, name, stored: Some(stored), held: None })
    }

    /// The size and digest of its content. From now on it is an error where anything was written to it since.
    ///
    /// # Errors
    /// When it cannot be read, or is another one than was found on the volume.
    pub(super) fn hash_and_hold(&mut self) -> Result<FileEntry, StepError> {
        let file = self.open()?;
        self.held = Some(ChangeTime::of(&file).map_err(TableError::io("inspect", &self.path))?);
        Ok(hash_open(file, &self.path)?)
    }

    /// Opens the file.
    ///
    /// # Errors
    /// When it cannot be opened, or is another one than was found on the volume.
    pub(super) fn open(&self) -> Result<File, TableError> {
        // What this process wrote is no link, whoever can write in the same folder.
        let open = if self.stored.is_some() { open_regular } else { open_unlinked };
        let file = open(&self.path).map_err(TableError::io("open", &self.path))?;
        let found = FileIdentity::of(&file).map_err(TableError::io("inspect", &self.path))?;
        let changed = ChangeTime::of(&file).map_err(TableError::io("inspect", &self.path))?;
        if self.stored.is_some_and(|stored| stored != found) || self.held.is_some_and(|held| held != changed)
        {
            return Err(TableError::content(
                &self.name,
                "it was replaced while it was read; run the step again once nobody writes there",
            ));
        }
        Ok(file)
    }

    /// The first bytes of the file, at most so many.
    pub(super) fn first_bytes(&self, limit: usize) -> Result<Vec<u8>, TableError> {
        let mut bytes = Vec::new();
        self.open()?
            .take(limit as u64)
            .read_to_end(&mut bytes)
            .map_err(TableError::io("read", &self.path))?;
        Ok(bytes)
    }

    /// How many bytes the byte order mark takes: 3 or 0.
    pub(super) fn mark_length(&self) -> Result<u64, TableError> {
        let first = self.first_bytes(4096)?;
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

    #[test]
    fn a_file_that_is_replaced_by_a_link_after_it_was_checked_is_not_read() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("in.csv");
        std::fs::write(&path, "a\n1\n").expect("a file");
        let file = LocalFile::stored(root.path(), path.clone(), "file:in.csv".into()).expect("a file");
        assert_eq!(file.first_bytes(10).expect("bytes"), b"a\n1\n");
        std::fs::remove_file(&path).expect("removed");
        std::os::unix::fs::symlink("/proc/self/environ", &path).expect("a link");
        let error = file.first_bytes(10).expect_err("another file").to_string();
        assert!(error.contains("was replaced"), "{error}");
        assert!(LocalFile::stored(root.path(), path.clone(), "file:in.csv".into()).is_err());
        assert!(LocalFile::own(path, "data.csv".into()).first_bytes(10).is_err());
    }

    #[test]
    fn a_file_that_is_written_to_after_its_content_was_checked_is_not_read() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("in.csv");
        std::fs::write(&path, "a\n1\n").expect("a file");
        let mut file = LocalFile::stored(root.path(), path.clone(), "file:in.csv".into()).expect("a file");
        let checked = file.hash_and_hold().expect("read");
        assert_eq!(checked.size, 4);
        assert_eq!(file.first_bytes(10).expect("as it was"), b"a\n1\n");
        // The kernel's clock for files has a coarse tick, within which two changes look like one.
        let changed =
            || std::fs::metadata(&path).map(|found| (found.ctime(), found.ctime_nsec())).expect("a file");
        let before = changed();
        while changed() == before {
            std::fs::write(&path, "a\n2\n").expect("written");
        }
        let error = file.first_bytes(10).expect_err("another content").to_string();
        assert!(error.contains("was replaced"), "{error}");
    }
}
