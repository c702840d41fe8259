//! Which models are published: those that answer some row, by the same way as rows that are served.

use mlpipeline_crds::ImportStep;
use ndarray::array;

use super::Imported;
use super::tests::{asked, refusal, take};
use crate::model::{Label, Predictions};
use crate::onnx::proto::{ModelProto, NodeProto, TensorProto, data_type};
use crate::onnx::test_files::{model, node, node_with, of_nodes, value};

fn floats(name: &str, shape: &[i64], values: &[f32]) -> TensorProto {
    TensorProto {
        dims: shape.to_vec(),
        data_type: Some(data_type::FLOAT),
        float_data: values.to_vec(),
        name: Some(name.to_owned()),
        ..TensorProto::default()
    }
}

/// A weighted sum of two columns for each output.
fn gemm(weights: &[f32]) -> ModelProto {
    let outputs = weights.len() as i64 / 2;
    of_nodes(vec![node("Gemm", &["x", "w"], &["y"])], vec![floats("w", &[2, outputs], weights)], 2)
}

fn argmax() -> NodeProto {
    node_with(node("ArgMax", &["x"], &["y"]), "axis", Some(1), &[])
}

fn classes(imported: &Imported, rows: ndarray::Array2<f64>) -> Vec<Label> {
    let Predictions::Classes { index, .. } =
        imported.model.with_texts(&[]).predict(rows.view()).expect("classes")
    else {
        panic!("classes")
    };
    index.into_iter().map(|place| imported.model.schema().target.labels()[place].clone()).collect()
}

#[test]
fn a_model_whose_weights_are_no_numbers_is_refused_with_what_to_look_for() {
    for weights in [[f32::NAN, 1.0], [1.0, f32::NAN], [f32::INFINITY, 1.0], [f32::NEG_INFINITY, f32::NAN]] {
        let refused = refusal(&gemm(&weights), &asked(&["a", "b"], &[]));
        assert!(refused.contains("answers with no finite number") && refused.contains("NaN"), "{refused}");
    }
    let step = ImportStep { softmax: true, ..asked(&["a", "b"], &["no", "yes"]) };
    let refused = refusal(&gemm(&[f32::NAN, 1.0, 1.0, 1.0]), &step);
    assert!(refused.contains("answers with no finite number"), "{refused}");
    // A class is named, and its score is none.
    let scores = node("Gemm", &["x", "w"], &["scores"]);
    let label = node_with(node("ArgMax", &["scores"], &["label"]), "axis", Some(1), &[]);
    let input = vec![value("x", data_type::FLOAT, &[0, 2])];
    let weights = floats("w", &[2, 2], &[f32::NAN; 4]);
    let both = model(vec![scores, label], vec![weights], input, &["label", "scores"]);
    let refused = refusal(&both, &asked(&["a", "b"], &["no", "yes"]));
    assert!(refused.contains("answers with no finite number"), "{refused}");
}

#[test]
fn one_row_with_an_answer_is_enough() {
    // Nothing below a million, and what is beyond what 32 bits hold at 1.
    let less = vec![node("Sub", &["x", "c"], &["less"]), node("Log", &["less"], &["y"])];
    take(&of_nodes(less, vec![floats("c", &[1], &[1e6])], 1), &asked(&["a"], &[]));
    let steep = vec![node("Mul", &["x", "c"], &["times"]), node("Exp", &["times"], &["y"])];
    take(&of_nodes(steep, vec![floats("c", &[1], &[1000.0])], 1), &asked(&["a"], &[]));
    // A difference that must not be 0.
    let between = vec![node("Gemm", &["x", "w"], &["less"]), node("Reciprocal", &["less"], &["y"])];
    take(&of_nodes(between, vec![floats("w", &[2, 1], &[1.0, -1.0])], 2), &asked(&["a", "b"], &[]));
}

