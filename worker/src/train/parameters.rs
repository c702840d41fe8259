//! The parameters of an algorithm as a person reads them: each with the value that holds, given or not.
//!
//! Owns no default. Which value holds where none is given, is what an algorithm says of itself by leaving it out of a spec; where that is
//! no single value, the words are those of the parameter's description.

use mlpipeline_crds::Algorithm;
use serde_json::{Value, json};

/// The parameters of an algorithm, each with its value.
pub(super) fn parameters(algorithm: &Algorithm, name: &str) -> Vec<(String, String)> {
    let given = serde_json::to_value(algorithm).unwrap_or_default();
    let value = |parameter: &str| {
        let given = given.get(name).and_then(|given| given.get(parameter));
        given.map(shown).unwrap_or_else(|| {
            let description = Algorithm::parameter_description(name, parameter);
            otherwise(name, parameter, &description.unwrap_or_default())
        })
    };
    let names = Algorithm::parameter_names(name).into_iter();
    names.map(|parameter| (parameter.clone(), value(&parameter))).collect()
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What holds where a parameter is not given.
fn otherwise(name: &str, parameter: &str, description: &str) -> String {
    let words = words_when_absent(description);
    let first = words.as_deref().and_then(|words| words.split(' ').next());
    let number = first.and_then(|word| serde_json::from_str::<Value>(word).ok());
    let texts = Algorithm::parameter_values(name, parameter).into_iter().map(Value::from);
    let values = [true, false].into_iter().map(Value::from).chain(texts).chain(number);
    match values.into_iter().find(|value| is_default(name, parameter, value)) {
        Some(value) => format!("{} (default)", shown(&value)),
        None => words.map_or_else(|| "not set".to_owned(), |words| format!("{words} (default)")),
    }
}

/// Whether a value is what holds where none is given.
fn is_default(name: &str, parameter: &str, value: &Value) -> bool {
    let Ok(mut algorithm) = serde_json::from_value::<Algorithm>(json!({name: {parameter: value}})) else {
        return false;
    };
    algorithm.remove_defaults();
    let left = serde_json::to_value(&algorithm).unwrap_or_default();
    left.get(name).is_some_and(|left| left.get(parameter).is_none())
}

/// What a description says of a parameter that is not given: "1" of "The strength, 0 or more; 1 when absent."
fn words_when_absent(description: &str) -> Option<String> {
    let text = description.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = match text.split_once(" when absent") {
        Some((before, _)) => {
            let before = before.rsplit_once("; ").map_or(before, |(_, after)| after);
            before.rsplit_once(". ").map_or(before, |(_, after)| after)
        }
        None => {
            let after = text.split_once("When absent")?.1;
            after.split_once(". ").map_or(after, |(sentence, _)| sentence)
        }
    };
    Some(words.trim_matches([' ', ',', ':', '.']).to_owned()).filter(|words| !words.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(algorithm: Value, name: &str) -> Vec<(String, String)> {
        parameters(&serde_json::from_value(algorithm).expect("an algorithm"), name)
    }

    #[test]
    fn each_parameter_has_the_value_that_holds() {
        for (name, parameter, expected) in [
            ("logisticRegression", "alpha", "1 (default)"),
            ("logisticRegression", "penalty", "l2 (default)"),
            ("logisticRegression", "l1Ratio", "not set"),
            ("linearRegression", "alpha", "0 (default)"),
            ("linearRegression", "fitIntercept", "true (default)"),
            ("randomForest", "bootstrap", "true (default)"),
            ("extraTrees", "bootstrap", "false (default)"),
            ("decisionTree", "maxDepth", "unlimited (default)"),
            ("decisionTree", "task", "classification (default)"),
            ("gradientBoosting", "earlyStopping", "never (default)"),
            ("gradientBoosting", "learningRate", "0.1 (default)"),
            ("gaussianNaiveBayes", "varSmoothing", "1e-9 (default)"),
            ("kMeans", "nInit", "1 (default)"),
            ("kMeans", "tol", "0.0001 (default)"),
            (
                "randomForest",
                "maxFeatures",
                "the square root of their number for classes, and all of them for numbers (default)",
            ),
            ("pca", "nComponents", "As many as there are features, or rows where those are fewer (default)"),
        ] {
            let found = of(json!({name: {}}), name);
            let value = found.iter().find(|(found, _)| found == parameter).map(|(_, value)| value.as_str());
            assert_eq!(value, Some(expected), "{name}.{parameter}");
        }
        let given = of(json!({"ridge": {"alpha": 0.25, "fitIntercept": false}}), "ridge");
        assert_eq!(
            given,
            [("alpha", "0.25"), ("fitIntercept", "false")].map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
    }

    #[test]
    fn a_number_that_a_description_gives_is_the_one_that_holds() {
        for name in Algorithm::NAMES {
            for parameter in Algorithm::parameter_names(name) {
                let description = Algorithm::parameter_description(name, &parameter).expect("a description");
                let words = words_when_absent(&description).unwrap_or_default();
                let Ok(number) = serde_json::from_str::<Value>(words.split(' ').next().unwrap_or_default())
                else {
                    continue;
                };
                if number.is_number() && !words.contains("seconds") {
                    assert!(is_default(name, &parameter, &number), "{name}.{parameter}: {words}");
                }
            }
        }
    }
}
