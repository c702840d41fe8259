//! What is left of a value where a text was cut: its beginning.

use super::{LEAST_REDACTED, PLACEHOLDER};

/// The shortest beginning of a value that is taken out wherever it stands: some message may cut without a mark.
const LEAST_ANYWHERE: usize = 16;

/// The most bytes between the last sign of a text that was cut and the mark of the cut: quotes, and an escape that was cut itself.
const GAP: usize = 10;

/// Where beginnings of a form stand in a text: before the mark of a cut, at the end of a text that was cut, and long ones everywhere. Both
/// are in lower case.
pub(super) fn beginnings(text: &str, form: &str, is_cut: bool) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    if let Some(start) = form.get(..form.ceil_char_boundary(LEAST_REDACTED)) {
        for (from, _) in text.match_indices(start) {
            let to = from + common(text.get(from..).unwrap_or_default(), form);
            let rest = text.get(to..).unwrap_or_default();
            if to - from >= LEAST_ANYWHERE || is_marked(rest) {
                found.push((from, to));
            }
        }
    }
    if is_cut {
        // However short it is: what comes behind is not known.
        let from = text.floor_char_boundary(text.len().saturating_sub(form.len() + GAP));
        let places = text.get(from..).unwrap_or_default().char_indices();
        let ends = places.map(|(at, _)| from + at).find_map(|at| {
            let rest = text.get(at..).unwrap_or_default();
            let length = common(rest, form);
            let behind = rest.get(length..).unwrap_or_default();
            (length > 0 && is_gap(behind)).then_some((at, text.len()))
        });
        found.extend(ends);
    }
    found
}

/// How many bytes two texts have in common at their beginning.
fn common(text: &str, form: &str) -> usize {
    let alike = text.chars().zip(form.chars()).take_while(|(one, other)| one == other);
    alike.map(|(sign, _)| sign.len_utf8()).sum()
}

/// Whether a text was cut right before this.
fn is_marked(rest: &str) -> bool {
    let near = rest.get(..rest.floor_char_boundary(GAP + PLACEHOLDER.len())).unwrap_or_default();
    near.find(PLACEHOLDER).is_some_and(|at| near.get(..at).is_some_and(is_gap))
}

/// Whether this is nothing, or quotes and what is left of an escape.
fn is_gap(text: &str) -> bool {
    let first = text.chars().next();
    first.is_none_or(|sign| "\\%&\"'`".contains(sign))
        && text.len() <= GAP
        && !text.contains(char::is_whitespace)
}
