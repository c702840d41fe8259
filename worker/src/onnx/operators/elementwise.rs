//! What is done with each value by itself, or with each pair of values.

use super::super::kind::Kind;
use super::super::node::{Inputs, Node, Run};
use super::super::problem::Problem;
use super::super::tensor::{Element, Tensor, Values};
use super::super::work::Work;
use super::broadcast::{common_shape, repeated_places, zip};

/// That values are none of a function's.
pub(super) fn not_numbers(input: &Tensor) -> Problem {
    Problem::graph(format!("it is not computed of values of type {}", input.kind().name()))
}

/// What is done with numbers of each type, as it is in that type.
macro_rules! per_number {
    ($input:expr, $float:expr, $whole:expr) => {
        match $input.values() {
            Values::F32(values) => {
                Values::F32(values.iter().map(|value| $float(f64::from(*value)) as f32).collect())
            }
            Values::F64(values) => Values::F64(values.iter().map(|value| $float(*value)).collect()),
            Values::I64(values) => Values::I64(values.iter().map(|value| $whole(*value)).collect()),
            Values::I32(values) => {
                Values::I32(values.iter().map(|value| $whole(i64::from(*value)) as i32).collect())
            }
            Values::Bool(_) | Values::Text(_) => return Err(not_numbers($input)),
        }
    };
}

/// A function of one number, and of two; whole ones may have no answer.
type OfFloat = fn(f64) -> f64;
type OfWhole = fn(i64) -> i64;
type OfFloats = fn(f64, f64) -> f64;
type OfWholes = fn(i64, i64) -> Option<i64>;

/// Negation, absolute value, sign and the positive part.
pub(super) fn number_function(node: &Node<'_>) -> Option<Run> {
    fn run(
        inputs: &Inputs<'_>,
        work: &mut Work,
        float: fn(f64) -> f64,
        whole: fn(i64) -> i64,
    ) -> Result<Vec<Tensor>, Problem> {
        let input = inputs.get(0)?;
        work.reserve(input.shape(), input.kind())?;
        Ok(vec![Tensor::of_values(input.shape().to_vec(), per_number!(input, float, whole))?])
    }
    let (float, whole): (OfFloat, OfWhole) = match node.operator {
        "Neg" => (|value| -value, i64::wrapping_neg),
        "Abs" => (f64::abs, i64::wrapping_abs),
        "Sign" => (|value| if value == 0.0 { 0.0 } else { value.signum() }, i64::signum),
        "Relu" => (|value| if value < 0.0 { 0.0 } else { value }, |value| value.max(0)),
        _ => return None,
    };
    Some(Box::new(move |inputs, work| run(inputs, work, float, whole)))
}

/// Arithmetic of two, or of many in their order.
pub(super) fn arithmetic(node: &Node<'_>) -> Option<Run> {
    let (float, whole): (OfFloats, OfWholes) = match node.operator {
        "Add" | "Sum" | "Mean" => (|a, b| a + b, |a, b| Some(a.wrapping_add(b))),
        "Sub" => (|a, b| a - b, |a, b| Some(a.wrapping_sub(b))),
        "Mul" => (|a, b| a * b, |a, b| Some(a.wrapping_mul(b))),
        "Div" => (|a, b| a / b, i64::checked_div),
        "Min" => (|a, b| if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) }, |a, b| Some(a.min(b))),
        "Max" => (|a, b| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }, |a, b| Some(a.max(b))),
        "PRelu" => {
            (|a, b| if a < 0.0 { a * b } else { a }, |a, b| Some(if a < 0 { a.wrapping_mul(b) } else { a }))
        }
        "Mod" if node.flag("fmod", false) => (|a, b| a % b, i64::checked_rem),
        "Mod" => (
            |a, b| a - b * (a / b).floor(),
            |a, b| {
                a.checked_rem(b).map(|rest| if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest })
            },
        ),
        "Pow" => (f64::powf, |a, b| Some((a as f64).powf(b as f64) as i64)),
        _ => return None,
    };
    let is_mean = node.operator == "Mean";
    Some(Box::new(move |inputs, work| {
        let mut all = inputs.all();
        let first = all.next().ok_or_else(|| Problem::graph("it has no input"))?;
        let mut sum = first.clone();
        let mut count = 1;
        for next in all {
            sum = pair(&sum, next, work, float, whole)?;
            count += 1;
        }
        if is_mean {
            let divisor = Tensor::new(Vec::new(), vec![f64::from(count)])?;
            sum = pair(&sum, &super::cast::cast(&divisor, sum.kind(), work)?, work, |a, b| a / b, whole)?;
        }
        Ok(vec![sum])
    }))
}

