//! Empty texts in a result that is written as CSV, which cannot tell them from null: noted while rows are written, and said once.

use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Schema};

use crate::column_words::{MOST_NAMED, listed};

/// Which columns have an empty text.
pub(super) struct EmptyTexts(Vec<AtomicBool>);

impl EmptyTexts {
    pub(super) fn new(schema: &Schema) -> Self {
        Self(schema.fields().iter().map(|_| AtomicBool::new(false)).collect())
    }

    /// Looks at the columns of a batch of which it is not known.
    pub(super) fn look(&self, batch: &RecordBatch) {
        for (column, is_known) in batch.columns().iter().zip(&self.0) {
            if !is_known.load(Ordering::Relaxed) && has_empty(column) {
                is_known.store(true, Ordering::Relaxed);
            }
        }
    }

    /// What people should know, once all rows were looked at.
    pub(super) fn warning(&self, schema: &Schema) -> Option<String> {
        let found = schema.fields().iter().zip(&self.0).filter(|(_, found)| found.load(Ordering::Relaxed));
        let names: Vec<String> = found.map(|(field, _)| format!("\"{}\"", field.name())).collect();
        let first = names.first()?;
        let have = if names.len() == 1 { "column" } else { "columns" };
        Some(format!(
            "CSV does not distinguish empty texts from null, so that who reads it finds null in their place, in the {have} {}; write parquet or \
             ndjson to keep them, or null them here: nullif({first}, '')",
            listed(&names, MOST_NAMED)
        ))
    }
}

fn has_empty(column: &ArrayRef) -> bool {
    match column.data_type() {
        DataType::Utf8 => is_some_empty(column.as_string::<i32>().offsets().lengths(), column.nulls()),
        DataType::LargeUtf8 => is_some_empty(column.as_string::<i64>().offsets().lengths(), column.nulls()),
        DataType::Utf8View => column.as_string_view().iter().flatten().any(str::is_empty),
        // Not every text of a dictionary is one of a row.
        DataType::Dictionary(..) if has_empty(column.as_any_dictionary().values()) => {
            cast(column, &DataType::Utf8).is_ok_and(|texts| has_empty(&texts))
        }
        _ => false,
    }
}

fn is_some_empty(mut lengths: impl Iterator<Item = usize>, nulls: Option<&NullBuffer>) -> bool {
    match nulls {
        None => lengths.any(|length| length == 0),
        Some(nulls) => lengths.zip(nulls).any(|(length, is_valid)| is_valid && length == 0),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{DictionaryArray, Int64Array, StringArray, StringViewArray};
    use datafusion::arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn columns_with_an_empty_text_are_named_and_those_with_nulls_alone_are_not() {
        let dictionary = |texts: [Option<&str>; 2]| texts.into_iter().collect::<DictionaryArray<Int32Type>>();
        let columns: [(&str, ArrayRef); 7] = [
            ("n", Arc::new(Int64Array::from(vec![None, Some(1)]))),
            ("nulls", Arc::new(StringArray::from(vec![None, Some("x")]))),
            ("empty", Arc::new(StringArray::from(vec![None, Some("")]))),
            ("full", Arc::new(StringArray::from(vec!["a", "b"]))),
            ("view", Arc::new(StringViewArray::from(vec![Some(""), None]))),
            ("dictionary", Arc::new(dictionary([Some(""), None]))),
            ("unused", Arc::new(dictionary([Some("a"), None]))),
        ];
        let nullable = columns.into_iter().map(|(name, array)| (name, array, true));
        let batch = RecordBatch::try_from_iter_with_nullable(nullable).expect("a batch");
        let empties = EmptyTexts::new(batch.schema_ref());
        assert_eq!(empties.warning(batch.schema_ref()), None);
        empties.look(&batch);
        let warning = empties.warning(batch.schema_ref()).expect("a warning");
        assert!(
            warning.contains("the columns \"empty\", \"view\", \"dictionary\"; write parquet"),
            "{warning}"
        );
        assert!(warning.ends_with("nullif(\"empty\", '')"), "{warning}");
    }
}
