//! Trained models: their schema, their file, and prediction.
//!
//! Owns what a model is once it is trained: [`FeatureSchema`] (what goes in and what comes out), [`Model`] (loading,
//! checking, predicting) and its files, `model.json` and, for trees, `trees.bin`, for neighbours, `neighbors.bin`, or for a model that was made elsewhere, `model.onnx`. Must not train, read tables, or know of HTTP.

mod binary;
mod category_set;
mod centers;
mod components;
mod density;
mod error;
mod feature;
mod file;
mod finding;
mod gaussian;
mod isolation;
mod label;
mod limits;
mod linear;
mod load;
mod mixture;
mod neighbors;
mod neighbors_file;
mod onnx_answers;
mod onnx_predictor;
mod predictions;
mod predictor;
mod schema;
mod seasonal;
mod stored;
mod tree;
mod tree_file;
mod trees;

use std::collections::BTreeMap;
use std::path::Path;

use mlpipeline_crds::{Digest, Revision};
use ndarray::{ArrayView2, Axis};

use crate::failure::StepError;
use crate::preprocess::{Encoder, Form, Preprocessing, Texts, Transform};

pub use category_set::CategorySet;
pub use centers::{CenterPredictor, Centers};
pub use components::ComponentPredictor;
pub use density::DensityPredictor;
pub use error::ModelError;
pub use feature::{Feature, FeatureKind, NumberValues, TextValues, TimeValues, Values};
pub use finding::Finding;
pub use gaussian::GaussianPredictor;
pub use isolation::{IsolationPredictor, path_length};
pub use label::Label;
pub use limits::{
    BINARY_LIMIT, MAX_CLASSES, MAX_COLUMNS, MAX_MAGNITUDE, MAX_NUMBERS, MODEL_FILE, MODEL_VERSION,
    NEIGHBORS_FILE, ONNX_FILE, TREES_FILE,
};
pub use linear::LinearPredictor;
pub use mixture::MixturePredictor;
pub(crate) use neighbors::squared_distance;
pub use neighbors::{Answers, NeighborsPredictor};
pub use onnx_answers::{OnnxAnswer, labels_of};
pub use onnx_predictor::OnnxPredictor;
pub use predictions::Predictions;
pub use predictor::Predictor;
pub use schema::{FeatureSchema, MAX_FEATURES, Target};
pub use seasonal::SeasonalPredictor;
pub(crate) use seasonal::{codes_of, interval_of};
pub use tree::{Split, Subset, Tree, TreeBuilder, TreePart};
pub use trees::{TreeOutput, TreePredictor};

/// What a model that was made elsewhere has in the place of an algorithm.
pub const ONNX: &str = "onnx";

/// A trained model, whole and checked: everything in it fits together, so that prediction cannot fail but for rows of a
/// wrong width.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    schema: FeatureSchema,
    preprocessing: Preprocessing,
    predictor: Predictor,
    info: ModelInfo,
}