fn pair(
    a: &Tensor,
    b: &Tensor,
    work: &mut Work,
    float: impl Fn(f64, f64) -> f64,
    whole: impl Fn(i64, i64) -> Option<i64>,
) -> Result<Tensor, Problem> {
    fn made<T: Element>((shape, values): (Vec<usize>, Vec<T>)) -> Result<Tensor, Problem> {
        Tensor::new(shape, values)
    }
    let undefined = std::cell::Cell::new(false);
    let whole = |a, b| {
        whole(a, b).unwrap_or_else(|| {
            undefined.set(true);
            0
        })
    };
    let (a_shape, b_shape) = (a.shape(), b.shape());
    let tensor = match (a.values(), b.values()) {
        (Values::F32(a), Values::F32(b)) => {
            made(zip((a, a_shape), (b, b_shape), work, |a, b| float(f64::from(*a), f64::from(*b)) as f32)?)
        }
        (Values::F64(a), Values::F64(b)) => {
            made(zip((a, a_shape), (b, b_shape), work, |a, b| float(*a, *b))?)
        }
        (Values::I64(a), Values::I64(b)) => {
            made(zip((a, a_shape), (b, b_shape), work, |a, b| whole(*a, *b))?)
        }
        (Values::I32(a), Values::I32(b)) => {
            made(zip((a, a_shape), (b, b_shape), work, |a, b| whole(i64::from(*a), i64::from(*b)) as i32)?)
        }
        // A power's exponent may be of another type.
        (Values::F32(a), Values::F64(_) | Values::I64(_) | Values::I32(_)) => {
            let b = b.numbers()?;
            made(zip((a, a_shape), (&b, b_shape), work, |a, b| float(f64::from(*a), *b) as f32)?)
        }
        (Values::F64(a), Values::F32(_) | Values::I64(_) | Values::I32(_)) => {
            let b = b.numbers()?;
            made(zip((a, a_shape), (&b, b_shape), work, |a, b| float(*a, *b))?)
        }
        (one, other) => Err(Problem::graph(format!(
            "it is not computed of values of types {} and {}",
            one.kind().name(),
            other.kind().name()
        ))),
    }?;
    if undefined.get() {
        return Err(Problem::Value { row: None, problem: "a whole number is divided by 0".to_owned() });
    }
    Ok(tensor)
}

/// Comparisons of two, of numbers or texts.
pub(super) fn comparison(node: &Node<'_>) -> Option<Run> {
    use std::cmp::Ordering;
    let holds: fn(Option<Ordering>) -> bool = match node.operator {
        "Equal" => |order| order == Some(Ordering::Equal),
        "Less" => |order| order == Some(Ordering::Less),
        "LessOrEqual" => |order| matches!(order, Some(Ordering::Less | Ordering::Equal)),
        "Greater" => |order| order == Some(Ordering::Greater),
        "GreaterOrEqual" => |order| matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        _ => return None,
    };
    Some(Box::new(move |inputs, work| {
        fn compared<T: Element + PartialOrd>(
            a: (&[T], &[usize]),
            b: (&[T], &[usize]),
            work: &mut Work,
            holds: fn(Option<Ordering>) -> bool,
        ) -> Result<Tensor, Problem> {
            let (shape, values) = zip(a, b, work, |a, b| holds(a.partial_cmp(b)))?;
            Tensor::new(shape, values)
        }
        let (a, b) = (inputs.get(0)?, inputs.get(1)?);
        let (a_shape, b_shape) = (a.shape(), b.shape());
        Ok(vec![match (a.values(), b.values()) {
            (Values::F32(a), Values::F32(b)) => compared((a, a_shape), (b, b_shape), work, holds),
            (Values::F64(a), Values::F64(b)) => compared((a, a_shape), (b, b_shape), work, holds),
            (Values::I64(a), Values::I64(b)) => compared((a, a_shape), (b, b_shape), work, holds),
            (Values::I32(a), Values::I32(b)) => compared((a, a_shape), (b, b_shape), work, holds),
            (Values::Bool(a), Values::Bool(b)) => compared((a, a_shape), (b, b_shape), work, holds),
            (Values::Text(a), Values::Text(b)) => compared((a, a_shape), (b, b_shape), work, holds),
            (one, other) => Err(Problem::graph(format!(
                "values of types {} and {} are not compared",
                one.kind().name(),
                other.kind().name()
            ))),
        }?])
    }))
}

