//! What the operator remembers of each pipeline between two looks at it. All of it may be lost at any moment: it saves calls and
//! spaces out attempts, and decides nothing.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mlpipeline_crds::MLPipelineStatus;
use tokio::time::Instant;

use super::problem::{Class, Failure};

/// What is remembered of one pipeline.
#[derive(Debug, Default)]
pub struct Remembered {
    /// The last status that was written, and the version that it made.
    pub written: Option<(u64, MLPipelineStatus)>,
    /// When small differences of the status are to be written.
    pub due: Option<Instant>,
    /// When it is this pipeline's turn to tell of progress.
    pub turn: Option<Instant>,
    /// Failures in a row.
    pub failures: u32,
    /// Children by uid.
    pub children: HashMap<String, Child>,
    /// What the API server does not take, by object.
    pub refusals: HashMap<String, Refusal>,
}

impl Remembered {
    /// Forgets refusals of what is no longer wanted, and children that are gone. One that was just made is not among those
    /// that were seen; it is forgotten too when there are many more than were seen, and looked at once more for it.
    pub fn keep_only(&mut self, tried: &BTreeSet<String>, exist: &BTreeSet<String>) {
        self.refusals.retain(|object, _| tried.contains(object));
        if self.children.len() > 2 * exist.len() + SPARE_CHILDREN {
            self.children.retain(|uid, _| exist.contains(uid));
        }
    }
}

/// How many children may be remembered that were not seen.
const SPARE_CHILDREN: usize = 16;

/// A child that could not be brought about.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// What was wanted: another wish is a new one.
    pub wish: String,
    /// Why it failed.
    pub failure: Failure,
    /// Failures in a row.
    pub failures: u32,
    /// When to try again.
    pub until: Instant,
    /// Whether all that the spec asks for can be true without it.
    pub is_dispensable: bool,
}

impl Refusal {
    /// Whether it is too early to try again.
    #[must_use]
    pub fn stands(&self, wish: &str, now: Instant) -> bool {
        // What is in the way may be gone any moment, and then the watch has caused this look.
        self.failure.class != Class::Leftover && self.wish == wish && now < self.until
    }
}

/// What is remembered of one child.
#[derive(Clone, Debug, Default)]
pub struct Child {
    /// The hash that was applied, or found to be.
    pub hash: String,
    /// The version at which the child was seen to hold everything that was applied.
    pub good_version: Option<String>,
    /// What the server keeps answering in place of what was applied; such differences are left alone.
    pub accepted: Vec<String>,
    /// Repairs since it was last left in peace for long.
    pub repairs: u32,
    /// When it was last repaired.
    pub repaired: Option<Instant>,
}

/// How long a child must be left in peace for its repairs to be forgotten.
const PEACE: Duration = Duration::from_secs(600);

impl Child {
    /// How long a repair has to wait, where somebody keeps undoing it.
    #[must_use]
    pub fn repair_wait(&self, now: Instant) -> Option<Duration> {
        let repaired = self.repaired?;
        if self.repairs < 3 {
            return None;
        }
        let due = repaired + super::backoff::wait(self.repairs - 2, 1.0);
        due.checked_duration_since(now).filter(|wait| !wait.is_zero())
    }

    /// Counts a repair.
    pub fn count_repair(&mut self, now: Instant) {
        let long_ago = self.repaired.is_none_or(|before| now.duration_since(before) > PEACE);
        self.repairs = if long_ago { 1 } else { self.repairs.saturating_add(1) };
        self.repaired = Some(now);
    }
}

/// What is remembered of all pipelines of one watched scope, by uid.
#[derive(Debug, Default)]
pub struct Memory {
    pipelines: Mutex<HashMap<String, Remembered>>,
}

impl Memory {
    /// Begins to remember a pipeline that exists.
    pub fn know(&self, uid: &str) {
        let mut pipelines = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        if !pipelines.contains_key(uid) {
            pipelines.insert(uid.to_owned(), Remembered::default());
        }
    }

    /// Reads or changes what is remembered of a pipeline. Of one that is gone nothing is kept: a look that was under way when it
    /// went may still ask.
    pub fn with<T>(&self, uid: &str, look: impl FnOnce(&mut Remembered) -> T) -> T {
        let mut pipelines = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        match pipelines.get_mut(uid) {
            Some(remembered) => look(remembered),
            None => look(&mut Remembered::default()),
        }
    }

    /// Whether this version of the pipeline is the one that our own status write made.
    #[must_use]
    pub fn is_own_write(&self, uid: &str, version: u64) -> bool {
        let pipelines = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        let written = pipelines.get(uid).and_then(|remembered| remembered.written.as_ref());
        written.is_some_and(|(own, _)| *own == version)
    }

    /// Forgets a pipeline that is gone.
    pub fn forget(&self, uid: &str) {
        self.pipelines.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }

    /// Forgets all pipelines but those that exist: of one that went while a watch was down, nobody tells.
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
        let mut remembered = Remembered::default();
        let exist = BTreeSet::from(["here".to_owned()]);
        for at in 0..1000 {
            remembered.children.insert("here".to_owned(), Child::default());
            remembered.children.insert(format!("gone-{at}"), Child::default());
            remembered.keep_only(&BTreeSet::new(), &exist);
            assert!(remembered.children.len() <= 2 + SPARE_CHILDREN);
            assert!(remembered.children.contains_key("here"));
        }
    }

    #[test]
    fn q5_nothing_is_remembered_of_a_pipeline_that_is_gone() {
        let memory = Memory::default();
        let count = |uid: &str| {
            memory.with(uid, |remembered| {
                remembered.failures += 1;
                remembered.failures
            })
        };
        for uid in ["a", "b", "c"] {
            memory.know(uid);
            assert_eq!((count(uid), count(uid)), (1, 2));
        }
        memory.know("a");
        assert_eq!(count("a"), 3, "it is known already");
        memory.forget("b");
        memory.retain(&BTreeSet::from(["a".to_owned()]));
        assert_eq!((count("a"), count("b"), count("c")), (4, 1, 1));
        assert_eq!((count("b"), count("c")), (1, 1), "a late look makes no new entry");
    }

    #[tokio::test(start_paused = true)]
    async fn a_child_that_somebody_keeps_changing_is_repaired_more_and_more_rarely() {
        let mut child = Child::default();
        for _ in 0..3 {
            assert_eq!(child.repair_wait(Instant::now()), None);
            child.count_repair(Instant::now());
        }
        assert_eq!(child.repair_wait(Instant::now()), Some(Duration::from_secs(1)));
        child.count_repair(Instant::now());
        assert_eq!(child.repair_wait(Instant::now()), Some(Duration::from_secs(2)));
        tokio::time::advance(PEACE + Duration::from_secs(1)).await;
        child.count_repair(Instant::now());
        assert_eq!(child.repairs, 1);
    }
}
