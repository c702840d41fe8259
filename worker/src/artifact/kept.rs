//! What a step keeps of unfinished work, to continue from where it was stopped, or for its other pods to read.
//!
//! Owns the folder of it, beside the step's artifacts, and its removal. Small files, each whole or not there. Must not know what they mean.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use mlpipeline_crds::{Revision, RevisionRule};

use super::error::ArtifactError;
use super::names::KEPT_PREFIX;
use super::open::{create_unlinked, read_small};
use super::step_folder::{OpenFolder, is_anywhere};
use super::unowned::{own, sweep_files};
use crate::failure::real_name;

/// The most bytes of one file.
const FILE_LIMIT: u64 = 64 << 10;

/// The folder of unfinished work of one run of a step.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    folder: OpenFolder,
}

impl Kept {
    /// Opens what is kept for the run of this key in a step's folder (namespace/pipeline/step below the storage folder).
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn open(step_folder: &Path, key: &Revision) -> Result<Self, ArtifactError> {
        let step = fs::create_dir_all(step_folder).and_then(|()| OpenFolder::open(step_folder, true));
        let step = step.map_err(ArtifactError::io("make the folder", step_folder))?;
        let named = step.path().join(name_of(key));
        let folder = step.make(&name_of(key)).map_err(ArtifactError::io("make the folder", &named))?;
        sweep_files(folder.path(), |name| name.starts_with('.'));
        Ok(Self { folder })
    }

    /// Removes what was kept for the result of this rule: it is there.
    pub(super) fn remove_of(step: &OpenFolder, rule: &RevisionRule) {
        let (RevisionRule::Fixed(key) | RevisionRule::ByContent(key)) = rule;
        remove(&step.path().join(name_of(key)));
    }

    /// Removes what all runs left, where a step's result is there already.
    pub(crate) fn remove_all(step_folder: &Path) {
        Self::remove_named(step_folder, |_| true);
    }

    /// Removes what runs of other keys left: nobody continues with it. Best effort: what stays is met again by the next run.
    pub(crate) fn remove_others(step_folder: &Path, key: &Revision) {
        let own = name_of(key);
        Self::remove_named(step_folder, |name| name != own);
    }

    fn remove_named(step_folder: &Path, is_removed: impl Fn(&str) -> bool) {
        for entry in fs::read_dir(step_folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(KEPT_PREFIX) && is_removed(&name) {
                remove(&entry.path());
            }
        }
    }

    /// A file's bytes; `None` where it was not kept, or cannot be read.
    pub(crate) fn read(&self, name: &str) -> Option<Vec<u8>> {
        read_small(&self.folder.path().join(name), FILE_LIMIT).ok()
    }

    /// Keeps a file. Where the folder is gone, a run of another key has the step now, and nothing is kept.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ArtifactError> {
        let path = self.folder.path().join(name);
        loop {
            match self.write_draft(name, bytes, &path) {
                // Another pod took the draft for one that was left behind, before it was locked.
                Err(error) if error.kind() == io::ErrorKind::NotFound && is_anywhere(self.folder.path()) => {}
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(ArtifactError::io("write", &path)(error));
                }
                _ => return Ok(()),
            }
        }
    }

    fn write_draft(&self, name: &str, bytes: &[u8], path: &Path) -> io::Result<()> {
        // Another pod may write the same name at the same time.
        let draft = self.folder.path().join(format!(".{name}-{:08x}", rand::random::<u32>()));
        let mut file = create_unlinked(&draft)?;
        own(&file);
        let written = file.write_all(bytes).and_then(|()| fs::rename(&draft, path));
        if written.is_err() {
            // On a full volume, each attempt would leave one.
            let _ = fs::remove_file(&draft);
        }
        written
    }
}

fn name_of(key: &Revision) -> String {
    format!("{KEPT_PREFIX}{key}")
}

fn remove(folder: &Path) {
    if let Err(error) = fs::remove_dir_all(folder)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::debug!("left behind: {}: {error}", real_name(folder).display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Revision {
        Revision::of(&[name])
    }

    fn open(folder: &Path, name: &str) -> Kept {
        Kept::open(folder, &key(name)).expect("a folder")
    }

    #[test]
    fn what_a_run_kept_is_there_for_the_next_until_another_key_has_the_step() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("step");
        let kept = open(&folder, "one");
        kept.write("a", b"1").expect("written");
        kept.write("a", b"2").expect("written");
        Kept::remove_others(&folder, &key("one"));
        assert_eq!(open(&folder, "one").read("a"), Some(b"2".to_vec()));
        assert_eq!(open(&folder, "another").read("a"), None);
        Kept::remove_others(&folder, &key("another"));
        kept.write("b", b"1").expect("nobody waits for it");
        assert_eq!(open(&folder, "one").read("b"), None);
    }

    #[test]
    fn what_cannot_be_kept_leaves_nothing_behind_and_neither_does_a_killed_process() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = open(folder.path(), "one");
        fs::create_dir_all(kept.folder.path().join("a/b")).expect("a folder, which no file replaces");
        assert!(kept.write("a", b"1").is_err());
        fs::write(kept.folder.path().join(".b-01234567"), "half of it").expect("a file");
        let kept = open(folder.path(), "one");
        assert_eq!(fs::read_dir(kept.folder.path()).expect("a folder").count(), 1);
        Kept::remove_all(folder.path());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn nothing_stays_once_the_work_is_done() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = open(folder.path(), "one");
        kept.write("a", b"1").expect("written");
        drop(kept);
        Kept::remove_all(folder.path());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn s7_a_link_in_the_place_of_what_is_kept_is_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let outside = tempfile::tempdir().expect("a folder");
        let secret = outside.path().join("secret");
        fs::write(&secret, "s3cret").expect("a file");
        let kept = open(folder.path(), "one");
        std::os::unix::fs::symlink(&secret, kept.folder.path().join("a")).expect("a link");
        assert_eq!(kept.read("a"), None);
        kept.write("a", b"1").expect("written");
        assert_eq!(fs::read_to_string(&secret).expect("a file"), "s3cret");
        assert_eq!(kept.read("a"), Some(b"1".to_vec()));
        let link = folder.path().join(format!("{KEPT_PREFIX}{}", key("another")));
        std::os::unix::fs::symlink(outside.path(), &link).expect("a link");
        let refused = Kept::open(folder.path(), &key("another")).expect_err("a link");
        assert!(refused.to_string().contains(".kept-"), "{refused}");
        Kept::remove_others(folder.path(), &key("one"));
        assert!(secret.exists());
    }
}
