//! What is in the file; that it answers as the model does is shown in `tests/tests/onnx.rs`.

use std::collections::BTreeMap;
use std::fmt::Write;

use ndarray::{Array1, Array2};

use super::*;
use crate::model::{
    Answers, Feature, FeatureKind, FeatureSchema, Label, LinearPredictor, NeighborsPredictor, NumberValues,
    Split, Target, TextValues, TimeValues, TreeBuilder, TreeOutput, TreePredictor, Values,
};
use crate::onnx::proto::NodeProto;
use crate::preprocess::{
    CategoryTransform, ColumnScale, NumberTransform, Preprocessing, Product, TimeKind, TimeTransform,
    Transform,
};

fn number(name: &str) -> Feature {
    let values = NumberValues { kind: FeatureKind::Float, min: 0.0, max: 1.0, mean: 0.5, example: 0.5 };
    Feature { name: name.to_owned(), optional: true, values: Values::Number(values) }
}

fn text(name: &str, optional: bool) -> Feature {
    Feature { name: name.to_owned(), optional, values: Values::Text(TextValues { common: Vec::new() }) }
}

fn category(texts: &[&str], other: bool, indicator: bool) -> Transform {
    let categories = texts.iter().map(|text| (*text).to_owned()).collect();
    Transform::Category(CategoryTransform { categories, other, indicator })
}

fn class(name: &str) -> Target {
    Target::Class { name: name.to_owned(), labels: vec![Label::Boolean(false), Label::Boolean(true)] }
}

fn model(columns: Vec<(Feature, Transform)>, target: Target, predictor: impl Into<Predictor>) -> Model {
    let (features, transforms) = columns.into_iter().unzip();
    let schema = FeatureSchema { features, target };
    let preprocessing = Preprocessing::new(transforms);
    Model::new(schema, preprocessing, "anAlgorithm", predictor, BTreeMap::new()).expect("a model")
}

/// A linear model of a number, a text and a time.
fn linear() -> Model {
    let time = TimeTransform { kind: TimeKind::Date, impute: Some(0), indicator: true, missing: false };
    let times = Values::Time(TimeValues { kind: TimeKind::Date, min: 0, max: 1, example: 0 });
    let columns = vec![
        (number("_area"), Transform::Number(NumberTransform { impute: Some(2.0), indicator: true })),
        (text("city", true), category(&["Basel", "Bern"], true, true)),
        (Feature { name: "day".to_owned(), optional: true, values: times }, Transform::Time(time)),
    ];
    let weights = Array2::from_shape_fn((1, 12), |(_, column)| column as f64);
    model(columns, class("sold"), LinearPredictor::new(weights, Array1::from_elem(1, 0.5)))
}

fn decoded(model: &Model) -> ModelProto {
    let bytes = to_onnx(model).expect("ONNX");
    assert_eq!(bytes, to_onnx(model).expect("ONNX"), "the same model, the same bytes");
    ModelProto::decode(bytes.as_slice()).expect("what was written")
}

fn listed(node: &NodeProto) -> String {
    let (domain, op) =
        (node.domain.as_deref().unwrap_or_default(), node.op_type.as_deref().unwrap_or_default());
    let mut line = format!("{} = {domain}{op}({})", node.output.join(", "), node.input.join(", "));
    for attribute in &node.attribute {
        let _ = write!(line, " {}", attribute.name.as_deref().unwrap_or_default());
    }
    line
}

#[test]
fn the_file_of_a_model_stays_as_it_is() {
    let file = decoded(&linear());
    let graph = file.graph.expect("a graph");
    let nodes: Vec<String> = graph.node.iter().map(listed).collect();
    insta::assert_snapshot!(nodes.join("\n"));
    let bytes = to_onnx(&linear()).expect("ONNX");
    insta::assert_snapshot!(format!("{} bytes, {}", bytes.len(), mlpipeline_crds::Digest::of(&bytes)));
}

#[test]
fn inputs_are_the_raw_columns_and_every_value_has_a_name_of_its_own() {
    let file = decoded(&linear());
    let graph = file.graph.expect("a graph");
    let names: Vec<&str> = graph.input.iter().filter_map(|input| input.name.as_deref()).collect();
    assert_eq!(names, ["_area", "city", "day"]);
    let outputs: Vec<&str> = graph.output.iter().filter_map(|output| output.name.as_deref()).collect();
    assert_eq!(outputs, ["label", "probabilities"]);
    let mut known: Vec<&str> = names;
    known.extend(graph.initializer.iter().filter_map(|constant| constant.name.as_deref()));
    for node in &graph.node {
        for input in &node.input {
            assert!(known.contains(&input.as_str()), "{} comes before {input}", listed(node));
        }
        known.extend(node.output.iter().map(String::as_str));
    }
    let count = known.len();
    known.sort_unstable();
    known.dedup();
    assert_eq!(known.len(), count, "a name occurs twice");
}

