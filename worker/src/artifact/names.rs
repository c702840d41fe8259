//! Names that have a meaning in a step's folder, and the versions of what is written there.

/// The manifest's name in an artifact's folder.
pub const MANIFEST_NAME: &str = "manifest.json";

/// The newest version of the manifest's format: the one that is written.
pub const MANIFEST_VERSION: u64 = 1;

/// What the names of drafts begin with.
pub(super) const DRAFT_PREFIX: &str = ".draft-";

/// What a draft's lock file is called: the draft's name with this at its end. It lies beside the draft rather than in it, so
/// that an artifact has no file but its own, and a draft is never without its lock while its process lives.
pub(super) const LOCK_SUFFIX: &str = ".lock";

/// What the names of folders of unfinished work begin with.
pub(super) const KEPT_PREFIX: &str = ".kept-";

/// What the names of folders begin with that are being replaced, where two names cannot be exchanged in one step.
pub(super) const REPLACED_PREFIX: &str = ".replaced-";

/// What the names of damaged folders, moved out of the way, begin with.
pub(super) const DAMAGED_PREFIX: &str = ".damaged-";
