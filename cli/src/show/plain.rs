//! Texts of others on a terminal: names of files, and what containers and servers say.

use mlpipeline_crds::is_shown;

/// A line without signs that control a terminal, turn the direction of writing around or hide others: a container writes what it likes.
pub(super) fn plain(line: &str) -> String {
    line.chars().filter(|sign| is_shown(*sign) && *sign != '\n').collect()
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
        let text = "state/\u{1b}]0;title\u{7}\u{1b}[2J\u{202e}\u{61c}\u{200b}x.json is a pipe\r\n\tremove it";
        assert_eq!(plain_text(text), "state/]0;title[2Jx.json is a pipe\n\tremove it");
    }
}
