//! Columns that JSON has no form for: found before a row is written.

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
