//! What a model takes and what it gives.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Feature, ModelError};
use crate::exact;
use crate::preprocess::Input;

/// The most features a model may have.
pub const MAX_FEATURES: usize = 4096;

/// The most columns that a model's features may become.
pub const MAX_COLUMNS: usize = 4096;

/// The most classes a classifier may know.
pub const MAX_CLASSES: usize = 1000;

/// What a model takes and what it gives: made at training from the training rows, and the source of `/docs`,
/// `/openapi.json` and the checks of every prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FeatureSchema {
    /// The columns to predict from, in their order.
    pub features: Vec<Feature>,
    /// The column that is predicted.
    pub target: Target,
}

/// The column that is predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// One of several classes.
    #[serde(rename_all = "camelCase")]
    Class {
        /// The column's name.
        name: String,
        /// The classes, sorted; a prediction's index points into this list.
        labels: Vec<Label>,
    },
    /// A number.
    #[serde(rename_all = "camelCase")]
    Number {
        /// The column's name.
        name: String,
        /// The smallest value seen in training.
        #[serde(with = "exact")]
        min: f64,
        /// The largest value seen in training.
        #[serde(with = "exact")]
        max: f64,
    },
}

/// A class, as it is in the data. Sorted as numbers or as text by bytes; labels of one target are of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Label {
    /// False or true.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => value.fmt(formatter),
            Self::Integer(value) => value.fmt(formatter),
            Self::Text(value) => formatter.write_str(value),
        }
    }
}

impl Target {
    /// The column's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Class { name, .. } | Self::Number { name, .. } => name,
        }
    }

    /// The classes; none for a number.
    #[must_use]
    pub fn labels(&self) -> &[Label] {
        match self {
            Self::Class { labels, .. } => labels,
            Self::Number { .. } => &[],
        }
    }
}

impl FeatureSchema {
    /// The features' names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.features.iter().map(|feature| feature.name.as_str())
    }

    /// The features as columns to read.
    pub fn inputs(&self) -> impl Iterator<Item = Input> {
        self.features.iter().map(|feature| Input {
            name: feature.name.clone(),
            form: feature.form(),
            optional: feature.optional,
        })
    }

    /// Checks that the schema contradicts itself nowhere.
    pub(super) fn check(&self) -> Result<(), ModelError> {
        let wrong = |message: String| Err(ModelError::Invalid(message));
        if self.features.is_empty() || self.features.len() > MAX_FEATURES {
            return wrong(format!("it has {} features, of 1 to {MAX_FEATURES}", self.features.len()));
        }
        let mut names = BTreeSet::from([self.target.name()]);
        if let Some(twice) = self.names().find(|name| !names.insert(name)) {
            return wrong(format!("column \"{twice}\" occurs twice"));
        }
        if let Some(bad) = self.features.iter().find(|feature| !feature.is_sound()) {
            return wrong(format!("a statistic of feature \"{}\" is out of range", bad.name));
        }
        match &self.target {
            Target::Class { labels, .. } => check_labels(labels),
            Target::Number { min, max, .. } if !(min.is_finite() && max.is_finite()) => {
                wrong("a statistic of the target is not finite".to_owned())
            }
            Target::Number { .. } => Ok(()),
        }
    }
}

fn check_labels(labels: &[Label]) -> Result<(), ModelError> {
    if labels.len() < 2 || labels.len() > MAX_CLASSES {
        return Err(ModelError::Invalid(format!("it has {} classes, of 2 to {MAX_CLASSES}", labels.len())));
    }
    let ordered = labels.windows(2).all(|pair| match pair {
        [a, b] => a < b && std::mem::discriminant(a) == std::mem::discriminant(b),
        _ => true,
    });
    if ordered {
        Ok(())
    } else {
        Err(ModelError::Invalid("its classes are not sorted and distinct".to_owned()))
    }
}
