//! How much of the machine is used, by whomever.

use std::time::{Duration, Instant};

/// What came of chaining for a while.
pub struct Turn {
    pub chains_a_minute: f64,
    /// Processor time of all programs of the machine, from the first apply to the last chain's end.
    pub machine: Duration,
}

/// A turn that has begun.
pub struct Begun {
    at: Instant,
    busy: Duration,
}

impl Begun {
    pub fn now() -> Self {
        Self { at: Instant::now(), busy: busy() }
    }

    /// The turn, in which so many chains came to their end.
    pub fn ended(&self, chains: usize) -> Turn {
        let chains_a_minute = chains as f64 / self.at.elapsed().as_secs_f64() * 60.0;
        Turn { chains_a_minute, machine: busy() - self.busy }
    }
}

/// The processor time that all programs and the kernel have used since the machine started.
fn busy() -> Duration {
    let text = std::fs::read_to_string("/proc/stat").unwrap();
    let fields: Vec<u64> =
        text.lines().next().unwrap().split_whitespace().skip(1).map(|field| field.parse().unwrap()).collect();
    // user, nice, system, idle, iowait, irq, softirq; a tick is a hundredth of a second.
    let [user, nice, system, _, _, irq, softirq, ..] = fields[..] else {
        panic!("an odd /proc/stat: {text}")
    };
    Duration::from_millis((user + nice + system + irq + softirq) * 10)
}
