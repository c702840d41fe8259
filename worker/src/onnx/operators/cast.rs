//! From one type to another.

use std::sync::Arc;

use mlpipeline_crds::beginning;

use super::super::half::Rounding;
use super::super::kind::Kind;
use super::super::node::{Node, Run};
use super::super::problem::Problem;
use super::super::proto::data_type;
use super::super::tensor::{Tensor, Values};
use super::super::work::Work;

/// The most characters of a text that a message repeats.
const TEXT_SHOWN: usize = 40;

/// The type of a number of the file's.
pub(in super::super) fn kind_of(code: i64) -> Result<Kind, Problem> {
    Ok(match i32::try_from(code).unwrap_or_default() {
        // 16-bit floats are computed with as 32-bit ones.
        data_type::FLOAT | data_type::FLOAT16 | data_type::BFLOAT16 => Kind::F32,
        data_type::DOUBLE => Kind::F64,
        data_type::INT64 => Kind::I64,
        data_type::INT32 => Kind::I32,
        data_type::BOOL => Kind::Bool,
        data_type::STRING => Kind::Text,
        other => {
            return Err(Problem::graph(format!(
                "type {} is not computed with; float, double, float16, bfloat16, int64, int32, bool and string are",
                data_type::name(other)
            )));
        }
    })
}

/// The operator.
pub(super) fn operator(node: &Node<'_>) -> Result<Run, Problem> {
    let code = node.int("to", 0);
    let (to, rounding) = (kind_of(code)?, Rounding::of(i32::try_from(code).unwrap_or_default()));
    Ok(Box::new(move |inputs, work| Ok(vec![rounding.apply(cast(inputs.get(0)?, to, work)?)])))
}

/// The operator that takes the type of its second input.
pub(super) fn alike() -> Run {
    Box::new(|inputs, work| Ok(vec![cast(inputs.get(0)?, inputs.get(1)?.kind(), work)?]))
}

/// Values as those of another type.
pub(super) fn cast(input: &Tensor, to: Kind, work: &mut Work) -> Result<Tensor, Problem> {
    work.reserve(input.shape(), to)?;
    let values = match (input.values(), to) {
        (values, to) if values.kind() == to => values.clone(),
        (Values::Text(texts), to) => from_texts(texts, to, input.rows().1)?,
        (Values::I64(values), Kind::Text) => texts(values.iter().map(ToString::to_string), work)?,
        (Values::I32(values), Kind::Text) => texts(values.iter().map(ToString::to_string), work)?,
        (Values::F32(values), Kind::Text) => {
            texts(values.iter().map(|value| float_text(f64::from(*value), value.to_string())), work)?
        }
        (Values::F64(values), Kind::Text) => {
            texts(values.iter().map(|value| float_text(*value, value.to_string())), work)?
        }
        (Values::Bool(values), Kind::Text) => {
            texts(values.iter().map(|value| u8::from(*value).to_string()), work)?
        }
        (Values::I64(values), Kind::I32) => Values::I32(values.iter().map(|value| *value as i32).collect()),
        (Values::I32(values), Kind::I64) => {
            Values::I64(values.iter().map(|value| i64::from(*value)).collect())
        }
        (_, to) => {
            let numbers = input.numbers()?;
            match to {
                Kind::F32 => Values::F32(numbers.iter().map(|value| *value as f32).collect()),
                Kind::F64 => Values::F64(numbers),
                // What is not finite has no whole number; 0 is one.
                Kind::I64 => Values::I64(numbers.iter().map(|value| *value as i64).collect()),
                Kind::I32 => Values::I32(numbers.iter().map(|value| *value as i32).collect()),
                Kind::Bool => Values::Bool(numbers.iter().map(|value| *value != 0.0).collect()),
                Kind::Text => texts(numbers.iter().map(|value| float_text(*value, value.to_string())), work)?,
            }
        }
    };
    Tensor::of_values(input.shape().to_vec(), values)
}

fn texts(texts: impl Iterator<Item = String>, work: &mut Work) -> Result<Values, Problem> {
    let made = texts.map(|text| {
        work.reserve_text(text.len())?;
        Ok(Arc::from(text))
    });
    Ok(Values::Text(made.collect::<Result<_, Problem>>()?))
}

/// A float as a text: whole ones without a point, and what is none by its name.
fn float_text(value: f64, shortest: String) -> String {
    match value {
        value if value.is_nan() => "NaN".to_owned(),
        value if value.is_infinite() => if value > 0.0 { "INF" } else { "-INF" }.to_owned(),
        _ => shortest,
    }
}

fn from_texts(texts: &[Arc<str>], to: Kind, width: usize) -> Result<Values, Problem> {
    let wrong = |place: usize, text: &str| {
        let row = place / width.max(1);
        Problem::value(row, format!("the text \"{}\" is not a number", beginning(text, TEXT_SHOWN)))
    };
    let mut numbers = Vec::with_capacity(texts.len());
    for (place, text) in texts.iter().enumerate() {
        numbers.push(text.trim().parse::<f64>().map_err(|_| wrong(place, text))?);
    }
    Ok(match to {
        Kind::F32 => Values::F32(numbers.iter().map(|value| *value as f32).collect()),
        Kind::I64 => {
            let whole = |(place, text): (usize, &Arc<str>)| {
                text.trim().parse::<i64>().or_else(|_| {
                    let value: f64 = text.trim().parse().map_err(|_| wrong(place, text))?;
                    Ok(value as i64)
                })
            };
            Values::I64(texts.iter().enumerate().map(whole).collect::<Result<_, Problem>>()?)
        }
        Kind::I32 => Values::I32(numbers.iter().map(|value| *value as i32).collect()),
        Kind::Bool => Values::Bool(numbers.iter().map(|value| *value != 0.0).collect()),
        Kind::F64 | Kind::Text => Values::F64(numbers),
    })
}
