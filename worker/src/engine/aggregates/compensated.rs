//! A sum of doubles that keeps what rounding cuts off, so that it is the same however its numbers are divided among partitions.
//!
//! Owns the arithmetic: the sum and its rest are one number of about 32 digits. Must not know rows.

/// A sum of doubles, and what it lacks of the exact one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Compensated {
    sum: f64,
    /// Smaller than what the last digit of the sum stands for; nothing where the sum is not finite.
    rest: f64,
}

/// The sum as a double, and exactly what was rounded: Knuth, "The Art of Computer Programming", volume 2, section 4.2.2, theorem B.
fn two_sum(one: f64, other: f64) -> (f64, f64) {
    let sum = one + other;
    let added = sum - one;
    (sum, (one - (sum - added)) + (other - added))
}

impl Compensated {
    /// A sum of which both parts are known.
    pub(super) fn new(sum: f64, rest: f64) -> Self {
        Self { sum, rest }
    }

    /// The sum as a double: the nearest to both parts.
    pub(super) fn sum(self) -> f64 {
        self.sum
    }

    /// What the double lacks.
    pub(super) fn rest(self) -> f64 {
        self.rest
    }

    /// The sum with one number more.
    pub(super) fn with(self, number: f64) -> Self {
        let (sum, lost) = two_sum(self.sum, number);
        Self::of_parts(sum, self.rest + lost)
    }

    /// The sum of both: Dekker, "A floating-point technique for extending the available precision" (1971), with the rests added exactly as well.
    pub(super) fn and(self, other: Self) -> Self {
        let (sum, lost) = two_sum(self.sum, other.sum);
        let (rest, least) = two_sum(self.rest, other.rest);
        let both = Self::of_parts(sum, rest + lost);
        Self::of_parts(both.sum, both.rest + least)
    }

    /// An infinity and NaN have no rest, which would make NaN of an infinity.
    fn of_parts(sum: f64, rest: f64) -> Self {
        if !(sum.is_finite() && rest.is_finite()) {
            return Self { sum, rest: 0.0 };
        }
        let (sum, rest) = two_sum(sum, rest);
        Self { sum, rest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(numbers: &[f64]) -> Compensated {
        numbers.iter().fold(Compensated::default(), |sum, number| sum.with(*number))
    }

    #[test]
    fn what_is_small_beside_what_is_large_counts() {
        assert_eq!(sum(&[1e16, 1.0, -1e16]).sum(), 1.0);
        assert_eq!(sum(&[0.1; 10]).sum(), 1.0);
        assert_eq!(sum(&[]).sum().to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn the_sum_is_the_same_however_its_numbers_are_divided() {
        let prices: Vec<f64> =
            (0..60_000_u32).map(|row| f64::from(row * 7919 % 50_021) / 100.0 - 17.3).collect();
        let cents: i64 = (0..60_000_i64).map(|row| row * 7919 % 50_021 - 1730).sum();
        let whole = sum(&prices);
        // The numbers are next to cents, and their differences cancel out.
        assert!((whole.sum() - cents as f64 / 100.0).abs() < 1e-8);
        for size in [1, 3, 999, 8192, 40_000] {
            let parts = prices.chunks(size).map(sum).fold(Compensated::default(), Compensated::and);
            assert_eq!(parts.sum(), whole.sum(), "{size}");
        }
        let backwards: Vec<f64> = prices.iter().rev().copied().collect();
        assert_eq!(sum(&backwards).sum(), whole.sum());
    }

    #[test]
    fn infinities_and_nan_are_as_in_plain_sums() {
        for numbers in [
            &[1.0, f64::INFINITY, 2.0][..],
            &[f64::NEG_INFINITY, 1e300, 0.1],
            &[f64::INFINITY, f64::NEG_INFINITY],
            &[f64::NAN, 1.0],
            &[f64::MAX, f64::MAX, 1.0],
            &[f64::MAX, -f64::MAX, 0.5],
        ] {
            let plain: f64 = numbers.iter().sum();
            let found = sum(numbers).sum();
            assert!(found == plain || found.is_nan() && plain.is_nan(), "{numbers:?}: {found}");
            let merged = numbers.iter().map(|number| sum(&[*number]));
            let merged = merged.fold(Compensated::default(), Compensated::and).sum();
            assert!(merged == plain || merged.is_nan() && plain.is_nan(), "{numbers:?}: {merged}");
        }
    }
}
