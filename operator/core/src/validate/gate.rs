//! What a gate needs: a bound, a metric that is measured, and bounds that some model can meet.

use mlpipeline_crds::{Algorithm, ChosenAlgorithm, Gate, Metric, Predicts, Shown};

use super::errors::Errors;

/// What to do about a metric that the algorithm has with its other task.
fn task_for(chosen: Option<ChosenAlgorithm<'_>>, metric: Metric) -> Option<String> {
    let name = chosen?.name();
    let (task, learns) = match metric.measures() {
        Predicts::Numbers => ("regression", "numbers"),
        Predicts::Classes => ("classification", "classes"),
        Predicts::Clusters | Predicts::Outliers | Predicts::Components => return None,
    };
    let has_task = Algorithm::parameter_names(name).contains("task");
    has_task.then(|| format!("{name} learns {learns} with task: {task}"))
}

/// Checks that some model could pass: that the bounds are not beyond what the metric can be.
fn check_reach(gate: &Gate, path: &str, errors: &mut Errors) {
    let name = gate.metric.name();
    let (least, most) = gate.metric.range();
    let range = match (least, most) {
        (Some(least), Some(most)) => format!("between {least} and {most}"),
        (Some(least), None) => format!("{least} or more"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => return,
    };
    let min = gate.min.filter(|min| most.is_some_and(|most| *min > most)).map(|min| ("min", min));
    let max = gate.max.filter(|max| least.is_some_and(|least| *max < least)).map(|max| ("max", max));
    for (field, bound) in min.into_iter().chain(max).filter(|(_, bound)| bound.is_finite()) {
        let path = format!("{path}.{field}");
        let problem = format!("is {}, and {name} is {range}: no model could pass", Shown(bound));
        if field == "min" && least == Some(0.0) && (2.0..=100.0).contains(&bound) {
            errors.add_with_hint(
                path,
                problem,
                format!("write shares as numbers: {bound} % is {}", bound / 100.0),
            );
        } else {
            errors.add(path, problem);
        }
    }
}

/// Checks a gate: that it can judge what the algorithm measures, and that some model could pass.
pub(super) fn check(
    gate: &Gate,
    chosen: Option<ChosenAlgorithm<'_>>,
    predicts: Option<Predicts>,
    path: &str,
    errors: &mut Errors,
) {
    errors.require(
        gate.min.is_some() || gate.max.is_some() || gate.max_regression.is_some(),
        path,
        "needs at least one of min, max and maxRegression",
    );
    if predicts.is_some_and(|predicts| predicts != gate.metric.measures()) {
        let problem = format!(
            "\"{}\" is not measured for this algorithm; there are {}",
            gate.metric.name(),
            Metric::names(predicts)
        );
        match task_for(chosen, gate.metric) {
            Some(hint) => errors.add_with_hint(format!("{path}.metric"), problem, hint),
            None => errors.add(format!("{path}.metric"), problem),
        }
    }
    check_reach(gate, path, errors);
    let numbers = [("min", gate.min), ("max", gate.max), ("maxRegression", gate.max_regression)];
    for (field, number) in numbers {
        errors.require_finite(number, format!("{path}.{field}"));
    }
    if let (Some(min), Some(max)) = (gate.min, gate.max) {
        let is_possible = min <= max || min.is_nan() || max.is_nan();
        errors.require(is_possible, path, format!("min {min} is more than max {max}: no model could pass"));
    }
    let finite = gate.max_regression.filter(|allowed| allowed.is_finite());
    errors.require_not_negative(finite, format!("{path}.maxRegression"));
}
