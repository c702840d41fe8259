//! A percentile between two values, by their exact distance: the engine weighs them by millionths.

use std::collections::VecDeque;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Accumulator;
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::physical_expr::expressions::Literal;

/// The values of a table, a group or a window, the oldest first.
#[derive(Debug)]
pub(super) struct Percentile {
    /// From 0 to 1, of the ascending values.
    share: f64,
    values: VecDeque<f64>,
}

impl Percentile {
    /// One of doubles, each of which counts; `None` where the engine is asked for something else, or for a share that it refuses.
    pub(super) fn of(args: &AccumulatorArgs<'_>) -> Option<Self> {
        let [value, _] = args.expr_fields else { return None };
        let share = args.exprs.get(1)?.downcast_ref::<Literal>()?.value().cast_to(&DataType::Float64).ok()?;
        let ScalarValue::Float64(Some(share)) = share else { return None };
        let is_ours = value.data_type() == &DataType::Float64 && !args.is_distinct;
        let is_descending = args.order_bys.first().is_some_and(|order| order.options.descending);
        (is_ours && (0.0..=1.0).contains(&share))
            .then(|| Self { share: if is_descending { 1.0 - share } else { share }, values: VecDeque::new() })
    }
}

/// The values of one column.
fn doubles(values: &[ArrayRef]) -> Result<impl Iterator<Item = f64>> {
    let values = values.first().ok_or_else(|| DataFusionError::Internal("no values".to_owned()))?;
    Ok(values.as_primitive::<Float64Type>().iter().flatten())
}

/// The value at a place that may be between two, as numpy's `linear` method.
fn between(values: &mut [f64], share: f64) -> Option<f64> {
    let place = share * values.len().checked_sub(1)? as f64;
    let (_, low, above) = values.select_nth_unstable_by(place as usize, f64::total_cmp);
    let (low, weight) = (*low, place.fract());
    let high = above.iter().copied().min_by(f64::total_cmp).filter(|_| weight > 0.0).unwrap_or(low);
    Some(if low == high {
        low
    } else if (high - low).is_finite() {
        low + (high - low) * weight
    } else {
        low * (1.0 - weight) + high * weight
    })
}

impl Accumulator for Percentile {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.values.extend(doubles(values)?);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let gone = doubles(values)?.count().min(self.values.len());
        self.values.drain(..gone);
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut values: Vec<f64> = self.values.iter().copied().collect();
        Ok(ScalarValue::Float64(between(&mut values, self.share)))
    }

    fn size(&self) -> usize {
        // Sorted by parts, they are there twice.
        size_of::<Self>() + 2 * self.values.capacity() * size_of::<f64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values: Vec<ScalarValue> =
            self.values.iter().map(|value| ScalarValue::Float64(Some(*value))).collect();
        Ok(vec![ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Float64))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states.first().ok_or_else(|| DataFusionError::Internal("no values".to_owned()))?;
        for list in lists.as_list::<i32>().iter().flatten() {
            self.update_batch(&[list])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_numpys() {
        let of = |values: &[f64], share| between(&mut values.to_vec(), share);
        assert_eq!(of(&[900.0, 0.0], 1.0 / 3.0), Some(300.0));
        assert_eq!(of(&[4.0, 1.0, 2.0], 0.75), Some(3.0));
        assert_eq!(of(&[f64::INFINITY, f64::INFINITY, 1.0], 0.75), Some(f64::INFINITY));
        assert_eq!(of(&[-f64::MAX, f64::MAX], 0.5), Some(0.0));
        assert_eq!((of(&[7.0], 1.0), of(&[], 0.5)), (Some(7.0), None));
    }
}
