//! What a model can be once it is trained: one variant for each way to predict.
//!
//! Owns the list and the questions that every way answers. Each way is in a file of its own, with its form in `model.json`.
//! Must not know what a model's input columns are: a predictor sees the model's columns, numbers all.

use ndarray::{Array1, ArrayView2};

use super::{
    CenterPredictor, ComponentPredictor, DensityPredictor, Finding, GaussianPredictor, IsolationPredictor,
    LinearPredictor, MixturePredictor, ModelError, NEIGHBORS_FILE, NeighborsPredictor, ONNX_FILE,
    OnnxPredictor, Predictions, SeasonalPredictor, TREES_FILE, Target, TreePredictor,
};

/// Why a graph has no answer about a model's columns.
const RAW_ROWS: &str = "its graph takes raw rows";

/// Why a predictor of findings has no answer about a column.
const WITHOUT_TARGET: &str = "it was learned without a target, and its schema has one";

/// How many numbers that lie side by side are read in the time that a walk down a large tree takes to reach the next node.
const NUMBERS_OF_NODE: usize = 16;

/// What predicts.
#[derive(Clone, Debug, PartialEq)]
pub enum Predictor {
    /// Weighted sums.
    Linear(LinearPredictor),
    /// Decision trees.
    Trees(TreePredictor),
    /// Normal distributions.
    Gaussian(GaussianPredictor),
    /// The nearest of the rows learned from.
    Neighbors(NeighborsPredictor),
    /// The centres of clusters.
    Centers(CenterPredictor),
    /// Trees that isolate rows.
    Isolation(IsolationPredictor),
    /// Directions in which rows differ.
    Components(ComponentPredictor),
    /// Normal distributions of clusters.
    Mixture(MixturePredictor),
    /// Dense rows of clusters.
    Density(DensityPredictor),
    /// What was one season before.
    Seasonal(SeasonalPredictor),
    /// A graph that was made elsewhere; it takes raw rows, texts too.
    Onnx(OnnxPredictor),
}

impl From<SeasonalPredictor> for Predictor {
    fn from(predictor: SeasonalPredictor) -> Self {
        Self::Seasonal(predictor)
    }
}

impl From<OnnxPredictor> for Predictor {
    fn from(predictor: OnnxPredictor) -> Self {
        Self::Onnx(predictor)
    }
}

impl From<DensityPredictor> for Predictor {
    fn from(predictor: DensityPredictor) -> Self {
        Self::Density(predictor)
    }
}

impl From<MixturePredictor> for Predictor {
    fn from(predictor: MixturePredictor) -> Self {
        Self::Mixture(predictor)
    }
}

impl From<ComponentPredictor> for Predictor {
    fn from(predictor: ComponentPredictor) -> Self {
        Self::Components(predictor)
    }
}

impl From<CenterPredictor> for Predictor {
    fn from(predictor: CenterPredictor) -> Self {
        Self::Centers(predictor)
    }
}

impl From<NeighborsPredictor> for Predictor {
    fn from(predictor: NeighborsPredictor) -> Self {
        Self::Neighbors(predictor)
    }
}

impl From<GaussianPredictor> for Predictor {
    fn from(predictor: GaussianPredictor) -> Self {
        Self::Gaussian(predictor)
    }
}

impl From<TreePredictor> for Predictor {
    fn from(predictor: TreePredictor) -> Self {
        Self::Trees(predictor)
    }
}

impl From<LinearPredictor> for Predictor {
    fn from(predictor: LinearPredictor) -> Self {
        Self::Linear(predictor)
    }
}

