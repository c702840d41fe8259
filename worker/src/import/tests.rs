//! Which columns, classes and answers a graph is taken to have, and what is said where it says too little.

use bytes::Bytes;
use mlpipeline_crds::ImportStep;
use ndarray::array;

use super::{Imported, inspect};
use crate::model::{FeatureKind, Label, Model, Predictions, Target, Values};
use crate::onnx::proto::{AttributeProto, ModelProto, NodeProto, TensorProto, data_type};
use crate::onnx::test_files::{bytes, integers, model, node, node_with, of_nodes, value};
use crate::preprocess::Texts;

pub(super) fn asked(features: &[&str], classes: &[&str]) -> ImportStep {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    ImportStep {
        uri: "file:model.onnx".to_owned(),
        sha256: None,
        credentials: None,
        target: "y".to_owned(),
        features: owned(features),
        classes: owned(classes),
        softmax: false,
    }
}

pub(super) fn take(model: &ModelProto, asked: &ImportStep) -> Imported {
    inspect(bytes(model), asked).expect("a model")
}

pub(super) fn refusal(model: &ModelProto, asked: &ImportStep) -> String {
    inspect(bytes(model), asked).expect_err("refused").to_string()
}

/// Half of the sum of each row.
fn sum(columns: i64) -> ModelProto {
    let sum = node_with(node("ReduceSum", &["x", "axes"], &["y"]), "keepdims", Some(1), &[]);
    of_nodes(vec![sum], vec![integers("axes", &[1])], columns)
}

