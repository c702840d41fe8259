//! Which of several operators acts: the one that holds a Lease.
//!
//! The holder renews it, and stops by itself before anybody else could take it: the [`fence`] is open only for a while after
//! each renewal, counted from before the renewal was sent. kube-leader-election does the same for an older kube.

pub mod fence;
mod record;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::api::{Api, ObjectMeta, PostParams};
use tokio::time::{Instant, sleep};

use self::fence::Fence;
use self::record::{Seen, Verdict, claimed, see, verdict};
use super::clock::Clock;
pub use record::Timing;

/// One candidate.
pub struct Election {
    /// The leases of the namespace.
    pub leases: Api<Lease>,
    /// The lease's name.
    pub name: String,
    /// Who we are, unlike any other.
    pub identity: String,
    /// How long everything takes.
    pub timing: Timing,
    /// Opened while we lead.
    pub fence: Fence,
    /// The time of day, for people who read the lease.
    pub clock: Clock,
}

impl Election {
    /// Waits until the lease is ours.
    pub async fn acquire(&self) {
        let mut seen: Option<Seen> = None;
        loop {
            let started = Instant::now();
            match self.try_acquire(&mut seen).await {
                Ok(true) => {
                    self.fence.open_until(started + self.timing.deadline);
                    return;
                }
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, lease = self.name, "cannot reach the lease"),
            }
            sleep(self.timing.period).await;
        }
    }

    /// Renews the lease as long as possible; returns when it is lost, with the fence closed.
    pub async fn keep(&self) {
        let mut renewed = Instant::now();
        loop {
            sleep(self.timing.period).await;
            let started = Instant::now();
            let left = (renewed + self.timing.deadline).saturating_duration_since(started);
            // An attempt over a connection that nobody answers on leaves time for another one, over a new connection.
            let attempt = left.min(self.timing.deadline / 2);
            match tokio::time::timeout(attempt, self.renew()).await {
                Ok(Ok(Renewal::Renewed)) => {
                    renewed = started;
                    self.fence.open_until(renewed + self.timing.deadline);
                }
                Ok(Ok(Renewal::Missed)) => {}
                Ok(Ok(Renewal::Lost)) => break,
                Ok(Err(error)) => tracing::warn!(%error, lease = self.name, "cannot renew the lease"),
                Err(_) if attempt == left => break,
                Err(_) => tracing::warn!(lease = self.name, "a renewal of the lease was not answered"),
            }
        }
        self.fence.close();
    }

    /// Releases the lease, so that the next leader need not wait until it expires. All work must have ended before.
    ///
    /// # Errors
    /// When the API server does not accept it; the lease then expires by itself.
    pub async fn release(&self) -> Result<(), kube::Error> {
        self.fence.close();
        let mut lease = self.leases.get(&self.name).await?;
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() == Some(self.identity.as_str()) {
            spec.holder_identity = Some(String::new());
            spec.lease_duration_seconds = Some(1);
            self.leases.replace(&self.name, &PostParams::default(), &lease).await?;
        }
        Ok(())
    }

    async fn try_acquire(&self, seen: &mut Option<Seen>) -> Result<bool, kube::Error> {
        let now = (self.clock)();
        let Some(lease) = self.leases.get_opt(&self.name).await? else {
            let spec = claimed(None, &self.identity, self.timing, now);
            let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
            let lease = Lease { metadata, spec: Some(spec) };
            return won(self.leases.create(&PostParams::default(), &lease).await);
        };
        let current = see(seen.take(), lease, Instant::now());
        let verdict = verdict(&current, &self.identity, Instant::now());
        let lease = seen.insert(current).lease.clone();
        if verdict == Verdict::Taken {
            return Ok(false);
        }
        let spec = claimed(Some(&lease), &self.identity, self.timing, now);
        self.replace(lease, spec).await
    }

    /// Whether the lease is still ours. Only the response to a renewal prolongs our time.
    async fn renew(&self) -> Result<Renewal, kube::Error> {
        let lease = self.leases.get(&self.name).await?;
        let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref());
        if holder != Some(self.identity.as_str()) {
            return Ok(Renewal::Lost);
        }
        let spec = claimed(Some(&lease), &self.identity, self.timing, (self.clock)());
        Ok(if self.replace(lease, spec).await? { Renewal::Renewed } else { Renewal::Missed })
    }

    /// Writes the lease over the very version that was read.
    async fn replace(&self, lease: Lease, spec: LeaseSpec) -> Result<bool, kube::Error> {
        let next = Lease { spec: Some(spec), ..lease };
        won(self.leases.replace(&self.name, &PostParams::default(), &next).await)
    }
}

/// What became of an attempt to renew.
enum Renewal {
    /// The lease is ours for another while.
    Renewed,
    /// Somebody wrote it at the same time; the next attempt shows who holds it.
    Missed,
    /// Somebody else holds it.
    Lost,
}

/// Whether a write of the lease was the first.
fn won(outcome: Result<Lease, kube::Error>) -> Result<bool, kube::Error> {
    match outcome {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error),
    }
}
