//! What is said of a window that moves, from what is said of each of its rows, without ever taking anything away: the queue of two stacks, as in
//! sliding-window aggregation.

use std::fmt::Debug;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Accumulator;

/// What is known of some rows.
pub(super) trait Summary: Copy + Debug + Default + Send + Sync + 'static {
    /// What is known of these rows and others that come after them.
    fn and(self, other: Self) -> Self;
}

/// What is said of the rows of a window.
pub(super) trait OfWindow: Debug + Send + Sync + 'static {
    /// What is known of each row for it.
    type Row: Summary;

    /// What is known of each of these rows.
    fn rows(&self, values: &[ArrayRef]) -> Result<Vec<Self::Row>>;

    /// The answer for all rows of the window together.
    fn answer(&self, all: Self::Row) -> ScalarValue;
}

/// The rows of a window, and what is said of them.
#[derive(Debug)]
pub(super) struct Window<W: OfWindow> {
    said: W,
    /// What leaves next is last; each with what is known of all that leave after it and are here.
    front: Vec<W::Row>,
    /// What came since, in its order.
    back: Vec<W::Row>,
    back_sum: W::Row,
}

impl<W: OfWindow> Window<W> {
    pub(super) fn new(said: W) -> Self {
        Self { said, front: Vec::new(), back: Vec::new(), back_sum: W::Row::default() }
    }

    /// The oldest row leaves.
    fn leave(&mut self) {
        if self.front.is_empty() {
            let mut sum = W::Row::default();
            for row in self.back.drain(..).rev() {
                sum = row.and(sum);
                self.front.push(sum);
            }
            self.back_sum = W::Row::default();
        }
        self.front.pop();
    }
}

impl<W: OfWindow> Accumulator for Window<W> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for row in self.said.rows(values)? {
            self.back.push(row);
            self.back_sum = self.back_sum.and(row);
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |values| values.len());
        (0..rows).for_each(|_| self.leave());
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let all = self.front.last().copied().unwrap_or_default().and(self.back_sum);
        Ok(self.said.answer(all))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + (self.front.capacity() + self.back.capacity()) * size_of::<W::Row>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Err(DataFusionError::Internal("a moving window is of one partition".to_owned()))
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        Err(DataFusionError::Internal("a moving window is of one partition".to_owned()))
    }
}
