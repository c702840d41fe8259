//! What is refused, and that everything ends; what operators compute is in `tests/onnx_reference.rs`.

use super::proto::{AttributeProto, EmptyProto, GraphProto, ModelProto, NodeProto, TensorProto, data_type};
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
fn long_texts_that_are_made_again_and_again_are_counted_before_they_are_made() {
    let named = |name: &str| AttributeProto { name: Some(name.to_owned()), ..AttributeProto::default() };
    let with = |node: NodeProto, attributes: Vec<AttributeProto>| NodeProto {
        domain: (node.op_type.as_deref() != Some("StringNormalizer")).then(|| "ai.onnx.ml".to_owned()),
        attribute: attributes,
        ..node
    };
    let long = "A".repeat(1 << 20);
    let lower = || {
        let case = AttributeProto { s: Some("LOWER".into()), ..named("case_change_action") };
        with(node("StringNormalizer", &["long"], &["y"]), vec![case])
    };
    // A constant, which is computed when the file is read.
    let big = TensorProto {
        dims: vec![1],
        data_type: Some(data_type::STRING),
        string_data: vec![long.clone().into()],
        name: Some("big".to_owned()),
        ..TensorProto::default()
    };
    let nodes = vec![node("Expand", &["big", "count"], &["long"]), lower()];
    let refused = refusal(&of_nodes(nodes, vec![big, integers("count", &[1000])], 1));
    assert!(
        refused.contains("with the texts of its result") && refused.contains("MiB that a batch"),
        "{refused}"
    );
    // One for each value of a row.
    let attributes = vec![
        AttributeProto { floats: vec![2.0], ..named("keys_floats") },
        AttributeProto { strings: vec!["other".into()], ..named("values_strings") },
        AttributeProto { s: Some(long.into()), ..named("default_string") },
    ];
    let encoder = with(node("LabelEncoder", &["x"], &["long"]), attributes);
    let refused = run(&of_nodes(vec![encoder, lower()], Vec::new(), 1000), 1000).expect_err("too much");
    assert!(refused.text().contains("with the texts of its result"), "{refused:?}");
}

