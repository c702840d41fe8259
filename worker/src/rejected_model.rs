//! What a person is warned of who names a model that its gate rejected.
//!
//! Owns the sentence. In a pipeline, such a model is used by no step: the operator reads the verdict. On the command line the model is the
//! user's choice, and is used.

use std::path::Path;

use crate::artifact;
use crate::redaction::plain;
use crate::stderr::say;

/// Warns on stderr where the gate of its training rejected the model in a folder. A folder whose manifest cannot be read is a matter of
/// loading it.
pub(crate) fn warn_of_rejected(folder: &Path) {
    let Ok(manifest) = artifact::read(folder) else { return };
    if let Some(gate) = manifest.report.gate.filter(|gate| !gate.passed) {
        say(&plain(&format!(
            "warning: the gate rejected the model in {} when it was trained: {}",
            folder.display(),
            gate.message
        )));
    }
}
