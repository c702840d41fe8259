//! The bodies that are on their way, and which of them gives way when there is no memory for another: the one that is on its way for
//! longest.
//!
//! So a caller that sends the most of a body and then nothing keeps no other callers out. Must not know how bodies are read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// All bodies on their way.
#[derive(Debug)]
pub(super) struct Receiving {
    open: Mutex<Open>,
    /// How long each has in any case.
    granted: Duration,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    /// By the order in which they began.
    all: BTreeMap<u64, Arc<OnItsWay>>,
}

#[derive(Debug)]
struct OnItsWay {
    since: Instant,
    holds_memory: AtomicBool,
    asked: AtomicBool,
    gives_way: Notify,
}

/// One body's place among them, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    number: u64,
    body: Arc<OnItsWay>,
    receiving: Arc<Receiving>,
}

impl Receiving {
    /// None yet; each has so long before it can be asked to give way.
    pub(super) fn new(granted: Duration) -> Self {
        Self { open: Mutex::default(), granted }
    }

    /// A body begins.
    pub(super) fn begin(self: &Arc<Self>) -> Seat {
        let body = Arc::new(OnItsWay {
            since: Instant::now(),
            holds_memory: AtomicBool::new(false),
            asked: AtomicBool::new(false),
            gives_way: Notify::new(),
        });
        let mut open = lock(&self.open);
        let number = open.next;
        open.next += 1;
        open.all.insert(number, Arc::clone(&body));
        Seat { number, body, receiving: Arc::clone(self) }
    }

    /// Asks the oldest body that holds memory to give way, if it had its time; says whether some body is about to.
    pub(super) fn ask_to_give_way(&self) -> bool {
        let open = lock(&self.open);
        let mut holding = open.all.values().filter(|body| body.holds_memory.load(Ordering::Relaxed));
        // One that was asked and is still here leaves at any moment.
        let Some(body) = holding.next() else { return false };
        if body.since.elapsed() < self.granted {
            return false;
        }
        if !body.asked.swap(true, Ordering::Relaxed) {
            body.gives_way.notify_one();
        }
        true
    }
}

impl Seat {
    /// Waits until the body is to give way to others.
    pub(super) async fn gives_way(&self) {
        self.body.gives_way.notified().await;
    }

    /// Notes that there is something to be had from it.
    pub(super) fn holds_memory(&self) {
        self.body.holds_memory.store(true, Ordering::Relaxed);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        lock(&self.receiving.open).all.remove(&self.number);
    }
}

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}
