//! Drafts: folders in which artifacts are written before they are published in one step, by `publish.rs`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use mlpipeline_crds::{Digest, Revision, StepReport};

use super::error::ArtifactError;
use super::lock::Lock;
use super::manifest::{self, Column, Kind, Manifest};
use super::names::{DRAFT_PREFIX, LOCK_SUFFIX, MANIFEST_NAME, MANIFEST_VERSION};
use super::open::{create_unlinked, open_unlinked};
use super::remove::sweep;
use super::step_folder::OpenFolder;
use crate::cancellation::Cancellation;

/// A folder being filled. Dropped without being published, it is removed; if the process is killed, the step's next run
/// removes it.
#[derive(Debug)]
pub struct Draft {
    /// The step's folder, held open: work on other threads may go on when whoever began the draft is gone.
    pub(super) step_folder: OpenFolder,
    /// The folder by its name, to be renamed and removed.
    pub(super) named: PathBuf,
    /// The same, open, to be written to: a link could take its name's place.
    folder: OpenFolder,
    lock: Option<Lock>,
    cancellation: Cancellation,
    columns: Vec<Column>,
}

/// A draft that has its manifest.
pub(super) struct Described {
    /// The name that it gets.
    pub revision: Revision,
    /// The manifest.
    pub manifest: Manifest,
}

impl Draft {
    /// Begins a draft in a step's folder (namespace/pipeline/step below the storage folder), making the folder where it is
    /// missing and removing the drafts of dead processes there.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn begin(step_folder: &Path) -> Result<Self, ArtifactError> {
        fs::create_dir_all(step_folder).map_err(ArtifactError::io("make the folder", step_folder))?;
        let open = OpenFolder::open(step_folder, true);
        let open = open.map_err(ArtifactError::io("open the folder", step_folder))?;
        let step_folder = open.path();
        sweep(step_folder);
        loop {
            let name = format!("{DRAFT_PREFIX}{:016x}", rand::random::<u64>());
            let lock_path = step_folder.join(format!("{name}{LOCK_SUFFIX}"));
            let lock = Lock::acquire(&lock_path).map_err(ArtifactError::io("lock", &lock_path))?;
            let named = step_folder.join(&name);
            let made = fs::create_dir(&named).and_then(|()| OpenFolder::open(&named, false));
            match made {
                Ok(folder) => {
                    return Ok(Self {
                        step_folder: open,
                        named,
                        folder,
                        lock: Some(lock),
                        cancellation: Cancellation::default(),
                        columns: Vec::new(),
                    });
                }
                // Another process drew the same name; the lock file is its own.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    // Nothing must stay of what was made: a folder without its lock would not be swept.
                    let _ = fs::remove_dir(&named);
                    let _ = lock.remove();
                    return Err(ArtifactError::io("make the folder", &named)(error));
                }
            }
        }
    }

    /// The same draft, which is not published once its action is asked to stop.
    #[must_use]
    pub fn stopped_by(self, cancellation: &Cancellation) -> Self {
        let mut draft = self;
        draft.cancellation = cancellation.clone();
        draft
    }

    /// To be asked right before the draft gets its name, after which stopping waits.
    ///
    /// # Errors
    /// When the action was asked to stop.
    pub(super) fn begin_publishing(&self) -> Result<(), ArtifactError> {
        if self.cancellation.begin_publishing() { Ok(()) } else { Err(ArtifactError::Stopped) }
    }

    /// The path of the folder to write files into, as long as the draft is there; they are part of the artifact without being named anywhere else.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The path of a file of the draft.
    ///
    /// # Errors
    /// When the name is not a plain file name.
    pub fn path(&self, name: &str) -> Result<PathBuf, ArtifactError> {
        if manifest::plain_name(name) {
            Ok(self.folder().join(name))
        } else {
            Err(ArtifactError::FileName(name.to_owned()))
        }
    }

    /// Writes a small file.
    ///
    /// # Errors
    /// When the name is not a plain file name, or the file cannot be written.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), ArtifactError> {
        let path = self.path(name)?;
        let mut file = create_unlinked(&path).map_err(ArtifactError::io("create", &path))?;
        file.write_all(content).map_err(ArtifactError::io("write", &path))
    }

    /// Says what columns the artifact's rows have.
    pub fn set_columns(&mut self, columns: Vec<Column>) {
        self.columns = columns;
    }

    /// Hashes what is in the draft and writes the manifest into it.
    pub(super) fn describe(
        &self,
        kind: Kind,
        report: StepReport,
        name: impl FnOnce(&Digest) -> Revision,
    ) -> Result<Described, ArtifactError> {
        let mut manifest = self.undescribed(kind, report)?;
        let digest = manifest.digest();
        let revision = name(&digest);
        manifest.report.revision = Some(revision.clone());
        manifest.report.digest = Some(digest);
        manifest.report.reused = false;
        self.write_manifest(&manifest)?;
        Ok(Described { revision, manifest })
    }

    /// The manifest of what is in the draft, without the name that it is to get.
    pub(super) fn undescribed(&self, kind: Kind, report: StepReport) -> Result<Manifest, ArtifactError> {
        let files = self.hash_files()?;
        Ok(Manifest { format_version: MANIFEST_VERSION, kind, files, columns: self.columns.clone(), report })
    }

    fn hash_files(&self) -> Result<std::collections::BTreeMap<String, manifest::FileEntry>, ArtifactError> {
        let mut files = std::collections::BTreeMap::new();
        for entry in fs::read_dir(self.folder()).map_err(ArtifactError::io("list", self.folder()))? {
            let entry = entry.map_err(ArtifactError::io("list", self.folder()))?;
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_file = entry.file_type().map_err(ArtifactError::io("look at", &path))?.is_file();
            if !is_file || !manifest::plain_name(&name) {
                return Err(ArtifactError::FileName(name));
            }
            let file = open_unlinked(&path).map_err(ArtifactError::io("open", &path))?;
            file.sync_all().map_err(ArtifactError::io("sync", &path))?;
            files.insert(name, manifest::hash_file(&path)?);
        }
        Ok(files)
    }

    fn write_manifest(&self, content: &Manifest) -> Result<(), ArtifactError> {
        let path = self.folder().join(MANIFEST_NAME);
        let mut file = create_unlinked(&path).map_err(ArtifactError::io("create", &path))?;
        file.write_all(&content.to_bytes()).map_err(ArtifactError::io("write", &path))?;
        file.sync_all().map_err(ArtifactError::io("sync", &path))?;
        sync_folder(self.folder())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After publishing, the folder has another name and only the lock file is left. Whatever cannot be removed now is
        // removed by the step's next run.
        let _ = fs::remove_dir_all(&self.named);
        if let Some(lock) = self.lock.take() {
            let _ = lock.remove();
        }
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), ArtifactError> {
    File::open(folder).and_then(|open| open.sync_all()).map_err(ArtifactError::io("sync the folder", folder))
}
