//! The HTTP client of the collector: requests come from the exporter's own thread, and run on the operator's runtime.
//!
//! Logs once when traces cannot be sent, and once when they can again, whatever the number of requests between. No header is ever
//! logged.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kube::Config;
use kube::client::ConfigExt;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;
use tokio::time::error::Elapsed;

use super::settings::Settings;

/// The client of a collector, as the exporter uses it.
#[derive(Debug)]
pub struct Collector {
    client: Arc<dyn HttpClient>,
    runtime: Handle,
    /// Scheme, host and path: a query may hold a key.
    address: String,
    timeout: Duration,
    is_down: AtomicBool,
}

impl Collector {
    /// The collector of these settings. Nothing is connected yet.
    ///
    /// # Errors
    /// When the authorities for its certificate cannot be read.
    pub fn new(settings: &Settings, runtime: Handle) -> Result<Self, kube::Error> {
        let endpoint = &settings.endpoint;
        let client: Arc<dyn HttpClient> = if endpoint.scheme_str() == Some("https") {
            // The same TLS as for the API server: a file is read again when it is replaced.
            let mut tls = Config::new(endpoint.clone());
            tls.root_cert = settings.certificate.is_some().then(Vec::new);
            tls.root_cert_file.clone_from(&settings.certificate);
            Arc::new(HyperClient::new(tls.rustls_https_connector()?, settings.timeout, None))
        } else {
            Arc::new(HyperClient::with_default_connector(settings.timeout, None))
        };
        Ok(Self {
            client,
            runtime,
            address: address(settings),
            timeout: settings.timeout,
            is_down: AtomicBool::new(false),
        })
    }

    fn note(&self, response: &Result<Response<Bytes>, HttpError>) {
        let problem = match response {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("it responded {}", response.status())),
            Err(error) if error.is::<Elapsed>() => Some(format!("no response within {:?}", self.timeout)),
            Err(error) => Some(with_causes(error.as_ref())),
        };
        let was_down = self.is_down.swap(problem.is_some(), Ordering::Relaxed);
        match problem {
            Some(problem) if !was_down => tracing::warn!(
                collector = self.address,
                "cannot send traces, and they are dropped until this works; pipelines are not affected: {problem}"
            ),
            None if was_down => tracing::info!(collector = self.address, "traces are sent again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = Arc::clone(&self.client);
        // The exporter's thread has no runtime, which sockets and time-outs need.
        let sent = self.runtime.spawn(async move { client.send_bytes(request).await });
        let response = sent.await.unwrap_or_else(|ended| Err(ended.into()));
        self.note(&response);
        response
    }
}

/// Where traces are sent, as logs may say it.
pub(super) fn address(settings: &Settings) -> String {
    let endpoint = &settings.endpoint;
    let host = endpoint.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    format!("{}://{host}{}", endpoint.scheme_str().unwrap_or_default(), endpoint.path())
}

/// An error with its causes: hyper's own message is "client error".
fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
