//! The folders of a continuous step, and the renames by which a file goes through them.
//!
//! A file's way is a row of single renames, each of which only one process can win, so that nothing is lost or published
//! twice, however many processes there are and wherever one is killed:
//!
//! 1. the watched folder's NAME becomes `claimed/NAME-TAG`: nobody else takes it;
//! 2. the result is written, and becomes `ready/NAME-TAG~ATTEMPT.csv` when it is whole;
//! 3. `claimed/NAME-TAG` becomes `done/NAME-TAG~ATTEMPT`: this attempt's result is the one that counts;
//! 4. `ready/NAME-TAG~ATTEMPT.csv` becomes `published/NAME-TAG.csv`.
//!
//! What is claimed at the start of a process is done again. What is ready counts if the file that it was made of is done by the
//! same attempt, and is then published; if that file is done by another attempt, it is removed. Every folder is made durable
//! after a rename. A process that cannot do the fourth after the third ends, so that the next one does it at its start.
//!
//! Instead of published, rows are sent from `ready` between the second and the third, with a checkpoint of those delivered beside
//! them. When a file fails, its checkpoint becomes `failed/NAME-TAG.taken` before the file becomes `failed/NAME-TAG`; when it is tried
//! again, under that name, the checkpoint is removed only when the next one, which continues it, is beside the rows in `ready`. So there is a
//! checkpoint at each moment, and whoever finds two takes that in `ready`, the newer one.
//!
//! Beside each file that is published, and renamed before it, is one with the names and types of its columns: CSV and NDJSON do not hold
//! them. Who takes the file takes it along, first as a copy.
//!
//! What is written, renamed and removed lies below the handles of `opened`.
//!
//! Must not know what a result is.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use mlpipeline_crds::Revision;

use super::attempts::Attempts;
use super::columns::{COLUMNS_PREFIX, columns_of, copy_columns};
use super::entries::{changed, list, modified, moved, remove, sync_parent};
use super::names::{ATTEMPT_MARK, PENDING_EXTENSION, Ready, tagged};
use super::opened::Opened;
use crate::artifact::{ArtifactError, Storage, create_unlinked, sync_folder};
use crate::failure::real_name;

/// What the names of results that are being written begin with.
const DRAFT_PREFIX: &str = ".draft-";

/// What the names of counts of delivered rows begin with.
const CHECKPOINT_PREFIX: &str = ".taken-";

/// What the names of counts of delivered rows end with where the file has failed.
const KEPT_CHECKPOINT_SUFFIX: &str = ".taken";

/// What the names of counts of attempts begin with.
const ATTEMPTS_PREFIX: &str = ".begun-";

/// The folders of one step.
#[derive(Clone, Debug)]
pub(super) struct Folders(Opened);

impl Folders {
    /// Opens the folders of a step, from its path relative to storage, making them where they are missing.
    pub(super) fn create(storage: &Storage, path: &str) -> Result<Self, ArtifactError> {
        let opened = Opened::create(storage, path)?;
        sync_folder(opened.step.path())?;
        Ok(Self(opened))
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.0.step.path().join(".continuous.lock")
    }

    /// Where the schema of the files of a revision is kept.
    pub(super) fn schema(&self, revision: &Revision) -> PathBuf {
        self.0.step.path().join(format!(".schema-{revision}.json"))
    }

    pub(super) fn claimed(&self, name: &str) -> PathBuf {
        self.0.claimed.path().join(name)
    }

    /// Where a result is written before it is whole.
    pub(super) fn draft(&self, attempt: &str) -> PathBuf {
        self.0.ready.path().join(format!("{DRAFT_PREFIX}{attempt}"))
    }

    pub(super) fn ready(&self, ready: &Ready) -> PathBuf {
        self.0.ready.path().join(ready.file_name())
    }

    /// Where the count of a pending's delivered rows is kept.
    pub(super) fn checkpoint(&self, ready: &Ready) -> PathBuf {
        self.0.ready.path().join(format!("{CHECKPOINT_PREFIX}{}", ready.file_name()))
    }

    /// How often the work on a claimed file was begun.
    pub(super) fn attempts(&self, name: &str) -> Attempts {
        Attempts::at(self.claimed(&format!("{ATTEMPTS_PREFIX}{name}")))
    }

    fn done(&self, name: &str, attempt: &str) -> PathBuf {
        self.0.done.path().join(format!("{name}{ATTEMPT_MARK}{attempt}"))
    }

