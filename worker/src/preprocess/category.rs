//! Categories: one column of 0 and 1 for each text of the training rows (one-hot).
//!
//! Texts beyond the limit, the rarest ones, share a column. A text that training never saw gets that column where there is
//! one, and zeros in all columns where there is none, as scikit-learn's OneHotEncoder has it with `max_categories` and
//! `handle_unknown="infrequent_if_exist"`. A missing value has a column of its own where one was missing in training.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::Texts;

/// What is done with a column of categories.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CategoryTransform {
    /// The texts with a column of their own, sorted by bytes.
    pub categories: Vec<String>,
    /// Whether all other texts share a column.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub other: bool,
    /// Whether a missing value has a column.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub indicator: bool,
}

impl CategoryTransform {
    /// Fits to the places of the training rows' texts (NaN where one is missing). The `limit` most frequent ones get columns;
    /// of equally frequent ones, the first by bytes.
    #[must_use]
    pub fn fit(values: impl Iterator<Item = f64>, texts: &Texts, limit: usize) -> Self {
        let (mut counts, mut indicator) = (vec![0_u64; texts.len()], false);
        for value in values {
            match place(value).and_then(|place| counts.get_mut(place)) {
                Some(count) => *count += 1,
                None => indicator = true,
            }
        }
        let counted = counts.into_iter().zip(texts.iter()).filter(|(count, _)| *count > 0);
        let mut counted: Vec<(u64, &str)> = counted.collect();
        counted.sort_by(|(ours, our_text), (theirs, their_text)| {
            theirs.cmp(ours).then(our_text.cmp(their_text))
        });
        let other = counted.len() > limit;
        counted.truncate(limit);
        let mut categories: Vec<String> = counted.into_iter().map(|(_, text)| text.to_owned()).collect();
        categories.sort();
        Self { categories, other, indicator }
    }

    pub(crate) fn width(&self) -> usize {
        self.categories.len() + usize::from(self.other) + usize::from(self.indicator)
    }

    /// Where each text is among the categories.
    pub(super) fn places(&self, texts: &Texts) -> Vec<Option<u32>> {
        places(&self.categories, texts)
    }

    pub(super) fn encode(&self, value: f64, places: &[Option<u32>], out: &mut [f64]) {
        out.fill(0.0);
        let one = match place(value) {
            None if self.indicator => out.last_mut(),
            None => None,
            Some(text) => match places.get(text).copied().flatten() {
                Some(place) => out.get_mut(place as usize),
                None if self.other => out.get_mut(self.categories.len()),
                None => None,
            },
        };
        if let Some(one) = one {
            *one = 1.0;
        }
    }

    pub(super) fn problem(&self) -> Option<String> {
        sorted_problem(&self.categories)
    }
}

/// Where each text is among categories.
pub(super) fn places(categories: &[String], texts: &Texts) -> Vec<Option<u32>> {
    let places: HashMap<&str, u32> = categories.iter().map(String::as_str).zip(0..).collect();
    texts.iter().map(|text| places.get(text).copied()).collect()
}

/// Categories of a file must be as training writes them.
pub(super) fn sorted_problem(categories: &[String]) -> Option<String> {
    let sorted = categories.windows(2).all(|pair| pair.first() < pair.last());
    (!sorted).then(|| "the categories of a column are not sorted and distinct".to_owned())
}

/// A raw value as a place among texts; none where the value is missing.
pub(super) fn place(value: f64) -> Option<usize> {
    (value >= 0.0).then_some(value as usize)
}
