//! The API key that callers of `/predict` must send, where one is set.
//!
//! Owns reading and comparing the key. The key is kept as a digest only, so that no message, log line or memory dump of
//! ours can show it.

use std::fmt;

use axum::http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use super::ServeError;

/// The environment variable that holds the key unless another is named.
pub const DEFAULT_KEY_VARIABLE: &str = "MLPIPELINE_API_KEY";

/// The header that carries the key beside `Authorization: Bearer`.
pub const KEY_HEADER: &str = "x-api-key";

/// The key that callers must send.
#[derive(Clone)]
pub struct ApiKey([u8; 32]);

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(…)")
    }
}

impl ApiKey {
    /// A key, but for white space around it, which files and Secrets easily bring along; none when nothing is left.
    #[must_use]
    pub fn new(key: &str) -> Option<Self> {
        let key = key.trim();
        (!key.is_empty()).then(|| Self(Sha256::digest(key.as_bytes()).into()))
    }

    /// The key in an environment variable: the one that was named, which must be set then, or the default one, without
    /// which there is no key.
    ///
    /// # Errors
    /// When both are there, so that it is not clear which key counts; when the variable is set to nothing, or was named and is not set: then a key is expected, and serving without one would
    /// open what should be closed.
    pub fn from_environment(named: Option<&str>) -> Result<Option<Self>, ServeError> {
        let variable = named.unwrap_or(DEFAULT_KEY_VARIABLE);
        // Whoever writes a ConfigMap that the pod reads could otherwise have another variable taken, whose value is known to all.
        if variable != DEFAULT_KEY_VARIABLE && std::env::var_os(DEFAULT_KEY_VARIABLE).is_some() {
            return Err(ServeError::KeyTwice { variable: variable.to_owned() });
        }
        match std::env::var_os(variable) {
            None if named.is_none() => Ok(None),
            None => Err(ServeError::KeyMissing { variable: variable.to_owned() }),
            Some(value) => {
                let key = value.to_str().and_then(Self::new);
                key.map(Some).ok_or_else(|| ServeError::KeyEmpty { variable: variable.to_owned() })
            }
        }
    }

    /// Whether a request carries the key, as `Authorization: Bearer KEY` or `X-API-Key: KEY`. Digests of one length are
    /// compared in constant time: how long it takes reveals nothing about the key.
    #[must_use]
    pub fn is_in(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| {
            let (scheme, token) = value.as_bytes().split_at_checked("Bearer ".len())?;
            scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
        });
        let plain = headers.get_all(KEY_HEADER).iter().map(|value| value.as_bytes());
        bearer.chain(plain).any(|offered| {
            let offered: [u8; 32] = Sha256::digest(offered.trim_ascii()).into();
            bool::from(offered.ct_eq(&self.0))
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn carries(name: &'static str, value: &str) -> bool {
        let key = ApiKey::new(" super-secret\n").expect("a key");
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header");
        key.is_in(&HeaderMap::from_iter([(HeaderName::from_static(name), value)]))
    }

    #[test]
    fn the_key_counts_in_either_header() {
        assert!(carries("authorization", "Bearer super-secret"));
        assert!(carries("authorization", "bearer  super-secret"));
        assert!(carries("x-api-key", "super-secret"));
    }

    #[test]
    fn anything_else_does_not() {
        let rows = [
            "",
            "Bearer",
            "Bearer ",
            "Bearer super",
            "Basic super-secret",
            "super-secret",
            "Bearer super-secret2",
        ];
        for value in rows {
            assert!(!carries("authorization", value), "{value}");
        }
        for value in ["", "Bearer super-secret", "SUPER-SECRET", "super-secre"] {
            assert!(!carries("x-api-key", value), "{value}");
        }
        assert!(!ApiKey::new("a").expect("a key").is_in(&HeaderMap::new()));
    }

    #[test]
    fn nothing_is_no_key() {
        assert!(ApiKey::new("").is_none());
        assert!(ApiKey::new(" \n\t").is_none());
    }

    #[test]
    fn the_key_is_never_printed() {
        assert_eq!(format!("{:?}", ApiKey::new("canary")), "Some(ApiKey(…))");
    }
}
