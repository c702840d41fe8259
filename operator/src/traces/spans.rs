//! The spans of a reconcile: itself, its parts, and each call to the API server within it.
//!
//! They are tracing's spans under a target of their own, which no log shows. No span is created where traces are off: nothing
//! then subscribes to that target.

use std::time::Duration;

use http::{Request, Response};
use kube::Resource;
use tower::BoxError;
use tracing::Span;
use tracing::field::Empty;

use crate::deserialize_guard::DeserializeGuard;

/// The target of all spans that are exported, and of nothing else.
pub const TARGET: &str = "mlpipeline_operator::traces";
/// How much of a message a span holds, in characters: the queue of spans must stay small.
const MESSAGE_LIMIT: usize = 1024;

/// The span of one reconcile of one pipeline: the root of a trace.
#[must_use]
pub fn reconcile(resource: &DeserializeGuard) -> Span {
    let metadata = resource.meta();
    tracing::info_span!(
        target: TARGET,
        parent: None,
        "reconcile",
        "k8s.namespace.name" = metadata.namespace,
        "mlpipeline.name" = metadata.name,
        "mlpipeline.generation" = metadata.generation,
        "mlpipeline.outcome" = Empty,
        "mlpipeline.requeue_after_ms" = Empty,
        "otel.status_description" = Empty,
    )
}

/// Records how a reconcile ended. `result` is its label value in the metrics.
pub fn ended(span: &Span, result: &'static str) {
    span.record("mlpipeline.outcome", result);
}

/// Records why a reconcile failed, and when it is retried.
pub fn failed(span: &Span, message: &str, retry_in: Duration) {
    span.record("otel.status_description", cut(message));
    requeued(span, retry_in);
}

/// Records when the pipeline is reconciled again although nothing changes.
pub fn requeued(span: &Span, after: Duration) {
    span.record("mlpipeline.requeue_after_ms", i64::try_from(after.as_millis()).unwrap_or(i64::MAX));
}

/// The span of a part of a reconcile.
#[must_use]
pub fn part(name: &'static str) -> Span {
    tracing::info_span!(target: TARGET, "part", "otel.name" = name)
}

/// The span of a call within a reconcile. Other calls have none: watches, events and the lease belong to no pipeline, and an idle
/// operator would export them.
#[must_use]
pub fn call<B>(request: &Request<B>) -> Span {
    if Span::current().metadata().is_none_or(|metadata| metadata.target() != TARGET) {
        return Span::none();
    }
    let (method, path) = (request.method().as_str(), request.uri().path());
    // Kube's name of the call, which distinguishes a list from a get.
    let verb = request.extensions().get::<&'static str>().copied().unwrap_or(method);
    tracing::info_span!(
        target: TARGET,
        "call",
        "otel.name" = format!("{verb} {}", resource_type(path)),
        "otel.kind" = "client",
        "http.request.method" = method,
        "url.path" = path,
        "http.response.status_code" = Empty,
        "error.type" = Empty,
        "otel.status_description" = Empty,
    )
}

/// Records the response to a call, up to its head.
pub fn responded<B>(span: &Span, response: &Result<Response<B>, BoxError>) {
    if span.is_disabled() {
        return;
    }
    match response {
        Ok(response) => {
            let status = response.status();
            span.record("http.response.status_code", i64::from(status.as_u16()));
            if status.is_client_error() || status.is_server_error() {
                span.record("error.type", status.as_str());
                span.record("otel.status_description", status.canonical_reason().unwrap_or_default());
            }
        }
        Err(error) => {
            span.record("error.type", "no_response");
            span.record("otel.status_description", cut(&error.to_string()));
        }
    }
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(MESSAGE_LIMIT).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

/// The plural that a path of the API names: "jobs" of `/apis/batch/v1/namespaces/a/jobs/b`.
fn resource_type(path: &str) -> &str {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let version = match parts.next() {
        Some("api") => 1,
        Some("apis") => 2,
        _ => return path,
    };
    let mut parts = parts.skip(version);
    match (parts.next(), parts.next(), parts.next()) {
        (Some("namespaces"), Some(_), Some(plural)) | (Some(plural), ..) => plural,
        (None, ..) => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_api_is_named_by_its_resources() {
        for (path, plural) in [
            ("/api/v1/namespaces/a/pods", "pods"),
            ("/apis/batch/v1/namespaces/a/jobs/b", "jobs"),
            ("/apis/mlpipeline.dev/v1alpha1/namespaces/a/mlpipelines/b/status", "mlpipelines"),
            ("/apis/batch/v1/jobs", "jobs"),
            ("/api/v1/namespaces/a", "namespaces"),
            ("/version", "/version"),
            ("/api", "/api"),
        ] {
            assert_eq!(resource_type(path), plural, "{path}");
        }
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"ü".repeat(5000)).chars().count(), MESSAGE_LIMIT);
    }
}