#[test]
fn a_matrix_has_the_columns_that_are_named_and_answers_a_number() {
    let imported = take(&sum(3), &asked(&["a", "b", "c"], &[]));
    assert_eq!(imported.notes, ["takes 3 columns and answers a number, y"]);
    let schema = imported.model.schema();
    assert_eq!(schema.names().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert!(schema.features.iter().all(|feature| feature.optional && !feature.is_boolean()));
    let found = imported.model.with_texts(&[]).predict(array![[1.0, 2.0, 3.0], [0.5, 0.0, -1.0]].view());
    assert_eq!(found.expect("numbers"), Predictions::Numbers(array![6.0, -0.5]));
    let missing =
        imported.model.with_texts(&[]).predict(array![[1.0, 2.0, 3.0], [f64::NAN, 0.0, 0.0]].view());
    let missing = missing.expect_err("nothing is in its place").to_string();
    assert!(missing.starts_with("row 2: has no value for \"a\", and the graph has nothing"), "{missing}");
    let large = imported.model.with_texts(&[]).predict(array![[1.0, 2.0, 1e39]].view());
    let large = large.expect_err("too large for the graph").to_string();
    assert!(large.contains("takes numbers between -1e38 and 1e38, and 1e39 is not"), "{large}");
}

#[test]
fn a_model_that_was_taken_is_read_from_its_files_as_it_was() {
    let model = take(&sum(2), &asked(&["a", "b"], &[])).model;
    let files = model.files().expect("files");
    let [(first, json), (second, graph)] = files.as_slice() else { panic!("two files") };
    assert_eq!((*first, *second), ("model.json", "model.onnx"));
    let read = Model::from_files(json, &|_| Ok(graph.clone())).expect("a model");
    assert_eq!(read, model);
    let other = bytes(&sum(3)).to_vec();
    let error = Model::from_files(json, &|_| Ok(other.clone())).expect_err("another graph").to_string();
    assert!(error.contains("model.onnx is not the one that belongs to it"), "{error}");
}

#[test]
fn names_that_do_not_fit_the_columns_are_refused_with_both_numbers() {
    let unnamed = refusal(&sum(3), &asked(&[], &[]));
    assert!(
        unnamed.contains(
            "the graph's input \"x\" takes 3 columns, and nothing says which; name them in features"
        ),
        "{unnamed}"
    );
    let few = refusal(&sum(3), &asked(&["a", "b"], &[]));
    assert_eq!(few, "features names 2 columns, and the graph takes 3");
    let twice = refusal(&sum(2), &asked(&["a", "a"], &[]));
    assert!(twice.contains("features names \"a\" twice"), "{twice}");
    // A matrix of any number of columns has as many as are named.
    assert_eq!(take(&sum(0), &asked(&["a", "b"], &[])).model.schema().features.len(), 2);
    let many = model(Vec::new(), Vec::new(), vec![value("x", data_type::FLOAT, &[0, 3, 4])], &["x"]);
    assert!(refusal(&many, &asked(&[], &[])).contains("has 3 dimensions"));
    let five = model(Vec::new(), Vec::new(), vec![value("x", data_type::FLOAT, &[5, 1])], &["x"]);
    assert!(refusal(&five, &asked(&[], &[])).contains("takes 5 rows at a time"));
}

#[test]
fn scores_become_probabilities_of_the_classes_that_are_named() {
    let scores = of_nodes(vec![node("Neg", &["x"], &["y"])], Vec::new(), 3);
    let mut step = asked(&["a", "b", "c"], &["mid", "low", "high"]);
    let unclear = refusal(&scores, &step);
    assert!(unclear.contains("are not probabilities") && unclear.contains("set softmax: true"), "{unclear}");
    step.softmax = true;
    let model = take(&scores, &step).model;
    let labels = ["high", "low", "mid"].map(|label| Label::Text(label.to_owned())).to_vec();
    assert_eq!(model.schema().target, Target::Class { name: "y".to_owned(), labels });
    let found = model.with_texts(&[]).predict(array![[-1.0, 0.0, 1.0]].view()).expect("classes");
    let Predictions::Classes { index, probabilities } = found else { panic!("classes") };
    // The first column is of mid, which is the last of the sorted classes.
    assert_eq!(index, [2]);
    assert!(
        (probabilities[(0, 2)] - 0.665_240_955_774_821_9).abs() < 1e-12
            && (probabilities.sum() - 1.0).abs() < 1e-12
    );
    let few = refusal(&scores, &asked(&["a", "b", "c"], &["x", "y"]));
    assert!(few.contains("classes names 2 classes, and the graph's output \"y\" has 3 scores"), "{few}");
    let none = refusal(&scores, &asked(&["a", "b", "c"], &[]));
    assert!(none.contains("has 3 numbers for a row; name as many classes"), "{none}");
}

#[test]
fn one_score_for_two_classes_is_that_of_the_second() {
    let one = of_nodes(vec![node("Sigmoid", &["x"], &["y"])], Vec::new(), 1);
    let model = take(&one, &asked(&["a"], &["0", "1"])).model;
    assert_eq!(model.schema().target.labels(), [Label::Integer(0), Label::Integer(1)]);
    let found = model.with_texts(&[]).predict(array![[2.0], [-2.0]].view()).expect("classes");
    let Predictions::Classes { index, probabilities } = found else { panic!("classes") };
    assert_eq!(index, [1, 0]);
    assert!((probabilities[(0, 1)] - 0.880_797).abs() < 1e-6);
}

#[test]
fn a_label_alone_is_a_number_or_one_of_the_classes_that_are_named() {
    let argmax = node_with(node("ArgMax", &["x"], &["y"]), "axis", Some(1), &[]);
    let argmax = of_nodes(vec![argmax], Vec::new(), 2);
    let number = take(&argmax, &asked(&["a", "b"], &[]));
    assert!(
        number.notes.iter().any(|note| note.contains("are taken as numbers: name classes")),
        "{:?}",
        number.notes
    );
    let classes = take(&argmax, &asked(&["a", "b"], &["0", "1"])).model;
    let rows = array![[1.0, 2.0], [2.0, 1.0]];
    let found = classes.with_texts(&[]).predict(rows.view()).expect("classes");
    assert_eq!(
        found,
        Predictions::Classes { index: vec![1, 0], probabilities: array![[0.0, 1.0], [1.0, 0.0]] }
    );
}

#[test]
fn an_answer_that_depends_on_other_rows_is_refused() {
    let mean = node_with(node("ReduceMean", &["x", "axes"], &["mean"]), "keepdims", Some(1), &[]);
    let less = node("Sub", &["x", "mean"], &["y"]);
    let found = refusal(&of_nodes(vec![mean, less], vec![integers("axes", &[0])], 1), &asked(&[], &[]));
    assert!(found.contains("depends on the rows beside it"), "{found}");
}

/// A node with texts for its attributes: one, or a list.
fn node_of_texts(node: NodeProto, lists: &[(&str, &[&'static str])]) -> NodeProto {
    lists.iter().fold(node, |mut node, (name, texts)| {
        let mut strings: Vec<Bytes> = texts.iter().map(|text| Bytes::from_static(text.as_bytes())).collect();
        let s = if name.ends_with('s') { None } else { strings.pop() };
        node.attribute.push(AttributeProto {
            name: Some((*name).to_owned()),
            s,
            strings,
            ..AttributeProto::default()
        });
        node
    })
}

/// How often the second word of a pool is in each row of words; its column is this one.
fn second_word(column: i64) -> Vec<NodeProto> {
    let counts = [("min_gram_length", 1), ("max_gram_length", 1), ("max_skip_count", 0)]
        .into_iter()
        .fold(node("TfIdfVectorizer", &["words"], &["counts"]), |node, (name, value)| {
            node_with(node, name, Some(value), &[])
        });
    let counts =
        node_with(node_with(counts, "ngram_counts", None, &[0]), "ngram_indexes", None, &[0, column]);
    let counts = node_of_texts(counts, &[("mode", &["TF"]), ("pool_strings", &["a", "#"])]);
    vec![counts, node_with(node("Gather", &["counts", "column"], &["y"]), "axis", Some(1), &[])]
}

/// Rows of texts: the places of these, and the texts.
fn rows_of(texts: &[&str]) -> (ndarray::Array2<f64>, Texts) {
    let mut known = Texts::default();
    let places: Vec<f64> = texts.iter().map(|text| f64::from(known.place(text))).collect();
    (ndarray::Array2::from_shape_vec((texts.len(), 1), places).expect("rows"), known)
}

#[test]
fn a_text_is_answered_alike_whatever_is_beside_it() {
    // Into signs: the file fills rows of fewer with one that counts.
    let mut signs = node_with(node("Tokenizer", &["x"], &["words"]), "mincharnum", Some(1), &[]);
    signs.domain = Some("com.microsoft".to_owned());
    let signs = node_of_texts(signs, &[("separators", &[""]), ("pad_value", &["#"])]);
    let nodes = [vec![signs], second_word(1)].concat();
    let file =
        model(nodes, vec![integers("column", &[1])], vec![value("x", data_type::STRING, &[0])], &["y"]);
    let model = take(&file, &asked(&["text"], &[])).model;
    let (rows, texts) = rows_of(&["a#", "", "a##aaaaaaaa", "#"]);
    let found = model.with_texts(&[texts]).predict(rows.view()).expect("numbers");
    assert_eq!(found, Predictions::Numbers(array![1.0, 0.0, 2.0, 1.0]));
}

#[test]
fn rows_that_take_too_much_memory_together_are_answered_in_fewer() {
    // A column that is far away: 16 MiB a row.
    let words = node_with(node("Reshape", &["x", "shape"], &["words"]), "allowzero", Some(0), &[]);
    let far = (1 << 22) - 1;
    let file = model(
        [vec![words], second_word(far)].concat(),
        vec![integers("column", &[far]), integers("shape", &[-1, 1])],
        vec![value("x", data_type::STRING, &[0])],
        &["y"],
    );
    let model = take(&file, &asked(&["text"], &[])).model;
    let asked: Vec<&str> = (0..70).map(|row| if row % 3 == 0 { "#" } else { "a" }).collect();
    let (rows, texts) = rows_of(&asked);
    let found = model.with_texts(&[texts]).predict(rows.view()).expect("numbers");
    let expected = asked.iter().map(|text| f64::from(u8::from(*text == "#"))).collect();
    assert_eq!(found, Predictions::Numbers(expected));
}

#[test]
fn each_type_of_input_is_a_kind_of_column() {
    let inputs = vec![
        value("t", data_type::STRING, &[0, 1]),
        value("i", data_type::INT64, &[0]),
        value("b", data_type::BOOL, &[0, 1]),
        value("d", data_type::DOUBLE, &[0, 1]),
    ];
    let cast = |from: &str, to: &str| node_with(node("Cast", &[from], &[to]), "to", Some(1), &[]);
    let nodes = vec![
        node("Unsqueeze", &["i", "one"], &["column"]),
        cast("column", "whole"),
        cast("b", "truth"),
        cast("d", "float"),
        cast("t", "text"),
        node("Sum", &["whole", "truth", "float", "text"], &["y"]),
    ];
    let made = model(nodes, vec![integers("one", &[1])], inputs, &["y"]);
    // Texts that are numbers: no empty one is. So the rows that are tried have none.
    let refused = refusal(&made, &asked(&[], &[]));
    assert!(
        refused.contains("node \"my cast\" of operator Cast: the text \"\" is not a number"),
        "{refused}"
    );
    let mut without_text = made;
    let graph = without_text.graph.as_mut().expect("a graph");
    graph.input.remove(0);
    graph.node.retain(|node| node.output != ["text"]);
    graph.node.last_mut().expect("a node").input.pop();
    let model = take(&without_text, &asked(&[], &[])).model;
    let kind = |feature: &crate::model::Feature| match &feature.values {
        Values::Number(numbers) => (feature.name.clone(), numbers.kind, feature.optional),
        Values::Text(_) | Values::Time(_) => panic!("numbers"),
    };
    let kinds: Vec<_> = model.schema().features.iter().map(kind).collect();
    let expected = [
        ("i", FeatureKind::Integer, false),
        ("b", FeatureKind::Boolean, false),
        ("d", FeatureKind::Float, true),
    ];
    assert_eq!(kinds, expected.map(|(name, kind, optional)| (name.to_owned(), kind, optional)));
    let found = model.with_texts(&[]).predict(array![[2.0, 1.0, 0.5]].view()).expect("a number");
    assert_eq!(found, Predictions::Numbers(array![3.5]));
    let part = model.with_texts(&[]).predict(array![[2.0, 1.0, 0.5], [2.5, 1.0, 0.5]].view());
    let part = part.expect_err("no whole number").to_string();
    assert_eq!(part, "row 2: input \"i\" takes whole numbers, and 2.5 is none");
}

#[test]
fn the_sample_of_scikit_learn_predicts_what_it_printed() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/samples/made-elsewhere/churn.onnx");
    let file = Bytes::from(std::fs::read(path).expect("the sample"));
    let imported = inspect(file, &asked(&[], &[])).expect("a model");
    let names: Vec<&str> = imported.model.schema().names().collect();
    assert_eq!(names, ["months", "fee", "plan"]);
    let mut plans = Texts::default();
    for plan in ["basic", "family", "plus", "student"] {
        plans.place(plan);
    }
    let texts = vec![Texts::default(), Texts::default(), plans];
    let rows = array![[3.0, 50.0, 0.0], [48.0, 10.0, 1.0], [f64::NAN, 20.0, 2.0], [20.0, 35.0, 3.0]];
    let found = imported.model.with_texts(&texts).predict(rows.view()).expect("classes");
    let Predictions::Classes { index, probabilities } = found else { panic!("classes") };
    assert_eq!(index, [1, 0, 0, 1]);
    for (found, expected) in probabilities.column(1).iter().zip([0.9964, 0.0156, 0.1601, 0.8083]) {
        assert!((found - expected).abs() < 1e-4, "{found}");
    }
}

#[test]
fn classes_that_a_graph_names_itself_are_not_named_otherwise() {
    let file = include_bytes!("../../../deploy/samples/made-elsewhere/churn.onnx");
    let of = |target: &str, classes: &[&str]| {
        let asked = ImportStep { target: target.to_owned(), ..asked(&[], classes) };
        inspect(Bytes::from_static(file), &asked).map_err(|error| error.to_string())
    };
    assert!(of("churned", &["no", "yes"]).is_ok(), "its own");
    for classes in [&["yes", "no"][..], &["a", "b", "c"], &["no"]] {
        let error = of("churned", classes).expect_err("others");
        assert!(error.contains("the graph names 2 classes itself: no, yes; leave classes out"), "{error}");
    }
    let error = of("plan", &[]).expect_err("a column");
    assert_eq!(
        error,
        "target is \"plan\", which is a column that the graph takes; call the answers otherwise"
    );
}

#[test]
fn constants_of_a_type_that_is_not_computed_are_named() {
    let complex = TensorProto { data_type: Some(14), ..integers("weights", &[1]) };
    let model = of_nodes(vec![node("Neg", &["x"], &["y"])], vec![complex], 1);
    assert!(refusal(&model, &asked(&[], &[])).contains("tensor \"weights\": it is of type complex64"));
}

#[test]
fn an_output_for_each_class_is_refused_and_not_taken_for_no_probabilities() {
    let label = node_with(node("ArgMax", &["x"], &["y"]), "axis", Some(1), &[]);
    let each = [("ReduceMin", "sn"), ("ReduceMax", "sp")]
        .map(|(operator, name)| node(operator, &["x", "axes"], &[name]));
    let nodes = [vec![label], each.to_vec()].concat();
    let input = vec![value("x", data_type::FLOAT, &[0, 2])];
    let columns = model(nodes, vec![integers("axes", &[1])], input, &["y", "sn", "sp"]);
    let refused = refusal(&columns, &asked(&["a", "b"], &["0", "1"]));
    assert!(refused.contains("(sn, sp)") && refused.contains("zipmap=False"), "{refused}");
}

#[test]
fn a_value_takes_the_type_of_another() {
    let label = node_with(node("ArgMax", &["x"], &["place"]), "axis", Some(1), &[]);
    let alike = of_nodes(vec![label, node("CastLike", &["place", "x"], &["y"])], Vec::new(), 2);
    let taken = take(&alike, &asked(&["a", "b"], &[]));
    let found = taken.model.with_texts(&[]).predict(array![[0.0, 1.0], [3.0, 2.0]].view());
    assert_eq!(found.expect("numbers"), Predictions::Numbers(array![1.0, 0.0]));
}

#[test]
fn softmax_of_a_number_is_refused() {
    let step = ImportStep { softmax: true, ..asked(&["a", "b"], &[]) };
    let refused = refusal(&sum(2), &step);
    assert!(refused.contains("the graph answers a number"), "{refused}");
}
