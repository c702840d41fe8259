//! `<<` and `>>` of whole numbers as a product and a quotient of powers of two: the engine counts the places from anew behind the width of the type,
//! and cuts what goes beyond it.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Datum, Decimal128Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Decimal128Type};
use datafusion::arrow::error::ArrowError;

/// More places than a number of any type has.
const ALL_PLACES: i128 = 64;

/// The numbers times two to the power of the places; an error where it does not fit.
pub(super) fn shift_left(numbers: &dyn Datum, places: &dyn Datum) -> Result<ArrayRef, ArrowError> {
    let (least, greatest) = bounds(numbers.get().0.data_type());
    each(numbers, places, "<<", |number, places| {
        let shifted = if places < ALL_PLACES { number.checked_mul(1_i128 << places) } else { None };
        let shifted = if number == 0 { Some(0) } else { shifted };
        shifted.filter(|shifted| (least..=greatest).contains(shifted))
    })
}

/// The numbers without as many of their last places.
pub(super) fn shift_right(numbers: &dyn Datum, places: &dyn Datum) -> Result<ArrayRef, ArrowError> {
    each(numbers, places, ">>", |number, places| Some(number >> places.min(ALL_PLACES)))
}

/// What is computed of each number and its places, which are no fewer than none; an error where there is nothing.
fn each(
    numbers: &dyn Datum,
    places: &dyn Datum,
    sign: &str,
    compute: impl Fn(i128, i128) -> Option<i128>,
) -> Result<ArrayRef, ArrowError> {
    let ((numbers, is_one_number), (places, is_one_place)) = (numbers.get(), places.get());
    let rows = if is_one_number { places.len() } else { numbers.len() };
    let found = numbers.data_type().clone();
    // It holds the numbers of all types, signed or not.
    let widest = DataType::Decimal128(38, 0);
    let (numbers, places) = (cast(numbers, &widest)?, cast(places, &widest)?);
    let (numbers, places) =
        (numbers.as_primitive::<Decimal128Type>(), places.as_primitive::<Decimal128Type>());
    let shifted = (0..rows).map(|row| {
        let (of_number, of_place) = (if is_one_number { 0 } else { row }, if is_one_place { 0 } else { row });
        if numbers.is_null(of_number) || places.is_null(of_place) {
            return Ok(None);
        }
        let (number, places) = (numbers.value(of_number), places.value(of_place));
        if places < 0 {
            return Err(ArrowError::ComputeError(format!(
                "{number} {sign} {places} has fewer than no places; CASE WHEN n >= 0 THEN x {sign} n END is null for them"
            )));
        }
        let computed = compute(number, places);
        let overflow = || ArrowError::ArithmeticOverflow(format!("Overflow happened on: {number} {sign} {places}"));
        computed.map(Some).ok_or_else(overflow)
    });
    let shifted =
        shifted.collect::<Result<Decimal128Array, ArrowError>>()?.with_precision_and_scale(38, 0)?;
    cast(&shifted, &found)
}

/// The least and the greatest number of a type.
fn bounds(found: &DataType) -> (i128, i128) {
    match found {
        DataType::Int8 => (i8::MIN.into(), i8::MAX.into()),
        DataType::Int16 => (i16::MIN.into(), i16::MAX.into()),
        DataType::Int32 => (i32::MIN.into(), i32::MAX.into()),
        DataType::UInt8 => (0, u8::MAX.into()),
        DataType::UInt16 => (0, u16::MAX.into()),
        DataType::UInt32 => (0, u32::MAX.into()),
        DataType::UInt64 => (0, u64::MAX.into()),
        _ => (i64::MIN.into(), i64::MAX.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{Int8Array, Int64Array, Scalar};

    use super::*;

    #[test]
    fn a_shift_is_a_product_or_quotient_of_a_power_of_two_or_an_error() {
        let numbers = Int64Array::from(vec![Some(3), Some(-1), Some(0), None]);
        let places = Int64Array::from(vec![2, 63, 70, 1]);
        let expected: ArrayRef = Arc::new(Int64Array::from(vec![Some(12), Some(i64::MIN), Some(0), None]));
        assert_eq!(&shift_left(&numbers, &places).expect("shifted"), &expected);
        let expected: ArrayRef = Arc::new(Int64Array::from(vec![Some(0), Some(-1), Some(0), None]));
        assert_eq!(&shift_right(&numbers, &places).expect("shifted"), &expected);
        for (number, places) in [(1, 63), (4, 70), (3, -1)] {
            let (number, places) =
                (Scalar::new(Int64Array::from(vec![number])), Scalar::new(Int64Array::from(vec![places])));
            assert!(shift_left(&number, &places).is_err());
        }
        let (number, places) = (Int8Array::from(vec![64]), Int8Array::from(vec![1]));
        assert!(shift_left(&number, &places).is_err());
    }
}
