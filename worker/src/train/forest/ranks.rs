//! Features as ranks: the place of each row's value among the feature's distinct values.
//!
//! Ranks are small whole numbers, so that a node's rows are sorted many times faster than by their values. Must not know
//! targets.

use super::super::error::TrainError;
use super::super::matrix::Rows;
use super::super::parallel::over_items;

/// One feature of every row.
#[derive(Debug)]
pub(super) struct Column {
    /// The rank of each row's value.
    pub(super) ranks: Vec<u32>,
    /// The distinct values, in order.
    pub(super) values: Vec<f64>,
}

/// Ranks all features.
///
/// # Errors
/// When a value is missing: these trees look at the values themselves.
pub(super) fn rank(rows: &Rows<'_>) -> Result<Vec<Column>, TrainError> {
    over_items((0..rows.width()).collect(), |feature| column(rows, feature)).into_iter().collect()
}

fn column(rows: &Rows<'_>, feature: usize) -> Result<Column, TrainError> {
    let mut sorted = Vec::with_capacity(rows.len());
    for (place, (number, row)) in rows.iter().enumerate() {
        let value = row.get(feature).copied().unwrap_or(f64::NAN);
        if value.is_nan() {
            return Err(missing(feature, number));
        }
        // Adding 0 makes 0 of -0, which is the same value.
        sorted.push((value + 0.0, place as u32));
    }
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut values) = (vec![0; sorted.len()], Vec::new());
    for (value, place) in sorted {
        if values.last() != Some(&value) {
            values.push(value);
        }
        if let Some(rank) = ranks.get_mut(place as usize) {
            *rank = (values.len() - 1) as u32;
        }
    }
    Ok(Column { ranks, values })
}

/// The error for a row without a value: these trees look at the values themselves.
pub(super) fn missing(feature: usize, row: usize) -> TrainError {
    let problem = format!(
        "has no value in row {}, and this algorithm needs every value; fill it in a prepare step, or take gradientBoosting",
        row + 1
    );
    TrainError::Feature { place: feature, problem }
}

/// Sorts keys whose upper 32 bits are what counts.
pub(super) fn sort(keys: &mut Vec<u64>, spare: &mut Vec<u64>) {
    /// Keys below which the library's sort is faster.
    const FEW: usize = 512;
    const DIGIT_BITS: u32 = 11;
    if keys.len() < FEW {
        keys.sort_unstable();
        return;
    }
    let (mut low, mut high) = (u64::MAX, 0);
    for key in keys.iter() {
        low = low.min(key >> 32);
        high = high.max(key >> 32);
    }
    let bits = u64::BITS - (high - low).leading_zeros();
    spare.resize(keys.len(), 0);
    for pass in 0..bits.div_ceil(DIGIT_BITS) {
        let digit =
            |key: u64| ((((key >> 32) - low) >> (pass * DIGIT_BITS)) & ((1 << DIGIT_BITS) - 1)) as usize;
        let mut places = [0_u32; 1 << DIGIT_BITS];
        for key in keys.iter() {
            if let Some(count) = places.get_mut(digit(*key)) {
                *count += 1;
            }
        }
        let mut next = 0;
        for place in &mut places {
            next += std::mem::replace(place, next);
        }
        for key in keys.iter() {
            if let Some(place) = places.get_mut(digit(*key)) {
                if let Some(slot) = spare.get_mut(*place as usize) {
                    *slot = *key;
                }
                *place += 1;
            }
        }
        std::mem::swap(keys, spare);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::matrix::Matrix;
    use super::*;

    #[test]
    fn equal_values_have_equal_ranks_and_zero_has_no_sign() {
        let mut matrix = Matrix::new(1);
        matrix.extend(&[2.0, -0.0, 0.0, -3.0, 2.0]);
        let columns = rank(&Rows::new(&matrix, &[0, 1, 2, 3, 4])).expect("values");
        assert_eq!(columns[0].ranks, [2, 1, 1, 0, 2]);
        assert_eq!(columns[0].values, [-3.0, 0.0, 2.0]);
    }

    #[test]
    fn a_missing_value_is_named() {
        let mut matrix = Matrix::new(2);
        matrix.extend(&[1.0, 2.0, 3.0, f64::NAN]);
        let error = rank(&Rows::new(&matrix, &[0, 1])).expect_err("a value is missing").to_string();
        assert!(error.starts_with("feature 2 has no value in row 2"), "{error}");
    }

    #[test]
    fn many_keys_are_sorted_as_few_are() {
        for (count, range) in [(3, 9), (600, 1), (5000, 700), (9000, 3_000_000_000_u64)] {
            let key = |n: u64| ((n * 2_654_435_761 % range + 5) << 32) | n;
            let mut keys: Vec<u64> = (0..count).map(key).collect();
            let mut expected = keys.clone();
            expected.sort_unstable();
            sort(&mut keys, &mut Vec::new());
            assert_eq!(keys, expected);
        }
    }
}
