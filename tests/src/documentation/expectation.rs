//! What a page says that a command prints, beside what it did print.

/// How the actual output differs from the expected one; `None` when it does not.
///
/// `…` in an expected line stands for any text, and a line that is nothing else for any number of lines. A revision stands for
/// any revision and a duration for any duration, so that a page shows real ones; how columns are padded does not count. No
/// expected line at all says nothing of the output.
#[must_use]
pub fn difference(expected: &str, actual: &str) -> Option<String> {
    let plain = |text: &str| text.lines().map(without_particulars).collect::<Vec<_>>();
    let (patterns, lines) = (plain(expected), plain(actual));
    let borrowed = |lines: &'_ [String]| lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    let (patterns, lines) = (borrowed(&patterns), borrowed(&lines));
    let same = matches(&patterns.lines().collect::<Vec<_>>(), &lines.lines().collect::<Vec<_>>());
    let indented = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
    (!same && !expected.is_empty())
        .then(|| format!("expected:\n{}\nfound:\n{}", indented(expected), indented(actual)))
}

fn matches(expected: &[&str], lines: &[&str]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((&"…", rest)) => (0..=lines.len()).any(|skipped| matches(rest, &lines[skipped..])),
        Some((pattern, rest)) => lines
            .split_first()
            .is_some_and(|(line, others)| line_matches(pattern, line) && matches(rest, others)),
    }
}

/// Whether a line is the pattern's parts in their order, with any text between them.
fn line_matches(pattern: &str, line: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('…') else { return pattern == line };
    let Some(mut left) = line.strip_prefix(first) else { return false };
    let parts: Vec<&str> = rest.split('…').collect();
    let Some((last, middle)) = parts.split_last() else { return true };
    for part in middle {
        match left.split_once(part) {
            Some((_, after)) => left = after,
            None => return false,
        }
    }
    left.ends_with(last)
}

/// A line with words for revisions and durations, and with single spaces.
fn without_particulars(line: &str) -> String {
    let words: Vec<String> = line.split_whitespace().map(without_revisions).collect();
    let is_number = |word: &str| word.contains('.') && word.parse::<f64>().is_ok();
    let duration = |index: usize| {
        is_number(&words[index]) && words.get(index + 1).is_some_and(|unit| unit.trim_end_matches(',') == "s")
    };
    let kept = words.iter().enumerate().map(|(index, word)| if duration(index) { "TIME" } else { word });
    kept.collect::<Vec<_>>().join(" ")
}

/// A word in which each revision, alone or as part of a path, is REVISION.
fn without_revisions(word: &str) -> String {
    let is_revision =
        |part: &str| part.len() == 12 && part.bytes().all(|sign| matches!(sign, b'0'..=b'9' | b'a'..=b'f'));
    let pieces = word.split_inclusive(|sign: char| !sign.is_ascii_alphanumeric());
    let plain = pieces.map(|piece| {
        let part = piece.trim_end_matches(|sign: char| !sign.is_ascii_alphanumeric());
        if is_revision(part) { format!("REVISION{}", &piece[part.len()..]) } else { piece.to_owned() }
    });
    plain.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ellipsis_stands_for_any_text_or_any_lines() {
        for (expected, actual, same) in [
            ("", "anything", true),
            ("a\nb", "a\nb\n", true),
            ("a\nb", "a\nc", false),
            ("a", "a\nb", false),
            ("a …s", "a 3.2s", true),
            ("a …s", "a 3.2m", false),
            ("…\nb", "1\n2\nb", true),
            ("a\n…", "a", true),
            ("a …, … rows", "a 1, 2 rows", true),
            ("train  Done  0123456789ab  0.1 s", "train  Done  ba9876543210  12.3 s", true),
            ("train  Done  0123456789ab", "train  Done  -", false),
            ("train/0123456789ab/model.json", "train/ba9876543210/model.json", true),
            ("accuracy 0.9", "accuracy 0.8", false),
        ] {
            assert_eq!(difference(expected, actual).is_none(), same, "{expected:?} {actual:?}");
        }
    }
}
