//! Products of matrices. Sums go in the order of the columns whatever the rows beside a row are, so that an answer does not depend on
//! them, nor on the machine.

use super::super::kind::Kind;
use super::super::layout::{element_count, shown};
use super::super::node::{Inputs, Node, Run};
use super::super::problem::Problem;
use super::super::tensor::{Tensor, Values};
use super::super::work::Work;
use super::broadcast::{common_shape, repeated_places};
use super::cast::cast;

/// A number that products are made of.
pub(super) trait Number: Copy {
    /// 0.
    const ZERO: Self;
    /// A sum with a product.
    fn plus(self, a: Self, b: Self) -> Self;
}

macro_rules! number {
    ($($type:ty: $zero:expr, $plus:expr);*) => {$(
        impl Number for $type {
            const ZERO: Self = $zero;
            fn plus(self, a: Self, b: Self) -> Self {
                $plus(self, a, b)
            }
        }
    )*};
}
number!(
    f32: 0.0, |sum, a, b| sum + a * b;
    f64: 0.0, |sum, a, b| sum + a * b;
    i64: 0, |sum: i64, a: i64, b| sum.wrapping_add(a.wrapping_mul(b));
    i32: 0, |sum: i32, a: i32, b| sum.wrapping_add(a.wrapping_mul(b))
);

/// Adds the product of rows × inner and inner × columns to `out`.
pub(super) fn add_product<T: Number>(a: &[T], b: &[T], (inner, columns): (usize, usize), out: &mut [T]) {
    if inner == 0 || columns == 0 {
        return;
    }
    for (row, out) in a.chunks_exact(inner).zip(out.chunks_exact_mut(columns)) {
        for (value, weights) in row.iter().zip(b.chunks_exact(columns)) {
            for (sum, weight) in out.iter_mut().zip(weights) {
                *sum = sum.plus(*value, *weight);
            }
        }
    }
}

/// The operators.
pub(super) fn multiplying(node: &Node<'_>) -> Option<Run> {
    Some(match node.operator {
        "MatMul" => Box::new(|inputs, work| Ok(vec![product(inputs.get(0)?, inputs.get(1)?, work)?])),
        "Gemm" => gemm(node),
        _ => return None,
    })
}

fn product(a: &Tensor, b: &Tensor, work: &mut Work) -> Result<Tensor, Problem> {
    let wrong = || {
        Problem::graph(format!(
            "matrices of shapes {} and {} have no product",
            shown(a.shape()),
            shown(b.shape())
        ))
    };
    // A list is a row before a matrix, and a column behind one.
    let (a_is_list, b_is_list) = (a.shape().len() == 1, b.shape().len() == 1);
    let a_shape = if a_is_list { [&[1], a.shape()].concat() } else { a.shape().to_vec() };
    let b_shape = if b_is_list { [b.shape(), &[1]].concat() } else { b.shape().to_vec() };
    let ([a_outer @ .., rows, inner], [b_outer @ .., b_inner, columns]) =
        (a_shape.as_slice(), b_shape.as_slice())
    else {
        return Err(wrong());
    };
    if inner != b_inner {
        return Err(wrong());
    }
    let outer = common_shape(a_outer, b_outer)?;
    let mut shape = outer.clone();
    shape.extend((!a_is_list).then_some(*rows));
    shape.extend((!b_is_list).then_some(*columns));
    let count = work.reserve(&shape, a.kind())?;
    work.step((count as u64).saturating_mul(*inner as u64))?;
    work.reserve(&outer, Kind::I64)?;
    let blocks = repeated_places(a_outer, &outer).into_iter().zip(repeated_places(b_outer, &outer));
    let size = (*rows, *inner, *columns);
    let values = match (a.values(), b.values()) {
        (Values::F32(a), Values::F32(b)) => Values::F32(products(a, b, blocks, size, count)),
        (Values::F64(a), Values::F64(b)) => Values::F64(products(a, b, blocks, size, count)),
        (Values::I64(a), Values::I64(b)) => Values::I64(products(a, b, blocks, size, count)),
        (Values::I32(a), Values::I32(b)) => Values::I32(products(a, b, blocks, size, count)),
        (one, other) => {
            let (one, other) = (one.kind().name(), other.kind().name());
            return Err(Problem::graph(format!("matrices of types {one} and {other} have no product")));
        }
    };
    Tensor::of_values(shape, values)
}

