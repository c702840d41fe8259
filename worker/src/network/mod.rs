//! How the worker talks to servers: which addresses it connects to, how long it waits, and how much it takes.
//!
//! Owns the rules of the network, the HTTP client, connections for what is posted, TLS, and downloads. Must not know what is fetched, or formats and stores:
//! `table`, `stores` and `deliver` are built on it.

mod address;
mod client;
mod connections;
mod download;
mod encoding;
mod error;
mod partial;
mod retry_after;
mod rules;
mod tls;
mod unreadable;
mod url_secrets;

pub use address::AddressRange;
pub(crate) use client::{
    USER_AGENT, authorization, authorization_of_url, chain, check_address, client, redacted, refusal,
};
pub(crate) use connections::{Begun, Connections, NoAnswer};
pub(crate) use download::{Download, fetch};
pub(crate) use encoding::Encoding;
pub use error::FetchError;
pub(crate) use partial::scratch_file;
pub(crate) use retry_after::{PAUSE_LIMIT, retry_after};
pub use rules::Network;
pub(crate) use unreadable::unreadable;
pub(crate) use url_secrets::redaction_of;
