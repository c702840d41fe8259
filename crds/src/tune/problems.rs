//! What is wrong with a search, before any row is read.

use serde_json::Value;

use super::{Search, Space, Tune, shown, space};
use crate::{Algorithm, Metric, Predicts};

/// Something that is wrong with a search: where, below `tune`, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TuneProblem {
    /// The path below `tune`.
    pub path: String,
    /// What was found, and what is allowed.
    pub problem: String,
}

impl Tune {
    /// What is wrong with it for this algorithm.
    #[must_use]
    pub fn problems(&self, algorithm: &Algorithm) -> Vec<TuneProblem> {
        let mut problems = self.own_problems();
        let Some(chosen) = algorithm.chosen() else { return problems };
        if let Predicts::Outliers | Predicts::Components = chosen.predicts() {
            let what = "cannot be chosen among: no metric says which outliers or components are better; leave tune out";
            return vec![problem("parameters", what)];
        }
        if let Some(metric) = self.metric {
            if metric.measures() != chosen.predicts() {
                let names = Metric::names(Some(chosen.predicts()));
                problems.push(problem(
                    "metric",
                    format!(
                        "is {}, which {} is not measured by; its metrics are {names}",
                        metric.name(),
                        chosen.name()
                    ),
                ));
            } else if metric == Metric::Pinball && chosen.quantile().is_none() {
                problems.push(problem(
                    "metric",
                    "is pinball, which measures models of a quantile: set loss: quantile",
                ));
            }
        }
        let names = Algorithm::parameter_names(chosen.name());
        for (name, value) in &self.parameters {
            let path = format!("parameters.{name}");
            if !names.contains(name) {
                let names: Vec<String> = names.iter().cloned().collect();
                problems.push(problem(
                    path,
                    format!(
                        "is not a parameter of {}; its parameters are {}",
                        chosen.name(),
                        names.join(", ")
                    ),
                ));
            } else if Self::DECISIONS.contains(&name.as_str()) {
                problems.push(problem(
                    path,
                    "decides what is predicted, so trials could not be compared; set it in algorithm",
                ));
            } else if Self::OF_COLUMNS.contains(&name.as_str()) {
                problems.push(problem(
                    path,
                    "decides what columns become, which all trials learn from alike; set it in algorithm",
                ));
            } else {
                match space(value) {
                    Err(wrong) => problems.push(problem(path, wrong)),
                    Ok(Space::Values(values)) if repeated(&values).is_some() => {
                        let (place, wrong) = repeated(&values).unwrap_or_default();
                        problems.push(problem(format!("{path}[{place}]"), wrong));
                    }
                    Ok(space) => problems.extend(self.value_problems(algorithm, name, &space)),
                }
            }
        }
        problems
    }

    /// What is wrong whatever the algorithm.
    fn own_problems(&self) -> Vec<TuneProblem> {
        let search = self.search.unwrap_or_default();
        let between = |value: Option<i32>, (min, max): (i32, i32), path: &str| {
            let value = value.filter(|value| !(min..=max).contains(value))?;
            Some(problem(path, format!("is {value}; {min} to {max} is allowed")))
        };
        let has_range = self.spaces().into_values().any(|space| matches!(space, Space::Range(_)));
        let (count, grid) = (self.parameters.len(), self.grid_size());
        let problems = [
            between(self.trials, (1, Self::MOST_TRIALS as i32), "trials"),
            between(self.folds, (2, 100), "folds"),
            self.seed
                .filter(|seed| *seed < 0)
                .map(|seed| problem("seed", format!("is {seed}; 0 or more is allowed"))),
            (count == 0 || count > Self::MOST_PARAMETERS).then(|| {
                problem(
                    "parameters",
                    format!("has {count} parameters; 1 to {} are allowed", Self::MOST_PARAMETERS),
                )
            }),
            (search == Search::Grid && self.trials.is_some())
                .then(|| problem("trials", "goes with search: random and halving; a grid tries everything")),
            (search == Search::Grid && has_range).then(|| {
                problem("parameters", "has a range, and a grid needs lists; set search to random or halving")
            }),
            (search == Search::Grid && grid > Self::MOST_TRIALS).then(|| {
                problem(
                    "parameters",
                    format!(
                        "makes {grid} trials, of at most {}; give fewer values, or set search to random",
                        Self::MOST_TRIALS
                    ),
                )
            }),
        ];
        problems.into_iter().flatten().collect()
    }

