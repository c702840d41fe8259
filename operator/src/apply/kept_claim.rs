//! A claim that Kubernetes does not change: what it keeps, and the way to what the spec asks for. Pure; it deletes nothing, and must not:
//! the operator has no right to delete a claim.
//!
//! A rule of the resource sees two specs and no claim. It cannot tell a volume that holds data from a claim that never got one, nor a size
//! that was asked for from one that was had; it refused the way back from both. So every edit is taken, Kubernetes decides, and what it does
//! not do is said here, while all other children are applied.

use serde_json::Value;

use super::desired::Desired;
use crate::failure::{Class, Failure};
use mlpipeline_core::child_kind::ChildKind;
use mlpipeline_core::labels::label;
use mlpipeline_core::quantity;

const SIZE: &str = "size";

/// The fields of a claim's spec that the resource has: by which name, and where they stand in the claim.
const FIELDS: [(&str, &str); 3] = [
    (SIZE, "/spec/resources/requests/storage"),
    ("storageClassName", "/spec/storageClassName"),
    ("accessModes", "/spec/accessModes"),
];

/// A field of a claim that is not as the spec asks.
struct Kept {
    field: &'static str,
    wanted: String,
    found: String,
}

/// The failure of a write to a claim that exists, by what the claim keeps; any other failure as it is.
pub(super) fn explained(failure: Failure, desired: &Desired, actual: &Value, namespace: &str) -> Failure {
    if desired.kind != ChildKind::PersistentVolumeClaim || failure.class != Class::Invalid {
        return failure;
    }
    let kept = kept(&desired.value, actual);
    if kept.is_empty() {
        return failure;
    }
    let what: Vec<String> = kept.iter().map(|kept| format!("{} {}", kept.field, kept.found)).collect();
    let what = format!("{} keeps {}", failure.object, what.join(" and "));
    let rest = if has_no_volume(actual) {
        format!(
            ", since Kubernetes does not change that of a claim that exists; it has no volume yet, so nothing is lost with it: \
             kubectl delete pvc {} -n {namespace}, and it is made again as the spec asks",
            desired.name
        )
    } else {
        with_volume(&kept, &failure, desired, actual)
    };
    Failure { class: Class::VolumeNotChanged, message: format!("{what}{rest}"), ..failure }
}

/// What to do about a claim that has a volume.
fn with_volume(kept: &[Kept], failure: &Failure, desired: &Desired, actual: &Value) -> String {
    let place = place(desired);
    let back: Vec<String> =
        kept.iter().map(|kept| format!("{place}.{} as {}", kept.field, kept.found)).collect();
    let back = format!("the pipeline continues with the volume as it is; write {}", back.join(" and "));
    match kept {
        [Kept { field: SIZE, wanted, found }] if !quantity::is_less(wanted, found) => {
            let class = actual.pointer("/spec/storageClassName").and_then(Value::as_str).unwrap_or_default();
            let words = failure.message.lines().next().unwrap_or_default();
            format!(
                ", and does not grow to {wanted}: {words}; {back} again, or have the storage class \"{class}\" expand volumes \
                 (allowVolumeExpansion: true)"
            )
        }
        _ => format!(
            ", since Kubernetes changes neither class nor modes of a claim that has a volume, and never shrinks one; {back} again, or make a \
             new one and copy the data"
        ),
    }
}

/// The fields that the claim keeps. A class that the spec does not name counts where nothing else explains the refusal: it may be the
/// cluster's default.
fn kept(desired: &Value, actual: &Value) -> Vec<Kept> {
    let field = |(field, pointer): (&'static str, &str), is_named_by_both: bool| {
        let (wanted, found) = (desired.pointer(pointer), actual.pointer(pointer));
        let is_same = match (wanted, found) {
            (Some(Value::String(wanted)), Some(Value::String(found))) if field == SIZE => {
                quantity::same(wanted, found)
            }
            (None, Some(_)) => is_named_by_both,
            (wanted, found) => wanted == found,
        };
        (!is_same).then(|| Kept { field, wanted: text(wanted), found: text(found) })
    };
    let named: Vec<Kept> = FIELDS.into_iter().filter_map(|at| field(at, true)).collect();
    if named.is_empty() { FIELDS.into_iter().filter_map(|at| field(at, false)).collect() } else { named }
}

/// How a value is written in a manifest.
fn text(value: Option<&Value>) -> String {
    match value {
        None => "absent".to_owned(),
        Some(Value::String(text)) if !text.is_empty() => text.clone(),
        Some(Value::Array(modes)) => {
            let modes: Vec<&str> = modes.iter().filter_map(Value::as_str).collect();
            format!("[{}]", modes.join(", "))
        }
        Some(other) => other.to_string(),
    }
}

