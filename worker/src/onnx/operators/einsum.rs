//! Sums of products, as an equation of dimensions says: `ij,jk->ik` is a product of matrices.

use super::super::layout::{element_count, shown, strides};
use super::super::node::{Inputs, Node, Run};
use super::super::problem::{Problem, shown_name};
use super::super::tensor::{Element, Tensor, Values};
use super::super::work::Work;
use super::matrix::Number;

/// The most dimensions that an equation has.
const DIMENSION_LIMIT: usize = 16;

/// An equation of one operand, or of two.
struct Equation {
    /// The dimensions of each operand, as letters.
    operands: Vec<Vec<u8>>,
    /// Those of the result, and behind them those that are summed over.
    order: Vec<u8>,
    /// How many the result has.
    kept: usize,
}

impl Equation {
    fn of(text: &str) -> Result<Self, Problem> {
        let wrong = |problem: &str| Problem::graph(format!("the equation {} {problem}", shown_name(text)));
        let signs: String = text.chars().filter(|sign| !sign.is_whitespace()).collect();
        let (left, right) = match signs.split_once("->") {
            Some((left, right)) => (left, Some(right.as_bytes())),
            None => (signs.as_str(), None),
        };
        let operands: Vec<Vec<u8>> = left.split(',').map(|operand| operand.as_bytes().to_vec()).collect();
        if operands.len() > 2 {
            return Err(wrong("has more than two operands, and no more are computed"));
        }
        let all = operands.concat();
        if !all.iter().chain(right.unwrap_or_default()).all(u8::is_ascii_alphabetic) {
            return Err(wrong("has a sign that is not a letter; dimensions of one letter each are computed"));
        }
        let mut letters: Vec<u8> = all.clone();
        letters.sort_unstable();
        letters.dedup();
        if letters.len() > DIMENSION_LIMIT {
            return Err(wrong("has too many dimensions"));
        }
        let count = |list: &[u8], letter: u8| list.iter().filter(|other| **other == letter).count();
        let kept: Vec<u8> = match right {
            Some(right) => right.to_vec(),
            None => letters.iter().copied().filter(|letter| count(&all, *letter) == 1).collect(),
        };
        if kept.iter().any(|letter| count(&kept, *letter) > 1 || !letters.contains(letter)) {
            return Err(wrong("has a result with a dimension twice, or one that no operand has"));
        }
        let summed = letters.into_iter().filter(|letter| !kept.contains(letter));
        let order: Vec<u8> = kept.iter().copied().chain(summed).collect();
        Ok(Self { operands, order, kept: kept.len() })
    }

