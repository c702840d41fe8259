//! What one computation may take: memory that is in use at the same time, and steps of work.

use super::kind::Kind;
use super::layout::{element_count, shown};
use super::problem::Problem;

/// The most bytes of tensors that are in use at the same time.
pub const MEMORY_LIMIT: usize = 512 << 20;

/// The most steps of work for a row: a second or two of a core.
pub const WORK_LIMIT: u64 = 2_000_000_000;

/// What was taken so far.
#[derive(Debug)]
pub(super) struct Work {
    bytes: usize,
    steps: u64,
    most_steps: u64,
    /// How many rows it is for.
    pub rows: usize,
    /// Whether values that the graph does not know are taken as some known one: while its shapes are tried.
    pub lenient: bool,
}

impl Work {
    /// For so many rows.
    pub(super) fn new(rows: usize, lenient: bool) -> Self {
        Self { bytes: 0, steps: 0, most_steps: WORK_LIMIT.saturating_mul(rows.max(1) as u64), rows, lenient }
    }

    /// Takes the memory of a tensor, and as many steps as it has values; says how many.
    pub(super) fn reserve(&mut self, shape: &[usize], kind: Kind) -> Result<usize, Problem> {
        let count = element_count(shape)?;
        self.bytes = self.bytes.saturating_add(count.saturating_mul(kind.size()));
        self.check_memory(|| format!("with its result, of shape {},", shown(shape)))?;
        self.step(count as u64)?;
        Ok(count)
    }

    /// Takes the memory of a text beside its place in a tensor: before it is made.
    pub(super) fn reserve_text(&mut self, bytes: usize) -> Result<(), Problem> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.check_memory(|| "with the texts of its result".to_owned())
    }

    fn check_memory(&self, what: impl Fn() -> String) -> Result<(), Problem> {
        if self.bytes <= MEMORY_LIMIT {
            return Ok(());
        }
        let limit = MEMORY_LIMIT >> 20;
        Err(Problem::Limit(format!(
            "{} the graph takes more than the {limit} MiB that a batch of rows may take",
            what()
        )))
    }

    /// Takes steps of work.
    pub(super) fn step(&mut self, steps: u64) -> Result<(), Problem> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > self.most_steps {
            return Err(Problem::Limit(format!(
                "the graph takes more than the {WORK_LIMIT} steps that a row may take"
            )));
        }
        Ok(())
    }

    /// The memory that is in use.
    pub(super) fn in_use(&self) -> usize {
        self.bytes
    }

    /// Says how much memory is in use once a node is done.
    pub(super) fn settle(&mut self, bytes: usize) {
        self.bytes = bytes;
    }
}