    /// The values that the algorithm refuses, whatever the other parameters.
    fn value_problems(&self, algorithm: &Algorithm, name: &str, space: &Space) -> Vec<TuneProblem> {
        let tried: Vec<(String, Value)> = match space {
            Space::Values(values) => {
                (0..).map(|place| format!("[{place}]")).zip(values.iter().cloned()).collect()
            }
            Space::Range(range) => {
                let whole = algorithm.is_whole(name);
                let end = |end: f64| if whole { Value::from(end.round() as i64) } else { Value::from(end) };
                vec![(".min".to_owned(), end(range.min)), (".max".to_owned(), end(range.max))]
            }
        };
        let refused = |(place, value): (String, Value)| {
            let wrong = refusal(algorithm, name, &value, &[])?;
            let helps = |(other, value_of_other): (&str, Value)| {
                other != name && refusal(algorithm, name, &value, &[(other, value_of_other)]).is_none()
            };
            // A value may need another parameter's: elasticNet its l1Ratio.
            let others = self.spaces().into_iter().flat_map(|(other, space)| {
                let values = match space {
                    Space::Values(values) => values.into_iter().take(8).collect(),
                    Space::Range(range) => vec![Value::from(range.min)],
                };
                values.into_iter().map(move |value| (other, value))
            });
            (!others.into_iter().any(helps)).then(|| problem(format!("parameters.{name}{place}"), wrong))
        };
        tried.into_iter().filter_map(refused).collect()
    }
}

/// The first value that is none, or that was given before.
fn repeated(values: &[Value]) -> Option<(usize, &'static str)> {
    let wrong = |(place, value): (usize, &Value)| {
        if value.is_null() {
            return Some((place, "is null; leave the value out"));
        }
        let earlier = values.iter().take(place).any(|earlier| earlier == value);
        earlier.then_some((place, "was given before; leave it out"))
    };
    values.iter().enumerate().find_map(wrong)
}

fn problem(path: impl Into<String>, problem: impl Into<String>) -> TuneProblem {
    TuneProblem { path: path.into(), problem: problem.into() }
}

