//! What goes wrong, and at which call.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The operator dies before the server sees the call.
    CrashBefore,
    /// The operator dies after the server has done what was asked.
    CrashAfter,
    /// The server has done what was asked, and the answer never comes.
    ResponseLost,
    /// The server answers with this code and does nothing.
    Answer(u16),
    /// From here on the watches deliver nothing for a while, and then everything.
    LaggingWatch,
    /// The same, but of what happened to an object meanwhile the watches deliver the last state only.
    Coalesced,
    /// Every watch ends here, and the lists that follow are of a moment ago.
    OldRelist,
}

impl Mode {
    pub const ALL: [Self; 10] = [
        Self::CrashBefore,
        Self::CrashAfter,
        Self::ResponseLost,
        Self::Answer(409),
        Self::Answer(429),
        Self::Answer(500),
        Self::Answer(503),
        Self::LaggingWatch,
        Self::Coalesced,
        Self::OldRelist,
    ];
}

/// For how long watches are silent, and lists old.
pub const LAG: Duration = Duration::from_secs(5);
/// How many changes an old list does not know of yet.
const BEHIND: u64 = 4;

/// The faults to come, and the calls so far.
pub struct Faults {
    pub calls: usize,
    pub planned: Vec<(usize, Mode)>,
    /// Until when watches are silent.
    pub silent_until: Option<Instant>,
    /// Whether watches deliver last states only.
    pub coalesced: bool,
    /// How often all watches have ended.
    pub ended: u32,
    /// The version of which lists are, and until when.
    pub old_list: Option<(u64, Instant)>,
    pub crashed: watch::Sender<u32>,
    /// Answers for every call to a verb and resource, or namespace/resource, for as long as they are here.
    pub standing: Vec<(String, String, u16, String)>,
    /// Operators whose calls reach nobody.
    pub cut_off: Vec<String>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            calls: 0,
            planned: Vec::new(),
            silent_until: None,
            coalesced: false,
            ended: 0,
            old_list: None,
            crashed: watch::channel(0).0,
            standing: Vec::new(),
            cut_off: Vec::new(),
        }
    }
}

impl Faults {
    /// Counts a call, and returns what becomes of it.
    pub fn count(&mut self, version: u64) -> Option<Mode> {
        let at = self.calls;
        self.calls += 1;
        let due = self.planned.iter().position(|(due, _)| *due == at)?;
        let (_, mode) = self.planned.swap_remove(due);
        let end = Instant::now() + LAG;
        match mode {
            Mode::LaggingWatch => self.silent_until = Some(end),
            Mode::Coalesced => (self.silent_until, self.coalesced) = (Some(end), true),
            Mode::OldRelist => {
                self.ended += 1;
                self.old_list = Some((version.saturating_sub(BEHIND), end));
            }
            _ => {}
        }
        Some(mode)
    }

    /// The version that a list shows now.
    pub fn listed_version(&self, newest: u64) -> u64 {
        match self.old_list {
            Some((version, until)) if Instant::now() < until => version,
            _ => newest,
        }
    }
}