    /// Where the count of a failed file's delivered rows is kept, for people to see, and for another try.
    pub(super) fn kept_checkpoint(&self, name: &str) -> PathBuf {
        self.0.failed.path().join(format!("{name}{KEPT_CHECKPOINT_SUFFIX}"))
    }

    /// Takes a file, under its own name or, where `with_tag`, under one that no other file ever had; but one of which rows were
    /// delivered before it failed has such a name already. The name that it has now; `None` when somebody else took it.
    pub(super) fn claim(&self, found: &Path, with_tag: bool) -> Result<Option<String>, ArtifactError> {
        // Where its folder leads now: a link may have taken the place of the one that was looked into.
        let (_folder, found) = self.0.beneath(found)?;
        let found = found.as_path();
        let own = found.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let returns = self.kept_checkpoint(&own).exists() && !self.claimed(&own).exists();
        let name = if with_tag && !returns { tagged(&own) } else { own };
        // By the step that published the file, or by this one, where it failed and was put back.
        let known = [columns_of(found), columns_of(&self.0.failed.path().join(&name))];
        if !with_tag {
            copy_columns(&known, &self.claimed(&name))?;
        }
        if !moved(found, &self.claimed(&name))? {
            return Ok(None);
        }
        if !with_tag {
            known.iter().try_for_each(|path| remove(path))?;
        }
        sync_folder(self.0.claimed.path())?;
        sync_parent(found)?;
        Ok(Some(name))
    }

    /// What is claimed, oldest first; an error when a folder of the step went away, or another one took its place.
    pub(super) fn claims(&self) -> Result<Vec<String>, ArtifactError> {
        self.0.check_names()?;
        let folder = self.0.claimed.path();
        let mut names = list(folder)?;
        names.retain(|name| !name.starts_with('.'));
        names.sort_by_cached_key(|name| (modified(&folder.join(name)), name.clone()));
        Ok(names)
    }

    /// Makes a draft a result that is whole.
    pub(super) fn complete(&self, ready: &Ready) -> Result<(), ArtifactError> {
        let (draft, target) = (self.draft(&ready.attempt), self.ready(ready));
        fs::rename(&draft, &target).map_err(ArtifactError::io("rename the finished draft to", &target))?;
        sync_folder(self.0.ready.path())
    }

    /// Makes an attempt the one that counts; false when another was first, or the file is gone.
    pub(super) fn finish(&self, ready: &Ready) -> Result<bool, ArtifactError> {
        let won = moved(&self.claimed(&ready.name), &self.done(&ready.name, &ready.attempt))?;
        if won {
            sync_folder(self.0.done.path())?;
            remove(&columns_of(&self.claimed(&ready.name)))?;
            sync_folder(self.0.claimed.path())?;
        }
        Ok(won)
    }

    /// Publishes a result that counts, and says where; it may have been published already.
    pub(super) fn publish(&self, ready: &Ready) -> Result<PathBuf, ArtifactError> {
        let folder = self.0.published.path();
        let target = folder.join(ready.published_name());
        // Before the rows, so that who takes them finds what they are.
        moved(&columns_of(&self.ready(ready)), &columns_of(&target))?;
        moved(&self.ready(ready), &target)?;
        sync_folder(folder)?;
        sync_folder(self.0.ready.path())?;
        Ok(real_name(&target))
    }

    /// Removes a result, with what is known of its delivery.
    pub(super) fn discard(&self, ready: &Ready) -> Result<(), ArtifactError> {
        remove(&self.ready(ready))?;
        remove(&columns_of(&self.ready(ready)))?;
        remove(&self.checkpoint(ready))
    }

    /// All results that are whole.
    pub(super) fn all_ready(&self) -> Result<Vec<Ready>, ArtifactError> {
        let names = list(self.0.ready.path())?;
        Ok(names.iter().filter(|name| !name.starts_with('.')).filter_map(|name| Ready::parse(name)).collect())
    }

    /// The rows of a file that are on their way, by whichever attempt.
    pub(super) fn pending_deliveries(&self, name: &str) -> Result<Vec<Ready>, ArtifactError> {
        let mut pending = self.all_ready()?;
        pending.retain(|ready| ready.name == name && ready.extension == PENDING_EXTENSION);
        Ok(pending)
    }

