//! Stores outside of the pipeline's storage: S3 and PostgreSQL.
//!
//! Owns connecting within the network's rules, and saying for people what a store answered. Must not know what a
//! step does with the rows: `table` reads by this module, and `deliver` writes by it.

mod error;
pub(crate) mod postgres;
pub(crate) mod s3;
mod within;

pub use error::StoreError;
pub(crate) use within::{within, within_since};
