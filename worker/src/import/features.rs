//! The columns that a graph takes, as features of a model.

use super::error::ImportError;
use crate::model::{Feature, FeatureKind, NumberValues, OnnxPredictor, TextValues, TimeValues, Values};
use crate::onnx::{GraphInput, Kind};
use crate::preprocess::TimeKind;

/// What files of the worker's own say of an input of dates or times.
const TIME_NOTE: &str = "milliseconds since 1970";

/// The features of a graph's inputs, by their names in the step or else the inputs' own.
///
/// # Errors
/// When an input takes no rows of columns, or the names are not as many as the columns.
pub(super) fn features(inputs: &[GraphInput], names: &[String]) -> Result<Vec<Feature>, ImportError> {
    if let Some(name) =
        names.iter().enumerate().find_map(|(at, name)| names.get(..at)?.contains(name).then_some(name))
    {
        return Err(ImportError::Step(format!(
            "features names \"{name}\" twice, and each column of the graph is one of its own"
        )));
    }
    let widths = widths(inputs, names)?;
    let mut names = names.iter();
    let mut features = Vec::new();
    for (input, width) in inputs.iter().zip(widths) {
        for _ in 0..width {
            let name = names.next().unwrap_or(&input.name).clone();
            features.push(feature(name, input));
        }
    }
    Ok(features)
}

/// How many columns each input takes.
fn widths(inputs: &[GraphInput], names: &[String]) -> Result<Vec<usize>, ImportError> {
    let mut widths = Vec::with_capacity(inputs.len());
    for input in inputs {
        let name = &input.name;
        let wrong = |problem: String| ImportError::Step(format!("the graph's input \"{name}\" {problem}"));
        if let Some(Some(rows)) = input.shape.first().filter(|rows| rows.is_some_and(|rows| rows > 1)) {
            return Err(wrong(format!(
                "takes {rows} rows at a time; export the model with a first dimension of any length"
            )));
        }
        widths.push(match input.shape.as_slice() {
            [_] | [_, _] => {
                OnnxPredictor::width(input, usize::MAX, 0).filter(|_| input.shape.get(1) != Some(&None))
            }
            other => {
                let found = other.len();
                return Err(wrong(format!(
                    "has {found} dimensions; rows of columns have two, rows of one column one or two"
                )));
            }
        });
    }
    let open = widths.iter().filter(|width| width.is_none()).count();
    let fixed: usize = widths.iter().flatten().sum();
    let several = inputs.iter().zip(&widths).find(|(_, width)| **width != Some(1));
    if names.is_empty() {
        return match several {
            None => Ok(vec![1; inputs.len()]),
            Some((input, width)) => {
                let count = width.map_or("any number of".to_owned(), |width| width.to_string());
                Err(ImportError::Step(format!(
                    "the graph's input \"{}\" takes {count} columns, and nothing says which; name them in features, in the order of the \
                     model's training data",
                    input.name
                )))
            }
        };
    }
    let rest = names.len().checked_sub(fixed).filter(|rest| (*rest == 0) == (open == 0));
    match rest {
        Some(rest) if open <= 1 => Ok(widths.into_iter().map(|width| width.unwrap_or(rest)).collect()),
        Some(_) => Err(ImportError::Step(
            "several of the graph's inputs take any number of columns; export it with the number of each"
                .to_owned(),
        )),
        None => {
            let asked = names.len();
            let at_least = if open > 0 { "at least " } else { "" };
            Err(ImportError::Step(format!(
                "features names {asked} columns, and the graph takes {at_least}{}",
                fixed + open
            )))
        }
    }
}

/// A feature of which nothing is known but its form: a range of one value says nothing.
fn feature(name: String, input: &GraphInput) -> Feature {
    let number = |kind| Values::Number(NumberValues { kind, min: 0.0, max: 0.0, mean: 0.0, example: 0.0 });
    let is_time = input.kind == Kind::I64 && input.note.starts_with(TIME_NOTE);
    let (values, optional) = match input.kind {
        Kind::F32 | Kind::F64 if input.note.starts_with("0 or 1") => (number(FeatureKind::Boolean), true),
        Kind::F32 | Kind::F64 => (number(FeatureKind::Float), true),
        Kind::I64 if is_time => {
            let times = TimeValues { kind: TimeKind::Timestamp, min: 0, max: 0, example: 0 };
            (Values::Time(times), input.note.contains("missing"))
        }
        Kind::I64 | Kind::I32 => (number(FeatureKind::Integer), false),
        Kind::Bool => (number(FeatureKind::Boolean), false),
        Kind::Text => (Values::Text(TextValues { common: input.known_text.iter().cloned().collect() }), true),
    };
    Feature { name, optional, values }
}
