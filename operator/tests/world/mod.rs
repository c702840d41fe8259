//! A simulated API server, behind a `tower::Service`: objects with versions, generations and uids, server-side apply,
//! status subresource, watches, deletes with preconditions, garbage collection, and a trace of every call of the operator.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::expect_used, clippy::panic, reason = "a world that is asked for nonsense fails the test")]

pub mod controllers;
pub mod faults;
pub mod operator;
mod request;
mod server_side_apply;
mod service;
pub mod state;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use self::faults::Faults;
use self::state::{Key, State};

/// A pipeline with nearly every kind of child.
pub const CRASH_COURSE: &str = include_str!("crash_course.yaml");

/// One call of the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which operator.
    pub who: String,
    pub verb: String,
    pub resource: String,
    pub name: String,
    pub code: u16,
}

impl Call {
    pub fn is_write(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }
}

/// A world that tests and the operator share.
#[derive(Clone)]
pub struct World {
    pub state: Arc<Mutex<State>>,
    pub version: watch::Receiver<u64>,
    pub faults: Arc<Mutex<Faults>>,
    /// Who calls by this handle.
    pub who: String,
    started: Instant,
    /// How far somebody has set the clock, in seconds.
    pub jump: Arc<AtomicI64>,
}

impl World {
    pub fn new() -> Self {
        let (sender, version) = watch::channel(0);
        let state = Arc::new(Mutex::new(State::new(sender)));
        Self {
            state,
            version,
            faults: Arc::default(),
            who: String::new(),
            started: Instant::now(),
            jump: Arc::default(),
        }
    }

    /// The time of day in this world: it goes with tokio's clock.
    pub fn now(&self) -> Timestamp {
        let start = Timestamp::from_second(1_795_000_000).expect("a time");
        let jump = jiff::SignedDuration::from_secs(self.jump.load(Ordering::SeqCst));
        start + jiff::SignedDuration::try_from(self.started.elapsed()).expect("a duration") + jump
    }

    pub fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        let now = self.now();
        let mut state = self.state.lock().expect("no test panics while it holds this");
        state.now = now;
        look(&mut state)
    }

    /// What a user applies: the resource is made, or its spec replaced.
    pub fn user_applies(&self, yaml: &str) -> Key {
        let value: Value = serde_saphyr::from_str(yaml).expect("YAML");
        let key = Key::new("mlpipelines", "ns", value["metadata"]["name"].as_str().expect("a name"));
        self.with(|state| state.user_applies(&key, &value));
        key
    }

    /// Whatever somebody does to an object by hand.
    pub fn edit(&self, key: &Key, change: impl FnOnce(&mut Value)) {
        self.with(|state| state.edit(key, change));
    }

    pub fn get(&self, key: &Key) -> Option<Value> {
        self.with(|state| state.objects.get(key).cloned())
    }

    pub fn all(&self, resource: &str) -> Vec<Value> {
        self.with(|state| {
            state
                .objects
                .iter()
                .filter(|(key, _)| key.resource == resource)
                .map(|(_, value)| value.clone())
                .collect()
        })
    }

    pub fn names(&self, resource: &str) -> Vec<String> {
        self.all(resource)
            .iter()
            .map(|value| value["metadata"]["name"].as_str().expect("a name").to_owned())
            .collect()
    }

    pub fn delete(&self, key: &Key) {
        self.with(|state| state.delete(key));
    }

    pub fn trace(&self) -> Vec<Call> {
        self.with(|state| state.trace.clone())
    }

    pub fn forget_trace(&self) {
        self.with(|state| state.trace.clear());
    }

    pub fn writes(&self) -> Vec<Call> {
        self.trace().into_iter().filter(Call::is_write).collect()
    }

    /// Waits, for at most ten minutes of this world's time, until something is so.
    pub async fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        for _ in 0..6000 {
            if holds(self) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        let pipelines = serde_json::to_string_pretty(&self.all("mlpipelines")).expect("JSON");
        panic!("{what} never came about: {pipelines}\ntrace: {:#?}", self.trace());
    }

    /// The status of a condition of a pipeline, at its current generation.
    pub fn condition(&self, key: &Key, kind: &str) -> Option<(String, String, String)> {
        let pipeline = self.get(key)?;
        if pipeline["status"]["observedGeneration"] != pipeline["metadata"]["generation"] {
            return None;
        }
        let conditions = pipeline["status"]["conditions"].as_array()?;
        let condition = conditions.iter().find(|condition| condition["type"] == kind)?;
        let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
        Some((text("status"), text("reason"), text("message")))
    }

    pub fn is_ready(&self, key: &Key) -> bool {
        self.condition(key, "Ready").is_some_and(|(status, ..)| status == "True")
    }

    pub fn is_stalled(&self, key: &Key) -> bool {
        self.condition(key, "Stalled").is_some_and(|(status, ..)| status == "True")
    }
}
