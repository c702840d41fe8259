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
