//! What folders for what is read once are called, and which paths lie in one.

use std::path::Path;

/// What their names begin with. Nothing else is called so.
pub(crate) const PREFIX: &str = "mlpipeline-scratch-";

/// So many random characters follow.
pub(crate) const RANDOM: usize = 6;

/// Whether a file lies in such a folder.
pub(crate) fn is_on_scratch(path: &Path) -> bool {
    path.iter().any(|part| part.to_str().is_some_and(is_scratch))
}

/// Whether a folder is called so.
pub(crate) fn is_scratch(name: &str) -> bool {
    let random = name.strip_prefix(PREFIX);
    random.is_some_and(|random| {
        random.len() == RANDOM && random.bytes().all(|sign| sign.is_ascii_alphanumeric())
    })
}
