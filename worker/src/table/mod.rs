//! Tables: rows from files, URLs and artifacts as DataFusion tables, and tables as files.
//!
//! Owns formats, strict reading, type inference, fetching, and writing. Must not know what a step does with the rows.

mod blocks;
mod csv;
mod csv_records;
mod error;
mod fetch;
mod glob;
pub(crate) mod http_client;
mod json_type;
mod lines;
mod locate;
mod ndjson;
mod network;
mod open;
mod parquet;
mod stored;
mod text_table;
mod text_type;
mod write;

pub(crate) use blocks::TextFile;
pub use error::{QueryError, TableError, query_error};
pub(crate) use fetch::redacted;
pub(crate) use glob::{Links, expand, matches};
pub use locate::format_of;
pub use network::{AddressRange, Network};
pub(crate) use open::written;
pub use open::{open, provider};
pub use write::{Written, write, write_to};