/// Where the spec says what the claim should be.
fn place(desired: &Desired) -> String {
    let labels = desired.value.pointer("/metadata/labels").and_then(Value::as_object);
    match labels.and_then(|labels| labels.get(label::STEP)).and_then(Value::as_str) {
        Some(step) => format!("replicaVolume of step {step}: run.replicaVolume"),
        None => "spec.storage.volume".to_owned(),
    }
}

/// Whether a claim never had a volume.
fn has_no_volume(claim: &Value) -> bool {
    let volume = claim.pointer("/spec/volumeName").and_then(Value::as_str).unwrap_or_default();
    let phase = claim.pointer("/status/phase").and_then(Value::as_str).unwrap_or("Pending");
    volume.is_empty() && phase == "Pending"
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claim(size: &str, class: Option<&str>, modes: &[&str]) -> Value {
        let mut claim = json!({
            "metadata": {"name": "iris-storage"},
            "spec": {"accessModes": modes, "resources": {"requests": {"storage": size}}},
        });
        if let Some(class) = class {
            claim["spec"]["storageClassName"] = json!(class);
        }
        claim
    }

    fn bound(mut claim: Value) -> Value {
        claim["spec"]["volumeName"] = json!("pv");
        claim["status"] = json!({"phase": "Bound"});
        claim
    }

    fn said(class: Class, desired: Value, actual: &Value) -> Failure {
        let kind = ChildKind::PersistentVolumeClaim;
        let desired = Desired { kind, name: "iris-storage".into(), hash: String::new(), value: desired };
        let object = "PersistentVolumeClaim iris-storage".to_owned();
        let message = "only dynamically provisioned pvc can be resized\n a long difference".to_owned();
        explained(Failure { class, object, message, retry_after: None }, &desired, actual, "ml")
    }

    const ONCE: &[&str] = &["ReadWriteOnce"];

    #[test]
    fn d1_a_claim_that_is_not_changed_is_named_with_what_it_keeps_and_the_way_out() {
        let small = claim("1Gi", Some("fast"), ONCE);
        let delete = "kubectl delete pvc iris-storage -n ml";
        let table: [(Value, Value, &[&str]); 7] = [
            (
                claim("2Gi", Some("fast"), ONCE),
                bound(small.clone()),
                &[
                    "keeps size 1Gi",
                    "does not grow to 2Gi: only dynamically",
                    "spec.storage.volume.size as 1Gi again",
                    "\"fast\" expand",
                ],
            ),
            (
                claim("500Mi", None, ONCE),
                bound(small.clone()),
                &["keeps size 1Gi, since", "never shrinks", "size as 1Gi again"],
            ),
            (
                claim("1Gi", Some("slow"), ONCE),
                bound(small.clone()),
                &["keeps storageClassName fast", "storageClassName as fast again"],
            ),
            (
                claim("1024Mi", None, ONCE),
                bound(small.clone()),
                &["keeps storageClassName fast", "storageClassName as fast again"],
            ),
            (
                claim("1Gi", Some("slow"), ONCE),
                small.clone(),
                &["keeps storageClassName fast", "has no volume yet", delete],
            ),
            (claim("2Gi", None, ONCE), small.clone(), &["keeps size 1Gi, since", delete]),
            (claim("1Gi", None, &["ReadWriteMany"]), small, &["keeps accessModes [ReadWriteOnce]", delete]),
        ];
        for (desired, actual, parts) in table {
            let failure = said(Class::Invalid, desired, &actual);
            assert_eq!(failure.class, Class::VolumeNotChanged);
            for part in parts {
                assert!(failure.message.contains(part), "{part}: {}", failure.message);
            }
            assert!(!failure.message.contains('\n'), "{}", failure.message);
        }
    }

    #[test]
    fn d1_a_replicas_claim_is_named_with_its_step() {
        let mut desired = claim("2Gi", None, ONCE);
        desired["metadata"]["labels"] = json!({label::STEP: "db"});
        let failure = said(Class::Invalid, desired, &bound(claim("1Gi", Some("fast"), ONCE)));
        assert!(failure.message.contains("replicaVolume of step db"), "{}", failure.message);
    }

    #[test]
    fn what_has_another_cause_is_left_as_it_is() {
        let (small, large) = (claim("1Gi", None, ONCE), claim("2Gi", None, ONCE));
        assert_eq!(said(Class::Quota, large.clone(), &bound(small.clone())).class, Class::Quota);
        assert_eq!(said(Class::Forbidden, large, &bound(small.clone())).class, Class::Forbidden);
        assert_eq!(said(Class::Invalid, small.clone(), &bound(small)).class, Class::Invalid);
    }
}
