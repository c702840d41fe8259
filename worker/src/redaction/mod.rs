//! Taking secret values out of text, in every form in which a server or a library may repeat them.
//!
//! Owns the forms, what may be left of one where a text was cut, and what else must not reach a terminal: its control signs. Must not know where secrets come from.

mod cut;
mod layers;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

use cut::beginnings;
use layers::layers;
use mlpipeline_crds::is_shown;

/// Shorter values are not looked for: they occur in any text.
const LEAST_REDACTED: usize = 4;

/// The shortest line that is redacted alone, of a value that has several lines.
const LEAST_LINE: usize = 16;

/// What stands in the place of a secret.
const PLACEHOLDER: &str = "…";

/// What stands in the place of a text that is escaped in so many ways that it cannot be searched for secrets.
const UNSEARCHED: &str = "… (left out: it is escaped in too many ways to be searched for secrets)";

/// Takes values out of text.
#[derive(Clone, Default)]
pub(crate) struct Redaction {
    /// What is looked for in every reading of a text: the values, and what they are in other alphabets. All in lower case, as
    /// texts are when they are looked through: what repeats a value may write it in another case.
    forms: Vec<String>,
}

impl Redaction {
    /// Looks for these values.
    pub(crate) fn of<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut forms: Vec<String> = values
            .into_iter()
            .map(str::trim)
            .flat_map(|value| {
                let lines = value.lines().map(str::trim).filter(|line| line.len() >= LEAST_LINE);
                std::iter::once(value).chain(lines).map(str::to_owned).collect::<Vec<_>>()
            })
            .filter(|value| value.len() >= LEAST_REDACTED)
            .flat_map(|value| forms(&value))
            .map(|form| form.to_ascii_lowercase())
            .collect();
        forms.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        forms.dedup();
        Self { forms }
    }

    /// The text without any of the values, however they are escaped in it, nor the beginning of one where a message cut it.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        self.searched(text).unwrap_or_else(|| UNSEARCHED.to_owned())
    }

    /// The same; `None` where the text is escaped in so many ways that it cannot be searched.
    pub(crate) fn searched(&self, text: &str) -> Option<String> {
        self.without(text, false)
    }

    /// The same for a text that is the beginning of a longer one: what could be the beginning of a value at its end is not kept either.
    pub(crate) fn clean_beginning(&self, text: &str) -> String {
        self.without(&plain(text), true).unwrap_or_else(|| UNSEARCHED.to_owned())
    }

    fn without(&self, text: &str, is_cut: bool) -> Option<String> {
        if self.forms.is_empty() {
            return Some(text.to_owned());
        }
        let mut found: Vec<(usize, usize)> = Vec::new();
        for layer in layers(text)? {
            let lower = layer.text.to_ascii_lowercase();
            for form in &self.forms {
                let places = lower.match_indices(form.as_str());
                found.extend(places.map(|(at, _)| layer.original(at, at + form.len())));
                let places = beginnings(&lower, form, is_cut).into_iter();
                found.extend(places.map(|(from, to)| layer.original(from, to)));
            }
        }
        found.sort_unstable();
        let (mut clean, mut from) = (String::with_capacity(text.len()), 0);
        for (start, end) in found {
            if end <= from {
                continue;
            }
            // What overlaps is one place.
            if start >= from {
                clean.push_str(text.get(from..start).unwrap_or_default());
                clean.push_str(PLACEHOLDER);
            }
            from = end;
        }
        clean.push_str(text.get(from..).unwrap_or_default());
        Some(clean)
    }

    /// The text without any of the values, and without signs that would change what a terminal shows.
    pub(crate) fn clean(&self, text: &str) -> String {
        // First the signs, or one in the middle of a value would hide it.
        self.without_secrets(&plain(text))
    }
}

/// The text without signs that control a terminal, turn the direction of writing around or hide others.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|sign| is_shown(*sign)).collect()
}

