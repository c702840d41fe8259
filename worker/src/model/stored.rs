//! What predicts, as `model.json` has it: by its name, with trees and rows in files of their own.
//!
//! Owns which predictor has another file, and that it is the one that belongs to the model.

use mlpipeline_crds::Digest;
use serde::{Deserialize, Serialize};

use super::{
    CenterPredictor, ComponentPredictor, DensityPredictor, GaussianPredictor, IsolationPredictor,
    LinearPredictor, MixturePredictor, ModelError, NEIGHBORS_FILE, NeighborsPredictor, ONNX_FILE, OnnxAnswer,
    OnnxPredictor, Predictor, SeasonalPredictor, TREES_FILE, TreePredictor,
};
use crate::exact;

/// Reads another file of the same model, by its name.
pub(super) type ReadFile<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, ModelError>;

/// What predicts, by its name in `model.json`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum StoredPredictor {
    Linear(LinearPredictor),
    Trees(StoredTrees),
    Gaussian(GaussianPredictor),
    Neighbors(StoredNeighbors),
    Centers(CenterPredictor),
    Isolation(StoredIsolation),
    Components(ComponentPredictor),
    Mixture(MixturePredictor),
    Density(StoredDensity),
    Seasonal(SeasonalPredictor),
    Onnx(StoredOnnx),
}

/// So has a graph that was made elsewhere.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StoredOnnx {
    sha256: Digest,
    answer: OnnxAnswer,
}

/// Trees have a file of their own; the model's names it by what it must hold.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StoredTrees {
    sha256: Digest,
    /// For people who read the file.
    trees: usize,
    leaves: usize,
}

/// So have the trees of an isolation forest.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StoredIsolation {
    trees: StoredTrees,
    /// How many rows each tree saw.
    samples: u32,
    /// The score above which a row is an outlier.
    #[serde(with = "exact")]
    threshold: f64,
}

impl From<&TreePredictor> for StoredTrees {
    fn from(trees: &TreePredictor) -> Self {
        Self { sha256: Digest::of(&trees.to_bytes()), trees: trees.trees().len(), leaves: trees.leaves() }
    }
}

/// So have the rows of neighbours.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StoredNeighbors {
    sha256: Digest,
    /// For people who read the file.
    rows: usize,
}

impl From<&NeighborsPredictor> for StoredNeighbors {
    fn from(rows: &NeighborsPredictor) -> Self {
        Self { sha256: Digest::of(&rows.to_bytes()), rows: rows.row_count() }
    }
}

/// So have dense rows.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StoredDensity {
    cores: StoredNeighbors,
    /// How far they reach.
    #[serde(with = "exact")]
    eps: f64,
}

impl From<&Predictor> for StoredPredictor {
    fn from(predictor: &Predictor) -> Self {
        match predictor {
            Predictor::Linear(linear) => Self::Linear(linear.clone()),
            Predictor::Gaussian(gaussian) => Self::Gaussian(gaussian.clone()),
            Predictor::Centers(centers) => Self::Centers(centers.clone()),
            Predictor::Neighbors(neighbors) => Self::Neighbors(neighbors.into()),
            Predictor::Density(density) => {
                Self::Density(StoredDensity { cores: density.cores().into(), eps: density.eps() })
            }
            Predictor::Trees(trees) => Self::Trees(trees.into()),
            Predictor::Isolation(forest) => Self::Isolation(StoredIsolation {
                trees: forest.trees().into(),
                samples: forest.samples(),
                threshold: forest.threshold(),
            }),
            Predictor::Components(components) => Self::Components(components.clone()),
            Predictor::Onnx(onnx) => {
                Self::Onnx(StoredOnnx { sha256: Digest::of(onnx.file()), answer: onnx.answer().clone() })
            }
            Predictor::Mixture(mixture) => Self::Mixture(mixture.clone()),
            Predictor::Seasonal(seasonal) => Self::Seasonal(seasonal.clone()),
        }
    }
}

impl StoredPredictor {
    /// The predictor, with what its other file has.
    pub(super) fn open(self, other: ReadFile<'_>) -> Result<Predictor, ModelError> {
        match self {
            Self::Linear(linear) => Ok(linear.into()),
            Self::Gaussian(gaussian) => Ok(gaussian.into()),
            Self::Centers(centers) => Ok(centers.into()),
            Self::Components(components) => Ok(components.into()),
            Self::Onnx(StoredOnnx { sha256, answer }) => {
                let bytes = read_belonging(other, ONNX_FILE, &sha256)?;
                Ok(OnnxPredictor::new(bytes.into(), answer)?.into())
            }
            Self::Mixture(mixture) => Ok(mixture.into()),
            Self::Seasonal(seasonal) => Ok(seasonal.into()),
            Self::Isolation(StoredIsolation { trees, samples, threshold }) => {
                let bytes = read_belonging(other, TREES_FILE, &trees.sha256)?;
                Ok(IsolationPredictor::new(TreePredictor::from_bytes(&bytes)?, samples, threshold).into())
            }
            Self::Trees(stored) => {
                let bytes = read_belonging(other, TREES_FILE, &stored.sha256)?;
                Ok(TreePredictor::from_bytes(&bytes)?.into())
            }
            Self::Neighbors(stored) => {
                let bytes = read_belonging(other, NEIGHBORS_FILE, &stored.sha256)?;
                Ok(NeighborsPredictor::from_bytes(&bytes)?.into())
            }
            Self::Density(StoredDensity { cores, eps }) => {
                let bytes = read_belonging(other, NEIGHBORS_FILE, &cores.sha256)?;
                Ok(DensityPredictor::of(NeighborsPredictor::from_bytes(&bytes)?, eps).into())
            }
        }
    }
}

/// Reads another file, which must have this digest.
fn read_belonging(other: ReadFile<'_>, name: &str, sha256: &Digest) -> Result<Vec<u8>, ModelError> {
    let bytes = other(name)?;
    if Digest::of(&bytes) != *sha256 {
        return Err(ModelError::Invalid(format!("{name} is not the one that belongs to it")));
    }
    Ok(bytes)
}

impl From<IsolationPredictor> for Predictor {
    fn from(predictor: IsolationPredictor) -> Self {
        Self::Isolation(predictor)
    }
}
