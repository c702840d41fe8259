//! Version 2: any predictor, under its name, and the preprocessing that its columns come from. Version 3 has the same form, with
//! kinds of predictors, targets and transforms that workers which write version 2 alone do not know.

use std::collections::BTreeMap;

use mlpipeline_crds::Digest;
use serde::{Deserialize, Serialize};

use super::FORMAT;
use super::version::version;
use crate::exact::Exact;
use crate::model::stored::{ReadFile, StoredPredictor};
use crate::model::{FeatureSchema, Model, ModelError, ModelInfo};
use crate::preprocess::{ColumnScale, Preprocessing, Product, Transform};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Document {
    format: String,
    version: u64,
    algorithm: String,
    schema: FeatureSchema,
    preprocessing: Vec<Transform>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scales: Vec<ColumnScale>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    products: Vec<Product>,
    metrics: BTreeMap<String, Exact>,
    predictor: StoredPredictor,
}

impl Document {
    pub(super) fn of(model: &Model) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: version(model),
            algorithm: model.info.algorithm.clone(),
            schema: model.schema.clone(),
            preprocessing: model.preprocessing.transforms().to_vec(),
            scales: model.preprocessing.scales().to_vec(),
            products: model.preprocessing.products().to_vec(),
            metrics: model.info.metrics.iter().map(|(name, value)| (name.clone(), Exact(*value))).collect(),
            predictor: StoredPredictor::from(&model.predictor),
        }
    }

    pub(super) fn into_model(self, digest: Digest, other: ReadFile<'_>) -> Result<Model, ModelError> {
        let metrics = self.metrics.into_iter().map(|(name, value)| (name, value.0)).collect();
        let info = ModelInfo { revision: None, algorithm: self.algorithm, metrics, digest };
        let predictor = self.predictor.open(other)?;
        let preprocessing = Preprocessing::new(self.preprocessing);
        let preprocessing = preprocessing.with_scales(self.scales).with_products(self.products);
        Ok(Model { schema: self.schema, preprocessing, predictor, info })
    }
}
