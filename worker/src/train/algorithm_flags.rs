//! The algorithm and its parameters on the command line.
//!
//! Owns how flags become the algorithm of a spec. Names and parameters come from the table in `crds`, so that a new algorithm is
//! here without a change.

use std::sync::LazyLock;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use mlpipeline_crds::Algorithm;
use serde_json::{Map, Value};

use super::TrainError;

/// The algorithms' names as flags write them, in the order of [`Algorithm::NAMES`].
static FLAG_NAMES: LazyLock<Vec<String>> =
    LazyLock::new(|| Algorithm::NAMES.iter().copied().map(kebab).collect());

/// Which algorithm learns, and with which parameters.
#[derive(Clone, Debug, Args)]
pub struct AlgorithmFlags {
    /// How to learn; the reference of train.algorithm says what each predicts.
    #[arg(
        long, value_name = "NAME", default_value = "logistic-regression", help_heading = "Algorithm",
        value_parser = PossibleValuesParser::new(flag_values())
    )]
    pub algorithm: String,
    /// The strength of the L2 penalty: the parameter alpha.
    #[arg(long, value_name = "NUMBER", help_heading = "Algorithm")]
    pub alpha: Option<f64>,
    /// The most iterations: the parameter maxIterations.
    #[arg(long, value_name = "NUMBER", help_heading = "Algorithm")]
    pub max_iterations: Option<i32>,
    /// Any parameter of the algorithm, as in train.algorithm of a pipeline. May be given several times.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parse_parameter, help_heading = "Algorithm")]
    pub parameters: Vec<(String, Value)>,
}

/// Every name, which may be written as in a spec too.
fn flag_values() -> impl Iterator<Item = PossibleValue> {
    let names = Algorithm::NAMES.iter().zip(FLAG_NAMES.iter());
    names.map(|(name, flag)| match flag == name {
        true => PossibleValue::new(flag.as_str()),
        false => PossibleValue::new(flag.as_str()).alias(*name),
    })
}

/// A parameter and its value.
fn parse_parameter(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, for example alpha=0.5")?;
    Ok((name.to_owned(), scalar(value)))
}

/// A value is JSON where it can be, a number where it is one that JSON writes otherwise, as .5, and else text.
pub(super) fn scalar(text: &str) -> Value {
    let number = || text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::from);
    serde_json::from_str(text).ok().or_else(number).unwrap_or_else(|| Value::from(text))
}

/// `logisticRegression` as flags write it: `logistic-regression`.
fn kebab(name: &str) -> String {
    let mut written = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            written.push('-');
        }
        written.push(letter.to_ascii_lowercase());
    }
    written
}

