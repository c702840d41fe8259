//! Gradient boosting of trees by histograms: parameters, and the rounds.
//!
//! What is minimised, how leaves are chosen and what the parameters mean are scikit-learn's HistGradientBoosting. Unless a step
//! asks for early stopping, all rounds are done, so that no row is kept from the trees and the result depends on no draw.

mod bins;
mod categories;
mod direction;
mod groups;
mod grow;
mod histogram;
mod loss;
mod stopping;
mod watch;

use std::collections::BTreeMap;

use mlpipeline_crds::{
    BoostingLoss, CategorySplits, GradientBoosting as Parameters, Monotonic, Parameters as Checked,
};

use self::bins::bin;
use self::direction::directions;
use self::grow::{Grower, Growth};
use self::histogram::{Entry, Limits};
use self::loss::Loss;
use self::stopping::Stopping;
use self::watch::Watch;
use super::error::TrainError;
use super::learner::{Classifier, Fitted, MatrixKind, Names, Regressor};
use super::matrix::Rows;
use super::poisson::mean_count;
use super::split::Parted;
use crate::model::TreePredictor;

/// Boosting with checked parameters.
#[derive(Clone, Debug)]
pub struct GradientBoosting {
    growth: Growth,
    max_iterations: usize,
    max_bins: usize,
    stopping: Stopping,
    /// What a regression lowers.
    loss: BoostingLoss,
    quantile: Option<f64>,
    constraints: BTreeMap<String, Monotonic>,
    /// Whether categories are split by sets of them.
    splits_categories: bool,
    /// The constraint of each column of the matrix, once their places are known; empty where none is constrained.
    directions: Vec<Option<Monotonic>>,
    /// How many codes each column of the matrix has that is one of codes; empty where none is.
    codes: Vec<Option<usize>>,
}

impl GradientBoosting {
    /// An algorithm with these parameters, which are within their bounds.
    #[must_use]
    pub fn new(parameters: &Parameters) -> Self {
        let l2 = parameters.l2_regularization.unwrap_or(Parameters::DEFAULT_L2_REGULARIZATION);
        let min_samples_leaf = parameters.min_samples_leaf.unwrap_or(Parameters::DEFAULT_MIN_SAMPLES_LEAF);
        let max_leaves = parameters.max_leaf_nodes.unwrap_or(Parameters::DEFAULT_MAX_LEAF_NODES);
        let max_iterations = parameters.max_iterations.unwrap_or(Parameters::DEFAULT_MAX_ITERATIONS);
        let max_bins = parameters.max_bins.unwrap_or(Parameters::DEFAULT_MAX_BINS);
        let growth = Growth {
            limits: Limits { l2, min_samples_leaf: u64::from(min_samples_leaf.unsigned_abs()) },
            max_leaves: max_leaves.unsigned_abs() as usize,
            max_depth: parameters.max_depth.map_or(usize::MAX, |depth| depth.unsigned_abs() as usize),
            learning_rate: parameters.learning_rate.unwrap_or(Parameters::DEFAULT_LEARNING_RATE),
        };
        Self {
            growth,
            max_iterations: max_iterations.unsigned_abs() as usize,
            max_bins: max_bins.unsigned_abs() as usize,
            stopping: Stopping::new(parameters),
            loss: parameters.loss.unwrap_or_default(),
            quantile: Checked::quantile(parameters),
            constraints: parameters.monotonic_constraints.clone(),
            splits_categories: parameters.categories == Some(CategorySplits::Subsets),
            directions: Vec::new(),
            codes: Vec::new(),
        }
    }

