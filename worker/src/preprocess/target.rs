//! Texts to the mean of the target among the rows that have them (target encoding).
//!
//! Owns what is done with the means, which training works out. A text that training never saw, and a missing value where none was
//! missing, get the mean of all rows. A missing value otherwise counts as one more text.

use serde::{Deserialize, Serialize};

use super::Texts;
use super::category::{place, places, sorted_problem};
use crate::exact::Row;

/// What is done with a column whose texts stand for means of the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetTransform {
    /// The texts of the training rows, sorted by bytes.
    pub(crate) categories: Vec<String>,
    /// The means of each text's rows: one, or one for each of more than two classes.
    pub(crate) means: Vec<Row>,
    /// Those of all rows.
    pub(crate) overall: Row,
    /// Those of the rows without a value, where there were some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) missing: Option<Row>,
}

impl TargetTransform {
    pub(crate) fn width(&self) -> usize {
        self.overall.0.len()
    }

    pub(super) fn places(&self, texts: &Texts) -> Vec<Option<u32>> {
        places(&self.categories, texts)
    }

    pub(super) fn encode(&self, value: f64, places: &[Option<u32>], out: &mut [f64]) {
        let means = match place(value) {
            None => self.missing.as_ref(),
            Some(text) => {
                places.get(text).copied().flatten().and_then(|place| self.means.get(place as usize))
            }
        };
        out.iter_mut().zip(&means.unwrap_or(&self.overall).0).for_each(|(out, mean)| *out = *mean);
    }

    pub(super) fn problem(&self) -> Option<String> {
        let rows = || self.means.iter().chain(&self.missing);
        let is_whole = self.categories.len() == self.means.len()
            && !self.overall.0.is_empty()
            && rows().all(|row| row.0.len() == self.overall.0.len());
        let is_finite = rows().chain([&self.overall]).all(|row| row.0.iter().all(|mean| mean.is_finite()));
        if !is_whole || !is_finite {
            return Some("the means of a column's texts are not one finite row for each text".to_owned());
        }
        sorted_problem(&self.categories)
    }
}
