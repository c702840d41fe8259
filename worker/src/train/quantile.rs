//! Quantiles of numbers.

/// The number below which this share of the numbers is, between the two nearest of them as numpy has it; 0 of none.
pub(super) fn quantile(mut numbers: Vec<f64>, share: f64) -> f64 {
    let place = share * numbers.len().saturating_sub(1) as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    if below >= numbers.len() {
        return 0.0;
    }
    let (_, low, above) = numbers.select_nth_unstable_by(below, f64::total_cmp);
    let low = *low;
    let high = above.iter().copied().reduce(f64::min).unwrap_or(low);
    // From the nearer end, so that a quantile of equal numbers is that number.
    if part < 0.5 { low + (high - low) * part } else { high - (high - low) * (1.0 - part) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_numpys() {
        let numbers = || vec![3.0, 1.0, 2.0, 10.0];
        for (share, expected) in [(0.0, 1.0), (0.25, 1.75), (0.5, 2.5), (0.9, 7.9), (1.0, 10.0)] {
            assert!((quantile(numbers(), share) - expected).abs() < 1e-12, "{share}");
        }
        assert_eq!(quantile(vec![0.1; 7], 0.3), 0.1);
        assert_eq!(quantile(Vec::new(), 0.3), 0.0);
    }
}
