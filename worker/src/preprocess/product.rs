//! Products of pairs of numbers, beside the numbers themselves.
//!
//! Owns which numbers: those that are learnt from, so that one that was imputed is multiplied as it was imputed. As scikit-learn's
//! `PolynomialFeatures` with `interaction_only`, for the pairs that a person names.

use serde::{Deserialize, Serialize};

use super::Transform;

/// The product of two input columns, by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Product {
    /// The place of one column.
    pub first: u32,
    /// The place of the other one.
    pub second: u32,
}

impl Product {
    /// What is wrong with it beside these transforms.
    pub(super) fn problem(self, transforms: &[Transform]) -> Option<String> {
        let is_number = |place: u32| matches!(transforms.get(place as usize), Some(Transform::Number(_)));
        let fits = self.first != self.second && is_number(self.first) && is_number(self.second);
        (!fits).then(|| "a product is not of two columns of numbers".to_owned())
    }
}
