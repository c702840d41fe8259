//! The leading eigenvectors of a large symmetric matrix that is known by its products alone.
//!
//! A block Krylov method: directions are multiplied by the matrix again and again, each new one is made orthogonal to all before, and
//! the matrix as these directions see it is small. (G. H. Golub and R. Underwood, "The block Lanczos method for computing
//! eigenvalues", 1977.) Owns when the result is as exact as that of the whole matrix; where it does not become so, there is none.

use linfa_linalg::Order;
use linfa_linalg::eigh::{EigSort, EighInto};
use ndarray::Array2;

use super::shuffle::Shuffler;
use super::vector::{add, dot, largest};

/// Directions beside those that are asked for: eigenvalues near the last one are distinguished sooner.
const BESIDE: usize = 8;

/// How far a vector may be from an eigenvector, as a share of the largest eigenvalue.
const TOLERANCE: f64 = 1e-12;

/// What is left of a direction that lies among those before it, as a share of what it was.
const VANISHED: f64 = 1e-10;

/// The seed of the first directions.
const SEED: i64 = 0;

/// Gives a matrix's products with some vectors.
pub(super) type Multiply<'a> = dyn Fn(&[Vec<f64>]) -> Vec<Vec<f64>> + 'a;

/// The most directions for so many eigenvectors: half of what the whole matrix has.
pub(super) fn most_directions(width: usize, count: usize) -> Option<usize> {
    let most = width / 2;
    (count > 0 && (count + BESIDE) * 8 <= most).then_some(most)
}

/// The eigenvectors of the largest eigenvalues, the largest first; none where they do not come out within `most` directions.
pub(super) fn leading(
    width: usize,
    count: usize,
    most: usize,
    multiply: &Multiply<'_>,
) -> Option<Vec<Vec<f64>>> {
    let mut shuffler = Shuffler::new(SEED);
    let block = count + BESIDE;
    let mut next: Vec<Vec<f64>> =
        (0..block).map(|_| (0..width).map(|_| shuffler.fraction() - 0.5).collect()).collect();
    let (mut basis, mut images) = (Vec::<Vec<f64>>::new(), Vec::<Vec<f64>>::new());
    // The matrix is looked at anew when there are half as many directions more.
    let mut due = block * 3;
    loop {
        let start = basis.len();
        for direction in next {
            basis.extend(orthogonal(direction, &basis));
        }
        let new = basis.get(start..).unwrap_or_default();
        let is_whole = new.is_empty();
        images.extend(multiply(new));
        if is_whole || basis.len() >= due || basis.len() + block > most {
            if let Some(found) = converged(&basis, &images, count) {
                return Some(found);
            }
            if is_whole || basis.len() + block > most {
                return None;
            }
            due = basis.len() + basis.len() / 2;
        }
        next = images.get(start..).unwrap_or_default().to_vec();
    }
}

/// What of a direction is at right angles to all others, with the length 1; none where next to nothing is.
fn orthogonal(mut direction: Vec<f64>, others: &[Vec<f64>]) -> Option<Vec<f64>> {
    let length = |direction: &[f64]| dot(direction, direction).sqrt();
    let unit = largest(&direction);
    if unit == 0.0 || !unit.is_finite() {
        return None;
    }
    direction.iter_mut().for_each(|entry| *entry /= unit);
    let before = length(&direction);
    // Twice is enough: what rounding left of the others is removed.
    for _ in 0..2 {
        for other in others {
            let share = dot(&direction, other);
            add(&mut direction, -share, other);
        }
        let after = length(&direction);
        if after <= VANISHED * before {
            return None;
        }
    }
    let after = length(&direction);
    direction.iter_mut().for_each(|entry| *entry /= after);
    Some(direction)
}

/// The eigenvectors as these directions see them, where the matrix itself agrees.
fn converged(basis: &[Vec<f64>], images: &[Vec<f64>], count: usize) -> Option<Vec<Vec<f64>>> {
    if basis.len() < count {
        return None;
    }
    let entry = |(row, column): (usize, usize)| {
        let product = |row: usize, column: usize| {
            basis.get(row).zip(images.get(column)).map_or(0.0, |(direction, image)| dot(direction, image))
        };
        (product(row, column) + product(column, row)) / 2.0
    };
    let small = Array2::from_shape_fn((basis.len(), basis.len()), entry);
    let (values, vectors) = small.eigh_into().ok()?.sort_eig(Order::Largest);
    let top = values.first().copied().filter(|top| *top > 0.0)?;
    let mut found = Vec::with_capacity(count);
    for (value, shares) in values.iter().zip(vectors.columns()).take(count) {
        let (mut vector, mut image) = (vec![0.0; basis.first()?.len()], vec![0.0; basis.first()?.len()]);
        for (share, (direction, own)) in shares.iter().zip(basis.iter().zip(images)) {
            add(&mut vector, *share, direction);
            add(&mut image, *share, own);
        }
        add(&mut image, -value, &vector);
        if dot(&image, &image).sqrt() > TOLERANCE * top || value.is_nan() {
            return None;
        }
        found.push(vector);
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The products with a matrix whose eigenvectors are the axes.
    fn diagonal(values: &[f64]) -> impl Fn(&[Vec<f64>]) -> Vec<Vec<f64>> {
        move |vectors| {
            let product =
                |vector: &Vec<f64>| vector.iter().zip(values).map(|(entry, value)| entry * value).collect();
            vectors.iter().map(product).collect()
        }
    }

    #[test]
    fn the_leading_eigenvectors_come_out_exact() {
        let mut values: Vec<f64> = (0..400).map(|place| 1.0 / f64::from(place + 3)).collect();
        let axes = [300, 200, 7];
        axes.iter().zip([9.0, 8.0, 5.0]).for_each(|(axis, value)| values[*axis] = value);
        let found = leading(400, 3, 200, &diagonal(&values)).expect("they stand out");
        for (vector, axis) in found.iter().zip(axes) {
            assert!(vector[axis].abs() > 1.0 - 1e-12, "{axis}: {}", vector[axis]);
        }
    }

    #[test]
    fn what_does_not_stand_out_or_is_not_there_is_left_to_the_whole_matrix() {
        let alike: Vec<f64> = (0..400).map(|place| 1.0 + f64::from(place) * 1e-9).collect();
        assert_eq!(leading(400, 3, 40, &diagonal(&alike)), None);
        assert_eq!(leading(400, 3, 200, &diagonal(&vec![0.0; 400])), None);
        assert_eq!(most_directions(256, 9), None);
        assert_eq!(most_directions(512, 5), Some(256));
    }
}
