//! The algorithms that a train step can name, and the table that everything else about them comes from.
//!
//! Owns the list. Each algorithm's parameters, with their defaults and bounds, are in a file of their own. Must not know how
//! anything is learned: the worker does.

mod bounds;
mod decision_tree;
mod extra_trees;
mod gaussian_naive_bayes;
mod gradient_boosting;
mod learning_task;
mod linear_regression;
mod logistic_regression;
mod parameters;
mod random_forest;

use std::collections::BTreeSet;

use kube::KubeSchema;
use schemars::schema_for;
use serde::{Deserialize, Serialize};

pub use decision_tree::DecisionTree;
pub use extra_trees::ExtraTrees;
pub use gaussian_naive_bayes::GaussianNaiveBayes;
pub use gradient_boosting::GradientBoosting;
pub use learning_task::LearningTask;
pub use linear_regression::LinearRegression;
pub use logistic_regression::LogisticRegression;
pub use parameters::{ParameterProblem, Parameters, Predicts};
pub use random_forest::RandomForest;

/// Names with commas between them.
macro_rules! listed {
    ($first:literal $($rest:literal)*) => { concat!($first $(, ", ", $rest)*) };
}

/// Makes the union of all algorithms from one row each: the field, the type of its parameters, and its name in a spec.
macro_rules! algorithms {
    ($($(#[doc = $doc:literal])+ $field:ident: $Parameters:ident = $name:literal;)+) => {
        /// Exactly one algorithm, with its parameters.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
        #[x_kube(validation = Rule::new(concat!("[" $(, "has(self.", $name, "), ")+, "false].filter(x, x).size() == 1"))
            .message(concat!("an algorithm is exactly one of ", listed!($($name)+))))]
        #[serde(rename_all = "camelCase")]
        pub struct Algorithm {
            $(
                $(#[doc = $doc])+
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $field: Option<$Parameters>,
            )+
        }

        /// The one algorithm that a spec gives.
        #[derive(Clone, Copy, Debug)]
        pub enum ChosenAlgorithm<'a> {
            $($(#[doc = $doc])+ $Parameters(&'a $Parameters),)+
        }

        impl Algorithm {
            /// The name of every algorithm, as in a spec.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The algorithms that are given; a valid spec gives one.
            fn given(&self) -> Vec<ChosenAlgorithm<'_>> {
                let given = [$(self.$field.as_ref().map(ChosenAlgorithm::$Parameters)),+];
                given.into_iter().flatten().collect()
            }

            /// Removes parameters that say what holds without them: a default that is written out is not a change.
            pub fn remove_defaults(&mut self) {
                $(if let Some(parameters) = &mut self.$field { parameters.remove_defaults(); })+
            }

            /// The parameters that an algorithm has, as in a spec; none for an unknown algorithm.
            #[must_use]
            pub fn parameter_names(algorithm: &str) -> BTreeSet<String> {
                let schema = match algorithm {
                    $($name => schema_for!($Parameters),)+
                    _ => return BTreeSet::new(),
                };
                let properties = schema.get("properties").and_then(|properties| properties.as_object());
                properties.into_iter().flat_map(|properties| properties.keys().cloned()).collect()
            }
        }

        impl<'a> ChosenAlgorithm<'a> {
            /// Its name, as in a spec.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$Parameters(_) => $name,)+ }
            }

            /// What it predicts.
            #[must_use]
            pub fn predicts(self) -> Predicts {
                match self { $(Self::$Parameters(parameters) => parameters.predicts(),)+ }
            }

            /// What is wrong with its parameters.
            #[must_use]
            pub fn problems(self) -> Vec<ParameterProblem> {
                match self { $(Self::$Parameters(parameters) => parameters.problems(),)+ }
            }
        }
    };
}

