//! Batches of which some values are long, in parts that are encoded one after the other.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::DataType;

/// How many bytes of values are encoded at once. A batch of usual values has far fewer.
const SLICE_BYTES: usize = 16 << 20;

/// The batch in parts of about as many bytes, by their mean; the batch itself where it has no more. The parts depend on the values
/// alone, whatever the machine.
pub(super) fn slices(batch: &RecordBatch) -> impl Iterator<Item = RecordBatch> + use<> {
    let bytes: usize = batch.columns().iter().map(long_bytes).fold(0, usize::saturating_add);
    let parts = bytes.div_ceil(SLICE_BYTES).clamp(1, batch.num_rows().max(1));
    let rows = batch.num_rows().div_ceil(parts).max(1);
    let batch = batch.clone();
    let starts = (0..batch.num_rows().max(1)).step_by(rows);
    starts.map(move |start| batch.slice(start, rows.min(batch.num_rows() - start)))
}

/// The bytes of the texts of a column, as often as each occurs; other values are short.
fn long_bytes(column: &ArrayRef) -> usize {
    let views = |lengths: &[u128]| {
        // The length of a view is its lowest 32 bits.
        lengths
            .iter()
            .fold(0_usize, |sum, view| sum.saturating_add(usize::try_from(*view & 0xFFFF_FFFF).unwrap_or(0)))
    };
    let between = |first: Option<i64>, last: Option<i64>| {
        usize::try_from(last.unwrap_or(0) - first.unwrap_or(0)).unwrap_or(0)
    };
    let narrow = |offsets: &[i32]| {
        between(offsets.first().map(|at| i64::from(*at)), offsets.last().map(|at| i64::from(*at)))
    };
    let wide = |offsets: &[i64]| between(offsets.first().copied(), offsets.last().copied());
    match column.data_type() {
        DataType::Utf8 => narrow(column.as_string::<i32>().value_offsets()),
        DataType::LargeUtf8 => wide(column.as_string::<i64>().value_offsets()),
        DataType::Binary => narrow(column.as_binary::<i32>().value_offsets()),
        DataType::LargeBinary => wide(column.as_binary::<i64>().value_offsets()),
        DataType::Utf8View => views(column.as_string_view().views()),
        DataType::BinaryView => views(column.as_binary_view().views()),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{Int64Array, StringArray, StringViewArray};

    use super::*;

    #[test]
    fn long_values_are_parted_and_come_out_whole() {
        let text = "x".repeat(1 << 20);
        let long: Vec<&str> = std::iter::repeat_n(text.as_str(), 100).collect();
        let columns: [(ArrayRef, usize); 4] = [
            (Arc::new(StringArray::from(long.clone())), 8),
            (Arc::new(StringViewArray::from(long)), 8),
            (Arc::new(Int64Array::from_iter_values(0..100)), 1),
            (Arc::new(Int64Array::from_iter_values(0..0)), 1),
        ];
        for (column, parts) in columns {
            let batch = RecordBatch::try_from_iter([("x", column)]).expect("a batch");
            let slices: Vec<RecordBatch> = slices(&batch).collect();
            assert!(slices.len().abs_diff(parts) <= 1, "{}", slices.len());
            let whole =
                datafusion::arrow::compute::concat_batches(&batch.schema(), &slices).expect("a batch");
            assert_eq!(whole, batch);
        }
    }
}
