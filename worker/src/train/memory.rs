//! How many rows memory holds: said before the operating system ends the process without a word.

use std::fs;
use std::sync::OnceLock;

use super::error::TrainError;

/// Bytes that a row takes beside its features: its target, and its place in the split and in a fold.
const ROW_OVERHEAD: u64 = 32;

/// The share of memory that rows may take, in percent; the rest is for the process and for what algorithms need.
const SHARE: u64 = 85;

/// Where a container's memory limit is: control groups 2, then 1.
const LIMIT_FILES: [&str; 2] = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/// Checks that so many rows of so many features fit into memory.
///
/// # Errors
/// When they do not.
pub(super) fn check_memory(rows: usize, features: usize) -> Result<(), TrainError> {
    static LIMIT: OnceLock<u64> = OnceLock::new();
    check(rows, features, *LIMIT.get_or_init(limit))
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

/// The memory that this process may use, in bytes: the container's limit, or what the machine has.
fn limit() -> u64 {
    let number = |file: &str| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    let container = LIMIT_FILES.iter().find_map(|file| number(file));
    [container, machine()].into_iter().flatten().min().unwrap_or(u64::MAX)
}

/// The machine's memory in bytes.
fn machine() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
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

    #[test]
    fn this_machines_memory_is_known() {
        assert!(limit() > 1 << 20);
    }
}
