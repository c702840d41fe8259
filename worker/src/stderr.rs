//! Lines for the person at the terminal, beside the log.

use std::io::{Write, stderr};

/// One line on stderr; a closed one changes nothing about the work.
pub(crate) fn say(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}
