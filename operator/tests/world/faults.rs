//! What goes wrong, and at which call.

use tokio::sync::watch;

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
}

/// The fault to come, and the calls so far.
pub struct Faults {
    pub calls: usize,
    pub next: Option<(usize, Mode)>,
    pub crashed: watch::Sender<u32>,
    /// Answers for every call to a verb and resource, for as long as they are here.
    pub standing: Vec<(String, String, u16, String)>,
    /// Operators whose calls reach nobody.
    pub cut_off: Vec<String>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { calls: 0, next: None, crashed: watch::channel(0).0, standing: Vec::new(), cut_off: Vec::new() }
    }
}

impl Faults {
    /// Counts a call, and tells what becomes of it.
    pub fn count(&mut self) -> Option<Mode> {
        let at = self.calls;
        self.calls += 1;
        match self.next {
            Some((due, mode)) if due == at => {
                self.next = None;
                Some(mode)
            }
            _ => None,
        }
    }
}