impl AlgorithmFlags {
    /// The algorithm as in a spec.
    ///
    /// # Errors
    /// When the algorithm does not have a parameter that is given, or the value is not of the parameter's type.
    pub fn algorithm(&self) -> Result<Algorithm, TrainError> {
        let mut all = Algorithm::NAMES.iter().zip(FLAG_NAMES.iter());
        let known = all.find(|(name, flag)| **flag == self.algorithm || **name == self.algorithm);
        let name = known.map_or("", |(name, _)| *name);
        let mut parameters: Map<String, Value> = self.parameters.iter().cloned().collect();
        let shorthands =
            [("alpha", self.alpha.map(Value::from)), ("maxIterations", self.max_iterations.map(Value::from))];
        for (parameter, value) in shorthands {
            parameters.extend(value.map(|value| (parameter.to_owned(), value)));
        }
        let names = Algorithm::parameter_names(name);
        if let Some(unknown) = parameters.keys().find(|parameter| !names.contains(*parameter)) {
            return Err(TrainError::Spec(format!(
                "{} does not have a parameter {unknown}; its parameters are {}",
                self.algorithm,
                names.into_iter().collect::<Vec<_>>().join(", ")
            )));
        }
        let read = |parameters: Map<String, Value>| {
            let spec = Value::Object(Map::from_iter([(name.to_owned(), Value::Object(parameters))]));
            serde_json::from_value::<Algorithm>(spec)
        };
        read(parameters.clone()).map_err(|error| {
            let is_wrong = |parameter: &str, value: &Value| {
                read(Map::from_iter([(parameter.to_owned(), value.clone())])).is_err()
            };
            let wrong = parameters.iter().find(|(parameter, value)| is_wrong(parameter, value));
            let allowed = wrong.map(|(parameter, _)| Algorithm::parameter_values(name, parameter));
            TrainError::Spec(match (wrong, allowed) {
                (Some((parameter, value)), Some(allowed)) if !allowed.is_empty() => {
                    format!(
                        "{parameter} of {} is {value}; {} are allowed",
                        self.algorithm,
                        allowed.join(", ")
                    )
                }
                (Some((parameter, value)), _)
                    if let Some(kind) = Algorithm::parameter_kind(name, parameter) =>
                {
                    format!("{parameter} of {} is {value}; {kind} is expected", self.algorithm)
                }
                (Some((parameter, _)), _) => format!("{parameter} of {}: {error}", self.algorithm),
                (None, _) => format!("a parameter of {}: {error}", self.algorithm),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(algorithm: &str, parameters: &[&str]) -> Result<Algorithm, TrainError> {
        let parameters = parameters.iter().map(|text| parse_parameter(text).expect("a parameter")).collect();
        AlgorithmFlags { algorithm: algorithm.to_owned(), alpha: None, max_iterations: Some(7), parameters }
            .algorithm()
    }

    #[test]
    fn flags_become_the_algorithm_of_a_spec() {
        let algorithm = flags("logistic-regression", &["alpha=0.5"]).expect("an algorithm");
        let logistic = algorithm.logistic_regression.expect("logistic regression");
        assert_eq!((logistic.alpha, logistic.max_iterations), (Some(0.5), Some(7)));
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, value) in [(".5", 0.5), ("+2", 2.0), ("1e-3", 1e-3), ("1E3", 1000.0), ("5.", 5.0)] {
            assert_eq!(scalar(text).as_f64(), Some(value), "{text}");
        }
        for text in ["nan", "inf", "l1", "1,5", ""] {
            assert_eq!(scalar(text), Value::from(text));
        }
    }

    #[test]
    fn an_algorithm_may_be_named_as_in_a_spec() {
        assert_eq!(flags("logisticRegression", &[]).ok(), flags("logistic-regression", &[]).ok());
        let names = flag_values()
            .flat_map(|value| Algorithm::NAMES.iter().filter(move |name| value.matches(name, false)));
        assert_eq!(names.count(), Algorithm::NAMES.len());
    }

    #[test]
    fn unknown_parameters_and_values_of_another_type_are_refused() {
        let unknown = flags("linear-regression", &[]).expect_err("no iterations").to_string();
        assert!(unknown.contains("a parameter maxIterations; its parameters are alpha"), "{unknown}");
        let wrong = flags("logistic-regression", &["alpha=much"]).expect_err("not a number").to_string();
        assert!(wrong.contains("alpha of logistic-regression is \"much\"; a number is expected"), "{wrong}");
        let part = flags("gradient-boosting", &["maxDepth=1.5"]).expect_err("no whole number").to_string();
        assert!(part.contains("is 1.5; a whole number is expected"), "{part}");
        let map = flags("linear-svm", &["classWeights=2"]).expect_err("no map").to_string();
        assert!(map.contains("is 2; a map with a number for each name is expected"), "{map}");
        // As scikit-learn spells it.
        let words =
            flags("gradient-boosting", &[r#"monotonicConstraints={"area": 1}"#]).expect_err("no word");
        let expected = r#"is {"area":1}; a map with increasing or decreasing for each name, such as {"name": "increasing"}, is expected"#;
        assert!(words.to_string().contains(expected), "{words}");
        let named = flags("gradient-boosting", &["earlyStopping=true"]).expect_err("a text").to_string();
        assert!(
            named.contains("earlyStopping of gradient-boosting is true; never, auto, always are allowed"),
            "{named}"
        );
        assert!(parse_parameter("alpha").is_err());
    }
}
