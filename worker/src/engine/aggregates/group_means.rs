//! Means of whole numbers and decimals of groups: those of `decimal_mean`, one for each.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Float64Array};
use datafusion::error::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::decimal_mean::{UnitTotal, state_columns, totals_of, units};
use super::filtered::filtered;

/// A total for each group.
#[derive(Debug)]
pub(super) struct GroupMeans {
    scale: i8,
    totals: Vec<UnitTotal>,
}

impl GroupMeans {
    pub(super) fn new(scale: i8) -> Self {
        Self { scale, totals: Vec::new() }
    }

    fn add(
        &mut self,
        totals: impl Iterator<Item = UnitTotal>,
        group_indices: &[usize],
        groups: usize,
    ) -> Result<()> {
        self.totals.resize(groups, UnitTotal::default());
        for (more, group) in totals.zip(group_indices) {
            if let Some(total) = self.totals.get_mut(*group) {
                total.add(more)?;
            }
        }
        Ok(())
    }

    /// What is known of each row.
    fn rows(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<UnitTotal>> {
        let taken: Vec<ArrayRef> =
            values.iter().map(|values| filtered(values, filter)).collect::<Result<_>>()?;
        Ok(units(&taken, self.scale)?.iter().map(UnitTotal::of).collect())
    }
}

impl GroupsAccumulator for GroupMeans {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        let rows = self.rows(values, filter)?;
        self.add(rows.into_iter(), group_indices, groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let totals = emit_to.take_needed(&mut self.totals);
        let means = totals.into_iter().map(|total| total.mean(self.scale));
        Ok(Arc::new(means.collect::<Result<Float64Array>>()?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(state_columns(&emit_to.take_needed(&mut self.totals), self.scale))
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], groups: usize) -> Result<()> {
        self.add(totals_of(values)?, group_indices, groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        Ok(state_columns(&self.rows(values, filter)?, self.scale))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.totals.capacity() * size_of::<UnitTotal>()
    }
}
