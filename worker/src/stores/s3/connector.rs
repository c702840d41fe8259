//! The way by which the `object_store` crate talks to servers: the worker's own client, with the network's rules.

use async_trait::async_trait;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
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

/// A part of an object that is not shown to follow on what came of it.
#[derive(Debug, thiserror::Error)]
#[error(
    "the store was asked for {asked} of the object, and answers {found}, which cannot be put behind what came before"
)]
pub(super) struct OtherPart {
    asked: String,
    found: String,
}

/// Refuses an answer to a request for the rest of an object whose beginning has come, unless it is that rest, and a part where all was
/// asked for. The `object_store` crate compares the tags, and takes the body without a look at where it begins. Whatever it asks for
/// in parts here is such a rest, up to the object's end.
fn check_part(asked: Option<&HeaderValue>, status: StatusCode, headers: &HeaderMap) -> Result<(), OtherPart> {
    let text =
        |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    let (range, tag) = (text(header::CONTENT_RANGE), text(header::ETAG));
    let is_part = status == StatusCode::PARTIAL_CONTENT;
    let asked = asked.map(|asked| String::from_utf8_lossy(asked.as_bytes()).into_owned());
    let fits = match &asked {
        _ if !status.is_success() => true,
        None => !is_part,
        Some(asked) => {
            let place = asked.strip_prefix("bytes=").unwrap_or_default();
            let last = place.split_once('-').and_then(|(_, last)| last.parse::<u64>().ok());
            let whole = last.map(|last| format!("bytes {place}/{}", last.saturating_add(1)));
            // A weak tag stands for content that means the same, not for the same bytes.
            is_part && whole.is_some_and(|whole| whole == range) && !tag.starts_with("W/")
        }
    };
    if fits {
        return Ok(());
    }
    let asked = asked.unwrap_or_else(|| "all".to_owned());
    Err(OtherPart { asked, found: format!("{status} with Content-Range {range:?} and ETag {tag:?}") })
}

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
        let asked = request.headers().get(header::RANGE).cloned();
        let response = self.client.execute(request).await.map_err(told_apart)?;
        let (parts, body) = http::Response::<Body>::from(response).into_parts();
        if is_content {
            check_part(asked.as_ref(), parts.status, &parts.headers)
                .map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        }
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
