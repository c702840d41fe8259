//! What is predicted by sums over the columns: weights, normal distributions, centres and components.

use std::f64::consts::TAU;

use super::answers::Answer;
use super::graph::{Graph, Name};
use super::value::{Type, doubles, int, integers};
use crate::model::{
    CenterPredictor, ComponentPredictor, GaussianPredictor, LinearPredictor, MixturePredictor, Target,
};

/// Weighted sums, and what they are of the answer.
pub(super) fn linear(graph: &mut Graph, rows: &str, linear: &LinearPredictor, target: &Target) -> Answer {
    let rows = match linear.binarized_above() {
        Some(above) => {
            let is_above = graph.with("Greater", rows, doubles(&[1], &[above]));
            graph.cast(&is_above, Type::Double)
        }
        None => rows.to_owned(),
    };
    let weights = linear.weights();
    let columns: Vec<f64> = weights.t().iter().copied().collect();
    let sums = graph.with("MatMul", &rows, doubles(&[weights.ncols(), weights.nrows()], &columns));
    let intercepts = linear.intercepts().to_vec();
    let sums = graph.with("Add", &sums, doubles(&[intercepts.len()], &intercepts));
    match target {
        Target::Class { .. } if weights.nrows() == 1 => Answer::Probabilities(of_odds(graph, &sums)),
        Target::Class { .. } => Answer::Probabilities(softmax(graph, &sums)),
        Target::Number { .. } | Target::Finding(_) if linear.is_log() => {
            let number = graph.op("Exp", &[&sums]);
            Answer::Number(graph.with("Min", &number, doubles(&[1], &[f64::MAX])))
        }
        Target::Number { .. } | Target::Finding(_) => Answer::Number(sums),
    }
}

/// The probabilities of two classes from the log-odds of the second.
pub(super) fn of_odds(graph: &mut Graph, odds: &str) -> Name {
    let against = graph.op("Neg", &[odds]);
    let (first, second) = (graph.op("Sigmoid", &[&against]), graph.op("Sigmoid", &[odds]));
    graph.concat(&[first, second])
}

/// Probabilities from scores.
pub(super) fn softmax(graph: &mut Graph, scores: &str) -> Name {
    graph.op_with("Softmax", &[scores], vec![int("axis", 1)])
}

/// Gaussian naive Bayes.
pub(super) fn gaussian(graph: &mut Graph, rows: &str, gaussian: &GaussianPredictor) -> Answer {
    let variances: Vec<&[f64]> = gaussian.variances().collect();
    let width = variances.first().map_or(0, |row| row.len());
    let squares = squares(graph, rows, gaussian.means(), width);
    let flat: Vec<f64> = variances.iter().copied().flatten().copied().collect();
    let scaled = graph.with("Div", &squares, doubles(&[1, variances.len(), width], &flat));
    let sums = sum_over(graph, &scaled, 2);
    let constants: Vec<f64> = gaussian
        .log_priors()
        .iter()
        .zip(&variances)
        .map(|(prior, row)| prior - 0.5 * row.iter().map(|variance| (TAU * variance).ln()).sum::<f64>())
        .collect();
    let scores = likelihoods(graph, &sums, &constants);
    Answer::Probabilities(softmax(graph, &scores))
}

/// Clusters by their centres.
pub(super) fn centers(graph: &mut Graph, rows: &str, centers: &CenterPredictor) -> Answer {
    let width = centers.centers().next().map_or(0, <[f64]>::len);
    let squares = squares(graph, rows, centers.centers(), width);
    let sums = sum_over(graph, &squares, 2);
    let place = graph.op_with("ArgMin", &[&sums], vec![int("axis", 1), int("keepdims", 0)]);
    let axes = || vec![super::value::ints("axes", vec![1]), int("keepdims", 0)];
    let nearest = graph.op_with("ReduceMin", &[&sums], axes());
    Answer::Found { place, number: graph.op("Sqrt", &[&nearest]) }
}

/// Rows along the principal components.
pub(super) fn components(graph: &mut Graph, rows: &str, components: &ComponentPredictor) -> Answer {
    let means = components.means();
    let centered = graph.with("Sub", rows, doubles(&[means.len()], means));
    let directions: Vec<&[f64]> = components.components().collect();
    let entry = |column: usize| directions.iter().filter_map(move |direction| direction.get(column).copied());
    let columns: Vec<f64> = (0..means.len()).flat_map(entry).collect();
    Answer::Numbers(graph.with("MatMul", &centered, doubles(&[means.len(), directions.len()], &columns)))
}

/// Clusters by normal distributions.
pub(super) fn mixture(graph: &mut Graph, rows: &str, mixture: &MixturePredictor) -> Answer {
    let (mut sums, mut constants) = (Vec::new(), Vec::new());
    for ((log_weight, mean), triangle) in
        mixture.log_weights().iter().zip(mixture.means()).zip(mixture.whitening())
    {
        let width = mean.len();
        let mut columns = vec![0.0; width * width];
        let mut log_scale = 0.0;
        let mut rest = triangle;
        for place in 0..width {
            let Some((entries, more)) = rest.split_at_checked(place + 1) else { break };
            // The row of the triangle is a column of what the rows are multiplied with.
            let column = columns.iter_mut().skip(place).step_by(width.max(1));
            column.zip(entries).for_each(|(to, entry)| *to = *entry);
            log_scale += entries.last().map_or(0.0, |entry| entry.ln());
            rest = more;
        }
        let centered = graph.with("Sub", rows, doubles(&[width], mean));
        let white = graph.with("MatMul", &centered, doubles(&[width, width], &columns));
        let squares = graph.op("Mul", &[&white, &white]);
        let axes = graph.constant(integers(&[1], &[1]));
        sums.push(graph.op_with("ReduceSum", &[&squares, &axes], vec![int("keepdims", 1)]));
        constants.push(log_weight + log_scale - 0.5 * width as f64 * TAU.ln());
    }
    let sums = graph.concat(&sums);
    let scores = likelihoods(graph, &sums, &constants);
    Answer::Probabilities(softmax(graph, &scores))
}

/// The squared differences of rows from points: rows × points × features.
fn squares<'a>(graph: &mut Graph, rows: &str, points: impl Iterator<Item = &'a [f64]>, width: usize) -> Name {
    let flat: Vec<f64> = points.flatten().copied().collect();
    let count = flat.len() / width.max(1);
    let axes = graph.constant(integers(&[1], &[1]));
    let rows = graph.op("Unsqueeze", &[rows, &axes]);
    let differences = graph.with("Sub", &rows, doubles(&[1, count, width], &flat));
    graph.op("Mul", &[&differences, &differences])
}

/// Sums over an axis, which is then gone.
fn sum_over(graph: &mut Graph, values: &str, axis: i64) -> Name {
    let axes = graph.constant(integers(&[1], &[axis]));
    graph.op_with("ReduceSum", &[values, &axes], vec![int("keepdims", 0)])
}

/// Logarithms of likelihoods from sums of squares.
fn likelihoods(graph: &mut Graph, sums: &str, constants: &[f64]) -> Name {
    let halves = graph.with("Mul", sums, doubles(&[1], &[-0.5]));
    graph.with("Add", &halves, doubles(&[constants.len()], constants))
}
