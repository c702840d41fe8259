//! From the bytes of a file to a model that was tried.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use mlpipeline_crds::{ImportStep, StepReport};

use super::answer::{Found, find, listed};
use super::error::ImportError;
use super::features::features;
use super::probe::probe;
use super::tried::check_answers;
use crate::model::{FeatureSchema, Model, ONNX, OnnxAnswer, OnnxPredictor, Target};
use crate::onnx::Graph;
use crate::preprocess::Preprocessing;

/// A model that was taken.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The model.
    pub model: Model,
    /// What there is to know of it.
    pub notes: Vec<String>,
}

impl Imported {
    /// The report, without revision and digest, which come with publishing.
    #[must_use]
    pub fn report(&self) -> StepReport {
        let mut report = StepReport::succeeded(None);
        report.message = Some(self.notes.join("; "));
        report
    }
}

/// Reads, checks and tries a model.
///
/// # Errors
/// When the file is no graph that can be computed, has no answer to rows that are tried, or what it takes or answers is not clear.
pub fn inspect(file: Bytes, asked: &ImportStep) -> Result<Imported, ImportError> {
    let graph = Arc::new(Graph::read(&file)?);
    let features = features(graph.inputs(), &asked.features)?;
    if features.iter().any(|feature| feature.name == asked.target) {
        return Err(ImportError::Step(format!(
            "target is \"{}\", which is a column that the graph takes; call the answers otherwise",
            asked.target
        )));
    }
    let untold = OnnxPredictor::of(file.clone(), Arc::clone(&graph), OnnxAnswer::default());
    let probe = probe(&untold, &features)?;
    let Found { target, answer, notes } = find(&graph, &probe, asked)?;
    let mut all = vec![summary(features.len(), &target, graph.producer())];
    all.extend(notes);
    let schema = FeatureSchema { features, target };
    let predictor = OnnxPredictor::of(file, graph, answer);
    check_answers(&predictor, &schema.features, &schema.target)?;
    let model = Model::new(schema, Preprocessing::new(Vec::new()), ONNX, predictor, BTreeMap::new())?;
    Ok(Imported { model, notes: all })
}

fn summary(columns: usize, target: &Target, producer: &str) -> String {
    let columns = if columns == 1 { "1 column".to_owned() } else { format!("{columns} columns") };
    let answer = match target {
        Target::Number { name, .. } => format!("answers a number, {name}"),
        Target::Class { name, labels } => {
            format!("answers {name}, one of {} classes: {}", labels.len(), listed(labels))
        }
        Target::Finding(finding) => format!("finds the {} of a row", finding.name()),
    };
    let maker: String = producer.chars().filter(|sign| !sign.is_control()).take(64).collect();
    let maker = if maker.is_empty() { String::new() } else { format!("; made by {maker}") };
    format!("takes {columns} and {answer}{maker}")
}
