//! Which types have numbers of what kind.

use datafusion::arrow::datatypes::DataType;

/// The largest whole number up to which all are doubles.
pub(super) const EXACT: u64 = 1 << 53;

/// Whether not all numbers of this type are doubles.
pub(super) fn is_long(found: &DataType) -> bool {
    matches!(found, DataType::Int64 | DataType::UInt64)
}

/// Whether numbers of this type may have a fraction.
pub(super) fn has_fraction(found: &DataType) -> bool {
    found.is_floating()
        || matches!(found, DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) if *scale > 0)
}
