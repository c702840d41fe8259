//! Opening files of the data folder: a folder may have come with somebody else's files, so no link is followed and nobody waits.
//!
//! Must not know what the files hold.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

/// Opens a regular file, for what `options` say beside.
///
/// # Errors
/// When a symbolic link or anything else that is not a regular file has the name, or it cannot be opened.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    // A pipe would keep the opener waiting, and a terminal become this process's own.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = options.custom_flags(flags.bits().cast_signed()).open(path);
    let file = opened.map_err(|error| match error.raw_os_error() {
        Some(code) if code == Errno::LOOP.raw_os_error() => refused("it is a symbolic link; remove it"),
        // What a pipe that nobody reads answers to a writer.
        Some(code) if code == Errno::NXIO.raw_os_error() => refused("it is not a regular file; remove it"),
        _ => error,
    })?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(refused("it is not a regular file; remove it")) }
}

fn refused(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, problem)
}

/// Opens a file to read it.
///
/// # Errors
/// When it is not a regular file, or cannot be opened.
pub fn open_to_read(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().read(true))
}

/// Opens a file to read and write it, made when absent and kept as it is when present.
///
/// # Errors
/// As [`open_to_read`].
pub fn open_to_lock(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().read(true).write(true).create(true).truncate(false))
}

/// Opens a file to write behind what it holds, made when absent.
///
/// # Errors
/// As [`open_to_read`].
pub fn open_to_append(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().append(true).create(true))
}

/// Opens a file to write it anew.
///
/// # Errors
/// As [`open_to_read`].
pub fn create(path: &Path) -> io::Result<File> {
    // It is emptied once it is known what it is.
    let file = open(path, OpenOptions::new().write(true).create(true).truncate(false))?;
    file.set_len(0)?;
    Ok(file)
}

/// Reads a file that a process of ours wrote.
///
/// # Errors
/// As [`open_to_read`], and when it has more bytes than `limit`.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_to_read(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it has more than {limit} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every way to open a file.
    const WAYS: [fn(&Path) -> io::Result<File>; 4] = [open_to_read, open_to_lock, open_to_append, create];

    #[test]
    fn links_and_pipes_are_opened_in_no_way_and_nobody_waits_for_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let [victim, link, pipe] = ["victim", "link", "pipe"].map(|name| folder.path().join(name));
        std::fs::write(&victim, "mine").expect("a file");
        std::os::unix::fs::symlink(&victim, &link).expect("a link");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
        assert!(made.success());
        for way in WAYS {
            for path in [&link, &pipe, &folder.path().to_owned()] {
                let error = way(path).expect_err("it is not a regular file").to_string();
                assert!(
                    error.contains("link")
                        || error.contains("not a regular file")
                        || error.contains("directory"),
                    "{error}"
                );
            }
        }
        assert_eq!(std::fs::read_to_string(&victim).expect("it is there"), "mine");
        assert_eq!(read(&victim, 4).expect("it is small"), b"mine");
        assert!(read(&victim, 3).is_err());
    }
}
