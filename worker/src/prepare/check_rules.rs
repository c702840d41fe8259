//! What rows break a check of a column, as conditions of a query. Whole numbers and decimals are compared exactly.
//!
//! Must not know how rows are read or failures are shown.

use datafusion::arrow::datatypes::{DataType, i256};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{Expr, cast, in_list, lit};
use mlpipeline_crds::{Check, CheckNumber};

use super::PrepareError;
use super::exact_number::ExactNumber;
use crate::column_words::type_words;

/// One rule of a column check: what rows break it, and how to say so.
pub(super) struct Rule {
    pub breaks: Expr,
    pub says: String,
}

/// The rules of a check of a column of this type that rows can break one by one.
///
/// # Errors
/// When the column has no order that min and max could speak of.
pub(super) fn rules(check: &Check, name: &str, data_type: &DataType) -> Result<Vec<Rule>, PrepareError> {
    let column = || Expr::Column(Column::from_name(name));
    let mut rules = Vec::new();
    if check.not_null == Some(true) {
        rules.push(Rule { breaks: column().is_null(), says: "null".to_owned() });
    }
    if let Some(allowed) = &check.one_of {
        let breaks = column().is_not_null().and(not_one_of(column(), data_type, allowed));
        rules.push(Rule { breaks, says: format!("none of {}", allowed.join(", ")) });
    }
    if (check.min.is_some() || check.max.is_some()) && !data_type.is_numeric() {
        let found = type_words(data_type);
        let text = format!("min and max need a column of numbers, and \"{name}\" has the type {found}");
        return Err(PrepareError::Check(text));
    }
    if let Some(min) = check.min {
        rules.push(Rule { breaks: below(column(), data_type, min), says: format!("below min {min}") });
    }
    if let Some(max) = check.max {
        rules.push(Rule { breaks: above(column(), data_type, max), says: format!("above max {max}") });
    }
    Ok(rules)
}

/// The scale of a type of exact numbers: how many digits stand behind the point.
pub(super) fn scale(data_type: &DataType) -> Option<i8> {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some(*scale),
        other => other.is_integer().then_some(0),
    }
}

fn above(column: Expr, data_type: &DataType, max: CheckNumber) -> Expr {
    let Some((scale, exact)) = scale(data_type).zip(ExactNumber::of(max)) else {
        let (nearest, printed) = nearest(max, data_type);
        let bound = if printed > max {
            // The type has no number between the two.
            column.clone().gt_eq(lit(nearest))
        } else {
            column.clone().gt(lit(nearest))
        };
        return bound.or(is_nan(column));
    };
    let largest = exact.units(scale).floor;
    match literal(data_type, largest) {
        Some(largest) => column.gt(lit(largest)),
        // The type has no number on the other side of the bound, or none on this one.
        None if largest > i256::ZERO => lit(false),
        None => column.is_not_null(),
    }
}

fn below(column: Expr, data_type: &DataType, min: CheckNumber) -> Expr {
    let Some((scale, exact)) = scale(data_type).zip(ExactNumber::of(min)) else {
        let (nearest, printed) = nearest(min, data_type);
        let bound =
            if printed < min { column.clone().lt_eq(lit(nearest)) } else { column.clone().lt(lit(nearest)) };
        return bound.or(is_nan(column));
    };
    let smallest = exact.units(scale).ceiling();
    match literal(data_type, smallest) {
        Some(smallest) => column.lt(lit(smallest)),
        None if smallest > i256::ZERO => column.is_not_null(),
        None => lit(false),
    }
}

/// The number of a column's own type that is nearest to one of a check, and which one it is by its shortest digits: a column of 32 bits that
/// reads 0.1 holds a tenth, whatever its bits are as a number of 64.
pub(super) fn nearest(number: CheckNumber, data_type: &DataType) -> (ScalarValue, CheckNumber) {
    let nearest = number.nearest();
    match data_type {
        DataType::Float32 => {
            let single = nearest as f32;
            let printed = single.to_string().parse().unwrap_or(f64::from(single));
            (ScalarValue::Float32(Some(single)), CheckNumber::from(printed))
        }
        // Sixteen bits have three digits: what rounds to a number is that number.
        DataType::Float16 => {
            let half = ScalarValue::Float64(Some(nearest)).cast_to(data_type);
            (half.unwrap_or(ScalarValue::Float64(Some(nearest))), number)
        }
        _ => (ScalarValue::Float64(Some(nearest)), CheckNumber::from(nearest)),
    }
}

/// NaN is neither above nor below anything, so it breaks both bounds.
fn is_nan(column: Expr) -> Expr {
    cast(column, DataType::Float64).eq(lit(f64::NAN))
}

/// A number of units as a value of a type of exact numbers; `None` where it has none so large or small.
fn literal(data_type: &DataType, units: i256) -> Option<ScalarValue> {
    let fits = |precision: u8| {
        let limit = i256::from_i128(10).checked_pow(precision.into());
        limit.is_none_or(|limit| units < limit && units.checked_neg().is_some_and(|units| units < limit))
    };
    let small = units.to_i128();
    match *data_type {
        DataType::Decimal32(precision, scale) if fits(precision) => {
            Some(ScalarValue::Decimal32(Some(i32::try_from(small?).ok()?), precision, scale))
        }
        DataType::Decimal64(precision, scale) if fits(precision) => {
            Some(ScalarValue::Decimal64(Some(i64::try_from(small?).ok()?), precision, scale))
        }
        DataType::Decimal128(precision, scale) if fits(precision) => {
            Some(ScalarValue::Decimal128(Some(small?), precision, scale))
        }
        DataType::Decimal256(precision, scale) if fits(precision) => {
            Some(ScalarValue::Decimal256(Some(units), precision, scale))
        }
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => {
            Some(ScalarValue::UInt64(Some(u64::try_from(small?).ok()?)))
        }
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            Some(ScalarValue::Int64(Some(i64::try_from(small?).ok()?)))
        }
        _ => None,
    }
}

/// Numbers are compared as numbers, so that 1 is among "1.0"; everything else by its text.
fn not_one_of(column: Expr, data_type: &DataType, allowed: &[String]) -> Expr {
    if let Some(scale) = scale(data_type) {
        let units = allowed.iter().filter_map(|text| Some(ExactNumber::parse(text.trim())?.units(scale)));
        let values = units.filter(|units| !units.has_rest);
        let values: Vec<Expr> = values.filter_map(|units| literal(data_type, units.floor)).map(lit).collect();
        // Where the type can hold none of them, no value is among them.
        return if values.is_empty() { lit(true) } else { in_list(column, values, true) };
    }
    if data_type.is_numeric() {
        let numbers = allowed.iter().filter_map(|value| value.parse::<f64>().ok());
        let values = numbers.map(|number| lit(nearest(CheckNumber::from(number), data_type).0));
        in_list(column, values.collect(), true)
    } else {
        in_list(cast(column, DataType::Utf8), allowed.iter().map(|value| lit(value.as_str())).collect(), true)
    }
}
