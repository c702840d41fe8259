//! What is said of a window that moves, from what is said of each of its rows, without ever taking anything away: the queue of two stacks, as in
//! sliding-window aggregation.

/// What is known of some rows.
pub(super) trait Summary: Copy + Default {
    /// What is known of these rows and others that come after them.
    fn and(self, other: Self) -> Self;
}

/// The rows of a window.
#[derive(Debug)]
pub(super) struct TwoStacks<S> {
    /// What leaves next is last; each with what is known of all that leave after it and are here.
    front: Vec<S>,
    /// What came since, in its order.
    back: Vec<S>,
    back_sum: S,
}

impl<S: Summary> TwoStacks<S> {
    pub(super) fn new() -> Self {
        Self { front: Vec::new(), back: Vec::new(), back_sum: S::default() }
    }

    /// A row comes.
    pub(super) fn come(&mut self, row: S) {
        self.back.push(row);
        self.back_sum = self.back_sum.and(row);
    }

    /// The oldest row leaves.
    pub(super) fn leave(&mut self) {
        if self.front.is_empty() {
            let mut sum = S::default();
            for row in self.back.drain(..).rev() {
                sum = row.and(sum);
                self.front.push(sum);
            }
            self.back_sum = S::default();
        }
        self.front.pop();
    }

    /// What is known of all rows that are here.
    pub(super) fn all(&self) -> S {
        self.front.last().copied().unwrap_or_default().and(self.back_sum)
    }

    /// The bytes that they take.
    pub(super) fn bytes(&self) -> usize {
        (self.front.capacity() + self.back.capacity()) * size_of::<S>()
    }
}
