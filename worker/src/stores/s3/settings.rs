//! From credentials and the network's rules to settings of the `object_store` crate.

use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::{BackoffConfig, RetryConfig};
use url::Url;

use crate::credentials::Credentials;
use crate::network::Network;
use crate::stores::StoreError;

/// How long requests for one part may be repeated altogether; credentials are not renewed meanwhile.
const RETRY_LIMIT: Duration = Duration::from_secs(180);

pub(super) fn retries(network: &Network) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: network.backoff,
            max_backoff: Duration::from_secs(60),
            base: 2.0,
        },
        max_retries: usize::try_from(network.attempts.saturating_sub(1)).unwrap_or(usize::MAX),
        retry_timeout: RETRY_LIMIT,
    }
}

/// An endpoint without anything that must not be shown or would be sent wrongly.
pub(super) fn plain_endpoint(text: &str) -> Result<String, String> {
    let wrong = || "AWS_ENDPOINT_URL is not an http or https URL of a server, like http://s3:9000".to_owned();
    let url = Url::parse(text.trim()).map_err(|_| wrong())?;
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if is_plain { Ok(url.as_str().trim_end_matches('/').to_owned()) } else { Err(wrong()) }
}

/// Gives the store its credentials: keys, or the token of a service account. The metadata service of a cloud's machines is
/// never asked: what it gives are the machine's rights, not the pipeline's.
pub(super) fn identify(
    builder: AmazonS3Builder,
    credentials: &Credentials,
    place: &str,
) -> Result<AmazonS3Builder, StoreError> {
    let missing = |problem: String| StoreError::Credentials { place: place.to_owned(), problem };
    let builder = match (credentials.get("AWS_ACCESS_KEY_ID"), credentials.get("AWS_SECRET_ACCESS_KEY")) {
        (Some(id), Some(secret)) => {
            let builder = builder.with_access_key_id(id).with_secret_access_key(secret);
            return Ok(match credentials.get("AWS_SESSION_TOKEN") {
                Some(token) => builder.with_token(token),
                None => builder,
            });
        }
        (None, None) => builder,
        (Some(_), None) => {
            let problem = format!(
                "AWS_ACCESS_KEY_ID is there and AWS_SECRET_ACCESS_KEY is not, in {}",
                credentials.place()
            );
            return Err(missing(problem));
        }
        (None, Some(_)) => {
            let problem = format!(
                "AWS_SECRET_ACCESS_KEY is there and AWS_ACCESS_KEY_ID is not, in {}",
                credentials.place()
            );
            return Err(missing(problem));
        }
    };
    match (credentials.get("AWS_WEB_IDENTITY_TOKEN_FILE"), credentials.get("AWS_ROLE_ARN")) {
        (Some(token), Some(role)) => Ok(builder
            .with_config(AmazonS3ConfigKey::WebIdentityTokenFile, token)
            .with_config(AmazonS3ConfigKey::RoleArn, role)),
        _ => Err(missing(format!(
            "no credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are looked for in {}; name a Secret that has them in secret",
            credentials.place()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_servers_without_credentials() {
        assert_eq!(plain_endpoint(" http://s3:9000/\n").as_deref(), Ok("http://s3:9000"));
        for wrong in ["s3:9000", "ftp://s3", "http://me:pw@s3", "http://s3/?x", "http://s3/#x", ""] {
            assert!(plain_endpoint(wrong).is_err(), "{wrong}");
        }
    }
}
