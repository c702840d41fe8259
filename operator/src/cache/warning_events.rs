//! Warning events of the cluster's own controllers, where no object's status says the same: a claim that cannot be provisioned, a
//! volume that cannot be mounted, pods that a quota forbids.
//!
//! Events have no labels, so the watch delivers those of all objects. A bounded number of the newest is stored.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;

use mlpipeline_core::child_kind::ChildKind;
use mlpipeline_core::observation::WarningEvent;
use mlpipeline_core::observed::PodIssue;

/// How many objects' warnings are stored.
const LIMIT: usize = 2048;
/// How much of a warning is stored, in characters.
const NOTE_LIMIT: usize = 512;

/// Selects warnings, without those that the status of a pod repeats.
pub(super) const SELECTOR: &str = "type=Warning,reason!=BackOff,reason!=Unhealthy,reason!=FailedScheduling";

/// The last warning about each of a bounded number of objects.
#[derive(Debug, Default)]
pub struct WarningEvents {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    by_uid: HashMap<String, WarningEvent>,
    /// Uids with a warning in each namespace, the longest known first.
    order: HashMap<String, VecDeque<String>>,
}

impl WarningEvents {
    /// The last warning about the object of this uid.
    #[must_use]
    pub fn of(&self, uid: Option<&str>) -> Option<WarningEvent> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).by_uid.get(uid?).cloned()
    }

    /// Stores a warning; the object that it is about, where the warning is new or repeated and explains a waiting pipeline.
    pub fn insert(&self, event: Event) -> Option<ObjectReference> {
        let time = last_seen(&event);
        let (about, reason) = (event.regarding?, event.reason?);
        if event.type_.as_deref() != Some("Warning") || !matters(about.kind.as_deref()?, &reason) {
            return None;
        }
        let uid = about.uid.clone()?;
        let message: String = event.note.unwrap_or_default().chars().take(NOTE_LIMIT).collect();
        let warning_event = WarningEvent { pod_issue: PodIssue { reason, message }, time };
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let before = inner.by_uid.insert(uid.clone(), warning_event.clone());
        if before.is_none() {
            let namespace = about.namespace.clone().unwrap_or_default();
            inner.order.entry(namespace).or_default().push_back(uid);
            if inner.by_uid.len() > LIMIT {
                inner.drop_one();
            }
        }
        (before.as_ref() != Some(&warning_event)).then_some(about)
    }
}

impl Inner {
    /// Drops the longest known warning of the namespace with the most of them: one tenant's do not push out another's.
    fn drop_one(&mut self) {
        let fullest = self.order.iter_mut().max_by_key(|(_, uids)| uids.len());
        if let Some(oldest) = fullest.and_then(|(_, uids)| uids.pop_front()) {
            self.by_uid.remove(&oldest);
        }
        self.order.retain(|_, uids| !uids.is_empty());
    }
}

/// When an event was last seen: each kind of recorder writes another field.
fn last_seen(event: &Event) -> Option<Timestamp> {
    let repeated = event.series.as_ref().map(|series| series.last_observed_time.0);
    let last = event.deprecated_last_timestamp.as_ref().map(|time| time.0);
    repeated.max(last).max(event.event_time.as_ref().map(|time| time.0))
}

/// Whether a warning of this reason about this kind of object explains why a pipeline waits.
fn matters(kind: &str, reason: &str) -> bool {
    if kind == "Pod" {
        return matches!(reason, "FailedMount" | "FailedAttachVolume" | "FailedCreatePodSandBox");
    }
    ChildKind::of_name(kind).is_some_and(|kind| kind.is_explained_by(reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    fn warning(kind: &str, uid: &str, reason: &str) -> Event {
        Event {
            type_: Some("Warning".into()),
            reason: Some(reason.into()),
            note: Some("é".repeat(4000)),
            regarding: Some(ObjectReference {
                kind: Some(kind.into()),
                uid: Some(uid.into()),
                ..ObjectReference::default()
            }),
            ..Event::default()
        }
    }

    #[test]
    fn a_warning_that_matters_is_reported_once() {
        let warning_events = WarningEvents::default();
        assert!(warning_events.insert(warning("PersistentVolumeClaim", "a", "ProvisioningFailed")).is_some());
        assert!(warning_events.insert(warning("PersistentVolumeClaim", "a", "ProvisioningFailed")).is_none());
        assert!(warning_events.insert(warning("Pod", "b", "Unhealthy")).is_none());
        assert!(warning_events.insert(warning("Node", "c", "FailedMount")).is_none());
        assert!(warning_events.insert(warning("Service", "d", "FailedToUpdateEndpoint")).is_none());
        assert!(warning_events.insert(warning("Service", "d", "SyncLoadBalancerFailed")).is_some());
        assert!(warning_events.insert(warning("Pod", "b", "FailedMount")).is_some());
        assert_eq!(warning_events.of(Some("b")).expect("a warning").pod_issue.reason, "FailedMount");
        assert_eq!(warning_events.of(None), None);
    }

    #[test]
    fn a_repeated_warning_is_reported_again_with_its_newest_time() {
        let time = |text: &str| text.parse::<Timestamp>().expect("a time");
        let (first, again) = (time("2026-11-20T10:00:00Z"), time("2026-11-20T10:00:20Z"));
        let at = |when| {
            let mut event = warning("Job", "a", "FailedCreate");
            event.deprecated_last_timestamp = Some(Time(when));
            event
        };
        let warning_events = WarningEvents::default();
        assert!(warning_events.insert(at(first)).is_some());
        assert!(warning_events.insert(at(first)).is_none());
        assert!(warning_events.insert(at(again)).is_some());
        assert_eq!(warning_events.of(Some("a")).expect("a warning").time, Some(again));
    }

    #[test]
    fn q5_s12_warnings_are_bounded_in_number_and_length() {
        let warning_events = WarningEvents::default();
        for at in 0..LIMIT + 100 {
            warning_events.insert(warning("Pod", &at.to_string(), "FailedMount"));
        }
        let inner = warning_events.inner.lock().expect("a lock");
        let ordered: usize = inner.order.values().map(VecDeque::len).sum();
        assert_eq!((inner.by_uid.len(), ordered), (LIMIT, LIMIT));
        assert!(
            inner
                .by_uid
                .values()
                .all(|warning_event| warning_event.pod_issue.message.chars().count() == NOTE_LIMIT)
        );
        assert!(!inner.by_uid.contains_key("0"));
    }

    #[test]
    fn d7_the_warnings_of_one_namespace_do_not_push_out_those_of_another() {
        let of = |namespace: &str, uid: &str| {
            let mut event = warning("Pod", uid, "FailedMount");
            if let Some(about) = &mut event.regarding {
                about.namespace = Some(namespace.to_owned());
            }
            event
        };
        let warning_events = WarningEvents::default();
        warning_events.insert(of("quiet", "one"));
        for at in 0..3 * LIMIT {
            warning_events.insert(of("loud", &at.to_string()));
        }
        assert!(warning_events.of(Some("one")).is_some());
        assert!(warning_events.of(Some("0")).is_none());
        assert!(warning_events.of(Some(&(3 * LIMIT - 1).to_string())).is_some());
    }
}
