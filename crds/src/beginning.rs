//! As much of a long text as a message shows.

/// At most so many characters of a text, and a mark where it was cut.
#[must_use]
pub fn beginning(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::beginning;

    #[test]
    fn a_text_is_cut_between_characters_and_marked_where_it_is_longer() {
        assert_eq!(beginning("naïve", 5), "naïve");
        assert_eq!(beginning("naïve", 3), "naï…");
        assert_eq!(beginning("", 0), "");
    }
}
