//! The answers to rows, from the outputs of a graph that was made elsewhere.
//!
//! Owns which output is the answer, and what is refused as one. Must not know what the graph takes.

use std::collections::HashMap;

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::{Label, ModelError, Predictions, Target};
use crate::onnx::{Problem, Tensor, Values};

/// Which of a graph's outputs is the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OnnxAnswer {
    /// The output that holds the class, the number that is predicted, or what is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<usize>,
    /// The output that holds a score for each class, or the numbers that go with what is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<usize>,
    /// The column of the scores, or the place that the graph answers, for each of the target's labels, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<usize>,
    /// Whether the output with the class holds places of classes, 0 for the first of the graph's, and not their names.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_place: bool,
    /// Whether scores become probabilities by softmax.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub softmax: bool,
}

/// A problem of a graph as one of its model.
pub(super) fn of_problem(problem: Problem) -> ModelError {
    match problem {
        Problem::Value { row, problem } => ModelError::Answer { row, problem },
        Problem::Graph(problem) => ModelError::Answer { row: None, problem },
        Problem::Limit(problem) => ModelError::Batch(problem),
    }
}

/// A value of an output as a label; none of what no class can be.
#[must_use]
pub fn labels_of(values: &Values) -> Vec<Option<Label>> {
    let whole = |value: f64| (value.fract() == 0.0).then_some(Label::Integer(value as i64));
    match values {
        Values::Text(texts) => texts.iter().map(|text| Some(Label::Text(text.to_string()))).collect(),
        Values::I64(values) => values.iter().map(|value| Some(Label::Integer(*value))).collect(),
        Values::I32(values) => values.iter().map(|value| Some(Label::Integer(i64::from(*value)))).collect(),
        Values::Bool(values) => values.iter().map(|value| Some(Label::Boolean(*value))).collect(),
        Values::F32(values) => values.iter().map(|value| whole(f64::from(*value))).collect(),
        Values::F64(values) => values.iter().map(|value| whole(*value)).collect(),
    }
}

/// The answers to rows, batch after batch.
pub(super) struct Answers<'a> {
    answer: &'a OnnxAnswer,
    kind: AnswerKind,
    places: HashMap<Label, usize>,
    /// How many classes, or what may be found.
    classes: usize,
    index: Vec<usize>,
    numbers: Vec<f64>,
}

/// What is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AnswerKind {
    Number,
    Class,
    /// So many numbers beside what is found.
    Finding(usize),
}

impl<'a> Answers<'a> {
    /// No answers yet, to so many rows.
    pub(super) fn new(answer: &'a OnnxAnswer, target: &Target, rows: usize) -> Self {
        let labels = target.answers();
        let kind = match target {
            Target::Number { .. } => AnswerKind::Number,
            Target::Class { .. } => AnswerKind::Class,
            Target::Finding(finding) => AnswerKind::Finding(finding.numbers().len()),
        };
        let classes = labels.len();
        let of_place = |place: &usize| Label::Integer(i64::try_from(*place).unwrap_or(i64::MAX));
        let places = match answer.by_place {
            true => answer.columns.iter().map(of_place).zip(0..).collect(),
            false => labels.into_iter().zip(0..).collect(),
        };
        Self {
            answer,
            kind,
            classes,
            places,
            index: Vec::with_capacity(rows),
            numbers: Vec::with_capacity(rows),
        }
    }

    /// Adds a batch's.
    pub(super) fn add(&mut self, outputs: &[Tensor], rows: usize) -> Result<(), ModelError> {
        let output = |place: Option<usize>| place.and_then(|place| outputs.get(place));
        match self.kind {
            AnswerKind::Number => self.add_numbers(output(self.answer.value), 1, rows),
            AnswerKind::Finding(width) => {
                self.add_numbers(output(self.answer.scores), width, rows)?;
                output(self.answer.value).map_or(Ok(()), |answers| self.add_labels(answers.values(), rows))
            }
            AnswerKind::Class => {
                let first = self.numbers.len();
                if let Some(scores) = output(self.answer.scores) {
                    self.add_scores(&scores.numbers().map_err(of_problem)?, rows)?;
                }
                if let Some(labels) = output(self.answer.value) {
                    return self.add_labels(labels.values(), rows);
                }
                let added = self.numbers.get(first..).unwrap_or_default();
                self.index.extend(added.chunks(self.classes.max(1)).map(likeliest));
                Ok(())
            }
        }
    }

