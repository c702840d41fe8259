//! What was found in rows without a target: there is nothing true to compare with, so metrics are of the rows themselves.
//!
//! Owns what becomes of them. What a row's value is, is measured where the rows are known.

use mlpipeline_crds::Metric;

use super::by_name::Metrics;

/// What was measured of rows without a target.
#[derive(Clone, Debug, Default)]
pub struct FindingOutcomes {
    /// How many rows have each answer; none where there are only numbers.
    pub answers: Vec<u64>,
    /// A metric that is the mean over rows, with the value of each row measured.
    pub per_row: Option<(Metric, Vec<f64>)>,
    /// Metrics of all rows together, by name. No interval can be drawn of them.
    pub totals: Metrics,
    /// The share of the variance that each component keeps.
    pub explained: Vec<f64>,
}

impl FindingOutcomes {
    /// One metric; not a number where it was not measured.
    pub(super) fn metric(&self, metric: Metric) -> f64 {
        match &self.per_row {
            Some((own, values)) if *own == metric => values.iter().sum::<f64>() / values.len() as f64,
            _ => self.totals.get(metric.name()).copied().unwrap_or(f64::NAN),
        }
    }

    /// The rows whose values were measured.
    pub(super) fn rows(&self) -> usize {
        self.per_row.as_ref().map_or(0, |(_, values)| values.len())
    }

    /// Adds the rows of another. Totals are of all rows of one, and so are not kept.
    pub(super) fn append(&mut self, mut other: Self) {
        self.answers.resize(self.answers.len().max(other.answers.len()), 0);
        self.answers.iter_mut().zip(other.answers).for_each(|(own, other)| *own += other);
        self.totals.clear();
        self.explained.clear();
        if let (Some((_, own)), Some((_, other))) = (&mut self.per_row, &mut other.per_row) {
            own.append(other);
        }
    }

    /// The values of rows with these numbers; totals are not theirs.
    pub(super) fn select(&self, rows: &[u32]) -> Self {
        let picked =
            |values: &Vec<f64>| rows.iter().filter_map(|row| values.get(*row as usize).copied()).collect();
        let per_row = self.per_row.as_ref().map(|(metric, values)| (*metric, picked(values)));
        Self { per_row, ..Self::default() }
    }
}
