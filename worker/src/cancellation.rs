//! A flag that asks every part of an action to stop, until its result is being published.

use std::sync::Arc;

use tokio::sync::watch;

/// What an action was asked, and how far it is.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    stop: bool,
    publishing: bool,
    /// How many answers of others are waited for.
    draining: usize,
}

/// A flag that, once raised, asks every part of an action to stop. An action that began to publish before ends in order: either it was
/// stopped and nothing is published, or it is done.
#[derive(Clone, Debug)]
pub struct Cancellation(Arc<watch::Sender<State>>);

impl Default for Cancellation {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(State::default())))
    }
}

impl Cancellation {
    /// Raises the flag.
    pub fn cancel(&self) {
        self.0.send_modify(|state| state.stop = true);
    }

    /// Whether the flag is raised: for loops that compute.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.borrow().stop
    }

    /// Waits until the flag is raised.
    pub async fn cancelled(&self) {
        let mut flag = self.0.subscribe();
        // The sender lives as long as this value does, so waiting cannot fail.
        let _ = flag.wait_for(|state| state.stop).await;
    }

    /// Asks, right before a result gets its name, whether it still may; from then on, stopping waits for it. What follows must not take
    /// long.
    #[must_use]
    pub fn begin_publishing(&self) -> bool {
        let mut may = false;
        self.0.send_if_modified(|state| {
            may = !state.stop;
            state.publishing |= may;
            may
        });
        may
    }

    /// Whether the result was about to get its name before anybody asked to stop.
    #[must_use]
    pub fn is_publishing(&self) -> bool {
        self.0.borrow().publishing
    }
}

/// As long as it lives, stopping waits: for answers that are under way, and that do not take long.
#[derive(Debug)]
pub struct Draining(Cancellation);

impl Drop for Draining {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.draining = state.draining.saturating_sub(1));
    }
}

impl Cancellation {
    /// Lets stopping wait until what this gives is dropped.
    #[must_use]
    pub fn draining(&self) -> Draining {
        self.0.send_modify(|state| state.draining = state.draining.saturating_add(1));
        Draining(self.clone())
    }

    /// Waits until no answer is waited for.
    pub async fn drained(&self) {
        let mut state = self.0.subscribe();
        // The sender lives as long as this value does, so waiting cannot fail.
        let _ = state.wait_for(|state| state.draining == 0).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stopped_is_not_published_and_what_is_published_is_not_said_to_be_stopped() {
        let stopped = Cancellation::default();
        stopped.cancel();
        assert!(!stopped.begin_publishing());
        assert!(!stopped.is_publishing());
        let published = Cancellation::default();
        assert!(published.begin_publishing());
        published.cancel();
        assert!(published.is_publishing());
    }
}
