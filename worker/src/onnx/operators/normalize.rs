//! Values made alike in size: shares that add up to one, and values less their mean by their spread.

use super::super::kind::Kind;
use super::super::layout::{axis_of, element_count};
use super::super::node::{Node, Run};
use super::super::problem::Problem;
use super::super::tensor::Tensor;
use super::super::work::Work;
use super::cast::cast;

/// Shares of exponentials: what [`softmax_row`] does along an axis, and before version 13 over all axes from one on.
pub(super) fn softmax(node: &Node<'_>) -> Option<Run> {
    let is_log = match node.operator {
        "Softmax" => false,
        "LogSoftmax" => true,
        _ => return None,
    };
    let joins = node.version < 13;
    let axis = node.int("axis", if joins { 1 } else { -1 });
    Some(Box::new(move |inputs, work| {
        let input = inputs.get(0)?;
        let axis = axis_of(axis, input.shape().len())?;
        let size: usize = input.shape().get(axis + 1..).unwrap_or_default().iter().product();
        let (length, after) =
            if joins { (input.shape()[axis] * size, 1) } else { (input.shape()[axis], size) };
        work.reserve(input.shape(), Kind::F64)?;
        let mut values = input.numbers()?;
        let mut row = vec![0.0; length];
        for block in values.chunks_mut((length * after).max(1)) {
            for start in 0..after {
                let places = || (start..).step_by(after).take(length);
                row.iter_mut()
                    .zip(places())
                    .for_each(|(value, place)| *value = block.get(place).copied().unwrap_or_default());
                softmax_row(&mut row, is_log);
                for (value, place) in row.iter().zip(places()) {
                    block.get_mut(place).into_iter().for_each(|slot| *slot = *value);
                }
            }
        }
        Ok(vec![cast(&Tensor::new(input.shape().to_vec(), values)?, input.kind(), work)?])
    }))
}

/// The shares of exponentials, or their logarithms.
pub(super) fn softmax_row(row: &mut [f64], is_log: bool) {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = row.iter().map(|value| (value - largest).exp()).sum();
    for value in row {
        *value = if is_log { *value - largest - sum.ln() } else { (*value - largest).exp() / sum };
    }
}

/// By the mean and variance of training: each of the second axis has its own.
pub(super) fn batch_normalization(node: &Node<'_>) -> Result<Run, Problem> {
    let epsilon = f64::from(node.float("epsilon", 1e-5));
    node.refuse(node.flag("training_mode", false), "training_mode")?;
    Ok(Box::new(move |inputs, work| {
        let input = inputs.get(0)?;
        let numbers = |place: usize| inputs.get(place).and_then(Tensor::numbers);
        let (scale, bias, mean, variance) = (numbers(1)?, numbers(2)?, numbers(3)?, numbers(4)?);
        let channels = input.shape().get(1).copied().unwrap_or(1);
        if [&scale, &bias, &mean, &variance].iter().any(|list| list.len() != channels) {
            return Err(Problem::graph(format!("it has not {channels} numbers for each of its settings")));
        }
        let size: usize = input.shape().get(2..).unwrap_or_default().iter().product();
        work.reserve(input.shape(), Kind::F64)?;
        let value = |(at, value): (usize, f64)| {
            let channel = at / size.max(1) % channels.max(1);
            (value - mean[channel]) / (variance[channel] + epsilon).sqrt() * scale[channel] + bias[channel]
        };
        let values = input.numbers()?.into_iter().enumerate().map(value).collect();
        Ok(vec![cast(&Tensor::new(input.shape().to_vec(), values)?, input.kind(), work)?])
    }))
}