    /// The rounds on rows with their loss, until they are done or help no more on the rows that are kept back.
    fn boost(
        &self,
        rows: &Rows<'_>,
        loss: &Loss,
        kept: Option<(&Rows<'_>, &Loss)>,
    ) -> Result<Fitted, TrainError> {
        if matches!(loss, Loss::Poisson(counts) if counts.iter().all(|count| *count <= 0.0)) {
            return Err(TrainError::Data(format!(
                "every count is 0 in the {} rows that trees learn from, since earlyStopping keeps all others back; lower \
                 validationFraction, take another seed, or set earlyStopping to never",
                rows.len()
            )));
        }
        let columns = bin(rows, self.max_bins, &self.codes);
        let start = loss.start();
        let mut scores: Vec<Vec<f64>> = start.iter().map(|start| vec![*start; rows.len()]).collect();
        let mut shares = vec![0.0; if start.len() > 1 { rows.len() * start.len() } else { 0 }];
        let mut grower = Grower::new(&columns, &self.directions, rows.len(), self.growth);
        let mut trees = Vec::new();
        let mut watch = kept.map(|(rows, loss)| Watch::new(*rows, loss, &start));
        let (settle, mut done) = (loss.settle(), 0);
        while done < self.max_iterations {
            loss.shares(&scores, &mut shares);
            for (class, scores) in scores.iter_mut().enumerate() {
                loss.derive(class, scores, &shares, grower.entries());
                let tree = grower.grow(scores, settle.as_deref())?;
                if let Some(watch) = &mut watch {
                    watch.add(class, &tree);
                }
                trees.push(tree);
            }
            done += 1;
            if watch.as_mut().is_some_and(|watch| watch.is_over(&self.stopping)) {
                break;
            }
        }
        let warning = watch.map(|watch| watch.sentence(done, self.max_iterations));
        let is_beyond = |score: &f64| !score.exp().is_finite();
        if matches!(loss, Loss::Poisson(_)) && scores.iter().flatten().any(is_beyond) {
            return Err(TrainError::Numbers(
                "the expected counts grow beyond what can be computed with: lower learningRate or maxIterations".to_owned(),
            ));
        }
        let predictor = TreePredictor::new(rows.width(), loss.output(), start, trees)?;
        Ok(Fitted { predictor: predictor.into(), warning })
    }

    /// Boosts on all rows, or on all but those that say when to stop; `loss` makes the loss of some rows, `class` says which
    /// class a row is of.
    fn learn(
        &self,
        rows: &Rows<'_>,
        loss: impl Fn(&Rows<'_>) -> Loss,
        class: impl Fn(u32) -> u32,
        classes: usize,
    ) -> Result<Fitted, TrainError> {
        if !self.constraints.is_empty() && self.directions.is_empty() {
            return Err(TrainError::Internal("constrained columns were not looked up".to_owned()));
        }
        let Some(Parted { train, test }) = self.stopping.part(rows, class, classes)? else {
            return self.boost(rows, &loss(rows), None);
        };
        let (train, test) = (rows.select(&train), rows.select(&test));
        self.boost(&train, &loss(&train), Some((&test, &loss(&test))))
    }

    /// The same with the places of constrained columns and of columns of codes.
    fn with_places(&self, names: &Names<'_>) -> Result<Option<Self>, TrainError> {
        let codes: Vec<Option<usize>> = names
            .columns
            .iter()
            .map(|column| match column.kind {
                MatrixKind::Codes(count) => Some(count),
                _ => None,
            })
            .collect();
        let has_codes = codes.iter().any(Option::is_some);
        if self.constraints.is_empty() && !has_codes {
            return Ok(None);
        }
        let directions = match self.constraints.is_empty() {
            true => Vec::new(),
            false => directions(&self.constraints, names)?,
        };
        let codes = if has_codes { codes } else { Vec::new() };
        Ok(Some(Self { directions, codes, ..self.clone() }))
    }
}

/// What is held of each row, in bytes: its bins, twice while they are put together; its places in two buffers of a tree's leaves; its
/// targets, and its scores and shares of each class.
fn row_bytes(width: usize, outputs: usize) -> usize {
    width * 2 + size_of::<Entry>() * 2 + (outputs * 2 + 2) * size_of::<f64>()
}

impl Classifier for GradientBoosting {
    fn fit(&self, rows: &Rows<'_>, classes: &[u32], count: usize) -> Result<Fitted, TrainError> {
        let class = |row: u32| classes.get(row as usize).copied().unwrap_or(0);
        let loss = |rows: &Rows<'_>| {
            let classes = rows.numbers().iter().map(|row| class(*row)).collect();
            if count <= 2 { Loss::Binary(classes) } else { Loss::Multiclass(classes, count) }
        };
        self.learn(rows, loss, class, count)
    }

    fn row_bytes(&self, width: usize, classes: usize) -> Option<usize> {
        Some(row_bytes(width, if classes > 2 { classes } else { 1 }))
    }

    fn placed(&self, names: &Names<'_>) -> Result<Option<Box<dyn Classifier>>, TrainError> {
        Ok(self.with_places(names)?.map(|placed| Box::new(placed) as Box<dyn Classifier>))
    }

    fn takes_missing(&self) -> bool {
        true
    }

    fn most_codes(&self) -> Option<usize> {
        let most = Parameters::MOST_CATEGORIES.unsigned_abs() as usize;
        self.splits_categories.then_some(most)
    }
}

impl Regressor for GradientBoosting {
    fn fit(&self, rows: &Rows<'_>, numbers: &[f64]) -> Result<Fitted, TrainError> {
        if self.loss == BoostingLoss::Poisson {
            mean_count(rows, numbers)?;
        }
        let loss = |rows: &Rows<'_>| {
            let number = |row: &u32| numbers.get(*row as usize).copied().unwrap_or(0.0);
            let numbers = rows.numbers().iter().map(number).collect();
            match self.loss {
                BoostingLoss::SquaredError => Loss::Squared(numbers),
                BoostingLoss::AbsoluteError => Loss::Absolute(numbers),
                BoostingLoss::Quantile => Loss::Quantile(numbers, self.quantile.unwrap_or(0.5)),
                BoostingLoss::Poisson => Loss::Poisson(numbers),
            }
        };
        self.learn(rows, loss, |_| 0, 1)
    }

