//! From the table's columns to the model's, as [`crate::preprocess`] makes them: one matrix of 64-bit floats.

use bytes::Bytes;

use super::error::OnnxError;
use super::graph::{Graph, Name};
use super::time::{MISSING_TIME, time_columns};
use super::value::{Type, doubles, int, integers, ints, strings};
use crate::model::{Feature, Model};
use crate::preprocess::{
    CategoryTransform, ColumnScale, NumberTransform, OrdinalTransform, TargetTransform, Transform,
};

/// The model's columns, rows × columns, from an input for each of the table's.
///
/// # Errors
/// When a column's values cannot be distinguished in a graph.
pub(super) fn columns(graph: &mut Graph, model: &Model) -> Result<Name, OnnxError> {
    // Of each feature, the first of its columns: where it is a number, that number.
    let (mut made, mut firsts, mut start) = (Vec::new(), Vec::new(), 0);
    for (feature, transform) in model.schema().features.iter().zip(model.preprocessing().transforms()) {
        let before = made.len();
        match transform {
            Transform::Number(number) => made.extend(number_columns(graph, feature, number)),
            Transform::Category(category) => made.extend(category_columns(graph, feature, category)?),
            Transform::Code(code) => {
                made.push(place_column(graph, feature, &code.categories, code.other, f64::NAN)?);
            }
            Transform::Ordinal(ordinal) => {
                let none = OrdinalTransform::NONE;
                made.push(place_column(graph, feature, &ordinal.categories, false, none)?);
            }
            Transform::Target(target) => made.extend(target_columns(graph, feature, target)?),
            Transform::Text(_) => {
                let lacks = "splits a text into words";
                return Err(OnnxError::Column { column: feature.name.clone(), role: "text", lacks });
            }
            Transform::Hash(_) => {
                let lacks = "hashes a text";
                return Err(OnnxError::Column { column: feature.name.clone(), role: "hash", lacks });
            }
            Transform::Time(time) => {
                let note = if feature.optional {
                    format!("milliseconds since 1970 in UTC; {MISSING_TIME} where it is missing")
                } else {
                    "milliseconds since 1970 in UTC".to_owned()
                };
                graph.input(&feature.name, Type::Int64, &note);
                made.extend(time_columns(graph, &feature.name, time));
            }
        }
        // Columns that may be scaled are values of their own.
        let sized = made.iter_mut().skip(before).take(transform.sized());
        for (name, column) in sized.zip(start..) {
            let found = model.preprocessing().scales().iter().find(|scale| scale.column as usize == column);
            if let Some(scale) = found {
                *name = scaled(graph, name, scale);
            }
        }
        start += transform.width();
        firsts.push(made.get(before).cloned());
    }
    for product in model.preprocessing().products() {
        let first = |place: u32| firsts.get(place as usize).cloned().flatten();
        let (Some(first), Some(second)) = (first(product.first), first(product.second)) else { continue };
        made.push(graph.op("Mul", &[&first, &second]));
    }
    Ok(graph.concat(&made))
}

fn scaled(graph: &mut Graph, column: &str, scale: &ColumnScale) -> Name {
    let rest = graph.with("Sub", column, doubles(&[1], &[scale.center]));
    graph.with("Div", &rest, doubles(&[1], &[scale.divisor]))
}

fn number_columns(graph: &mut Graph, feature: &Feature, transform: &NumberTransform) -> Vec<Name> {
    let note = match (feature.is_boolean(), feature.optional) {
        (true, true) => "0 or 1; NaN where it is missing",
        (true, false) => "0 or 1",
        (false, true) => "NaN where it is missing",
        (false, false) => "",
    };
    graph.input(&feature.name, Type::Double, note);
    let Some(impute) = transform.impute else { return vec![feature.name.clone()] };
    let missing = graph.op("IsNaN", &[&feature.name]);
    let impute = graph.constant(doubles(&[1], &[impute]));
    let mut made = vec![graph.op("Where", &[&missing, &impute, &feature.name])];
    if transform.indicator {
        made.push(graph.cast(&missing, Type::Double));
    }
    made
}

