//! Texts to one of so many columns, which a hash of the text tells: nothing is fitted, and a new text has a column too.
//!
//! The hash is XXH64 with seed 0 of the text's bytes, modulo the number of columns: it is a part of what a model means, and never
//! changes. Texts that share a column are alike to the model. A missing value is 0 in all columns.

use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

/// The most columns.
const MOST_BUCKETS: u32 = 4096;

/// What is done with a column of texts that are hashed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HashTransform {
    /// How many columns there are.
    pub buckets: u32,
}

impl HashTransform {
    pub(super) fn width(&self) -> usize {
        self.buckets as usize
    }

    pub(super) fn encode(&self, text: Option<&str>, out: &mut [f64]) {
        out.fill(0.0);
        let bucket = text.map(|text| XxHash64::oneshot(0, text.as_bytes()) % u64::from(self.buckets.max(1)));
        if let Some(one) = bucket.and_then(|bucket| out.get_mut(bucket as usize)) {
            *one = 1.0;
        }
    }

    pub(super) fn problem(&self) -> Option<String> {
        let is_wrong = self.buckets == 0 || self.buckets > MOST_BUCKETS;
        is_wrong.then(|| format!("a hashed column has {} columns, of 1 to {MOST_BUCKETS}", self.buckets))
    }
}
