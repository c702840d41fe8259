//! Many trees that predict together: a single tree, a forest, or boosting.
//!
//! Owns how the values of the trees' leaves become a prediction. Must not know how trees are learned.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::linear::{sigmoid, softmax};
use super::{ModelError, Predictions, Target, Tree};

/// Rows that go through one tree after the other together, so that a tree stays in the processor's cache.
const BLOCK_ROWS: usize = 256;

/// Rows that go down a tree together.
const TOGETHER: usize = 8;

/// What the trees' values are, and how they become a prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeOutput {
    /// Each tree predicts the number; the prediction is their mean.
    MeanOfNumbers,
    /// Each tree predicts each class's probability; the prediction is their mean.
    MeanOfProbabilities,
    /// The trees' sum is the number.
    SumOfNumbers,
    /// The trees' sum is the number's logarithm.
    SumOfLogarithms,
    /// The trees' sum is the log-odds of the second class.
    SumOfLogOdds,
    /// One tree for each class in turn; a class's sum is its score, and softmax makes probabilities of the scores.
    SumOfScores,
}

impl TreeOutput {
    fn is_mean(self) -> bool {
        matches!(self, Self::MeanOfNumbers | Self::MeanOfProbabilities)
    }
}

/// Trees and how they predict together.
#[derive(Clone, Debug, PartialEq)]
pub struct TreePredictor {
    pub(super) features: usize,
    pub(super) output: TreeOutput,
    /// What is added to the sums; one for each sum. None of means.
    pub(super) start: Vec<f64>,
    pub(super) trees: Vec<Tree>,
}

impl TreePredictor {
    /// A predictor of the mean of trees.
    ///
    /// # Errors
    /// When there are no trees, or they do not fit together.
    pub fn mean(features: usize, output: TreeOutput, trees: Vec<Tree>) -> Result<Self, ModelError> {
        Self::new(features, output, Vec::new(), trees)
    }

    /// A predictor from its parts. `start` is added to sums, one number for each of them; a mean has none.
    ///
    /// # Errors
    /// When the parts do not fit together.
    pub fn new(
        features: usize,
        output: TreeOutput,
        start: Vec<f64>,
        trees: Vec<Tree>,
    ) -> Result<Self, ModelError> {
        let predictor = Self { features, output, start, trees };
        let invalid =
            |problem: &str| Err(ModelError::Invalid(format!("its trees do not fit together: {problem}")));
        let outputs = predictor.trees.first().map_or(1, Tree::outputs);
        let sums = predictor.start.len();
        let fits = match predictor.output {
            TreeOutput::MeanOfNumbers => sums == 0 && outputs == 1 && !predictor.trees.is_empty(),
            TreeOutput::MeanOfProbabilities => sums == 0 && outputs >= 2 && !predictor.trees.is_empty(),
            TreeOutput::SumOfNumbers | TreeOutput::SumOfLogarithms | TreeOutput::SumOfLogOdds => {
                sums == 1 && outputs == 1
            }
            TreeOutput::SumOfScores => {
                sums >= 2 && outputs == 1 && predictor.trees.len().is_multiple_of(sums)
            }
        };
        if !fits || predictor.trees.iter().any(|tree| tree.outputs() != outputs) {
            return invalid("the leaves have another number of values than the target needs");
        }
        if predictor.trees.iter().flat_map(Tree::features).any(|feature| feature as usize >= features) {
            return invalid("a node asks for a feature that is not there");
        }
        if !predictor.start.iter().all(|number| number.is_finite()) {
            return invalid("a start is not finite");
        }
        Ok(predictor)
    }

    /// Checks that it fits so many columns and the target.
    pub(super) fn check(&self, columns: usize, target: &Target) -> Result<(), ModelError> {
        let classes = target.labels().len();
        if self.features == columns && self.class_count() == classes {
            return Ok(());
        }
        Err(ModelError::Invalid(format!(
            "its trees are of {} features and {} classes, and its schema has {columns} and {classes}",
            self.features,
            self.class_count()
        )))
    }

    /// How many features a row has.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }

    /// How many classes are distinguished; 0 when the prediction is a number.
    #[must_use]
    pub fn class_count(&self) -> usize {
        match self.output {
            TreeOutput::MeanOfNumbers | TreeOutput::SumOfNumbers | TreeOutput::SumOfLogarithms => 0,
            TreeOutput::MeanOfProbabilities => self.trees.first().map_or(0, Tree::outputs),
            TreeOutput::SumOfLogOdds => 2,
            TreeOutput::SumOfScores => self.start.len(),
        }
    }

