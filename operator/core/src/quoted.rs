//! How text of the user's is shown in messages: in quotes, on one line, and never longer than a message can bear.

use mlpipeline_crds::beginning;

/// The most characters that are shown of one text.
const LIMIT: usize = 80;

/// The text in quotes, with control characters written out and its end cut where it is too long to read anyway.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("{:?}", beginning(text, LIMIT))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn text_stays_on_one_line_and_short() {
        assert_eq!(quoted("iris"), "\"iris\"");
        assert_eq!(quoted("a\nb"), "\"a\\nb\"");
        assert_eq!(quoted("it's"), "\"it's\"");
        assert_eq!(quoted(&"é".repeat(1000)).chars().count(), LIMIT_WITH_QUOTES);
    }

    const LIMIT_WITH_QUOTES: usize = super::LIMIT + 3;
}
