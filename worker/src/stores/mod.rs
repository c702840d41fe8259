//! Stores outside of the pipeline's storage: S3 and PostgreSQL, and the credentials for them.
//!
//! Owns connecting within the network's rules, credentials, and saying for people what a store answered. Must not know what a
//! step does with the rows: `table` reads by this module, and `deliver` writes by it.

mod credentials;
mod error;
pub(crate) mod postgres;
pub(crate) mod s3;

pub use credentials::{Credentials, Secrets};
pub use error::StoreError;