algorithms! {
    /// Classification by multinomial logistic regression with an L2 penalty.
    logistic_regression: LogisticRegression = "logisticRegression";
    /// Regression by least squares.
    linear_regression: LinearRegression = "linearRegression";
    /// Classification by Gaussian naive Bayes.
    gaussian_naive_bayes: GaussianNaiveBayes = "gaussianNaiveBayes";
    /// Classification or regression by one decision tree.
    decision_tree: DecisionTree = "decisionTree";
    /// Classification or regression by the mean of many trees of drawn rows.
    random_forest: RandomForest = "randomForest";
    /// Classification or regression by the mean of many trees of random thresholds.
    extra_trees: ExtraTrees = "extraTrees";
    /// Classification or regression by trees that each lower the loss of those before.
    gradient_boosting: GradientBoosting = "gradientBoosting";
}

impl Algorithm {
    /// The one algorithm that is given; `None` where none or more than one is.
    #[must_use]
    pub fn chosen(&self) -> Option<ChosenAlgorithm<'_>> {
        match self.given().as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn algorithm(value: serde_json::Value) -> Algorithm {
        serde_json::from_value(value).expect("an algorithm")
    }

    #[test]
    fn the_table_names_each_algorithm_as_specs_do() {
        for name in Algorithm::NAMES {
            let algorithm = algorithm(json!({*name: {}}));
            let chosen = algorithm.chosen().expect("one");
            assert_eq!(chosen.name(), *name);
            assert!(chosen.problems().is_empty(), "{name}: its defaults are within its bounds");
        }
        assert!(algorithm(json!({})).chosen().is_none());
        assert!(algorithm(json!({"logisticRegression": {}, "linearRegression": {}})).chosen().is_none());
    }

    #[test]
    fn every_parameter_is_listed() {
        let names = |algorithm| Algorithm::parameter_names(algorithm).into_iter().collect::<Vec<_>>();
        assert_eq!(names("logisticRegression"), ["alpha", "maxIterations"]);
        assert_eq!(names("linearRegression"), ["alpha"]);
        assert_eq!(names("decisionTree"), ["maxDepth", "minSamplesLeaf", "minSamplesSplit", "task"]);
        assert!(names("magic").is_empty());
    }

    #[test]
    fn written_defaults_are_removed_and_other_values_stay() {
        let mut given = algorithm(json!({"logisticRegression": {"alpha": 1.0, "maxIterations": 100}}));
        given.remove_defaults();
        assert_eq!(given, algorithm(json!({"logisticRegression": {"maxIterations": 100}})));
    }

    #[test]
    fn an_algorithm_of_both_tasks_predicts_what_its_task_says() {
        for name in ["decisionTree", "randomForest", "extraTrees", "gradientBoosting"] {
            let predicts =
                |parameters| algorithm(json!({name: parameters})).chosen().expect("one").predicts();
            assert_eq!(predicts(json!({})), Predicts::Classes, "{name}");
            assert_eq!(predicts(json!({"task": "regression"})), Predicts::Numbers, "{name}");
            let mut given = algorithm(json!({name: {"task": "classification"}}));
            given.remove_defaults();
            assert_eq!(given, algorithm(json!({name: {}})));
        }
    }

    #[test]
    fn values_out_of_bounds_are_named() {
        let given = algorithm(json!({"logisticRegression": {"alpha": -1.0, "maxIterations": 0}}));
        let problems = given.chosen().expect("one").problems();
        let found: Vec<String> =
            problems.iter().map(|problem| format!("{} {}", problem.parameter, problem.problem)).collect();
        assert_eq!(
            found,
            ["alpha is -1; 0 or more is allowed", "maxIterations is 0; 1 to 100000 is allowed"]
        );
        let given = Algorithm {
            linear_regression: Some(LinearRegression { alpha: Some(f64::NAN) }),
            ..Algorithm::default()
        };
        assert_eq!(given.chosen().expect("one").problems()[0].problem, "is NaN; a finite number is needed");
    }
}
