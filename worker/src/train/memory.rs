//! How many rows memory holds: said before the operating system ends the process without a word.

use std::sync::OnceLock;

use super::error::TrainError;
use crate::memory::available;

/// Bytes that a row takes beside its features: its target, and its place in the split and in a fold.
const ROW_OVERHEAD: u64 = 32;

/// The share of memory that rows may take, in percent; the rest is for the process and for what algorithms need.
const SHARE: u64 = 85;

/// Checks that so many rows of so many features fit into memory.
///
/// # Errors
/// When they do not.
pub(super) fn check_memory(rows: usize, features: usize) -> Result<(), TrainError> {
    static LIMIT: OnceLock<u64> = OnceLock::new();
    check(rows, features, *LIMIT.get_or_init(available))
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
        check(1_000_000, 20, 1 << 30).expect("192 MB fit into 1 GiB");
        let message = check(6_000_000, 20, 1 << 30).expect_err("1.1 GB do not").to_string();
        assert!(message.contains("1098 MiB of 1024 MiB"), "{message}");
        assert!(check(usize::MAX, 1, u64::MAX).is_err());
    }
}
