//! The query engine: DataFusion as this worker configures it, so that the same input gives the same bytes on every machine.
//!
//! Owns the configuration, the order of partitions, arithmetic that overflows, and what the engine's errors mean. Must not know
//! tables, steps or storage.

mod error;
mod ordered;
mod overflow;
mod session;
mod sum;

pub use error::query_error;
pub(crate) use session::{PARTITIONS, runtime, session};