impl Predictor {
    /// Checks that it fits so many columns and the target, and that all of its numbers are finite.
    pub(super) fn check(&self, columns: usize, target: &Target) -> Result<(), ModelError> {
        let (found, wanted) = match target {
            Target::Finding(finding) => (self.finding(), Some(finding)),
            Target::Class { .. } | Target::Number { .. } => (self.finding(), None),
        };
        if found.as_ref() != wanted {
            let problem = "what predicts does not find what its schema says that it answers";
            return Err(ModelError::Invalid(problem.to_owned()));
        }
        match self {
            Self::Centers(centers) => centers.check(columns),
            Self::Isolation(forest) => forest.check(columns),
            Self::Components(components) => components.check(columns),
            Self::Mixture(mixture) => mixture.check(columns),
            Self::Density(density) => density.check(columns),
            Self::Linear(linear) => linear.check(columns, target),
            Self::Trees(trees) => trees.check(columns, target),
            Self::Gaussian(gaussian) => gaussian.check(columns, target),
            Self::Neighbors(neighbors) => neighbors.check(columns, target),
            Self::Seasonal(seasonal) => seasonal.check(columns, target),
            Self::Onnx(_) => Err(ModelError::Invalid(RAW_ROWS.to_owned())),
        }
    }

    /// About how many numbers are looked at for the answer to one row of so many columns. Nodes of trees lie anywhere in memory and count
    /// as several.
    #[must_use]
    pub fn work_of_row(&self, columns: usize) -> usize {
        match self {
            Self::Neighbors(neighbors) => neighbors.row_count().saturating_mul(columns),
            Self::Trees(trees) => trees.steps().saturating_mul(NUMBERS_OF_NODE),
            _ => columns,
        }
    }

    /// What it finds without a target; none of what predicts a column.
    #[must_use]
    pub fn finding(&self) -> Option<Finding> {
        match self {
            Self::Centers(centers) => Some(centers.finding()),
            Self::Isolation(forest) => Some(forest.finding()),
            Self::Components(components) => Some(components.finding()),
            Self::Mixture(mixture) => Some(mixture.finding()),
            Self::Density(density) => Some(density.finding()),
            Self::Linear(_)
            | Self::Trees(_)
            | Self::Gaussian(_)
            | Self::Neighbors(_)
            | Self::Seasonal(_)
            | Self::Onnx(_) => None,
        }
    }

    /// What is found in rows without a target. A row's answer does not depend on the rows beside it, to the last bit.
    ///
    /// # Errors
    /// When a row has no finite answer.
    pub fn findings(&self, rows: ArrayView2<'_, f64>) -> Result<Predictions, ModelError> {
        match self {
            Self::Centers(centers) => centers.find(rows),
            Self::Isolation(forest) => forest.find(rows),
            Self::Components(components) => components.find(rows),
            Self::Mixture(mixture) => mixture.find(rows),
            Self::Density(density) => density.find(rows),
            Self::Linear(_)
            | Self::Trees(_)
            | Self::Gaussian(_)
            | Self::Neighbors(_)
            | Self::Seasonal(_)
            | Self::Onnx(_) => {
                Err(ModelError::Invalid("it predicts a column, and its schema has none".to_owned()))
            }
        }
    }

    /// The numbers that a regression predicts. A row's answer does not depend on the rows beside it, to the last bit.
    ///
    /// # Errors
    /// When a row has no finite answer.
    pub fn numbers(&self, rows: ArrayView2<'_, f64>) -> Result<Array1<f64>, ModelError> {
        match self {
            Self::Linear(linear) => linear.numbers(rows),
            Self::Trees(trees) => trees.numbers(rows),
            Self::Neighbors(neighbors) => neighbors.numbers(rows),
            Self::Seasonal(seasonal) => seasonal.numbers(rows),
            Self::Onnx(_) => Err(ModelError::Invalid(RAW_ROWS.to_owned())),
            Self::Gaussian(_) => {
                Err(ModelError::Invalid("it predicts classes, and its target is numbers".to_owned()))
            }
            Self::Centers(_)
            | Self::Isolation(_)
            | Self::Components(_)
            | Self::Mixture(_)
            | Self::Density(_) => Err(ModelError::Invalid(WITHOUT_TARGET.to_owned())),
        }
    }

