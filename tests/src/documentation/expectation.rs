//! What a page says that a command prints, beside what it did print.

/// How the actual output differs from the expected one; `None` when it does not.
///
/// `…` in an expected line stands for any text, and a line that is nothing else for any number of lines. No expected line at
/// all says nothing of the output.
#[must_use]
pub fn difference(expected: &str, actual: &str) -> Option<String> {
    let expected: Vec<&str> = expected.lines().map(str::trim_end).collect();
    let lines: Vec<&str> = actual.lines().map(str::trim_end).collect();
    if expected.is_empty() || matches(&expected, &lines) {
        return None;
    }
    Some(format!("expected:\n{}\n\nfound:\n{}", indented(&expected), indented(&lines)))
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

fn indented(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
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
        ] {
            assert_eq!(difference(expected, actual).is_none(), same, "{expected:?} {actual:?}");
        }
    }
}
