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

/// The longest name of a region.
const REGION_LIMIT: usize = 64;

/// Where Kubernetes mounts the tokens of service accounts.
const TOKEN_FOLDERS: [&str; 2] = ["/var/run/secrets/", "/run/secrets/"];

/// A region, which becomes a part of hosts' names: with other signs, requests and credentials would go to a host of somebody else's.
pub(super) fn region(text: &str) -> Result<&str, String> {
    let text = text.trim();
    let fits = |sign: u8| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == b'-';
    if text.is_empty() || text.len() > REGION_LIMIT || !text.bytes().all(fits) {
        return Err(format!(
            "AWS_REGION is not the name of a region, like eu-central-1: that has lower-case letters, digits and hyphens, {REGION_LIMIT} at most"
        ));
    }
    Ok(text)
}

/// The file of a service account's token, whose content is sent to the cloud: not any file, and never one that a Secret names.
fn token_file(path: &str) -> Result<&str, String> {
    let is_plain = !path.split('/').any(|part| part == "..");
    if is_plain && TOKEN_FOLDERS.iter().any(|folder| path.starts_with(folder)) {
        return Ok(path);
    }
    Err(format!(
        "AWS_WEB_IDENTITY_TOKEN_FILE is not a file below {}, where tokens of service accounts are mounted",
        TOKEN_FOLDERS.join(" or ")
    ))
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
    // The pod's own variables only: whoever can write a Secret must not have files of the pod sent.
    let of_pod = |key| credentials.get(key).filter(|_| !credentials.are_named());
    match (of_pod("AWS_WEB_IDENTITY_TOKEN_FILE"), of_pod("AWS_ROLE_ARN")) {
        (Some(token), Some(role)) => Ok(builder
            .with_config(AmazonS3ConfigKey::WebIdentityTokenFile, token_file(token).map_err(missing)?)
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
    use crate::credentials::Secrets;

    #[test]
    fn a_region_is_a_name_and_no_part_of_an_address() {
        assert_eq!(region("eu-central-1\n"), Ok("eu-central-1"));
        for wrong in ["", "x@host/", "a.b", "a/b", "a:1", "a#", "a?", "EU", "é", &"a".repeat(65)] {
            assert!(region(wrong).is_err_and(|problem| problem.contains("AWS_REGION")), "{wrong}");
        }
    }

    #[test]
    fn only_a_token_of_the_pods_service_account_is_sent() {
        let identified = |prefix: &str, named: Option<&str>, file: &str| {
            let variables =
                [("AWS_WEB_IDENTITY_TOKEN_FILE", file), ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r")];
            let secrets =
                Secrets::of(variables.map(|(name, value)| (format!("{prefix}{name}").into(), value.into())));
            identify(AmazonS3Builder::new(), &secrets.credentials(named), "b").map(drop)
        };
        let mounted = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token";
        assert!(identified("", None, mounted).is_ok());
        for file in ["/proc/self/environ", "/var/run/secrets/../../../proc/self/environ", "token"] {
            assert!(identified("", None, file).is_err(), "{file}");
        }
        let prefix = "MLPIPELINE_SECRET_INPUT_t_";
        assert!(identified(prefix, Some(prefix), mounted).is_err());
    }

    #[test]
    fn endpoints_are_servers_without_credentials() {
        assert_eq!(plain_endpoint(" http://s3:9000/\n").as_deref(), Ok("http://s3:9000"));
        for wrong in ["s3:9000", "ftp://s3", "http://me:pw@s3", "http://s3/?x", "http://s3/#x", ""] {
            assert!(plain_endpoint(wrong).is_err(), "{wrong}");
        }
    }
}
