//! What the operating system refused to do with a file, and what a person can do about it.

use std::io;
use std::path::{Path, PathBuf};

use mlpipeline_crds::ExitCode;

use super::Failure;
use crate::scratch_name::is_on_scratch;

/// Where Linux shows the open files of this process.
const HANDLES: &str = "/proc/self/fd";

/// What messages call the place where a process prints to, in place of a path.
pub(crate) const STANDARD_OUTPUT: &str = "standard output";

/// An answer of the operating system about a file or folder.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}{}", .path.display(), advice(.action, .path, .source))]
pub struct FileError {
    /// What was tried.
    pub action: &'static str,
    /// On which file or folder.
    pub path: PathBuf,
    /// The answer.
    pub source: io::Error,
}

impl FileError {
    /// For `map_err`: names what was tried on which file.
    pub fn on<E: From<Self>>(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> E {
        let path = path.to_owned();
        move |source| Self { action, path: real_name(&path), source }.into()
    }
}

/// The name of what a path leads to that begins at an open folder: people know no handles of this process.
pub(crate) fn real_name(path: &Path) -> PathBuf {
    let Ok(below) = path.strip_prefix(HANDLES) else { return path.to_owned() };
    let mut parts = below.components();
    let folder = parts.next().map(|handle| Path::new(HANDLES).join(handle));
    let folder = folder.and_then(|handle| handle.read_link().ok());
    match folder {
        // A path that ends in / has another meaning.
        Some(folder) if parts.as_path().as_os_str().is_empty() => folder,
        Some(folder) => folder.join(parts.as_path()),
        None => path.to_owned(),
    }
}

impl Failure for FileError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::StorageUnavailable
    }

    fn reason(&self) -> &'static str {
        storage_reason(&self.source)
    }
}

/// The reason, for reports, of an answer of the operating system.
#[must_use]
pub(crate) fn storage_reason(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "StorageFull"
        }
        io::ErrorKind::ReadOnlyFilesystem => "StorageReadOnly",
        io::ErrorKind::PermissionDenied => "StorageDenied",
        io::ErrorKind::BrokenPipe => "PipeClosed",
        _ => "StorageUnavailable",
    }
}

/// Whether the same call may succeed later, since nothing is wrong with the name, the file's kind, its content, or who may read it.
#[must_use]
pub(crate) fn is_transient(error: &io::Error) -> bool {
    use io::ErrorKind::{
        InvalidData, InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied,
        UnexpectedEof,
    };
    let lasting = matches!(
        error.kind(),
        NotFound
            | PermissionDenied
            | InvalidData
            | InvalidInput
            | InvalidFilename
            | IsADirectory
            | NotADirectory
            | UnexpectedEof
    );
    !lasting && error.raw_os_error().is_some()
}

/// What to do about an answer of the operating system; empty where there is nothing more to say.
fn advice(action: &str, path: &Path, error: &io::Error) -> &'static str {
    match storage_reason(error) {
        "StorageFull" if error.kind() == io::ErrorKind::FileTooLarge => {
            "; raise the limit of a file's size (ulimit -f). What was there stays as it was"
        }
        "StorageFull" if path == Path::new(STANDARD_OUTPUT) => {
            "; free some space where standard output is written to, or write it elsewhere"
        }
        "StorageFull" if is_on_scratch(path) || action.contains("scratch") => {
            "; free some space there, or name a larger folder (--scratch, TMPDIR; in a pod, a larger volume or limit of ephemeral storage)"
        }
        "StorageFull" => {
            "; free some space, enlarge the volume, or lower the pipeline's history. What was there stays as it was"
        }
        "StorageReadOnly" => "; mount the volume for writing. What was there stays as it was",
        "StorageDenied" => {
            "; let this user write there, for example with the pod's fsGroup. What was there stays as it was"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_place_is_named_with_what_helps_there() {
        for (path, part, other) in [
            ("/data/ns/pipe/data/.draft-1/data.csv", "enlarge the volume", "--scratch"),
            ("/tmp/mlpipeline-scratch-aB3dE6/download-1", "--scratch", "enlarge the volume"),
            ("standard output", "where standard output is written to", "volume"),
        ] {
            let full = io::Error::from_raw_os_error(28);
            let error = FileError::on::<FileError>("write", Path::new(path))(full).to_string();
            assert!(error.contains(path) && error.contains(part) && !error.contains(other), "{error}");
        }
    }

    #[test]
    fn a_file_in_an_open_folder_is_called_by_its_name() {
        use std::os::fd::AsRawFd;
        let folder = tempfile::tempdir().expect("a folder");
        let open = std::fs::File::open(folder.path()).expect("a folder");
        let path = Path::new(HANDLES).join(open.as_raw_fd().to_string()).join("data.csv");
        assert_eq!(real_name(&path), folder.path().canonicalize().expect("a folder").join("data.csv"));
    }
}
