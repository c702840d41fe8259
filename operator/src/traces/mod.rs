//! Traces of reconciles, exported by OTLP over HTTP where they are requested.
//!
//! Owns what is exported and how. Must not delay anything: spans that end are put into a bounded queue, and a thread of its own sends
//! them. Spans are dropped while the queue is full.

mod collector;
mod settings;
pub mod spans;

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing_subscriber::{Layer, Registry};

use self::collector::Collector;
pub use self::settings::SettingsError;
use self::settings::{Settings, settings};

/// The longest that a stop waits for what is still to be sent.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);
/// The operator's name in traces.
const SERVICE: &str = "mlpipeline-operator";

/// Traces that are being exported.
pub struct Traces {
    provider: SdkTracerProvider,
    settings: Settings,
}

/// Why traces that were requested cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The settings are not valid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The TLS to the collector cannot be set up.
    #[error(
        "cannot set TLS up for the collector: {0}; is OTEL_EXPORTER_OTLP_CERTIFICATE a file of certificates in PEM?"
    )]
    Tls(#[from] kube::Error),
    /// What the exporter itself rejects.
    #[error(transparent)]
    Exporter(#[from] ExporterBuildError),
}

impl Traces {
    /// Starts the export where the flag or OpenTelemetry's variables request it. `identity` distinguishes this operator from others.
    ///
    /// # Errors
    /// When it is requested and cannot be set up. Whether the collector can be reached is not checked.
    pub fn start(flag: Option<&str>, identity: &str, runtime: Handle) -> Result<Option<Self>, TracesError> {
        let Some(settings) = settings(flag, |name| std::env::var(name).ok())? else { return Ok(None) };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector::new(&settings, runtime)?)
            .with_endpoint(settings.endpoint.to_string())
            .with_timeout(settings.timeout)
            .build()?;
        let provider = SdkTracerProvider::builder()
            .with_resource(resource(identity))
            .with_batch_exporter(exporter)
            .build();
        Ok(Some(Self { provider, settings }))
    }

    /// What makes traces of spans: of those that it is given, which should be those under [`spans::TARGET`].
    #[must_use]
    pub fn layer(&self) -> impl Layer<Registry> + use<> {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer(SERVICE))
            .with_context_activation(false)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
    }

    /// Where traces are sent, without what must not be logged.
    #[must_use]
    pub fn address(&self) -> String {
        collector::address(&self.settings)
    }

    /// Waits a moment for what is still to be sent, and ends.
    pub async fn flush(self) {
        let flushed =
            tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(FLUSH_TIMEOUT)).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::debug!("sending the last traces timed out");
        }
    }
}

/// Who exports: the environment variables override the operator's own values.
fn resource(identity: &str) -> Resource {
    let resource = Resource::builder_empty()
        .with_service_name(SERVICE)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", identity.to_owned()))
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_detector(Box::new(EnvResourceDetector::new()));
    match std::env::var("OTEL_SERVICE_NAME") {
        Ok(name) if !name.is_empty() => resource.with_service_name(name).build(),
        _ => resource.build(),
    }
}
