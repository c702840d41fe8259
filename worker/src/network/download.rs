//! Downloads over HTTP: into a file on scratch, hashed on the way, whatever the size.
//!
//! Each hop of a redirect is checked like the first: only http and https, never from https to http, never to an address that
//! [`Network`] refuses. Credentials go to the origin that the spec names, and to no other that it redirects to. A body that is
//! cut short, longer than announced, or announced in two ways is refused or fetched again, and never kept. Of one that ends with its
//! connection nobody knows whether it was cut short, and that is said of it. The time of all attempts together has a limit.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use url::Url;

use super::client::{authorization, chain, check_address, client, redacted, refusal};
use super::error::FetchError;
use super::partial::{Fetched, NotTaken, Partial};
use super::retry_after::{PAUSE_LIMIT, retry_after};
use super::rules::Network;
use super::unreadable::unreadable;
use super::url_secrets::redaction_of;
use crate::credentials::Credentials;
use crate::progress::Progress;

/// The most redirects that are followed.
const REDIRECT_LIMIT: usize = 10;

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
    authorization: Option<HeaderValue>,
    credentials: &'a Credentials,
    origin: &'a Url,
}

impl Authenticated<'_> {
    fn get(&self, url: &Url) -> RequestBuilder {
        let request = self.client.get(url.clone());
        match &self.authorization {
            // In place of a user name and password that the URL has.
            Some(value) if url.origin() == self.origin.origin() => {
                request.headers(HeaderMap::from_iter([(header::AUTHORIZATION, value.clone())]))
            }
            _ => request,
        }
    }
}

/// Fetches a URL into a new file on scratch.
///
/// # Errors
/// [`FetchError::Refused`] when the server or the rules say no, [`FetchError::Unreachable`] when every attempt failed,
/// [`FetchError::Late`] when they took too long.
pub(crate) async fn fetch(download: &Download<'_>) -> Result<Fetched, FetchError> {
    let limit = download.network.fetch_timeout;
    let Ok(fetched) = tokio::time::timeout(limit, fetch_with_retries(download)).await else {
        let problem =
            format!("it did not complete within {limit:?}; a longer time is given with --fetch-timeout");
        return Err(FetchError::Late { url: redacted(download.url), problem });
    };
    let fetched = fetched?;
    if fetched.end_is_unknown {
        tracing::warn!(
            "{}: the server says neither how long the body is nor where it ends, so that one that was cut short may look whole",
            redacted(download.url)
        );
    }
    Ok(fetched)
}

async fn fetch_with_retries(download: &Download<'_>) -> Result<Fetched, FetchError> {
    let Download { url, credentials, network, scratch, .. } = *download;
    let shown = redacted(url);
    let refuse = |problem| FetchError::Refused { url: shown.clone(), problem };
    let client = client(network, credentials.get("ca.crt")).map_err(refuse)?;
    let authorization = authorization(credentials).map_err(refuse)?;
    let client = Authenticated { client, authorization, credentials, origin: url };
    let of_url = redaction_of(url);
    let mut partial = Partial::new(scratch).await?;
    let mut pause = network.backoff;
    let mut attempt = 1;
    loop {
        match try_fetch(&client, &mut partial, download).await {
            Ok(()) => return partial.finish().await,
            // A server may repeat what it was asked with, for example in the address that it redirects to.
            Err(Attempt::Final(error)) => return Err(error.cleaned(|text| of_url.clean(text))),
            Err(Attempt::Again { problem, .. }) if attempt >= network.attempts => {
                let problem = of_url.clean(&problem);
                return Err(FetchError::Unreachable { url: shown, problem, attempts: attempt });
            }
            Err(Attempt::Again { problem, pause: asked }) => {
                let problem = of_url.clean(&problem);
                let wait = asked.unwrap_or(pause).min(PAUSE_LIMIT);
                tracing::warn!("cannot fetch {shown}: {problem}; attempt {attempt} of {}", network.attempts);
                tokio::time::sleep(wait).await;
                pause = pause.saturating_mul(2);
                attempt += 1;
            }
        }
    }
}

