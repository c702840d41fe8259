//! `POST /predict`: key, body, rows, prediction, answer.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::body::ReceivedBody;
use super::loaded::LoadedModel;
use super::reply;
use super::rows::RowsError;
use super::server::Server;

/// Answers one object with one prediction and a list of objects with a list of predictions.
pub async fn predict(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if server.key.as_ref().is_some_and(|key| !key.is_in(&head.headers)) {
        return reply::unauthorized();
    }
    if let Some(other) = other_content_type(&head.headers) {
        return reply::not_json(&other);
    }
    if let Some(encoding) = content_encoding(&head.headers) {
        return reply::encoded(&encoding);
    }
    let Some(model) = server.model() else {
        return reply::try_again("the model is being loaded; try again");
    };
    let body = match server.body_limits.read(&head.headers, body).await {
        Ok(body) => body,
        Err(problem) => return reply::bad_body(problem),
    };
    let answer = if model.is_small_work(body.bytes.len()) {
        model.answer(&body.bytes)
    } else {
        match compute_aside(&server, Arc::clone(model), body).await {
            Some(answer) => answer,
            None => return reply::error(StatusCode::INTERNAL_SERVER_ERROR, "the prediction was broken off"),
        }
    };
    match answer {
        Ok(json) => json_response(json),
        Err(problem) => reply::bad_rows(&problem, model.features()),
    }
}

/// Computes on a thread where it may take its time, at most as many at once as there are cores. None when that thread was
/// stopped.
async fn compute_aside(
    server: &Server,
    model: Arc<LoadedModel>,
    body: ReceivedBody,
) -> Option<Result<Vec<u8>, RowsError>> {
    // The permit goes along: a caller who hangs up does not make room for another before the work has ended.
    let permit = Arc::clone(&server.cores).acquire_owned().await.ok()?;
    let work = move || {
        let answer = model.answer(&body.bytes);
        drop(permit);
        answer
    };
    tokio::task::spawn_blocking(work).await.ok()
}

/// An answer that is JSON already.
pub fn json_response(json: impl Into<Body>) -> Response {
    let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    ([content_type], json.into()).into_response()
}

/// What the body is declared to be, when that is not JSON. Nothing declared counts as JSON.
fn other_content_type(headers: &HeaderMap) -> Option<String> {
    let declared = headers.get(header::CONTENT_TYPE)?;
    let Ok(text) = declared.to_str() else { return Some("bytes".to_owned()) };
    let media_type = text.split(';').next().unwrap_or_default().trim();
    let (kind, format) = media_type.split_once('/').unwrap_or((media_type, ""));
    let is_json = kind.eq_ignore_ascii_case("application")
        && (format.eq_ignore_ascii_case("json") || format.to_ascii_lowercase().ends_with("+json"));
    (!is_json).then(|| text.to_owned())
}

/// How the body is encoded, when it is: it is taken plain.
fn content_encoding(headers: &HeaderMap) -> Option<String> {
    let named = headers.get_all(header::CONTENT_ENCODING).iter();
    let named = named.map(|value| value.to_str().unwrap_or("bytes").trim());
    named.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity")).map(str::to_owned).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_encoded_unless_it_says_nothing_or_identity() {
        for (value, expected) in [
            ("gzip", Some("gzip")),
            ("br, gzip", Some("br, gzip")),
            ("identity", None),
            ("Identity", None),
            ("", None),
        ] {
            let named = (header::CONTENT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(content_encoding(&HeaderMap::from_iter([named])).as_deref(), expected, "{value}");
        }
        assert_eq!(content_encoding(&HeaderMap::new()), None);
    }

    #[test]
    fn only_json_and_nothing_declared_count_as_json() {
        let other = |value: &'static str| {
            other_content_type(&HeaderMap::from_iter([(
                header::CONTENT_TYPE,
                HeaderValue::from_static(value),
            )]))
        };
        for json in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json"] {
            assert_eq!(other(json), None, "{json}");
        }
        for text in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", ""] {
            assert_eq!(other(text).as_deref(), Some(text));
        }
        assert_eq!(other_content_type(&HeaderMap::new()), None);
    }
}
