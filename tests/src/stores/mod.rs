//! Real stores for tests: a PostgreSQL with TLS, and an S3 server whose buckets are folders. Both on loopback.
//!
//! Owns the servers from start to stop. Must not know what a test does with them. PostgreSQL is the distribution's; the S3 server is
//! versitygw, which `tests/tools/build.sh` builds.

// A test bed says that something is wrong by a panic, as a test does.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

mod postgres;
mod s3;

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

pub use postgres::{Database, Held, Postgres};
pub use s3::S3;

/// How long a server may take to start.
const START: Duration = Duration::from_secs(60);

/// A new certificate authority in PEM, and a certificate of it for 127.0.0.1 with its key.
#[must_use]
pub fn identity() -> (String, String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = server.signed_by(&key, &issuer).unwrap();
    (issuer.pem(), certificate.pem(), key.serialize_pem())
}

fn folder(prefix: &str) -> Result<PathBuf, String> {
    let made = tempfile::Builder::new().prefix(&format!("{prefix}-")).tempdir();
    // The supervisor removes it with the server.
    made.map(tempfile::TempDir::keep).map_err(|error| format!("no folder for {prefix}: {error}"))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port()
}
