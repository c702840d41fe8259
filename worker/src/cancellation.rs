//! A flag that asks every part of an action to stop.

use std::sync::Arc;

use tokio::sync::watch;

/// A flag that, once raised, asks every part of an action to stop.
#[derive(Clone, Debug)]
pub struct Cancellation(Arc<watch::Sender<bool>>);

impl Default for Cancellation {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Cancellation {
    /// Raises the flag.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Whether the flag is raised: for loops that compute.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the flag is raised.
    pub async fn cancelled(&self) {
        let mut flag = self.0.subscribe();
        // The sender lives as long as this value does, so waiting cannot fail.
        let _ = flag.wait_for(|raised| *raised).await;
    }
}
