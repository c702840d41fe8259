//! Predicts with a graph that was made elsewhere.
//!
//! Owns how raw rows become what the graph takes, and what of its outputs is the answer. The graph holds its own preprocessing, so such
//! a model has none. Must not know operators: [`crate::onnx`] does.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::{FeatureSchema, Label, ModelError, Predictions, Target};
use crate::onnx::{Graph, GraphInput, Kind, Problem, Tensor, Values};
use crate::preprocess::{Form, Texts};

/// Rows that are computed at the same time: enough for speed, and few enough for memory.
const ROWS_AT_ONCE: usize = 1024;

/// The largest absolute value of a column of 32-bit floats, a power of ten.
const LARGEST_FLOAT: f64 = 1e38;

/// What a missing date or time is, as in files that the worker writes.
const MISSING_TIME: i64 = i64::MIN;

/// Predicts with a graph.
#[derive(Clone, Debug)]
pub struct OnnxPredictor {
    file: Bytes,
    graph: Arc<Graph>,
    answer: OnnxAnswer,
}

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
    /// The column of the scores for each of the target's labels, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<usize>,
    /// Whether scores become probabilities by softmax.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub softmax: bool,
}

impl PartialEq for OnnxPredictor {
    fn eq(&self, other: &Self) -> bool {
        self.file == other.file && self.answer == other.answer
    }
}

impl OnnxPredictor {
    /// Predicts with the graph of a file.
    ///
    /// # Errors
    /// When the file is no graph that can be computed.
    pub fn new(file: Bytes, answer: OnnxAnswer) -> Result<Self, ModelError> {
        let graph = Arc::new(Graph::read(&file)?);
        Ok(Self::of(file, graph, answer))
    }