    fn row_bytes(&self, width: usize) -> Option<usize> {
        Some(row_bytes(width, 1))
    }

    fn quantile(&self) -> Option<f64> {
        self.quantile
    }

    fn placed(&self, names: &Names<'_>) -> Result<Option<Box<dyn Regressor>>, TrainError> {
        Ok(self.with_places(names)?.map(|placed| Box::new(placed) as Box<dyn Regressor>))
    }

    fn takes_missing(&self) -> bool {
        true
    }

    fn most_codes(&self) -> Option<usize> {
        let most = Parameters::MOST_CATEGORIES.unsigned_abs() as usize;
        self.splits_categories.then_some(most)
    }
}

#[cfg(test)]
mod tests {
    use mlpipeline_crds::EarlyStopping;
    use ndarray::Array2;
    use serde_json::Value;

    use super::super::matrix::Matrix;
    use super::*;
    use crate::model::Predictions;

    fn fixture(name: &str) -> Value {
        let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_slice(&std::fs::read(path).expect("a fixture")).expect("JSON")
    }

    fn flat(value: &Value) -> Vec<f64> {
        match value {
            Value::Array(values) => values.iter().flat_map(flat).collect(),
            number => vec![number.as_f64().expect("a number")],
        }
    }

    #[test]
    fn counts_are_refused_where_all_but_those_of_0_are_kept_back() {
        let mut matrix = Matrix::new(1);
        matrix.extend(&(0..40).map(f64::from).collect::<Vec<f64>>());
        let counts: Vec<f64> = (0..40).map(|row| if row == 7 { 5.0 } else { 0.0 }).collect();
        let numbers: Vec<u32> = (0..40).collect();
        let rows = Rows::new(&matrix, &numbers);
        let refused = |seed: i64| {
            let parameters = Parameters {
                loss: Some(BoostingLoss::Poisson),
                early_stopping: Some(EarlyStopping::Always),
                validation_fraction: Some(0.5),
                seed: Some(seed),
                ..Parameters::default()
            };
            Regressor::fit(&GradientBoosting::new(&parameters), &rows, &counts).err()
        };
        let refused: Vec<String> = (0..20).filter_map(refused).map(|error| error.to_string()).collect();
        assert!(!refused.is_empty() && refused.len() < 20, "half of the seeds keep it back: {refused:?}");
        assert!(refused.iter().all(|message| message.contains("every count is 0 in the 20 rows")));
    }

