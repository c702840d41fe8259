//! The connections that there are, and which of them gives way when there is no room for another: the one that is idle for longest, else
//! the one whose request has been on its way for longest.
//!
//! So a caller that opens connections and says nothing, or sends half a body, keeps no other callers out. Must not know of requests
//! beyond whether they have come whole.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
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
    /// How long a request may take to come whole before its connection can be asked to give way.
    granted: Duration,
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
    phase: Phase,
    /// Whether a request ever was answered.
    answered: bool,
    /// Whether it was asked to give way.
    leaves: bool,
    /// When the phase began.
    since: Instant,
}

/// What a connection waits for, in the order in which it gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// The head of a request.
    Idle,
    /// The rest of a request.
    Receiving,
    /// The answer.
    Answering,
}

impl State {
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = Instant::now();
    }

    fn can_leave(&self, granted: Duration) -> bool {
        let left_alone = match self.phase {
            Phase::Idle if self.answered => LEFT_ALONE,
            Phase::Idle => JUST_CAME,
            Phase::Receiving => granted,
            Phase::Answering => return false,
        };
        !self.leaves && self.since.elapsed() >= left_alone
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
    /// Room for so many, of which none is kept by a request that takes longer than `granted` to come, once others wait.
    pub(super) fn new(limit: usize, granted: Duration) -> Arc<Self> {
        Arc::new(Self { room: Arc::new(Semaphore::new(limit)), open: Mutex::default(), granted })
    }

    /// A place for a connection, once there is one: where all are taken, one that waits for its client gives way.
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
        let state = State { phase: Phase::Idle, answered: false, leaves: false, since: Instant::now() };
        let activity = Arc::new(Activity { state: Mutex::new(state), gives_way: Notify::new() });
        let mut open = lock(&self.open);
        let number = open.next;
        open.next += 1;
        open.all.insert(number, Arc::clone(&activity));
        Seat { number, activity, connections: Arc::clone(self), _room: room }
    }

    fn ask_to_leave(&self) {
        let open = lock(&self.open);
        let waiting = open.all.values().filter_map(|activity| {
            let state = *lock(&activity.state);
            state.can_leave(self.granted).then_some(((state.phase, state.since), activity))
        });
        if let Some((_, activity)) = waiting.min_by_key(|(order, _)| *order) {
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

    /// What notes that requests come and are answered: it takes a request's body, and gives it back with what ends with the answer.
    pub(super) fn begin(&self) -> impl Fn(Incoming) -> (ReceivedBody, Busy) + Clone + Send + Sync + 'static {
        let activity = Arc::clone(&self.activity);
        move |body| {
            let is_whole = body.is_end_stream();
            lock(&activity.state).enter(if is_whole { Phase::Answering } else { Phase::Receiving });
            (ReceivedBody { body, activity: Arc::clone(&activity) }, Busy(Arc::clone(&activity)))
        }
    }
}

/// A request's body, whose end begins the answer.
pub(super) struct ReceivedBody {
    body: Incoming,
    activity: Arc<Activity>,
}

impl Body for ReceivedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            lock(&self.activity.state).enter(Phase::Answering);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
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
        state.enter(Phase::Idle);
        state.answered = true;
    }
}

/// What is in a mutex; nothing that holds one of these panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
