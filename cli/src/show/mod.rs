//! What is printed, and where: results on standard output, everything else on standard error; colours only on a terminal.

mod lines;
mod plain;
mod printed;
mod progress_table;
mod summary;
mod table;

pub use lines::LineWatcher;
pub use printed::unprinted;
pub use progress_table::TableWatcher;
pub use summary::summary;
pub use table::{Cell, Tone, table};

use anstyle::{AnsiColor, Style};
use serde_json::Value;

/// Prints an error.
pub fn error(text: &str) {
    let style = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
    let text = plain::plain_text(text);
    printed::beside(format_args!("{style}error:{style:#} {text}"));
}

/// Prints something worth knowing that does not stop the command.
pub fn note(text: &str) {
    printed::beside(format_args!("note: {}", plain::plain_text(text)));
}

/// Prints a line of a result.
pub fn line(text: &str) {
    printed::output(text);
}

/// Prints a result for programs.
pub fn json(value: &Value) {
    printed::output(format_args!("{value:#}"));
}
