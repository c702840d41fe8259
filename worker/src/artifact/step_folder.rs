//! The folder of a step, opened once: what is written there lands in it, whatever its name leads to by then.
//!
//! Owns the way down to it from storage, one part after the other, the path by which an open folder is written to, and whether a name still
//! leads to it. Must not know what is written.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;

use super::error::ArtifactError;
use crate::failure::real_name;

/// Only a place to begin paths at: who may write to a folder need not be allowed to list it. Other systems have no such handles.
#[cfg(target_os = "linux")]
const PLACE: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const PLACE: OFlags = OFlags::empty();

/// An open folder. As long as this is there, so is its path.
#[derive(Clone, Debug)]
pub(crate) struct OpenFolder {
    handle: Arc<File>,
    path: PathBuf,
}

impl OpenFolder {
    /// Opens a folder; where links are not followed, no link to one.
    ///
    /// # Errors
    /// When it is something else, or cannot be opened.
    pub(crate) fn open(folder: &Path, follow: bool) -> io::Result<Self> {
        let link = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
        let flags = PLACE | OFlags::DIRECTORY | link;
        let handle = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(folder)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd()));
        // Without /proc, the name has to do.
        let path = if path.read_link().is_ok() { path } else { folder.to_owned() };
        Ok(Self { handle: Arc::new(handle), path })
    }

    /// Opens a folder below a root, with a relative path that has no `..`, making what is missing. Links below the root are followed.
    ///
    /// # Errors
    /// When it cannot be made or opened, or lies outside the root once links are followed.
    pub(crate) fn make_beneath(root: &Path, relative: &Path) -> Result<Self, ArtifactError> {
        fs::create_dir_all(root).map_err(ArtifactError::io("make the folder", root))?;
        let make = |path: &Path| match fs::create_dir(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(ArtifactError::io("make the folder", path)(error))
            }
            _ => Ok(()),
        };
        Self::beneath(root, relative, make)
    }

    /// The same for a folder that is there; `None` where it is not.
    ///
    /// # Errors
    /// As [`Self::make_beneath`].
    pub(crate) fn find_beneath(root: &Path, relative: &Path) -> Result<Option<Self>, ArtifactError> {
        match Self::beneath(root, relative, |_| Ok(())) {
            Err(ArtifactError::File(error)) if is_absence(&error.source) => Ok(None),
            found => found.map(Some),
        }
    }

    /// Opens a folder in this one, and no link to one, making it where it is missing.
    ///
    /// # Errors
    /// When something else has the name, or it cannot be made or opened.
    pub(crate) fn make(&self, name: &str) -> io::Result<Self> {
        let path = self.path.join(name);
        match fs::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Self::open(&path, false),
        }
    }

    fn beneath(
        root: &Path,
        relative: &Path,
        make: impl Fn(&Path) -> Result<(), ArtifactError>,
    ) -> Result<Self, ArtifactError> {
        let real_root = root.canonicalize().map_err(ArtifactError::io("find", root))?;
        let mut folder = Self::open(root, true).map_err(ArtifactError::io("open the folder", root))?;
        for part in relative.components() {
            let path = folder.path.join(part);
            make(&path)?;
            let next = Self::open(&path, true).map_err(ArtifactError::io("open the folder", &path))?;
            // Where the open folder itself lies, not what its name leads to by now.
            let place = next.path.canonicalize().map_err(ArtifactError::io("find", &path))?;
            if !place.starts_with(&real_root) {
                return Err(ArtifactError::Path {
                    path: relative.display().to_string(),
                    problem: "it passes a symbolic link that leaves the storage folder",
                });
            }
            folder = next;
        }
        Ok(folder)
    }

    /// Whether a name leads to this folder, and not to another one or to nothing. Links on the way are followed.
    pub(crate) fn is_at(&self, name: &Path) -> bool {
        same_folder(self.handle.metadata(), name.metadata())
    }

    /// The path to write by: it leads to this folder, whatever has its name.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether an error says that there is no such folder.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether an open folder, by its path, is still anywhere: one that was removed can be listed for as long as it is open, and is empty.
pub(crate) fn is_anywhere(folder: &Path) -> bool {
    same_folder(folder.metadata(), real_name(folder).symlink_metadata())
}

