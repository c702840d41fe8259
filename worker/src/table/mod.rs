//! Tables: rows from files, URLs and artifacts as DataFusion tables, and tables as files.
//!
//! Owns formats, strict reading, type inference, fetching, and writing. Must not know what a step does with the rows.

mod network;

pub use network::{AddressRange, Network};
