//! The rows that the trees do not see, with what the trees say of them so far.

use super::super::matrix::Rows;
use super::super::parallel::over_shards;
use super::super::row::Row;
use super::loss::Loss;
use super::stopping::Stopping;
use crate::model::Tree;

/// Follows the loss on rows that were kept back.
pub(super) struct Watch<'a> {
    rows: Rows<'a>,
    loss: &'a Loss,
    scores: Vec<Vec<f64>>,
    /// The mean loss without any tree, and after each round.
    losses: Vec<f64>,
    stopped: bool,
}

impl<'a> Watch<'a> {
    /// Begins with what is predicted without any tree.
    pub(super) fn new(rows: Rows<'a>, loss: &'a Loss, start: &[f64]) -> Self {
        let scores: Vec<Vec<f64>> = start.iter().map(|start| vec![*start; rows.len()]).collect();
        let losses = vec![loss.mean(&scores)];
        Self { rows, loss, scores, losses, stopped: false }
    }

    /// Takes in a tree of a class's scores.
    pub(super) fn add(&mut self, class: usize, tree: &Tree) {
        let rows = self.rows;
        let said = over_shards(rows.len(), |range| {
            let value = |(_, row): (usize, Row<'_>)| tree.values(&row).first().copied().unwrap_or(0.0);
            rows.range(range).map(value).collect::<Vec<f64>>()
        });
        if let Some(scores) = self.scores.get_mut(class) {
            scores.iter_mut().zip(said.into_iter().flatten()).for_each(|(score, value)| *score += value);
        }
    }

    /// Ends a round; whether there should be no other.
    pub(super) fn is_over(&mut self, stopping: &Stopping) -> bool {
        self.losses.push(self.loss.mean(&self.scores));
        self.stopped = stopping.is_over(&self.losses);
        self.stopped
    }

    /// What a person should know.
    pub(super) fn sentence(&self, done: usize, most: usize) -> String {
        let (rows, loss) = (self.rows.len(), self.losses.last().copied().unwrap_or(f64::NAN));
        if self.stopped {
            format!(
                "boosting stopped after {done} of {most} iterations, since its loss on {rows} rows that the trees did not see, now \
                 {loss:.4}, fell no more"
            )
        } else {
            format!(
                "boosting did all {most} iterations, and its loss on {rows} rows that the trees did not see, now {loss:.4}, may still \
                 fall; raise maxIterations"
            )
        }
    }
}