    /// The lengths of all dimensions, in their order.
    fn lengths(&self, inputs: &[&Tensor]) -> Result<Vec<usize>, Problem> {
        if inputs.len() != self.operands.len() {
            return Err(Problem::graph("its inputs are not as many as its equation has operands"));
        }
        let mut lengths: Vec<Option<usize>> = vec![None; self.order.len()];
        for (input, letters) in inputs.iter().zip(&self.operands) {
            let fits = input.shape().len() == letters.len()
                && letters.iter().zip(input.shape()).all(|(letter, length)| {
                    let place = self.order.iter().position(|other| other == letter);
                    place
                        .and_then(|place| lengths.get_mut(place))
                        .is_some_and(|known| *known.get_or_insert(*length) == *length)
                });
            if !fits {
                return Err(Problem::graph(format!(
                    "an input of shape {} does not fit its equation",
                    shown(input.shape())
                )));
            }
        }
        Ok(lengths.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// How far apart the values of each dimension are in an operand; 0 where it has none of it.
    fn steps(&self, operand: usize, shape: &[usize]) -> Vec<usize> {
        let letters = self.operands.get(operand).map(Vec::as_slice).unwrap_or_default();
        let apart = strides(shape);
        let of_letter = |letter: &u8| {
            let own = letters.iter().zip(&apart).filter(|(other, _)| *other == letter);
            // A letter that is there twice goes along the diagonal.
            own.map(|(_, apart)| *apart).sum()
        };
        self.order.iter().map(of_letter).collect()
    }
}

/// The operator.
pub(super) fn einsum(node: &Node<'_>) -> Result<Run, Problem> {
    let equation = Equation::of(&node.string("equation", "")?)?;
    Ok(Box::new(move |inputs: &Inputs<'_>, work: &mut Work| {
        let inputs: Vec<&Tensor> = inputs.all().collect();
        let lengths = equation.lengths(&inputs)?;
        let first = inputs.first().ok_or_else(|| Problem::graph("it has no input"))?;
        let shape = lengths.get(..equation.kept).unwrap_or_default().to_vec();
        work.reserve(&shape, first.kind())?;
        // A dimension of no length leaves the others to be walked, and a sum takes its time however short it is.
        let walked: Vec<usize> = lengths.iter().map(|length| (*length).max(1)).collect();
        work.step(element_count(&walked)? as u64 * 8)?;
        // Of one operand, each value is multiplied by one.
        let (second, second_shape) = match inputs.get(1) {
            Some(second) => (Some(second.values()), second.shape()),
            None => (None, &[][..]),
        };
        let of_first = equation.steps(0, first.shape());
        let of_second = equation.steps(1, second_shape);
        let steps: Vec<(usize, usize)> = of_first.into_iter().zip(of_second).collect();
        Ok(vec![match (first.values(), second) {
            (Values::F32(a), Some(Values::F32(b))) => sums(a, b, &lengths, &steps, shape),
            (Values::F64(a), Some(Values::F64(b))) => sums(a, b, &lengths, &steps, shape),
            (Values::I64(a), Some(Values::I64(b))) => sums(a, b, &lengths, &steps, shape),
            (Values::I32(a), Some(Values::I32(b))) => sums(a, b, &lengths, &steps, shape),
            (Values::F32(a), None) => sums(a, &[1.0], &lengths, &steps, shape),
            (Values::F64(a), None) => sums(a, &[1.0], &lengths, &steps, shape),
            (Values::I64(a), None) => sums(a, &[1], &lengths, &steps, shape),
            (Values::I32(a), None) => sums(a, &[1], &lengths, &steps, shape),
            _ => Err(Problem::graph("its inputs are not numbers of one type")),
        }?])
    }))
}

/// The sums of products: each of the result's values after the other, and each sum in the order of the dimensions that it is over.
fn sums<T: Number + Element>(
    a: &[T],
    b: &[T],
    lengths: &[usize],
    steps: &[(usize, usize)],
    shape: Vec<usize>,
) -> Result<Tensor, Problem> {
    let (outer, inner) = lengths.split_at(shape.len().min(lengths.len()));
    let (of_outer, of_inner) = steps.split_at(outer.len().min(steps.len()));
    let mut made = Vec::with_capacity(element_count(outer)?);
    each(outer, of_outer, (0, 0), |start| {
        let mut sum = T::ZERO;
        each(inner, of_inner, start, |(of_a, of_b)| {
            if let (Some(a), Some(b)) = (a.get(of_a), b.get(of_b)) {
                sum = sum.plus(*a, *b);
            }
        });
        made.push(sum);
    });
    Tensor::new(shape, made)
}

/// Calls `visit` with where each place of a shape lies in both operands, in order.
fn each(
    lengths: &[usize],
    steps: &[(usize, usize)],
    start: (usize, usize),
    mut visit: impl FnMut((usize, usize)),
) {
    if lengths.contains(&0) {
        return;
    }
    let (mut at, mut place) = (vec![0_usize; lengths.len()], start);
    loop {
        visit(place);
        let mut axis = lengths.len();
        loop {
            let Some(next) = axis.checked_sub(1) else { return };
            axis = next;
            let (Some(own), Some((of_a, of_b))) = (at.get_mut(axis), steps.get(axis)) else { return };
            *own += 1;
            place = (place.0 + of_a, place.1 + of_b);
            if *own < lengths.get(axis).copied().unwrap_or_default() {
                break;
            }
            place = (place.0 - of_a * *own, place.1 - of_b * *own);
            *own = 0;
        }
    }
}
