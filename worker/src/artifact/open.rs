//! Opening files that others can write: the file that was checked is the one that is read.
//!
//! A name on a volume is anybody's who can write there, and may lead elsewhere between two looks at it. So a file is opened first, and
//! its handle is checked. Nothing here waits: a FIFO in the place of a file is refused, and so is a device.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::error::ArtifactError;

/// Which file it is, whatever its name leads to later, and how it was when it was looked at: another size or time means that it was
/// written to since. The time of its last change is set by the clock of the machine and by nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileVersion {
    device: u64,
    inode: u64,
    size: u64,
    /// When its content was last written, in seconds and nanoseconds.
    modified: (i64, i64),
    /// When anything about it last changed.
    changed: (i64, i64),
}

impl FileVersion {
    /// That of an open file.
    ///
    /// # Errors
    /// What the operating system answers.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let found = file.metadata()?;
        Ok(Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

/// Options with which opening waits for nobody, and follows a link at the end of a path only where that is asked for.
pub(super) fn options(follow: bool) -> OpenOptions {
    let link = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | link;
    let mut options = OpenOptions::new();
    options.custom_flags(flags.bits().cast_signed());
    options
}

/// Opens a regular file to read it.
///
/// # Errors
/// When it is not one, or cannot be opened.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    regular(options(true).read(true).open(path)?)
}

/// Opens a folder, and no link to one.
///
/// # Errors
/// When it is something else, or cannot be opened.
pub(crate) fn open_folder(path: &Path) -> io::Result<File> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Opens a regular file to read it, of a folder in which there are no links.
///
/// # Errors
/// As [`open_regular`], and when it is a symbolic link.
pub(crate) fn open_unlinked(path: &Path) -> io::Result<File> {
    unlinked(path, options(false).read(true))
}

fn unlinked(path: &Path, options: &OpenOptions) -> io::Result<File> {
    let file = options.open(path).map_err(|error| match error.raw_os_error() {
        Some(code) if code == Errno::LOOP.raw_os_error() => {
            io::Error::new(io::ErrorKind::InvalidInput, "it is a symbolic link")
        }
        _ => error,
    })?;
    regular(file)
}

/// Creates a regular file of a folder in which there are no links, or empties the one that is there.
///
/// # Errors
/// When a symbolic link or anything else that is not a regular file has the name, or it cannot be created.
pub(crate) fn create_unlinked(path: &Path) -> io::Result<File> {
    unlinked(path, options(false).write(true).create(true).truncate(true))
}

/// Reads a small file of a folder in which there are no links.
///
/// # Errors
/// As [`open_unlinked`], and when it has more bytes than `limit`.
pub(crate) fn read_small(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_unlinked(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it has more than {limit} bytes")));
    }
    Ok(bytes)
}

/// Opens a regular file below a root to read it. Links below the root are followed.
///
/// # Errors
/// When it is not a regular file, cannot be opened, or lies outside the root once links are followed.
pub(crate) fn open_beneath(root: &Path, path: &Path) -> Result<File, ArtifactError> {
    let file = open_regular(path).map_err(ArtifactError::io("open", path))?;
    // Where the open file itself lies, not what its name leads to by now. Without /proc, the name has to do.
    let place = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))
        .or_else(|_| path.canonicalize())
        .map_err(ArtifactError::io("find", path))?;
    let root = root.canonicalize().map_err(ArtifactError::io("find", root))?;
    if place.starts_with(&root) {
        return Ok(file);
    }
    Err(ArtifactError::Path {
        path: path.display().to_string(),
        problem: "it passes a symbolic link that leaves the storage folder",
    })
}

fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    fn root() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::write(root.path().join("good"), "rows").expect("a file");
        root
    }

    #[test]
    fn what_lies_outside_the_root_is_refused_whatever_links_lead_to_it() {
        let root = root();
        symlink("/proc/self/environ", root.path().join("environ")).expect("a link");
        symlink("/etc", root.path().join("etc")).expect("a link");
        symlink("good", root.path().join("alias")).expect("a link");
        for bad in ["environ", "etc/passwd"] {
            let error = open_beneath(root.path(), &root.path().join(bad)).expect_err(bad).to_string();
            assert!(error.contains("leaves the storage folder"), "{error}");
        }
        for good in ["good", "alias"] {
            open_beneath(root.path(), &root.path().join(good)).expect(good);
        }
        assert!(open_unlinked(&root.path().join("alias")).is_err());
        assert!(create_unlinked(&root.path().join("alias")).is_err());
        assert_eq!(std::fs::read(root.path().join("good")).expect("read"), b"rows");
        create_unlinked(&root.path().join("good")).expect("emptied");
        assert_eq!(std::fs::read(root.path().join("good")).expect("read"), b"");
    }

    #[test]
    fn pipes_devices_and_folders_are_refused_at_once() {
        let root = root();
        let pipe = root.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
        for path in [pipe.as_path(), Path::new("/dev/zero"), root.path()] {
            for opened in [open_regular(path), open_unlinked(path)] {
                let error = opened.expect_err("not a file").to_string();
                assert!(error.contains("not a regular file"), "{error}");
            }
        }
    }

    #[test]
    fn a_small_file_is_read_up_to_its_limit() {
        let root = root();
        assert_eq!(read_small(&root.path().join("good"), 4).expect("read"), b"rows");
        assert!(read_small(&root.path().join("good"), 3).is_err());
    }
}
