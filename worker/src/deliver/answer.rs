//! What a receiver's answer, or its silence, means for the rows that were sent to it.

use std::time::Duration;

use http::StatusCode;

use crate::network::{NoAnswer, chain, refusal};

/// How many bytes of an answer are read: a connection can be used again only when the answer was read to its end.
pub(super) const ANSWER_BYTES: usize = 64 << 10;

/// How many bytes of an answer are logged.
const LOGGED_BYTES: usize = 512;

/// Why one attempt did not succeed.
pub(super) enum Attempt {
    /// Trying again is pointless.
    Refused(String),
    /// Trying again may help, after the pause that the receiver asked for.
    Again { problem: String, pause: Option<Duration> },
}

/// What an answer means.
pub(super) fn judge(status: StatusCode, pause: Option<Duration>, answer: &str) -> Result<(), Attempt> {
    if status.is_success() {
        return Ok(());
    }
    let line = start(answer).lines().next().unwrap_or_default().trim();
    let said = if line.is_empty() { String::new() } else { format!(": {line}") };
    let problem = format!("the receiver answers {status}{said}");
    let is_transient = status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY
        );
    if is_transient {
        return Err(Attempt::Again { problem, pause });
    }
    Err(Attempt::Refused(if status.is_redirection() {
        format!("{problem}; a POST is not sent on to another address: name the address that takes it")
    } else {
        problem
    }))
}

/// An answer's body, or its beginning.
pub(super) struct Answer {
    pub(super) bytes: Vec<u8>,
    pub(super) is_whole: bool,
}

impl Answer {
    /// The text of it as `whole` leaves it, or that of a beginning as `beginning` does.
    pub(super) fn text(
        &self,
        whole: impl FnOnce(&str) -> String,
        beginning: impl FnOnce(&str) -> String,
    ) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        // A sign that was cut in its middle says nothing.
        if self.is_whole { whole(&text) } else { beginning(text.trim_end_matches('\u{fffd}')) }
    }
}

/// As much of an answer as is shown.
pub(super) fn start(answer: &str) -> &str {
    answer.get(..answer.floor_char_boundary(LOGGED_BYTES)).unwrap_or(answer)
}

/// What it means that there is none.
pub(super) fn silence(error: &NoAnswer) -> Attempt {
    match refusal(error.as_ref()) {
        Some(refusal) => Attempt::Refused(refusal.0.clone()),
        None => Attempt::Again { problem: format!("no connection: {}", chain(error.as_ref())), pause: None },
    }
}
