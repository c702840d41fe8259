//! Which files there are to take.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use mlpipeline_crds::DataSource;

use super::ContinuousError;
use super::entries::modified;
use crate::artifact::{ArtifactError, OpenFolder};
use crate::failure::StepError;
use crate::glob::{Links, expand};

/// Ends of the names of files that somebody is still writing.
const UNFINISHED: [&str; 2] = [".tmp", ".part"];

/// A file that was not changed for so long is whole, however seldom it was seen.
const SETTLED: Duration = Duration::from_secs(60);

/// A pattern of paths on storage.
#[derive(Debug)]
pub(super) struct Watch {
    root: PathBuf,
    pattern: String,
    /// Whether files come by a rename when they are whole.
    whole: bool,
    /// The size and time of each file that was there at the last look.
    seen: Mutex<HashMap<PathBuf, Option<(u64, SystemTime)>>>,
}

impl Watch {
    /// Watches what a source names. The folder of the pattern is made where it is missing, so that others can write there.
    /// Files that do not come `whole` are taken when their size and time stand still from one look to the next.
    pub(super) fn of(source: &DataSource, root: &Path, whole: bool) -> Result<Self, StepError> {
        let pattern = match source {
            DataSource::Uri { uri, .. } => uri.strip_prefix("file:"),
            DataSource::Artifact { .. } => None,
        };
        let Some(pattern) = pattern else {
            let text = "a continuous step watches file:PATH on storage, and its input is something else";
            return Err(ContinuousError::Source(text.to_owned()).into());
        };
        let watch =
            Self { root: root.to_owned(), pattern: pattern.to_owned(), whole, seen: Mutex::default() };
        // Refuses a pattern that leaves storage, before anything is made there.
        expand(root, pattern, Links::Skip)?;
        let parts: Vec<&str> = pattern.split('/').collect();
        let (_, folders) = parts.split_last().unwrap_or((&"", &[]));
        let plain: PathBuf = folders.iter().take_while(|part| !part.contains('*')).collect();
        OpenFolder::make_beneath(root, &plain)?;
        Ok(watch)
    }

    /// The files to take, oldest first. Left out are files whose names begin with a dot or end with .tmp or .part: these are
    /// being written, and get another name when they are whole. So are files that changed since the last look, and symbolic links.
    pub(super) fn files(&self) -> Result<Vec<PathBuf>, ArtifactError> {
        let mut files = expand(&self.root, &self.pattern, Links::Skip)?;
        files.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            !name.starts_with('.') && !UNFINISHED.iter().any(|end| name.ends_with(end))
        });
        if !self.whole {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let now: HashMap<PathBuf, _> =
                files.iter().map(|path| (path.clone(), size_and_time(path))).collect();
            files.retain(|path| {
                let found = now.get(path).copied().flatten();
                let is_old = |(_, time): (u64, SystemTime)| time.elapsed().is_ok_and(|age| age >= SETTLED);
                found.is_some_and(is_old) || (found.is_some() && seen.get(path).copied().flatten() == found)
            });
            *seen = now;
        }
        files.sort_by_cached_key(|path| (modified(path), path.clone()));
        Ok(files)
    }
}

fn size_and_time(path: &Path) -> Option<(u64, SystemTime)> {
    let found = path.symlink_metadata().ok()?;
    Some((found.len(), found.modified().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_oldest_first_and_unfinished_ones_do_not_come() {
        let root = tempfile::tempdir().expect("a folder");
        let uri = |uri: &str| DataSource::Uri {
            uri: uri.into(),
            format: None,
            columns: Vec::new(),
            pattern: None,
            on_mismatch: None,
            reading: None,
            sha256: None,
            credentials: None,
        };
        let watch = Watch::of(&uri("file:inbox/new/*"), root.path(), false).expect("a watch");
        let inbox = root.path().join("inbox/new");
        let now = std::time::SystemTime::now();
        for (age, name) in
            [(1, "b.csv"), (2, "c.csv"), (2, "a.csv"), (3, ".d.csv"), (4, "e.csv.part"), (5, "f.tmp")]
        {
            let file = std::fs::File::create(inbox.join(name)).expect("a file");
            let time = now - std::time::Duration::from_secs(100 * age);
            file.set_modified(time).expect("a time");
        }
        std::os::unix::fs::symlink("/etc/hostname", inbox.join("link.csv")).expect("a link");
        assert_eq!(names(&watch), ["a.csv", "c.csv", "b.csv"]);
        assert!(Watch::of(&uri("file:../x/*"), root.path(), false).is_err());
        assert!(Watch::of(&uri("http://example.com/x"), root.path(), false).is_err());
    }

    fn names(watch: &Watch) -> Vec<String> {
        let files = watch.files().expect("files");
        files.iter().map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_file_that_grows_is_taken_when_it_stands_still() {
        let root = tempfile::tempdir().expect("a folder");
        let source = DataSource::Uri {
            uri: "file:inbox/*".into(),
            format: None,
            columns: Vec::new(),
            pattern: None,
            on_mismatch: None,
            reading: None,
            sha256: None,
            credentials: None,
        };
        let watch = Watch::of(&source, root.path(), false).expect("a watch");
        let path = root.path().join("inbox/a.csv");
        std::fs::write(&path, "a\n").expect("a file");
        assert!(names(&watch).is_empty(), "it was just written");
        std::fs::write(&path, "a\n1\n").expect("more of it");
        assert!(names(&watch).is_empty(), "it has grown");
        assert_eq!(names(&watch), ["a.csv"]);
        // What another step publishes is whole when it is there.
        let whole = Watch::of(&source, root.path(), true).expect("a watch");
        assert_eq!(names(&whole), ["a.csv"]);
    }
}
