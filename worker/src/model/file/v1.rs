//! Version 1: a linear model of columns that are numbers.

use std::collections::BTreeMap;

use mlpipeline_crds::Digest;
use serde::Deserialize;

use crate::exact::{self, Exact, Row};
use crate::model::{
    Feature, FeatureKind, FeatureSchema, LinearPredictor, Model, ModelError, ModelInfo, NumberValues, Target,
    Values,
};
use crate::preprocess::Preprocessing;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Document {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "version")]
    _version: u64,
    algorithm: String,
    schema: SchemaV1,
    metrics: BTreeMap<String, Exact>,
    /// One row for each output.
    weights: Vec<Row>,
    intercepts: Row,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SchemaV1 {
    features: Vec<FeatureV1>,
    target: Target,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FeatureV1 {
    name: String,
    kind: FeatureKind,
    #[serde(with = "exact")]
    min: f64,
    #[serde(with = "exact")]
    max: f64,
    #[serde(with = "exact")]
    mean: f64,
    #[serde(with = "exact")]
    example: f64,
}

impl From<FeatureV1> for Feature {
    fn from(FeatureV1 { name, kind, min, max, mean, example }: FeatureV1) -> Self {
        let values = Values::Number(NumberValues { kind, min, max, mean, example });
        Self { name, optional: false, values }
    }
}

impl Document {
    pub(super) fn into_model(self, digest: Digest) -> Result<Model, ModelError> {
        let predictor = LinearPredictor::from_rows(self.weights, self.intercepts);
        let predictor = predictor.map_err(ModelError::Invalid)?.into();
        let metrics = self.metrics.into_iter().map(|(name, value)| (name, value.0)).collect();
        let info = ModelInfo { revision: None, algorithm: self.algorithm, metrics, digest };
        let features: Vec<Feature> = self.schema.features.into_iter().map(Feature::from).collect();
        let preprocessing = Preprocessing::identity(features.len());
        let schema = FeatureSchema { features, target: self.schema.target };
        Ok(Model { schema, preprocessing, predictor, info })
    }
}