    /// The classes that a classifier predicts, with their probabilities. A row's answer does not depend on the rows beside it,
    /// to the last bit.
    ///
    /// # Errors
    /// When a row has no finite answer.
    pub fn classes(&self, rows: ArrayView2<'_, f64>) -> Result<Predictions, ModelError> {
        match self {
            Self::Linear(linear) => linear.classes(rows),
            Self::Trees(trees) => trees.classes(rows),
            Self::Gaussian(gaussian) => gaussian.classes(rows),
            Self::Neighbors(neighbors) => neighbors.classes(rows),
            Self::Seasonal(_) => {
                Err(ModelError::Invalid("it predicts numbers, and its target is classes".to_owned()))
            }
            Self::Onnx(_) => Err(ModelError::Invalid(RAW_ROWS.to_owned())),
            Self::Centers(_)
            | Self::Isolation(_)
            | Self::Components(_)
            | Self::Mixture(_)
            | Self::Density(_) => Err(ModelError::Invalid(WITHOUT_TARGET.to_owned())),
        }
    }

    /// The largest absolute value of its columns, a power of ten, up to which every row has an answer.
    #[must_use]
    pub fn largest_value(&self) -> f64 {
        match self {
            Self::Linear(linear) => linear.largest_value(),
            // Values are only compared.
            Self::Trees(_) => f64::MAX,
            Self::Gaussian(gaussian) => gaussian.largest_value(),
            Self::Neighbors(neighbors) => neighbors.largest_value(),
            Self::Centers(centers) => centers.largest_value(),
            // Values are only compared.
            Self::Isolation(_) => f64::MAX,
            Self::Components(components) => components.largest_value(),
            Self::Mixture(mixture) => mixture.largest_value(),
            Self::Density(density) => density.largest_value(),
            // Columns are times and codes.
            Self::Seasonal(_) => f64::MAX,
            Self::Onnx(onnx) => onnx.largest_value(),
        }
    }

    /// The weights, where it has some.
    #[must_use]
    pub fn linear(&self) -> Option<&LinearPredictor> {
        match self {
            Self::Linear(linear) => Some(linear),
            Self::Trees(_)
            | Self::Gaussian(_)
            | Self::Neighbors(_)
            | Self::Centers(_)
            | Self::Isolation(_)
            | Self::Components(_)
            | Self::Mixture(_)
            | Self::Density(_)
            | Self::Seasonal(_)
            | Self::Onnx(_) => None,
        }
    }

    /// The file beside `model.json`, where there is one: its name and its bytes.
    pub(super) fn binary_file(&self) -> Option<(&'static str, Vec<u8>)> {
        match self {
            Self::Trees(trees) => Some((TREES_FILE, trees.to_bytes())),
            Self::Isolation(forest) => Some((TREES_FILE, forest.trees().to_bytes())),
            Self::Neighbors(neighbors) => Some((NEIGHBORS_FILE, neighbors.to_bytes())),
            Self::Onnx(onnx) => Some((ONNX_FILE, onnx.file().to_vec())),
            Self::Density(density) => Some((NEIGHBORS_FILE, density.cores().to_bytes())),
            Self::Linear(_)
            | Self::Gaussian(_)
            | Self::Centers(_)
            | Self::Components(_)
            | Self::Mixture(_)
            | Self::Seasonal(_) => None,
        }
    }

    /// The trees, where it has some.
    #[must_use]
    pub fn trees(&self) -> Option<&TreePredictor> {
        match self {
            Self::Trees(trees) => Some(trees),
            Self::Isolation(forest) => Some(forest.trees()),
            Self::Linear(_)
            | Self::Gaussian(_)
            | Self::Neighbors(_)
            | Self::Centers(_)
            | Self::Components(_)
            | Self::Mixture(_)
            | Self::Density(_)
            | Self::Seasonal(_)
            | Self::Onnx(_) => None,
        }
    }

    /// What is known of series, where it is that.
    #[must_use]
    pub fn seasonal(&self) -> Option<&SeasonalPredictor> {
        match self {
            Self::Seasonal(seasonal) => Some(seasonal),
            _ => None,
        }
    }
}
