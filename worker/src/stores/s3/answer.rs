//! What a store of S3 answered, for people.

use std::error::Error as _;

use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};

use super::Bucket;
use super::connector::OtherPart;
use crate::network::{chain, refusal};
use crate::stores::StoreError;

/// How much of a server's own words is repeated, in characters.
const WORDS: usize = 300;

/// An error of the `object_store` crate, by the code that the server sent. `action` is read, write or list.
pub(super) fn explain(bucket: &Bucket, action: &str, key: &str, error: &Error) -> StoreError {
    let place = bucket.place(key);
    let at = &bucket.endpoint;
    if let Some(refused) = refusal(error) {
        return StoreError::Refused { place, problem: format!("{at}: {}", refused.0) };
    }
    if let Some(other) = other_part(error) {
        return StoreError::Unreachable { place, problem: format!("{at}: {other}; run it again") };
    }
    if let Some(problem) = unreachable(error) {
        return StoreError::Unreachable { place, problem: format!("no answer from {at}: {problem}") };
    }
    // Before anything is cut off.
    let text = bucket.credentials.redact(&chain(error));
    let code = element(&text, "Code").unwrap_or_default();
    // Not all servers write it as AWS does.
    let unknown = ["InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"];
    if unknown.iter().any(|known| known.eq_ignore_ascii_case(code))
        || matches!(error, Error::Unauthenticated { .. })
    {
        let problem =
            format!("{at} does not know these credentials ({code}); look at the AWS_ keys of the Secret");
        return StoreError::Refused { place, problem };
    }
    let said = element(&text, "Message").map(|said| format!(": {}", cut(said))).unwrap_or_default();
    let refused = |problem: String| StoreError::Refused { place: place.clone(), problem };
    match (code, error) {
        ("NoSuchBucket", _) => {
            let problem = format!("there is no bucket {} at {at}; make it, or correct its name", bucket.name);
            StoreError::NotFound { place, problem }
        }
        ("" | "NoSuchKey", Error::NotFound { .. }) if action != "write" => {
            StoreError::NotFound { place, problem: format!("there is no such object at {at}") }
        }
        (_, Error::PermissionDenied { .. }) => refused(format!(
            "{at} does not let these credentials {action} there{said}; give them the right to, or use others"
        )),
        ("PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed", _) => {
            refused(format!("the bucket is not in the region of {at}{said}; set AWS_REGION to its own"))
        }
        _ if text.contains("Received redirect without LOCATION") => {
            refused(format!("the bucket is not in the region of {at}; set AWS_REGION to its own"))
        }
        ("", _) => StoreError::Unreachable {
            place,
            problem: format!("{at} does not answer as S3 does: {}", cut(&text)),
        },
        ("InternalError" | "SlowDown" | "ServiceUnavailable" | "RequestTimeout" | "OperationAborted", _) => {
            StoreError::Unreachable { place, problem: format!("{at} cannot {action} now ({code}){said}") }
        }
        _ => refused(format!("{at} refuses to {action} it ({code}){said}")),
    }
}

/// The part that did not fit, among an error's causes.
fn other_part(error: &Error) -> Option<&OtherPart> {
    let mut cause = error.source();
    while let Some(current) = cause {
        if current.is::<OtherPart>() {
            return current.downcast_ref();
        }
        cause = current.source();
    }
    None
}

/// Why there was no answer at all, where there was none.
fn unreachable(error: &Error) -> Option<String> {
    let mut cause = error.source();
    while let Some(current) = cause {
        if let Some(http) = current.downcast_ref::<HttpError>() {
            let what = match http.kind() {
                HttpErrorKind::Timeout => "none in time",
                HttpErrorKind::Connect => "no connection",
                _ => "the connection broke",
            };
            return Some(format!("{what}: {}", chain(http.source()?)));
        }
        cause = current.source();
    }
    None
}

/// The text of the first element of this name in an XML answer.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(inner, _)| inner)
}

fn cut(text: &str) -> String {
    let plain: String = text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    plain.chars().take(WORDS).collect()
}
