//! Which fields of an object are dropped before it is cached: all that the operator never reads.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mlpipeline_core::labels::annotation;

/// How objects of a kind become small enough to be cached.
pub trait StripFields: Sized {
    /// What is decoded when the API server sends an object: the kind itself, or a part of it.
    type Wire;

    /// Drops all fields that are never read.
    #[must_use]
    fn strip_fields(self) -> Self;

    /// What is cached of an object that was received.
    fn from_wire(wire: Self::Wire) -> Self;
}

/// Metadata without annotations of others whose values are longer than `longest`: anybody may add a quarter of a megabyte to each object.
/// How much was dropped is kept, since the API server bounds the sum.
pub(super) fn own_annotations(mut metadata: ObjectMeta, longest: usize) -> ObjectMeta {
    let Some(annotations) = &mut metadata.annotations else { return metadata };
    let mut dropped =
        annotations.remove(annotation::DROPPED).and_then(|bytes| bytes.parse().ok()).unwrap_or(0_usize);
    annotations.retain(|name, value| {
        let is_kept = name.starts_with(annotation::PREFIX) || value.len() <= longest && longest > 0;
        if !is_kept {
            dropped += name.len() + value.len();
        }
        is_kept
    });
    if dropped > 0 {
        annotations.insert(annotation::DROPPED.to_owned(), dropped.to_string());
    }
    metadata
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d7_annotations_of_others_are_counted_and_not_kept() {
        let all = [("mlpipeline.dev/report", "r".repeat(9)), ("a", "x".repeat(5)), ("b", "x".repeat(5000))];
        let annotations = all.map(|(name, value)| (name.to_owned(), value)).into();
        let metadata = ObjectMeta { annotations: Some(annotations), ..ObjectMeta::default() };
        for (longest, kept, dropped) in [(0, 2, "5007"), (4096, 3, "5001")] {
            let stripped = own_annotations(metadata.clone(), longest);
            let found = stripped.annotations.clone().expect("annotations");
            assert_eq!((found.len(), found.get("").map(String::as_str)), (kept, Some(dropped)));
            assert_eq!(own_annotations(stripped.clone(), longest), stripped, "again");
        }
    }
}
