//! Artifacts: what steps leave on storage, each a folder named by its revision.
//!
//! Owns the confinement of paths to storage, the manifest that makes a folder an artifact, the publishing of a finished
//! folder in one step, and the removal of old ones. An artifact is whole or it is not there: files are written into a draft
//! under a hidden name, and the draft becomes the artifact by one rename, its manifest being in it.
//!
//! Must not: know what the files mean, or decide which revisions are kept.

mod draft;
mod draft_file;
mod error;
mod kept;
mod lock;
mod manifest;
mod names;
mod open;
mod publish;
mod remove;
mod replace;
mod step_folder;
mod storage;
mod unowned;

pub use draft::Draft;
pub(crate) use draft::sync_folder;
pub(crate) use draft_file::DraftFile;
pub use error::ArtifactError;
pub(crate) use kept::Kept;
pub(crate) use lock::{Lock, same_file};
pub(crate) use manifest::read_expected;
pub use manifest::{Column, FileEntry, Kind, Manifest, read, verify};
pub(crate) use manifest::{hash_open, same_content};
pub use names::{MANIFEST_NAME, MANIFEST_VERSION};
pub(crate) use open::{
    FileVersion, create_unlinked, open_beneath, open_folder, open_regular, open_unlinked, read_small,
};
pub use publish::Published;
pub use remove::remove_revisions;
pub(crate) use remove::sweep;
pub(crate) use step_folder::{OpenFolder, is_anywhere};
pub use storage::Storage;
pub(crate) use storage::{confined, refuse_escape};
pub(crate) use unowned::{own, sweep_files};
