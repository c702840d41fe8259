//! How many rows memory holds: said before the operating system ends the process without a word.

use std::sync::OnceLock;

use super::error::TrainError;
use crate::memory::available;

/// Bytes that a row takes beside its features: its target, its place in the split and in a fold, and what is predicted for it.
const ROW_OVERHEAD: u64 = 96;

/// The share of memory that rows may take, in percent; the rest is for the process and for what algorithms need.
const SHARE: u64 = 85;

/// Checks that so many rows of so many features fit into memory.
///
/// # Errors
/// When they do not.
pub(super) fn check_memory(rows: usize, features: usize) -> Result<(), TrainError> {
    check(rows, features, limit())
}

/// Checks that so many numbers, which an algorithm computes of the features' covariances, fit beside the rows.
///
/// # Errors
/// When they do not.
pub(super) fn check_covariances(rows: usize, features: usize, numbers: usize) -> Result<(), TrainError> {
    check_beside(rows, features, numbers, limit())
}

fn limit() -> u64 {
    static LIMIT: OnceLock<u64> = OnceLock::new();
    *LIMIT.get_or_init(available)
}

/// How many algorithms may learn at once from so many rows of so many features, beside the rows as they were read: each is taken to
/// need as much as the rows themselves. At least one may, as without a search.
pub(super) fn at_once(rows: usize, read: usize, features: usize) -> usize {
    let bytes = |features: usize| (rows as u64).saturating_mul(features as u64 * 8 + ROW_OVERHEAD);
    let left = (available() / 100 * SHARE).saturating_sub(bytes(read + features));
    usize::try_from(left / bytes(features).max(1)).unwrap_or(usize::MAX).max(1)
}

fn check_beside(rows: usize, features: usize, numbers: usize, limit: u64) -> Result<(), TrainError> {
    let held = (rows as u64).saturating_mul(features as u64 * 8 + ROW_OVERHEAD);
    let needed = held.saturating_add((numbers as u64).saturating_mul(8));
    if needed <= limit / 100 * SHARE {
        return Ok(());
    }
    Err(TrainError::Memory(format!(
        "training holds all rows and the covariances of their features in memory, and {rows} rows of {features} features take \
         {} MiB of {} MiB; raise the step's memory limit (pod.resources), or take fewer features or a sample of the rows \
         in a prepare step",
        needed >> 20,
        limit >> 20
    )))
}

fn check(rows: usize, features: usize, limit: u64) -> Result<(), TrainError> {
    let needed = (rows as u64).saturating_mul(features as u64 * 8 + ROW_OVERHEAD);
    if u32::try_from(rows).is_err() {
        let message = "training takes at most 4294967295 rows; take a sample of them in a prepare step";
        return Err(TrainError::Memory(message.to_owned()));
    }
    if needed <= limit / 100 * SHARE {
        return Ok(());
    }
    Err(TrainError::Memory(format!(
        "training holds all rows in memory (rows × features × 8 bytes), and {rows} rows of {features} features already take \
         {} MiB of {} MiB; raise the step's memory limit (pod.resources), or take fewer features or a sample of the rows \
         in a prepare step",
        needed >> 20,
        limit >> 20
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_do_not_fit_are_refused_with_the_numbers() {
        check(1_000_000, 20, 1 << 30).expect("256 MB fit into 1 GiB");
        let message = check(6_000_000, 20, 1 << 30).expect_err("1.5 GB do not").to_string();
        assert!(message.contains("1464 MiB of 1024 MiB"), "{message}");
        assert!(check(usize::MAX, 1, u64::MAX).is_err());
    }

    #[test]
    fn covariances_that_do_not_fit_beside_the_rows_are_refused_with_the_numbers() {
        let one = 4096 * 4096;
        check_beside(1000, 4096, 4 * one, 1 << 30).expect("512 MiB fit into 1 GiB");
        let message = check_beside(1000, 4096, 8 * one, 1 << 30).expect_err("1 GiB does not").to_string();
        assert!(message.contains("the covariances of their features"), "{message}");
        assert!(message.contains("1055 MiB of 1024 MiB"), "{message}");
        assert!(check_beside(1000, 4096, usize::MAX, 1 << 30).is_err());
    }
}