/// Logic of two, and of one.
pub(super) fn logic(node: &Node<'_>) -> Option<Run> {
    let holds: fn(bool, bool) -> bool = match node.operator {
        "And" => |a, b| a && b,
        "Or" => |a, b| a || b,
        "Xor" => |a, b| a != b,
        "Not" => {
            return Some(Box::new(|inputs, work| {
                let input = inputs.get(0)?;
                work.reserve(input.shape(), Kind::Bool)?;
                let values = input.as_slice::<bool>()?.iter().map(|value| !value).collect();
                Ok(vec![Tensor::new(input.shape().to_vec(), values)?])
            }));
        }
        _ => return None,
    };
    Some(Box::new(move |inputs, work| {
        let (a, b) = (inputs.get(0)?, inputs.get(1)?);
        let (of_a, of_b) = (a.as_slice::<bool>()?, b.as_slice::<bool>()?);
        let (shape, values) = zip((of_a, a.shape()), (of_b, b.shape()), work, |a, b| holds(*a, *b))?;
        Ok(vec![Tensor::new(shape, values)?])
    }))
}

/// Whether a float is NaN, or infinite.
pub(super) fn float_class(node: &Node<'_>) -> Option<Run> {
    let (positive, negative) = (node.flag("detect_positive", true), node.flag("detect_negative", true));
    let is_nan = match node.operator {
        "IsNaN" => true,
        "IsInf" => false,
        _ => return None,
    };
    Some(Box::new(move |inputs, work| {
        let input = inputs.get(0)?;
        work.reserve(input.shape(), Kind::Bool)?;
        let holds = |value: f64| {
            if is_nan {
                value.is_nan()
            } else {
                (positive && value == f64::INFINITY) || (negative && value == f64::NEG_INFINITY)
            }
        };
        let values = input.numbers()?.into_iter().map(holds).collect();
        Ok(vec![Tensor::new(input.shape().to_vec(), values)?])
    }))
}

/// One of two, as a third says.
pub(super) fn choice() -> Run {
    fn chosen<T: Element>(
        condition: &Tensor,
        (a, a_shape): (&[T], &[usize]),
        (b, b_shape): (&[T], &[usize]),
        work: &mut Work,
    ) -> Result<Tensor, Problem> {
        let shape = common_shape(&common_shape(condition.shape(), a_shape)?, b_shape)?;
        work.reserve(&shape, T::KIND)?;
        // The places of three are in memory too.
        [(); 3].iter().try_for_each(|()| work.reserve(&shape, Kind::I64).map(drop))?;
        let holds = condition.as_slice::<bool>()?;
        let of_condition = repeated_places(condition.shape(), &shape);
        let of_both = repeated_places(a_shape, &shape).into_iter().zip(repeated_places(b_shape, &shape));
        let pick = |(at, (of_a, of_b)): (usize, (usize, usize))| {
            if *holds.get(at)? { a.get(of_a).cloned() } else { b.get(of_b).cloned() }
        };
        Tensor::new(shape, of_condition.into_iter().zip(of_both).filter_map(pick).collect())
    }
    Box::new(|inputs, work| {
        let (condition, a, b) = (inputs.get(0)?, inputs.get(1)?, inputs.get(2)?);
        let (a_shape, b_shape) = (a.shape(), b.shape());
        Ok(vec![match (a.values(), b.values()) {
            (Values::F32(a), Values::F32(b)) => chosen(condition, (a, a_shape), (b, b_shape), work),
            (Values::F64(a), Values::F64(b)) => chosen(condition, (a, a_shape), (b, b_shape), work),
            (Values::I64(a), Values::I64(b)) => chosen(condition, (a, a_shape), (b, b_shape), work),
            (Values::I32(a), Values::I32(b)) => chosen(condition, (a, a_shape), (b, b_shape), work),
            (Values::Bool(a), Values::Bool(b)) => chosen(condition, (a, a_shape), (b, b_shape), work),
            (Values::Text(a), Values::Text(b)) => chosen(condition, (a, a_shape), (b, b_shape), work),
            (one, other) => Err(Problem::graph(format!(
                "its choices are of types {} and {}",
                one.kind().name(),
                other.kind().name()
            ))),
        }?])
    })
}

/// Numbers kept between two bounds: attributes before version 11, inputs since.
pub(super) fn clip(node: &Node<'_>) -> Run {
    let of_node = (node.version < 11)
        .then(|| (f64::from(node.float("min", f32::MIN)), f64::from(node.float("max", f32::MAX))));
    Box::new(move |inputs, work| {
        let input = inputs.get(0)?;
        work.reserve(input.shape(), input.kind())?;
        let bound = |place: usize| match inputs.optional(place) {
            Some(bound) => Ok::<_, Problem>(bound.numbers()?.first().copied()),
            None => Ok(None),
        };
        let (least, most) = match of_node {
            Some(bounds) => bounds,
            None => (bound(1)?.unwrap_or(f64::NEG_INFINITY), bound(2)?.unwrap_or(f64::INFINITY)),
        };
        let float = |value: f64| {
            let value = if value < least { least } else { value };
            if value > most { most } else { value }
        };
        let whole = |value: i64| float(value as f64) as i64;
        Ok(vec![Tensor::of_values(input.shape().to_vec(), per_number!(input, float, whole))?])
    })
}
