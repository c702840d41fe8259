//! Features cut into at most 255 bins each: what boosting looks at instead of the numbers.
//!
//! A bin has the values up to its threshold; the last one has all above the last threshold, and rows without a value have a
//! bin of their own behind it. Thresholds are scikit-learn's: between all values when they are few, quantiles of a sample
//! when they are many. The bins of a column of codes are the codes. Must not know targets.

use super::super::matrix::Rows;
use super::super::middle::middle;
use super::super::parallel::{over_items, over_shards};
use super::super::shuffle::Shuffler;

/// Rows that the thresholds are taken from when there are more.
const SAMPLE_ROWS: usize = 200_000;

/// The most codes that have a bin each.
const MOST_CODES: usize = 255;

/// One feature of every row, in bins.
#[derive(Debug)]
pub(super) struct Column {
    /// The bin of each row.
    pub(super) bins: Vec<u8>,
    /// The largest value of each bin but the last.
    pub(super) thresholds: Vec<f64>,
    /// Whether the bins are categories, of which any set may be split from the others.
    pub(super) is_categories: bool,
}

impl Column {
    /// The bin of rows without a value: the one behind the others.
    pub(super) fn missing_bin(&self) -> usize {
        self.thresholds.len() + 1
    }

    /// How many bins there are, with the one of missing values.
    pub(super) fn bin_count(&self) -> usize {
        self.thresholds.len() + 2
    }
}

/// Cuts all features into at most `max_bins` bins of values, which is 255 or less. `codes` has how many codes there are in each
/// feature that is one of codes; it is empty where none is.
pub(super) fn bin(rows: &Rows<'_>, max_bins: usize, codes: &[Option<usize>]) -> Vec<Column> {
    let codes = |feature: usize| codes.get(feature).copied().flatten();
    let numbered = sample(rows).into_iter().enumerate().collect();
    let thresholds = over_items(numbered, |(feature, values): (usize, Vec<f64>)| match codes(feature) {
        Some(count) => (1..count.min(MOST_CODES)).map(|code| code as f64 - 0.5).collect(),
        None => thresholds(values, max_bins),
    });
    let parts = over_shards(rows.len(), |range| {
        let mut columns: Vec<Vec<u8>> = vec![Vec::with_capacity(range.len()); rows.width()];
        for (_, row) in rows.range(range) {
            for ((value, thresholds), column) in row.iter().zip(&thresholds).zip(&mut columns) {
                let bin = if value.is_nan() {
                    thresholds.len() + 1
                } else {
                    thresholds.partition_point(|threshold| threshold < value)
                };
                column.push(bin as u8);
            }
        }
        columns
    });
    let mut bins: Vec<Vec<u8>> = vec![Vec::with_capacity(rows.len()); rows.width()];
    for part in parts {
        bins.iter_mut().zip(part).for_each(|(whole, part)| whole.extend(part));
    }
    let columns = bins.into_iter().zip(thresholds).enumerate();
    columns
        .map(|(feature, (bins, thresholds))| Column {
            bins,
            thresholds,
            is_categories: codes(feature).is_some(),
        })
        .collect()
}

/// The values of each feature in some rows: all rows, or one drawn from each of equal stretches of them, so that neither
/// sorted nor periodic data deceive.
fn sample(rows: &Rows<'_>) -> Vec<Vec<f64>> {
    let count = rows.len().min(SAMPLE_ROWS);
    let mut columns: Vec<Vec<f64>> = vec![Vec::with_capacity(count); rows.width()];
    let mut shuffler = Shuffler::new(0);
    for stretch in 0..count {
        let (start, end) = (stretch * rows.len() / count, (stretch + 1) * rows.len() / count);
        let place = start + shuffler.below((end - start) as u64) as usize;
        for (_, row) in rows.range(place..place + 1) {
            let present = row.iter().zip(&mut columns).filter(|(value, _)| !value.is_nan());
            present.for_each(|(value, column)| column.push(*value));
        }
    }
    columns
}

fn thresholds(mut values: Vec<f64>, max_bins: usize) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let mut distinct = values.clone();
    distinct.dedup();
    let mut thresholds: Vec<f64> = if distinct.len() <= max_bins {
        distinct.windows(2).filter_map(|pair| Some(middle(*pair.first()?, *pair.last()?))).collect()
    } else {
        let quantile = |number: usize| {
            // Between the values at both sides of the quantile's place.
            let (product, last) = (number * (values.len() - 1), max_bins);
            let (low, high) = (values.get(product / last)?, values.get(product.div_ceil(last))?);
            Some(middle(*low, *high))
        };
        (1..max_bins).filter_map(quantile).collect()
    };
    thresholds.dedup();
    // Nothing is above the largest value.
    let last = values.last().copied().unwrap_or(f64::NEG_INFINITY);
    thresholds.retain(|threshold| *threshold < last);
    thresholds
}

#[cfg(test)]
mod tests {
    use super::super::super::matrix::Matrix;
    use super::*;

    fn column(values: &[f64], max_bins: usize) -> Column {
        let mut matrix = Matrix::new(1);
        matrix.extend(values);
        let numbers: Vec<u32> = (0..values.len() as u32).collect();
        bin(&Rows::new(&matrix, &numbers), max_bins, &[]).remove(0)
    }

    #[test]
    fn codes_have_a_bin_each_also_those_that_no_row_has() {
        let mut matrix = Matrix::new(1);
        matrix.extend(&[3.0, 0.0, f64::NAN]);
        let rows = [0, 1, 2];
        let column = bin(&Rows::new(&matrix, &rows), 2, &[Some(5)]).remove(0);
        assert!(column.is_categories);
        assert_eq!((column.bins.as_slice(), column.missing_bin()), ([3, 0, 5].as_slice(), 5));
        let most = bin(&Rows::new(&matrix, &rows), 2, &[Some(255)]).remove(0);
        assert_eq!((most.bins.as_slice(), most.bin_count()), ([3, 0, 255].as_slice(), 256));
    }

    #[test]
    fn few_values_have_a_bin_each_and_missing_ones_their_own() {
        let column = column(&[3.0, 1.0, f64::NAN, 2.0, 3.0], 255);
        assert_eq!(column.thresholds, [1.5, 2.5]);
        assert_eq!(column.bins, [2, 0, 3, 1, 2]);
        assert_eq!(column.missing_bin(), 3);
    }

    #[test]
    fn many_values_are_cut_at_quantiles() {
        let values: Vec<f64> = (0..1001).map(|value| f64::from((value * 379) % 1001)).collect();
        let column = column(&values, 4);
        assert_eq!(column.thresholds, [250.0, 500.0, 750.0]);
    }

    #[test]
    fn a_column_of_one_value_or_of_none_has_no_thresholds() {
        assert!(column(&[7.0, 7.0], 255).thresholds.is_empty());
        let empty = column(&[f64::NAN, f64::NAN], 255);
        assert!(empty.thresholds.is_empty() && empty.bins == [1, 1]);
    }

    #[test]
    fn a_value_beside_the_next_number_has_a_bin_of_its_own() {
        assert_eq!(column(&[1.0, 1.0_f64.next_up()], 255).bins, [0, 1]);
    }
}
