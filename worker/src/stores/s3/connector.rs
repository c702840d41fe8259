//! The way by which the `object_store` crate talks to servers: the worker's own client, with the network's rules.

use async_trait::async_trait;
use http_body_util::BodyExt;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService,
};
use reqwest::{Body, Client, Request};
use url::Url;

use crate::network::Network;
use crate::network::{check_address, refusal};

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
        let response = self.client.execute(request).await.map_err(told_apart)?;
        let (parts, body) = http::Response::<Body>::from(response).into_parts();
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body.map_err(told_apart))))
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
