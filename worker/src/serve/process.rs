//! What the kernel says of this process: memory, CPU and how many files it may open, where there is a Linux /proc.

use std::fs;

/// Ticks a second in /proc/self/stat: USER_HZ, which is 100 on every architecture that Linux runs Rust's std on.
const TICKS_PER_SECOND: f64 = 100.0;

/// What the process uses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// Resident memory, in bytes.
    pub resident_bytes: f64,
    /// User and system time since the start, in seconds.
    pub cpu_seconds: f64,
}

/// What this process uses now; none where there is no /proc.
#[must_use]
pub fn usage() -> Option<Usage> {
    parse(&fs::read_to_string("/proc/self/status").ok()?, &fs::read_to_string("/proc/self/stat").ok()?)
}

fn parse(status: &str, stat: &str) -> Option<Usage> {
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = resident.trim().strip_suffix("kB")?.trim().parse().ok()?;
    // The second field is the command's name in parentheses, which may hold anything, parentheses too.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(11);
    let user: f64 = times.next()?.parse().ok()?;
    let system: f64 = times.next()?.parse().ok()?;
    Some(Usage { resident_bytes: kibibytes * 1024.0, cpu_seconds: (user + system) / TICKS_PER_SECOND })
}

/// How many files, and so connections, this process may have open; none where there is no /proc or no limit.
#[must_use]
pub fn open_files_limit() -> Option<usize> {
    open_files(&fs::read_to_string("/proc/self/limits").ok()?)
}

/// The soft limit, which is the first number.
fn open_files(limits: &str) -> Option<usize> {
    limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?
        .split_ascii_whitespace()
        .next()?
        .parse()
        .ok()
}

/// The name of the pod, or else of the machine.
#[must_use]
pub fn pod_name() -> String {
    let from_environment = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let from_kernel =
        || fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned());
    from_environment("POD_NAME")
        .or_else(|| from_environment("HOSTNAME"))
        .or_else(from_kernel)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_read_whatever_the_command_is_called() {
        let status = "Name:\tx\nVmPeak:\t  9000 kB\nVmRSS:\t    2048 kB\n";
        let stat = "12 (a) 7 8 (b)) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0";
        let expected = Usage { resident_bytes: 2048.0 * 1024.0, cpu_seconds: 3.0 };
        assert_eq!(parse(status, stat), Some(expected));
        assert_eq!(parse("", stat), None);
        assert_eq!(parse(status, ""), None);
    }

    #[test]
    fn the_soft_limit_of_open_files_counts() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max open files            1024                 524288               files\n";
        assert_eq!(open_files(limits), Some(1024));
        assert_eq!(open_files(&limits.replace("1024  ", "unlimited")), None);
        assert_eq!(open_files(""), None);
    }

    #[test]
    fn this_process_uses_memory() {
        if cfg!(target_os = "linux") {
            assert!(usage().expect("Linux has /proc").resident_bytes > 0.0);
        }
    }
}
