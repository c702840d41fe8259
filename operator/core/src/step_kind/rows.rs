//! What kinds of steps that read or write rows have in common: the part of a source or output that changes a result.

use mlpipeline_crds::{DataReference, Format, OnMismatch, Output};

use crate::format::{format_of_uri, output_format};

/// The part of a source that changes what is read.
pub(super) fn reference_fingerprint(reference: &DataReference) -> DataReference {
    let mut fingerprint = reference.clone();
    fingerprint.format =
        format_fingerprint(reference.format, reference.uri.as_deref(), reference.pattern.is_some());
    fingerprint.on_mismatch = on_mismatch_fingerprint(reference.on_mismatch);
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
    let implied = if has_pattern { Some(Format::Text) } else { uri.and_then(format_of_uri) };
    format.filter(|format| implied != Some(*format))
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
        ..output
    });
    fingerprint.filter(|output| *output != Output::default())
}
