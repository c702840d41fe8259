//! What is printed, and where: results on standard output, everything else on standard error; colours only on a terminal.

mod lines;
mod progress_table;
mod summary;
mod table;

pub use lines::LineWatcher;
pub use progress_table::TableWatcher;
pub use summary::summary;
pub use table::{Cell, Tone, table};

use anstyle::{AnsiColor, Style};
use serde_json::Value;

/// Prints an error.
pub fn error(text: &str) {
    let style = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
    anstream::eprintln!("{style}error:{style:#} {text}");
}

/// Prints something worth knowing that does not stop the command.
pub fn note(text: &str) {
    anstream::eprintln!("note: {text}");
}

/// Prints a line of a result.
pub fn line(text: &str) {
    anstream::println!("{text}");
}

/// Prints a result for programs.
pub fn json(value: &Value) {
    anstream::println!("{value:#}");
}
