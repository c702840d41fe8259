//! Each operator computes what ONNX Runtime computed of the same small graph: `tests/reference/onnx_operator_fixtures.py` makes them.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mlpipeline_worker::onnx::{Graph, Tensor, Values};
use serde_json::Value;

/// How far 32-bit floats may be off: the sums of both are rounded in another order.
const TOLERANCE: f64 = 2e-6;

fn text(value: &Value) -> Arc<str> {
    Arc::from(value.as_str().expect("a text"))
}

/// A float; those that JSON has no numbers for are names.
fn float(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).expect("a float")
}

fn tensor(stored: &Value) -> Tensor {
    let shape = stored["shape"].as_array().expect("a shape").iter();
    let shape = shape.map(|length| length.as_u64().expect("a length") as usize).collect();
    let values = stored["values"].as_array().expect("values").iter();
    let values = match stored["kind"].as_str().expect("a kind") {
        "float32" => Values::F32(values.map(|value| float(value) as f32).collect()),
        "float64" => Values::F64(values.map(float).collect()),
        "int64" => Values::I64(values.map(|value| value.as_i64().expect("a whole number")).collect()),
        "int32" => Values::I32(values.map(|value| value.as_i64().expect("a whole number") as i32).collect()),
        "bool" => Values::Bool(values.map(|value| value.as_bool().expect("a boolean")).collect()),
        "object" => Values::Text(values.map(text).collect()),
        other => panic!("{other}"),
    };
    Tensor::shaped(shape, values).expect("a tensor")
}

/// The first difference; numbers may be off by rounding, NaN equals itself.
fn difference(found: &Tensor, expected: &Tensor) -> Option<String> {
    if found.shape() != expected.shape() || found.kind() != expected.kind() {
        let of = |tensor: &Tensor| format!("{} of shape {:?}", tensor.kind().name(), tensor.shape());
        return Some(format!("{} instead of {}", of(found), of(expected)));
    }
    if !matches!(found.values(), Values::F32(_) | Values::F64(_)) {
        return (found != expected).then(|| format!("{found:?} instead of {expected:?}"));
    }
    let pairs = found.numbers().expect("numbers").into_iter().zip(expected.numbers().expect("numbers"));
    pairs.enumerate().find_map(|(place, (found, expected))| {
        let near = (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0);
        let same = near || found == expected || (found.is_nan() && expected.is_nan());
        (!same).then(|| format!("{found} instead of {expected} at place {place}"))
    })
}

#[test]
fn every_operator_computes_what_onnx_runtime_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/onnx_operators.json");
    let cases: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(path).expect("the fixtures")).expect("JSON");
    assert!(cases.len() > 150, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let name = case["name"].as_str().expect("a name");
        let file = STANDARD.decode(case["graph"].as_str().expect("a graph")).expect("base64");
        let inputs: Vec<Tensor> = case["inputs"].as_array().expect("inputs").iter().map(tensor).collect();
        let rows = inputs.first().map_or(1, |input| input.shape().first().copied().unwrap_or(1));
        let computed = Graph::read(&Bytes::from(file))
            .map_err(|error| error.to_string())
            .and_then(|graph| graph.run(inputs, rows, false).map_err(|problem| problem.text().to_owned()));
        match computed {
            Err(problem) => wrong.push(format!("{name}: {problem}")),
            Ok(outputs) => {
                let expected = case["outputs"].as_array().expect("outputs");
                assert_eq!(outputs.len(), expected.len(), "{name}");
                let differences = outputs
                    .iter()
                    .zip(expected)
                    .filter_map(|(found, expected)| difference(found, &tensor(expected)));
                wrong.extend(differences.map(|difference| format!("{name}: {difference}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
