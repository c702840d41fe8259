//! What of a URL nobody else may read, and a server may repeat: its password, and its query, in which many a server expects a token.
//!
//! Owns which parts these are. Must not know where they are looked for.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::redaction::Redaction;

/// How many bytes a value of a query has at least: shorter ones are words such as json, which messages need.
const LEAST_VALUE: usize = 8;

/// Takes the password and the query of a URL, as a whole and each of its values, out of a text.
pub(crate) fn redaction_of(url: &Url) -> Redaction {
    let query = url.query().unwrap_or_default();
    // What has no name is a value.
    let values = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
    let is_long = |value: &str| value.len() >= LEAST_VALUE;
    // Without a password, a key may stand in the place of the user's name.
    let credential = url.password().unwrap_or_else(|| url.username());
    let written = [credential, query].into_iter().chain(values.filter(|value| is_long(value)));
    let decoded = url.query_pairs().map(|(_, value)| value.into_owned());
    let mut all: Vec<String> = decoded.filter(|value| is_long(value)).collect();
    for value in written {
        all.push(value.to_owned());
        all.push(percent_decode_str(value).decode_utf8_lossy().into_owned());
    }
    Redaction::of(all.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_and_the_values_of_the_query_are_taken_out_and_short_ones_are_not() {
        let url = "https://me:hunt%40er2@example.com/rows?token=to%2Fken-1&v=abc&lonely-value&q=a+b+c";
        let redaction = redaction_of(&Url::parse(url).expect("a URL"));
        for (text, expected) in [
            ("who is me with hunt@er2?", "who is me with …?"),
            ("hunt%40er2", "…"),
            ("no to/ken-1 of abc", "no … of abc"),
            ("no to%2Fken-1", "no …"),
            ("no to%2fken-1", "no …"),
            ("lonely-value and a b c", "… and a b c"),
            ("/rows?token=to%2Fken-1&v=abc&lonely-value&q=a+b+c is gone", "/rows?… is gone"),
        ] {
            assert_eq!(redaction.clean(text), expected, "{text}");
        }
        let plain = redaction_of(&Url::parse("https://example.com/rows").expect("a URL"));
        assert_eq!(plain.clean("/rows and all"), "/rows and all");
    }
}
