//! What was predicted how often: a few numbers for the report.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::model::{FeatureSchema, Predictions, Target};

/// The most classes that are counted one by one in a report.
const CLASSES_COUNTED: usize = 16;

/// The longest label that is counted, in bytes: a report is small.
const LABEL_LIMIT: usize = 48;

/// Counts of the predicted classes or of what was found, or the spread of the predicted numbers.
#[derive(Clone, Debug)]
pub(super) enum Tally {
    Classes { names: Vec<String>, counts: Vec<u64> },
    Numbers { count: u64, sum: f64, min: f64, max: f64 },
}

impl Tally {
    /// An empty tally, to be filled while rows stream by.
    pub(super) fn shared(model: &FeatureSchema) -> Arc<Mutex<Self>> {
        let answers = model.target.answers();
        Arc::new(Mutex::new(match &model.target {
            Target::Number { .. } => {
                Self::Numbers { count: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
            }
            Target::Class { .. } => Self::Classes {
                names: answers.iter().map(ToString::to_string).collect(),
                counts: vec![0; answers.len()],
            },
            Target::Finding(finding) => Self::Classes {
                names: answers.iter().map(|answer| format!("{}_{answer}", finding.name())).collect(),
                counts: vec![0; answers.len()],
            },
        }))
    }

    /// Counts a batch.
    pub(super) fn add(&mut self, predictions: &Predictions) {
        match (self, predictions) {
            (
                Self::Classes { counts, .. },
                Predictions::Classes { index, .. } | Predictions::Findings { index, .. },
            ) => {
                for class in index {
                    if let Some(count) = counts.get_mut(*class) {
                        *count += 1;
                    }
                }
            }
            (Self::Numbers { count, sum, min, max }, Predictions::Numbers(numbers)) => {
                for number in numbers {
                    *count += 1;
                    *sum += number;
                    *min = min.min(*number);
                    *max = max.max(*number);
                }
            }
            (Self::Classes { .. }, Predictions::Numbers(_))
            | (Self::Numbers { .. }, Predictions::Classes { .. } | Predictions::Findings { .. }) => {}
        }
    }

    /// The tally for a report: `rows_` and each class, or the predicted numbers' mean, smallest and largest.
    pub(super) fn metrics(&self) -> BTreeMap<String, f64> {
        match self {
            Self::Classes { names, counts } if names.len() <= CLASSES_COUNTED => names
                .iter()
                .zip(counts)
                .filter(|(name, _)| name.len() <= LABEL_LIMIT)
                .map(|(name, count)| (format!("rows_{name}"), *count as f64))
                .collect(),
            Self::Numbers { count, sum, min, max } if *count > 0 => BTreeMap::from([
                ("predictedMean".to_owned(), sum / *count as f64),
                ("predictedMin".to_owned(), *min),
                ("predictedMax".to_owned(), *max),
            ]),
            _ => BTreeMap::new(),
        }
    }
}