fn products<T: Number>(
    a: &[T],
    b: &[T],
    blocks: impl Iterator<Item = (usize, usize)>,
    (rows, inner, columns): (usize, usize, usize),
    count: usize,
) -> Vec<T> {
    let mut out = vec![T::ZERO; count];
    let size = rows * columns;
    for ((of_a, of_b), out) in blocks.zip(out.chunks_mut(size.max(1))) {
        let a = a.get(of_a * rows * inner..(of_a + 1) * rows * inner).unwrap_or_default();
        let b = b.get(of_b * inner * columns..(of_b + 1) * inner * columns).unwrap_or_default();
        add_product(a, b, (inner, columns), out);
    }
    out
}

/// alpha × A × B + beta × C, either matrix transposed.
fn gemm(node: &Node<'_>) -> Run {
    let (turn_a, turn_b) = (node.flag("transA", false), node.flag("transB", false));
    let (alpha, beta) = (node.float("alpha", 1.0), node.float("beta", 1.0));
    Box::new(move |inputs, work| {
        let a = turned(inputs.get(0)?, turn_a, work)?;
        let b = turned(inputs.get(1)?, turn_b, work)?;
        let mut made = scaled(product(&a, &b, work)?, alpha, work)?;
        if let Some(c) = inputs.optional(2) {
            let c = scaled(c.with_shape(c.shape().to_vec(), work)?, beta, work)?;
            made = add(&made, &c, work)?;
        }
        Ok(vec![made])
    })
}

fn add(a: &Tensor, b: &Tensor, work: &mut Work) -> Result<Tensor, Problem> {
    let (a_shape, b_shape) = (a.shape(), b.shape());
    match (a.values(), b.values()) {
        (Values::F32(a), Values::F32(b)) => {
            let (shape, values) =
                super::broadcast::zip((a, a_shape), (b, b_shape), work, |a: &f32, b: &f32| a + b)?;
            Tensor::new(shape, values)
        }
        _ => {
            let (of_a, of_b) = (a.numbers()?, b.numbers()?);
            let (shape, values) =
                super::broadcast::zip((&of_a, a_shape), (&of_b, b_shape), work, |a: &f64, b: &f64| a + b)?;
            cast(&Tensor::new(shape, values)?, a.kind(), work)
        }
    }
}

fn turned(input: &Tensor, turn: bool, work: &mut Work) -> Result<Tensor, Problem> {
    let [rows, columns] = *input.shape() else { return Err(Problem::graph("it needs two matrices")) };
    if turn {
        super::shape::strided(input, vec![columns, rows], &[1, columns as isize], 0, work)
    } else {
        input.with_shape(input.shape().to_vec(), work)
    }
}

fn scaled(input: Tensor, by: f32, work: &mut Work) -> Result<Tensor, Problem> {
    if by == 1.0 {
        return Ok(input);
    }
    let scaled = input.numbers()?.into_iter().map(|value| value * f64::from(by)).collect();
    cast(&Tensor::new(input.shape().to_vec(), scaled)?, input.kind(), work)
}

/// The squared or plain distances between the rows of two matrices, as the converters' own operator has them.
pub(super) fn distances(node: &Node<'_>) -> Result<Run, Problem> {
    let metric = node.string("metric", "sqeuclidean")?;
    let is_squared = metric == "sqeuclidean";
    node.refuse(!is_squared && metric != "euclidean", &format!("the metric {metric}"))?;
    Ok(Box::new(move |inputs: &Inputs<'_>, work: &mut Work| {
        let (a, b) = (inputs.get(0)?, inputs.get(1)?);
        let ([rows, width], [others, other_width]) = (a.shape(), b.shape()) else {
            return Err(Problem::graph("it needs two matrices"));
        };
        if width != other_width {
            return Err(Problem::graph("its rows are of different widths"));
        }
        let shape = vec![*rows, *others];
        let count = work.reserve(&shape, Kind::F64)?;
        work.step((count as u64).saturating_mul(*width as u64))?;
        let (of_a, of_b) = (a.numbers()?, b.numbers()?);
        let mut made = Vec::with_capacity(element_count(&shape)?);
        for row in of_a.chunks_exact((*width).max(1)) {
            for other in of_b.chunks_exact((*width).max(1)) {
                let sum: f64 = row.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum();
                made.push(if is_squared { sum } else { sum.sqrt() });
            }
        }
        made.resize(count, 0.0);
        Ok(vec![cast(&Tensor::new(shape, made)?, a.kind(), work)?])
    }))
}
