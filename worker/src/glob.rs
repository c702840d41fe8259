//! Paths in which `*` stands for any part of a name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::artifact::{ArtifactError, confined, refuse_escape};

/// Whether a file may be a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// Yes, to a file below the root.
    Follow,
    /// No: it is as if it were not there.
    Skip,
}

/// The regular files below a root that a relative pattern names, in the order of their paths. Names that begin with a dot
/// are matched only by patterns that begin with one.
///
/// # Errors
/// When the pattern could leave the root, or a link does, or a link that is to be followed leads nowhere.
pub(crate) fn expand(root: &Path, pattern: &str, links: Links) -> Result<Vec<PathBuf>, ArtifactError> {
    // The rules for plain paths hold for patterns too: `*` matches a part of one name, never a separator.
    confined(root, pattern)?;
    let mut found = vec![root.to_owned()];
    for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
        let mut next = Vec::new();
        for folder in &found {
            next.extend(step(folder, part)?);
        }
        found = next;
        // A link to a file that is gone would be rows that are missing, and nobody would know.
        if let Some(link) = found.iter().find(|path| links == Links::Follow && is_dangling(path)) {
            return Err(ArtifactError::Dangling(link.clone()));
        }
    }
    let mut files = Vec::with_capacity(found.len());
    for path in found {
        let metadata = match links {
            Links::Follow => path.metadata(),
            Links::Skip => path.symlink_metadata(),
        };
        if known(metadata, &path)?.is_some_and(|found| found.is_file()) {
            files.push(path);
        }
    }
    let mut found = files;
    found.sort();
    for path in &found {
        refuse_escape(root, path, pattern)?;
    }
    Ok(found)
}

fn is_dangling(path: &Path) -> bool {
    path.is_symlink() && !path.exists()
}

/// What was found; `None` where nothing is, or nothing that this user may see. A disk that does not answer has not said so: rows would be
/// missing, and nobody would know.
///
/// # Errors
/// What else the operating system answers.
pub(crate) fn known<T>(found: io::Result<T>, path: &Path) -> Result<Option<T>, ArtifactError> {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound, PermissionDenied};
    let is_loop = |error: &io::Error| error.raw_os_error() == Some(Errno::LOOP.raw_os_error());
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error)
            if matches!(error.kind(), NotFound | NotADirectory | InvalidFilename | PermissionDenied)
                || is_loop(&error) =>
        {
            Ok(None)
        }
        Err(error) => Err(ArtifactError::io("look at", path)(error)),
    }
}

fn step(folder: &Path, part: &str) -> Result<Vec<PathBuf>, ArtifactError> {
    if !part.contains('*') {
        let path = folder.join(part);
        return Ok(known(path.metadata(), &path)?.map(|_| path).into_iter().collect());
    }
    let hidden = part.starts_with('.');
    let mut paths = Vec::new();
    for entry in known(fs::read_dir(folder), folder)?.into_iter().flatten() {
        let entry = entry.map_err(ArtifactError::io("list", folder))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if (hidden || !name.starts_with('.')) && matches(part, &name) {
            paths.push(folder.join(name));
        }
    }
    Ok(paths)
}

/// Whether a name fits a pattern. Takes time in proportion to the product of both lengths at most.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = rest.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_disk_that_does_not_answer_is_more_than_nothing() {
        let path = Path::new("in");
        let answer = |errno: Errno| known::<()>(Err(errno.into()), path);
        for errno in [Errno::NOENT, Errno::NOTDIR, Errno::NAMETOOLONG, Errno::ACCESS, Errno::LOOP] {
            assert!(matches!(answer(errno), Ok(None)), "{errno}");
        }
        for errno in [Errno::IO, Errno::MFILE, Errno::NFILE, Errno::STALE] {
            let error = crate::failure::StepError::from(answer(errno).expect_err("no answer"));
            assert_eq!(error.exit_code.code(), 4, "{errno}");
        }
    }

    #[test]
    fn a_star_stands_for_any_part_of_a_name() {
        for (pattern, name, fits) in [
            ("*", "a", true),
            ("*.csv", "a.csv", true),
            ("*.csv", "a.csv.gz", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "aXXbYYc", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("x", "x", true),
            ("x", "xy", false),
            ("**", "", true),
            ("part-*-of-*", "part-1-of-2", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn files_come_sorted_and_folders_and_hidden_files_do_not_come() {
        let root = tempfile::tempdir().expect("a folder");
        for name in ["in/b.csv", "in/a.csv", "in/.c.csv", "in/d.txt", "other/a.csv"] {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, "x").expect("a file");
        }
        fs::create_dir(root.path().join("in/e.csv")).expect("a folder");
        let names = |pattern: &str| -> Vec<String> {
            let found = expand(root.path(), pattern, Links::Follow).expect(pattern);
            found
                .iter()
                .map(|path| path.strip_prefix(root.path()).expect("below").display().to_string())
                .collect()
        };
        assert_eq!(names("in/*.csv"), ["in/a.csv", "in/b.csv"]);
        assert_eq!(names("*/a.csv"), ["in/a.csv", "other/a.csv"]);
        assert_eq!(names("in/d.txt"), ["in/d.txt"]);
        assert_eq!(names("nothing/*"), [""; 0]);
        assert!(expand(root.path(), "../*", Links::Follow).is_err());
        std::os::unix::fs::symlink("/etc/hostname", root.path().join("in/z.csv")).expect("a link");
        assert!(expand(root.path(), "in/*.csv", Links::Follow).is_err());
        assert_eq!(expand(root.path(), "in/*.csv", Links::Skip).expect("files").len(), 2);
        std::os::unix::fs::symlink("nowhere", root.path().join("other/gone.csv")).expect("a link");
        let error = expand(root.path(), "other/*.csv", Links::Follow).expect_err("a link to nothing");
        let said = error.to_string();
        assert!(said.contains("other/gone.csv is a symbolic link to nowhere"), "{said}");
        assert_eq!(expand(root.path(), "other/*.csv", Links::Skip).expect("files").len(), 1);
        assert_eq!(expand(root.path(), "other/a*.csv", Links::Follow).expect("files").len(), 1);
    }
}
