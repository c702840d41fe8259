//! Version 1: a linear model of columns that are numbers.

use std::collections::BTreeMap;

use mlpipeline_crds::Digest;
use serde::Deserialize;

use crate::model::exact::{Exact, Row};
use crate::model::{FeatureSchema, LinearPredictor, Model, ModelError, ModelInfo};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Document {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "version")]
    _version: u64,
    algorithm: String,
    schema: FeatureSchema,
    metrics: BTreeMap<String, Exact>,
    /// One row for each output.
    weights: Vec<Row>,
    intercepts: Row,
}

impl Document {
    pub(super) fn into_model(self, digest: Digest) -> Result<Model, ModelError> {
        let predictor = LinearPredictor::from_rows(self.weights, self.intercepts);
        let predictor = predictor.map_err(ModelError::Invalid)?.into();
        let metrics = self.metrics.into_iter().map(|(name, value)| (name, value.0)).collect();
        let info = ModelInfo { revision: None, algorithm: self.algorithm, metrics, digest };
        Ok(Model { schema: self.schema, predictor, info })
    }
}
