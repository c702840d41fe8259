//! What the operator remembers of each pipeline between two reconciles. All of it may be lost at any moment: it saves calls and
//! spaces out attempts, and decides nothing.

mod applied_child;
mod apply_backoff;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use mlpipeline_crds::MLPipelineStatus;
use tokio::time::Instant;

pub use self::applied_child::{AppliedChild, Contested};
pub use self::apply_backoff::ApplyBackoff;

/// What is remembered of one pipeline.
#[derive(Debug, Default)]
pub struct ReconcileState {
    /// The last status that was written, and the resource version of that write.
    pub written: Option<(u64, MLPipelineStatus)>,
    /// When small differences of the status are to be written.
    pub due: Option<Instant>,
    /// When the rate limiter lets this pipeline write progress.
    pub turn: Option<Instant>,
    /// Failures in a row.
    pub failures: u32,
    /// Applied children by uid.
    pub children: HashMap<String, AppliedChild>,
    /// Writes that failed, by object.
    pub backoffs: HashMap<String, ApplyBackoff>,
}

impl ReconcileState {
    /// Counts a failure; how many there were in a row.
    pub fn count_failure(&mut self) -> u32 {
        self.failures = self.failures.saturating_add(1);
        self.failures
    }

    /// Removes backoffs of what is no longer wanted, and children that are gone. One that was just created is not among those that
    /// were observed; it is removed too when there are many more than were observed, and costs one comparison more.
    pub fn keep_only(&mut self, tried: &BTreeSet<String>, exist: &BTreeSet<String>) {
        self.backoffs.retain(|object, _| tried.contains(object));
        if self.children.len() > 2 * exist.len() + SPARE_CHILDREN {
            self.children.retain(|uid, _| exist.contains(uid));
        }
    }
}

/// How many children may be remembered that were not observed.
const SPARE_CHILDREN: usize = 16;

/// What is remembered of all pipelines of one watched scope, by uid.
#[derive(Debug, Default)]
pub struct ReconcileStates {
    pipelines: Mutex<HashMap<String, ReconcileState>>,
}

impl ReconcileStates {
    /// Adds a pipeline that exists.
    pub fn add(&self, uid: &str) {
        let mut pipelines = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        if !pipelines.contains_key(uid) {
            pipelines.insert(uid.to_owned(), ReconcileState::default());
        }
    }

    /// Reads or changes what is remembered of a pipeline. Nothing is stored for one that is gone: a reconcile that was running when
    /// it was deleted may still ask.
    pub fn with<T>(&self, uid: &str, change: impl FnOnce(&mut ReconcileState) -> T) -> T {
        let mut pipelines = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        match pipelines.get_mut(uid) {
            Some(state) => change(state),
            None => change(&mut ReconcileState::default()),
        }
    }

    /// Whether this version of the pipeline is the one that our own status write made.
    #[must_use]
    pub fn is_own_write(&self, uid: &str, version: u64) -> bool {
        let pipelines = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        let written = pipelines.get(uid).and_then(|state| state.written.as_ref());
        written.is_some_and(|(own, _)| *own == version)
    }

    /// Removes a pipeline that is gone.
    pub fn remove(&self, uid: &str) {
        self.pipelines.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }

    /// Removes all pipelines except those that exist: nothing reports a deletion that happened while a watch was down.
    pub fn retain(&self, exist: &BTreeSet<String>) {
        let mut pipelines = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        pipelines.retain(|uid, _| exist.contains(uid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s12_what_is_remembered_of_children_that_are_gone_is_bounded() {
        let mut state = ReconcileState::default();
        let exist = BTreeSet::from(["here".to_owned()]);
        for at in 0..1000 {
            state.children.insert("here".to_owned(), AppliedChild::default());
            state.children.insert(format!("gone-{at}"), AppliedChild::default());
            state.keep_only(&BTreeSet::new(), &exist);
            assert!(state.children.len() <= 2 + SPARE_CHILDREN);
            assert!(state.children.contains_key("here"));
        }
    }

    #[test]
    fn q5_nothing_is_remembered_of_a_pipeline_that_is_gone() {
        let states = ReconcileStates::default();
        let count = |uid: &str| states.with(uid, ReconcileState::count_failure);
        for uid in ["a", "b", "c"] {
            states.add(uid);
            assert_eq!((count(uid), count(uid)), (1, 2));
        }
        states.add("a");
        assert_eq!(count("a"), 3, "it is known already");
        states.remove("b");
        states.retain(&BTreeSet::from(["a".to_owned()]));
        assert_eq!((count("a"), count("b"), count("c")), (4, 1, 1));
        assert_eq!((count("b"), count("c")), (1, 1), "a late reconcile adds no entry");
    }
}