/// A text becomes the place of its means, by which they are looked up: after those of all texts come those of any other text, and of a
/// missing one.
fn target_columns(
    graph: &mut Graph,
    feature: &Feature,
    transform: &TargetTransform,
) -> Result<Vec<Name>, OnnxError> {
    let name = &feature.name;
    if feature.optional && transform.categories.iter().any(String::is_empty) {
        return Err(OnnxError::EmptyText { column: name.clone() });
    }
    graph.input(name, Type::String, if feature.optional { "the empty text where it is missing" } else { "" });
    let count = transform.categories.len() as i64;
    let texts = transform.categories.iter().map(|text| Bytes::copy_from_slice(text.as_bytes()));
    let (mut keys, mut places): (Vec<Bytes>, Vec<i64>) = texts.zip(0..).unzip();
    if feature.optional || keys.is_empty() {
        keys.push(Bytes::new());
        places.push(if feature.optional { count + 1 } else { count });
    }
    let attributes =
        vec![strings("keys_strings", keys), ints("values_int64s", places), int("default_int64", count)];
    let place = graph.ml("LabelEncoder", name, attributes);
    let missing = transform.missing.as_ref().unwrap_or(&transform.overall);
    let columns = (0..transform.width()).map(|column| {
        let rows = transform.means.iter().chain([&transform.overall, missing]);
        let means: Vec<f64> = rows.filter_map(|row| row.0.get(column).copied()).collect();
        let means = graph.constant(doubles(&[means.len()], &means));
        graph.op("Gather", &[&means, &place])
    });
    Ok(columns.collect())
}

/// A text becomes its place among others, or what stands for none; all others may share a place.
fn place_column(
    graph: &mut Graph,
    feature: &Feature,
    categories: &[String],
    has_other: bool,
    without: f64,
) -> Result<Name, OnnxError> {
    let name = &feature.name;
    if feature.optional && categories.iter().any(String::is_empty) {
        return Err(OnnxError::EmptyText { column: name.clone() });
    }
    graph.input(name, Type::String, if feature.optional { "the empty text where it is missing" } else { "" });
    let codes = categories.len() + usize::from(has_other);
    let (known, none) = (categories.len() as i64, codes as i64);
    let texts = categories.iter().map(|text| Bytes::copy_from_slice(text.as_bytes()));
    let (mut keys, mut places): (Vec<Bytes>, Vec<i64>) = texts.zip(0..).unzip();
    let of_others = if has_other { known } else { none };
    if feature.optional || keys.is_empty() {
        keys.push(Bytes::new());
        places.push(if feature.optional { none } else { of_others });
    }
    let attributes =
        vec![strings("keys_strings", keys), ints("values_int64s", places), int("default_int64", of_others)];
    let place = graph.ml("LabelEncoder", name, attributes);
    let codes: Vec<f64> = (0..codes).map(|code| code as f64).chain([without]).collect();
    let codes = graph.constant(doubles(&[codes.len()], &codes));
    Ok(graph.op("Gather", &[&codes, &place]))
}

/// A text becomes the number of its column, or one that is beyond the last where it has none; comparing that with all numbers
/// makes the columns.
fn category_columns(
    graph: &mut Graph,
    feature: &Feature,
    transform: &CategoryTransform,
) -> Result<Option<Name>, OnnxError> {
    let name = &feature.name;
    let has_empty = transform.categories.iter().any(String::is_empty);
    if feature.optional && has_empty {
        return Err(OnnxError::EmptyText { column: name.clone() });
    }
    graph.input(name, Type::String, if feature.optional { "the empty text where it is missing" } else { "" });
    let width = transform.width();
    if width == 0 {
        return Ok(None);
    }
    let categories = transform.categories.len() as i64;
    let other = if transform.other { categories } else { width as i64 };
    let texts = transform.categories.iter().map(|text| Bytes::copy_from_slice(text.as_bytes()));
    let (mut keys, mut places): (Vec<Bytes>, Vec<i64>) = texts.zip(0..).unzip();
    if feature.optional {
        keys.push(Bytes::new());
        places.push(if transform.indicator { width as i64 - 1 } else { width as i64 });
    }
    if keys.is_empty() {
        // The operator asks for a key: this one is where it would be without.
        keys.push(Bytes::new());
        places.push(other);
    }
    let attributes =
        vec![strings("keys_strings", keys), ints("values_int64s", places), int("default_int64", other)];
    let place = graph.ml("LabelEncoder", name, attributes);
    let all: Vec<i64> = (0..width as i64).collect();
    let is_one = graph.with("Equal", &place, integers(&[1, width], &all));
    Ok(Some(graph.cast(&is_one, Type::Double)))
}
