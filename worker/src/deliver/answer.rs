//! What a receiver's answer, or its silence, means for the rows that were sent to it.

use std::time::Duration;

use http::StatusCode;

use crate::network::{NoAnswer, chain, refusal, unreadable};

/// How many bytes of an answer are read: a connection can be used again only when the answer was read to its end.
pub(super) const ANSWER_BYTES: usize = 64 << 10;

/// How many bytes of an answer are logged.
const LOGGED_BYTES: usize = 512;

/// Why one attempt did not succeed.
#[derive(Debug)]
pub(super) enum Attempt {
    /// The rows are refused: trying again is pointless.
    Refused(String),
    /// The address or the credentials are wrong, whatever the rows are.
    Endpoint(String),
    /// Trying again may help, after the pause that the receiver asked for.
    Again {
        problem: String,
        pause: Option<Duration>,
        /// Whether the receiver may be at work on the request still.
        is_under_way: bool,
    },
}

/// What an answer means. `is_under_way` says whether an earlier attempt of the same request may be at work still.
pub(super) fn judge(
    status: StatusCode,
    pause: Option<Duration>,
    answer: &str,
    is_under_way: bool,
) -> Result<(), Attempt> {
    if status.is_success() {
        return Ok(());
    }
    let line = start(answer).lines().next().unwrap_or_default().trim();
    let said = if line.is_empty() { String::new() } else { format!(": {line}") };
    let problem = format!("the receiver answers {status}{said}");
    let is_transient = match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => true,
        // A receiver that keeps the keys of requests says so while it is at work on the first one.
        StatusCode::CONFLICT => is_under_way || pause.is_some(),
        _ => status.is_server_error(),
    };
    if is_transient {
        // A gateway says that the receiver behind it did not answer.
        let is_of_gateway = matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT);
        return Err(Attempt::Again { problem, pause, is_under_way: is_of_gateway });
    }
    Err(match of_endpoint(status) {
        Some(advice) => Attempt::Endpoint(format!("{problem}; {advice}")),
        None => Attempt::Refused(problem),
    })
}

/// What to do about an answer that says something of the address or the credentials, and nothing of the rows.
fn of_endpoint(status: StatusCode) -> Option<&'static str> {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            Some("name a Secret in output.secret, or correct the credentials in the one that is named there")
        }
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            Some("name the address that takes rows by POST in output.uri")
        }
        _ if status.is_redirection() => {
            Some("a POST is not sent on to another address: name the address that takes it in output.uri")
        }
        _ => None,
    }
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
        // Most say nothing, and secrets are looked for in each way that they may be written.
        if self.bytes.is_empty() {
            return String::new();
        }
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
    if let Some(refusal) = refusal(error.as_ref()) {
        return Attempt::Endpoint(refusal.0.clone());
    }
    let problem = match unreadable(error.as_ref()) {
        Some(problem) => problem.to_owned(),
        None => format!("no connection: {}", chain(error.as_ref())),
    };
    // Its own errors are those of connections that were there.
    Attempt::Again { problem, pause: None, is_under_way: error.is::<hyper::Error>() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_of_the_rows_or_of_the_endpoint_or_worth_another_attempt() {
        let wait = Some(Duration::from_secs(1));
        for (status, pause, is_under_way, expected) in [
            (200, None, false, "accepted"),
            (204, None, false, "accepted"),
            (400, wait, true, "refused"),
            (422, None, false, "refused"),
            (409, None, false, "refused"),
            (409, None, true, "again"),
            (409, wait, false, "again"),
            (408, None, false, "again"),
            (425, None, false, "again"),
            (429, None, false, "again"),
            (500, None, false, "again"),
            (502, None, false, "again, under way"),
            (503, None, false, "again"),
            (504, None, false, "again, under way"),
            (302, None, false, "output.uri"),
            (308, None, false, "output.uri"),
            (404, None, false, "output.uri"),
            (405, None, false, "output.uri"),
            (401, None, false, "output.secret"),
            (403, None, false, "output.secret"),
            (407, None, false, "output.secret"),
        ] {
            let judged = judge(StatusCode::from_u16(status).expect("a status"), pause, "no", is_under_way);
            let is_as_expected = match &judged {
                Ok(()) => expected == "accepted",
                Err(Attempt::Refused(_)) => expected == "refused",
                Err(Attempt::Endpoint(problem)) => problem.contains(expected) && problem.contains(": no;"),
                Err(Attempt::Again { is_under_way: true, .. }) => expected == "again, under way",
                Err(Attempt::Again { .. }) => expected == "again",
            };
            assert!(is_as_expected, "{status}: {judged:?}");
        }
    }
}
