//! How often the work on a file was begun and neither ended nor failed: a small file beside it.
//!
//! Work that takes the whole process with it, as that which needs more memory than there is does, would else be begun forever and
//! hold up every other file. The count outlives the process and not the node: it is never made durable.

use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use crate::artifact::{ArtifactError, create_unlinked, read_small};

/// How often work may take the process with it before its file is put aside. A process that is killed for another reason was
/// hardly at the same file each time.
pub(super) const LIMIT: u32 = 5;

/// The most bytes of a count.
const COUNT_LIMIT: u64 = 64;

/// The count of one file.
#[derive(Debug)]
pub(super) struct Attempts {
    path: PathBuf,
}

impl Attempts {
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Notes that work begins; says how often it was begun before.
    pub(super) fn begin(&self) -> Result<u32, ArtifactError> {
        // Half a count, of a node that lost power, counts for nothing.
        let before = read_small(&self.path, COUNT_LIMIT)
            .ok()
            .and_then(|text| String::from_utf8(text).ok()?.parse().ok())
            .unwrap_or(0);
        let text = u32::saturating_add(before, 1).to_string();
        let mut file = create_unlinked(&self.path).map_err(ArtifactError::io("create", &self.path))?;
        file.write_all(text.as_bytes()).map_err(ArtifactError::io("write", &self.path))?;
        Ok(before)
    }

    /// Notes that the process has outlived the work.
    pub(super) fn end(&self) -> Result<(), ArtifactError> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(ArtifactError::io("remove", &self.path)(error))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_never_ended_is_counted_over_processes_and_an_end_forgets_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let attempts = || Attempts::at(folder.path().join("count"));
        for before in 0..3 {
            assert_eq!(attempts().begin().expect("begun"), before);
        }
        attempts().end().expect("ended");
        attempts().end().expect("nothing to end");
        assert_eq!(attempts().begin().expect("begun"), 0);
        std::fs::write(folder.path().join("count"), "").expect("half a count");
        assert_eq!(attempts().begin().expect("begun"), 0);
    }
}
