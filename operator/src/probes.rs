//! The operator's own HTTP: `/livez`, `/readyz` and `/healthz` for the kubelet, `/metrics` for Prometheus.

use std::net::SocketAddr;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use super::operator::Inspection;

/// An address that could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for {purpose}: {source}; is it taken?")]
pub struct ListenError {
    address: SocketAddr,
    purpose: &'static str,
    source: std::io::Error,
}

/// Starts to answer probes; the address that it listens on.
///
/// # Errors
/// When the address is taken.
pub async fn serve_health(address: SocketAddr, inspection: Inspection) -> Result<SocketAddr, ListenError> {
    // A response shows that the event loop runs.
    let alive = || async { (StatusCode::OK, "ok\n").into_response() };
    let ready = move || async move {
        let missing = inspection.missing();
        match missing.is_empty() {
            true => (StatusCode::OK, "ok\n".to_owned()),
            false => {
                let list = missing.join(", ");
                (StatusCode::SERVICE_UNAVAILABLE, format!("not synced: {list}\n"))
            }
        }
    };
    let router =
        Router::new().route("/livez", get(alive)).route("/healthz", get(alive)).route("/readyz", get(ready));
    serve(address, "probes", router).await
}

/// Starts to answer scrapes; the address that it listens on.
///
/// # Errors
/// When the address is taken.
pub async fn serve_metrics(address: SocketAddr, inspection: Inspection) -> Result<SocketAddr, ListenError> {
    let metrics = move || async move {
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], inspection.metrics_text())
    };
    serve(address, "metrics", Router::new().route("/metrics", get(metrics))).await
}

async fn serve(
    address: SocketAddr,
    purpose: &'static str,
    router: Router,
) -> Result<SocketAddr, ListenError> {
    let failed = |source| ListenError { address, purpose, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, purpose, "stopped answering");
        }
    });
    tracing::info!(%address, purpose, "listening");
    Ok(address)
}
