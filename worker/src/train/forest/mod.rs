//! A decision tree, random forests and extra trees: parameters, and the drawing of rows.
//!
//! Splits, leaves and parameters are scikit-learn's. A single tree takes the first of equally good splits, where
//! scikit-learn draws one. Each tree of a forest has random numbers of its own, so that the forest depends on the seed alone.

mod features;
mod grow;
mod impurity;
mod random;
mod ranks;
mod samples;
mod search;

use mlpipeline_crds::{DecisionTree, ExtraTrees, Forest as ForestParameters, LearningTask, RandomForest};

use self::features::Features;
use self::grow::{Grower, Growth};
use self::impurity::{ClassItem, Criterion, Gini, NumberItem, SquaredError};
use self::random::Values;
use super::error::TrainError;
use super::learner::{Classifier, Fitted, Regressor};
use super::matrix::Rows;
use super::parallel::over_items;
use super::shuffle::Shuffler;
use crate::model::{BINARY_LIMIT, TreeOutput, TreePredictor};

/// A tree or a forest with checked parameters.
#[derive(Clone, Debug)]
pub struct Forest {
    growth: Growth,
    /// Random thresholds in place of the best.
    is_random: bool,
    /// How many trees, and the seed; a single tree has neither.
    trees: Option<(usize, i64)>,
    /// The share of the features to look at for a split; the square root of their number when absent.
    max_features: Option<f64>,
    bootstrap: bool,
}

impl Forest {
    /// A single tree with these parameters, which are within their bounds.
    #[must_use]
    pub fn tree(parameters: &DecisionTree) -> Self {
        let nodes = (parameters.max_depth, parameters.min_samples_split, parameters.min_samples_leaf);
        Self {
            growth: growth(nodes),
            is_random: false,
            trees: None,
            max_features: Some(1.0),
            bootstrap: false,
        }
    }

    /// A random forest with these parameters, which are within their bounds.
    #[must_use]
    pub fn random(parameters: &RandomForest) -> Self {
        Self::of_many(parameters, false)
    }

    /// Extra trees with these parameters, which are within their bounds.
    #[must_use]
    pub fn extra(parameters: &ExtraTrees) -> Self {
        Self::of_many(parameters, true)
    }

    fn of_many<const BOOTSTRAP: bool>(parameters: &ForestParameters<BOOTSTRAP>, is_random: bool) -> Self {
        let count = parameters.n_estimators.unwrap_or(RandomForest::DEFAULT_N_ESTIMATORS);
        let seed = parameters.seed.unwrap_or(RandomForest::DEFAULT_SEED);
        let nodes = (parameters.max_depth, parameters.min_samples_split, parameters.min_samples_leaf);
        Self {
            growth: growth(nodes),
            is_random,
            trees: Some((count.unsigned_abs() as usize, seed)),
            max_features: parameters.max_features.or(all_for_numbers(parameters.task)),
            bootstrap: parameters.bootstrap.unwrap_or(BOOTSTRAP),
        }
    }

    fn fit_with<C: Criterion>(
        &self,
        rows: &Rows<'_>,
        criterion: &C,
        items: Vec<C::Item>,
        output: TreeOutput,
    ) -> Result<Fitted, TrainError> {
        let features = if self.is_random {
            Features::Plain(Values::of(rows)?)
        } else {
            Features::Ranked(ranks::rank(rows)?)
        };
        let width = rows.width();
        let max_features = match self.max_features {
            // As scikit-learn: rounded down, and one at least.
            Some(share) => (share * width as f64) as usize,
            None => width.isqrt(),
        };
        let growth = Growth { max_features: max_features.max(1), ..self.growth };
        let grower = Grower { features: &features, criterion, growth };
        let all = || (0..rows.len() as u32).collect::<Vec<_>>();
        let trees = match self.trees {
            None => vec![grower.grow_shared(all(), items)?],
            Some((count, seed)) => {
                let grown = over_items((0..count as u64).collect(), |number| {
                    let mut shuffler = Shuffler::stream(seed, number);
                    let (rows, items) = if self.bootstrap {
                        draw::<C>(&items, &mut shuffler)
                    } else {
                        (all(), items.clone())
                    };
                    grower.grow(rows, items, &mut shuffler)
                });
                grown.into_iter().collect::<Result<_, _>>()?
            }
        };
        let predictor = TreePredictor::mean(width, output, trees)?;
        let size = predictor.file_size();
        if size > BINARY_LIMIT {
            return Err(TrainError::Data(format!(
                "the trees have {} leaves and take {} MiB, and at most {} MiB can be served; raise minSamplesLeaf, or lower \
                 maxDepth or nEstimators",
                predictor.leaves(),
                size >> 20,
                BINARY_LIMIT >> 20
            )));
        }
        Ok(Fitted { predictor: predictor.into(), warning: None })
    }
}

/// As many rows as there are, drawn with replacement; a row that is drawn more than once has the weight of that.
fn draw<C: Criterion>(items: &[C::Item], shuffler: &mut Shuffler) -> (Vec<u32>, Vec<C::Item>) {
    let mut weights = vec![0_u32; items.len()];
    for _ in 0..items.len() {
        if let Some(weight) = weights.get_mut(shuffler.below(items.len() as u64) as usize) {
            *weight += 1;
        }
    }
    let drawn = items.iter().zip(weights).enumerate().filter(|(_, (_, weight))| *weight > 0);
    drawn.map(|(row, (item, weight))| (row as u32, C::weighted(*item, weight))).unzip()
}

/// The share of the features to look at when none is given: all for numbers, the square root of their number for classes.
fn all_for_numbers(task: Option<LearningTask>) -> Option<f64> {
    (task == Some(LearningTask::Regression)).then_some(1.0)
}

fn growth(nodes: (Option<i32>, Option<i32>, Option<i32>)) -> Growth {
    let (max_depth, min_samples_split, min_samples_leaf) = nodes;
    let whole = |value: i32| value.unsigned_abs() as usize;
    Growth {
        max_depth: max_depth.map_or(usize::MAX, whole),
        min_samples_split: whole(min_samples_split.unwrap_or(DecisionTree::DEFAULT_MIN_SAMPLES_SPLIT)),
        min_samples_leaf: whole(min_samples_leaf.unwrap_or(DecisionTree::DEFAULT_MIN_SAMPLES_LEAF)),
        max_features: 0,
    }
}

impl Classifier for Forest {
    fn fit(&self, rows: &Rows<'_>, classes: &[u32], count: usize) -> Result<Fitted, TrainError> {
        let class = |row: &u32| classes.get(*row as usize).copied().unwrap_or(0);
        let items = rows.numbers().iter().map(|row| ClassItem { class: class(row), weight: 1 }).collect();
        self.fit_with(rows, &Gini(count), items, TreeOutput::MeanOfProbabilities)
    }
}

impl Regressor for Forest {
    fn fit(&self, rows: &Rows<'_>, numbers: &[f64]) -> Result<Fitted, TrainError> {
        let number = |row: &u32| numbers.get(*row as usize).copied().unwrap_or(0.0);
        let items: Vec<_> =
            rows.numbers().iter().map(|row| NumberItem { number: number(row), weight: 1.0 }).collect();
        let count = items.len().max(1) as f64;
        let mean = items.iter().map(|item| item.number / count).sum();
        self.fit_with(rows, &SquaredError { mean }, items, TreeOutput::MeanOfNumbers)
    }
}
