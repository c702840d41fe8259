//! What a model takes and what it gives.

use std::collections::{BTreeMap, BTreeSet};

use mlpipeline_crds::ColumnType;
use serde::{Deserialize, Serialize};

use super::{Feature, Finding, Label, MAX_CLASSES, ModelError};
use crate::exact;
use crate::preprocess::{Form, Input};

/// The most features a model may have.
pub const MAX_FEATURES: usize = 4096;

/// What a model takes and what it gives: made at training from the training rows, and the source of `/docs`,
/// `/openapi.json` and the checks of every prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FeatureSchema {
    /// The columns to predict from, in their order.
    pub features: Vec<Feature>,
    /// The column that is predicted, or what is found without one.
    pub target: Target,
}

impl FeatureSchema {
    /// The columns of a file that are text as they were in training, so that a row is predicted for alike whatever other rows its file has.
    /// Other columns have the types that their values make them have, and are written again as they were.
    #[must_use]
    pub fn expected_types(&self) -> BTreeMap<String, ColumnType> {
        let texts = self.features.iter().filter(|feature| feature.was_text());
        texts.map(|feature| (feature.name.clone(), ColumnType::Text)).collect()
    }
}

/// The column that is predicted, or what is found without one.
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
    /// What was learned without a target.
    Finding(Finding),
}

impl Target {
    /// The column's name, or that of what is found.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Class { name, .. } | Self::Number { name, .. } => name,
            Self::Finding(finding) => finding.name(),
        }
    }

    /// The classes; none for a number, and none without a target.
    #[must_use]
    pub fn labels(&self) -> &[Label] {
        match self {
            Self::Class { labels, .. } => labels,
            Self::Number { .. } | Self::Finding(_) => &[],
        }
    }

    /// What an answer may be, one for each counter of predictions: the classes, or what a finding answers; none for numbers.
    #[must_use]
    pub fn answers(&self) -> Vec<Label> {
        match self {
            Self::Class { labels, .. } => labels.clone(),
            Self::Number { .. } => Vec::new(),
            Self::Finding(finding) => finding.answers(),
        }
    }

    /// How many numbers an answer has at most.
    #[must_use]
    pub fn answer_width(&self) -> usize {
        match self {
            Self::Class { labels, .. } => labels.len().max(1),
            Self::Number { .. } => 1,
            Self::Finding(finding) => finding.numbers().len() + 1,
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
            form: if feature.is_boolean() { Form::Boolean } else { feature.form() },
            optional: feature.optional,
            spelling: feature.spelling(),
        })
    }

    /// Checks that the schema contradicts itself nowhere.
    pub(super) fn check(&self) -> Result<(), ModelError> {
        let wrong = |message: String| Err(ModelError::Invalid(message));
        if self.features.is_empty() || self.features.len() > MAX_FEATURES {
            return wrong(format!("it has {} features, of 1 to {MAX_FEATURES}", self.features.len()));
        }
        let mut names = BTreeSet::new();
        match &self.target {
            Target::Class { name, .. } | Target::Number { name, .. } => {
                names.insert(name.as_str());
            }
            // No column of the data has its name.
            Target::Finding(_) => {}
        }
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
            Target::Finding(finding) => finding.check(),
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