/// What there is to say of a model beside its schema.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// The revision that it was published under; absent for a model trained on the command line.
    pub revision: Option<Revision>,
    /// The algorithm's name, as in a spec: one of [`mlpipeline_crds::Algorithm::NAMES`], or [`ONNX`].
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
        preprocessing: Preprocessing,
        algorithm: &str,
        predictor: impl Into<Predictor>,
        metrics: BTreeMap<String, f64>,
    ) -> Result<Self, ModelError> {
        let digest = Digest::of(&[]);
        let info = ModelInfo { revision: None, algorithm: algorithm.to_owned(), metrics, digest };
        let mut model = Self { schema, preprocessing, predictor: predictor.into(), info };
        model.check()?;
        model.info.digest = Digest::of(&model.to_bytes()?);
        Ok(model)
    }

    /// Checks that its parts fit together.
    fn check(&self) -> Result<(), ModelError> {
        self.schema.check()?;
        if let Some(problem) = self.preprocessing.problem() {
            return Err(ModelError::Invalid(problem));
        }
        if let Predictor::Onnx(onnx) = &self.predictor {
            // The graph's own preprocessing is all there is.
            if !self.preprocessing.transforms().is_empty() {
                return Err(ModelError::Invalid("it has preprocessing beside its graph's own".to_owned()));
            }
            return onnx.check(&self.schema);
        }
        let forms = self.preprocessing.transforms().iter().map(Transform::form);
        if !forms.eq(self.schema.features.iter().map(Feature::form)) {
            return Err(ModelError::Invalid("its preprocessing is not that of its features".to_owned()));
        }
        let columns = self.preprocessing.width();
        if columns == 0 || columns > MAX_COLUMNS {
            return Err(ModelError::Invalid(format!("it has {columns} columns, of 1 to {MAX_COLUMNS}")));
        }
        self.predictor.check(columns, &self.schema.target)
    }

    /// Reads and verifies the model in a folder.
    ///
    /// # Errors
    /// When the folder holds no model's manifest, or the model is missing, too large, altered, of a newer version, or not whole.
    pub fn load(folder: &Path) -> Result<Self, StepError> {
        Self::load_expected(folder, None)
    }

    /// [`Model::load`], of the model that a step reported: where its digest is known, no other is accepted.
    ///
    /// # Errors
    /// As [`Model::load`], and when another model is there.
    pub fn load_expected(folder: &Path, expected: Option<&Digest>) -> Result<Self, StepError> {
        Ok(load::load(folder, expected)?)
    }

    /// A file that was published beside the model; `None` where there was none.
    ///
    /// # Errors
    /// When the folder holds no model's manifest, or the file is larger than `limit` bytes, altered or gone.
    pub(crate) fn document(
        folder: &Path,
        expected: Option<&Digest>,
        name: &str,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, StepError> {
        Ok(load::document(folder, expected, name, limit)?)
    }

    /// Reads a model from the bytes of a `model.json`, which must be all there is of it: trees have a file of their own.
    ///
    /// # Errors
    /// When the bytes are not a model of a version that is read, or its parts do not fit together.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        file::parse(bytes, &|name| Err(ModelError::Invalid(format!("{name} is not there"))))
    }

    /// [`Model::from_bytes`] of a model whose other files are read by their names.
    #[cfg(any(test, feature = "fuzz"))]
    pub(crate) fn from_files(
        bytes: &[u8],
        other: &dyn Fn(&str) -> Result<Vec<u8>, ModelError>,
    ) -> Result<Self, ModelError> {
        file::parse(bytes, other)
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
        Ok([(MODEL_FILE, self.to_bytes()?)].into_iter().chain(self.predictor.binary_file()).collect())
    }

    /// Prepares to predict for raw rows whose texts are these, one list for each feature; the lists may be left out where no
    /// feature is a text.
    #[must_use]
    pub fn with_texts<'a>(&'a self, texts: &'a [Texts]) -> RowModel<'a> {
        RowModel { model: self, texts, encoder: self.preprocessing.encoder(texts) }
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

    /// What is done with the features before anything is predicted from them.
    #[must_use]
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// The largest absolute value of a feature, a power of ten, up to which every row has an answer. None larger
    /// is taken, whatever the model could do with it: training, tables to score and requests have the same bound.
    #[must_use]
    pub fn largest_value(&self) -> f64 {
        self.largest_answered().min(MAX_MAGNITUDE)
    }

    fn largest_answered(&self) -> f64 {
        let of_columns = self.predictor.largest_value();
        let (scales, products) = (self.preprocessing.scales(), self.preprocessing.products());
        if (scales.is_empty() && products.is_empty()) || of_columns <= 1.0 {
            return of_columns;
        }
        let mut exponent = of_columns.log10();
        if !products.is_empty() {
            // The product of two such values is a column.
            exponent /= 2.0;
        }
        if !scales.is_empty() {
            // So is the difference of two such values over a divisor.
            let least = scales.iter().fold(1.0, |least: f64, scale| least.min(scale.divisor));
            exponent += least.log10() - std::f64::consts::LOG10_2;
        }
        10_f64.powi(exponent.max(0.0).floor() as i32)
    }

    /// What predicts.
    #[must_use]
    pub fn predictor(&self) -> &Predictor {
        &self.predictor
    }
}

/// How many numbers rows are encoded to at once: 8 MiB, however many rows are asked for.
const PART_NUMBERS: usize = 1 << 20;

/// A model that is ready for raw rows.
#[derive(Debug)]
pub struct RowModel<'a> {
    model: &'a Model,
    texts: &'a [Texts],
    encoder: Encoder<'a>,
}

impl RowModel<'_> {
    /// Predicts for raw rows: one column for each feature, in the schema's order. A row's answer does not depend on the rows
    /// beside it.
    ///
    /// # Errors
    /// When the rows do not have as many columns as the schema has features, or a row's numbers are not finite or so large that
    /// nothing can be predicted from them.
    pub fn predict(&self, rows: ArrayView2<'_, f64>) -> Result<Predictions, ModelError> {
        let expected = self.model.schema.features.len();
        if rows.ncols() != expected {
            return Err(ModelError::Width { found: rows.ncols(), expected });
        }
        if let Predictor::Onnx(onnx) = &self.model.predictor {
            let answer = onnx.predict(rows, self.texts, &self.model.schema.target);
            return answer.map_err(|error| self.without_missing(error, rows));
        }
        let part_rows = (PART_NUMBERS / self.encoder.width().max(1)).max(1);
        let mut parts = rows.axis_chunks_iter(Axis(0), part_rows).enumerate();
        let mut all = match parts.next() {
            Some((_, first)) => self.predict_part(first)?,
            None => return self.predict_part(rows),
        };
        for (index, part) in parts {
            let before = index * part_rows;
            all.append(self.predict_part(part).map_err(|error| error.after(before))?)?;
        }
        Ok(all)
    }

    /// The error of a model that was made elsewhere, which may have nothing to put in the place of a value that is missing.
    fn without_missing(&self, error: ModelError, rows: ArrayView2<'_, f64>) -> ModelError {
        let ModelError::Overflow { row } = error else { return error };
        let mut values = rows.row(row).into_iter().zip(&self.model.schema.features);
        match values.find(|(value, feature)| value.is_nan() && feature.form() != Form::Text) {
            Some((_, feature)) => ModelError::Answer {
                row: Some(row),
                problem: format!(
                    "has no value for \"{}\", and the graph has nothing to put in its place: fill it in, or export the model with an imputer",
                    feature.name
                ),
            },
            None => error,
        }
    }

    /// Predicts for so many rows that they may be encoded at the same time.
    fn predict_part(&self, rows: ArrayView2<'_, f64>) -> Result<Predictions, ModelError> {
        let rows = self.encoder.encode(rows);
        match self.model.schema.target {
            Target::Class { .. } => self.model.predictor.classes(rows.view()),
            Target::Number { .. } => self.model.predictor.numbers(rows.view()).map(Predictions::Numbers),
            Target::Finding(_) => self.model.predictor.findings(rows.view()),
        }
    }
}

#[cfg(test)]
mod tests;
