//! Predicts with a graph that was made elsewhere.
//!
//! Owns how raw rows become what the graph takes. The graph holds its own preprocessing, so such
//! a model has none. Must not know operators: [`crate::onnx`] does.

use std::sync::Arc;

use bytes::Bytes;
use ndarray::{ArrayView2, Axis};

use super::onnx_answers::{Answers, OnnxAnswer, of_problem};
use super::{FeatureSchema, ModelError, Predictions, Target};
use crate::onnx::{Graph, GraphInput, Kind, Tensor, Values};
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
                    Form::Number | Form::Boolean => input.kind != Kind::Text,
                    Form::Time => input.kind == Kind::I64,
                };
                if !fits {
                    return invalid(format!("feature \"{}\" is not what its graph takes", feature.name));
                }
            }
        }
        let outputs = self.graph.outputs().len();
        let OnnxAnswer { value, scores, columns, by_place, .. } = &self.answer;
        let named = [value, scores].into_iter().flatten().all(|output| *output < outputs);
        let fits = match &schema.target {
            Target::Class { labels, .. } => {
                let count = if scores.is_some() || *by_place { labels.len() } else { 0 };
                (value.is_some() || (scores.is_some() && !by_place))
                    && columns.len() == count
                    && columns.iter().all(|column| *column < count)
            }
            Target::Number { .. } => value.is_some() && scores.is_none() && columns.is_empty() && !by_place,
            Target::Finding(finding) => {
                !by_place
                    && scores.is_some()
                    && columns.is_empty()
                    && value.is_some() != finding.answers().is_empty()
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
        let mut at_once = if self.takes_one_row() { 1 } else { ROWS_AT_ONCE };
        let mut before = 0;
        while before < rows.nrows() {
            let count = at_once.min(rows.nrows() - before);
            let batch = rows.slice_axis(Axis(0), (before..before + count).into());
            let in_batch = |error: ModelError| error.after(before);
            match self.outputs(batch, &texts, false) {
                // Fewer rows take less memory, as of tens of thousands of words each, and a row's answer is its own.
                Err(ModelError::Batch(_)) if count > 1 => at_once = count.div_ceil(2),
                outputs => {
                    answers.add(&outputs.map_err(in_batch)?, count).map_err(in_batch)?;
                    before += count;
                }
            }
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

    /// [`OnnxPredictor::predict`] of a row that is tried, by the same way. Gives whether what the graph holds beside a class are numbers
    /// too: scores that are none come from weights that are none, whatever class is named.
    ///
    /// # Errors
    /// As [`OnnxPredictor::predict`].
    pub fn try_answer(
        &self,
        row: ArrayView2<'_, f64>,
        texts: &[Texts],
        target: &Target,
    ) -> Result<bool, ModelError> {
        let outputs = self.try_rows(row, texts)?;
        let mut answers = Answers::new(&self.answer, target, row.nrows());
        answers.add(&outputs, row.nrows())?;
        let are_numbers = |output: &Tensor| match output.values() {
            Values::F32(values) => values.is_empty() || values.iter().any(|value| !value.is_nan()),
            Values::F64(values) => values.is_empty() || values.iter().any(|value| !value.is_nan()),
            Values::I64(_) | Values::I32(_) | Values::Bool(_) | Values::Text(_) => true,
        };
        // Of a number, the answer itself was looked at.
        Ok(!matches!(target, Target::Class { .. }) || outputs.iter().all(are_numbers))
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
        Kind::F32 => {
            let narrow = |(place, value): (usize, &f64)| match value.is_finite()
                && value.abs() > LARGEST_FLOAT
            {
                true => Err(wrong(
                    place,
                    format!(
                        "takes numbers between -{LARGEST_FLOAT:e} and {LARGEST_FLOAT:e}, and {value:e} is not"
                    ),
                )),
                false => Ok(*value as f32),
            };
            Values::F32(rows.iter().enumerate().map(narrow).collect::<Result<_, _>>()?)
        }
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
