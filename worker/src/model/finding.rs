//! What a model answers that was learned without a target: the columns that `score` writes and the fields that `serve` answers.
//!
//! Owns their names, alike for both. An answer is one of few values, and numbers go with it.

use serde::{Deserialize, Serialize};

use super::{Label, MAX_CLASSES, MAX_COLUMNS, ModelError};

/// What is found in a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Finding {
    /// The number of its cluster, and the distance to the cluster's centre.
    #[serde(rename_all = "camelCase")]
    Clusters {
        /// How many clusters there are.
        count: usize,
    },
    /// The number of its likeliest cluster, and the probability of each.
    #[serde(rename_all = "camelCase")]
    Mixture {
        /// How many clusters there are.
        count: usize,
    },
    /// The number of its cluster of dense rows, or -1 for noise, and the distance to the nearest dense row.
    #[serde(rename_all = "camelCase")]
    Density {
        /// How many clusters there are.
        count: usize,
    },
    /// Whether it is unlike all other rows, and how much.
    Outliers,
    /// Where it is along some directions.
    #[serde(rename_all = "camelCase")]
    Components {
        /// How many directions there are.
        count: usize,
    },
}

impl Finding {
    /// What it is called; the name of the answer.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Clusters { .. } | Self::Mixture { .. } | Self::Density { .. } => "cluster",
            Self::Outliers => "anomaly",
            Self::Components { .. } => "components",
        }
    }

    /// What the answer may be.
    #[must_use]
    pub fn answers(&self) -> Vec<Label> {
        match self {
            Self::Clusters { count } | Self::Mixture { count } => {
                (0..*count as i64).map(Label::Integer).collect()
            }
            Self::Density { count } => (-1..*count as i64).map(Label::Integer).collect(),
            Self::Outliers => ["inlier", "outlier"].map(|answer| Label::Text(answer.to_owned())).to_vec(),
            Self::Components { .. } => Vec::new(),
        }
    }

    /// The names of the numbers that go with an answer.
    #[must_use]
    pub fn numbers(&self) -> Vec<String> {
        match self {
            Self::Clusters { .. } | Self::Density { .. } => vec!["distance".to_owned()],
            Self::Mixture { count } => (0..*count).map(|number| format!("probability_{number}")).collect(),
            Self::Outliers => vec!["anomaly_score".to_owned()],
            Self::Components { count } => (1..=*count).map(|number| format!("component_{number}")).collect(),
        }
    }

    /// What its numbers say, for people.
    #[must_use]
    pub fn description(&self) -> &'static str {
        match self {
            Self::Clusters { .. } => "how far the row is from the centre of its cluster",
            Self::Mixture { .. } => "how likely the row is of the cluster, from 0 to 1",
            Self::Density { .. } => "how far the row is from the nearest dense row",
            Self::Outliers => "how strange the row is, from 0 to 1",
            Self::Components { .. } => "how far the row is along a direction in which rows differ most",
        }
    }

    /// What it answers, for people.
    #[must_use]
    pub fn lead(&self) -> String {
        match self {
            Self::Mixture { count } => {
                format!("which of {count} clusters a row is of, and for each {}", self.description())
            }
            Self::Density { count } => {
                format!("which of {count} clusters a row is of, -1 for none, and {}", self.description())
            }
            Self::Outliers => format!("whether a row is an outlier, and {}", self.description()),
            Self::Components { count } => format!("{count} numbers, each {}", self.description()),
            Self::Clusters { count } => {
                format!("which of {count} clusters a row is of, and {}", self.description())
            }
        }
    }

    /// Checks its bounds.
    pub(super) fn check(&self) -> Result<(), ModelError> {
        match self {
            Self::Clusters { count } | Self::Mixture { count } if !(1..=MAX_CLASSES).contains(count) => {
                Err(ModelError::Invalid(format!("it has {count} clusters, of 1 to {MAX_CLASSES}")))
            }
            // The answer for noise is one more.
            Self::Density { count } if !(1..MAX_CLASSES).contains(count) => {
                Err(ModelError::Invalid(format!("it has {count} clusters, of 1 to {}", MAX_CLASSES - 1)))
            }
            Self::Components { count } if !(1..=MAX_COLUMNS).contains(count) => {
                Err(ModelError::Invalid(format!("it has {count} components, of 1 to {MAX_COLUMNS}")))
            }
            Self::Clusters { .. }
            | Self::Mixture { .. }
            | Self::Density { .. }
            | Self::Outliers
            | Self::Components { .. } => Ok(()),
        }
    }
}
