//! Texts that have an order, as their places in it: one column of whole numbers from 0, as scikit-learn's `OrdinalEncoder`.
//!
//! A text that is not in the order, which training never saw, and a missing value are -1, as with its `unknown_value=-1` and
//! `encoded_missing_value=-1`.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Texts;
use super::category::{place, places};

/// The most texts that a file may have.
const MOST_TEXTS: usize = 1 << 17;

/// What is done with a column of texts that have an order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrdinalTransform {
    /// The texts, each once, in their order.
    pub categories: Vec<String>,
}

impl OrdinalTransform {
    /// What a text without a place is, and a missing value.
    pub const NONE: f64 = -1.0;

    /// Takes the order that is said, or that of the training rows' texts: as numbers where all are some, else by bytes.
    ///
    /// # Errors
    /// The first text of these rows, given by their places among `texts`, that the order lacks.
    pub fn fit(values: impl Iterator<Item = f64>, texts: &Texts, order: &[String]) -> Result<Self, String> {
        let seen: BTreeSet<usize> = values.filter_map(place).collect();
        let seen = seen.into_iter().filter_map(|place| texts.get(place));
        if !order.is_empty() {
            let known: BTreeSet<&str> = order.iter().map(String::as_str).collect();
            return match seen.into_iter().find(|text| !known.contains(text)) {
                Some(lacking) => Err(lacking.to_owned()),
                None => Ok(Self { categories: order.to_vec() }),
            };
        }
        let mut categories: Vec<String> = seen.map(str::to_owned).collect();
        let number = |text: &String| text.parse::<f64>().ok().filter(|number| !number.is_nan());
        if categories.iter().all(|text| number(text).is_some()) {
            let by_number = |ours: &String, theirs: &String| number(ours).partial_cmp(&number(theirs));
            categories.sort_by(|ours, theirs| {
                by_number(ours, theirs).unwrap_or(Ordering::Equal).then_with(|| ours.cmp(theirs))
            });
        } else {
            categories.sort();
        }
        Ok(Self { categories })
    }

    pub(super) fn places(&self, texts: &Texts) -> Vec<Option<u32>> {
        places(&self.categories, texts)
    }

    pub(super) fn encode(&self, value: f64, places: &[Option<u32>], out: &mut [f64]) {
        let known = place(value).and_then(|text| places.get(text).copied().flatten());
        out.fill(known.map_or(Self::NONE, f64::from));
    }

    pub(super) fn problem(&self) -> Option<String> {
        let count = self.categories.len();
        let distinct: BTreeSet<&String> = self.categories.iter().collect();
        if distinct.len() < count {
            return Some("the texts of a column that has an order are not distinct".to_owned());
        }
        (count > MOST_TEXTS)
            .then(|| format!("a column has {count} texts in an order, of at most {MOST_TEXTS}"))
    }
}