fn same_folder(open: io::Result<fs::Metadata>, named: io::Result<fs::Metadata>) -> bool {
    let (Ok(open), Ok(named)) = (open, named) else { return false };
    named.is_dir() && (open.dev(), open.ino()) == (named.dev(), named.ino())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use mlpipeline_crds::{Revision, RevisionRule, StepReport};

    use super::super::{Draft, Kept, Kind, Storage, remove_revisions, sweep};
    use super::*;

    /// Storage, and a folder outside of it.
    fn storage() -> (tempfile::TempDir, tempfile::TempDir, Storage) {
        let (root, outside) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let storage = Storage::new(root.path().join("volume"));
        (root, outside, storage)
    }

    /// Puts a link to another folder in the place of one, which gets another name.
    fn exchange(folder: &Path, link_to: &Path) -> PathBuf {
        let moved = folder.with_extension("moved");
        fs::rename(folder, &moved).expect("moved");
        symlink(link_to, folder).expect("a link");
        moved
    }

    fn is_empty(folder: &Path) -> bool {
        fs::read_dir(folder).expect("a folder").next().is_none()
    }

    #[test]
    fn what_is_written_to_a_step_stays_in_its_folder_when_a_link_takes_its_place() {
        let (_root, outside, storage) = storage();
        let folder = storage.step_folder("ns/p/s").expect("made");
        let key = Revision::of(&["key"]);
        let moved = exchange(&storage.root.join("ns/p/s"), outside.path());
        sweep(folder.path());
        let kept = Kept::open(folder.path(), &key).expect("a folder");
        kept.write("a", b"1").expect("written");
        let draft = Draft::begin(folder.path()).expect("a draft");
        draft.write("a.csv", b"a\n1\n").expect("written");
        let published = draft
            .publish(Kind::Dataset, StepReport::succeeded(None), &RevisionRule::Fixed(key.clone()))
            .expect("published");
        assert_eq!(published.folder, moved.canonicalize().expect("there").join(key.as_str()));
        assert_eq!(fs::read(published.folder.join("a.csv")).expect("rows"), b"a\n1\n");
        remove_revisions(folder.path(), &[key], None).expect("removed");
        assert!(is_empty(&moved) && is_empty(outside.path()));
    }

    #[test]
    fn what_is_written_to_a_draft_stays_in_it_when_a_link_takes_its_place() {
        let (_root, outside, storage) = storage();
        let folder = storage.step_folder("ns/p/s").expect("made");
        let draft = Draft::begin(folder.path()).expect("a draft");
        let named = fs::read_dir(folder.path()).expect("a folder").flatten().map(|entry| entry.path());
        let named = named.into_iter().find(|path| path.is_dir()).expect("the draft");
        let moved = exchange(&named, outside.path());
        draft.write("a.csv", b"a\n1\n").expect("written");
        fs::write(draft.path("b.csv").expect("a name"), b"b\n").expect("written");
        assert!(moved.join("a.csv").is_file() && moved.join("b.csv").is_file());
        fs::write(outside.path().join("mine"), "mine").expect("a file");
        drop(draft);
        assert_eq!(fs::read_dir(outside.path()).expect("a folder").count(), 1, "what is there stays");
    }

    #[test]
    fn what_is_kept_of_unfinished_work_stays_in_its_folder_when_a_link_takes_its_place() {
        let (_root, outside, storage) = storage();
        let (folder, key) = (storage.step_folder("ns/p/s").expect("made"), Revision::of(&["key"]));
        fs::write(outside.path().join("mine"), "mine").expect("a file");
        let kept = Kept::open(folder.path(), &key).expect("a folder");
        let moved = exchange(&storage.root.join(format!("ns/p/s/.kept-{key}")), outside.path());
        kept.write("a", b"1").expect("written");
        assert_eq!(fs::read(moved.join("a")).expect("in the folder that was opened"), b"1");
        assert_eq!(kept.read("mine"), None);
        Kept::remove_all(folder.path());
        assert_eq!(fs::read(outside.path().join("mine")).expect("stays"), b"mine");
        assert_eq!(fs::read_dir(outside.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn a_step_folder_behind_a_link_that_leaves_storage_is_refused_and_one_that_stays_is_opened() {
        let (_root, outside, storage) = storage();
        storage.step_folder("ns/p/s").expect("made");
        symlink(outside.path(), storage.root.join("ns/away")).expect("a link");
        symlink("p", storage.root.join("ns/alias")).expect("a link");
        for found in [
            OpenFolder::make_beneath(&storage.root, Path::new("ns/away/s")),
            storage.step_folder("ns/away/s"),
        ] {
            let refused = found.expect_err("outside").to_string();
            assert!(refused.contains("leaves the storage folder"), "{refused}");
        }
        assert!(is_empty(outside.path()));
        storage.step_folder("ns/alias/t").expect("made");
        assert!(storage.root.join("ns/p/t").is_dir());
        assert!(storage.find_step_folder("ns/p/s").expect("looked for").is_some());
        assert!(storage.find_step_folder("ns/p/none").expect("looked for").is_none());
        assert!(storage.find_step_folder("none/p/s").expect("looked for").is_none());
    }

    #[test]
    fn messages_name_the_folder_and_not_its_handle() {
        let (_root, _outside, storage) = storage();
        let folder = storage.step_folder("ns/p/s").expect("made");
        fs::write(storage.root.join("ns/p/s/.kept-x"), "").expect("a file");
        fs::create_dir(storage.root.join("ns/p/s/taken")).expect("a folder");
        let error = fs::File::create(folder.path().join("taken")).expect_err("a folder");
        let error = ArtifactError::io("create", &folder.path().join("taken"))(error).to_string();
        let real = storage.root.canonicalize().expect("there").join("ns/p/s/taken");
        assert!(error.contains(&real.display().to_string()) && !error.contains("/proc"), "{error}");
    }
}
