//! Sums over slices, in an order that lets the compiler use vector instructions and is the same on every machine.

/// Partial sums kept apart.
const LANES: usize = 8;

/// The sum of the products.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (mut a, mut b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let mut sums = [0.0; LANES];
    for (a, b) in a.by_ref().zip(b.by_ref()) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

/// Adds a multiple of one slice to another.
pub(super) fn add(to: &mut [f64], share: f64, of: &[f64]) {
    for (to, of) in to.iter_mut().zip(of) {
        *to += share * of;
    }
}

/// The largest absolute entry; 0 of none.
pub(super) fn largest(entries: &[f64]) -> f64 {
    entries.iter().fold(0.0, |largest, entry| largest.max(entry.abs()))
}
