//! What the columns of some rows are like, and rows brought to a common scale.
//!
//! Optimisers and decompositions go wrong on columns of different size. So algorithms see every column with its mean taken
//! off and divided by its standard deviation, and what they learn is carried back to the data's own units.

use super::matrix::Rows;
use super::parallel::over_shards;

/// The columns' statistics over some rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// The means.
    pub means: Vec<f64>,
    /// The standard deviations over all rows; 1 for a column that has one value only.
    pub deviations: Vec<f64>,
    /// The smallest values.
    pub min: Vec<f64>,
    /// The largest values; the smallest, where a column varies by rounding alone.
    pub max: Vec<f64>,
    /// What values are divided by once their mean is taken off: the deviations, and without end for a column of one value, whose rounding
    /// would be divided by itself otherwise.
    divisors: Vec<f64>,
}

/// By how much of its largest value a column may vary and still have one value: sums of a few shares differ by some units in the last
/// place.
pub(super) const ROUNDING: f64 = 16.0 * f64::EPSILON;

impl Scaling {
    /// Measures the columns in two passes: the deviations are of numbers whose mean is taken off already, so that columns far
    /// from 0 lose no digits.
    #[must_use]
    pub fn measure(rows: &Rows<'_>) -> Self {
        let (width, count) = (rows.width(), rows.len().max(1) as f64);
        let first = over_shards(rows.len(), |range| {
            let mut part = (vec![0.0; width], vec![f64::INFINITY; width], vec![f64::NEG_INFINITY; width]);
            for (_, row) in rows.range(range) {
                let columns = part.0.iter_mut().zip(&mut part.1).zip(&mut part.2);
                for (value, ((sum, min), max)) in row.iter().zip(columns) {
                    *sum += value;
                    *min = min.min(*value);
                    *max = max.max(*value);
                }
            }
            part
        });
        let (mut means, mut min, mut max) =
            (vec![0.0; width], vec![f64::INFINITY; width], vec![f64::NEG_INFINITY; width]);
        for (sums, low, high) in &first {
            combine(&mut means, sums, |a, b| a + b);
            combine(&mut min, low, f64::min);
            combine(&mut max, high, f64::max);
        }
        for ((mean, min), max) in means.iter_mut().zip(&min).zip(&max) {
            // Rounding must not put the mean of equal values beside them.
            *mean = (*mean / count).max(*min).min(*max);
        }
        for (min, max) in min.iter().zip(&mut max) {
            if *max - *min <= ROUNDING * min.abs().max(max.abs()) {
                *max = *min;
            }
        }
        let deviations = deviations(rows, &means, &min, &max);
        let columns = deviations.iter().zip(min.iter().zip(&max));
        let divisors =
            columns.map(|(one, (min, max))| if min < max { *one } else { f64::INFINITY }).collect();
        Self { means, deviations, min, max, divisors }
    }

    /// The same columns without taking off their means, divided by the root of their mean square.
    #[must_use]
    pub fn about_zero(mut self) -> Self {
        let bounds = self.min.iter().zip(&self.max);
        for ((deviation, mean), (min, max)) in self.deviations.iter_mut().zip(&mut self.means).zip(bounds) {
            // The deviation of a column of one value stands for none.
            let size = if min < max { deviation.hypot(*mean) } else { mean.abs() };
            *deviation = if size > 0.0 && size.is_finite() { size } else { 1.0 };
            *mean = 0.0;
        }
        self.divisors.clone_from(&self.deviations);
        self
    }

    /// Writes one row to `out` with the means taken off, divided by the deviations.
    pub fn apply(&self, row: &[f64], out: &mut [f64]) {
        let columns = self.means.iter().zip(&self.divisors);
        for ((out, value), (mean, divisor)) in out.iter_mut().zip(row).zip(columns) {
            *out = (value - mean) / divisor;
        }
    }
}

fn combine(into: &mut [f64], from: &[f64], how: impl Fn(f64, f64) -> f64) {
    for (into, from) in into.iter_mut().zip(from) {
        *into = how(*into, *from);
    }
}

/// The standard deviations, by way of each column's range so that the squares neither overflow nor vanish.
fn deviations(rows: &Rows<'_>, means: &[f64], min: &[f64], max: &[f64]) -> Vec<f64> {
    let ranges: Vec<f64> = min.iter().zip(max).map(|(min, max)| max - min).collect();
    let inverse: Vec<f64> =
        ranges.iter().map(|range| if *range > 0.0 { range.recip() } else { 0.0 }).collect();
    let parts = over_shards(rows.len(), |range| {
        let mut squares = vec![0.0; means.len()];
        for (_, row) in rows.range(range) {
            for ((square, value), (mean, inverse)) in
                squares.iter_mut().zip(row.iter()).zip(means.iter().zip(&inverse))
            {
                let deviation = (value - mean) * inverse;
                *square += deviation * deviation;
            }
        }
        squares
    });
    let mut squares = vec![0.0; means.len()];
    parts.iter().for_each(|part| combine(&mut squares, part, |a, b| a + b));
    let count = rows.len().max(1) as f64;
    let deviation = |(square, range): (f64, f64)| {
        let deviation = (square / count).sqrt() * range;
        if deviation.is_finite() && deviation > 0.0 { deviation } else { 1.0 }
    };
    squares.into_iter().zip(ranges).map(deviation).collect()
}

#[cfg(test)]
mod tests {
    use super::super::matrix::Matrix;
    use super::*;

    #[test]
    fn a_column_that_varies_by_rounding_alone_has_one_value() {
        let mut matrix = Matrix::new(3);
        for row in [[0.3, 1e-15, 1e15], [0.1 + 0.2, 2e-15, 1e15 + 2.0], [0.3, 3e-15, 1e15]] {
            matrix.extend(&row);
        }
        let scaling = Scaling::measure(&Rows::new(&matrix, &[0, 1, 2]));
        assert_eq!((scaling.deviations[0], scaling.min[0]), (1.0, scaling.max[0]));
        assert!(scaling.deviations[1] < 1e-14, "small numbers may vary by much of what they are");
        assert_eq!(scaling.deviations[2], 1.0);
        let mut row = [9.0; 3];
        scaling.apply(&matrix.row(1), &mut row);
        assert_eq!((row[0], row[2]), (0.0, 0.0));
    }

    #[test]
    fn columns_far_from_zero_or_of_one_value_keep_their_digits() {
        let mut matrix = Matrix::new(3);
        for row in [[1e9 + 1.0, 0.1, -3.0], [1e9 + 2.0, 0.1, 0.0], [1e9 + 3.0, 0.1, 3.0]] {
            matrix.extend(&row);
        }
        let scaling = Scaling::measure(&Rows::new(&matrix, &[0, 1, 2]));
        assert_eq!(scaling.means, [1e9 + 2.0, 0.1, 0.0]);
        assert!((scaling.deviations[0] - (2.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(scaling.deviations[1], 1.0);
        assert_eq!((scaling.min[2], scaling.max[2]), (-3.0, 3.0));
        let mut row = [9.0; 3];
        scaling.apply(&matrix.row(0), &mut row);
        assert_eq!(row[1], 0.0);
    }
}
