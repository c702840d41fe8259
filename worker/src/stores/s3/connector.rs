//! The way by which the `object_store` crate talks to servers: the worker's own client, with the network's rules.

use async_trait::async_trait;
use http::Method;
use http_body_util::{BodyExt, Limited};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService,
};
use reqwest::{Body, Client, Request};
use url::Url;

use crate::network::Network;
use crate::network::{check_address, refusal};

/// The most bytes of an answer that is not an object's content: a list of 1,000 keys of 1,024 bytes, with each sign of them escaped,
/// and what belongs to it.
const ANSWER_LIMIT: usize = 16 << 20;

/// A server that says too much.
#[derive(Debug, thiserror::Error)]
#[error("the store's answer has more than {ANSWER_LIMIT} bytes")]
struct AnswerTooLong;

/// Whether a request asks for the list of a bucket's keys.
fn is_listing(url: &Url) -> bool {
    url.query_pairs().any(|(name, _)| name == "list-type" || name == "uploads")
}

/// Makes clients, all of them the same.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    client: Client,
    network: Network,
}

impl Connector {
    pub(super) fn new(client: Client, network: Network) -> Self {
        Self { client, network }
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url: Url =
            parts.uri.to_string().parse().map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        check_address(&url, &self.network).map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        let mut request = Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        *request.body_mut() = Some(match body.as_bytes() {
            Some(bytes) => bytes.clone().into(),
            None => Body::wrap(body),
        });
        let is_content = request.method() == Method::GET && !is_listing(request.url());
        let response = self.client.execute(request).await.map_err(told_apart)?;
        let (parts, body) = http::Response::<Body>::from(response).into_parts();
        let body = body.map_err(told_apart);
        // An object's content is written to disk as it comes, and counted there. Every other answer is held in memory whole.
        let body = if is_content && parts.status.is_success() {
            HttpResponseBody::new(body)
        } else {
            HttpResponseBody::new(Limited::new(body, ANSWER_LIMIT).map_err(|error| {
                match error.downcast::<HttpError>() {
                    Ok(own) => *own,
                    Err(_) => HttpError::new(HttpErrorKind::Unknown, AnswerTooLong),
                }
            }))
        };
        Ok(HttpResponse::from_parts(parts, body))
    }
}

/// A refused address is final; everything else that the network does is worth another try.
fn told_apart(error: reqwest::Error) -> HttpError {
    let error = error.without_url();
    if let Some(refused) = refusal(&error) {
        return HttpError::new(HttpErrorKind::Unknown, refused.clone());
    }
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_body() || error.is_decode() {
        HttpErrorKind::Interrupted
    } else {
        HttpErrorKind::Request
    };
    HttpError::new(kind, error)
}
