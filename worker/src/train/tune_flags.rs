//! The search for parameters on the command line.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use mlpipeline_crds::{Metric, Search, Tune};
use serde_json::Value;

use super::algorithm_flags::scalar;

/// Which parameters to try.
#[derive(Clone, Debug, Args)]
pub struct TuneFlags {
    /// Try values of a parameter: a list, or {"min": 0.001, "max": 10, "log": true} to draw from. May be given several times.
    #[arg(long, value_name = "NAME=A,B,…", value_parser = parse_space, help_heading = "Tuning")]
    pub tune: Vec<(String, Value)>,
    /// How values are tried: all of them, drawn, or drawn and begun on few rows.
    #[arg(long, value_enum, requires = "tune", help_heading = "Tuning")]
    pub tune_search: Option<SearchFlag>,
    /// How many trials are drawn.
    #[arg(long, value_name = "NUMBER", requires = "tune_search", help_heading = "Tuning")]
    pub trials: Option<i32>,
    /// What trials are compared by.
    #[arg(long, value_name = "METRIC", requires = "tune", value_parser = parse_metric, help_heading = "Tuning")]
    pub tune_metric: Option<Metric>,
}

/// How values are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SearchFlag {
    /// Each value with each other.
    Grid,
    /// Drawn values.
    Random,
    /// Drawn values, begun on few rows.
    Halving,
}

impl TuneFlags {
    /// The search of a step, if one is asked for; the seed is that of all that is drawn.
    #[must_use]
    pub fn search(&self, seed: i64) -> Option<Tune> {
        let search = self.tune_search.map(|search| match search {
            SearchFlag::Grid => Search::Grid,
            SearchFlag::Random => Search::Random,
            SearchFlag::Halving => Search::Halving,
        });
        (!self.tune.is_empty()).then(|| Tune {
            search,
            parameters: self.parameters(),
            trials: self.trials,
            metric: self.tune_metric,
            folds: None,
            seed: Some(seed),
        })
    }
}

impl TuneFlags {
    /// What to try of each parameter; the values of one that is given again follow the earlier ones.
    fn parameters(&self) -> BTreeMap<String, Value> {
        let mut all = BTreeMap::<String, Value>::new();
        for (name, values) in self.tune.iter().cloned() {
            match (all.get_mut(&name), values) {
                (Some(Value::Array(earlier)), Value::Array(values)) => earlier.extend(values),
                (Some(Value::Array(earlier)), range) => earlier.push(range),
                (Some(earlier), values) => *earlier = Value::Array(vec![earlier.take(), values]),
                (None, values) => drop(all.insert(name, values)),
            }
        }
        all
    }
}

/// Values are JSON where they can be, and text otherwise.
fn parse_space(text: &str) -> Result<(String, Value), String> {
    let (name, values) = text.split_once('=').ok_or("write NAME=VALUES, for example alpha=0.1,1,10")?;
    if values.starts_with(['{', '[']) {
        let values = serde_json::from_str(values).map_err(|error| format!("not JSON: {error}"))?;
        return Ok((name.to_owned(), values));
    }
    Ok((name.to_owned(), Value::Array(values.split(',').map(scalar).collect())))
}

fn parse_metric(text: &str) -> Result<Metric, String> {
    Metric::named(text).ok_or_else(|| format!("not a metric; there are {}", Metric::names(None)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_and_ranges_are_read() {
        let space = |text| parse_space(text).expect("a space").1;
        assert_eq!(space("alpha=0.1,1"), json!([0.1, 1]));
        assert_eq!(space("penalty=l1,l2"), json!(["l1", "l2"]));
        assert_eq!(space(r#"alpha={"min": 0, "max": 2}"#), json!({"min": 0, "max": 2}));
        assert_eq!(space("alpha=[1]"), json!([1]));
        assert!(parse_space("alpha").is_err() && parse_space("alpha={").is_err());
        assert!(parse_metric("speed").is_err());
    }
}
