//! Small models for the tests of this module.

use std::collections::BTreeMap;

use ndarray::{Array1, Array2};

use super::limits::ServingLimits;
use crate::model::{
    Feature, FeatureKind, FeatureSchema, Label, LinearPredictor, Model, NumberValues, Target, Values,
};
use crate::preprocess::Preprocessing;

/// A feature between 0 and 8.
pub fn feature(name: &str, kind: FeatureKind) -> Feature {
    let values = NumberValues { kind, min: 0.0, max: 8.0, mean: 10.0 / 3.0, example: 1.0 };
    Feature { name: name.to_owned(), optional: false, values: Values::Number(values) }
}

/// A model of these features that answers the first class, or 0.5, whatever it is asked.
pub fn model(features: Vec<Feature>, target: Target) -> Model {
    let outputs = LinearPredictor::outputs(&target);
    let intercepts = Array1::from_iter((0..outputs).map(|output| if output == 0 { 0.5 } else { 0.0 }));
    let predictor = LinearPredictor::new(Array2::zeros((outputs, features.len())), intercepts);
    let metrics = BTreeMap::from([("accuracy".to_owned(), 0.966_666_7)]);
    let preprocessing = Preprocessing::identity(features.len());
    let schema = FeatureSchema { features, target };
    Model::new(schema, preprocessing, "logisticRegression", predictor, metrics).expect("a whole model")
}

/// A class of these labels.
pub fn class(name: &str, labels: &[&str]) -> Target {
    Target::Class {
        name: name.to_owned(),
        labels: labels.iter().map(|label| Label::Text((*label).into())).collect(),
    }
}

/// A server without a key.
pub fn limits() -> ServingLimits {
    ServingLimits { needs_key: false, max_rows: 1000, max_body_bytes: 8 << 20 }
}
