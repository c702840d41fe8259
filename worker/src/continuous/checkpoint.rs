//! The checkpoint of a pending delivery: which rows the receiver has accepted, in a small file beside the rows, so that a restart
//! continues after the last one.
//!
//! It is written after each answer, and made durable now and then: a process that is killed loses nothing of it, a node that
//! loses power sends the rows of the last moment again.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mlpipeline_crds::Digest;

use crate::artifact::{ArtifactError, create_unlinked, read_small};
use crate::deliver::Checkpoint;

/// How long rows may be accepted before the checkpoint is made durable.
const SYNC_EVERY: Duration = Duration::from_millis(500);

/// The digits of the number of rows: always as many, as the digest has, so that one write replaces the one before as a whole.
const DIGITS: usize = 20;

/// The most bytes of a count.
const LIMIT: u64 = 4096;

/// What a count says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredCheckpoint {
    /// The rows that were accepted.
    pub checkpoint: Checkpoint,
    /// The revision of the step that made the pending.
    pub revision: String,
}

impl StoredCheckpoint {
    /// Reads a count, if there is a whole one.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let text = String::from_utf8(read_small(path, LIMIT).ok()?).ok()?;
        let mut lines = text.split_inclusive('\n').map(|line| line.strip_suffix('\n'));
        let (rows, digest, revision) = (lines.next()??, lines.next()??, lines.next()??);
        let rows = rows.parse().ok().filter(|_| rows.len() == DIGITS)?;
        // A digest that is none is that of no rows, so that all are sent.
        let digest: Digest = serde_json::from_value(digest.into()).ok()?;
        Some(Self { checkpoint: Checkpoint { rows, digest }, revision: revision.to_owned() })
    }
}

/// The count of one pending.
#[derive(Debug)]
pub(super) struct CheckpointFile {
    path: PathBuf,
    file: File,
    synced: Instant,
}

impl CheckpointFile {
    /// Puts a count in the place of the one that there may be, by way of a draft beside it.
    pub(super) fn begin(path: &Path, draft: &Path, noted: &StoredCheckpoint) -> Result<Self, ArtifactError> {
        let mut file = create_unlinked(draft).map_err(ArtifactError::io("create", draft))?;
        let text = format!("{}{}\n", line(&noted.checkpoint), noted.revision);
        file.write_all(text.as_bytes()).map_err(ArtifactError::io("write", draft))?;
        file.sync_all().map_err(ArtifactError::io("sync", draft))?;
        fs::rename(draft, path).map_err(ArtifactError::io("rename the finished draft to", path))?;
        Ok(Self { path: path.to_owned(), file, synced: Instant::now() })
    }

    /// These rows were accepted in all.
    pub(super) fn set(&mut self, checkpoint: &Checkpoint) -> Result<(), ArtifactError> {
        self.file
            .write_all_at(line(checkpoint).as_bytes(), 0)
            .map_err(ArtifactError::io("write", &self.path))?;
        if self.synced.elapsed() >= SYNC_EVERY {
            self.file.sync_data().map_err(ArtifactError::io("sync", &self.path))?;
            self.synced = Instant::now();
        }
        Ok(())
    }
}

fn line(checkpoint: &Checkpoint) -> String {
    format!("{:0DIGITS$}\n{}\n", checkpoint.rows, checkpoint.digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_says_what_was_set_last_and_half_a_one_says_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, draft) = (folder.path().join("count"), folder.path().join("draft"));
        assert_eq!(StoredCheckpoint::read(&path), None);
        let noted = |rows: u64| StoredCheckpoint {
            checkpoint: Checkpoint { rows, digest: Digest::of(&rows.to_le_bytes()) },
            revision: "a".to_owned(),
        };
        let mut count = CheckpointFile::begin(&path, &draft, &noted(0)).expect("a count");
        count.set(&noted(12).checkpoint).expect("written");
        count.set(&noted(9_999_999_999).checkpoint).expect("written");
        assert_eq!(StoredCheckpoint::read(&path), Some(noted(9_999_999_999)));
        CheckpointFile::begin(&path, &draft, &noted(7)).expect("another in its place");
        assert_eq!(StoredCheckpoint::read(&path), Some(noted(7)));
        let whole = fs::read_to_string(&path).expect("the count");
        for end in 0..whole.len() {
            fs::write(&path, &whole[..end]).expect("half a count");
            assert_eq!(StoredCheckpoint::read(&path), None, "{end}");
        }
    }
}