#[test]
fn scaled_columns_are_subtracted_from_and_divided_before_they_are_multiplied() {
    let plain = || Transform::Number(NumberTransform::default());
    let transforms = vec![plain(), category(&["a"], false, false), plain()];
    let schema = FeatureSchema {
        features: vec![number("x"), text("t", false), number("y")],
        target: Target::Number { name: "z".to_owned(), min: 0.0, max: 1.0 },
    };
    let preprocessing = Preprocessing::new(transforms)
        .with_scales(vec![ColumnScale { column: 2, center: 5.0, divisor: 2.0 }])
        .with_products(vec![Product { first: 0, second: 2 }]);
    let linear = LinearPredictor::new(Array2::from_elem((1, 4), 1.0), Array1::zeros(1));
    let scaled = Model::new(schema, preprocessing, "ridge", linear, BTreeMap::new()).expect("a model");
    let graph = decoded(&scaled).graph.expect("a graph");
    let node =
        |op: &str| graph.node.iter().find(|node| node.op_type.as_deref() == Some(op)).expect("an operator");
    assert_eq!(node("Sub").input[0], "y");
    assert_eq!(node("Div").input[0], node("Sub").output[0]);
    assert_eq!(node("Mul").input, ["x".to_owned(), node("Div").output[0].clone()]);
    assert!(node("Concat").input.contains(&node("Div").output[0]));
}

#[test]
fn children_of_trees_are_numbered_in_the_order_of_their_parts() {
    let mut tree = TreeBuilder::new(1);
    for (threshold, missing_left) in [(1.0, true), (0.5, false)] {
        tree.split(Split { feature: 0, threshold, missing_left }).expect("a split");
    }
    for value in [1.0, 2.0, 3.0] {
        tree.leaf(&[value]).expect("a leaf");
    }
    let trees = vec![tree.finish().expect("a tree")];
    let predictor = TreePredictor::new(1, TreeOutput::SumOfNumbers, vec![0.25], trees).expect("trees");
    let target = Target::Number { name: "y".to_owned(), min: 0.0, max: 1.0 };
    let columns = vec![(number("x"), Transform::Number(NumberTransform::default()))];
    let graph = decoded(&model(columns, target, predictor)).graph.expect("a graph");
    let node = graph.node.iter().find(|node| node.op_type.as_deref() == Some("TreeEnsembleRegressor"));
    let ints = |name: &str| {
        let attributes = &node.expect("trees").attribute;
        let found = attributes.iter().find(|attribute| attribute.name.as_deref() == Some(name));
        found.expect("an attribute").ints.clone()
    };
    assert_eq!(ints("nodes_nodeids"), [0, 1, 2, 3, 4]);
    assert_eq!(ints("nodes_truenodeids"), [1, 2, 0, 0, 0]);
    assert_eq!(ints("nodes_falsenodeids"), [4, 3, 0, 0, 0]);
    assert_eq!(ints("nodes_missing_value_tracks_true"), [1, 0, 0, 0, 0]);
    assert_eq!(ints("target_nodeids"), [2, 3, 4]);
}

#[test]
fn what_cannot_be_said_is_refused() {
    let refused = |model: &Model| to_onnx(model).expect_err("refused").to_string();
    let linear = |columns: usize| LinearPredictor::new(Array2::zeros((1, columns)), Array1::zeros(1));
    let plain = || Transform::Number(NumberTransform { impute: Some(0.0), indicator: false });
    let taken = model(vec![(number("label"), plain())], class("y"), linear(1));
    assert!(
        refused(&taken).contains("its column \"label\" has the name of an output"),
        "{}",
        refused(&taken)
    );
    let nameless = model(vec![(number(""), plain())], class("y"), linear(1));
    assert!(refused(&nameless).contains("a column of its table has no name"));
    let empty = |optional| {
        model(vec![(text("t", optional), category(&["", "a"], false, false))], class("y"), linear(2))
    };
    assert!(refused(&empty(true)).contains("the empty text is a category of column \"t\""));
    to_onnx(&empty(false)).expect("no value is missing");
    let mut tree = TreeBuilder::new(1000);
    for leaf in 0..1000 {
        if leaf < 999 {
            tree.split(Split { feature: 0, threshold: 0.0, missing_left: false }).expect("a split");
        }
        tree.leaf(&[0.001; 1000]).expect("a leaf");
    }
    let tree = tree.finish().expect("a tree");
    let many = TreePredictor::mean(1, TreeOutput::MeanOfProbabilities, vec![tree; 17]).expect("trees");
    let classes = Target::Class { name: "y".to_owned(), labels: (0..1000).map(Label::Integer).collect() };
    let large = refused(&model(vec![(number("x"), plain())], classes, many));
    assert!(large.contains("its trees have 17034000 nodes and numbers"), "{large}");
    let answers = Answers::Classes { count: 2, classes: vec![0, 1] };
    let neighbors = NeighborsPredictor::new(1, vec![0.0, 1.0], answers, 1, false).expect("rows");
    let neighbors = model(vec![(number("x"), plain())], class("y"), neighbors);
    assert!(refused(&neighbors).starts_with("a model of anAlgorithm cannot be written as ONNX: it compares"));
}
