//! Lower triangles, row by row: the factor of a covariance, and its inverse.

/// The lower triangle whose product with its own transpose is a symmetric matrix, of which the lower triangle is given; none where the
/// matrix is not positive definite.
pub(super) fn cholesky(matrix: &[f64], width: usize) -> Option<Vec<f64>> {
    let mut factor = matrix.to_vec();
    for row in 0..width {
        for column in 0..=row {
            let (own, other) = (start(row), start(column));
            let known: f64 =
                (0..column).map(|place| entry(&factor, own + place) * entry(&factor, other + place)).sum();
            let rest = entry(&factor, own + column) - known;
            let value = if row == column { rest.sqrt() } else { rest / entry(&factor, other + column) };
            if !value.is_finite() || (row == column && value <= 0.0) {
                return None;
            }
            *factor.get_mut(own + column)? = value;
        }
    }
    Some(factor)
}

/// The inverse of a lower triangle, which is one too; none where it is not finite.
pub(super) fn inverse(factor: &[f64], width: usize) -> Option<Vec<f64>> {
    let mut inverse = vec![0.0; factor.len()];
    for row in 0..width {
        let diagonal = entry(factor, start(row) + row);
        for column in 0..row {
            let known: f64 = (column..row)
                .map(|place| entry(factor, start(row) + place) * entry(&inverse, start(place) + column))
                .sum();
            *inverse.get_mut(start(row) + column)? = -known / diagonal;
        }
        *inverse.get_mut(start(row) + row)? = diagonal.recip();
    }
    inverse.iter().all(|value| value.is_finite()).then_some(inverse)
}

/// Where a row begins.
fn start(row: usize) -> usize {
    row * (row + 1) / 2
}

fn entry(triangle: &[f64], place: usize) -> f64 {
    triangle.get(place).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_and_its_inverse_are_exact_for_small_numbers() {
        // [[4, 2, 2], [2, 5, 3], [2, 3, 6]] = L Lᵀ with L = [[2], [1, 2], [1, 1, 2]].
        let factor = cholesky(&[4.0, 2.0, 5.0, 2.0, 3.0, 6.0], 3).expect("positive definite");
        assert_eq!(factor, [2.0, 1.0, 2.0, 1.0, 1.0, 2.0]);
        assert_eq!(inverse(&factor, 3).expect("an inverse"), [0.5, -0.25, 0.5, -0.125, -0.25, 0.5]);
    }

    #[test]
    fn what_is_not_positive_definite_has_no_factor() {
        assert_eq!(cholesky(&[1.0, 2.0, 1.0], 2), None);
        assert_eq!(cholesky(&[0.0], 1), None);
        assert_eq!(cholesky(&[f64::NAN], 1), None);
        assert_eq!(inverse(&[f64::MIN_POSITIVE / 4.0], 1), None);
    }
}
