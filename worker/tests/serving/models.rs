//! Models for tests, with weights that are known.

use std::collections::BTreeMap;

use mlpipeline_worker::model::{
    Feature, FeatureKind, FeatureSchema, Label, LinearPredictor, Model, NumberValues, Target, Values,
};
use mlpipeline_worker::preprocess::Preprocessing;
use ndarray::{Array1, Array2};

fn feature(name: &str, min: f64, max: f64, example: f64) -> Feature {
    let values = NumberValues { kind: FeatureKind::Float, min, max, mean: (min + max) / 2.0, example };
    Feature { name: name.to_owned(), optional: false, values: Values::Number(values) }
}

/// The Iris classifier, with the weights that scikit-learn's LogisticRegression finds.
pub fn iris() -> Model {
    let features = vec![
        feature("sepal_length", 4.3, 7.9, 5.8),
        feature("sepal_width", 2.0, 4.4, 3.0),
        feature("petal_length", 1.0, 6.9, 4.3),
        feature("petal_width", 0.1, 2.5, 1.3),
    ];
    let labels = ["setosa", "versicolor", "virginica"].map(|label| Label::Text(label.to_owned())).to_vec();
    let weights = vec![
        -0.423_505_538,
        0.967_349_859,
        -2.517_153_741,
        -1.079_336_061,
        0.534_459_553,
        -0.321_588_707,
        -0.206_391_830,
        -0.944_297_397,
        -0.110_954_015,
        -0.645_761_153,
        2.723_545_571,
        2.023_633_458,
    ];
    let intercepts = vec![9.849_549_878, 2.237_216_694, -12.086_766_572];
    model(features, Target::Class { name: "species".into(), labels }, weights, intercepts)
}

/// A regression of one feature: price = 2 size + 1.
pub fn price() -> Model {
    let target = Target::Number { name: "price".into(), min: 1.0, max: 201.0 };
    model(vec![feature("size", 0.0, 100.0, 50.0)], target, vec![2.0], vec![1.0])
}

/// A model whose names try to break out of the page.
pub fn evil() -> Model {
    let labels = ["\"'&", "<img src=x onerror=alert(1)>"].map(|label| Label::Text(label.to_owned())).to_vec();
    let target = Target::Class { name: "<b>target".into(), labels };
    model(
        vec![feature("<script>alert(1)</script>", 0.0, 1.0, 0.5), feature("größe 🌡", 0.0, 1.0, 0.5)],
        target,
        vec![1.0, 1.0],
        vec![0.0],
    )
}

fn model(features: Vec<Feature>, target: Target, weights: Vec<f64>, intercepts: Vec<f64>) -> Model {
    let weights = Array2::from_shape_vec((intercepts.len(), features.len()), weights).expect("a shape");
    let predictor = LinearPredictor::new(weights, Array1::from_vec(intercepts));
    let algorithm = if target.labels().is_empty() { "linearRegression" } else { "logisticRegression" };
    let metrics = BTreeMap::from([("accuracy".to_owned(), 0.973)]);
    let preprocessing = Preprocessing::identity(features.len());
    let schema = FeatureSchema { features, target };
    Model::new(schema, preprocessing, algorithm, predictor, metrics).expect("a whole model")
}
