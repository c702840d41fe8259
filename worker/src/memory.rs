//! How much memory there is.

use std::fs;

/// Where a container's memory limit is: control groups 2, then 1.
const LIMIT_FILES: [&str; 2] = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/// What is assumed where nothing can be read: 4 GiB.
const ASSUMED: u64 = 4 << 30;

/// The memory of the container, or of the machine where that is less, in bytes.
pub(crate) fn available() -> u64 {
    let number = |file: &str| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    let container = LIMIT_FILES.iter().find_map(|file| number(file));
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
    });
    [container, machine].into_iter().flatten().min().unwrap_or(ASSUMED)
}
