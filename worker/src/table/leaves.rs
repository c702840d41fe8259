//! How many values a row has at least, so that a batch of rows with many has fewer rows.

use datafusion::arrow::datatypes::{DataType, Fields};

/// The most values of a batch whose rows have one value in each place.
pub(super) const BATCH_VALUES: usize = 1 << 18;

/// The columns that are not made of others: those within objects are counted, and a list has one item here.
pub(crate) fn leaves(fields: &Fields) -> usize {
    fields.iter().map(|field| of_type(field.data_type())).fold(0, usize::saturating_add)
}

fn of_type(found: &DataType) -> usize {
    match found {
        // A struct without fields takes a place itself.
        DataType::Struct(fields) => leaves(fields).saturating_add(1),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::Map(item, _) => of_type(item.data_type()),
        DataType::FixedSizeList(item, length) => {
            of_type(item.data_type()).saturating_mul(usize::try_from(*length).unwrap_or(0).max(1))
        }
        DataType::Dictionary(_, values) => of_type(values),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::datatypes::Field;

    use super::*;

    #[test]
    fn what_is_within_objects_and_lists_counts() {
        let field = |name: &str, found: DataType| Field::new(name, found, true);
        let object = DataType::Struct((0..10).map(|key| field(&key.to_string(), DataType::Int64)).collect());
        let item = |found: DataType| Arc::new(field("item", found));
        for (found, expected) in [
            (DataType::Utf8, 1),
            (object.clone(), 11),
            (DataType::List(item(object.clone())), 11),
            (DataType::FixedSizeList(item(DataType::Int8), 7), 7),
            (DataType::Struct(vec![field("o", object.clone()), field("n", DataType::Int8)].into()), 13),
        ] {
            assert_eq!(leaves(&vec![field("c", found.clone())].into()), expected, "{found}");
        }
        assert_eq!(leaves(&Fields::empty()), 0);
    }
}
