//! Where a threshold between two values is.

/// The number in the middle, or the lower one where no number is between them.
pub(super) fn middle(low: f64, high: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    if middle >= low && middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_never_the_upper_value_nor_infinite() {
        assert_eq!(middle(1.0, 4.0), 2.5);
        assert_eq!(middle(1.0, 1.0_f64.next_up()), 1.0);
        assert_eq!(middle(-f64::MAX, f64::MAX), 0.0);
        assert!(middle(f64::MAX / 2.0, f64::MAX) < f64::MAX);
    }
}
