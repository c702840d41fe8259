//! How one column is taken, where its type does not say it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Scale;

/// How a column is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrainColumn {
    /// The column's name.
    #[schemars(length(min = 1, max = 256))]
    pub name: String,
    /// What the column is taken as; what its type says when absent.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub taken_as: Option<ColumnRole>,
    /// Of a category, how many texts have a column of the model: the most frequent ones; all others share one. 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_categories: Option<i32>,
    /// Of a text, how many words have a column of the model: those in the most rows. 1000 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4096))]
    pub max_terms: Option<i32>,
    /// Of hashed texts, how many columns they become. 64 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4096))]
    pub buckets: Option<i32>,
    /// Of an ordinal, its texts from the least to the greatest. Absent, the texts of the rows to learn from, as numbers where all are some, else
    /// by the alphabet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000), inner(length(max = 256)))]
    pub order: Vec<String>,
    /// How its numbers are brought to a common size, in place of what the step says of all columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
}

impl TrainColumn {
    /// [`TrainColumn::max_categories`] when absent.
    pub const DEFAULT_MAX_CATEGORIES: i32 = 50;
    /// [`TrainColumn::max_terms`] when absent.
    pub const DEFAULT_MAX_TERMS: i32 = 1000;
    /// [`TrainColumn::buckets`] when absent.
    pub const DEFAULT_BUCKETS: i32 = 64;

    /// A column of this name, taken as its type says.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            taken_as: None,
            max_categories: None,
            max_terms: None,
            buckets: None,
            order: Vec::new(),
            scale: None,
        }
    }

    /// Removes what says no more than what holds without it, in a step with this scale: a default that is written out is not a change.
    pub fn remove_defaults(&mut self, of_step: Scale) {
        self.scale = self.scale.filter(|scale| *scale != of_step);
        for (number, default) in [
            (&mut self.max_categories, Self::DEFAULT_MAX_CATEGORIES),
            (&mut self.max_terms, Self::DEFAULT_MAX_TERMS),
            (&mut self.buckets, Self::DEFAULT_BUCKETS),
        ] {
            *number = number.filter(|number| *number != default);
        }
    }

    /// Whether only a worker that reads version 5 of a step knows what it says.
    pub(crate) fn needs_version_5(&self) -> bool {
        self.max_terms.is_some()
            || self.buckets.is_some()
            || !self.order.is_empty()
            || self.scale.is_some()
            || match self.taken_as {
                Some(ColumnRole::Ordinal | ColumnRole::Text | ColumnRole::Target | ColumnRole::Hash) => true,
                Some(ColumnRole::Number | ColumnRole::Category | ColumnRole::Date | ColumnRole::Ignore)
                | None => false,
            }
    }
}

/// What a column is taken as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ColumnRole {
    /// A number, or a boolean as 0 and 1.
    Number,
    /// One of several texts.
    Category,
    /// One of several texts that have an order: its place in it.
    Ordinal,
    /// A date or time.
    Date,
    /// Prose: its words, weighted by TF-IDF.
    Text,
    /// One of many texts: the mean of the target over the rows that have it.
    Target,
    /// One of many texts: a column that its hash tells.
    Hash,
    /// Nothing: the column is not learned from.
    Ignore,
}
