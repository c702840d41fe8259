//! Trained models: their schema, their file, and prediction.
//!
//! Owns what a model is once it is trained: [`FeatureSchema`] (what goes in and what comes out), [`Model`] (loading,
//! checking, predicting) and its files, `model.json` and, for trees, `trees.bin`. Must not train, read tables, or know of HTTP.

mod error;
mod exact;
mod file;
mod limits;
mod linear;
mod load;
mod predictions;
mod predictor;
mod schema;
mod tree;
mod tree_file;
mod trees;

use std::collections::BTreeMap;
use std::path::Path;

use mlpipeline_crds::{Digest, Revision};
use ndarray::ArrayView2;

use crate::failure::StepError;

pub use error::ModelError;
pub use limits::{MODEL_FILE, MODEL_VERSION, TREES_FILE, TREES_LIMIT};
pub use linear::LinearPredictor;
pub use predictions::Predictions;
pub use predictor::Predictor;
pub use schema::{Feature, FeatureKind, FeatureSchema, Label, MAX_CLASSES, MAX_FEATURES, Target};
pub use tree::{Split, Tree, TreeBuilder};
pub use trees::{TreeOutput, TreePredictor};

/// A trained model, whole and checked: everything in it fits together, so that prediction cannot fail but for rows of a
/// wrong width.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    schema: FeatureSchema,
    predictor: Predictor,
    info: ModelInfo,
}

/// What there is to say of a model beside its schema.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// The revision that it was published under; absent for a model trained on the command line.
    pub revision: Option<Revision>,
    /// The algorithm's name, as in a spec: one of [`mlpipeline_crds::Algorithm::NAMES`].
    pub algorithm: String,
    /// What training measured, by [`mlpipeline_crds::Metric::name`] and the other names of a report.
    pub metrics: BTreeMap<String, f64>,
    /// The SHA-256 of `model.json`.
    pub digest: Digest,
}

impl Model {
    /// A model from its parts.
    ///
    /// # Errors
    /// When the parts do not fit together: the predictor's shape is not the schema's, a number is not finite, names or labels
    /// occur twice.
    pub fn new(
        schema: FeatureSchema,
        algorithm: &str,
        predictor: impl Into<Predictor>,
        metrics: BTreeMap<String, f64>,
    ) -> Result<Self, ModelError> {
        let digest = Digest::of(&[]);
        let info = ModelInfo { revision: None, algorithm: algorithm.to_owned(), metrics, digest };
        let mut model = Self { schema, predictor: predictor.into(), info };
        model.check()?;
        model.info.digest = Digest::of(&model.to_bytes()?);
        Ok(model)
    }

    /// Checks that its parts fit together.
    fn check(&self) -> Result<(), ModelError> {
        self.schema.check()?;
        self.predictor.check(self.schema.features.len(), &self.schema.target)
    }

    /// Reads and verifies the model in a folder.
    ///
    /// # Errors
    /// When the folder holds no model's manifest, or the model is missing, too large, altered, of a newer version, or not whole.
    pub fn load(folder: &Path) -> Result<Self, StepError> {
        Ok(load::load(folder)?)
    }

    /// Reads a model from the bytes of a `model.json`, which must be all there is of it: trees have a file of their own.
    ///
    /// # Errors
    /// When the bytes are not a model of a version that is read, or its parts do not fit together.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        file::parse(bytes, &|name| Err(ModelError::Invalid(format!("{name} is not there"))))
    }

    /// The bytes of this model's `model.json`. The same model always gives the same bytes.
    ///
    /// # Errors
    /// When a metric is not a finite number, which JSON cannot hold.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        file::render(self)
    }

    /// The files that the model is published as, by name.
    ///
    /// # Errors
    /// As [`Model::to_bytes`].
    pub fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>, ModelError> {
        let trees = self.predictor.trees().map(|trees| (TREES_FILE, trees.to_bytes()));
        Ok([(MODEL_FILE, self.to_bytes()?)].into_iter().chain(trees).collect())
    }

    /// Predicts for rows of numbers: one column for each feature, in the schema's order.
    ///
    /// # Errors
    /// When the rows do not have as many columns as the schema has features, or a row's numbers are not finite or so large that
    /// the weighted sum is not.
    pub fn predict(&self, rows: ArrayView2<'_, f64>) -> Result<Predictions, ModelError> {
        let expected = self.schema.features.len();
        if rows.ncols() != expected {
            return Err(ModelError::Width { found: rows.ncols(), expected });
        }
        match self.schema.target {
            Target::Class { .. } => self.predictor.classes(rows),
            Target::Number { .. } => self.predictor.numbers(rows).map(Predictions::Numbers),
        }
    }

    /// What goes in and what comes out.
    #[must_use]
    pub fn schema(&self) -> &FeatureSchema {
        &self.schema
    }

    /// Its revision, algorithm, metrics and digest.
    #[must_use]
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// What predicts.
    #[must_use]
    pub fn predictor(&self) -> &Predictor {
        &self.predictor
    }
}

#[cfg(test)]
mod tests;
