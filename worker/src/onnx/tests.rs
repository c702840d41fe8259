//! What is refused, and that everything ends; what operators compute is in `tests/onnx_reference.rs`.

use super::proto::{AttributeProto, EmptyProto, ModelProto, NodeProto, TensorProto, data_type};
use super::test_files::{bytes, integers, model, node, node_with, of_nodes, value};
use super::{Graph, MEMORY_LIMIT, NODE_LIMIT, Problem, Tensor, Values};

fn refusal(model: &ModelProto) -> String {
    Graph::read(&bytes(model)).expect_err("refused").to_string()
}

/// What a graph of one input says of a row of ones.
fn run(model: &ModelProto, columns: usize) -> Result<Vec<Tensor>, Problem> {
    let graph = Graph::read(&bytes(model)).expect("a graph");
    graph.run(vec![Tensor::matrix(Values::F32(vec![1.0; columns]), columns).expect("a row")], 1, false)
}

#[test]
fn graphs_that_would_take_too_much_are_refused() {
    let repeat = |count| vec![integers("count", &[count, 1])];
    let tile = node("Tile", &["x", "count"], &["y"]);
    let large = run(&of_nodes(vec![tile.clone()], repeat(1 << 40), 2), 2).expect_err("too large");
    assert!(
        matches!(&large, Problem::Limit(text) if text.contains(&format!("{} MiB", MEMORY_LIMIT >> 20))),
        "{large:?}"
    );
    assert!(large.text().starts_with("node \"my tile\" of operator Tile: "), "{large:?}");
    // Rows that are few, and a product of them that is not.
    let steps = vec![
        node("Tile", &["x", "count"], &["long"]),
        node("Transpose", &["long"], &["turned"]),
        node("MatMul", &["long", "turned"], &["square"]),
        node("MatMul", &["square", "square"], &["y"]),
    ];
    let slow = run(&of_nodes(steps, repeat(8000), 1), 1).expect_err("too slow");
    assert!(matches!(&slow, Problem::Limit(text) if text.contains("steps that a row may take")), "{slow:?}");
    let many = (0..=NODE_LIMIT).map(|place| {
        let before = if place == 0 { "x".to_owned() } else { format!("v{}", place - 1) };
        node("Neg", &[&before], &[&format!("v{place}")])
    });
    let many =
        refusal(&model(many.collect(), Vec::new(), vec![value("x", data_type::FLOAT, &[0, 1])], &["v9"]));
    assert!(many.contains("20001 nodes, and at most 20000"), "{many}");
    let messages = model(vec![NodeProto::default(); 3_000_000], Vec::new(), Vec::new(), &[]);
    assert!(refusal(&messages).contains("bytes in memory, and at most"));
    // Constants are computed when a file is read: they have the same bounds.
    let constant = node("ConstantOfShape", &["count"], &["y"]);
    assert!(refusal(&of_nodes(vec![constant], repeat(1 << 40), 2)).contains("MiB that a batch"));
}

#[test]
fn trees_whose_nodes_lead_back_to_them_are_refused() {
    let tree = |holds: &[i64], fails: &[i64], modes: &[&'static str]| {
        let count = modes.len() as i64;
        let ids: Vec<i64> = (0..count).collect();
        let zeros = vec![0; modes.len()];
        let mut made = node("TreeEnsembleRegressor", &["x"], &["y"]);
        made.domain = Some("ai.onnx.ml".to_owned());
        let lists: [(&str, &[i64]); 8] = [
            ("nodes_treeids", &zeros),
            ("nodes_nodeids", &ids),
            ("nodes_featureids", &zeros),
            ("nodes_truenodeids", holds),
            ("nodes_falsenodeids", fails),
            ("target_treeids", &[0]),
            ("target_nodeids", &[count - 1]),
            ("target_ids", &[0]),
        ];
        let mut made = lists.into_iter().fold(made, |made, (name, list)| node_with(made, name, None, list));
        let named = |name: &str| AttributeProto { name: Some(name.to_owned()), ..AttributeProto::default() };
        made.attribute.push(AttributeProto { floats: vec![0.5; modes.len()], ..named("nodes_values") });
        made.attribute.push(AttributeProto { floats: vec![1.0], ..named("target_weights") });
        let modes = modes.iter().map(|mode| bytes::Bytes::from_static(mode.as_bytes())).collect();
        made.attribute.push(AttributeProto { strings: modes, ..named("nodes_modes") });
        of_nodes(vec![made], Vec::new(), 1)
    };
    let good = tree(&[1, 0, 0], &[2, 0, 0], &["BRANCH_LEQ", "LEAF", "LEAF"]);
    let answer = run(&good, 1).expect("a leaf");
    assert_eq!(answer.first().map(Tensor::values), Some(&Values::F32(vec![1.0])));
    let circle = refusal(&tree(&[1, 0, 0], &[2, 0, 0], &["BRANCH_LEQ", "BRANCH_LEQ", "LEAF"]));
    assert!(circle.contains("a tree has not one node that no other leads to"), "{circle}");
    let below =
        refusal(&tree(&[1, 2, 1, 0], &[3, 3, 3, 0], &["BRANCH_LEQ", "BRANCH_LEQ", "BRANCH_LEQ", "LEAF"]));
    assert!(below.contains("node 1 of tree 0 leads back to itself"), "{below}");
    // Both sides of both branches lead to one leaf.
    let shared = tree(&[1, 2, 0], &[2, 2, 0], &["BRANCH_LEQ", "BRANCH_LEQ", "LEAF"]);
    let answer = run(&shared, 1).expect("a leaf");
    assert_eq!(answer.first().map(Tensor::values), Some(&Values::F32(vec![1.0])));
    let missing = refusal(&tree(&[1, 0], &[7, 0], &["BRANCH_LEQ", "LEAF"]));
    assert!(missing.contains("node 7 of tree 0 is missing"), "{missing}");
}

