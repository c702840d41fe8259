//! Categories: a column for each, or one value in place of another.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::super::kind::Kind;
use super::super::node::{Node, Run};
use super::super::problem::Problem;
use super::super::tensor::{Element, Tensor, Values};

/// The bytes of a text that a message repeats.
const TEXT_SHOWN: usize = 40;

/// A value by which another is found. Floats are found by their bits, all NaNs being one, and so are both zeros.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Whole(i64),
    Bits(u64),
    Text(Arc<str>),
}

/// The bytes of a key, beside those of a text, which it shares.
const KEY_BYTES: usize = size_of::<Key>();

fn bits(value: f64) -> Key {
    Key::Bits(if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() })
}

fn keys(values: &Values) -> Vec<Key> {
    match values {
        Values::F32(values) => values.iter().map(|value| bits(f64::from(*value))).collect(),
        Values::F64(values) => values.iter().map(|value| bits(*value)).collect(),
        Values::I64(values) => values.iter().map(|value| Key::Whole(*value)).collect(),
        Values::I32(values) => values.iter().map(|value| Key::Whole(i64::from(*value))).collect(),
        Values::Bool(values) => values.iter().map(|value| Key::Whole(i64::from(*value))).collect(),
        Values::Text(values) => values.iter().cloned().map(Key::Text).collect(),
    }
}

fn shown(key: &Key) -> String {
    match key {
        Key::Whole(value) => value.to_string(),
        Key::Bits(value) => f64::from_bits(*value).to_string(),
        Key::Text(text) => match text.char_indices().nth(TEXT_SHOWN) {
            Some((end, _)) => format!("\"{}…\"", text.get(..end).unwrap_or_default()),
            None => format!("\"{text}\""),
        },
    }
}

/// A column for each category.
pub(super) fn one_hot_encoder(node: &Node<'_>) -> Result<Run, Problem> {
    let texts = node.strings("cats_strings")?;
    let whole = node.ints("cats_int64s");
    let takes_unknown = node.flag("zeros", true);
    let is_text = !texts.is_empty();
    let categories: Vec<Key> = if is_text {
        texts.into_iter().map(Key::Text).collect()
    } else {
        whole.iter().map(|value| Key::Whole(*value)).collect()
    };
    let places: HashMap<Key, usize> = categories.iter().cloned().zip(0..).collect();
    let width = categories.len();
    Ok(Box::new(move |inputs, work| {
        let input = inputs.get(0)?;
        work.reserve(&[input.len(), KEY_BYTES / 8], Kind::I64)?;
        let asked = match input.values() {
            values @ Values::Text(_) if is_text => keys(values),
            Values::Text(_) => {
                return Err(Problem::graph("it gets texts and has whole numbers for categories"));
            }
            _ if is_text => return Err(Problem::graph("it gets numbers and has texts for categories")),
            Values::I64(_) | Values::I32(_) | Values::Bool(_) => keys(input.values()),
            Values::F32(_) | Values::F64(_) => {
                input.numbers()?.into_iter().map(|value| Key::Whole(value as i64)).collect()
            }
        };
        let shape = [input.shape(), &[width]].concat();
        let mut made = vec![0.0_f32; work.reserve(&shape, Kind::F32)?];
        let (_, columns) = input.rows();
        for (at, (key, own)) in asked.iter().zip(made.chunks_mut(width.max(1))).enumerate() {
            match places.get(key) {
                Some(place) => own.get_mut(*place).into_iter().for_each(|slot| *slot = 1.0),
                None if takes_unknown || work.lenient => {}
                None => {
                    let problem = format!("{} is none of its {width} categories", shown(key));
                    return Err(Problem::value(at / columns.max(1), problem));
                }
            }
        }
        Ok(vec![Tensor::new(shape, made)?])
    }))
}

