//! Storage: the folder that artifacts live in, and the paths that may be opened in it.

use std::path::{Component, Path, PathBuf};

use super::error::ArtifactError;
use super::step_folder::OpenFolder;

/// Where a worker reads and writes.
#[derive(Clone, Debug)]
pub struct Storage {
    /// The volume's folder: namespace/pipeline/step/revision lie below it.
    pub root: PathBuf,
    /// A second folder, only read, for `file:` URIs that name nothing on the volume: on a laptop, the folder of the YAML.
    pub files: Option<PathBuf>,
}

impl Storage {
    /// Storage in one folder.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), files: None }
    }

    /// The folder of an artifact, or of a step, from its path relative to storage.
    ///
    /// # Errors
    /// When the path is empty or absolute, has a part like `..`, or passes a symbolic link that leaves the storage folder.
    pub fn artifact_dir(&self, path: &str) -> Result<PathBuf, ArtifactError> {
        confined(&self.root, path)
    }

    /// Opens the folder of an artifact to read there, from its path relative to storage: whatever takes its place meanwhile is not read.
    ///
    /// # Errors
    /// As [`Self::artifact_dir`], and [`ArtifactError::Missing`] where there is none.
    pub(crate) fn artifact(&self, path: &str) -> Result<OpenFolder, ArtifactError> {
        let folder = self.find_step_folder(path)?;
        folder.ok_or_else(|| ArtifactError::Missing(self.root.join(path)))
    }

    /// Opens the folder of a step to write there, from its path relative to storage, making it where it is missing.
    ///
    /// # Errors
    /// As [`Self::artifact_dir`], and when it cannot be made or opened.
    pub(crate) fn step_folder(&self, path: &str) -> Result<OpenFolder, ArtifactError> {
        self.artifact_dir(path)?;
        OpenFolder::make_beneath(&self.root, &relative(path)?)
    }

    /// Opens the folder of a step that is there; `None` where it is not.
    ///
    /// # Errors
    /// As [`Self::step_folder`].
    pub(crate) fn find_step_folder(&self, path: &str) -> Result<Option<OpenFolder>, ArtifactError> {
        self.artifact_dir(path)?;
        OpenFolder::find_beneath(&self.root, &relative(path)?)
    }

    /// The folders in which `file:` URIs are looked up, in this order.
    pub fn file_roots(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.root.as_path()).chain(self.files.as_deref())
    }
}

/// Joins a relative path to a root, refusing what would leave the root.
///
/// # Errors
/// As [`Storage::artifact_dir`].
pub(crate) fn confined(root: &Path, path: &str) -> Result<PathBuf, ArtifactError> {
    let joined = root.join(relative(path)?);
    refuse_escape(root, &joined, path)?;
    Ok(joined)
}

/// The parts of a relative path, without those that lead nowhere.
fn relative(path: &str) -> Result<PathBuf, ArtifactError> {
    let refused = |problem| ArtifactError::Path { path: path.to_owned(), problem };
    if path.contains('\0') {
        return Err(refused("it has a NUL character"));
    }
    let mut relative = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => relative.push(name),
            Component::CurDir => {}
            Component::ParentDir => return Err(refused("it has a part \"..\"")),
            Component::RootDir | Component::Prefix(_) => return Err(refused("it is absolute")),
        }
    }
    if relative.as_os_str().is_empty() {
        return Err(refused("it is empty"));
    }
    Ok(relative)
}

/// Refuses a path whose existing part, once symbolic links are followed, lies outside the root.
pub(crate) fn refuse_escape(root: &Path, joined: &Path, path: &str) -> Result<(), ArtifactError> {
    let Ok(root) = root.canonicalize() else {
        // No root, so no links in it; opening will say that it is missing.
        return Ok(());
    };
    for ancestor in joined.ancestors() {
        if ancestor.symlink_metadata().is_err() {
            continue;
        }
        return match ancestor.canonicalize() {
            Ok(real) if real.starts_with(&root) => Ok(()),
            Ok(_) => Err(ArtifactError::Path {
                path: path.to_owned(),
                problem: "it passes a symbolic link that leaves the storage folder",
            }),
            Err(_) => Err(ArtifactError::Path {
                path: path.to_owned(),
                problem: "it passes a symbolic link that leads nowhere",
            }),
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_the_place_of_an_artifact_that_was_opened_is_not_read() {
        let [root, outside] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        for (folder, text) in [(root.path().join("a"), "ours"), (outside.path().to_owned(), "theirs")] {
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(folder.join("manifest.json"), text).expect("a file");
        }
        let storage = Storage::new(root.path());
        let open = storage.artifact("a").expect("an artifact");
        std::fs::rename(root.path().join("a"), root.path().join("b")).expect("renamed");
        std::os::unix::fs::symlink(outside.path(), root.path().join("a")).expect("a link");
        let read = std::fs::read_to_string(open.path().join("manifest.json")).expect("a manifest");
        assert_eq!(read, "ours");
        assert!(storage.artifact("a").expect_err("a link").to_string().contains("is refused"));
        for missing in ["c", "b/manifest.json/c"] {
            let error = storage.artifact(missing).expect_err(missing);
            assert!(matches!(error, ArtifactError::Missing(_)), "{error}");
        }
    }

    #[test]
    fn paths_stay_below_the_root() {
        let root = tempfile::tempdir().expect("a folder");
        let storage = Storage::new(root.path());
        std::fs::create_dir(root.path().join("inside")).expect("a folder");
        std::os::unix::fs::symlink("/etc", root.path().join("outside")).expect("a link");
        std::os::unix::fs::symlink("inside", root.path().join("alias")).expect("a link");
        std::os::unix::fs::symlink("nowhere", root.path().join("dangling")).expect("a link");
        for good in ["a", "a/b/c/0123456789ab", "./a", "alias/x", "inside", "a..b/..c"] {
            assert!(storage.artifact_dir(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/../b", "/etc", "outside/passwd", "outside", "a\0b", "../x", "dangling"]
        {
            let error = storage.artifact_dir(bad).expect_err(bad).to_string();
            assert!(error.contains("is refused"), "{bad}: {error}");
        }
    }
}
