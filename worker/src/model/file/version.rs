//! The version that a model is written as: the earliest whose workers read all that is in it.
//!
//! A worker that is older says that the model is of a newer version, in place of a name in it that it does not know.

use crate::model::{MODEL_VERSION, Model, Predictor, Target, TreeOutput};
use crate::preprocess::Transform;

/// Version 2, of any predictor that it knows.
const EARLIER: u64 = 2;

/// The version for a model.
pub(super) fn version(model: &Model) -> u64 {
    let is_found = matches!(model.schema.target, Target::Finding(_));
    let is_new = is_found
        || is_new_predictor(&model.predictor)
        || !model.preprocessing.products().is_empty()
        || !model.preprocessing.scales().is_empty()
        || model.preprocessing.transforms().iter().any(is_new_transform);
    if is_new { MODEL_VERSION } else { EARLIER }
}

fn is_new_transform(transform: &Transform) -> bool {
    match transform {
        Transform::Number(_) | Transform::Category(_) => false,
        Transform::Time(time) => time.missing,
        Transform::Code(_)
        | Transform::Ordinal(_)
        | Transform::Text(_)
        | Transform::Target(_)
        | Transform::Hash(_) => true,
    }
}

fn is_new_predictor(predictor: &Predictor) -> bool {
    match predictor {
        Predictor::Linear(_) | Predictor::Gaussian(_) | Predictor::Neighbors(_) => false,
        Predictor::Trees(trees) => trees.output == TreeOutput::SumOfLogarithms,
        Predictor::Centers(_)
        | Predictor::Isolation(_)
        | Predictor::Components(_)
        | Predictor::Mixture(_)
        | Predictor::Density(_)
        | Predictor::Seasonal(_)
        | Predictor::Onnx(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use mlpipeline_crds::TimeInterval;
    use ndarray::{Array1, Array2};

    use super::*;
    use crate::model::{
        Answers, CenterPredictor, ComponentPredictor, DensityPredictor, Feature, FeatureSchema,
        GaussianPredictor, IsolationPredictor, Label, LinearPredictor, MixturePredictor, NeighborsPredictor,
        SeasonalPredictor, TimeValues, TreeBuilder, TreePredictor, Values,
    };
    use crate::preprocess::{ColumnScale, Preprocessing, TimeKind, TimeTransform};

    /// The columns of a date.
    const WIDTH: usize = 5;

    /// The version that is written of a model of one date.
    fn written(predictor: impl Into<Predictor>, missing: bool) -> u64 {
        written_scaled(predictor, missing, Vec::new())
    }

    /// The same with these scales.
    fn written_scaled(predictor: impl Into<Predictor>, missing: bool, scales: Vec<ColumnScale>) -> u64 {
        let predictor = predictor.into();
        let name = "y".to_owned();
        let target = match predictor.finding() {
            Some(finding) => Target::Finding(finding),
            None if matches!(predictor, Predictor::Gaussian(_)) => {
                Target::Class { name, labels: vec![Label::Integer(0), Label::Integer(1)] }
            }
            None => Target::Number { name, min: 0.0, max: 1.0 },
        };
        let time = TimeTransform { kind: TimeKind::Date, impute: None, indicator: false, missing };
        let values = Values::Time(TimeValues { kind: TimeKind::Date, min: 0, max: 1, example: 0 });
        let schema = FeatureSchema {
            features: vec![Feature { name: "day".to_owned(), optional: missing, values }],
            target,
        };
        let preprocessing = Preprocessing::new(vec![Transform::Time(time)]).with_scales(scales);
        let model = Model::new(schema, preprocessing, "x", predictor, BTreeMap::new()).expect("a model");
        let bytes = model.to_bytes().expect("bytes");
        let file: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        if model.predictor.binary_file().is_none() {
            assert_eq!(Model::from_bytes(&bytes).expect("what was written"), model);
        }
        file["version"].as_u64().expect("a version")
    }

    fn trees(output: TreeOutput, start: &[f64]) -> TreePredictor {
        let mut tree = TreeBuilder::new(1);
        tree.leaf(&[0.5]).expect("a leaf");
        let trees = vec![tree.finish().expect("a tree")];
        TreePredictor::new(WIDTH, output, start.to_vec(), trees).expect("trees")
    }

    fn linear() -> LinearPredictor {
        LinearPredictor::new(Array2::zeros((1, WIDTH)), Array1::zeros(1))
    }

    #[test]
    fn what_earlier_workers_read_is_written_for_them() {
        let row = vec![0.0; WIDTH];
        let gaussian = GaussianPredictor::new(vec![-0.5; 2], vec![row.clone(); 2], vec![vec![1.0; WIDTH]; 2]);
        let neighbors = NeighborsPredictor::new(WIDTH, row, Answers::Numbers(vec![1.0]), 1, false);
        let all: [Predictor; 5] = [
            linear().into(),
            gaussian.into(),
            neighbors.expect("a row").into(),
            trees(TreeOutput::MeanOfNumbers, &[]).into(),
            trees(TreeOutput::SumOfNumbers, &[0.5]).into(),
        ];
        for predictor in all {
            assert_eq!(written(predictor.clone(), false), 2, "{predictor:?}");
        }
    }

    #[test]
    fn what_earlier_workers_do_not_know_has_a_version_that_they_refuse() {
        let row = || vec![0.0; WIDTH];
        let whitening = vec![vec![1.0; WIDTH * (WIDTH + 1) / 2]];
        let series = BTreeMap::from([(Vec::new(), (10, vec![1.0]))]);
        let all: [Predictor; 7] = [
            SeasonalPredictor::new((WIDTH, 0, Vec::new()), TimeInterval::Day, 1, series).into(),
            DensityPredictor::new(WIDTH, row(), vec![1], 1, 0.5).expect("a row").into(),
            CenterPredictor::new(vec![row()]).expect("a centre").into(),
            ComponentPredictor::new(row(), vec![row()]).into(),
            MixturePredictor::new(&[1.0], vec![row()], whitening).into(),
            IsolationPredictor::new(trees(TreeOutput::MeanOfNumbers, &[]), 1, 0.5).into(),
            trees(TreeOutput::SumOfLogarithms, &[0.5]).into(),
        ];
        for predictor in all {
            assert_eq!(written(predictor.clone(), false), 3, "{predictor:?}");
        }
        assert_eq!(written(linear(), true), 3, "dates that stay missing");
        let scale = ColumnScale { column: 0, center: 0.1 + 0.2, divisor: 1.0 / 3.0 };
        assert_eq!(written_scaled(linear(), false, vec![scale]), 3, "columns that are scaled");
    }
}