#[test]
fn texts_count_where_they_stand_and_once_where_they_are_repeated() {
    let texts: [std::sync::Arc<str>; 2] = ["abcd".into(), "ef".into()];
    let [one, other] = &texts;
    let size = |texts: &[&std::sync::Arc<str>]| {
        Values::Text(texts.iter().map(|text| std::sync::Arc::clone(text)).collect()).size()
    };
    assert_eq!(size(&[]), 0);
    assert_eq!(size(&[one, one, one]), 3 * 16 + 4);
    assert_eq!(size(&[one, other, one]), 3 * 16 + 10);
    assert_eq!(size(&[one, &"abcd".into()]), 2 * 16 + 8);
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
    let complex = TensorProto { data_type: Some(14), ..integers("count", &[1]) };
    let custom = NodeProto { domain: Some("com.example".to_owned()), ..node("Score", &["x"], &["y"]) };
    let mut control = node("If", &["x"], &["y"]);
    control.attribute.push(AttributeProto {
        name: Some("then_branch".to_owned()),
        g: Some(Box::new(GraphProto::default())),
        ..AttributeProto::default()
    });
    let plain = || node("Neg", &["x"], &["y"]);
    let mut sparse = of_nodes(vec![plain()], Vec::new(), 1);
    sparse.graph.as_mut().expect("a graph").sparse_initializer.push(EmptyProto {});
    let old = ModelProto { ir_version: Some(2), ..of_nodes(vec![plain()], Vec::new(), 1) };
    let mut new = of_nodes(vec![plain()], Vec::new(), 1);
    new.opset_import.first_mut().expect("a set").version = Some(99);
    let image = model(vec![plain()], Vec::new(), vec![value("x", 14, &[0, 1])], &["y"]);
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
        (of_nodes(vec![plain()], vec![complex], 1), "tensor \"count\": it is of type complex64; "),
        (
            of_nodes(vec![control], Vec::new(), 1),
            "its attribute then_branch is a graph, and control flow is not computed",
        ),
        (sparse, "it has sparse initializers"),
        (old, "format version 2, and versions 3 to 13 are read"),
        (new, "operator set version 99, and versions 7 to 26 are read"),
        (image, "its input \"x\" is of a type that is not taken: type complex64"),
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

/// A node that computes a graph of one input for each part of a constant.
fn scan_of(body: GraphProto, parts: &str) -> NodeProto {
    let mut made = node_with(node("Scan", &[parts], &["y"]), "num_scan_inputs", Some(1), &[]);
    let graph = AttributeProto { name: Some("body".to_owned()), ..AttributeProto::default() };
    made.attribute.push(AttributeProto { g: Some(Box::new(body)), ..graph });
    made
}

/// A graph of nodes that takes `p` and answers with `y`.
fn body(node: Vec<NodeProto>) -> GraphProto {
    let port = |name| vec![value(name, data_type::INT64, &[])];
    GraphProto { node, input: port("p"), output: port("y"), ..GraphProto::default() }
}

#[test]
fn a_graph_within_a_graph_has_the_bounds_of_the_whole() {
    let neg = |input: &str| node("Neg", &[input], &["y"]);
    let within =
        |body: GraphProto| of_nodes(vec![scan_of(body, "count")], vec![integers("count", &[4, 5])], 1);
    let answer = run(&within(body(vec![neg("p")])), 1).expect("a list");
    assert_eq!(answer.first().map(Tensor::values), Some(&Values::I64(vec![-4, -5])));
    let outer = refusal(&within(body(vec![neg("count")])));
    assert!(
        outer.contains("in the graph of node \"my scan\" of operator Scan: node \"my neg\" of operator Neg reads \"count\", which nothing"),
        "{outer}"
    );
    let operator = refusal(&within(body(vec![node("Conv", &["p"], &["y"])])));
    assert!(operator.contains("node \"my conv\" of operator Conv is not computed"), "{operator}");
    let deep = (0..4).fold(body(vec![neg("p")]), |inner, _| body(vec![scan_of(inner, "p")]));
    assert!(refusal(&within(deep)).contains("graphs within graphs, and at most 3 are computed"));
    let mut many: Vec<NodeProto> =
        (0..NODE_LIMIT).map(|place| node("Neg", &["p"], &[&format!("v{place}")])).collect();
    many.push(neg("p"));
    assert!(refusal(&within(body(many))).contains("20002 nodes, and at most 20000"));
    let none = node_with(node("Scan", &["count"], &["y"]), "num_scan_inputs", Some(1), &[]);
    let counts = node_with(scan_of(body(vec![neg("p")]), "count"), "num_scan_inputs", Some(9), &[]);
    let back = node_with(scan_of(body(vec![neg("p")]), "count"), "scan_input_directions", None, &[1]);
    for (node, expected) in [
        (none, "it has no graph"),
        (counts, "num_scan_inputs does not fit its graph"),
        (back, "scan_input_directions other than 0 is not computed"),
    ] {
        let found = refusal(&of_nodes(vec![node], vec![integers("count", &[4])], 1));
        assert!(found.contains(expected), "{found}");
    }
    // More parts than work allows, of nothing each.
    let empty = node("ConstantOfShape", &["count"], &["parts"]);
    let endless = of_nodes(
        vec![empty, scan_of(body(vec![neg("p")]), "parts")],
        vec![integers("count", &[1 << 40, 0])],
        1,
    );
    assert!(refusal(&endless).contains("steps that a row may take"));
}

#[test]
fn settings_of_texts_that_are_not_computed_are_refused_by_node() {
    let with = |node: NodeProto, texts: &[(&str, &[&'static str])], integers: &[(&str, &[i64])]| {
        let node = integers.iter().fold(node, |node, (name, list)| {
            let one = list.first().copied().filter(|_| list.len() == 1);
            node_with(node, name, one, if one.is_none() || name.starts_with("ngram") { list } else { &[] })
        });
        texts.iter().fold(node, |mut node, (name, list)| {
            let named = AttributeProto { name: Some((*name).to_owned()), ..AttributeProto::default() };
            let strings: Vec<bytes::Bytes> =
                list.iter().map(|text| bytes::Bytes::from_static(text.as_bytes())).collect();
            let one = strings.first().cloned().filter(|_| !name.ends_with('s'));
            let strings = if one.is_some() { Vec::new() } else { strings };
            node.attribute.push(AttributeProto { s: one, strings, ..named });
            node
        })
    };
    let tokenizer = |texts: &[(&str, &[&'static str])], least: i64| {
        let mut made = with(node("Tokenizer", &["x"], &["y"]), texts, &[("mincharnum", &[least])]);
        made.domain = Some("com.microsoft".to_owned());
        made
    };
    let ngrams = |mode: &'static str, lengths: [i64; 3], starts: &[i64], columns: &[i64]| {
        let [least, most, skip] = lengths;
        let settings: [(&str, &[i64]); 5] = [
            ("min_gram_length", &[least]),
            ("max_gram_length", &[most]),
            ("max_skip_count", &[skip]),
            ("ngram_counts", starts),
            ("ngram_indexes", columns),
        ];
        with(
            node("TfIdfVectorizer", &["x"], &["y"]),
            &[("mode", &[mode]), ("pool_strings", &["a", "b", "a"])],
            &settings,
        )
    };
    for (node, expected) in [
        (tokenizer(&[], 1), "it has neither tokenexp nor separators"),
        (tokenizer(&[("tokenexp", &["("])], 1), "the regular expression \"(\" is not computed: "),
        (tokenizer(&[("separators", &["[", "a"])], 1), "the regular expression \"[\" is not computed: "),
        (tokenizer(&[("tokenexp", &["a"])], 0), "mincharnum is not above 0"),
        (ngrams("IF", [1, 1, 0], &[0], &[0, 1, 2]), "the mode IF is not computed"),
        (ngrams("TF", [0, 1, 0], &[0], &[0, 1, 2]), "min_gram_length is 0, and not from 1 to 1"),
        (ngrams("TF", [1, i64::MAX, 0], &[0], &[0, 1, 2]), "and not from 1 to 100"),
        (ngrams("TF", [1, 1, 1 << 40], &[0], &[0, 1, 2]), "and not from 0 to 100"),
        (ngrams("TF", [1, 2, 0], &[0], &[0, 1, 2]), "ngram_counts is shorter than max_gram_length"),
        (ngrams("TF", [1, 2, 0], &[0, 2], &[0, 1, 2]), "its pool has not whole sequences of 2 words"),
        (ngrams("TF", [1, 2, 0], &[0, -1], &[0, 1, 2]), "its pool has not whole sequences of 1 words"),
        (ngrams("TF", [1, 1, 0], &[0], &[0, 1, 2]), "a sequence of words is in its pool twice"),
        (ngrams("TF", [1, 2, 0], &[0, 1], &[0]), "its sequence of words 1 has no place in ngram_indexes"),
        (ngrams("TF", [1, 2, 0], &[0, 1], &[0, -1]), "its sequence of words 1 has no place in ngram_indexes"),
    ] {
        let found =
            refusal(&model(vec![node], Vec::new(), vec![value("x", data_type::STRING, &[0])], &["y"]));
        assert!(found.contains("node \"my t") && found.contains(expected), "{found}");
    }
    // Columns that no memory has, for rows.
    let wide = ngrams("TF", [1, 2, 0], &[0, 1], &[0, 1 << 40]);
    let wide = model(vec![wide], Vec::new(), vec![value("x", data_type::STRING, &[0])], &["y"]);
    let rows = Tensor::column(Values::Text(vec!["a".into()]), true).expect("a row");
    let found = Graph::read(&bytes(&wide)).expect("a graph").run(vec![rows], 1, false).expect_err("too much");
    assert!(matches!(&found, Problem::Limit(text) if text.contains("MiB")), "{found:?}");
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
