//! The answers that are not predictions, errors first: JSON bodies with a text for people.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::body::BodyError;
use super::rows::{Problem, RowFeatures, RowsError};

/// Every endpoint there is, for who asks for another.
pub const ENDPOINTS: [&str; 7] =
    ["GET /", "GET /health", "GET /ready", "POST /predict", "GET /docs", "GET /openapi.json", "GET /metrics"];

/// The body of every error.
#[derive(Serialize)]
struct ErrorBody<'a> {
    /// What is wrong, for people.
    error: &'a str,
    /// What is wrong with which row and feature.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    details: &'a [Problem],
    /// The features there are.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    features: &'a [String],
    /// The endpoints there are.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    endpoints: &'a [&'a str],
}

/// An answer that says what is wrong.
#[must_use]
pub fn error(code: StatusCode, message: &str) -> Response {
    respond(code, &ErrorBody { error: message, details: &[], features: &[], endpoints: &[] })
}

fn respond(code: StatusCode, body: &ErrorBody<'_>) -> Response {
    (code, Json(body)).into_response()
}

/// There is nothing at this path.
#[must_use]
pub fn not_found(path: &str) -> Response {
    let path: String = path.chars().take(100).collect();
    let message = format!("there is nothing at {path}");
    let body = ErrorBody { error: &message, details: &[], features: &[], endpoints: &ENDPOINTS };
    respond(StatusCode::NOT_FOUND, &body)
}

/// The endpoint exists, and is not asked this way. The router adds the header that says which way.
#[must_use]
pub fn method_not_allowed(method: &str, path: &str) -> Response {
    let method: String = method.chars().take(20).collect();
    let message = format!("{path} is not asked with {method}");
    let body = ErrorBody { error: &message, details: &[], features: &[], endpoints: &ENDPOINTS };
    respond(StatusCode::METHOD_NOT_ALLOWED, &body)
}

/// The key is missing or another.
#[must_use]
pub fn unauthorized() -> Response {
    let message = "an API key is needed: send it as \"Authorization: Bearer KEY\" or \"X-API-Key: KEY\"";
    let mut response = error(StatusCode::UNAUTHORIZED, message);
    let scheme = HeaderValue::from_static("Bearer realm=\"mlpipeline\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    response
}

/// Not now, but soon.
#[must_use]
pub fn try_again(message: &str) -> Response {
    let mut response = error(StatusCode::SERVICE_UNAVAILABLE, message);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// The body is declared to be something else than JSON.
#[must_use]
pub fn not_json(found: &str) -> Response {
    let found: String = found.chars().take(100).collect();
    let message = format!("the body must be sent as content-type: application/json, not {found}");
    error(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message)
}

/// The body is encoded, as a compressed one is.
#[must_use]
pub fn encoded(encoding: &str) -> Response {
    let encoding: String = encoding.chars().take(100).collect();
    let message = format!("the body must be sent as it is, without Content-Encoding, not with {encoding}");
    error(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message)
}

/// The body was not read.
#[must_use]
pub fn bad_body(problem: BodyError) -> Response {
    let code = match problem {
        BodyError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::TooSlow(_) | BodyError::GaveWay => StatusCode::REQUEST_TIMEOUT,
        BodyError::Broken => StatusCode::BAD_REQUEST,
        BodyError::Busy => return try_again(&problem.to_string()),
    };
    let mut response = error(code, &problem.to_string());
    // Whatever is left of the body would be read as the next request.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The body gives no rows.
#[must_use]
pub fn bad_rows(problem: &RowsError, features: &RowFeatures) -> Response {
    let code = match problem {
        RowsError::Malformed(_) => StatusCode::BAD_REQUEST,
        RowsError::TooManyRows { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        RowsError::WrongShape(_) | RowsError::Wrong { .. } => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let details = match problem {
        RowsError::Wrong { problems, .. } => problems.as_slice(),
        _ => &[],
    };
    let features = if code == StatusCode::UNPROCESSABLE_ENTITY { features.names() } else { &[] };
    respond(code, &ErrorBody { error: &problem.to_string(), details, features, endpoints: &[] })
}
