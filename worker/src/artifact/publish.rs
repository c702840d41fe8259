//! Publishing: a draft becomes an artifact by one rename, and what was published before stays as it was.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mlpipeline_crds::{Digest, Revision, RevisionRule, StepReport};

use super::draft::{Described, Draft, sync_folder};
use super::error::ArtifactError;
use super::kept::Kept;
use super::lock::Lock;
use super::manifest::{Kind, Manifest, read, verify};
use super::names::{DAMAGED_PREFIX, MANIFEST_NAME};
use super::replace::replace;
use crate::failure::real_name;

/// An artifact that is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// Its folder.
    pub folder: PathBuf,
    /// The name it was published under.
    pub revision: Revision,
    /// What is in it, with the report of whoever made it.
    pub manifest: Manifest,
    /// Whether another run had published it before.
    pub reused: bool,
}

impl Published {
    /// The report to hand back: the manifest's, with `reused` set when the artifact was there already.
    #[must_use]
    pub fn report(&self) -> StepReport {
        StepReport { reused: self.reused, ..self.manifest.report.clone() }
    }
}

impl Draft {
    /// Previews the revision that publishing the draft as it is now would give it, and says whether a complete artifact of that revision is
    /// there already.
    ///
    /// # Errors
    /// When storage refuses.
    pub fn preview(&self, kind: Kind, rule: &RevisionRule) -> Result<(Revision, bool), ArtifactError> {
        let revision = named_by(rule, &self.undescribed(kind, StepReport::succeeded(None))?.digest());
        let is_there = complete(&self.step_folder.path().join(revision.as_str()))?.is_some();
        Ok((revision, is_there))
    }

    /// Makes the draft the artifact of its revision: every file is made durable and hashed, the manifest is written, and the
    /// folder gets the revision's name. `report` is stored with the revision and the digest filled in. Where a complete
    /// artifact of that revision is there already, it stays and is returned as reused; a folder of that name that is no
    /// complete artifact is moved aside to a hidden name. What was kept of unfinished work for it is removed.
    ///
    /// # Errors
    /// When storage refuses; then the draft is removed, and what was published before is as it was.
    pub fn publish(
        self,
        kind: Kind,
        report: StepReport,
        rule: &RevisionRule,
    ) -> Result<Published, ArtifactError> {
        let Described { revision, manifest } =
            self.describe(kind, report, |digest| named_by(rule, digest))?;
        let step_folder = self.step_folder.clone();
        let published = self.take_name(revision, manifest)?;
        Kept::remove_of(&step_folder, rule);
        Ok(published)
    }

    /// Makes the draft the artifact at a path of the user's choice, beside the draft; its revision is that of its content. An
    /// artifact of the same kind that is there is replaced.
    ///
    /// # Errors
    /// When something else is at that path or among the artifact's files, or storage refuses; then what was there stays.
    pub fn publish_at(
        self,
        kind: Kind,
        report: StepReport,
        target: &Path,
    ) -> Result<Published, ArtifactError> {
        let older = match target.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(ArtifactError::io("look at", target)(error)),
            Ok(_) => match read(target) {
                Ok(found) if found.kind == kind => {
                    check_own_files(target, &found)?;
                    true
                }
                // What cannot be read now may be an artifact all the same.
                Err(error @ ArtifactError::File(_)) => return Err(error),
                _ => return Err(ArtifactError::Taken(target.to_owned())),
            },
        };
        let Described { revision, manifest } =
            self.describe(kind, report, |digest| Revision::of(&[digest.as_str()]))?;
        self.begin_publishing()?;
        if older {
            // What was there has the draft's name then, and goes with it.
            replace(&self.named, target)?;
        } else {
            fs::rename(&self.named, target)
                .map_err(ArtifactError::io("rename the finished draft to", target))?;
        }
        sync_folder(self.step_folder.path())?;
        Ok(Published { folder: target.to_owned(), revision, manifest, reused: false })
    }

    /// Renames the draft to its revision, unless a complete artifact has that name.
    fn take_name(self, revision: Revision, content: Manifest) -> Result<Published, ArtifactError> {
        let target = self.step_folder.path().join(revision.as_str());
        self.begin_publishing()?;
        loop {
            // A folder is renamed onto nothing, or onto an empty folder; onto anything else the kernel refuses.
            let taken = match fs::rename(&self.named, &target) {
                Ok(()) => {
                    sync_folder(self.step_folder.path())?;
                    let folder = real_name(&target);
                    return Ok(Published { folder, revision, manifest: content, reused: false });
                }
                Err(error) => error,
            };
            match taken.kind() {
                io::ErrorKind::DirectoryNotEmpty
                | io::ErrorKind::AlreadyExists
                | io::ErrorKind::NotADirectory => {}
                _ => return Err(ArtifactError::io("rename the finished draft to", &target)(taken)),
            }
            if let Some(theirs) = complete(&target)? {
                let folder = real_name(&target);
                return Ok(Published { folder, revision, manifest: theirs, reused: true });
            }
            self.move_aside(&target, &revision)?;
        }
    }

    /// Moves what is not a complete artifact out of the way. One process at a time decides that, or a second one could move the
    /// first one's good artifact away.
    fn move_aside(&self, target: &Path, revision: &Revision) -> Result<(), ArtifactError> {
        let lock_path = self.step_folder.path().join(".publish.lock");
        let lock = Lock::acquire(&lock_path).map_err(ArtifactError::io("lock", &lock_path))?;
        if complete(target)?.is_none() {
            let aside = self
                .step_folder
                .path()
                .join(format!("{DAMAGED_PREFIX}{revision}-{:08x}", rand::random::<u32>()));
            match fs::rename(target, &aside) {
                Ok(()) => tracing::warn!(
                    "{} was not a complete artifact; it is now at {}",
                    real_name(target).display(),
                    real_name(&aside).display()
                ),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(ArtifactError::io("move aside the damaged folder", target)(error)),
            }
        }
        let _ = lock.remove();
        Ok(())
    }
}

/// The revision of a result of this digest.
fn named_by(rule: &RevisionRule, digest: &Digest) -> Revision {
    match rule {
        RevisionRule::Fixed(revision) => revision.clone(),
        RevisionRule::ByContent(fingerprint) => Revision::of(&[fingerprint.as_str(), digest.as_str()]),
    }
}

/// The manifest of a folder that holds just what its manifest says, to the last bit.
fn complete(folder: &Path) -> Result<Option<Manifest>, ArtifactError> {
    let found = read(folder).and_then(|found| verify(folder, &found).map(|()| found));
    match found {
        Ok(found) => Ok(Some(found)),
        Err(ArtifactError::Missing(_) | ArtifactError::Damaged { .. }) => Ok(None),
        // A newer worker's artifact is not damage, and a volume that does not answer says nothing.
        Err(error) => Err(error),
    }
}

/// Refuses a folder in which are more files than an artifact's own: they would be gone with it.
fn check_own_files(folder: &Path, manifest: &Manifest) -> Result<(), ArtifactError> {
    for entry in fs::read_dir(folder).map_err(ArtifactError::io("list", folder))? {
        let name = entry.map_err(ArtifactError::io("list", folder))?.file_name();
        let name = name.to_string_lossy();
        if name != MANIFEST_NAME && !manifest.files.contains_key(name.as_ref()) {
            return Err(ArtifactError::Foreign { folder: folder.to_owned(), name: name.into_owned() });
        }
    }
    Ok(())
}
