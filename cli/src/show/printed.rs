//! Writing to the standard streams. What cannot be printed is no reason to stop what runs; it is said when the command ends.

use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::sync::OnceLock;

/// Why standard output did not take all of the result.
static UNPRINTED: OnceLock<String> = OnceLock::new();

/// Prints a line of a result on standard output. A reader who has enough of it, as `head` has, is no failure.
pub(super) fn output(line: impl Display) {
    let mut stdout = anstream::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => drop(UNPRINTED.set(error.to_string())),
        Ok(()) | Err(_) => {}
    }
}

/// Prints a line on standard error; one that is closed or full takes nothing from the command.
pub(super) fn beside(line: impl Display) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// Why standard output did not take all of the result, where it did not.
pub fn unprinted() -> Option<&'static str> {
    UNPRINTED.get().map(String::as_str)
}
