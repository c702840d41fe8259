//! A text as it is read once what is escaped in it is not: as JSON, as a URL, as XML, and one in another. Each reading knows where in the
//! text its signs come from, so that a value that is found in it can be taken out of the text.

use std::collections::BTreeSet;

use mlpipeline_crds::is_shown;

/// How often a text is read again: a value in JSON, in JSON, in a log line, behind a proxy.
const DEPTH: usize = 4;

/// The most readings of a text; a text is rarely escaped in more than two ways.
const MOST_LAYERS: usize = 48;

/// The longest reference of XML that is looked for, with its signs.
const REFERENCE_LENGTH: usize = 12;

/// One reading of a text.
pub(super) struct Layer {
    /// What is read.
    pub text: String,
    /// For each byte of it, and for its end, where in the original text it begins.
    starts: Vec<usize>,
}

impl Layer {
    /// The text as it is, but for signs that nobody sees.
    fn of(text: &str) -> Self {
        let mut layer = Self { text: String::with_capacity(text.len()), starts: Vec::new() };
        for (at, sign) in text.char_indices().filter(|(_, sign)| is_shown(*sign)) {
            layer.text.push(sign);
            layer.starts.extend(at..at + sign.len_utf8());
        }
        layer.starts.push(text.len());
        layer
    }

    /// The bytes of the original text that bytes of this reading come from.
    pub(super) fn original(&self, from: usize, to: usize) -> (usize, usize) {
        let at = |byte: usize| self.starts.get(byte).copied().unwrap_or_default();
        (at(from), at(to))
    }
}

/// Every reading of a text, the text itself first. `None` where there are too many: then nobody knows what is in the text.
pub(super) fn layers(text: &str) -> Option<Vec<Layer>> {
    let mut all = vec![Layer::of(text)];
    let mut known: BTreeSet<String> = all.iter().map(|layer| layer.text.clone()).collect();
    let mut from = 0;
    for _ in 0..DEPTH {
        let to = all.len();
        for index in from..to {
            for decode in [of_json, of_url, of_form, of_xml] {
                let Some(layer) = all.get(index).and_then(|layer| read(layer, decode)) else { continue };
                if known.insert(layer.text.clone()) {
                    if all.len() == MOST_LAYERS {
                        return None;
                    }
                    all.push(layer);
                }
            }
        }
        from = to;
    }
    Some(all)
}

/// Reads what begins a text: how many bytes are escaped there, and what they are; `None` where nothing is.
type Decode = fn(&str) -> Option<(usize, String)>;

/// A text read once more; `None` where nothing in it is escaped.
fn read(layer: &Layer, decode: Decode) -> Option<Layer> {
    let mut found = Layer { text: String::with_capacity(layer.text.len()), starts: Vec::new() };
    let (mut at, mut is_other) = (0, false);
    while let Some(rest) = layer.text.get(at..).filter(|rest| !rest.is_empty()) {
        let start = layer.starts.get(at).copied().unwrap_or_default();
        let first = rest.chars().next().map_or(1, char::len_utf8);
        let (length, signs) = match decode(rest) {
            Some((length, signs)) => {
                is_other = true;
                // What nobody sees would hide a value here as it does in the text itself.
                (length, signs.chars().filter(|sign| is_shown(*sign)).collect())
            }
            None => (first, rest.get(..first).unwrap_or_default().to_owned()),
        };
        found.starts.extend(std::iter::repeat_n(start, signs.len()));
        found.text.push_str(&signs);
        at += length;
    }
    found.starts.push(layer.starts.last().copied().unwrap_or_default());
    is_other.then_some(found)
}

/// Escapes behind a backslash, as JSON, Rust, Java, C# and Python write them.
fn of_json(text: &str) -> Option<(usize, String)> {
    let rest = text.strip_prefix('\\')?;
    let plain = match rest.chars().next()? {
        sign @ ('\\' | '"' | '\'' | '/') => Some(sign),
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        '0' => Some('\0'),
        _ => None,
    };
    if let Some(sign) = plain {
        return Some((2, sign.to_string()));
    }
    if let Some(braced) = rest.strip_prefix("u{") {
        let (digits, _) = braced.split_once('}')?;
        let sign = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
        return Some((digits.len() + 4, sign.to_string()));
    }
    if rest.starts_with('x') {
        return escaped_bytes(text, "\\x");
    }
    let unit = |text: &str| u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok();
    let high = unit(text)?;
    let pair = text.get(6..).and_then(unit).map(|low| [high, low]);
    let pair =
        pair.and_then(|pair| String::from_utf16(&pair).ok()).filter(|_| (0xD800..0xDC00).contains(&high));
    match pair {
        Some(sign) => Some((12, sign)),
        None => Some((6, String::from_utf16(&[high]).ok()?)),
    }
}

