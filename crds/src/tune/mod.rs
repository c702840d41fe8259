//! tune — the search for the parameters of an algorithm.
//!
//! Owns the form of a search and what is wrong with one before any row is read. Drawing and measuring trials is the worker's.

mod problems;

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Algorithm, ChosenAlgorithm, Metric, Predicts};
pub use problems::TuneProblem;

/// The most characters of a value that a problem shows.
const VALUE_SHOWN: usize = 64;

/// A search for parameters of the algorithm. Each trial is cross-validated on the rows to learn from; the rows of split are never
/// seen. The best one is then learnt from all of these rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tune {
    /// How values are tried; grid when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// What to try of each parameter, by its name in the algorithm: a list of values, such as [0.1, 1, 10], or, where they are
    /// drawn, a range: {min: 0.001, max: 10, log: true}. Of a whole number, whole numbers are drawn.
    #[schemars(schema_with = "spaces")]
    pub parameters: BTreeMap<String, Value>,
    /// With search: random or halving, how many trials there are; 20 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 200))]
    pub trials: Option<i32>,
    /// What trials are compared by; when absent, accuracy for classes, r2 for numbers, pinball for a quantile, and silhouette for clusters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// In how many folds each trial is measured; 5 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 100))]
    pub folds: Option<i32>,
    /// The seed of the folds and of what is drawn; 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_i64))]
    pub seed: Option<i64>,
}

/// How values are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Search {
    /// Each value of each list with each of the others.
    #[default]
    Grid,
    /// Values are drawn for so many trials.
    Random,
    /// Values are drawn, and trials begin on few rows: of each round, the best third is measured with three times the rows.
    Halving,
}

impl Search {
    /// The name in specs and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Random => "random",
            Self::Halving => "halving",
        }
    }
}

/// What is tried of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Space {
    /// These values.
    Values(Vec<Value>),
    /// Numbers that are drawn.
    Range(Range),
}

/// Numbers that are drawn between two others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Range {
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// Whether the numbers' logarithms are equally likely, and not the numbers.
    #[serde(default)]
    pub log: bool,
}

/// A map of what the resource's schema cannot say: lists of values of any kind, and ranges.
fn spaces(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "minProperties": 1,
        "maxProperties": 16,
        "additionalProperties": {"x-kubernetes-preserve-unknown-fields": true},
    })
}

