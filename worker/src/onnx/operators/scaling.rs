//! Columns of numbers made ready: shifted, scaled, filled, cut at a threshold, put side by side.

use super::super::kind::Kind;
use super::super::node::{Node, Run};
use super::super::problem::Problem;
use super::super::tensor::{Tensor, Values};
use super::super::work::Work;
use super::cast::cast;
use super::linear::{floats, rows_of};

/// The setting of each column: there is one for all, or one each.
fn of_column(list: &[f64], column: usize) -> f64 {
    if list.len() == 1 { list.first() } else { list.get(column) }.copied().unwrap_or_default()
}

fn check_length(what: &str, found: usize, width: usize) -> Result<(), Problem> {
    if found == 1 || found == width {
        return Ok(());
    }
    Err(Problem::graph(format!("it gets {width} columns and has {found} {what}")))
}

/// (value - offset) × scale.
pub(super) fn scaler(node: &Node<'_>) -> Result<Run, Problem> {
    let (offset, scale) = (node.numbers("offset")?, node.numbers("scale")?);
    Ok(Box::new(move |inputs, work| {
        let input = inputs.get(0)?;
        let (_, width) = rows_of(input);
        check_length("offsets", offset.len(), width)?;
        check_length("scales", scale.len(), width)?;
        work.reserve(input.shape(), Kind::F64)?;
        let mut values = input.numbers()?;
        for row in values.chunks_mut(width.max(1)) {
            for (column, value) in row.iter_mut().enumerate() {
                // In 32 bits, as the operator is defined.
                let less = (*value as f32) - of_column(&offset, column) as f32;
                *value = f64::from(less * of_column(&scale, column) as f32);
            }
        }
        Ok(vec![floats(input.shape().to_vec(), values, work)?])
    }))
}

/// 1 above a threshold, 0 elsewhere.
pub(super) fn binarizer(node: &Node<'_>) -> Run {
    let threshold = f64::from(node.float("threshold", 0.0));
    Box::new(move |inputs, work| {
        let input = inputs.get(0)?;
        work.reserve(input.shape(), Kind::F64)?;
        let values =
            input.numbers()?.into_iter().map(|value| f64::from(u8::from(value > threshold))).collect();
        Ok(vec![cast(&Tensor::new(input.shape().to_vec(), values)?, input.kind(), work)?])
    })
}

/// A number of its own for each column's missing values.
pub(super) fn imputer(node: &Node<'_>) -> Result<Run, Problem> {
    let floats = node.numbers("imputed_value_floats")?;
    let whole = node.ints("imputed_value_int64s").to_vec();
    let replaced = node.float("replaced_value_float", 0.0);
    let replaced_whole = node.int("replaced_value_int64", 0);
    if floats.is_empty() && whole.is_empty() {
        return Err(Problem::graph("it has no values to put in place of missing ones"));
    }
    Ok(Box::new(move |inputs, work: &mut Work| {
        let input = inputs.get(0)?;
        let (_, width) = rows_of(input);
        work.reserve(input.shape(), input.kind())?;
        let column = |place: usize| place % width.max(1);
        let is_replaced = |value: f64| {
            if replaced.is_nan() { value.is_nan() } else { value == f64::from(replaced) }
        };
        let float = |(place, value): (usize, f64)| {
            if is_replaced(value) { of_column(&floats, column(place)) } else { value }
        };
        let values = match input.values() {
            Values::I64(values) => {
                check_length("values", whole.len(), width)?;
                let own =
                    |place: usize| if whole.len() == 1 { whole.first() } else { whole.get(column(place)) };
                let filled = values.iter().enumerate().map(|(place, value)| {
                    if *value == replaced_whole { own(place).copied().unwrap_or(*value) } else { *value }
                });
                Values::I64(filled.collect())
            }
            Values::F32(values) => {
                check_length("values", floats.len(), width)?;
                let wide = values.iter().map(|value| f64::from(*value)).enumerate();
                Values::F32(wide.map(float).map(|value| value as f32).collect())
            }
            Values::F64(values) => {
                check_length("values", floats.len(), width)?;
                Values::F64(values.iter().copied().enumerate().map(float).collect())
            }
            Values::I32(_) | Values::Bool(_) | Values::Text(_) => {
                let found = input.kind().name();
                return Err(Problem::graph(format!("values of type {found} are not filled")));
            }
        };
        Ok(vec![Tensor::of_values(input.shape().to_vec(), values)?])
    }))
}

/// Columns side by side, as 32-bit floats.
pub(super) fn feature_vectorizer() -> Run {
    Box::new(|inputs, work| {
        let parts = inputs.all().map(|part| Ok((part.rows(), part.numbers()?)));
        let parts = parts.collect::<Result<Vec<_>, Problem>>()?;
        let rows = parts.first().map_or(0, |((rows, _), _)| *rows);
        if parts.iter().any(|((own, _), _)| *own != rows) {
            return Err(Problem::graph("its inputs are of different numbers of rows"));
        }
        let width = parts.iter().map(|((_, width), _)| width).sum();
        work.reserve(&[rows, width], Kind::F64)?;
        let mut values = Vec::with_capacity(rows * width);
        for row in 0..rows {
            for ((_, width), numbers) in &parts {
                values.extend_from_slice(numbers.get(row * width..(row + 1) * width).unwrap_or_default());
            }
        }
        Ok(vec![floats(vec![rows, width], values, work)?])
    })
}
