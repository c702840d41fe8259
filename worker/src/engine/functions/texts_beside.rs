//! Texts among the arguments of a function, where the engine finds no type for all: they are of the type of what stands beside them, as where they
//! are compared.
//!
//! Must not change what the engine makes of arguments that it takes.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;

/// The types that a function's arguments are cast to.
pub(super) fn coerced(function: &ScalarUDF, types: &[DataType]) -> Result<Vec<DataType>> {
    let argument = |found: &DataType| -> FieldRef { Arc::new(Field::new("argument", found.clone(), true)) };
    let given: Vec<FieldRef> = types.iter().map(argument).collect();
    match (fields_with_udf(&given, function), beside(types)) {
        (Err(_), Some(read)) => Ok(read),
        (taken, _) => Ok(taken?.iter().map(|field| field.data_type().clone()).collect()),
    }
}

/// The types with those of texts as they are read.
fn beside(types: &[DataType]) -> Option<Vec<DataType>> {
    if let [list, value] = types
        && let DataType::List(item) | DataType::LargeList(item) = list
    {
        let item = item.data_type();
        return match (item, value) {
            (item, value) if value.is_string() && is_read(item) => Some(vec![list.clone(), item.clone()]),
            (item, DataType::Boolean) if item.is_string() => {
                Some(vec![DataType::new_list(DataType::Boolean, true), DataType::Boolean])
            }
            _ => None,
        };
    }
    let is_text = |found: &DataType| found.is_string() || found.is_null();
    let mut others = types.iter().filter(|found| !is_text(found));
    let other = others.next().filter(|found| found.is_temporal() || **found == DataType::Boolean)?;
    others.all(|found| found == other).then(|| vec![other.clone(); types.len()])
}

/// Whether a text is read as a value of this type where it is compared with one.
fn is_read(found: &DataType) -> bool {
    found.is_numeric() || found.is_temporal() || *found == DataType::Boolean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_the_type_of_what_stands_beside_them() {
        let list = |item: DataType| DataType::new_list(item, true);
        let (text, boolean, number) = (DataType::Utf8, DataType::Boolean, DataType::Int64);
        for (types, expected) in [
            (vec![boolean.clone(), text.clone()], Some(vec![boolean.clone(); 2])),
            (vec![DataType::Null, text.clone(), DataType::Date32], Some(vec![DataType::Date32; 3])),
            (vec![boolean.clone(), number.clone()], None),
            (vec![text.clone(), text.clone()], None),
            (vec![list(number.clone()), text.clone()], Some(vec![list(number.clone()), number.clone()])),
            (vec![list(text.clone()), boolean.clone()], Some(vec![list(boolean.clone()), boolean.clone()])),
            (vec![list(text.clone()), number.clone()], None),
            (vec![list(list(number.clone())), text.clone()], None),
        ] {
            assert_eq!(beside(&types), expected, "{types:?}");
        }
    }
}