    #[test]
    fn it_stops_where_scikit_learn_does() {
        let parameters = Parameters {
            early_stopping: Some(EarlyStopping::Always),
            max_iterations: Some(200),
            max_leaf_nodes: Some(7),
            min_samples_leaf: Some(5),
            learning_rate: Some(0.3),
            n_iter_no_change: Some(5),
            tol: Some(1e-3),
            ..Parameters::default()
        };
        for case in fixture("boosting_stops").as_array().expect("cases") {
            let (name, binary) = (case["data"].as_str().expect("a name"), case["binary"] == true);
            let data = fixture(name);
            let width = data["features"][0].as_array().expect("a row").len();
            let holes = case["holes"].as_u64().expect("holes") as usize;
            let hole =
                |(place, value): (usize, f64)| if place.is_multiple_of(holes) { f64::NAN } else { value };
            let values: Vec<f64> = flat(&data["features"]).into_iter().enumerate().map(hole).collect();
            let mut matrix = Matrix::new(width);
            matrix.extend(&values);
            let (kept, numbers): (Vec<u32>, Vec<u32>) =
                (0..matrix.rows() as u32).partition(|row| row % 4 == 0);
            let loss = |rows: &[u32]| {
                let of = |targets: &Value| {
                    let targets = flat(targets);
                    rows.iter().map(|row| targets[*row as usize]).collect::<Vec<f64>>()
                };
                let classes = |classes: Vec<f64>| classes.into_iter().map(|class| class as u32).collect();
                match &data["classes"] {
                    Value::Null => Loss::Squared(of(&data["numbers"])),
                    targets if binary => {
                        Loss::Binary(of(targets).into_iter().map(|class| u32::from(class == 2.0)).collect())
                    }
                    targets => Loss::Multiclass(classes(of(targets)), 3),
                }
            };
            let (learnt, kept_loss) = (loss(&numbers), loss(&kept));
            let (rows, kept) = (Rows::new(&matrix, &numbers), Rows::new(&matrix, &kept));
            let boosting = GradientBoosting::new(&parameters);
            let fitted = boosting.boost(&rows, &learnt, Some((&kept, &kept_loss))).expect("a fit");
            let iterations = case["iterations"].as_u64().expect("a number") as usize;
            let sums = if matches!(learnt, Loss::Multiclass(..)) { 3 } else { 1 };
            assert_eq!(fitted.predictor.trees().expect("trees").trees().len(), iterations * sums, "{name}");
            let said = fitted.warning.expect("a sentence");
            assert!(said.contains(&format!("stopped after {iterations} of 200 iterations")), "{said}");
            let looked_at: Vec<f64> =
                values.chunks(width).step_by(25).flat_map(|row| row.iter().copied()).collect();
            let looked_at =
                Array2::from_shape_vec((looked_at.len() / width, width), looked_at).expect("rows");
            let found: Vec<f64> = match &learnt {
                Loss::Binary(_) | Loss::Multiclass(..) => {
                    match fitted.predictor.classes(looked_at.view()).expect("classes") {
                        Predictions::Classes { probabilities, .. } => probabilities.iter().copied().collect(),
                        Predictions::Numbers(_) | Predictions::Findings { .. } => Vec::new(),
                    }
                }
                _ => fitted.predictor.numbers(looked_at.view()).expect("numbers").to_vec(),
            };
            for (found, expected) in found.iter().zip(flat(&case["predictions"])) {
                assert!(
                    (found - expected).abs() <= 1e-6 * expected.abs().max(1.0),
                    "{name}: {found} {expected}"
                );
            }
        }
    }
}