/// Asks for the body, or for what is missing of it, and takes it to its end.
async fn try_fetch(
    client: &Authenticated<'_>,
    partial: &mut Partial,
    download: &Download<'_>,
) -> Result<(), Attempt> {
    let (url, limit) = (download.url, download.network.max_download);
    let response = follow(client, url, partial, download.network).await?;
    let not_taken = |problem| match problem {
        NotTaken::Refused(problem) => refused(url, problem),
        NotTaken::Restarts(problem) => Attempt::again(problem),
        NotTaken::Disk(error) => Attempt::Final(error),
    };
    partial.begin(&response, limit).await.map_err(not_taken)?;
    let bar = download.progress.bytes(&format!("fetch {}", redacted(url)), partial.total());
    bar.add(partial.received());
    let is_part = response.status() == StatusCode::PARTIAL_CONTENT;
    let mut body = response.bytes_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| {
            let of = partial.total().map(|total| format!(" of {total}")).unwrap_or_default();
            Attempt::again(format!(
                "the body broke off after {}{of} bytes: {}",
                partial.received(),
                chain(&error.without_url())
            ))
        })?;
        partial.add(&chunk, limit).await.map_err(not_taken)?;
        bar.add(chunk.len() as u64);
    }
    let received = partial.received();
    match partial.total().filter(|total| *total != received) {
        Some(total) => {
            // A server may send less than the part that it was asked for. Otherwise, more than was announced, or less without an error, is
            // not to be trusted.
            if !is_part || received > total {
                partial.forget();
            }
            Err(Attempt::again(format!("the body has {received} bytes where {total} were announced")))
        }
        None => Ok(()),
    }
}

/// Asks, following redirects, until something answers with a body.
async fn follow(
    client: &Authenticated<'_>,
    url: &Url,
    partial: &mut Partial,
    network: &Network,
) -> Result<Response, Attempt> {
    // A part is asked for where what has come was of: what a redirect leads to may have changed, and be another content.
    let continued = partial.place().cloned();
    let mut current = continued.clone().unwrap_or_else(|| url.clone());
    let mut visited = HashSet::new();
    loop {
        check_address(&current, network).map_err(|problem| refused(&current, problem.0))?;
        if !visited.insert(current.clone()) {
            return Err(refused(url, format!("redirects go in a circle through {}", redacted(&current))));
        }
        if visited.len() > REDIRECT_LIMIT + 1 {
            return Err(refused(url, format!("there are more than {REDIRECT_LIMIT} redirects")));
        }
        let response =
            partial.ask(client.get(&current)).send().await.map_err(|error| sending(&current, error))?;
        let status = response.status();
        let is_without_content =
            matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::ACCEPTED);
        if status.is_success() && !is_without_content {
            return Ok(response);
        }
        if status == StatusCode::RANGE_NOT_SATISFIABLE && partial.continues() {
            partial.forget();
            return Err(Attempt::again("the content is shorter than what came of it before"));
        }
        let location = response.headers().get(header::LOCATION).filter(|_| status.is_redirection());
        if continued.as_ref().is_some_and(|place| place != url && (location.is_some() || is_gone(status))) {
            partial.forget();
            let problem = format!("{} is not there any more, to which it redirected", redacted(&current));
            return Err(Attempt::again(problem));
        }
        let Some(location) = location else {
            return Err(unsuccessful(&current, &response, client.credentials));
        };
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

/// Whether an address that was redirected to may have been for a time only, as signed ones are.
fn is_gone(status: StatusCode) -> bool {
    status.is_client_error() && !is_transient(status)
}

/// Whether the same request may be answered otherwise soon. What is only accepted is not ready yet.
fn is_transient(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_EARLY
                | StatusCode::ACCEPTED
        )
}

fn unsuccessful(url: &Url, response: &Response, credentials: &Credentials) -> Attempt {
    let status = response.status();
    let problem = format!("the server answers {status}");
    if is_transient(status) {
        let not_ready = if status == StatusCode::ACCEPTED { ", and no content: it is not ready" } else { "" };
        let pause = retry_after(response.headers());
        return Attempt::Again { problem: format!("{problem}{not_ready}"), pause };
    }
    let asks = matches!(
        status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED
    );
    refused(
        url,
        match (asks, credentials.are_named()) {
            (false, _) => problem,
            (true, true) => format!("{problem}; correct the credentials in {}", credentials.place()),
            (true, false) => {
                format!("{problem}; name a Secret with the credentials in secret, beside the uri")
            }
        },
    )
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
    if let Some(problem) = unreadable(&error) {
        return Attempt::again(problem);
    }
    let what = if error.is_timeout() { "no answer in time" } else { "no connection" };
    Attempt::again(format!("{what}: {}", chain(&error)))
}