    /// How many leaves all trees have together.
    #[must_use]
    pub fn leaves(&self) -> usize {
        self.trees.iter().map(Tree::leaves).sum()
    }

    /// What the trees' values are.
    #[must_use]
    pub fn output(&self) -> TreeOutput {
        self.output
    }

    /// About how many nodes a row passes in all trees, as if each tree were balanced.
    pub(super) fn steps(&self) -> usize {
        self.trees.iter().map(|tree| 1 + tree.inner_nodes().max(1).ilog2() as usize).sum()
    }

    /// What is added to the sums, one number for each; none of means.
    #[must_use]
    pub fn start(&self) -> &[f64] {
        &self.start
    }

    /// The trees.
    #[must_use]
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// The numbers that a regression predicts.
    ///
    /// # Errors
    /// When a row's sum is not a finite number.
    pub fn numbers(&self, rows: ArrayView2<'_, f64>) -> Result<Array1<f64>, ModelError> {
        let mut numbers = self.sums(rows)?.index_axis_move(Axis(1), 0);
        if self.output == TreeOutput::SumOfLogarithms {
            numbers.mapv_inplace(f64::exp);
            if let Some(row) = numbers.iter().position(|number| !number.is_finite()) {
                return Err(ModelError::Overflow { row });
            }
        }
        Ok(numbers)
    }

    /// The classes that a classifier predicts, with their probabilities.
    ///
    /// # Errors
    /// When a row's sum is not a finite number.
    pub fn classes(&self, rows: ArrayView2<'_, f64>) -> Result<Predictions, ModelError> {
        let mut sums = self.sums(rows)?;
        let probabilities = match self.output {
            TreeOutput::SumOfLogOdds => {
                let mut both = Array2::zeros((sums.nrows(), 2));
                for (mut pair, sum) in both.rows_mut().into_iter().zip(&sums) {
                    pair.iter_mut().zip([-sum, *sum]).for_each(|(share, odds)| *share = sigmoid(odds));
                }
                both
            }
            TreeOutput::SumOfScores => {
                sums.rows_mut().into_iter().for_each(softmax);
                sums
            }
            _ => sums,
        };
        Ok(Predictions::from_probabilities(probabilities))
    }

    /// The sums or means, rows × outputs. Trees are added in their order, row by row, so that a row predicted alone and the
    /// same row among millions come out alike to the last bit.
    fn sums(&self, rows: ArrayView2<'_, f64>) -> Result<Array2<f64>, ModelError> {
        let width = self.start.len().max(self.trees.first().map_or(1, Tree::outputs));
        let mut sums = Array2::zeros((rows.nrows(), width));
        for mut row in sums.rows_mut() {
            row.iter_mut().zip(&self.start).for_each(|(sum, start)| *sum = *start);
        }
        let turns = self.start.len().max(1);
        let standard = rows.as_standard_layout();
        let rows: Vec<&[f64]> = standard.rows().into_iter().filter_map(|row| row.to_slice()).collect();
        let blocks = sums.as_slice_mut().unwrap_or_default().chunks_mut(BLOCK_ROWS * width);
        for (rows, sums) in rows.chunks(BLOCK_ROWS).zip(blocks) {
            for (number, tree) in self.trees.iter().enumerate() {
                add(tree, rows, sums, width, number % turns);
            }
        }
        if self.output.is_mean() {
            sums /= self.trees.len() as f64;
        }
        match sums.rows().into_iter().position(|row| !row.iter().all(|sum| sum.is_finite())) {
            Some(row) => Err(ModelError::Overflow { row }),
            None => Ok(sums),
        }
    }
}

/// Adds a tree's values for each of the rows to its sums, of which each row has `width`; the first value goes to the sum `first`.
fn add(tree: &Tree, rows: &[&[f64]], sums: &mut [f64], width: usize, first: usize) {
    let mut add = |row: usize, values: &[f64]| {
        let sums = sums.iter_mut().skip(row * width).take(width).skip(first);
        sums.zip(values).for_each(|(sum, value)| *sum += value);
    };
    let (together, rest) = rows.as_chunks::<TOGETHER>();
    for (block, rows) in together.iter().enumerate() {
        let values = tree.values_together(*rows);
        values.iter().enumerate().for_each(|(place, values)| add(block * TOGETHER + place, values));
    }
    let done = together.len() * TOGETHER;
    rest.iter().enumerate().for_each(|(place, row)| add(done + place, tree.values(row)));
}
