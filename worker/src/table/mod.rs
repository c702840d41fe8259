//! Tables: rows from files, URLs and artifacts as DataFusion tables, and tables as files.
//!
//! `source` finds the files and `format` reads and writes them, one file each; `text` is what the text formats share. Must not
//! know what a step does with the rows.

mod compression;
mod counted;
mod cut_short;
mod early_sync;
mod encode_error;
mod error;
mod file;
mod format;
mod leaves;
mod open;
mod slices;
mod source;
mod text;
mod write;

pub(crate) use compression::{compress, compression_of};
pub(crate) use error::DATA_CHANGED;
pub use error::TableError;
pub(crate) use file::LocalFile;
pub(crate) use format::{refuse_map_keys, refuse_unwritable};
pub(crate) use leaves::leaves;
pub(crate) use open::written;
pub(crate) use open::{KnownColumns, provider_of};
pub use open::{open, open_expecting, provider};
pub(crate) use source::{fetch_file, local_uri};
pub use text::ExpectedTypes;
pub(crate) use text::{iso_microseconds, not_of_type, shown};
pub use write::{Written, write, write_to};
