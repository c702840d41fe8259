//! A trained model as an ONNX file, for programs of others.
//!
//! Owns what becomes of each part of a model: the raw columns are the graph's inputs, preprocessing and prediction are operators of
//! ONNX and ai.onnx.ml, and the answers are its outputs. Must not train or predict: that the graph answers as the model does is shown
//! by a runtime of others, in `tests/tests/onnx.rs`.

mod answers;
mod args;
mod columns;
mod error;
mod graph;
mod sums;
mod time;
mod trees;
mod value;

use prost::Message;

pub use args::ExportOnnxArgs;
pub use error::OnnxError;

use self::graph::{FORMAT_VERSION, Graph};
use crate::model::{Model, Predictor};
use crate::onnx::proto::{ModelProto, StringStringEntryProto};

/// Who wrote the file.
const PRODUCER: &str = "mlpipeline";

/// The bytes of a model as ONNX. The same model gives the same bytes.
///
/// # Errors
/// When the operators of ONNX cannot say what the model does, or a file would be too large for its readers.
pub fn to_onnx(model: &Model) -> Result<Vec<u8>, OnnxError> {
    if let Predictor::Onnx(onnx) = model.predictor() {
        return Ok(onnx.file().to_vec());
    }
    let target = &model.schema().target;
    let outputs = answers::output_names(target);
    let names = model.schema().features.iter().map(|feature| feature.name.as_str());
    if names.clone().any(str::is_empty) {
        return Err(OnnxError::NoName);
    }
    if let Some(taken) = names.clone().find(|name| outputs.iter().any(|output| output == name)) {
        return Err(OnnxError::NameTaken { column: taken.to_owned() });
    }
    let mut graph = Graph::new(names);
    let rows = columns::columns(&mut graph, model)?;
    let answer = match model.predictor() {
        Predictor::Linear(linear) => sums::linear(&mut graph, &rows, linear, target),
        Predictor::Trees(trees) => trees::trees(&mut graph, &rows, trees)?,
        Predictor::Gaussian(gaussian) => sums::gaussian(&mut graph, &rows, gaussian),
        Predictor::Centers(centers) => sums::centers(&mut graph, &rows, centers),
        Predictor::Isolation(forest) => trees::isolation(&mut graph, &rows, forest)?,
        Predictor::Components(components) => sums::components(&mut graph, &rows, components),
        Predictor::Mixture(mixture) => sums::mixture(&mut graph, &rows, mixture),
        Predictor::Seasonal(_) => {
            let reason = "it counts calendar months and weeks, and no operator does that";
            return Err(OnnxError::Predictor { algorithm: model.info().algorithm.clone(), reason });
        }
        Predictor::Neighbors(_) | Predictor::Density(_) | Predictor::Onnx(_) => {
            let reason = "it compares a row with those that it was trained on, and no operator does that";
            return Err(OnnxError::Predictor { algorithm: model.info().algorithm.clone(), reason });
        }
    };
    answers::outputs(&mut graph, target, &answer);
    let (graph, opset_import) = graph.finish(&model.info().algorithm);
    let fact =
        |key: &str, value: String| StringStringEntryProto { key: Some(key.to_owned()), value: Some(value) };
    let info = model.info();
    let facts = [
        Some(fact("algorithm", info.algorithm.clone())),
        Some(fact("target", target.name().to_owned())),
        Some(fact("sha256", info.digest.to_string())),
        info.revision.as_ref().map(|revision| fact("revision", revision.to_string())),
    ];
    let file = ModelProto {
        ir_version: Some(FORMAT_VERSION),
        producer_name: Some(PRODUCER.to_owned()),
        graph: Some(graph),
        opset_import,
        metadata_props: facts.into_iter().flatten().collect(),
        ..ModelProto::default()
    };
    Ok(file.encode_to_vec())
}

#[cfg(test)]
mod tests;