    fn add_numbers(&mut self, output: Option<&Tensor>, width: usize, rows: usize) -> Result<(), ModelError> {
        let numbers = output.map(Tensor::numbers).transpose().map_err(of_problem)?.unwrap_or_default();
        check_rows(numbers.len(), rows.saturating_mul(width))?;
        if let Some(place) = numbers.iter().position(|number| !number.is_finite()) {
            return Err(ModelError::Overflow { row: place / width.max(1) });
        }
        self.numbers.extend(numbers);
        Ok(())
    }

    fn add_scores(&mut self, scores: &[f64], rows: usize) -> Result<(), ModelError> {
        // One score for two classes is that of the second.
        let single = self.classes == 2 && scores.len() == rows;
        check_rows(scores.len(), if single { rows } else { rows.saturating_mul(self.classes) })?;
        for (row, own) in scores.chunks(if single { 1 } else { self.classes }).enumerate() {
            let mut shares: Vec<f64> = match own {
                [score] if self.answer.softmax => {
                    let share = 1.0 / (1.0 + (-score).exp());
                    vec![1.0 - share, share]
                }
                [score] => vec![1.0 - score, *score],
                many => many.to_vec(),
            };
            if self.answer.softmax && !single {
                softmax(&mut shares);
            }
            if shares.iter().any(|share| !share.is_finite()) {
                return Err(ModelError::Overflow { row });
            }
            let ordered = self.answer.columns.iter().filter_map(|column| shares.get(*column));
            self.numbers.extend(ordered);
        }
        Ok(())
    }

    fn add_labels(&mut self, values: &Values, rows: usize) -> Result<(), ModelError> {
        let labels = labels_of(values);
        check_rows(labels.len(), rows)?;
        for (row, label) in labels.iter().enumerate() {
            let place = label.as_ref().and_then(|label| self.places.get(label)).copied();
            let place = place.ok_or_else(|| {
                let shown = label.as_ref().map(ToString::to_string).unwrap_or_default();
                let problem = format!("the graph answers \"{shown}\", which is none of its classes");
                ModelError::Answer { row: Some(row), problem }
            })?;
            self.index.push(place);
            if self.kind == AnswerKind::Class && self.answer.scores.is_none() {
                self.numbers.extend((0..self.classes).map(|class| f64::from(u8::from(class == place))));
            }
        }
        Ok(())
    }

    /// All of them.
    pub(super) fn finish(self) -> Predictions {
        let matrix = |width: usize, numbers: Vec<f64>| {
            let rows = numbers.len() / width.max(1);
            // As many as were added, row by row.
            Array2::from_shape_vec((rows, width), numbers).unwrap_or_else(|_| Array2::zeros((rows, width)))
        };
        match self.kind {
            AnswerKind::Number => Predictions::Numbers(Array1::from_vec(self.numbers)),
            AnswerKind::Class => {
                Predictions::Classes { index: self.index, probabilities: matrix(self.classes, self.numbers) }
            }
            AnswerKind::Finding(width) => {
                Predictions::Findings { index: self.index, numbers: matrix(width, self.numbers) }
            }
        }
    }
}

fn check_rows(found: usize, expected: usize) -> Result<(), ModelError> {
    if found == expected {
        return Ok(());
    }
    let problem = format!("the graph answers with {found} values where {expected} are expected");
    Err(ModelError::Answer { row: None, problem })
}

fn likeliest(row: &[f64]) -> usize {
    let better = |best: (usize, f64), (place, value): (usize, &f64)| {
        if *value > best.1 { (place, *value) } else { best }
    };
    row.iter().enumerate().fold((0, f64::NEG_INFINITY), better).0
}

fn softmax(row: &mut [f64]) {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    row.iter_mut().for_each(|value| *value = (*value - largest).exp());
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|value| *value /= sum);
}
