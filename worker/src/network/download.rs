//! Downloads over HTTP: into a file on scratch, hashed on the way, whatever the size.
//!
//! Each hop of a redirect is checked like the first: only http and https, never from https to http, never to an address that
//! [`Network`] refuses. Credentials go to the origin that the spec names, and to no other that it redirects to. A body that is
//! cut short, longer than announced, or announced in two ways is refused or fetched again, and never kept.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt;
use mlpipeline_crds::Digest;
use reqwest::{Client, RequestBuilder, Response, StatusCode, header};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt;
use url::Url;

use super::client::{authenticated, chain, check_address, client, redacted, refusal};
use super::error::FetchError;
use super::rules::Network;
use crate::credentials::Credentials;
use crate::failure::FileError;
use crate::progress::Progress;

/// The most redirects that are followed.
const REDIRECT_LIMIT: usize = 10;

/// The longest pause between attempts, also when the server asks for a longer one.
const PAUSE_LIMIT: Duration = Duration::from_secs(60);

/// What to fetch, and where to put it.
#[derive(Debug)]
pub(crate) struct Download<'a> {
    /// Where it is.
    pub url: &'a Url,
    /// For the URL's origin.
    pub credentials: &'a Credentials,
    /// The rules.
    pub network: &'a Network,
    /// The folder for the file.
    pub scratch: &'a Path,
    /// Where progress is shown.
    pub progress: Progress,
}

/// A file that was fetched.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// Where it lies, on scratch.
    pub path: PathBuf,
    /// The digest of what the server sent.
    pub sha256: Digest,
    /// The encoding in which the server sent it, although no encoding was asked for.
    pub encoding: Option<Encoding>,
}

/// An encoding of a body that can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// A path for a new file on scratch.
pub(crate) fn scratch_file(scratch: &Path, kind: &str) -> PathBuf {
    scratch.join(format!("{kind}-{:016x}", rand::random::<u64>()))
}

/// Why one attempt did not succeed.
enum Attempt {
    /// Trying again is pointless.
    Final(FetchError),
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
/// [`FetchError::Refused`] when the server or the rules say no, [`FetchError::Unreachable`] when every attempt failed.
pub(crate) async fn fetch(download: &Download<'_>) -> Result<Fetched, FetchError> {
    let Download { url, credentials, network, scratch, .. } = *download;
    let shown = redacted(url);
    let client = client(network, credentials.get("ca.crt"))
        .map_err(|problem| FetchError::Refused { url: shown.clone(), problem })?;
    let client = Authenticated { client, credentials, origin: url };
    let mut pause = network.backoff;
    let mut attempt = 1;
    loop {
        let path = scratch_file(scratch, "download");
        match try_fetch(&client, &path, download).await {
            Ok((sha256, encoding)) => return Ok(Fetched { path, sha256, encoding }),
            Err(Attempt::Final(error)) => return Err(error),
            Err(Attempt::Again { problem, .. }) if attempt >= network.attempts => {
                return Err(FetchError::Unreachable { url: shown, problem, attempts: attempt });
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

async fn try_fetch(
    client: &Authenticated<'_>,
    path: &Path,
    download: &Download<'_>,
) -> Result<(Digest, Option<Encoding>), Attempt> {
    let (url, limit) = (download.url, download.network.max_download);
    let response = follow(client, url, download.network).await?;
    let encoding = encoding(&response).map_err(|problem| refused(url, problem))?;
    let expected = announced(&response).map_err(|problem| refused(url, problem))?;
    if let Some(length) = expected.filter(|length| *length > limit) {
        return Err(refused(url, too_large(&format!("{length} bytes"), limit)));
    }
    Ok((save(response, expected, path, download).await?, encoding))
}

/// The encoding of a body. None was asked for; servers that encode all the same are understood where that is possible.
fn encoding(response: &Response) -> Result<Option<Encoding>, String> {
    let mut found = None;
    for value in response.headers().get_all(header::CONTENT_ENCODING) {
        let named = value.to_str().unwrap_or_default().to_ascii_lowercase();
        for name in named.split(',').map(str::trim) {
            let next = match name {
                "identity" | "" => continue,
                "gzip" | "x-gzip" => Encoding::Gzip,
                "zstd" => Encoding::Zstd,
                other => {
                    return Err(format!(
                        "the server encodes the body as {other:?}, which was not asked for; gzip and zstd are decoded"
                    ));
                }
            };
            if found.replace(next).is_some() {
                return Err("the server encodes the body twice, which was not asked for".to_owned());
            }
        }
    }
    Ok(found)
}

/// The length that a server announces. One that announces it in two ways may mean either.
fn announced(response: &Response) -> Result<Option<u64>, String> {
    let headers = response.headers();
    if headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH) {
        return Err(
            "the server announces a length and sends chunks too: which of them ends the body is not known"
                .to_owned(),
        );
    }
    Ok(response.content_length())
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
            .ok_or_else(|| refused(url, format!("it redirects to {location:?}, which is not a URL")))?;
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
    expected: Option<u64>,
    path: &Path,
    download: &Download<'_>,
) -> Result<Digest, Attempt> {
    let (url, limit) = (download.url, download.network.max_download);
    let on_disk = |error| Attempt::Final(FileError::on::<FetchError>("write the download to", path)(error));
    let file = tokio::fs::File::create(path).await.map_err(on_disk)?;
    let mut file = tokio::io::BufWriter::with_capacity(256 << 10, file);
    let bar = download.progress.bytes(&format!("fetch {}", redacted(url)), expected);
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
        if received > limit {
            return Err(refused(url, too_large("the body", limit)));
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
    Attempt::Final(FetchError::Refused { url: redacted(url), problem })
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
