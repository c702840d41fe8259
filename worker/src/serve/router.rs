//! Which path answers what, and what every answer carries.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use super::metrics::Endpoint;
use super::predict::{json_response, predict};
use super::prefix::{PathPrefix, below};
use super::reply;
use super::server::Server;

/// The header that names the pod which answered.
const POD_HEADER: HeaderName = HeaderName::from_static("x-mlpipeline-pod");

/// The header that names the model's revision.
const REVISION_HEADER: HeaderName = HeaderName::from_static("x-mlpipeline-model-revision");

/// The content type of `/metrics`: Prometheus' text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All endpoints, also below a prefix where one is given.
pub fn router(server: Arc<Server>, prefix: Option<PathPrefix>) -> Router {
    let endpoints = endpoints(server);
    match prefix {
        None => endpoints,
        // Around the endpoints' router, which must see the path without the prefix.
        Some(prefix) => Router::new()
            .fallback_service(endpoints)
            .layer(middleware::from_fn_with_state(Arc::new(prefix), below)),
    }
}

/// What is answered on the port for probes.
pub fn probes(server: Arc<Server>) -> Router {
    common(probe_endpoints(), server)
}

fn probe_endpoints() -> Router<Arc<Server>> {
    Router::new()
        .route("/health", get(|| async { json_response(r#"{"status":"ok"}"#) }))
        .route("/ready", get(ready))
}

fn endpoints(server: Arc<Server>) -> Router {
    let endpoints = probe_endpoints()
        .route("/", get(|| async { Redirect::temporary("docs") }))
        .route("/predict", post(predict))
        .route("/docs", get(docs))
        .route("/openapi.json", get(openapi))
        .route("/metrics", get(metrics));
    common(endpoints, server)
}

/// What every answer has in common, those to wrong requests too.
fn common(endpoints: Router<Arc<Server>>, server: Arc<Server>) -> Router {
    endpoints
        .fallback(|uri: Uri| async move { reply::not_found(uri.path()) })
        .method_not_allowed_fallback(|method: Method, uri: Uri| async move {
            reply::method_not_allowed(method.as_str(), uri.path())
        })
        .layer(middleware::from_fn_with_state(Arc::clone(&server), observe))
        .with_state(server)
}

/// Counts every request, and says in every answer who gave it.
async fn observe(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let in_flight = server.metrics.begin_request();
    let endpoint = Endpoint::of(request.uri().path());
    let mut response = next.run(request).await;
    drop(in_flight);
    let headers = response.headers_mut();
    headers.insert(POD_HEADER, server.pod.clone());
    if let Some(model) = server.model() {
        headers.insert(REVISION_HEADER, model.revision_header.clone());
    }
    let (code, took) = (response.status().as_u16(), start.elapsed());
    server.metrics.count_request(endpoint, code, took);
    tracing::debug!(?endpoint, code, ?took, "answered");
    response
}

async fn ready(State(server): State<Arc<Server>>) -> Response {
    match server.not_ready() {
        None => json_response(r#"{"ready":true}"#),
        Some(reason) => {
            let json = format!(r#"{{"ready":false,"reason":"{reason}"}}"#);
            (StatusCode::SERVICE_UNAVAILABLE, json_response(json)).into_response()
        }
    }
}

async fn docs(State(server): State<Arc<Server>>, headers: HeaderMap) -> Response {
    if server.hides_docs(&headers) {
        return reply::unauthorized();
    }
    match server.model() {
        Some(model) => model.docs.response(),
        None => reply::try_again("the model is being loaded; try again"),
    }
}

async fn openapi(State(server): State<Arc<Server>>, headers: HeaderMap) -> Response {
    if server.hides_docs(&headers) {
        return reply::unauthorized();
    }
    match server.model() {
        Some(model) => json_response(model.openapi.clone()),
        None => reply::try_again("the model is being loaded; try again"),
    }
}

async fn metrics(State(server): State<Arc<Server>>) -> Response {
    match server.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, HeaderValue::from_static(METRICS_TYPE))], text).into_response(),
        Err(error) => reply::error(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}