    /// Makes a pending delivery with its checkpoint durable, and removes those that it continues.
    pub(super) fn replace_pending(&self, pending: &Ready) -> Result<(), ArtifactError> {
        sync_folder(self.0.ready.path())?;
        for other in self.pending_deliveries(&pending.name)?.iter().filter(|other| *other != pending) {
            self.discard(other)?;
        }
        remove(&self.kept_checkpoint(&pending.name))
    }

    /// Sets right what dead processes left: publishes what counts, removes what does not, and drafts.
    pub(super) fn recover(&self) -> Result<(), ArtifactError> {
        let folder = self.0.ready.path();
        for name in list(folder)?.iter().filter(|name| name.starts_with(DRAFT_PREFIX)) {
            remove(&folder.join(name))?;
        }
        for ready in self.all_ready()? {
            // While the file is claimed nothing is decided. Once it is not, no other attempt can win any more.
            if self.claimed(&ready.name).exists() {
                continue;
            }
            let counts = self.done(&ready.name, &ready.attempt).exists();
            if counts && ready.extension != PENDING_EXTENSION {
                let target = self.publish(&ready)?;
                tracing::info!(file = ready.name, result = %target.display(), "published what was ready");
            } else {
                self.discard(&ready)?;
            }
        }
        remove_widowed(folder, CHECKPOINT_PREFIX)?;
        for folder in [&self.0.claimed, &self.0.ready] {
            remove_widowed(folder.path(), COLUMNS_PREFIX)?;
        }
        // What is wrong with this folder, the next result says.
        let _ = remove_widowed(self.0.published.path(), COLUMNS_PREFIX);
        remove_widowed(self.0.claimed.path(), ATTEMPTS_PREFIX)
    }

    /// Removes what other attempts made of a file that is done.
    pub(super) fn discard_others(&self, done: &Ready) -> Result<(), ArtifactError> {
        for ready in self.all_ready()?.iter().filter(|ready| ready.name == done.name && *ready != done) {
            self.discard(ready)?;
        }
        Ok(())
    }

    /// Puts a file that cannot be processed out of the way, with the reason and the count of its delivered rows beside it; false
    /// when it is not claimed any more.
    pub(super) fn fail(&self, name: &str, reason: &str) -> Result<bool, ArtifactError> {
        let folder = self.0.failed.path();
        let path = folder.join(format!("{name}.error"));
        let mut file = create_unlinked(&path).map_err(ArtifactError::io("create", &path))?;
        writeln!(file, "{reason}").map_err(ArtifactError::io("write", &path))?;
        file.sync_all().map_err(ArtifactError::io("sync", &path))?;
        let pending = self.pending_deliveries(name)?;
        for pending in &pending {
            moved(&self.checkpoint(pending), &self.kept_checkpoint(name))?;
        }
        sync_folder(folder)?;
        moved(&columns_of(&self.claimed(name)), &columns_of(&folder.join(name)))?;
        let won = moved(&self.claimed(name), &folder.join(name))?;
        sync_folder(folder)?;
        sync_folder(self.0.claimed.path())?;
        if !won && !folder.join(name).exists() {
            remove(&path)?;
            remove(&self.kept_checkpoint(name))?;
        }
        pending.iter().try_for_each(|pending| self.discard(pending))?;
        Ok(won)
    }

    /// Removes the processed files beyond the newest so many, but none whose result is still to be published.
    pub(super) fn prune_history(&self, keep: usize) -> Result<(), ArtifactError> {
        let folder = self.0.done.path();
        let mut names = list(folder)?;
        if names.len() <= keep {
            return Ok(());
        }
        names.sort_by_cached_key(|name| std::cmp::Reverse((changed(&folder.join(name)), name.clone())));
        let pending = self.all_ready()?;
        let is_pending = |name: &str| {
            pending.iter().any(|ready| name.rsplit_once(ATTEMPT_MARK) == Some((&ready.name, &ready.attempt)))
        };
        for name in names.iter().skip(keep).filter(|name| !is_pending(name)) {
            remove(&folder.join(name))?;
        }
        Ok(())
    }
}

/// Removes counts whose files are gone.
fn remove_widowed(folder: &Path, prefix: &str) -> Result<(), ArtifactError> {
    for name in list(folder)? {
        if name.strip_prefix(prefix).is_some_and(|counted| !folder.join(counted).exists()) {
            remove(&folder.join(&name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
