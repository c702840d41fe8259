//! Functions of one float.

use super::super::node::{Node, Run};
use super::super::problem::Problem;
use super::super::tensor::{Tensor, Values};
use super::curves::{erf, gelu, round_half_even, sigmoid, softplus};
use super::elementwise::not_numbers;

/// A function of one float.
pub(super) fn float_function(node: &Node<'_>) -> Result<Option<Run>, Problem> {
    let (alpha, beta) =
        (f64::from(node.float("alpha", default_alpha(node))), f64::from(node.float("beta", 0.5)));
    let gamma = f64::from(node.float("gamma", 1.050_701));
    let tanh_gelu = node.string("approximate", "none")? == "tanh";
    let function: Box<dyn Fn(f64) -> f64 + Send + Sync> = match node.operator {
        "Sqrt" => Box::new(f64::sqrt),
        "Exp" => Box::new(f64::exp),
        "Log" => Box::new(f64::ln),
        "Reciprocal" => Box::new(f64::recip),
        "Floor" => Box::new(f64::floor),
        "Ceil" => Box::new(f64::ceil),
        "Round" => Box::new(round_half_even),
        "Sigmoid" => Box::new(sigmoid),
        "Tanh" => Box::new(f64::tanh),
        "Sin" => Box::new(f64::sin),
        "Cos" => Box::new(f64::cos),
        "Tan" => Box::new(f64::tan),
        "Asin" => Box::new(f64::asin),
        "Acos" => Box::new(f64::acos),
        "Atan" => Box::new(f64::atan),
        "Sinh" => Box::new(f64::sinh),
        "Cosh" => Box::new(f64::cosh),
        "Erf" => Box::new(erf),
        "Softplus" => Box::new(softplus),
        "Softsign" => Box::new(|value| value / (1.0 + value.abs())),
        "LeakyRelu" => Box::new(move |value| if value < 0.0 { alpha * value } else { value }),
        "Elu" => Box::new(move |value| if value < 0.0 { alpha * value.exp_m1() } else { value }),
        "Selu" => Box::new(move |value| gamma * if value <= 0.0 { alpha * value.exp_m1() } else { value }),
        "Celu" => Box::new(move |value| if value < 0.0 { alpha * (value / alpha).exp_m1() } else { value }),
        "ThresholdedRelu" => Box::new(move |value| if value > alpha { value } else { 0.0 }),
        "HardSigmoid" => Box::new(move |value| (alpha * value + beta).clamp(0.0, 1.0)),
        "HardSwish" => Box::new(|value| value * (value / 6.0 + 0.5).clamp(0.0, 1.0)),
        "Mish" => Box::new(|value| value * softplus(value).tanh()),
        "Gelu" => Box::new(move |value| gelu(value, tanh_gelu)),
        _ => return Ok(None),
    };
    Ok(Some(Box::new(move |inputs, work| {
        let input = inputs.get(0)?;
        work.reserve(input.shape(), input.kind())?;
        let values = match input.values() {
            Values::F32(values) => {
                Values::F32(values.iter().map(|value| function(f64::from(*value)) as f32).collect())
            }
            Values::F64(values) => Values::F64(values.iter().map(|value| function(*value)).collect()),
            _ => return Err(not_numbers(input)),
        };
        Ok(vec![Tensor::of_values(input.shape().to_vec(), values)?])
    })))
}

fn default_alpha(node: &Node<'_>) -> f32 {
    match node.operator {
        "LeakyRelu" => 0.01,
        "HardSigmoid" => 0.2,
        "Selu" => 1.673_263_2,
        _ => 1.0,
    }
}