/// A value as it may stand in answers, logs and errors, beside the ways in which [`layers`] reads a text.
fn forms(value: &str) -> Vec<String> {
    let hex = |upper: bool| {
        value.bytes().fold(String::new(), |mut text, byte| {
            // Writing to a String does not fail.
            let _ = if upper { write!(text, "{byte:02X}") } else { write!(text, "{byte:02x}") };
            text
        })
    };
    // As it is left in a text that lost its control characters, too.
    let mut forms = vec![value.to_owned(), plain(value), hex(true), hex(false)];
    forms.extend(base64(value));
    forms
}

/// Inside of a text in base64, wherever the value begins in it: the first and last sign depend on what is around it.
fn base64(value: &str) -> Vec<String> {
    let mut found = Vec::new();
    for alphabet in [alphabet::STANDARD, alphabet::URL_SAFE] {
        let engine = GeneralPurpose::new(&alphabet, NO_PAD);
        for before in 0..3_usize {
            let bytes = [vec![0; before], value.as_bytes().to_vec()].concat();
            let text = engine.encode(&bytes);
            let from = (before * 8).div_ceil(6);
            let to = bytes.len() * 8 / 6;
            found.extend(text.get(from..to).filter(|part| part.len() >= LEAST_REDACTED).map(str::to_owned));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "pa\"ss/wörd<&>'% x";

    #[test]
    fn a_value_is_found_in_every_form_in_which_it_is_repeated() {
        let redaction = Redaction::of([SECRET]);
        let standard = base64::engine::general_purpose::STANDARD;
        let rows = [
            SECRET.to_owned(),
            format!("a text with {SECRET} in it"),
            serde_json::json!({"said": SECRET}).to_string(),
            serde_json::json!({"said": serde_json::json!({"again": SECRET}).to_string()}).to_string(),
            "pa\\\"ss\\/w\\u00f6rd<&>'% x".to_owned(),
            format!("{SECRET:?}"),
            "pa%22ss%2Fw%C3%B6rd%3C%26%3E%27%25%20x".to_owned(),
            "pa%22ss%2fw%c3%b6rd%3c%26%3e%27%25%20x".to_owned(),
            "pa%22ss%2Fw%C3%B6rd%3C%26%3E%27%25+x".to_owned(),
            "<Message>pa&quot;ss/wörd&lt;&amp;&gt;&apos;% x</Message>".to_owned(),
            "pa&#34;ss/wörd&lt;&amp;&gt;&#39;% x".to_owned(),
            // Go, .NET, Java, and other ways of the same forms.
            r#"pa\"ss/wörd\u003c\u0026\u003e'% x"#.to_owned(),
            r"pa\u0022ss/w\u00F6rd\u003C\u0026\u003E\u0027\u0025 x".to_owned(),
            r#"pa\"ss/w\u00F6rd<&>'% x"#.to_owned(),
            "pa%22ss/w%C3%B6rd%3C%26%3E%27%25%20x".to_owned(),
            "pa%22ss%2Fw%C3%B6rd%3C%26%3E'%25%20x".to_owned(),
            "pa%2522ss%252Fw%25C3%25B6rd%253C%2526%253E%2527%2525%2520x".to_owned(),
            "pa&quot;ss&#x2F;w&#xF6;rd&lt;&amp;&gt;&#x27;% x".to_owned(),
            "pa&amp;quot;ss/wörd&amp;lt;&amp;amp;&amp;gt;&amp;apos;% x".to_owned(),
            r#"{\"said\":\"pa%22ss%2Fw%C3%B6rd%3C%26%3E%27%25%20x\"}"#.to_owned(),
            r#"b'pa"ss/w\xc3\xb6rd<&>\'% x'"#.to_owned(),
        ];
        for row in rows {
            let clean = redaction.clean(&row);
            assert!(clean.contains(PLACEHOLDER) && !clean.contains("pa"), "{row} gives {clean}");
        }
        for user in ["", "u", "us", "user"] {
            let basic = standard.encode(format!("{user}:{SECRET}"));
            let clean = redaction.clean(&format!("Authorization: Basic {basic}"));
            assert!(clean.contains(PLACEHOLDER) && clean.len() < 40, "{user}: {clean}");
        }
    }

    #[test]
    fn a_value_in_another_case_is_found() {
        let redaction = Redaction::of(["eyJptgUzEjfebz"]);
        for text in ["eyjptguzejfebz", "EYJPTGUZEJFEBZ", "eyJptgUzEjfebz"] {
            let clean = redaction.clean(&format!("encodes the body as \"{text}\""));
            assert_eq!(clean, "encodes the body as \"…\"");
        }
    }

    /// Every way in which messages of ours show the beginning of a text.
    #[test]
    fn nothing_is_left_of_a_value_wherever_a_text_was_cut() {
        let secret = "eyJptgUzEjfebzJ6sZWdoHI\"xrXl0gqn87b1";
        let redaction = Redaction::of([secret]);
        let texts = [
            format!("Authorization: Bearer {secret}"),
            format!("a=pass%20{}", secret.replace('"', "%22")),
            format!("{{\"said\": \"{}\"}}", secret.replace('"', "\\\"")),
        ];
        for text in &texts {
            for length in 0..text.len() {
                let start = &text[..length];
                for shown in [
                    format!("the line {start:?}… is wrong"),
                    format!("\"{start}…\" is wrong"),
                    format!("it says {start}…"),
                ] {
                    let clean = redaction.clean(&shown);
                    for left in 4..secret.len() {
                        assert!(!clean.contains(&secret[..left]), "{shown} gives {clean}");
                    }
                }
                let clean = redaction.clean_beginning(start);
                assert!(!clean.contains("ey"), "{start} gives {clean}");
            }
        }
        // What only looks like it stays.
        assert_eq!(redaction.clean("the key is missing… look"), "the key is missing… look");
    }

    #[test]
    fn a_line_of_a_key_is_found_and_other_text_stays() {
        let redaction = Redaction::of(["-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nshort\n", "abc"]);
        assert_eq!(redaction.clean("at MIIEvQIBADANBgkqhkiG9w0BAQ."), "at ….");
        assert_eq!(redaction.clean("a short abc text\n\twith lines"), "a short abc text\n\twith lines");
    }

    #[test]
    fn signs_that_control_a_terminal_are_left_out_and_hide_no_value() {
        let redaction = Redaction::of(["hunter2"]);
        assert_eq!(redaction.clean("\u{1b}[31mred\u{7} hun\u{1b}ter2 \u{202e}txt"), "[31mred … txt");
    }

    #[test]
    fn signs_that_take_no_room_hide_no_value_escaped_or_not() {
        let redaction = Redaction::of(["hunter2", "a\u{200d}token"]);
        for sign in [
            '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}', '\u{61c}', '\u{ad}', '\u{fe0f}', '\0',
        ] {
            let hidden = format!("hun{sign}ter2");
            let code = u32::from(sign);
            let percent: String = sign.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
            for text in [
                hidden,
                format!("hun\\u{code:04x}ter2"),
                format!("hun\\\\u{code:04x}ter2"),
                format!("hun&#{code};ter2"),
                format!("hun{percent}ter2"),
            ] {
                for clean in [redaction.clean(&text), redaction.without_secrets(&text)] {
                    assert_eq!(clean, "…", "{text:?}");
                }
            }
        }
        for text in ["a\u{200d}token", "atoken", "a\\u200dtoken"] {
            assert_eq!(redaction.clean(text), "…", "{text:?}");
        }
    }

    #[test]
    fn a_text_that_is_escaped_in_too_many_ways_is_not_shown_at_all() {
        let token = "hunter2/of=the?server";
        let redaction = Redaction::of([token]);
        let thrice = token.replace('/', "%25252F").replace('=', "%25253D").replace('?', "%25253F");
        // Mixed escapes whose readings differ in each order.
        let mixed = r"%255Cu0026amp;%2526%255C%5C\\u005cu0026amp;quot;+%2B%252B&amp;#x25;25&#37;5C";
        for text in [format!("{mixed} {thrice}"), format!("{thrice} {mixed}"), mixed.repeat(20) + &thrice] {
            let clean = redaction.clean(&text);
            assert!(!clean.contains("hunter2"), "{clean}");
            assert_eq!(redaction.clean_beginning(&text), clean);
        }
        assert_eq!(redaction.clean(&mixed.repeat(20)), UNSEARCHED);
        assert_eq!(Redaction::default().clean(mixed), mixed);
    }
}
