//! Texts of others on a terminal: names of files, and what containers and servers say.

/// A line without signs that control a terminal or turn the direction of writing around: a container writes what it likes.
pub(super) fn plain(line: &str) -> String {
    let shown = |sign: &char| match sign {
        '\t' => true,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        sign => !sign.is_control(),
    };
    line.chars().filter(shown).collect()
}

/// [`plain`] for a text of several lines.
pub(super) fn plain_text(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_in_messages_do_not_control_the_terminal() {
        let text = "state/\u{1b}]0;title\u{7}\u{1b}[2J\u{202e}x.json is a pipe\r\n\tremove it";
        assert_eq!(plain_text(text), "state/]0;title[2Jx.json is a pipe\n\tremove it");
    }
}
