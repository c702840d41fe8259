//! The folders of a continuous step, each opened once: a link that takes the place of one leads nothing elsewhere.
//!
//! Owns their names, and the check by which a process notices that storage went away, or that another folder has the name of one: it ends, and
//! the next one opens what is there then. Must not know what is moved through them.

use std::io;
use std::path::{Path, PathBuf};

use mlpipeline_crds::PUBLISHED_FOLDER;

use crate::artifact::{ArtifactError, OpenFolder, Storage};

/// The folder of the files that are being processed.
pub(super) const CLAIMED_FOLDER: &str = "claimed";

/// The open folders of one step.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    /// The storage folder, below which files are taken from.
    root: PathBuf,
    /// The step's folder by its name.
    named: PathBuf,
    pub step: OpenFolder,
    pub claimed: OpenFolder,
    pub ready: OpenFolder,
    pub done: OpenFolder,
    pub failed: OpenFolder,
    pub published: OpenFolder,
}

impl Opened {
    /// Opens the folders of a step, from its path relative to storage, making them where they are missing. The step's own folder may be reached
    /// by links that stay in storage; those in it are no links.
    pub(super) fn create(storage: &Storage, path: &str) -> Result<Self, ArtifactError> {
        let step = storage.step_folder(path)?;
        let open = |name: &str| {
            let place = step.path().join(name);
            step.make(name).map_err(ArtifactError::io("open the folder", &place))
        };
        Ok(Self {
            root: storage.root.clone(),
            named: storage.artifact_dir(path)?,
            claimed: open(CLAIMED_FOLDER)?,
            ready: open("ready")?,
            done: open("done")?,
            failed: open("failed")?,
            published: open(PUBLISHED_FOLDER)?,
            step,
        })
    }

    /// An error where a folder's name leads to another one by now, or to nothing.
    pub(super) fn check_names(&self) -> Result<(), ArtifactError> {
        let inner = [
            (CLAIMED_FOLDER, &self.claimed),
            ("ready", &self.ready),
            ("done", &self.done),
            ("failed", &self.failed),
            (PUBLISHED_FOLDER, &self.published),
        ];
        let inner = inner.map(|(name, folder)| (self.named.join(name), folder));
        let mut all = std::iter::once((self.named.clone(), &self.step)).chain(inner);
        match all.find(|(name, folder)| !folder.is_at(name)) {
            None => Ok(()),
            Some((name, _)) => {
                let text = "it is not the folder that this step opened: that one was moved or removed; put it back, or restart the step to begin with what is there";
                Err(ArtifactError::io("find", &name)(io::Error::other(text)))
            }
        }
    }

    /// The path of a file below storage by the handle of its folder, which is open as long as the path is used.
    ///
    /// # Errors
    /// When its folder is gone, or lies outside of storage once links are followed.
    pub(super) fn beneath(&self, file: &Path) -> Result<(OpenFolder, PathBuf), ArtifactError> {
        let folder = file.parent().unwrap_or(&self.root);
        let missing = |kind: io::ErrorKind| ArtifactError::io("open the folder", folder)(kind.into());
        let relative = folder.strip_prefix(&self.root).map_err(|_| missing(io::ErrorKind::InvalidInput))?;
        let open = OpenFolder::find_beneath(&self.root, relative)?;
        let open = open.ok_or_else(|| missing(io::ErrorKind::NotFound))?;
        let path = open.path().join(file.file_name().unwrap_or_default());
        Ok((open, path))
    }
}
