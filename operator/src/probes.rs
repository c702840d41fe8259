//! The operator's own HTTP: `/livez`, `/readyz` and `/healthz` for the kubelet, `/metrics` for Prometheus.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use super::bounded_listener::BoundedListener;
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

/// What to listen on, the first that this machine has: all addresses of one family stand for those of both, since a pod may have
/// addresses of either.
fn of_both_families(address: SocketAddr) -> Vec<SocketAddr> {
    let everywhere = [Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()];
    if address.ip().is_unspecified() {
        everywhere.map(|all| SocketAddr::new(all, address.port())).to_vec()
    } else {
        vec![address]
    }
}

async fn serve(
    address: SocketAddr,
    purpose: &'static str,
    router: Router,
) -> Result<SocketAddr, ListenError> {
    let failed = |source| ListenError { address, purpose, source };
    let listener = TcpListener::bind(&*of_both_families(address)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    tokio::spawn(async move {
        if let Err(error) = axum::serve(BoundedListener::new(listener), router).await {
            tracing::error!(%error, purpose, "stopped answering");
        }
    });
    tracing::info!(%address, purpose, "listening");
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_addresses_of_one_family_stand_for_those_of_both() {
        for everywhere in ["0.0.0.0:0", "[::]:0"] {
            let address = everywhere.parse().expect("an address");
            let listening = serve(address, "a test", Router::new()).await.expect("a free port");
            let has_ipv6 = std::net::UdpSocket::bind("[::1]:0").is_ok();
            for (reached, here) in [("127.0.0.1", true), ("::1", has_ipv6)] {
                let connected = tokio::net::TcpStream::connect((reached, listening.port())).await;
                assert_eq!(connected.is_ok(), here, "{reached} of {everywhere}");
            }
        }
        let one = serve("127.0.0.1:0".parse().expect("an address"), "a test", Router::new()).await;
        assert_eq!(one.expect("a free port").ip(), Ipv4Addr::LOCALHOST);
    }
}