/// By the mean and variance of each row's own axes.
pub(super) fn layer_normalization(node: &Node<'_>) -> Result<Run, Problem> {
    let (axis, epsilon) = (node.int("axis", -1), f64::from(node.float("epsilon", 1e-5)));
    node.refuse(node.outputs > 1, "an output beside the first")?;
    Ok(Box::new(move |inputs, work| {
        let input = inputs.get(0)?;
        let axis = axis_of(axis, input.shape().len())?;
        let width = element_count(input.shape().get(axis..).unwrap_or_default())?;
        let numbers = |place: usize| inputs.optional(place).map(Tensor::numbers).transpose();
        let (scale, bias) = (numbers(1)?, numbers(2)?);
        if [&scale, &bias].into_iter().flatten().any(|list| list.len() != width && list.len() != 1) {
            return Err(Problem::graph(format!("it has not {width} numbers for each of its settings")));
        }
        let setting = |list: &Option<Vec<f64>>, place: usize, otherwise: f64| match list {
            Some(list) => list.get(place).or(list.first()).copied().unwrap_or(otherwise),
            None => otherwise,
        };
        work.reserve(input.shape(), Kind::F64)?;
        let mut values = input.numbers()?;
        for row in values.chunks_mut(width.max(1)) {
            let count = row.len() as f64;
            let mean = row.iter().sum::<f64>() / count;
            let variance = row.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
            for (place, value) in row.iter_mut().enumerate() {
                *value = (*value - mean) / (variance + epsilon).sqrt() * setting(&scale, place, 1.0)
                    + setting(&bias, place, 0.0);
            }
        }
        Ok(vec![cast(&Tensor::new(input.shape().to_vec(), values)?, input.kind(), work)?])
    }))
}

/// Values along an axis by the sum of them, or by their length.
pub(super) fn lp_normalization(node: &Node<'_>) -> Result<Run, Problem> {
    let (axis, power) = (node.int("axis", -1), node.int("p", 2));
    node.refuse(power != 1 && power != 2, &format!("the norm {power}"))?;
    Ok(Box::new(move |inputs, work| {
        let input = inputs.get(0)?;
        let axis = axis_of(axis, input.shape().len())?;
        let (length, after) =
            (input.shape()[axis], element_count(input.shape().get(axis + 1..).unwrap_or_default())?);
        work.reserve(input.shape(), Kind::F64)?;
        let mut values = input.numbers()?;
        for block in values.chunks_mut(length.saturating_mul(after).max(1)) {
            for start in 0..after {
                let own = || block.iter().skip(start).step_by(after);
                let size = if power == 1 {
                    own().map(|value| value.abs()).sum()
                } else {
                    own().map(|value| value * value).sum::<f64>().sqrt()
                };
                if size != 0.0 {
                    block.iter_mut().skip(start).step_by(after).for_each(|value| *value /= size);
                }
            }
        }
        Ok(vec![cast(&Tensor::new(input.shape().to_vec(), values)?, input.kind(), work)?])
    }))
}

/// Rows by their largest value, or the sum or length of them.
pub(super) fn normalizer(node: &Node<'_>) -> Result<Run, Problem> {
    let norm = node.string("norm", "MAX")?;
    let of_row: fn(&[f64]) -> f64 = match norm.as_str() {
        "MAX" => |row| row.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "L1" => |row| row.iter().map(|value| value.abs()).sum(),
        "L2" => |row| row.iter().map(|value| value * value).sum::<f64>().sqrt(),
        other => return Err(Problem::graph(format!("the norm {other} is not computed"))),
    };
    Ok(Box::new(move |inputs, work: &mut Work| {
        let input = inputs.get(0)?;
        let width = input.shape().last().copied().unwrap_or(1);
        work.reserve(input.shape(), Kind::F64)?;
        let mut values = input.numbers()?;
        for row in values.chunks_mut(width.max(1)) {
            let size = of_row(row);
            if size != 0.0 {
                row.iter_mut().for_each(|value| *value /= size);
            }
        }
        Ok(vec![cast(&Tensor::new(input.shape().to_vec(), values)?, Kind::F32, work)?])
    }))
}
