//! The HTTP client of everything that talks to servers: it connects only to addresses that [`Network`] allows.
//!
//! A name is resolved once for each connection, and the connection goes to the very addresses that were checked, so that a name
//! that changes its mind in between wins nothing. `HTTP_PROXY` and its like are not read. Redirects are left to the caller.

use std::error::Error;
use std::sync::{Arc, Once};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, RequestBuilder, redirect};
use url::{Host, Url};

use super::address::AddressRefused;
use super::rules::Network;
use crate::credentials::Credentials;

/// Makes the client, which trusts the certificate authorities of the system and those of `ca`, in PEM.
///
/// # Errors
/// Says what is wrong with `ca`, or why there is no TLS.
pub(crate) fn client(network: &Network, ca: Option<&str>) -> Result<Client, String> {
    install_crypto();
    let certificates = ca.map_or(Ok(Vec::new()), |pem| Certificate::from_pem_bundle(pem.as_bytes()));
    let certificates = certificates.map_err(|error| format!("ca.crt is not valid PEM: {}", chain(&error)))?;
    if ca.is_some() && certificates.is_empty() {
        return Err("ca.crt holds no certificate".to_owned());
    }
    Client::builder()
        .user_agent(concat!("mlpipeline-worker/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .tls_certs_merge(certificates)
        .connect_timeout(network.connect_timeout)
        .read_timeout(network.idle_timeout)
        .dns_resolver(Arc::new(CheckedResolver(network.clone())))
        .build()
        .map_err(|error| format!("TLS cannot be set up: {}", chain(&error)))
}

/// A request with what a named Secret holds for HTTP: a token as Bearer, else a user name and password as Basic. It is for the
/// caller to see that the request goes to the origin that the spec names.
pub(crate) fn authenticated(request: RequestBuilder, credentials: &Credentials) -> RequestBuilder {
    let of = |key| credentials.get(key).filter(|_| credentials.are_named());
    match (of("token"), of("username"), of("password")) {
        (Some(token), _, _) => request.bearer_auth(token),
        (None, None, None) => request,
        (None, user, password) => request.basic_auth(user.unwrap_or_default(), password),
    }
}

/// Makes ring the cryptography of every TLS connection of this process.
fn install_crypto() {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // It fails when another part of the process was first; then that provider serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
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
struct CheckedResolver(Network);

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
    fn messages_hold_no_credentials() {
        let url = Url::parse("https://me:secret@example.com/a.csv?sig=secret#secret").expect("a URL");
        assert_eq!(redacted(&url), "https://example.com/a.csv?…");
    }
}