#[test]
fn what_is_not_computed_is_refused_by_name() {
    let external = TensorProto { data_location: Some(1), ..integers("count", &[1]) };
    let half = TensorProto { data_type: Some(data_type::FLOAT16), ..integers("count", &[1]) };
    let custom = NodeProto { domain: Some("com.example".to_owned()), ..node("Score", &["x"], &["y"]) };
    let mut control = node("If", &["x"], &["y"]);
    control.attribute.push(AttributeProto {
        name: Some("then_branch".to_owned()),
        g: Some(EmptyProto {}),
        ..AttributeProto::default()
    });
    let plain = || node("Neg", &["x"], &["y"]);
    let mut sparse = of_nodes(vec![plain()], Vec::new(), 1);
    sparse.graph.as_mut().expect("a graph").sparse_initializer.push(EmptyProto {});
    let old = ModelProto { ir_version: Some(2), ..of_nodes(vec![plain()], Vec::new(), 1) };
    let mut new = of_nodes(vec![plain()], Vec::new(), 1);
    new.opset_import.first_mut().expect("a set").version = Some(99);
    let image = model(vec![plain()], Vec::new(), vec![value("x", data_type::FLOAT16, &[0, 1])], &["y"]);
    for (model, expected) in [
        (
            of_nodes(vec![node("Conv", &["x"], &["y"])], Vec::new(), 1),
            "node \"my conv\" of operator Conv is not computed; ",
        ),
        (
            of_nodes(vec![custom], Vec::new(), 1),
            "node \"my score\" of operator Score is not computed: it is a custom one, of \"com.example\"; ",
        ),
        (of_nodes(vec![plain()], vec![external], 1), "tensor \"count\": its values are external data"),
        (of_nodes(vec![plain()], vec![half], 1), "tensor \"count\": it is of type float16; "),
        (
            of_nodes(vec![control], Vec::new(), 1),
            "its attribute then_branch is a graph, and control flow is not computed",
        ),
        (sparse, "it has sparse initializers"),
        (old, "format version 2, and versions 3 to 13 are read"),
        (new, "operator set version 99, and versions 7 to 26 are read"),
        (image, "its input \"x\" is of a type that is not taken: type float16"),
        (
            of_nodes(vec![node("Neg", &["z"], &["y"])], Vec::new(), 1),
            "reads \"z\", which nothing before it makes",
        ),
        (of_nodes(vec![node("Neg", &["x"], &["w"])], Vec::new(), 1), "nothing makes its output \"y\""),
        (of_nodes(vec![plain(), plain()], Vec::new(), 1), "two values are called \"y\""),
    ] {
        let found = refusal(&model);
        assert!(found.contains(expected), "{found}");
    }
    let garbage =
        Graph::read(&b"PK\x03\x04 not a graph".as_slice().into()).expect_err("no messages").to_string();
    assert!(garbage.starts_with("not a whole ONNX file: "), "{garbage}");
    assert!(Graph::read(&bytes::Bytes::new()).expect_err("empty").to_string().contains("it has no graph"));
}

#[test]
fn shapes_and_types_that_do_not_fit_name_the_node() {
    for (steps, expected) in [
        (vec![node("MatMul", &["x", "x"], &["y"])], "have no product"),
        (vec![node("And", &["x", "x"], &["y"])], "of type bool is needed, and it is float"),
        (vec![node("Reshape", &["x", "count"], &["y"])], "cannot be of shape [3, 1]"),
        (vec![node("Split", &["x"], &["a", "y"])], ""),
    ] {
        let made = run(&of_nodes(steps, vec![integers("count", &[3, 1])], 2), 2);
        match made {
            Ok(_) => assert_eq!(expected, "", "it is computed"),
            Err(problem) => {
                assert!(problem.text().starts_with("node \"my "), "{problem:?}");
                assert!(problem.text().contains(expected), "{problem:?}");
            }
        }
    }
}
