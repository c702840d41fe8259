//! The HTTP client of everything that talks to servers: it connects only to addresses that [`Network`] allows.
//!
//! A name is resolved once for each connection, and the connection goes to the very addresses that were checked, so that a name
//! that changes its mind in between wins nothing. `HTTP_PROXY` and its like are not read. Redirects are left to the caller.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::HeaderValue;
use hyper_util::client::legacy::connect::dns;
use percent_encoding::percent_decode_str;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, redirect};
use tower::Service;
use url::{Host, Url};

use super::address::AddressRefused;
use super::rules::Network;
use super::tls;
use crate::credentials::Credentials;

/// What the worker calls itself.
pub(crate) const USER_AGENT: &str = concat!("mlpipeline-worker/", env!("CARGO_PKG_VERSION"));

/// Makes the client, which trusts the certificate authorities of the system and those of `ca`, in PEM.
///
/// # Errors
/// Says what is wrong with `ca`, or why there is no TLS.
pub(crate) fn client(network: &Network, ca: Option<&str>) -> Result<Client, String> {
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .tls_backend_preconfigured(tls::config(ca)?)
        .connect_timeout(network.connect_timeout)
        .read_timeout(network.idle_timeout)
        .dns_resolver(Arc::new(CheckedResolver(network.clone())))
        .build()
        .map_err(|error| format!("TLS cannot be set up: {}", chain(&error)))
}

/// What a named Secret holds for HTTP: a token as Bearer, else a user name and password as Basic. It is for the caller to see that the request goes
/// to the origin that the spec names.
///
/// # Errors
/// When a header cannot hold it.
pub(crate) fn authorization(credentials: &Credentials) -> Result<Option<HeaderValue>, String> {
    let of = |key| credentials.get(key).filter(|_| credentials.are_named());
    let text = match (of("token"), of("username"), of("password")) {
        (Some(token), _, _) => format!("Bearer {token}"),
        (None, None, None) => return Ok(None),
        (None, user, password) => basic(user.unwrap_or_default(), password.unwrap_or_default()),
    };
    sensitive(&text).map(Some)
}

/// The user name and password that a URL has.
///
/// # Errors
/// When a header cannot hold them.
pub(crate) fn authorization_of_url(url: &Url) -> Result<Option<HeaderValue>, String> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    sensitive(&basic(&decoded(url.username()), &decoded(url.password().unwrap_or_default()))).map(Some)
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// A header's value that is never shown.
fn sensitive(text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        "the token of its Secret has signs that a header cannot hold, such as a line end".to_owned()
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// An address that is written in the URL itself never meets the resolver.
pub(crate) fn check_address(url: &Url, network: &Network) -> Result<(), AddressRefused> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(AddressRefused(format!("{} is not an http or https URL", redacted(url))));
    }
    match url.host() {
        Some(Host::Ipv4(address)) => network.check(&address.to_string(), address.into()),
        Some(Host::Ipv6(address)) => network.check(&address.to_string(), address.into()),
        Some(Host::Domain(_)) => Ok(()),
        None => Err(AddressRefused("it names no host".into())),
    }
}

/// The refusal among an error's causes.
pub(crate) fn refusal<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a AddressRefused> {
    let mut cause = Some(error);
    while let Some(current) = cause {
        // An error of I/O gives the causes of what it holds, and not that itself.
        let held = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let own = held.and_then(|held| held.downcast_ref()).or_else(|| current.downcast_ref());
        if own.is_some() {
            return own;
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

/// Resolves names as the system does, and gives only what [`Network`] allows.
#[derive(Clone)]
pub(super) struct CheckedResolver(pub(super) Network);

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let network = self.0.clone();
        Box::pin(async move {
            let found = network.resolve(name.as_str(), 0).await?;
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

/// The same for hyper.
impl Service<dns::Name> for CheckedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, Result<Self::Response, io::Error>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: dns::Name) -> Self::Future {
        let network = self.0.clone();
        async move { Ok(network.resolve(name.as_str(), 0).await?.into_iter()) }.boxed()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_and_password_of_a_url_are_sent_as_they_are_meant() {
        for (url, expected) in [
            ("http://a/", None),
            ("http://me:p%40ss@a/", Some("Basic bWU6cEBzcw==")),
            ("http://me@a/", Some("Basic bWU6")),
        ] {
            let found = authorization_of_url(&Url::parse(url).expect(url)).expect(url);
            assert_eq!(found.as_ref().and_then(|value| value.to_str().ok()), expected, "{url}");
            assert!(found.is_none_or(|value| value.is_sensitive()));
        }
    }

    #[test]
    fn messages_hold_no_credentials() {
        let url = Url::parse("https://me:secret@example.com/a.csv?sig=secret#secret").expect("a URL");
        assert_eq!(redacted(&url), "https://example.com/a.csv?…");
    }
}
