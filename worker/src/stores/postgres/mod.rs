//! PostgreSQL: reading a table and replacing the rows of one, both by COPY, in memory that does not grow with the rows.

mod answer;
mod catalogue;
mod connection;
mod copy_text;
mod decode;
mod read;
mod types;
mod verify;
mod write;

pub(crate) use read::read;
pub(crate) use write::replace;

/// A name as SQL takes it, whatever is in it.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