#[test]
fn places_of_the_largest_score_are_those_of_the_classes_that_are_named() {
    let rows = || array![[1.0, 2.0], [2.0, 1.0]];
    let text = |label: &str| Label::Text(label.to_owned());
    let places = of_nodes(vec![argmax()], Vec::new(), 2);
    let of = |names: [&str; 2]| classes(&take(&places, &asked(&["a", "b"], &names)), rows());
    assert_eq!(of(["no", "yes"]), [text("yes"), text("no")]);
    // In the graph's order, whatever theirs is.
    assert_eq!(of(["yes", "no"]), [text("no"), text("yes")]);
    assert_eq!(of(["3", "7"]), [Label::Integer(7), Label::Integer(3)]);
    assert_eq!(of(["false", "true"]), [Label::Boolean(true), Label::Boolean(false)]);
    // These are the places themselves.
    assert_eq!(of(["1", "0"]), [Label::Integer(1), Label::Integer(0)]);

    let read = take(&places, &asked(&["a", "b"], &["yes", "no"])).model;
    let files = read.files().expect("files");
    let again = crate::model::Model::from_files(&files[0].1, &|_| Ok(files[1].1.clone())).expect("a model");
    assert_eq!(again, read);
}

#[test]
fn places_are_those_of_the_classes_that_the_graph_names_for_its_scores() {
    // As scikit-learn's OneVsOneClassifier is written.
    let mut named = node_with(node("ZipMap", &["x"], &["scores"]), "classlabels_int64s", None, &[3, 7, 11]);
    named.domain = Some("ai.onnx.ml".to_owned());
    let input = vec![value("x", data_type::FLOAT, &[0, 3])];
    let graph = model(vec![argmax(), named], Vec::new(), input, &["y", "scores"]);
    let taken = take(&graph, &asked(&["a", "b", "c"], &[]));
    let found = classes(&taken, array![[0.0, 0.0, 5.0], [0.0, 5.0, 0.0], [5.0, 0.0, 0.0]]);
    assert_eq!(found, [11, 7, 3].map(Label::Integer));
}

/// As a graph answers that has more to it than its places.
#[test]
fn places_that_became_booleans_or_texts_are_answered_as_such() {
    for (to, names) in [(9, ["false", "true"]), (8, ["0", "1"])] {
        let place = node("ArgMax", &["x"], &["place"]);
        let place = node_with(node_with(place, "axis", Some(1), &[]), "keepdims", Some(0), &[]);
        let cast = node_with(node("Cast", &["place"], &["y"]), "to", Some(to), &[]);
        let taken = take(&of_nodes(vec![place, cast], Vec::new(), 2), &asked(&["a", "b"], &names));
        let answered = classes(&taken, array![[1.0, 2.0]]);
        assert_eq!(answered.iter().map(ToString::to_string).collect::<Vec<_>>(), [names[1]]);
    }
}

#[test]
fn columns_of_different_domains_and_numbers_beside_the_answer_are_no_reason_to_refuse() {
    // The root of each of two columns less what only a large and a small value have.
    let apart = vec![
        node("Mul", &["x", "sign"], &["signed"]),
        node("Add", &["signed", "more"], &["moved"]),
        node("Sqrt", &["moved"], &["roots"]),
        node("Gemm", &["roots", "w"], &["y"]),
    ];
    let held = vec![
        floats("sign", &[2], &[1.0, -1.0]),
        floats("more", &[2], &[-1500.0, 150.0]),
        floats("w", &[2, 1], &[1.0, 1.0]),
    ];
    take(&of_nodes(apart, held, 2), &asked(&["year", "age"], &[]));
}

#[test]
fn whole_numbers_that_may_be_anything_are_not_taken_for_other_classes() {
    let whole = of_nodes(vec![node_with(node("Cast", &["x"], &["y"]), "to", Some(7), &[])], Vec::new(), 1);
    let refused = refusal(&whole, &asked(&["a"], &["no", "yes"]));
    assert!(refused.contains("name the numbers, as in classes: [0, 1]"), "{refused}");
    let refused = refusal(&whole, &asked(&["a"], &["77", "78"]));
    assert!(
        refused.contains("no answer to any of 80 rows") && refused.contains("name in classes"),
        "{refused}"
    );
    // A class that the graph answers and nobody named.
    let known = take(&whole, &asked(&["a"], &["0", "7"])).model;
    let error = known.with_texts(&[]).predict(array![[1.0]].view()).expect_err("no class").to_string();
    assert!(error.starts_with("row 1: the graph answers \"1\", which is none of its classes"), "{error}");
}

#[test]
fn a_class_that_is_named_twice_is_named() {
    let step = ImportStep { softmax: true, ..asked(&["a", "b"], &["p", "p"]) };
    let refused = refusal(&gemm(&[1.0, 2.0, 3.0, 4.0]), &step);
    assert_eq!(refused, "classes names \"p\" twice; name each class once");
}