    /// [`OnnxPredictor::new`] of a graph that was read.
    #[must_use]
    pub fn of(file: Bytes, graph: Arc<Graph>, answer: OnnxAnswer) -> Self {
        Self { file, graph, answer }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Bytes {
        &self.file
    }

    /// Which outputs answer.
    #[must_use]
    pub fn answer(&self) -> &OnnxAnswer {
        &self.answer
    }

    /// How many columns an input takes of so many that no other takes; `None` where it takes no rows of columns.
    #[must_use]
    pub fn width(input: &GraphInput, others: usize, all: usize) -> Option<usize> {
        match input.shape.as_slice() {
            [None | Some(1)] => Some(1),
            [None | Some(1), width] => Some(width.unwrap_or_else(|| all.saturating_sub(others).max(1))),
            _ => None,
        }
    }

    /// How many columns each input takes, of so many.
    fn widths(&self, all: usize) -> Option<Vec<usize>> {
        let inputs = self.graph.inputs();
        let known = |input: &GraphInput| Self::width(input, all, all).unwrap_or(1);
        let fixed = |skip: usize| -> usize {
            inputs.iter().enumerate().filter(|(place, _)| *place != skip).map(|(_, input)| known(input)).sum()
        };
        let widths: Option<Vec<usize>> =
            inputs.iter().enumerate().map(|(place, input)| Self::width(input, fixed(place), all)).collect();
        widths.filter(|widths| widths.iter().sum::<usize>() == all)
    }

    /// Checks that it fits a schema.
    pub(super) fn check(&self, schema: &FeatureSchema) -> Result<(), ModelError> {
        let invalid = |problem: String| Err(ModelError::Invalid(problem));
        let all = schema.features.len();
        let Some(widths) = self.widths(all) else {
            return invalid(format!("its graph does not take rows of {all} columns"));
        };
        let mut features = schema.features.iter();
        for (input, width) in self.graph.inputs().iter().zip(widths) {
            for feature in features.by_ref().take(width) {
                let fits = match feature.form() {
                    Form::Text => input.kind == Kind::Text,
                    Form::Number => input.kind != Kind::Text,
                    Form::Time => input.kind == Kind::I64,
                };
                if !fits {
                    return invalid(format!("feature \"{}\" is not what its graph takes", feature.name));
                }
            }
        }
        let outputs = self.graph.outputs().len();
        let OnnxAnswer { value, scores, columns, .. } = &self.answer;
        let named = [value, scores].into_iter().flatten().all(|output| *output < outputs);
        let fits = match &schema.target {
            Target::Class { labels, .. } => {
                let count = if scores.is_some() { labels.len() } else { 0 };
                (value.is_some() || scores.is_some())
                    && columns.len() == count
                    && columns.iter().all(|column| *column < count)
            }
            Target::Number { .. } => value.is_some() && scores.is_none() && columns.is_empty(),
            Target::Finding(finding) => {
                scores.is_some() && columns.is_empty() && value.is_some() != finding.answers().is_empty()
            }
        };
        if named && fits {
            Ok(())
        } else {
            invalid("its answer is not one of its graph's outputs".to_owned())
        }
    }

    /// See [`super::Predictor::largest_value`].
    pub(super) fn largest_value(&self) -> f64 {
        let has_floats = self.graph.inputs().iter().any(|input| input.kind == Kind::F32);
        if has_floats { LARGEST_FLOAT } else { f64::MAX }
    }

    /// Predicts for raw rows.
    ///
    /// # Errors
    /// When a row has a value that the graph does not compute with, or no finite answer.
    pub(super) fn predict(
        &self,
        rows: ArrayView2<'_, f64>,
        texts: &[Texts],
        target: &Target,
    ) -> Result<Predictions, ModelError> {
        let texts = shared(texts);
        let mut answers = Answers::new(&self.answer, target, rows.nrows());
        let at_once = if self.takes_one_row() { 1 } else { ROWS_AT_ONCE };
        for (place, rows) in rows.axis_chunks_iter(Axis(0), at_once).enumerate() {
            let before = place * at_once;
            let in_batch = |error: ModelError| error.after(before);
            let outputs = self.outputs(rows, &texts, false).map_err(in_batch)?;
            answers.add(&outputs, rows.nrows()).map_err(in_batch)?;
        }
        Ok(answers.finish())
    }

    /// Whether the graph computes one row at a time.
    #[must_use]
    pub fn takes_one_row(&self) -> bool {
        // A list of one length is a list of rows; a matrix of one row is one row.
        self.graph.inputs().iter().any(|input| input.shape.first() == Some(&Some(1)))
    }

    /// The graph's outputs for raw rows that are tried: texts that it does not know are taken for ones that it knows.
    ///
    /// # Errors
    /// When the graph cannot be computed for them.
    pub fn try_rows(&self, rows: ArrayView2<'_, f64>, texts: &[Texts]) -> Result<Vec<Tensor>, ModelError> {
        self.outputs(rows, &shared(texts), true)
    }

    /// The graph's outputs for rows.
    fn outputs(
        &self,
        rows: ArrayView2<'_, f64>,
        texts: &[Vec<Arc<str>>],
        lenient: bool,
    ) -> Result<Vec<Tensor>, ModelError> {
        let widths = self.widths(rows.ncols());
        let widths =
            widths.ok_or(ModelError::Width { found: rows.ncols(), expected: self.graph.inputs().len() })?;
        let mut inputs = Vec::with_capacity(widths.len());
        let mut first = 0;
        for (input, width) in self.graph.inputs().iter().zip(widths) {
            let own = rows.slice_axis(Axis(1), (first..first + width).into());
            let values = values_of(input, own, texts.get(first..first + width).unwrap_or_default())?;
            let tensor = match input.shape.len() {
                1 => Tensor::column(values, true),
                _ => Tensor::matrix(values, width),
            };
            inputs.push(tensor.map_err(of_problem)?);
            first += width;
        }
        self.graph.run(inputs, rows.nrows(), lenient).map_err(of_problem)
    }
}

/// The texts of each column, to be handed over without copies.
fn shared(texts: &[Texts]) -> Vec<Vec<Arc<str>>> {
    texts.iter().map(|texts| texts.iter().map(Arc::from).collect()).collect()
}

fn of_problem(problem: Problem) -> ModelError {
    match problem {
        Problem::Value { row, problem } => ModelError::Answer { row, problem },
        Problem::Graph(problem) | Problem::Limit(problem) => ModelError::Answer { row: None, problem },
    }
}

/// Raw values in the type of an input.
fn values_of(
    input: &GraphInput,
    rows: ArrayView2<'_, f64>,
    texts: &[Vec<Arc<str>>],
) -> Result<Values, ModelError> {
    let width = rows.ncols().max(1);
    let wrong = |place: usize, problem: String| ModelError::Answer {
        row: Some(place / width),
        problem: format!("input \"{}\" {problem}", input.name),
    };
    let whole = |(place, value): (usize, &f64)| -> Result<i64, ModelError> {
        if value.is_nan() {
            return Ok(MISSING_TIME);
        }
        // Beyond these a 64-bit float has no whole number of its own.
        if value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0 {
            return Ok(*value as i64);
        }
        Err(wrong(place, format!("takes whole numbers, and {value} is none")))
    };
    Ok(match input.kind {
        Kind::F32 => Values::F32(rows.iter().map(|value| *value as f32).collect()),
        Kind::F64 => Values::F64(rows.iter().copied().collect()),
        Kind::I64 => Values::I64(rows.iter().enumerate().map(whole).collect::<Result<_, _>>()?),
        Kind::I32 => {
            let narrow = |(place, value): (usize, &f64)| {
                i32::try_from(whole((place, value))?)
                    .map_err(|_| wrong(place, format!("takes 32-bit whole numbers, and {value} is none")))
            };
            Values::I32(rows.iter().enumerate().map(narrow).collect::<Result<_, _>>()?)
        }
        Kind::Bool => Values::Bool(rows.iter().map(|value| *value != 0.0).collect()),
        Kind::Text => {
            // A missing text is the empty one.
            let empty: Arc<str> = Arc::from("");
            let text = |(place, value): (usize, &f64)| {
                let known = if *value >= 0.0 {
                    texts.get(place % width).and_then(|texts| texts.get(*value as usize))
                } else {
                    None
                };
                Arc::clone(known.unwrap_or(&empty))
            };
            Values::Text(rows.iter().enumerate().map(text).collect())
        }
    })
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
struct Answers<'a> {
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
    fn new(answer: &'a OnnxAnswer, target: &Target, rows: usize) -> Self {
        let labels = target.answers();
        let kind = match target {
            Target::Number { .. } => AnswerKind::Number,
            Target::Class { .. } => AnswerKind::Class,
            Target::Finding(finding) => AnswerKind::Finding(finding.numbers().len()),
        };
        Self {
            answer,
            kind,
            classes: labels.len(),
            places: labels.into_iter().zip(0..).collect(),
            index: Vec::with_capacity(rows),
            numbers: Vec::with_capacity(rows),
        }
    }

    /// Adds a batch's.
    fn add(&mut self, outputs: &[Tensor], rows: usize) -> Result<(), ModelError> {
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

    fn finish(self) -> Predictions {
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
