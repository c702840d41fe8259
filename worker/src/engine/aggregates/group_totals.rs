//! Sums and means of doubles of groups: those of `totals`, one for each.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, Float64Array};
use datafusion::error::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::filtered::filtered;
use super::totals::{Answer, Total, doubles, state_columns, totals_of};
use super::two_stacks::{OfWindow, Summary};

/// A total for each group.
#[derive(Debug)]
pub(super) struct GroupTotals {
    answer: Answer,
    totals: Vec<Total>,
}

impl GroupTotals {
    pub(super) fn new(answer: Answer) -> Self {
        Self { answer, totals: Vec::new() }
    }

    fn add(&mut self, group: usize, number: f64) {
        if let Some(total) = self.totals.get_mut(group) {
            total.add(number);
        }
    }
}

/// The only column without what a filter leaves out.
fn taken(values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
    values.iter().map(|values| filtered(values, filter)).collect()
}

impl GroupsAccumulator for GroupTotals {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        self.totals.resize(groups, Total::default());
        let taken = taken(values, filter)?;
        let numbers = doubles(&taken)?;
        if numbers.null_count() == 0 {
            for (number, group) in numbers.values().iter().zip(group_indices) {
                self.add(*group, *number);
            }
        } else {
            for (number, group) in numbers.iter().zip(group_indices) {
                if let Some(number) = number {
                    self.add(*group, number);
                }
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let totals = emit_to.take_needed(&mut self.totals);
        let answers: Float64Array = totals.into_iter().map(|total| self.answer.of(total)).collect();
        Ok(Arc::new(answers))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(state_columns(&emit_to.take_needed(&mut self.totals)))
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], groups: usize) -> Result<()> {
        self.totals.resize(groups, Total::default());
        for (more, group) in totals_of(values)?.zip(group_indices) {
            if let Some(total) = self.totals.get_mut(*group) {
                *total = total.and(more);
            }
        }
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        Ok(state_columns(&self.answer.rows(&taken(values, filter)?)?))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.totals.capacity() * size_of::<Total>()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::AsArray;
    use datafusion::arrow::datatypes::Float64Type;

    use super::*;

    fn column(numbers: &[Option<f64>]) -> Vec<ArrayRef> {
        vec![Arc::new(Float64Array::from(numbers.to_vec()))]
    }

    #[test]
    fn groups_keep_both_parts_of_their_sums_from_rows_to_states_to_answers() {
        let large = [Some(1e16), Some(1.0), None, Some(0.5)];
        let small = [Some(-1e16), Some(2.0)];
        let mut one = GroupTotals::new(Answer::Sum);
        one.update_batch(&column(&large), &[0, 0, 1, 2], None, 3).expect("added");
        let skipped = BooleanArray::from(vec![true, false]);
        let other = GroupTotals::new(Answer::Sum);
        let rows = other.convert_to_state(&column(&small), Some(&skipped)).expect("states");

        let mut all = GroupTotals::new(Answer::Sum);
        all.merge_batch(&one.state(EmitTo::All).expect("states"), &[0, 1, 2], 3).expect("merged");
        all.merge_batch(&rows, &[0, 1], 3).expect("merged");
        let mut emitted = |to: EmitTo| -> Vec<Option<f64>> {
            let found = all.evaluate(to).expect("answers");
            found.as_primitive::<Float64Type>().iter().collect()
        };
        assert_eq!(emitted(EmitTo::First(2)), [Some(1.0), None]);
        assert_eq!(emitted(EmitTo::All), [Some(0.5)]);
    }
}
