//! Fetching over HTTP: into a file on scratch, hashed on the way, whatever its size.
//!
//! Each hop of a redirect is checked like the first: only http and https, never from https to http, never to an address that
//! [`Network`] refuses. Credentials go to the origin that the spec names, and to no other that it redirects to.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt;
use mlpipeline_crds::Digest;
use reqwest::{Client, RequestBuilder, Response, StatusCode, header};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt;
use url::Url;

use super::http_client::{authenticated, chain, check_address, client, refusal};
use super::{Network, TableError};
use crate::WorkContext;
use crate::stores::Credentials;

/// The most redirects that are followed.
const REDIRECT_LIMIT: usize = 10;

/// The longest pause between attempts, also when the server asks for a longer one.
const PAUSE_LIMIT: Duration = Duration::from_secs(60);

/// A file that was fetched.
#[derive(Debug)]
pub(super) struct Fetched {
    /// Where it lies, on scratch.
    pub path: PathBuf,
    /// The digest of what the server sent.
    pub sha256: Digest,
}

/// Why one attempt did not succeed.
enum Attempt {
    /// Trying again is pointless.
    Final(TableError),
    /// Trying again may help, after the pause that the server asked for.
    Again { problem: String, pause: Option<Duration> },
}

impl Attempt {
    fn again(problem: impl Into<String>) -> Self {
        Self::Again { problem: problem.into(), pause: None }
    }
}

/// A client with credentials for one origin: one scheme, host and port.
struct Authenticated<'a> {
    client: Client,
    credentials: &'a Credentials,
    origin: &'a Url,
}

impl Authenticated<'_> {
    fn get(&self, url: &Url) -> RequestBuilder {
        let request = self.client.get(url.clone());
        if url.origin() != self.origin.origin() {
            return request;
        }
        authenticated(request, self.credentials)
    }
}

/// Fetches a URL into a new file on scratch.
///
/// # Errors
/// [`TableError::Refused`] when the server or the rules say no, [`TableError::Unreachable`] when every attempt failed.
pub(super) async fn fetch(
    url: &Url,
    credentials: &Credentials,
    context: &WorkContext,
) -> Result<Fetched, TableError> {
    let network = &context.network;
    let shown = redacted(url);
    let client = client(network, credentials.get("ca.crt"))
        .map_err(|problem| TableError::Refused { url: shown.clone(), problem })?;
    let client = Authenticated { client, credentials, origin: url };
    let mut pause = network.backoff;
    let mut attempt = 1;
    loop {
        let path = context.scratch().join(format!("download-{:016x}", rand::random::<u64>()));
        match try_fetch(&client, url, &path, context).await {
            Ok(sha256) => return Ok(Fetched { path, sha256 }),
            Err(Attempt::Final(error)) => return Err(error),
            Err(Attempt::Again { problem, .. }) if attempt >= network.attempts => {
                return Err(TableError::Unreachable { url: shown, problem, attempts: attempt });
            }
            Err(Attempt::Again { problem, pause: asked }) => {
                let wait = asked.unwrap_or(pause).min(PAUSE_LIMIT);
                tracing::warn!("cannot fetch {shown}: {problem}; attempt {attempt} of {}", network.attempts);
                tokio::time::sleep(wait).await;
                pause = pause.saturating_mul(2);
                attempt += 1;
            }
        }
    }
}

/// A URL for messages: without the credentials that a user part or a query may hold.
pub(crate) fn redacted(url: &Url) -> String {
    let mut shown = url.clone();
    // Both fail only for URLs that cannot have credentials.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    if shown.query().is_some() {
        shown.set_query(Some("…"));
    }
    shown.set_fragment(None);
    shown.as_str().replace("%E2%80%A6", "…")
}

async fn try_fetch(
    client: &Authenticated<'_>,
    url: &Url,
    path: &Path,
    context: &WorkContext,
) -> Result<Digest, Attempt> {
    let response = follow(client, url, &context.network).await?;
    if let Some(encoding) = response.headers().get(header::CONTENT_ENCODING)
        && encoding != "identity"
    {
        return Err(refused(
            url,
            format!("the server encodes the body as {encoding:?}, which was not asked for"),
        ));
    }
    let expected = response.content_length();
    if let Some(length) = expected.filter(|length| *length > context.network.max_download) {
        return Err(refused(url, too_large(&format!("{length} bytes"), context.network.max_download)));
    }
    save(response, url, expected, path, context).await
}

