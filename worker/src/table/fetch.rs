//! Fetching over HTTP: into a file on scratch, hashed on the way, whatever its size.
//!
//! Each hop of a redirect is checked like the first: only http and https, never from https to http, never to an address that
//! [`Network`] refuses. A name is resolved once for each connection, and the connection goes to the very addresses that were
//! checked, so that a name that changes its mind in between wins nothing. `HTTP_PROXY` and its like are not read.

use std::collections::HashSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::Duration;

use futures::StreamExt;
use mlpipeline_crds::Digest;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Response, StatusCode, header, redirect};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt;
use url::{Host, Url};

use super::{Network, TableError};
use crate::WorkContext;

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

/// Fetches a URL into a new file on scratch.
///
/// # Errors
/// [`TableError::Refused`] when the server or the rules say no, [`TableError::Unreachable`] when every attempt failed.
pub(super) async fn fetch(url: &Url, context: &WorkContext) -> Result<Fetched, TableError> {
    let network = &context.network;
    let shown = redacted(url);
    let client = client(network).map_err(|problem| TableError::Refused { url: shown.clone(), problem })?;
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

/// A client that follows no redirect by itself and connects only where [`Network`] allows.
///
/// # Errors
/// When TLS cannot be set up.
pub(crate) fn client(network: &Network) -> Result<Client, String> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // It fails when another part of the process was first; then that provider serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    Client::builder()
        .user_agent(concat!("mlpipeline-worker/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(network.connect_timeout)
        .read_timeout(network.idle_timeout)
        .dns_resolver(Arc::new(CheckedResolver(network.clone())))
        .build()
        .map_err(|error| format!("TLS cannot be set up: {}", chain(&error)))
}

async fn try_fetch(
    client: &Client,
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
async fn follow(client: &Client, url: &Url, network: &Network) -> Result<Response, Attempt> {
    let mut current = url.clone();
    let mut visited = HashSet::new();
    loop {
        check_address(&current, network).map_err(|problem| refused(&current, problem))?;
        if !visited.insert(current.clone()) {
            return Err(refused(url, format!("redirects go in a circle through {}", redacted(&current))));
        }
        if visited.len() > REDIRECT_LIMIT + 1 {
            return Err(refused(url, format!("there are more than {REDIRECT_LIMIT} redirects")));
        }
        let response = client.get(current.clone()).send().await.map_err(|error| sending(&current, error))?;
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

/// Refuses a URL by what is written in it: an address there never meets the resolver.
///
/// # Errors
/// Why it is refused, for people.
pub(crate) fn check_address(url: &Url, network: &Network) -> Result<(), String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{} is no http or https URL", redacted(url)));
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
        Some(Host::Domain(_)) => return Ok(()),
        None => return Err("it names no host".into()),
    };
    network.refusal(address).map_or(Ok(()), |what| Err(address_refused(&address.to_string(), what)))
}

fn address_refused(host: &str, what: &str) -> String {
    format!(
        "{host} is {what}, which is not fetched from unless --allow-address (MLPIPELINE_ALLOW_ADDRESSES) lists it"
    )
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
    if let Some(problem) = refused_address(&error) {
        return refused(url, problem);
    }
    if error.is_builder() || error.is_request() && error.is_decode() {
        return refused(url, chain(&error));
    }
    let what = if error.is_timeout() { "no answer in time" } else { "no connection" };
    Attempt::again(format!("{what}: {}", chain(&error)))
}

/// Why the name in a URL must not be connected to, where that is what an error is about.
pub(crate) fn refused_address(error: &reqwest::Error) -> Option<String> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(own) = current.downcast_ref::<AddressRefused>() {
            return Some(own.0.clone());
        }
        cause = current.source();
    }
    None
}

/// An error with all its causes.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        let more = current.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = current.source();
    }
    text
}

/// A name leads to an address that must not be fetched from.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct AddressRefused(String);

/// Resolves names as the system does, and gives only what [`Network`] allows.
struct CheckedResolver(Network);

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let network = self.0.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<_> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            // One bad address is enough: a name that leads to both is after something.
            for address in &found {
                if let Some(what) = network.refusal(address.ip()) {
                    let shown = format!("{host} ({})", address.ip());
                    return Err(AddressRefused(address_refused(&shown, what)).into());
                }
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
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