/// Percent signs with two digits.
fn of_url(text: &str) -> Option<(usize, String)> {
    escaped_bytes(text, "%")
}

/// The same, and a space as forms write it.
fn of_form(text: &str) -> Option<(usize, String)> {
    if text.starts_with('+') { Some((1, " ".to_owned())) } else { of_url(text) }
}

/// References to signs by name or number.
fn of_xml(text: &str) -> Option<(usize, String)> {
    let end = text.bytes().take(REFERENCE_LENGTH).position(|byte| byte == b';')?;
    let name = text.get(..end)?.strip_prefix('&')?;
    let number = |digits: &str, radix| char::from_u32(u32::from_str_radix(digits, radix).ok()?);
    let sign = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "sol" => '/',
        "nbsp" => '\u{a0}',
        _ => {
            let digits = name.strip_prefix('#')?;
            match digits.strip_prefix(['x', 'X']) {
                Some(digits) => number(digits, 16)?,
                None => number(digits, 10)?,
            }
        }
    };
    Some((end + 1, sign.to_string()))
}

/// The sign whose bytes of UTF-8 stand there, each behind a prefix; a byte that begins none is a sign of Latin-1.
fn escaped_bytes(text: &str, prefix: &str) -> Option<(usize, String)> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(digits) = rest.strip_prefix(prefix).and_then(|rest| rest.get(..2)) {
        let Ok(byte) = u8::from_str_radix(digits, 16) else { break };
        bytes.push(byte);
        if std::str::from_utf8(&bytes).is_ok() || bytes.len() == 4 {
            break;
        }
        rest = rest.get(prefix.len() + 2..)?;
    }
    let first = *bytes.first()?;
    let each = prefix.len() + 2;
    match String::from_utf8(bytes) {
        Ok(sign) => Some((sign.len() * each, sign)),
        Err(_) => Some((each, char::from(first).to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_know_where_they_come_from() {
        for (text, read, from, to) in [
            (r"a\u00e4b", "aäb", 1, 7),
            (r"a\u00E4b", "aäb", 1, 7),
            (r"a\\u00e4b", "aäb", 1, 8),
            (r"a\ud83d\ude00b", "a😀b", 1, 13),
            (r"a\xc3\xa4b", "aäb", 1, 9),
            (r"a\xe4b", "aäb", 1, 5),
            (r"a\u{e4}b", "aäb", 1, 7),
            ("a%C3%A4b", "aäb", 1, 7),
            ("a%25C3%25a4b", "aäb", 1, 11),
            ("a&#228;b", "aäb", 1, 7),
            ("a&amp;#xE4;b", "aäb", 1, 11),
        ] {
            let layers = layers(text).expect("few");
            let layer = layers.iter().find(|layer| layer.text == read);
            let layer = layer.unwrap_or_else(|| panic!("{text}"));
            assert_eq!(layer.original(1, read.len() - 1), (from, to), "{text}");
        }
    }

    #[test]
    fn a_text_without_escapes_is_read_once_and_no_text_is_read_without_end() {
        assert_eq!(layers("plain text, 100 of it").expect("few").len(), 1);
        for text in
            [r"\", r"\u", r"\ud83d", r"\u{110000}", "%", "%zz", "%C3", "&;", "&#;", "&#x110000;", r"\x"]
        {
            let layers = layers(text).expect("few");
            assert!(layers.iter().all(|layer| layer.original(0, layer.text.len()).1 <= text.len()), "{text}");
        }
        let long = r#"%25\\&amp;+"#.repeat(500);
        assert!(layers(&long).is_none_or(|layers| layers.len() <= MOST_LAYERS));
    }
}
