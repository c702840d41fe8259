//! The file `model.json`: data only, readable, and the same bytes for the same model.
//!
//! Owns the format and its limits. Reading checks everything before anything is built of it, so that a damaged or hostile
//! file gives an error and nothing else.

use std::collections::BTreeMap;

use mlpipeline_crds::Digest;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::exact::{Exact, Row};
use super::limits::{MODEL_FILE, MODEL_VERSION, SIZE_LIMIT};
use super::{FeatureSchema, LinearPredictor, Model, ModelError, ModelInfo};

/// What every model file names as its format.
const FORMAT: &str = "mlpipeline.dev/model";

/// The most bytes of an algorithm's name.
const NAME_LIMIT: usize = 64;

/// The first thing read of a file: everything else depends on the version.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u64,
}

/// A file of one version, as it was written. A version is never changed: a new one gets a variant here and a function that
/// makes a [`Model`] of it, and the files of all versions stay readable.
enum Document {
    V1(DocumentV1),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DocumentV1 {
    format: String,
    version: u64,
    algorithm: String,
    schema: FeatureSchema,
    metrics: BTreeMap<String, Exact>,
    /// One row for each output.
    weights: Vec<Row>,
    intercepts: Row,
}

pub(super) fn render(model: &Model) -> Result<Vec<u8>, ModelError> {
    if let Some((name, value)) = model.info.metrics.iter().find(|(_, value)| !value.is_finite()) {
        return Err(ModelError::Invalid(format!("metric {name} is {value}")));
    }
    let document = DocumentV1 {
        format: FORMAT.to_owned(),
        version: MODEL_VERSION,
        algorithm: model.info.algorithm.clone(),
        schema: model.schema.clone(),
        metrics: model.info.metrics.iter().map(|(name, value)| (name.clone(), Exact(*value))).collect(),
        weights: model.predictor.weights().rows().into_iter().map(|row| Row(row.to_vec())).collect(),
        intercepts: Row(model.predictor.intercepts().to_vec()),
    };
    let mut bytes =
        serde_json::to_vec_pretty(&document).map_err(|error| ModelError::Invalid(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

pub(super) fn parse(bytes: &[u8]) -> Result<Model, ModelError> {
    let found = bytes.len() as u64;
    if found > SIZE_LIMIT {
        return Err(ModelError::TooLarge { found });
    }
    let invalid = |error: serde_json::Error| ModelError::Invalid(format!("{MODEL_FILE}: {error}"));
    let head: Head = serde_json::from_slice(bytes).map_err(invalid)?;
    if head.format != FORMAT {
        return Err(ModelError::Invalid(format!("{MODEL_FILE} is of another format than {FORMAT}")));
    }
    let document = match head.version {
        1 => Document::V1(serde_json::from_slice(bytes).map_err(invalid)?),
        found => return Err(ModelError::Version { found }),
    };
    match document {
        Document::V1(document) => document.into_model(Digest::of(bytes)),
    }
}

impl DocumentV1 {
    fn into_model(self, digest: Digest) -> Result<Model, ModelError> {
        if self.algorithm.len() > NAME_LIMIT {
            let problem = format!("the algorithm's name is longer than {NAME_LIMIT} bytes");
            return Err(ModelError::Invalid(problem));
        }
        self.schema.check()?;
        let predictor = predictor(self.weights, self.intercepts)?;
        predictor.check(&self.schema)?;
        let metrics = self.metrics.into_iter().map(|(name, value)| (name, value.0)).collect();
        let info = ModelInfo { revision: None, algorithm: self.algorithm, metrics, digest };
        Ok(Model { schema: self.schema, predictor, info })
    }
}

fn predictor(rows: Vec<Row>, intercepts: Row) -> Result<LinearPredictor, ModelError> {
    let (outputs, features) = (rows.len(), rows.first().map_or(0, |row| row.0.len()));
    if rows.iter().any(|row| row.0.len() != features) {
        return Err(ModelError::Invalid("its rows of weights are of different lengths".to_owned()));
    }
    let flat = rows.into_iter().flat_map(|row| row.0).collect();
    let weights = Array2::from_shape_vec((outputs, features), flat)
        .map_err(|error| ModelError::Invalid(error.to_string()))?;
    Ok(LinearPredictor::new(weights, Array1::from_vec(intercepts.0)))
}
