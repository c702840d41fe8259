//! The values that a FILTER lets through.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::compute::kernels::nullif::nullif;
use datafusion::arrow::compute::{not, prep_null_mask_filter};
use datafusion::error::Result;

/// The values, null where the filter is not true.
pub(super) fn filtered(values: &ArrayRef, filter: Option<&BooleanArray>) -> Result<ArrayRef> {
    let Some(filter) = filter else { return Ok(Arc::clone(values)) };
    let is_left_out =
        if filter.null_count() > 0 { not(&prep_null_mask_filter(filter))? } else { not(filter)? };
    Ok(nullif(values, &is_left_out)?)
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{AsArray, Float64Array};
    use datafusion::arrow::datatypes::Float64Type;

    use super::*;

    #[test]
    fn values_are_null_where_the_filter_is_not_true() {
        let values: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), None, Some(3.0)]));
        let of = |filter: Option<BooleanArray>| -> Vec<Option<f64>> {
            let found = filtered(&values, filter.as_ref()).expect("values");
            found.as_primitive::<Float64Type>().iter().collect()
        };
        assert_eq!(of(None), [Some(1.0), None, Some(3.0)]);
        // A filter that is never null has no mask of nulls.
        assert_eq!(of(Some(BooleanArray::from(vec![false, true, true]))), [None, None, Some(3.0)]);
        let unknown = BooleanArray::from(vec![Some(true), Some(true), None]);
        assert_eq!(of(Some(unknown)), [Some(1.0), None, None]);
    }
}
