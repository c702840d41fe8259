//! Weighted sums of classical models.

use super::super::kind::Kind;
use super::super::node::{Node, Run};
use super::super::problem::Problem;
use super::super::tensor::Tensor;
use super::super::work::Work;
use super::answer::{Labels, PostTransform, largest};
use super::cast::cast;
use super::matrix::add_product;

/// Weights of each target, in the order in which columns are multiplied: columns × targets.
struct Weights {
    targets: usize,
    columns: usize,
    by_column: Vec<f64>,
    intercepts: Vec<f64>,
}

impl Weights {
    fn of(node: &Node<'_>, targets: usize) -> Result<Self, Problem> {
        let coefficients = node.floats("coefficients");
        let intercepts = node.floats("intercepts");
        if targets == 0 || !coefficients.len().is_multiple_of(targets) {
            let found = coefficients.len();
            return Err(Problem::graph(format!("it has {found} coefficients for {targets} targets")));
        }
        if !intercepts.is_empty() && intercepts.len() != targets {
            let found = intercepts.len();
            return Err(Problem::graph(format!("it has {found} intercepts for {targets} targets")));
        }
        let columns = coefficients.len() / targets;
        let at = |place: usize| coefficients.get(place % targets * columns + place / targets);
        let by_column = (0..coefficients.len()).filter_map(at).map(|value| f64::from(*value)).collect();
        let mut intercepts: Vec<f64> = intercepts.iter().map(|value| f64::from(*value)).collect();
        intercepts.resize(targets, 0.0);
        Ok(Self { targets, columns, by_column, intercepts })
    }

    /// The sums: rows × targets.
    fn sums(&self, input: &Tensor, work: &mut Work) -> Result<(usize, Vec<f64>), Problem> {
        let (rows, width) = rows_of(input);
        if width != self.columns {
            let expected = self.columns;
            return Err(Problem::graph(format!(
                "it gets rows of {width} columns and has {expected} coefficients"
            )));
        }
        let count = work.reserve(&[rows, self.targets], Kind::F64)?;
        work.step((count as u64).saturating_mul(width as u64))?;
        let mut sums = self.intercepts.repeat(rows);
        add_product(&input.numbers()?, &self.by_column, (width, self.targets), &mut sums);
        Ok((rows, sums))
    }
}

/// Rows and columns; a list is one row.
pub(super) fn rows_of(input: &Tensor) -> (usize, usize) {
    match input.shape() {
        [columns] => (1, *columns),
        _ => input.rows(),
    }
}

/// Scores in the shape of an output, as 32-bit floats.
pub(super) fn floats(shape: Vec<usize>, scores: Vec<f64>, work: &mut Work) -> Result<Tensor, Problem> {
    cast(&Tensor::new(shape, scores)?, Kind::F32, work)
}

/// The operator that predicts numbers.
pub(super) fn regressor(node: &Node<'_>) -> Result<Run, Problem> {
    let targets = usize::try_from(node.int("targets", 1)).unwrap_or_default();
    let (weights, post) = (Weights::of(node, targets)?, PostTransform::of(node)?);
    Ok(Box::new(move |inputs, work| {
        let (rows, mut sums) = weights.sums(inputs.get(0)?, work)?;
        sums.chunks_mut(weights.targets).for_each(|row| post.apply(row));
        Ok(vec![floats(vec![rows, weights.targets], sums, work)?])
    }))
}

/// The operator that predicts classes.
pub(super) fn classifier(node: &Node<'_>) -> Result<Run, Problem> {
    let (labels, post) = (Labels::of(node)?, PostTransform::of(node)?);
    let targets = match node.floats("intercepts").len() {
        0 => labels.len(),
        some => some,
    };
    let weights = Weights::of(node, targets)?;
    let is_single = targets == 1;
    if (!is_single && labels.len() != targets) || (is_single && labels.len() != 2) {
        let found = labels.len();
        return Err(Problem::graph(format!("it has {found} labels for {targets} targets")));
    }
    Ok(Box::new(move |inputs, work| {
        let (rows, sums) = weights.sums(inputs.get(0)?, work)?;
        let width = if is_single { 2 } else { targets };
        work.reserve(&[rows, width], Kind::F64)?;
        let (mut places, mut scores) = (Vec::with_capacity(rows), Vec::with_capacity(rows * width));
        for row in sums.chunks(targets) {
            match row {
                [score] => {
                    places.push(usize::from(*score > 0.0));
                    let mut own = [*score];
                    // Shares of one score alone would be 1.
                    if matches!(post, PostTransform::Logistic | PostTransform::Probit) {
                        post.apply(&mut own);
                    }
                    scores.extend([1.0 - own[0], own[0]]);
                }
                many => {
                    places.push(largest(many));
                    let mut own = many.to_vec();
                    post.apply(&mut own);
                    scores.extend(own);
                }
            }
        }
        Ok(vec![labels.at(&places)?, floats(vec![rows, width], scores, work)?])
    }))
}
