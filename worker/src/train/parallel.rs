//! Work on many rows by many threads, with the same result whatever their number.
//!
//! Rows are cut into shards that depend on nothing but how many rows there are. Threads take shards as they come; the
//! results are handed back in the shards' order, so that sums over them are always added in one order.

use std::cell::Cell;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

/// The most shards: enough for any machine's threads to be even, few enough that the results to add up stay small.
const MAX_SHARDS: usize = 64;

/// The fewest rows worth a shard of their own.
const MIN_SHARD_ROWS: usize = 2048;

/// Calls `work` for each shard of the rows 0 to `rows`, and gives the results in order.
pub fn over_shards<T: Send>(rows: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    over_shards_by(thread_count(), rows, work)
}

fn over_shards_by<T: Send>(threads: usize, rows: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let shards = (rows / MIN_SHARD_ROWS).clamp(1, MAX_SHARDS);
    let threads = threads.min(shards);
    let shard = |index: usize| bound(index, shards, rows)..bound(index + 1, shards, rows);
    if threads == 1 {
        return (0..shards).map(|index| work(shard(index))).collect();
    }
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= shards {
                return done;
            }
            done.push((index, work(shard(index))));
        }
    };
    let mut results: Vec<(usize, T)> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(take)).collect();
        let mut results = take();
        for other in others {
            match other.join() {
                Ok(theirs) => results.extend(theirs),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Calls `work` for each item, and gives the results in the items' order. What is done with an item must not depend on others.
pub(super) fn over_items<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    over_items_by(thread_count(), items, work)
}

/// [`over_items`] for tasks that use several threads themselves, at most so many at once: with fewer tasks than threads one
/// after the other, each on all threads; else each on a thread of its own, so that threads stay as many as they are meant to be.
pub(super) fn over_tasks<T: Send, R: Send>(
    at_once: usize,
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let threads = thread_count().min(at_once);
    if items.len() < thread_count() || threads <= 1 {
        return items.into_iter().map(work).collect();
    }
    over_items_by(threads, items, |item| {
        IS_TASK.set(true);
        let result = work(item);
        IS_TASK.set(false);
        result
    })
}

thread_local! {
    /// Whether this thread works on a task beside others: what it begins stays on it.
    static IS_TASK: Cell<bool> = const { Cell::new(false) };
}

fn over_items_by<T: Send, R: Send>(threads: usize, items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let (count, threads) = (items.len(), threads.min(items.len()));
    if threads <= 1 {
        return items.into_iter().map(work).collect();
    }
    let queue = Mutex::new(items.into_iter().enumerate());
    let take = || {
        let mut done = Vec::new();
        loop {
            // A panic elsewhere while the lock was held leaves the iterator whole.
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((index, item)) = next else { return done };
            done.push((index, work(item)));
        }
    };
    let mut results: Vec<(usize, R)> = Vec::with_capacity(count);
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(take)).collect();
        results.extend(take());
        for other in others {
            match other.join() {
                Ok(theirs) => results.extend(theirs),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Where a shard begins. Rows are numbered by 32 bits, so the product fits.
fn bound(index: usize, shards: usize, rows: usize) -> usize {
    index * rows / shards
}

/// The most bytes of sums that shards hold at once.
const SUMS_LIMIT: usize = 256 << 20;

/// How many shards' sums of so many numbers are held at once: all cores have work, and many large sums do not take all memory.
pub(super) fn sums_at_once(numbers: usize) -> usize {
    (SUMS_LIMIT / (numbers * 8).max(1)).max(thread_count())
}

/// How many threads to use: as many as the machine, or the container's share of it, runs at once.
pub(super) fn thread_count() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    if IS_TASK.get() {
        return 1;
    }
    *THREADS.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_alike_to_the_last_bit_whatever_the_number_of_threads() {
        let sum = |threads| {
            let parts =
                over_shards_by(threads, 300_000, |range| range.map(|row| (row as f64).sin()).sum::<f64>());
            parts.into_iter().sum::<f64>().to_bits()
        };
        let one = sum(1);
        assert!([2, 3, 7, 64, 100].into_iter().all(|threads| sum(threads) == one));
    }

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let squares = over_items((0..1000_u32).collect(), |item| item * item);
        assert!(squares.iter().enumerate().all(|(item, square)| *square as usize == item * item));
        assert!(over_items(Vec::<u32>::new(), |item| item).is_empty());
    }

    #[test]
    fn what_a_task_begins_stays_on_its_thread() {
        let tasks: Vec<usize> = (0..64).collect();
        let counts = over_tasks(usize::MAX, tasks, |task| (task, thread_count()));
        assert!(counts.iter().enumerate().all(|(place, (task, _))| place == *task));
        let alone = thread_count() == 1 || counts.iter().all(|(_, threads)| *threads == 1);
        assert!(alone, "{counts:?}");
        let few = over_tasks(usize::MAX, vec![()], |()| thread_count());
        assert_eq!(few, [thread_count()], "one task has all threads");
    }

    #[test]
    fn shards_cover_all_rows_once_and_in_order() {
        for rows in [0, 1, 2047, 2048, 5000, 1_000_003] {
            let mut expected = 0;
            for range in over_shards(rows, |range| range) {
                assert_eq!(range.start, expected);
                expected = range.end;
            }
            assert_eq!(expected, rows);
        }
    }
}
