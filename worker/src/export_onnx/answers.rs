//! From probabilities and numbers to the outputs of the graph.
//!
//! Owns the outputs' names: `label` and `probabilities` of classes, `prediction` of a number, and of findings the names
//! that `score` gives them.

use super::graph::{Graph, Name};
use super::value::{Type, booleans, int, integers, texts};
use crate::model::{Finding, Label, Target};

const LABEL: &str = "label";
const PROBABILITIES: &str = "probabilities";
const PREDICTION: &str = "prediction";

/// The names of the outputs for a target.
pub(super) fn output_names(target: &Target) -> Vec<String> {
    let two = |first: &str, second: String| vec![first.to_owned(), second];
    match target {
        Target::Class { .. } => two(LABEL, PROBABILITIES.to_owned()),
        Target::Number { .. } => vec![PREDICTION.to_owned()],
        Target::Finding(finding) => match finding {
            Finding::Mixture { .. } => two(finding.name(), PROBABILITIES.to_owned()),
            Finding::Clusters { .. } | Finding::Density { .. } | Finding::Outliers => {
                two(finding.name(), finding.numbers().into_iter().collect())
            }
            Finding::Components { .. } => vec![finding.name().to_owned()],
        },
    }
}

/// What the graph computes for each row.
pub(super) enum Answer {
    /// The probabilities of classes or of clusters: rows × classes.
    Probabilities(Name),
    /// The number that is predicted: rows × 1.
    Number(Name),
    /// The place of the answer among the target's, and a number that goes with it: both rows.
    Found { place: Name, number: Name },
    /// Numbers alone: rows × numbers.
    Numbers(Name),
}

/// Makes the outputs.
pub(super) fn outputs(graph: &mut Graph, target: &Target, answer: &Answer) {
    let answers = target.answers();
    let names = output_names(target);
    let mut names = names.iter().map(String::as_str);
    let (first, second) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
    match answer {
        Answer::Probabilities(probabilities) => {
            let likeliest = vec![int("axis", 1), int("keepdims", 0)];
            let place = graph.op_with("ArgMax", &[probabilities], likeliest);
            label_output(graph, first, &answers, &place);
            graph.output(second, Type::Double, Some(answers.len()), probabilities);
        }
        Answer::Found { place, number } => {
            label_output(graph, first, &answers, place);
            graph.output(second, Type::Double, None, number);
        }
        Answer::Number(number) => {
            let shape = graph.constant(integers(&[1], &[-1]));
            let number = graph.op("Reshape", &[number, &shape]);
            graph.output(first, Type::Double, None, &number);
        }
        Answer::Numbers(numbers) => {
            let width = match target {
                Target::Finding(finding) => finding.numbers().len(),
                Target::Class { .. } | Target::Number { .. } => 1,
            };
            graph.output(first, Type::Double, Some(width), numbers);
        }
    }
}

/// The answers at these places, in the type that they have in the data.
fn label_output(graph: &mut Graph, name: &str, answers: &[Label], place: &str) {
    // Labels of one target are of one kind.
    let (of, labels) = match answers.first() {
        Some(Label::Integer(_)) => {
            let values: Vec<i64> = answers.iter().filter_map(integer).collect();
            (Type::Int64, integers(&[values.len()], &values))
        }
        Some(Label::Boolean(_)) => {
            (Type::Bool, booleans(&answers.iter().filter_map(boolean).collect::<Vec<_>>()))
        }
        Some(Label::Text(_)) | None => {
            (Type::String, texts(&answers.iter().filter_map(text).collect::<Vec<_>>()))
        }
    };
    let labels = graph.constant(labels);
    let label = graph.op("Gather", &[&labels, place]);
    graph.output(name, of, None, &label);
}

fn integer(label: &Label) -> Option<i64> {
    if let Label::Integer(value) = label { Some(*value) } else { None }
}

fn boolean(label: &Label) -> Option<bool> {
    if let Label::Boolean(value) = label { Some(*value) } else { None }
}

fn text(label: &Label) -> Option<&str> {
    if let Label::Text(text) = label { Some(text) } else { None }
}
