//! Connections to one server, over which requests go one after the other.
//!
//! Owns which connection a request takes, and how many a connection carries. reqwest, through which all else goes, takes more time for a small
//! request than its way to a server nearby and back: docs/decisions/0030-posts-over-hyper.md. Must not know what is sent.

use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HOST};
use http::response::Parts;
use http::{HeaderMap, HeaderValue, Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use tower::ServiceExt;
use url::Url;

use super::client::CheckedResolver;
use super::rules::Network;
use super::tls;

/// Why there is no answer.
pub(crate) type NoAnswer = Box<dyn Error + Send + Sync>;

/// How long the body of an answer is waited for at most once its head is there. It is only logged, and a server that holds its connection open
/// would hold up all rows.
const BODY_TIME: Duration = Duration::from_secs(5);

/// An answer whose head has come: what became of the request is known, whatever becomes of the body.
pub(crate) struct Begun {
    pub head: Parts,
    incoming: Incoming,
    connection: Connection,
    /// Whether the connection carries no further request.
    is_last: bool,
}

/// The body of an answer, or as much of it as was asked for.
pub(crate) struct AnswerBody {
    pub bytes: Vec<u8>,
    /// Whether that is all of the body.
    pub is_whole: bool,
}

/// Connections to the server of a URL.
pub(crate) struct Connections {
    connector: HttpsConnector<HttpConnector<CheckedResolver>>,
    connect_timeout: Duration,
    body_timeout: Duration,
    /// The server: scheme, host and port.
    server: Uri,
    /// The path and query of each request.
    target: Uri,
    /// The headers of each request.
    headers: HeaderMap,
    requests_each: u64,
    idle: Mutex<Vec<Connection>>,
}

/// A connection that waits for a request.
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// How many it carried.
    carried: u64,
}

impl Connections {
    /// No connections yet. Each is to carry so many requests at most, and each request has these headers beside its own. `ca` has certificate
    /// authorities that are believed beside those of the system, in PEM.
    ///
    /// # Errors
    /// Says what is wrong with the URL or `ca`.
    pub(crate) fn new(
        url: &Url,
        mut headers: HeaderMap,
        requests_each: u64,
        network: &Network,
        ca: Option<&str>,
    ) -> Result<Self, String> {
        let mut tcp = HttpConnector::new_with_resolver(CheckedResolver(network.clone()));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let tls = HttpsConnectorBuilder::new().with_tls_config(tls::config(ca)?);
        let (server, target) = parts(url)?;
        let host = server.authority().map(|authority| HeaderValue::from_str(authority.as_str()));
        if let Some(Ok(host)) = host {
            headers.insert(HOST, host);
        }
        Ok(Self {
            connector: tls.https_or_http().enable_http1().wrap_connector(tcp),
            connect_timeout: network.connect_timeout,
            body_timeout: network.idle_timeout.min(BODY_TIME),
            server,
            target,
            headers,
            requests_each,
            idle: Mutex::default(),
        })
    }

    /// Posts a body, and waits for the head of the answer.
    ///
    /// # Errors
    /// When there is no connection, or it breaks off before that.
    pub(crate) async fn post(
        &self,
        own: (&'static str, HeaderValue),
        body: Bytes,
    ) -> Result<Begun, NoAnswer> {
        let mut request = Request::post(self.target.clone()).body(Full::new(body))?;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(own.0, own.1);
        loop {
            let idle = self.idle().pop();
            let (mut connection, is_new) = match idle {
                Some(idle) => (idle, false),
                None => (self.connect().await?, true),
            };
            if let Err(error) = connection.sender.ready().await {
                if is_new {
                    return Err(error.into());
                }
                // The server closed it meanwhile.
                continue;
            }
            connection.carried = connection.carried.saturating_add(1);
            let is_last = connection.carried >= self.requests_each;
            if is_last {
                request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            match connection.sender.try_send_request(request).await {
                Ok(answer) => {
                    let (head, incoming) = answer.into_parts();
                    return Ok(Begun { head, incoming, connection, is_last });
                }
                Err(mut failed) => match failed.take_message() {
                    // It was closed before anything of the request was sent.
                    Some(unsent) if !is_new => request = unsent,
                    _ => return Err(failed.into_error().into()),
                },
            }
            request.headers_mut().remove(CONNECTION);
        }
    }

    /// Reads at most about so many bytes of an answer's body. One that breaks off, or does not end in time, is given as far as it came.
    pub(crate) async fn read(&self, begun: Begun, most: usize) -> AnswerBody {
        let Begun { incoming, connection, is_last, .. } = begun;
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(self.body_timeout, beginning(incoming, most, &mut bytes)).await;
        let is_whole = read.unwrap_or(false);
        // With a rest of a body in it, a connection is of no more use.
        if is_whole && !is_last {
            self.idle().push(connection);
        }
        AnswerBody { bytes, is_whole }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self) -> Result<Connection, NoAnswer> {
        let connecting = self.connector.clone().oneshot(self.server.clone());
        let stream = tokio::time::timeout(self.connect_timeout, connecting).await??;
        let (sender, connection) = handshake(stream).await?;
        // Its end is seen by whoever sends next.
        tokio::spawn(async move { connection.await.ok() });
        Ok(Connection { sender, carried: 0 })
    }
}

/// The server of a URL, and what of it a request names. User name and password are neither.
fn parts(url: &Url) -> Result<(Uri, Uri), String> {
    let invalid = |error: http::uri::InvalidUri| format!("the URL cannot be requested: {error}");
    let (host, port) = (url.host_str().unwrap_or_default(), url.port());
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let server = format!("{}://{host}{port}", url.scheme()).parse().map_err(invalid)?;
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok((server, format!("{}{query}", url.path()).parse().map_err(invalid)?))
}

/// Adds the beginning of a body to bytes; says whether it is all of it.
async fn beginning(mut incoming: Incoming, most: usize, bytes: &mut Vec<u8>) -> bool {
    while bytes.len() < most {
        match incoming.frame().await {
            Some(Ok(frame)) => bytes.extend(frame.into_data().unwrap_or_default()),
            Some(Err(_)) => return false,
            None => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_path_and_query_and_its_server_host_and_port() {
        for (url, server, target) in [
            ("http://example.com", "http://example.com/", "/"),
            ("https://me:secret@example.com:443/a/b?c=d&e#f", "https://example.com/", "/a/b?c=d&e"),
            ("http://[::1]:8080/%20ü?x={y}|", "http://[::1]:8080/", "/%20%C3%BC?x={y}|"),
            ("http://bücher.example/", "http://xn--bcher-kva.example/", "/"),
        ] {
            let found = parts(&Url::parse(url).expect(url)).expect(url);
            assert_eq!((found.0.to_string(), found.1.to_string()), (server.to_owned(), target.to_owned()));
        }
    }
}
