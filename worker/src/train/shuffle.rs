//! Shuffling that gives the same order on every machine and with every release.
//!
//! The order of a seed is part of what a revision means, so the algorithm is written down here and depends on nothing but
//! ChaCha20 as the crate `rand_chacha` has it and the way `rand_core` makes its key of a number: Fisher and Yates' shuffle from the end, each
//! position drawn by D. Lemire's method without bias ("Fast random integer generation in an interval", 2019).

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A source of orders.
pub(super) struct Shuffler(ChaCha20Rng);

impl Shuffler {
    /// The shuffler of a seed.
    pub(super) fn new(seed: i64) -> Self {
        Self(ChaCha20Rng::seed_from_u64(seed.cast_unsigned()))
    }

    /// One of many independent sources of a seed.
    pub(super) fn stream(seed: i64, stream: u64) -> Self {
        let mut source = Self::new(seed);
        source.0.set_stream(stream);
        source
    }

    /// A number from 0 to below 1, on a grid of 2⁻⁵³.
    pub(super) fn fraction(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Puts the items into a random order.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            items.swap(last, other);
        }
    }

    /// A number from 0 to `bound` - 1, each as likely.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        loop {
            let wide = u128::from(self.0.next_u64()) * u128::from(bound);
            // The low half tells whether the draw fell into the part that would be too likely.
            if wide as u64 >= bound.wrapping_neg() % bound {
                return (wide >> 64) as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seeds_order_never_changes() {
        let mut items: Vec<u32> = (0..10).collect();
        Shuffler::new(42).shuffle(&mut items);
        assert_eq!(items, [2, 9, 4, 8, 6, 7, 1, 0, 3, 5]);
    }

    #[test]
    fn every_place_is_as_likely() {
        let mut shuffler = Shuffler::new(7);
        let mut counts = [[0_u32; 5]; 5];
        for _ in 0..20_000 {
            let mut items = [0, 1, 2, 3, 4];
            shuffler.shuffle(&mut items);
            items.iter().enumerate().for_each(|(place, item)| counts[place][*item] += 1);
        }
        // Each is 4000 on average with a standard deviation of 57.
        assert!(counts.iter().flatten().all(|count| (3700..4300).contains(count)), "{counts:?}");
    }
}
