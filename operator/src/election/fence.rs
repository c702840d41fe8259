//! Whether this process may write: only while nobody else can hold the lease.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

/// Shared by the election, which sets it, and the client middleware, which checks it before every write.
#[derive(Clone, Debug)]
pub struct Fence {
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// No election is held: this is the only operator.
    Open,
    /// Another process is the leader, or none.
    Closed,
    /// The lease is ours until then.
    Until(Instant),
}

impl Fence {
    /// A fence that is always open, for an operator without election.
    #[must_use]
    pub fn open() -> Self {
        Self { state: Arc::new(Mutex::new(State::Open)) }
    }

    /// A fence that is closed until the lease is ours.
    #[must_use]
    pub fn closed() -> Self {
        Self { state: Arc::new(Mutex::new(State::Closed)) }
    }

    /// Lets writes through until then.
    pub fn open_until(&self, deadline: Instant) {
        self.set(State::Until(deadline));
    }

    /// Lets nothing through.
    pub fn close(&self) {
        self.set(State::Closed);
    }

    /// Until when a write may take: `Err` when none may be sent now, `Ok(None)` when there is no limit.
    ///
    /// # Errors
    /// When this process is not the leader.
    pub fn deadline(&self) -> Result<Option<Instant>, NotLeading> {
        match *self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Open => Ok(None),
            State::Until(deadline) if Instant::now() < deadline => Ok(Some(deadline)),
            State::Closed | State::Until(_) => Err(NotLeading),
        }
    }

    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

/// A write that was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not sent: this process does not hold the lease")]
pub struct NotLeading;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn s10_the_fence_closes_by_itself_when_the_lease_is_not_renewed() {
        let fence = Fence::closed();
        assert_eq!(fence.deadline(), Err(NotLeading));
        let deadline = Instant::now() + Duration::from_secs(10);
        fence.open_until(deadline);
        assert_eq!(fence.deadline(), Ok(Some(deadline)));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(fence.deadline(), Err(NotLeading));
        assert_eq!(Fence::open().deadline(), Ok(None));
    }
}
