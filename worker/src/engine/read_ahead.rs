//! How many partitions are read at the same time, where reading one of them holds much memory.
//!
//! Owns the bound. It changes when partitions are read, never the order of their rows.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;

/// The share of the memory of queries that reading may hold beside it, in percent.
const SHARE: u64 = 25;

/// The most partitions that are read at the same time.
const MOST_AT_ONCE: usize = 16;

/// What the readers of all tables of a step may hold together.
#[derive(Debug)]
pub(crate) struct ReadAhead {
    limit: u64,
    /// What the reader of one partition holds at most, in bytes.
    largest: AtomicU64,
}

impl ReadAhead {
    /// Readers beside queries that may use so much memory, in bytes.
    pub(crate) fn new(memory_limit: usize) -> Self {
        Self { limit: memory_limit as u64 / 100 * SHARE, largest: AtomicU64::new(0) }
    }

    /// Notes what reading one partition of a table holds, in bytes.
    pub(crate) fn note(&self, held: u64) {
        self.largest.fetch_max(held, Ordering::Relaxed);
    }

    /// How many partitions are read at the same time on this machine: one for each core, one that waits for its turn, and fewer
    /// where they would hold too much together.
    pub(super) fn at_once(&self) -> usize {
        self.at_once_on(available_parallelism().map_or(1, NonZero::get))
    }

    fn at_once_on(&self, cores: usize) -> usize {
        let fitting = self.limit / self.largest.load(Ordering::Relaxed).max(1);
        (cores.min(MOST_AT_ONCE) + 1).min(usize::try_from(fitting).unwrap_or(usize::MAX)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_partitions_are_read_at_once_where_each_holds_much_and_one_always_is() {
        let ahead = ReadAhead::new(400 << 20);
        assert_eq!((ahead.at_once_on(2), ahead.at_once_on(64)), (3, 17));
        ahead.note(40 << 20);
        ahead.note(1);
        assert_eq!((ahead.at_once_on(1), ahead.at_once_on(2)), (2, 2));
        ahead.note(200 << 20);
        assert_eq!(ahead.at_once_on(2), 1);
        assert_eq!(ReadAhead::new(0).at_once_on(2), 1);
    }
}
