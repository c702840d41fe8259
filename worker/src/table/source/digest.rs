//! The only content that a spec accepts.

use crate::table::TableError;

/// Refuses content of another digest than the spec's.
pub(super) fn check_digest(name: &str, expected: &str, found: &str) -> Result<(), TableError> {
    if expected.eq_ignore_ascii_case(found) {
        return Ok(());
    }
    let problem = format!(
        "its sha256 is {found}, and only {expected} is accepted; to accept the new content, write its sha256 into the spec"
    );
    Err(TableError::content(name, problem))
}
