//! Prediction by the nearest of the rows that were learned from.
//!
//! Every row is compared with: exact, and without an index that many features would make useless. Of equally distant rows, the
//! first ones are taken.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

use super::{MAX_CLASSES, ModelError, Predictions, Target};

/// Rows that are compared with several others before the next ones, so that they stay in the processor's cache.
const BLOCK_ROWS: usize = 256;

/// What is known of the rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Answers {
    /// Each row's class, of so many.
    Classes {
        /// How many classes there are.
        count: usize,
        /// Each row's, below the count.
        classes: Vec<u32>,
    },
    /// Each row's number.
    Numbers(Vec<f64>),
}

/// Rows with their answers, and how the nearest ones answer together.
#[derive(Clone, Debug, PartialEq)]
pub struct NeighborsPredictor {
    pub(super) width: usize,
    /// Row after row.
    pub(super) rows: Vec<f64>,
    pub(super) answers: Answers,
    /// How many rows answer.
    pub(super) neighbors: usize,
    /// Whether a row counts as one over its distance.
    pub(super) by_distance: bool,
}

/// One of the nearest rows.
#[derive(Clone, Copy, Debug)]
struct Neighbor {
    /// The square of its distance.
    distance: f64,
    row: usize,
}

impl NeighborsPredictor {
    /// A predictor from its rows (so many features each, row after row) and their answers.
    ///
    /// # Errors
    /// When they do not fit together, or a number is not finite.
    pub fn new(
        width: usize,
        rows: Vec<f64>,
        answers: Answers,
        neighbors: usize,
        by_distance: bool,
    ) -> Result<Self, ModelError> {
        let invalid =
            |problem: &str| Err(ModelError::Invalid(format!("its rows do not fit together: {problem}")));
        let count = match &answers {
            Answers::Classes { count, classes } => {
                if !(2..=MAX_CLASSES).contains(count) || classes.iter().any(|class| *class as usize >= *count)
                {
                    return invalid("a row is of a class that is not there");
                }
                classes.len()
            }
            Answers::Numbers(numbers) => {
                if !numbers.iter().all(|number| number.is_finite()) {
                    return invalid("an answer is not finite");
                }
                numbers.len()
            }
        };
        if width == 0 || count.checked_mul(width) != Some(rows.len()) {
            return invalid("there are not as many rows as answers");
        }
        if neighbors == 0 || neighbors > count {
            return invalid("more of them are to answer than there are, or none");
        }
        if !rows.iter().all(|value| value.is_finite()) {
            return invalid("a feature is not finite");
        }
        Ok(Self { width, rows, answers, neighbors, by_distance })
    }