/// Asks, following redirects, until something answers with a body.
async fn follow(client: &Authenticated<'_>, url: &Url, network: &Network) -> Result<Response, Attempt> {
    let mut current = url.clone();
    let mut visited = HashSet::new();
    loop {
        check_address(&current, network).map_err(|problem| refused(&current, problem.0))?;
        if !visited.insert(current.clone()) {
            return Err(refused(url, format!("redirects go in a circle through {}", redacted(&current))));
        }
        if visited.len() > REDIRECT_LIMIT + 1 {
            return Err(refused(url, format!("there are more than {REDIRECT_LIMIT} redirects")));
        }
        let response = client.get(&current).send().await.map_err(|error| sending(&current, error))?;
        let status = response.status();
        if status.is_success() && status != StatusCode::NO_CONTENT {
            return Ok(response);
        }
        let location = response.headers().get(header::LOCATION).filter(|_| status.is_redirection());
        let Some(location) = location else { return Err(unsuccessful(&current, &response)) };
        let next = location
            .to_str()
            .ok()
            .and_then(|location| current.join(location).ok())
            .ok_or_else(|| refused(url, format!("it redirects to {location:?}, which is no URL")))?;
        if current.scheme() == "https" && next.scheme() == "http" {
            return Err(refused(url, format!("it redirects from https to {}", redacted(&next))));
        }
        current = next;
    }
}

fn unsuccessful(url: &Url, response: &Response) -> Attempt {
    let status = response.status();
    let transient = status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY
        );
    if !transient {
        return refused(url, format!("the server answers {status}"));
    }
    let pause = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    Attempt::Again { problem: format!("the server answers {status}"), pause }
}

async fn save(
    response: Response,
    url: &Url,
    expected: Option<u64>,
    path: &Path,
    context: &WorkContext,
) -> Result<Digest, Attempt> {
    let on_disk = |error| Attempt::Final(TableError::io("write the download to", path)(error));
    let file = tokio::fs::File::create(path).await.map_err(on_disk)?;
    let mut file = tokio::io::BufWriter::with_capacity(256 << 10, file);
    let bar = context.progress.bytes(&format!("fetch {}", redacted(url)), expected);
    let mut hasher = Sha256::new();
    let mut received = 0_u64;
    let mut body = response.bytes_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| {
            let of = expected.map(|total| format!(" of {total}")).unwrap_or_default();
            Attempt::again(format!(
                "the body broke off after {received}{of} bytes: {}",
                chain(&error.without_url())
            ))
        })?;
        received += chunk.len() as u64;
        if received > context.network.max_download {
            return Err(refused(url, too_large("the body", context.network.max_download)));
        }
        hasher.update(&chunk);
        file.write_all(&chunk).await.map_err(on_disk)?;
        bar.add(chunk.len() as u64);
    }
    if let Some(expected) = expected.filter(|expected| *expected != received) {
        return Err(Attempt::again(format!("the body has {received} bytes where {expected} were announced")));
    }
    file.flush().await.map_err(on_disk)?;
    Ok(Digest::from_sha256(&hasher.finalize().into()))
}

fn too_large(what: &str, limit: u64) -> String {
    format!("{what} exceeds the limit of {limit} bytes; raise it with --max-download")
}

fn refused(url: &Url, problem: String) -> Attempt {
    Attempt::Final(TableError::Refused { url: redacted(url), problem })
}

fn sending(url: &Url, error: reqwest::Error) -> Attempt {
    let error = error.without_url();
    if let Some(own) = refusal(&error) {
        return refused(url, own.0.clone());
    }
    if error.is_builder() || error.is_request() && error.is_decode() {
        return refused(url, chain(&error));
    }
    let what = if error.is_timeout() { "no answer in time" } else { "no connection" };
    Attempt::again(format!("{what}: {}", chain(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_hold_no_credentials() {
        let url = Url::parse("https://me:secret@example.com/a.csv?sig=secret#secret").expect("a URL");
        assert_eq!(redacted(&url), "https://example.com/a.csv?…");
    }
}