/// Why the algorithm refuses a value of a parameter beside others.
fn refusal(algorithm: &Algorithm, name: &str, value: &Value, others: &[(&str, Value)]) -> Option<String> {
    let all = others.iter().cloned().chain([(name, value.clone())]);
    match algorithm.with(all) {
        Err(error) => Some(format!("is {}, which is not of the parameter's type: {error}", shown(value))),
        Ok(with) => {
            let problems = with.chosen()?.problems();
            problems.into_iter().find(|wrong| wrong.parameter == name).map(|wrong| wrong.problem)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(algorithm: Value, tune: Value) -> Vec<String> {
        let algorithm: Algorithm = serde_json::from_value(algorithm).expect("an algorithm");
        let tune: Tune = serde_json::from_value(tune).expect("a search");
        let shown = |found: TuneProblem| format!("{} {}", found.path, found.problem);
        tune.problems(&algorithm).into_iter().map(shown).collect()
    }

    #[test]
    fn searches_that_can_be_done_have_no_problem() {
        let logistic = json!({"logisticRegression": {}});
        let boosting =
            json!({"gradientBoosting": {"task": "regression", "loss": "quantile", "quantile": 0.9}});
        for (algorithm, tune) in [
            (&logistic, json!({"parameters": {"alpha": [0.1, 1, 10]}})),
            (&logistic, json!({"parameters": {"penalty": ["l1", "elasticNet"], "l1Ratio": [0.5]}})),
            (
                &logistic,
                json!({"search": "random", "parameters": {"alpha": {"min": 0.01, "max": 10, "log": true}}}),
            ),
            (
                &boosting,
                json!({"search": "halving", "trials": 9, "metric": "pinball", "parameters": {"maxLeafNodes": {"min": 4, "max": 64}}}),
            ),
        ] {
            assert_eq!(problems(algorithm.clone(), tune.clone()), Vec::<String>::new(), "{tune}");
        }
    }

    #[test]
    fn without_a_target_clusters_alone_can_be_searched_for() {
        let tune = |name: &str| json!({"parameters": {name: [2, 3]}});
        assert_eq!(problems(json!({"kMeans": {}}), tune("nClusters")), Vec::<String>::new());
        for (algorithm, name) in [("pca", "nComponents"), ("isolationForest", "nEstimators")] {
            let found = problems(json!({algorithm: {}}), tune(name));
            assert!(found[0].contains("leave tune out"), "{found:?}");
        }
    }

    #[test]
    fn what_cannot_be_tried_is_named_by_its_path() {
        let logistic = json!({"logisticRegression": {}});
        let values: Vec<i32> = (0..15).collect();
        for (tune, part) in [
            (json!({"parameters": {}}), "parameters has 0 parameters"),
            (
                json!({"parameters": {"depth": [1]}}),
                "parameters.depth is not a parameter of logisticRegression; its parameters are alpha, classWeight",
            ),
            (json!({"parameters": {"alpha": [1, -1]}}), "parameters.alpha[1] is -1; 0 or more is allowed"),
            (
                json!({"parameters": {"alpha": ["much"]}}),
                "parameters.alpha[0] is \"much\", which is not of the parameter's type",
            ),
            (json!({"parameters": {"alpha": [1, 2, 1]}}), "parameters.alpha[2] was given before"),
            (json!({"parameters": {"alpha": [1, null]}}), "parameters.alpha[1] is null"),
            (json!({"parameters": {"alpha": []}}), "parameters.alpha has 0 values"),
            (json!({"parameters": {"alpha": 3}}), "parameters.alpha is 3; a list of values or a range"),
            (
                json!({"parameters": {"alpha": {"min": 1, "max": 2}}}),
                "parameters has a range, and a grid needs lists",
            ),
            (
                json!({"search": "random", "parameters": {"alpha": {"min": -1, "max": 2}}}),
                "parameters.alpha.min is -1; 0 or more",
            ),
            (
                json!({"search": "random", "parameters": {"alpha": {"min": 2, "max": 2}}}),
                "min must be less than max",
            ),
            (
                json!({"search": "random", "parameters": {"alpha": {"min": 0, "max": 2, "log": true}}}),
                "needs a min of more than 0",
            ),
            (json!({"search": "random", "parameters": {"alpha": {"low": 0}}}), "is not a range such as"),
            (
                json!({"parameters": {"l1Ratio": [0.5]}}),
                "parameters.l1Ratio[0] goes with penalty: elasticNet",
            ),
            (json!({"trials": 5, "parameters": {"alpha": [1]}}), "trials goes with search: random"),
            (
                json!({"metric": "r2", "parameters": {"alpha": [1]}}),
                "metric is r2, which logisticRegression is not measured by",
            ),
            (json!({"folds": 1, "parameters": {"alpha": [1]}}), "folds is 1; 2 to 100"),
            (
                json!({"parameters": {"alpha": values, "maxIterations": (1..=15).collect::<Vec<i32>>()}}),
                "parameters makes 225 trials, of at most 200",
            ),
        ] {
            let found = problems(logistic.clone(), tune.clone());
            assert!(found.first().is_some_and(|found| found.contains(part)), "{tune}: {found:?}");
        }
        let found = problems(json!({"decisionTree": {}}), json!({"parameters": {"task": ["regression"]}}));
        assert!(found[0].contains("decides what is predicted"), "{found:?}");
    }
}