    /// How many rows it has.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.rows.len() / self.width.max(1)
    }

    pub(super) fn class_count(&self) -> usize {
        match &self.answers {
            Answers::Classes { count, .. } => *count,
            Answers::Numbers(_) => 0,
        }
    }

    pub(super) fn check(&self, columns: usize, target: &Target) -> Result<(), ModelError> {
        let classes = target.labels().len();
        if self.width == columns && self.class_count() == classes {
            return Ok(());
        }
        Err(ModelError::Invalid(format!(
            "its rows are of {} features and {} classes, and its schema has {columns} and {classes}",
            self.width,
            self.class_count()
        )))
    }

    /// With larger values than this, the square of a distance could be beyond what a 64-bit float holds.
    pub(super) fn largest_value(&self) -> f64 {
        let farthest = self.rows.iter().fold(0.0, |far: f64, value| far.max(value.abs()));
        let distance = (f64::MAX / 8.0 / self.width.max(1) as f64).sqrt();
        let exponent = (distance - farthest).max(1.0).log10().floor();
        format!("1e{exponent}").parse().unwrap_or(f64::MAX)
    }

    /// The numbers that the nearest rows have in the mean.
    ///
    /// # Errors
    /// When a row has no finite distance from others, or no finite mean.
    pub fn numbers(&self, rows: ArrayView2<'_, f64>) -> Result<Array1<f64>, ModelError> {
        let Answers::Numbers(numbers) = &self.answers else {
            return Err(ModelError::Invalid("it predicts classes, and its target is numbers".to_owned()));
        };
        let mean = |nearest: &Vec<Neighbor>| {
            let number =
                |(row, weight): (usize, f64)| (numbers.get(row).copied().unwrap_or_default(), weight);
            weighted_mean(&self.weighted(nearest).into_iter().map(number).collect::<Vec<_>>())
        };
        let means: Vec<f64> = self.nearest(rows)?.iter().map(mean).collect();
        match means.iter().position(|mean| !mean.is_finite()) {
            Some(row) => Err(ModelError::Overflow { row }),
            None => Ok(Array1::from_vec(means)),
        }
    }

    /// The classes of rows; a class's probability is its share of the nearest rows.
    ///
    /// # Errors
    /// When a row has no finite distance from others.
    pub fn classes(&self, rows: ArrayView2<'_, f64>) -> Result<Predictions, ModelError> {
        let Answers::Classes { count, classes } = &self.answers else {
            return Err(ModelError::Invalid("it predicts numbers, and its target is classes".to_owned()));
        };
        let mut probabilities = Array2::zeros((rows.nrows(), *count));
        for (nearest, mut shares) in self.nearest(rows)?.iter().zip(probabilities.rows_mut()) {
            for (row, weight) in self.weighted(nearest) {
                let class = classes.get(row).map_or(0, |class| *class as usize);
                if let Some(share) = shares.get_mut(class) {
                    *share += weight;
                }
            }
            // Divided once, a class is never more than certain, and is certain where all agree.
            let total = shares.sum();
            shares.mapv_inplace(|share| share / total);
        }
        Ok(Predictions::from_probabilities(probabilities))
    }

    /// The class of the nearest row of each row, and the square of its distance.
    ///
    /// # Errors
    /// When a row has no finite distance from others, or the rows have no classes.
    pub(super) fn nearest_class(&self, rows: ArrayView2<'_, f64>) -> Result<Vec<(usize, f64)>, ModelError> {
        let Answers::Classes { classes, .. } = &self.answers else {
            return Err(ModelError::Invalid("its rows have numbers and no classes".to_owned()));
        };
        let class = |near: &Neighbor| classes.get(near.row).map_or(0, |class| *class as usize);
        let nearest = self.nearest(rows)?;
        let first = nearest.iter().filter_map(|nearest| nearest.first());
        Ok(first.map(|near| (class(near), near.distance)).collect())
    }

    /// How much each of the nearest rows counts: the nearest one 1, and none more.
    fn weighted(&self, nearest: &[Neighbor]) -> Vec<(usize, f64)> {
        let least = nearest.first().map_or(0.0, |first| first.distance.sqrt());
        let weight = |neighbor: &Neighbor| match (self.by_distance, least == 0.0) {
            (false, _) => 1.0,
            (true, false) => least / neighbor.distance.sqrt(),
            // Of rows at the same place, the weight would be infinite: they alone answer.
            (true, true) => f64::from(u8::from(neighbor.distance == 0.0)),
        };
        nearest.iter().map(|neighbor| (neighbor.row, weight(neighbor))).collect()
    }

    /// The nearest rows of each row, the nearest first.
    fn nearest(&self, rows: ArrayView2<'_, f64>) -> Result<Vec<Vec<Neighbor>>, ModelError> {
        let mut nearest = vec![Vec::with_capacity(self.neighbors + 1); rows.nrows()];
        let copied: Vec<Vec<f64>> =
            rows.rows().into_iter().map(|row: ArrayView1<'_, f64>| row.to_vec()).collect();
        if let Some(row) = copied.iter().position(|row| !row.iter().all(|value| value.is_finite())) {
            return Err(ModelError::Overflow { row });
        }
        for (block, known) in self.rows.chunks(BLOCK_ROWS * self.width).enumerate() {
            for (row, nearest) in copied.iter().zip(&mut nearest) {
                for (place, known) in known.chunks_exact(self.width).enumerate() {
                    let distance = squared_distance(row, known);
                    self.insert(nearest, Neighbor { distance, row: block * BLOCK_ROWS + place });
                }
            }
        }
        match nearest.iter().position(|nearest| !nearest.iter().all(|one| one.distance.is_finite())) {
            Some(row) => Err(ModelError::Overflow { row }),
            None => Ok(nearest),
        }
    }

    /// Puts a row where it belongs among the nearest. Rows come in order, so that of equally distant ones the first stay.
    fn insert(&self, nearest: &mut Vec<Neighbor>, new: Neighbor) {
        let is_full = nearest.len() >= self.neighbors;
        if is_full && nearest.last().is_some_and(|last| last.distance <= new.distance) {
            return;
        }
        if is_full {
            nearest.pop();
        }
        let place = nearest.partition_point(|one| one.distance <= new.distance);
        nearest.insert(place, new);
    }
}

