//! The file that a standalone command writes: there as a whole, or as it was before.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use mlpipeline_crds::Compression;

use crate::artifact::{ArtifactError, DraftFile, create_unlinked, sync_folder};
use crate::failure::StepError;
use crate::table::{TableError, compress};

/// A file that is being written beside its final place.
#[derive(Debug)]
pub struct OutFile {
    target: PathBuf,
    folder: PathBuf,
    draft: DraftFile,
}

impl OutFile {
    /// Begins the file for this path. A link is followed; what is there stays until [`OutFile::publish`].
    ///
    /// # Errors
    /// When the folder cannot be written, or the path is that of a device, a pipe or a folder, which must not be replaced.
    pub fn begin(path: &Path) -> Result<Self, StepError> {
        let target = match path.canonicalize() {
            Ok(target) => target,
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(ArtifactError::io("look at", path)(error).into()),
        };
        if target.exists() && !target.is_file() {
            let text = format!(
                "{} is not a regular file, and would be replaced by one; write to -, and redirect standard output",
                path.display()
            );
            return Err(TableError::Source(text).into());
        }
        let folder = target
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
            .to_owned();
        if !folder.is_dir() {
            let text =
                format!("the folder {} does not exist; make it, or name another file", folder.display());
            return Err(TableError::Source(text).into());
        }
        let draft = draft_in(&folder)?;
        Ok(Self { target, folder, draft })
    }

    /// The same file with its content compressed.
    ///
    /// # Errors
    /// When storage refuses.
    pub(crate) fn compressed(self, compression: Compression) -> Result<Self, StepError> {
        let Self { target, folder, draft } = self;
        let smaller = draft_in(&folder)?;
        let from = File::open(draft.path()).map_err(ArtifactError::io("open", draft.path()))?;
        let to = create_unlinked(smaller.path()).map_err(ArtifactError::io("open", smaller.path()))?;
        compress(from, to, compression).map_err(ArtifactError::io("compress to", smaller.path()))?;
        Ok(Self { target, folder, draft: smaller })
    }

    /// Where to write.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.draft.path()
    }

    /// Puts the finished file in its place.
    ///
    /// # Errors
    /// When storage refuses; then what was there stays.
    pub fn publish(self) -> Result<(), StepError> {
        let Self { target, folder, draft } = self;
        draft.publish(&target).map_err(ArtifactError::io("write", &target))?;
        Ok(sync_folder(&folder)?)
    }
}

/// A new file beside the final one.
fn draft_in(folder: &Path) -> Result<DraftFile, StepError> {
    Ok(DraftFile::begin(folder).map_err(ArtifactError::io("write to", folder))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_and_what_is_no_file_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("file.csv"), folder.path().join("link.csv"));
        std::fs::write(&file, "old").expect("a file");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        let out = OutFile::begin(&link).expect("a link to a file");
        std::fs::write(out.path(), "new").expect("written");
        assert_eq!(std::fs::read_to_string(&file).expect("the file"), "old");
        out.publish().expect("published");
        assert_eq!(std::fs::read_to_string(&file).expect("the file"), "new");
        assert!(link.symlink_metadata().expect("the link").is_symlink());
        for wrong in [Path::new("/dev/null"), folder.path()] {
            let error = OutFile::begin(wrong).expect_err("no regular file");
            assert!(error.message.contains("is not a regular file"), "{error}");
        }
    }
}
