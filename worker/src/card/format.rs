//! Numbers and names as the card shows them.

use mlpipeline_crds::beginning;

/// The longest name that is shown whole, in characters.
const NAME_SHOWN: usize = 60;

/// A metric: four digits after the point, or an exponent where that would show nothing.
pub(super) fn figure(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e6).contains(&size) { format!("{value:.3e}") } else { format!("{value:.4}") }
}

/// A whole number with thin spaces between thousands.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push('\u{2009}');
        }
        shown.push(digit);
    }
    shown
}

/// A name, cut where it is very long.
pub(super) fn name(text: &str) -> String {
    beginning(text, NAME_SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_short() {
        assert_eq!(
            [figure(0.91234), figure(0.0), figure(1.5e-7), figure(2e9)],
            ["0.9123", "0.0000", "1.500e-7", "2.000e9"]
        );
        assert_eq!(
            [count(7), count(1000), count(1_234_567)],
            ["7", "1\u{2009}000", "1\u{2009}234\u{2009}567"]
        );
        assert_eq!(name(&"é".repeat(61)).chars().count(), 61);
        assert_eq!(name("age"), "age");
    }
}
