//! Whether weighted sums distinguish the classes of all rows they were learnt from. Without a penalty, larger weights then always fit better,
//! and which ones are found says when the solver stopped.

use super::matrix::Rows;
use super::vector::dot;
use crate::model::LinearPredictor;

/// Whether each row's class has the largest sum. The first row that has not ends the search.
pub(super) fn distinguishes_all(predictor: &LinearPredictor, rows: &Rows<'_>, classes: &[u32]) -> bool {
    let weights: Vec<Vec<f64>> = predictor.weights().rows().into_iter().map(|row| row.to_vec()).collect();
    rows.iter().all(|(number, row)| {
        let class = classes.get(number).map_or(0, |class| *class as usize);
        let outputs = weights.iter().zip(predictor.intercepts());
        let sums: Vec<f64> = outputs.map(|(weights, intercept)| dot(&row, weights) + intercept).collect();
        match sums.as_slice() {
            // Of two classes, the sum is that of the second.
            [sum] => (class == 1 && *sum > 0.0) || (class == 0 && *sum < 0.0),
            sums => {
                let own = sums.get(class).copied().unwrap_or(f64::NAN);
                sums.iter().enumerate().all(|(other, sum)| other == class || *sum < own)
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use ndarray::{arr1, arr2};

    use super::super::matrix::Matrix;
    use super::*;

    #[test]
    fn one_row_on_the_wrong_side_is_enough() {
        let mut matrix = Matrix::new(1);
        matrix.extend(&[-1.0, -2.0, 3.0]);
        let rows = Rows::new(&matrix, &[0, 1, 2]);
        let two = LinearPredictor::new(arr2(&[[1.0]]), arr1(&[0.0]));
        assert!(distinguishes_all(&two, &rows, &[0, 0, 1]));
        assert!(!distinguishes_all(&two, &rows, &[0, 1, 1]));
        let three = LinearPredictor::new(arr2(&[[-1.0], [0.0], [1.0]]), arr1(&[-1.5, 0.0, -1.0]));
        assert!(distinguishes_all(&three, &rows, &[1, 0, 2]));
        assert!(!distinguishes_all(&three, &rows, &[0, 0, 2]));
    }
}
