//! What kinds of steps that read or write rows have in common: the part of a source or output that changes a result, and where
//! a result is delivered.

use mlpipeline_crds::{DataReference, Delivery, Format, OnMismatch, Output, Reading};
use serde_json::{Value, json};

use crate::credentials;
use crate::format::output_format;

/// The part of a source that changes what is read.
pub(super) fn reference_fingerprint(reference: &DataReference) -> DataReference {
    let mut fingerprint = reference.clone();
    fingerprint.format =
        format_fingerprint(reference.format, reference.uri.as_deref(), reference.pattern.is_some());
    fingerprint.on_mismatch = on_mismatch_fingerprint(reference.on_mismatch);
    fingerprint.reading = reading_fingerprint(reference.reading.as_deref());
    // Other credentials for the same place change nothing of what is there.
    fingerprint.secret = None;
    fingerprint
}

/// A format that the pattern or the extension says anyway makes no difference.
pub(super) fn format_fingerprint(
    format: Option<Format>,
    uri: Option<&str>,
    has_pattern: bool,
) -> Option<Format> {
    let implied = if has_pattern { Some(Format::Text) } else { uri.and_then(Format::of_uri) };
    format.filter(|format| implied != Some(*format))
}

/// Defaults that are written out make no difference.
pub(super) fn reading_fingerprint(reading: Option<&Reading>) -> Option<Box<Reading>> {
    reading.and_then(Reading::without_defaults).map(Box::new)
}

/// The default that is written out makes no difference.
pub(super) fn on_mismatch_fingerprint(on_mismatch: Option<OnMismatch>) -> Option<OnMismatch> {
    on_mismatch.filter(|kind| *kind != OnMismatch::default())
}

/// The part of an output that changes what is written, or where.
pub(super) fn output_fingerprint(output: Option<Output>) -> Option<Output> {
    let implied =
        output_format(output.as_ref().map(|output| Output { format: None, ..output.clone() }).as_ref());
    let fingerprint = output.map(|output| Output {
        format: output.format.filter(|format| *format != implied),
        secret: None,
        concurrent_requests: None,
        ..output
    });
    fingerprint.filter(|output| *output != Output::default())
}

/// How a result is delivered, as far as that changes nothing of it.
pub(super) fn output_settings(output: Option<&Output>) -> Vec<(&'static str, Value)> {
    vec![("output.concurrentRequests", json!(output.and_then(|output| output.concurrent_requests)))]
}

/// Where a result goes beside storage.
pub(super) fn delivery(output: Option<&Output>) -> Option<Delivery> {
    let output = output?;
    Some(Delivery {
        uri: output.uri.clone()?,
        credentials: output.secret.as_ref().map(|_| credentials::OUTPUT.to_owned()),
        rows_per_request: output.rows_per_request.and_then(|rows| u32::try_from(rows).ok()),
        concurrent_requests: output.concurrent_requests.and_then(|requests| u32::try_from(requests).ok()),
    })
}