/// One value in place of another.
pub(super) fn label_encoder(node: &Node<'_>) -> Result<Run, Problem> {
    let (from, to, otherwise) = pairs(node)?;
    if from.len() != to.len() {
        return Err(Problem::graph(format!("it has {} keys and {} values", from.len(), to.len())));
    }
    let mut places: HashMap<Key, usize> = HashMap::new();
    for (key, place) in keys(&from).into_iter().zip(0..) {
        // The first of equal keys counts.
        places.entry(key).or_insert(place);
    }
    let kind = from.kind();
    let count = to.len();
    // Before version 4, what is not a number was found nowhere.
    let finds_nan = node.version >= 4;
    Ok(Box::new(move |inputs, work| {
        let input = inputs.get(0)?;
        if input.kind() != kind {
            let (found, expected) = (input.kind().name(), kind.name());
            return Err(Problem::graph(format!(
                "it gets values of type {found} and has keys of type {expected}"
            )));
        }
        work.reserve(input.shape(), to.kind())?;
        // A key for each value, and the place that it is found at.
        work.reserve(&[input.len(), KEY_BYTES / 8 + 1], Kind::I64)?;
        let known = |key: &Key| places.get(key).copied().filter(|_| finds_nan || *key != bits(f64::NAN));
        let at: Vec<usize> = keys(input.values()).iter().map(|key| known(key).unwrap_or(count)).collect();
        Ok(vec![Tensor::of_values(input.shape().to_vec(), with_default(&to, &otherwise, &at))?])
    }))
}

/// Values at places; the one beyond the last is the default.
fn with_default(values: &Values, otherwise: &Values, at: &[usize]) -> Values {
    fn chosen<T: Element>(values: &[T], otherwise: &Values, at: &[usize]) -> Values {
        let otherwise = T::of(otherwise).and_then(<[T]>::first);
        T::values(at.iter().filter_map(|place| values.get(*place).or(otherwise).cloned()).collect())
    }
    match values {
        Values::F32(values) => chosen(values, otherwise, at),
        Values::F64(values) => chosen(values, otherwise, at),
        Values::I64(values) => chosen(values, otherwise, at),
        Values::I32(values) => chosen(values, otherwise, at),
        Values::Bool(values) => chosen(values, otherwise, at),
        Values::Text(values) => chosen(values, otherwise, at),
    }
}

/// Keys, values and the default of whichever attributes there are.
fn pairs(node: &Node<'_>) -> Result<(Values, Values, Values), Problem> {
    // The first version knew texts and their places alone.
    let classes = node.strings("classes_strings")?;
    if !classes.is_empty() {
        let places = (0..classes.len() as i64).collect();
        let otherwise = Values::I64(vec![node.int("default_int64", -1)]);
        return Ok((Values::Text(classes), Values::I64(places), otherwise));
    }
    let list = |begin: &str| -> Result<Values, Problem> {
        if let Some(tensor) = node.tensor(&format!("{begin}_tensor"))? {
            return Ok(tensor.values().clone());
        }
        let texts = node.strings(&format!("{begin}_strings"))?;
        let whole = node.ints(&format!("{begin}_int64s"));
        let floats = node.floats(&format!("{begin}_floats"));
        Ok(match (texts.is_empty(), whole.is_empty(), floats.is_empty()) {
            (false, true, true) => Values::Text(texts),
            (true, false, true) => Values::I64(whole.to_vec()),
            (true, true, false) => Values::F32(floats.to_vec()),
            _ => return Err(Problem::graph(format!("it has not one list of {begin}"))),
        })
    };
    let (from, to) = (list("keys")?, list("values")?);
    let of_tensor = node.tensor("default_tensor")?.map(|tensor| tensor.values().clone());
    let otherwise = match (of_tensor, to.kind()) {
        (Some(values), kind) if values.kind() == kind && values.len() == 1 => values,
        (Some(_), _) => return Err(Problem::graph("its default is not one value of the type of its values")),
        (None, Kind::Text) => Values::Text(vec![Arc::from(node.string("default_string", "_Unused")?)]),
        (None, Kind::I64) => Values::I64(vec![node.int("default_int64", -1)]),
        (None, Kind::I32) => Values::I32(vec![-1]),
        (None, Kind::F32) => Values::F32(vec![node.float("default_float", -0.0)]),
        (None, Kind::F64) => Values::F64(vec![f64::from(node.float("default_float", -0.0))]),
        (None, Kind::Bool) => Values::Bool(vec![false]),
    };
    Ok((from, to, otherwise))
}