/// The mean of numbers with their weights, of which none is above 1. It is between the least and the most of them, so that equal numbers
/// have that mean exactly.
fn weighted_mean(numbers: &[(f64, f64)]) -> f64 {
    let total: f64 = numbers.iter().map(|(_, weight)| weight).sum();
    let sum: f64 = numbers.iter().map(|(number, weight)| number * weight).sum();
    let mean = match sum.is_finite() {
        true => sum / total,
        // Numbers near the largest ones.
        false => numbers.iter().map(|(number, weight)| number * (weight / total)).sum(),
    };
    let least = numbers.iter().map(|(number, _)| *number).fold(f64::INFINITY, f64::min);
    let most = numbers.iter().map(|(number, _)| *number).fold(f64::NEG_INFINITY, f64::max);
    mean.max(least).min(most)
}

/// The square of Euclid's distance, added up in an order that does not depend on the processor.
pub(crate) fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 4;
    let (mut a, mut b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let mut sums = [0.0; LANES];
    for (a, b) in a.by_ref().zip(b.by_ref()) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += (a - b) * (a - b);
        }
    }
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| (a - b) * (a - b)).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows at places that no quotient is exact of.
    fn places(count: usize) -> Vec<f64> {
        (0..count).map(|place| (place as f64 * 0.731).sin() + place as f64 / 7.0).collect()
    }

    #[test]
    fn a_class_is_never_more_than_certain_and_is_certain_where_all_neighbours_agree() {
        for (neighbors, by_distance) in
            [(3, true), (7, true), (10, true), (3, false), (7, false), (10, false)]
        {
            let classes: Vec<u32> = (0..60).map(|row| u32::from(row >= 40)).collect();
            let answers = Answers::Classes { count: 2, classes };
            let predictor =
                NeighborsPredictor::new(1, places(60), answers, neighbors, by_distance).expect("rows");
            let rows = Array2::from_shape_fn((200, 1), |(row, _)| row as f64 * 0.043 + 0.001);
            let Predictions::Classes { probabilities, .. } = predictor.classes(rows.view()).expect("classes")
            else {
                panic!("classes")
            };
            for (row, shares) in probabilities.rows().into_iter().enumerate() {
                assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{row}: {shares}");
                let agree = shares.iter().filter(|share| **share > 0.0).count() == 1;
                assert!(!agree || shares.iter().any(|share| *share == 1.0), "{row}: {shares}");
            }
        }
    }

    #[test]
    fn the_mean_of_equal_numbers_is_that_number_and_no_mean_is_beyond_its_numbers() {
        for (number, by_distance) in
            [(0.1, true), (0.1, false), (-1e300, true), (f64::MAX, true), (f64::MAX, false)]
        {
            let answers = Answers::Numbers(vec![number; 40]);
            let predictor = NeighborsPredictor::new(1, places(40), answers, 7, by_distance).expect("rows");
            let rows = Array2::from_shape_fn((50, 1), |(row, _)| row as f64 * 0.11 + 0.001);
            let means = predictor.numbers(rows.view()).expect("numbers");
            assert!(means.iter().all(|mean| *mean == number), "{number} {by_distance}: {means}");
        }
        let weighted = weighted_mean(&[(1.0, 1.0), (4.0, 0.5)]);
        assert!((weighted - 2.0).abs() < 1e-15, "{weighted}");
        let far = weighted_mean(&[(f64::MAX, 1.0), (-f64::MAX, 1.0), (f64::MAX, 1.0)]);
        assert!((f64::MAX / 4.0..f64::MAX / 2.0).contains(&far), "{far}");
    }
}
