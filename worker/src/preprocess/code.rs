//! Categories as codes: one column of whole numbers, for trees that split by sets of categories and for series that are distinguished.
//!
//! Texts beyond the limit, the rarest ones, share the code behind the others. A text that training never saw gets that code where
//! there is one, and else is missing; what is missing is a NaN. The codes' order means nothing.

use serde::{Deserialize, Serialize};

use super::category::{place, places, sorted_problem};
use super::{CategoryTransform, Texts};

/// The most codes that a file may have; algorithms have limits of their own.
const MOST_CODES: usize = 1 << 17;

/// What is done with a column of categories that become codes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CodeTransform {
    /// The texts with a code of their own, which is their place; sorted by bytes.
    pub categories: Vec<String>,
    /// Whether all other texts share a code.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub other: bool,
}

impl CodeTransform {
    /// Fits to the places of the training rows' texts, as [`CategoryTransform::fit`].
    #[must_use]
    pub fn fit(values: impl Iterator<Item = f64>, texts: &Texts, limit: usize) -> Self {
        let CategoryTransform { categories, other, .. } = CategoryTransform::fit(values, texts, limit);
        Self { categories, other }
    }

    /// How many codes there are.
    #[must_use]
    pub fn codes(&self) -> usize {
        self.categories.len() + usize::from(self.other)
    }

    pub(super) fn places(&self, texts: &Texts) -> Vec<Option<u32>> {
        places(&self.categories, texts)
    }

    pub(super) fn encode(&self, value: f64, places: &[Option<u32>], out: &mut [f64]) {
        let of_others = || self.other.then_some(self.categories.len() as u32);
        let known = place(value).and_then(|text| places.get(text).copied().flatten().or_else(of_others));
        out.fill(known.map_or(f64::NAN, f64::from));
    }

    pub(super) fn problem(&self) -> Option<String> {
        sorted_problem(&self.categories).or_else(|| {
            (self.codes() > MOST_CODES)
                .then(|| format!("a column has {} codes, of at most {MOST_CODES}", self.codes()))
        })
    }
}
