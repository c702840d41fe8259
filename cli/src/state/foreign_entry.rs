//! What a data folder must not hold: links, and anything else that is neither a regular file nor a folder.
//!
//! A data folder may have come with somebody else's files: git and archives keep links. A link in it would lead what is read and written
//! there elsewhere on this machine, and into the containers that the volume is mounted in. Below the volume only the folders that lead to
//! the results are looked at: what containers keep in their results is theirs, and whoever reads it follows no link out of the volume.

use std::fs::{self, FileType};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::Store;

/// The data folder of those who name none. Then it comes with the files beside it, and is no link either.
const DEFAULT: &str = ".mlpipeline";

/// Why a data folder is not used.
#[derive(Debug, thiserror::Error)]
pub enum ForeignEntry {
    /// The folder that nobody named leads elsewhere.
    #[error("{path} is a symbolic link; remove it, or name the folder that you mean with --data-dir")]
    LinkedDefault {
        /// The folder.
        path: PathBuf,
    },
    /// Something in it is neither a regular file nor a folder.
    #[error(
        "{path} is {kind}; a data folder holds regular files and folders only, because anything else could lead out of it: remove it, or set another --data-dir"
    )]
    Kind {
        /// Where.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// It cannot be looked at.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Looks for what a data folder must not hold, before anything of it is read or written.
///
/// # Errors
/// The first entry that is refused.
pub(super) fn check(store: &Store) -> Result<(), ForeignEntry> {
    if store.data == Path::new(DEFAULT) && kind(&store.data)?.is_some_and(|kind| kind.is_symlink()) {
        return Err(ForeignEntry::LinkedDefault { path: store.data.clone() });
    }
    for folder in [&store.artifacts, &store.state] {
        // From the data folder down, since what lies behind a link says nothing.
        let parts: Vec<&Path> = folder.ancestors().take_while(|part| *part != store.data).collect();
        for part in parts.into_iter().rev() {
            let is_folder = refuse(part)?;
            if !is_folder {
                break;
            }
        }
    }
    entries(&store.artifacts)?.iter().try_for_each(|step| refuse(step).map(|_| ()))?;
    let mut folders = vec![store.state.clone()];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder)? {
            if refuse(&path)? {
                folders.push(path);
            }
        }
    }
    Ok(())
}

/// Whether a folder is there; what is neither that nor a regular file is refused.
fn refuse(path: &Path) -> Result<bool, ForeignEntry> {
    let Some(found) = kind(path)? else { return Ok(false) };
    if found.is_dir() || found.is_file() {
        return Ok(found.is_dir());
    }
    let kind = if found.is_symlink() {
        "a symbolic link"
    } else if found.is_fifo() {
        "a pipe"
    } else if found.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    Err(ForeignEntry::Kind { path: path.to_owned(), kind })
}

fn kind(path: &Path) -> Result<Option<FileType>, ForeignEntry> {
    match path.symlink_metadata() {
        Ok(found) => Ok(Some(found.file_type())),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(source) => Err(ForeignEntry::Unreadable { path: path.to_owned(), source }),
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, ForeignEntry> {
    let unreadable = |source| ForeignEntry::Unreadable { path: folder.to_owned(), source };
    let found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(unreadable(error)),
    };
    found.map(|entry| entry.map(|entry| entry.path()).map_err(unreadable)).collect()
}
