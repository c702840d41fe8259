//! What can go wrong with artifacts and the storage they lie on.

use std::io;
use std::path::{Path, PathBuf};

use mlpipeline_crds::{Digest, ExitCode, Revision};

use crate::failure::{Failure, FileError};

/// A failure of storage or of what lies on it.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The path leaves storage, or could.
    #[error(
        "path \"{path}\" is refused: {problem}; give a path below the storage folder, like namespace/pipeline/step"
    )]
    Path {
        /// As it was given.
        path: String,
        /// The rule that it breaks.
        problem: &'static str,
    },
    /// A symbolic link that a pattern names leads to nothing.
    #[error("{} is a symbolic link to {}, and nothing is there; remove the link, or bring the file back", .0.display(), target_of(.0))]
    Dangling(PathBuf),
    /// There is no complete artifact in the folder.
    #[error("no artifact at {}: it has no {}{}", .0.display(), super::names::MANIFEST_NAME, why_missing(.0))]
    Missing(PathBuf),
    /// What is in the folder is not what its manifest says.
    #[error("artifact {} is damaged: {problem}; remove the folder, or change the step's rerun token, to make it again", .folder.display())]
    Damaged {
        /// The artifact's folder.
        folder: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// It is whole, and it is another one than its step reported.
    #[error(
        "artifact {} is not the one that its step reported: its digest is {found}, and that of the reported one is {expected}. \
         Somebody replaced it. Change the rerun token of step \"{}\" to make it again, and find out who can write to the volume",
        .folder.display(), step_of(.folder)
    )]
    Replaced {
        /// The artifact's folder.
        folder: PathBuf,
        /// The digest of what is there.
        found: Digest,
        /// The digest that the step reported.
        expected: Digest,
    },
    /// Written by a newer worker.
    #[error("artifact {} has format version {found}, and this worker reads versions up to {}; use a newer worker image", .folder.display(), super::names::MANIFEST_VERSION)]
    Version {
        /// The artifact's folder.
        folder: PathBuf,
        /// Its version.
        found: u64,
    },
    /// A file's name that has no place in an artifact.
    #[error(
        "\"{0}\" cannot name a file of an artifact: use a plain file name that does not begin with a dot"
    )]
    FileName(String),
    /// The path of a new artifact is taken by something else.
    #[error("{} is there already, and is not of this kind; name another folder, or remove it", .0.display())]
    Taken(PathBuf),
    /// A file beside those of the artifact that would be replaced.
    #[error("{name} in {} is not a file of what was made there, and would be gone with it; move it, or name another folder", .folder.display())]
    Foreign {
        /// The artifact's folder.
        folder: PathBuf,
        /// The file's name.
        name: String,
    },
    /// The action was asked to stop before its result had its name.
    #[error("stopped before it was done; nothing was published")]
    Stopped,
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What a link names.
fn target_of(link: &Path) -> String {
    std::fs::read_link(link).map_or_else(|_| "nothing".to_owned(), |target| target.display().to_string())
}

/// What may have become of the result of a step; nothing where a folder is not one of a step's.
fn why_missing(folder: &Path) -> String {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let step = step_of(folder);
    if step.is_empty() || Revision::parse(name).is_err() {
        return String::new();
    }
    format!(
        ". Step \"{step}\" has not finished; or, where its status is Done, the volume was emptied or exchanged since: change the step's rerun \
         token to make it again"
    )
}

/// The name of the step whose artifact lies in a folder: namespace/pipeline/step/revision.
fn step_of(folder: &Path) -> String {
    let name = folder.parent().and_then(Path::file_name);
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

impl ArtifactError {
    /// For `map_err`: names what was tried on which file.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        FileError::on::<Self>(action, path)
    }
}

impl Failure for ArtifactError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Path { .. } | Self::FileName(_) | Self::Taken(_) | Self::Foreign { .. } => {
                ExitCode::WrongSpec
            }
            Self::Dangling(_) | Self::Damaged { .. } | Self::Replaced { .. } | Self::Version { .. } => {
                ExitCode::WrongData
            }
            // A volume that is not mounted yet, or a network file system that lags, looks like this too.
            Self::Missing(_) => ExitCode::StorageUnavailable,
            Self::Stopped => ExitCode::Internal,
            Self::File(error) => error.exit_code(),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Path { .. } => "PathRefused",
            Self::Dangling(_) => "DataNotFound",
            Self::Missing(_) => "ArtifactMissing",
            Self::Damaged { .. } => "ArtifactDamaged",
            Self::Replaced { .. } => "ArtifactReplaced",
            Self::Version { .. } => "ArtifactVersion",
            Self::FileName(_) => "FileNameRefused",
            Self::Taken(_) | Self::Foreign { .. } => "FolderTaken",
            Self::Stopped => "Stopped",
            Self::File(error) => error.reason(),
        }
    }
}
