//! The connections that there are, and which of them gives way when there is no room for another: the one that is idle for longest.
//!
//! So a caller that opens connections and says nothing keeps neither probes nor other callers out. Must not know of requests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How long a connection is left alone after an answer, which may still be on its way.
const LEFT_ALONE: Duration = Duration::from_secs(5);

/// How long a new connection is left alone: its first request is on the way.
const JUST_CAME: Duration = Duration::from_millis(250);

/// How long to wait before looking for another connection that could give way.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// All connections.
#[derive(Debug)]
pub(super) struct Connections {
    room: Arc<Semaphore>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    /// By the order in which they came.
    all: BTreeMap<u64, Arc<Activity>>,
}

/// What one connection does.
#[derive(Debug)]
struct Activity {
    state: Mutex<State>,
    gives_way: Notify,
}

#[derive(Clone, Copy, Debug)]
struct State {
    /// Whether a request is being answered.
    busy: bool,
    /// Whether a request ever was.
    answered: bool,
    /// Whether it was asked to give way.
    leaves: bool,
    idle_since: Instant,
}

impl State {
    fn can_leave(&self) -> bool {
        let left_alone = if self.answered { LEFT_ALONE } else { JUST_CAME };
        !self.busy && !self.leaves && self.idle_since.elapsed() >= left_alone
    }
}

/// One connection's place.
#[derive(Debug)]
pub(super) struct Seat {
    number: u64,
    activity: Arc<Activity>,
    connections: Arc<Connections>,
    _room: OwnedSemaphorePermit,
}

/// A request being answered; it ends when this is dropped.
pub(super) struct Busy(Arc<Activity>);

impl Connections {
    /// Room for so many.
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { room: Arc::new(Semaphore::new(limit)), open: Mutex::default() })
    }

    /// A place for a connection, once there is one: where all are taken, the connection that is idle for longest gives way.
    pub(super) async fn seat(self: &Arc<Self>) -> Option<Seat> {
        loop {
            if let Ok(room) = Arc::clone(&self.room).try_acquire_owned() {
                return Some(self.take(room));
            }
            self.ask_to_leave();
            let room = tokio::time::timeout(LOOK_AGAIN, Arc::clone(&self.room).acquire_owned()).await;
            if let Ok(room) = room {
                return Some(self.take(room.ok()?));
            }
        }
    }

    fn take(self: &Arc<Self>, room: OwnedSemaphorePermit) -> Seat {
        let state = State { busy: false, answered: false, leaves: false, idle_since: Instant::now() };
        let activity = Arc::new(Activity { state: Mutex::new(state), gives_way: Notify::new() });
        let mut open = lock(&self.open);
        let number = open.next;
        open.next += 1;
        open.all.insert(number, Arc::clone(&activity));
        Seat { number, activity, connections: Arc::clone(self), _room: room }
    }

    fn ask_to_leave(&self) {
        let open = lock(&self.open);
        let idle = open.all.values().filter_map(|activity| {
            let state = *lock(&activity.state);
            state.can_leave().then_some((state.idle_since, activity))
        });
        if let Some((_, activity)) = idle.min_by_key(|(since, _)| *since) {
            lock(&activity.state).leaves = true;
            activity.gives_way.notify_one();
        }
    }
}

impl Seat {
    /// Waits until the connection is to give way to another.
    pub(super) async fn gives_way(&self) {
        self.activity.gives_way.notified().await;
    }

    /// What notes that requests are answered.
    pub(super) fn begin(&self) -> impl Fn() -> Busy + Clone + Send + Sync + 'static {
        let activity = Arc::clone(&self.activity);
        move || {
            lock(&activity.state).busy = true;
            Busy(Arc::clone(&activity))
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        lock(&self.connections.open).all.remove(&self.number);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        *state = State { busy: false, answered: true, idle_since: Instant::now(), ..*state };
    }
}

/// What is in a mutex; nothing that holds one of these panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
