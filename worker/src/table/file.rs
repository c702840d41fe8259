//! A file of rows on the local disk.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use super::TableError;

/// The mark that some programs put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A file on the local disk, uncompressed.
#[derive(Clone, Debug)]
pub(crate) struct LocalFile {
    /// Where it lies.
    pub path: PathBuf,
    /// What to call it in messages: its URI without credentials, or its path on the volume.
    pub name: String,
}

impl LocalFile {
    /// Opens the file.
    pub(super) fn open(&self) -> Result<File, TableError> {
        File::open(&self.path).map_err(TableError::io("open", &self.path))
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
        let first = self.first_bytes(3)?;
        if first.starts_with(b"\xFF\xFE") || first.starts_with(b"\xFE\xFF") {
            return Err(TableError::content(
                &self.name,
                "it is UTF-16, and UTF-8 is expected; write reading: {encoding: utf-16}",
            ));
        }
        Ok(if first == BYTE_ORDER_MARK { 3 } else { 0 })
    }
}
