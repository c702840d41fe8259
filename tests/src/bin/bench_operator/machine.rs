//! How much of the machine is used, by whomever.

use std::time::Duration;

/// The processor time that all programs and the kernel have used since the machine started.
pub fn busy() -> Duration {
    let text = std::fs::read_to_string("/proc/stat").unwrap();
    let fields: Vec<u64> =
        text.lines().next().unwrap().split_whitespace().skip(1).map(|field| field.parse().unwrap()).collect();
    // user, nice, system, idle, iowait, irq, softirq; a tick is a hundredth of a second.
    let [user, nice, system, _, _, irq, softirq, ..] = fields[..] else {
        panic!("an odd /proc/stat: {text}")
    };
    Duration::from_millis((user + nice + system + irq + softirq) * 10)
}
