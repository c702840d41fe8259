//! Columns that JSON has no form for, and maps that no object is: found before a row is written.

use std::collections::HashSet;

use datafusion::arrow::array::{Array, AsArray, MapArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Schema};

/// Refuses maps with keys that are not texts, at any depth: the keys of a JSON object are.
///
/// # Errors
/// Names the column, and how its keys become texts.
pub(crate) fn refuse_map_keys(schema: &Schema) -> Result<(), String> {
    for field in schema.fields() {
        if let Some(keys) = keys_without_form(field.data_type()) {
            let name = field.name();
            return Err(format!(
                "column \"{name}\" holds a map whose keys are {keys}, and those of a JSON object are texts; leave it out, or make its keys texts in the sql: map(arrow_cast(map_keys(\"{name}\"), 'List(Utf8)'), map_values(\"{name}\"))"
            ));
        }
    }
    Ok(())
}

/// The first row whose map has a key twice, and what is said of it: an object that has one is refused where it is read.
pub(super) fn repeated_key(map: &MapArray) -> Option<(usize, String)> {
    // Keys of other types are refused before.
    let keys = cast(map.keys(), &DataType::Utf8).ok()?;
    let keys = keys.as_string::<i32>();
    let mut known = HashSet::new();
    map.value_offsets().windows(2).enumerate().filter(|(row, _)| map.is_valid(*row)).find_map(|(row, ends)| {
        let [start, end] = ends else { return None };
        known.clear();
        let mut places = usize::try_from(*start).ok()?..usize::try_from(*end).ok()?;
        let twice = places.find(|place| !known.insert(keys.value(*place)))?;
        let key = keys.value(twice);
        Some((
            row,
            format!(
                "the map has the key \"{key}\" twice, and an object of JSON has each key once; select its values by their keys, as with m['{key}'], \
                 leave such rows out with WHERE"
            ),
        ))
    })
}

/// The type of the first keys within a type that are not texts.
fn keys_without_form(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::Map(entries, _) => {
            let DataType::Struct(parts) = entries.data_type() else { return None };
            let (keys, values) = (parts.first()?.data_type(), parts.get(1)?.data_type());
            let has_form = matches!(keys, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
            if has_form { keys_without_form(values) } else { Some(keys) }
        }
        DataType::Struct(parts) => parts.iter().find_map(|part| keys_without_form(part.data_type())),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => keys_without_form(item.data_type()),
        DataType::Dictionary(_, values) => keys_without_form(values),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Int64Builder, MapBuilder, StringBuilder};

    use super::*;

    #[test]
    fn a_key_that_is_twice_in_one_map_is_found_and_one_in_two_maps_is_not() {
        let maps = |rows: &[Option<&[&str]>]| {
            let mut maps = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
            for row in rows {
                for key in row.iter().copied().flatten() {
                    maps.keys().append_value(key);
                    maps.values().append_value(1);
                }
                maps.append(row.is_some()).expect("as many keys as values");
            }
            maps.finish()
        };
        assert_eq!(repeated_key(&maps(&[Some(&["a", "b"]), Some(&["a"]), None, Some(&[])])), None);
        let (row, problem) =
            repeated_key(&maps(&[Some(&["a"]), None, Some(&["a", "b", "b"])])).expect("a key");
        assert!(row == 2 && problem.starts_with("the map has the key \"b\" twice"), "{problem}");
        let all = maps(&[Some(&["a", "a"]), Some(&["b", "a"])]);
        assert_eq!(repeated_key(&all.slice(1, 1)), None);
    }
}
