//! How long a server asks its callers to wait before they try again: the header `Retry-After` (RFC 9110, 10.2.3).

use std::time::{Duration, SystemTime};

use chrono::{DateTime, NaiveDateTime, Utc};
use reqwest::header::{self, HeaderMap};

/// The longest pause between attempts, also when the server asks for a longer one.
pub(crate) const PAUSE_LIMIT: Duration = Duration::from_secs(60);

/// The three forms of a date in HTTP, of which the last two are old (RFC 9110, 5.6.7). All are of UTC.
const DATES: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// The pause that a server asks for, in seconds or until a date, at most [`PAUSE_LIMIT`]; `None` where it asks for none, or for what is
/// neither. Dates count from the answer's own, so that a clock that is wrong here or there changes nothing; without one, from now.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|sign| sign.is_ascii_digit()) {
        // A number that is too large to be read is still one.
        let seconds = text.parse().map_or(PAUSE_LIMIT, Duration::from_secs);
        return Some(seconds.min(PAUSE_LIMIT));
    }
    let until = date(text)?;
    let answered = headers.get(header::DATE).and_then(|value| date(value.to_str().ok()?.trim()));
    let from = answered.unwrap_or_else(|| DateTime::<Utc>::from(SystemTime::now()).naive_utc());
    // A date that is past asks for no pause.
    Some(until.signed_duration_since(from).to_std().unwrap_or_default().min(PAUSE_LIMIT))
}

fn date(text: &str) -> Option<NaiveDateTime> {
    DATES.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_asked_for_in_seconds_or_until_a_date_and_has_a_limit() {
        let asked = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::DATE, "Sun, 06 Nov 1994 08:49:37 GMT".parse().expect("a value"));
            headers.insert(header::RETRY_AFTER, text.parse().expect("a value"));
            retry_after(&headers).map(|pause| pause.as_secs())
        };
        for (text, expected) in [
            ("0", Some(0)),
            (" 7 ", Some(7)),
            ("61", Some(60)),
            ("18446744073709551615", Some(60)),
            ("99999999999999999999999999", Some(60)),
            ("Sun, 06 Nov 1994 08:49:42 GMT", Some(5)),
            ("Sunday, 06-Nov-94 08:49:42 GMT", Some(5)),
            ("Sun Nov  6 08:49:42 1994", Some(5)),
            ("Sun, 06 Nov 1994 08:49:36 GMT", Some(0)),
            ("Mon, 07 Nov 1994 08:49:37 GMT", Some(60)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(60)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(asked(text), expected, "{text:?}");
        }
    }

    #[test]
    fn without_a_date_of_the_answer_the_clock_here_counts() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        for (text, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Duration::ZERO),
            ("Fri, 31 Dec 9999 23:59:59 GMT", PAUSE_LIMIT),
        ] {
            headers.insert(header::RETRY_AFTER, text.parse().expect("a value"));
            assert_eq!(retry_after(&headers), Some(expected), "{text}");
        }
    }
}
