//! Which signs of texts of others are shown to people: no others are written to a terminal, a log or a report.

/// Whether a sign is one that people see, a space, a tab or a line end. Signs that control a terminal, turn the direction of writing around
/// or take no room are not: the last ones would hide what stands around them from whoever looks for it (Unicode's
/// `Bidi_Control` and `Default_Ignorable_Code_Point`, and the marks of lines that are no line ends to most programs).
#[must_use]
pub fn is_shown(sign: char) -> bool {
    match sign {
        '\n' | '\t' => true,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => false,
        sign => !sign.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_see_is_shown_and_what_hides_or_turns_texts_is_not() {
        for sign in ['a', 'ä', '字', '😀', ' ', '\u{a0}', '\t', '\n', 'ש', '\u{301}'] {
            assert!(is_shown(sign), "{sign:?}");
        }
        for sign in [
            '\u{1b}',
            '\r',
            '\0',
            '\u{85}',
            '\u{ad}',
            '\u{61c}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{2028}',
            '\u{202e}',
            '\u{2060}',
            '\u{2069}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{e0041}',
        ] {
            assert!(!is_shown(sign), "{sign:?}");
        }
    }
}
