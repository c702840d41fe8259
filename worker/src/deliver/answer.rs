//! What a receiver's answer, or its silence, means for the rows that were sent to it.

use std::time::Duration;

use reqwest::{Response, StatusCode};

use crate::network::{chain, refusal};

/// How many bytes of an answer are read: a connection can be used again only when the answer was read to its end.
const ANSWER_BYTES: usize = 64 << 10;

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
    bytes: Vec<u8>,
    is_whole: bool,
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

/// The beginning of an answer's body. A long rest is left unread, and the connection with it.
pub(super) async fn answer(mut response: Response) -> Result<Answer, Attempt> {
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend(chunk),
            Ok(None) => return Ok(Answer { bytes, is_whole: true }),
            Err(error) => return Err(sending(error)),
        }
    }
    Ok(Answer { bytes, is_whole: false })
}

/// As much of an answer as is shown.
pub(super) fn start(answer: &str) -> &str {
    answer.get(..answer.floor_char_boundary(LOGGED_BYTES)).unwrap_or(answer)
}

pub(super) fn sending(error: reqwest::Error) -> Attempt {
    let error = error.without_url();
    if let Some(refusal) = refusal(&error) {
        return Attempt::Refused(refusal.0.clone());
    }
    if error.is_builder() {
        return Attempt::Refused(chain(&error));
    }
    let what = if error.is_timeout() { "no answer in time" } else { "no connection" };
    Attempt::Again { problem: format!("{what}: {}", chain(&error)), pause: None }
}
