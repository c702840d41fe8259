//! What a lease means for a candidate. Pure: the time is given.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use tokio::time::Instant;

/// The times of an election, as Kubernetes' own components use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long a lease lasts that is not renewed.
    pub duration: Duration,
    /// How long after the last renewal the leader gives up. Shorter than `duration` by what a write under way may take.
    pub deadline: Duration,
    /// How often the leader renews, and the others check.
    pub period: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(15),
            deadline: Duration::from_secs(10),
            period: Duration::from_secs(2),
        }
    }
}

/// A lease, and when it was first seen in this state. Only the own clock counts: the times in the lease are the holder's.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) lease: Lease,
    pub(super) since: Instant,
}

/// What follows from a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is ours.
    Ours,
    /// Nobody holds it, or its holder has not renewed it for its whole duration.
    Free,
    /// Somebody holds it.
    Taken,
}

/// Whether a lease is ours, free or taken.
pub(super) fn verdict(seen: &Seen, identity: &str, now: Instant) -> Verdict {
    let spec = seen.lease.spec.as_ref();
    let holder = spec.and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default();
    if holder.is_empty() {
        return Verdict::Free;
    }
    if holder == identity {
        return Verdict::Ours;
    }
    let seconds = spec.and_then(|spec| spec.lease_duration_seconds).unwrap_or_default();
    let duration = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    if now.saturating_duration_since(seen.since) >= duration { Verdict::Free } else { Verdict::Taken }
}

/// Remembers a lease: the time counts from when it was first seen in this state.
pub(super) fn see(before: Option<Seen>, lease: Lease, now: Instant) -> Seen {
    match before {
        Some(seen) if seen.lease.metadata.resource_version == lease.metadata.resource_version => seen,
        _ => Seen { lease, since: now },
    }
}

/// The lease as it is when we hold it.
pub(super) fn claimed(
    before: Option<&Lease>,
    identity: &str,
    timing: Timing,
    now: jiff::Timestamp,
) -> LeaseSpec {
    let spec = before.and_then(|lease| lease.spec.clone()).unwrap_or_default();
    let is_ours = spec.holder_identity.as_deref() == Some(identity);
    let transitions = spec.lease_transitions.unwrap_or_default();
    LeaseSpec {
        holder_identity: Some(identity.to_owned()),
        lease_duration_seconds: i32::try_from(timing.duration.as_secs()).ok(),
        acquire_time: spec.acquire_time.filter(|_| is_ours).or(Some(MicroTime(now))),
        renew_time: Some(MicroTime(now)),
        lease_transitions: Some(match (is_ours, before) {
            (true, _) | (_, None) => transitions,
            _ => transitions.saturating_add(1),
        }),
        ..LeaseSpec::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    fn lease(holder: &str, version: &str) -> Lease {
        Lease {
            metadata: ObjectMeta { resource_version: Some(version.into()), ..ObjectMeta::default() },
            spec: Some(LeaseSpec {
                holder_identity: Some(holder.into()),
                lease_duration_seconds: Some(15),
                ..LeaseSpec::default()
            }),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_free_once_it_was_not_renewed_for_its_duration_by_the_own_clock() {
        let seen = see(None, lease("other", "1"), Instant::now());
        assert_eq!(verdict(&seen, "me", Instant::now()), Verdict::Taken);
        tokio::time::advance(Duration::from_secs(14)).await;
        let seen = see(Some(seen), lease("other", "1"), Instant::now());
        assert_eq!(verdict(&seen, "me", Instant::now()), Verdict::Taken);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(verdict(&seen, "me", Instant::now()), Verdict::Free);
        let renewed = see(Some(seen), lease("other", "2"), Instant::now());
        assert_eq!(verdict(&renewed, "me", Instant::now()), Verdict::Taken);
    }

    #[tokio::test(start_paused = true)]
    async fn a_released_lease_is_free_at_once_and_ours_is_ours() {
        let now = Instant::now();
        assert_eq!(verdict(&see(None, lease("", "1"), now), "me", now), Verdict::Free);
        assert_eq!(verdict(&see(None, lease("me", "1"), now), "me", now), Verdict::Ours);
        assert_eq!(verdict(&see(None, Lease::default(), now), "me", now), Verdict::Free);
    }

    #[test]
    fn transitions_count_changes_of_the_holder() {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let first = claimed(None, "me", Timing::default(), now);
        assert_eq!(first.lease_transitions, Some(0));
        let again = claimed(Some(&lease("me", "1")), "me", Timing::default(), now);
        assert_eq!(again.lease_transitions, Some(0));
        let taken = claimed(Some(&lease("other", "1")), "me", Timing::default(), now);
        assert_eq!((taken.lease_transitions, taken.acquire_time), (Some(1), Some(MicroTime(now))));
    }
}
