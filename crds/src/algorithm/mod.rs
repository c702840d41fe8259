//! The algorithms that a train step can name, and the table that everything else about them comes from.
//!
//! Owns the list. Each algorithm's parameters, with their defaults and bounds, are in a file of their own. Must not know how
//! anything is learned: the worker does.

mod bernoulli_naive_bayes;
mod bounds;
mod class_weight;
mod dbscan;
mod decision_tree;
mod elastic_net;
mod forest;
mod gaussian_mixture;
mod gaussian_naive_bayes;
mod gradient_boosting;
mod isolation_forest;
mod k_means;
mod k_neighbors;
mod learning_task;
mod linear_regression;
mod linear_svm;
mod logistic_regression;
mod multinomial_naive_bayes;
mod parameters;
mod pca;
mod poisson_regression;
mod ridge;
mod seasonal_naive;
mod truncated_svd;

use std::collections::BTreeSet;

use kube::KubeSchema;
use schemars::{Schema, schema_for};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use bernoulli_naive_bayes::BernoulliNaiveBayes;
pub use class_weight::ClassWeight;
pub use dbscan::Dbscan;
pub use decision_tree::DecisionTree;
pub use elastic_net::{ElasticNet, Lasso};
pub use forest::{ExtraTrees, Forest, RandomForest};
pub use gaussian_mixture::GaussianMixture;
pub use gaussian_naive_bayes::GaussianNaiveBayes;
pub use gradient_boosting::{BoostingLoss, CategorySplits, EarlyStopping, GradientBoosting, Monotonic};
pub use isolation_forest::IsolationForest;
pub use k_means::KMeans;
pub use k_neighbors::{KNeighbors, NeighborWeights};
pub use learning_task::LearningTask;
pub use linear_regression::LinearRegression;
pub use linear_svm::LinearSvm;
pub use logistic_regression::{LogisticRegression, Penalty};
pub use multinomial_naive_bayes::MultinomialNaiveBayes;
pub use parameters::{ParameterProblem, Parameters, Predicts};
pub use pca::Pca;
pub use poisson_regression::PoissonRegression;
pub use ridge::Ridge;
pub use seasonal_naive::{SeasonalNaive, TimeInterval};
pub use truncated_svd::TruncatedSvd;

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
            #[must_use]
            pub fn given(&self) -> Vec<ChosenAlgorithm<'_>> {
                let given = [$(self.$field.as_ref().map(ChosenAlgorithm::$Parameters)),+];
                given.into_iter().flatten().collect()
            }

            /// Removes parameters that say what holds without them: a default that is written out is not a change.
            pub fn remove_defaults(&mut self) {
                $(if let Some(parameters) = &mut self.$field { parameters.remove_defaults(); })+
            }

            /// The schema of an algorithm's parameters; none for an unknown algorithm.
            fn schema(algorithm: &str) -> Option<Schema> {
                match algorithm {
                    $($name => Some(schema_for!($Parameters)),)+
                    _ => None,
                }
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

            /// The quantile that it predicts, where it is not a mean.
            #[must_use]
            pub fn quantile(self) -> Option<f64> {
                match self { $(Self::$Parameters(parameters) => parameters.quantile(),)+ }
            }

            /// The lowest version of a step that can say its parameters.
            #[must_use]
            pub fn step_version(self) -> u32 {
                match self { $(Self::$Parameters(parameters) => parameters.step_version(),)+ }
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
    /// Regression by least squares with an L2 penalty.
    ridge: Ridge = "ridge";
    /// Regression by least squares with an L1 penalty, which sets weights of little use to 0.
    lasso: Lasso = "lasso";
    /// Regression by least squares with an L1 and an L2 penalty.
    elastic_net: ElasticNet = "elasticNet";
    /// Regression of counts: the logarithm of the expected number is a weighted sum.
    poisson_regression: PoissonRegression = "poissonRegression";
    /// Classification by Gaussian naive Bayes.
    gaussian_naive_bayes: GaussianNaiveBayes = "gaussianNaiveBayes";
    /// Classification by multinomial naive Bayes, of counts.
    multinomial_naive_bayes: MultinomialNaiveBayes = "multinomialNaiveBayes";
    /// Classification by Bernoulli naive Bayes, of what is there and what is not.
    bernoulli_naive_bayes: BernoulliNaiveBayes = "bernoulliNaiveBayes";
    /// Classification by a linear support vector machine.
    linear_svm: LinearSvm = "linearSvm";
    /// Classification or regression by the nearest rows.
    k_neighbors: KNeighbors = "kNeighbors";
    /// Classification or regression by one decision tree.
    decision_tree: DecisionTree = "decisionTree";
    /// Classification or regression by the mean of many trees of drawn rows.
    random_forest: RandomForest = "randomForest";
    /// Classification or regression by the mean of many trees of random thresholds.
    extra_trees: ExtraTrees = "extraTrees";
    /// Classification or regression by trees that each lower the loss of those before.
    gradient_boosting: GradientBoosting = "gradientBoosting";
    /// Forecasts: a number is what it was one season before.
    seasonal_naive: SeasonalNaive = "seasonalNaive";
    /// Clusters by k-means. Without a target.
    k_means: KMeans = "kMeans";
    /// Clusters as a mixture of normal distributions. Without a target.
    gaussian_mixture: GaussianMixture = "gaussianMixture";
    /// Clusters of dense rows by DBSCAN. Without a target.
    dbscan: Dbscan = "dbscan";
    /// Outliers by an isolation forest. Without a target.
    isolation_forest: IsolationForest = "isolationForest";
    /// Fewer columns by principal component analysis. Without a target.
    pca: Pca = "pca";
    /// Fewer columns by a truncated singular value decomposition. Without a target.
    truncated_svd: TruncatedSvd = "truncatedSvd";
}

impl Algorithm {
    /// The parameters that an algorithm has, as in a spec; none for an unknown algorithm.
    #[must_use]
    pub fn parameter_names(algorithm: &str) -> BTreeSet<String> {
        let schema = Self::schema(algorithm);
        let properties = schema.as_ref().and_then(|schema| schema.get("properties")?.as_object());
        properties.into_iter().flat_map(|properties| properties.keys().cloned()).collect()
    }

    /// The texts that a parameter may be; none where it is not one of a few texts.
    #[must_use]
    pub fn parameter_values(algorithm: &str, parameter: &str) -> Vec<String> {
        let Some(root) = Self::schema(algorithm).map(Schema::to_value) else { return Vec::new() };
        let mut found = Vec::new();
        if let Some(schema) = root.pointer("/properties").and_then(|properties| properties.get(parameter)) {
            add_texts(schema, &root, MOST_REFERENCES, &mut found);
        }
        found
    }

    /// What a parameter is, in the words of the reference.
    #[must_use]
    pub fn parameter_description(algorithm: &str, parameter: &str) -> Option<String> {
        let root = Self::schema(algorithm)?.to_value();
        let description = root.get("properties")?.get(parameter)?.get("description")?.as_str()?;
        Some(description.to_owned())
    }

    /// What a parameter's values are, for a sentence: a number, a map with what is in it; `None` where its schema does not say one thing.
    #[must_use]
    pub fn parameter_kind(algorithm: &str, parameter: &str) -> Option<String> {
        let root = Self::schema(algorithm)?.to_value();
        let schema = root.get("properties")?.get(parameter)?;
        let own = kind(schema)?;
        let Some(of_map) = schema.get("additionalProperties").filter(|_| own == "a map") else {
            return Some(own.to_owned());
        };
        let mut texts = Vec::new();
        add_texts(of_map, &root, MOST_REFERENCES, &mut texts);
        Some(match texts.first() {
            Some(first) => {
                format!("a map with {} for each name, such as {{\"name\": \"{first}\"}},", texts.join(" or "))
            }
            None => kind(of_map).map_or(own.to_owned(), |kind| format!("a map with {kind} for each name")),
        })
    }

    /// The algorithms that learn without a target, by name; a test compares with what they predict.
    pub const WITHOUT_TARGET: &'static [&'static str] =
        &["kMeans", "gaussianMixture", "dbscan", "isolationForest", "pca", "truncatedSvd"];

    /// The one algorithm that is given; `None` where none or more than one is.
    #[must_use]
    pub fn chosen(&self) -> Option<ChosenAlgorithm<'_>> {
        match self.given().as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }
}

/// How deep a schema of parameters refers to others.
const MOST_REFERENCES: usize = 4;

/// What values of a schema's type are called.
fn kind(schema: &Value) -> Option<&'static str> {
    let types = schema.get("type")?;
    let mut named = types.as_array().map_or_else(|| std::slice::from_ref(types), Vec::as_slice).iter();
    named.find_map(|name| match name.as_str()? {
        "number" => Some("a number"),
        "integer" => Some("a whole number"),
        "boolean" => Some("true or false"),
        "string" => Some("a text"),
        "object" => Some("a map"),
        "array" => Some("a list"),
        _ => None,
    })
}

/// Adds the texts that a schema allows by name.
fn add_texts(schema: &Value, root: &Value, depth: usize, found: &mut Vec<String>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let list = |key: &str| schema.get(key).and_then(Value::as_array).into_iter().flatten();
    found.extend(
        schema.get("const").into_iter().chain(list("enum")).filter_map(Value::as_str).map(str::to_owned),
    );
    let reference = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
    let parts = list("oneOf").chain(list("anyOf")).chain(reference.and_then(|path| root.pointer(path)));
    parts.for_each(|part| add_texts(part, root, depth, found));
}

#[cfg(test)]
mod tests;