impl Tune {
    /// The most trials of any search.
    pub const MOST_TRIALS: usize = 200;
    /// The most values of one parameter.
    pub const MOST_VALUES: usize = 100;
    /// The most parameters.
    pub const MOST_PARAMETERS: usize = 16;
    /// [`Tune::trials`] when absent.
    pub const DEFAULT_TRIALS: i32 = 20;
    /// [`Tune::folds`] when absent.
    pub const DEFAULT_FOLDS: i32 = 5;
    /// [`Tune::seed`] when absent.
    pub const DEFAULT_SEED: i64 = 0;
    /// Parameters that decide what is predicted, and so what models are compared by.
    const DECISIONS: [&'static str; 3] = ["task", "loss", "quantile"];

    /// The parameters that decide what columns become before any trial learns from them.
    const OF_COLUMNS: [&'static str; 1] = ["categories"];

    /// Removes fields that say what holds without them.
    pub fn remove_defaults(&mut self) {
        self.search = self.search.filter(|search| *search != Search::default());
        self.trials = self.trials.filter(|trials| *trials != Self::DEFAULT_TRIALS);
        self.folds = self.folds.filter(|folds| *folds != Self::DEFAULT_FOLDS);
        self.seed = self.seed.filter(|seed| *seed != Self::DEFAULT_SEED);
    }

    /// What is tried of each parameter whose form is right, by its name.
    #[must_use]
    pub fn spaces(&self) -> BTreeMap<&str, Space> {
        self.parameters.iter().filter_map(|(name, value)| Some((name.as_str(), space(value).ok()?))).collect()
    }

    /// The algorithm with the first value, or the least, of each parameter; `None` where these do not go together.
    #[must_use]
    pub fn first_of_each(&self, algorithm: &Algorithm) -> Option<Algorithm> {
        let first = |(name, space): (&'_ str, Space)| match space {
            Space::Values(values) => Some((name.to_owned(), values.into_iter().next()?)),
            Space::Range(Range { min, .. }) if algorithm.is_whole(name) => {
                Some((name.to_owned(), Value::from(min.round() as i64)))
            }
            Space::Range(Range { min, .. }) => Some((name.to_owned(), Value::from(min))),
        };
        let all: Vec<(String, Value)> = self.spaces().into_iter().filter_map(first).collect();
        algorithm.with(all.iter().map(|(name, value)| (name.as_str(), value.clone()))).ok()
    }

    /// What trials of this algorithm are compared by.
    #[must_use]
    pub fn compared_by(&self, algorithm: &Algorithm) -> Metric {
        let chosen = algorithm.chosen();
        let usual = match chosen.map(ChosenAlgorithm::predicts) {
            Some(Predicts::Classes) => Metric::Accuracy,
            Some(Predicts::Clusters) => Metric::Silhouette,
            Some(Predicts::Numbers | Predicts::Outliers | Predicts::Components) | None => {
                let is_quantile = chosen.is_some_and(|chosen| chosen.quantile().is_some());
                if is_quantile { Metric::Pinball } else { Metric::R2 }
            }
        };
        self.metric.unwrap_or(usual)
    }

    /// How many trials there are at most.
    #[must_use]
    pub fn trial_count(&self) -> usize {
        match self.search.unwrap_or_default() {
            Search::Grid => self.grid_size(),
            Search::Random | Search::Halving => {
                usize::try_from(self.trials.unwrap_or(Self::DEFAULT_TRIALS)).unwrap_or_default()
            }
        }
    }

    /// How many pods measure trials where so many may work at the same time: one for each trial at most.
    #[must_use]
    pub fn pods(&self, parallelism: Option<i32>) -> u32 {
        let most = u32::try_from(self.trial_count()).unwrap_or(u32::MAX);
        u32::try_from(parallelism.unwrap_or(1)).unwrap_or(1).clamp(1, most.max(1))
    }

    /// How many trials a grid has.
    #[must_use]
    pub fn grid_size(&self) -> usize {
        let size = |space: Space| match space {
            Space::Values(values) => values.len(),
            Space::Range(_) => 1,
        };
        self.spaces().into_values().map(size).fold(1, usize::saturating_mul)
    }
}

/// What a value of `parameters` says is to be tried.
fn space(value: &Value) -> Result<Space, String> {
    match value {
        Value::Array(values) if values.is_empty() || values.len() > Tune::MOST_VALUES => {
            Err(format!("has {} values; 1 to {} are allowed", values.len(), Tune::MOST_VALUES))
        }
        Value::Array(values) => Ok(Space::Values(values.clone())),
        Value::Object(_) => {
            let range: Range = serde_json::from_value(value.clone())
                .map_err(|error| format!("is not a range such as {{min: 0.1, max: 10}}: {error}"))?;
            if !(range.min.is_finite() && range.max.is_finite() && range.min < range.max) {
                return Err(format!(
                    "is a range from {} to {}; min must be less than max",
                    range.min, range.max
                ));
            }
            if range.log && range.min <= 0.0 {
                return Err(format!(
                    "is a range from {} with log: true, which needs a min of more than 0",
                    range.min
                ));
            }
            Ok(Space::Range(range))
        }
        other => Err(format!(
            "is {}; a list of values or a range such as {{min: 0.1, max: 10}} is needed",
            shown(other)
        )),
    }
}

/// A value as a problem shows it, cut where it is long.
fn shown(value: &Value) -> String {
    value.to_string().chars().take(VALUE_SHOWN).collect()
}

impl Algorithm {
    /// The same with these parameters in place of its own.
    ///
    /// # Errors
    /// When a value is not of its parameter's type.
    pub fn with<'a>(&self, parameters: impl IntoIterator<Item = (&'a str, Value)>) -> Result<Self, String> {
        let mut spec = serde_json::to_value(self).map_err(|error| error.to_string())?;
        let own = spec.as_object_mut().and_then(|spec| spec.values_mut().find_map(Value::as_object_mut));
        let own: &mut Map<String, Value> = own.ok_or("there is no algorithm")?;
        for (name, value) in parameters {
            own.insert(name.to_owned(), value);
        }
        serde_json::from_value(spec).map_err(|error| error.to_string())
    }

    /// Whether a parameter is a whole number.
    #[must_use]
    pub fn is_whole(&self, parameter: &str) -> bool {
        self.with([(parameter, Value::from(2))]).is_ok()
            && self.with([(parameter, Value::from(2.5))]).is_err()
    }
}
