//! Doubles next to decimals: the engine divides the digits of a decimal, as a double, by a power of ten, and where they are many both are rounded.
//!
//! It runs after types are made alike, when all casts are there. Must not change what is cast to anything else.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, Field, FieldRef};
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::{Cast, ScalarFunction, TryCast};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;

use super::rewrite::rewrite;

/// Digits that are whole numbers of a double.
const EXACT_DIGITS: u128 = 1 << 53;

/// Digits of which every number is one.
const EXACT_PRECISION: u8 = 15;

/// The last power of ten that is one.
const EXACT_SCALE: i8 = 22;

/// Replaces casts of decimals to doubles by a function that rounds once.
#[derive(Debug)]
pub(super) struct ExactDoubles {
    double: Arc<ScalarUDF>,
    single: Arc<ScalarUDF>,
}

impl ExactDoubles {
    pub(super) fn new() -> Self {
        let nearest = |to| Arc::new(ScalarUDF::new_from_impl(Nearest::new(to)));
        Self { double: nearest(DataType::Float64), single: nearest(DataType::Float32) }
    }

    fn read(&self, expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
        let (Expr::Cast(Cast { expr: inner, field }) | Expr::TryCast(TryCast { expr: inner, field })) = &expr
        else {
            return Transformed::no(expr);
        };
        let function = match field.data_type() {
            DataType::Float64 => &self.double,
            DataType::Float32 => &self.single,
            _ => return Transformed::no(expr),
        };
        if !inner.get_type(schema).is_ok_and(|found| found.is_decimal()) {
            return Transformed::no(expr);
        }
        let args = vec![Expr::clone(inner)];
        Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(function), args)))
    }
}

impl AnalyzerRule for ExactDoubles {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite(plan, &|expr, schema| Ok(self.read(expr, schema)))
    }

    fn name(&self) -> &'static str {
        "exact_doubles"
    }
}

/// The number of this type next to a decimal.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Nearest {
    to: DataType,
    signature: Signature,
}

impl Nearest {
    fn new(to: DataType) -> Self {
        Self { to, signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Nearest {
    fn name(&self) -> &'static str {
        if self.to == DataType::Float64 { "nearest_double" } else { "nearest_single" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.to.clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let is_nullable = args.arg_fields.first().is_none_or(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.to.clone(), is_nullable)))
    }

    /// Null stays null, so that joins are planned as they would be without it.
    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = args.args.as_slice() else {
            return Err(DataFusionError::Internal("one argument is expected".to_owned()));
        };
        Ok(ColumnarValue::Array(nearest(&value.to_array(args.number_rows)?, &self.to)?))
    }
}

/// Of texts the nearest number is read.
fn nearest(decimals: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    if to == &DataType::Float64 && is_rounded_once(decimals)? {
        return Ok(cast(decimals, to)?);
    }
    Ok(cast(&cast(decimals, &DataType::Utf8)?, to)?)
}

/// Whether both the digits and the power of ten are doubles, so that only their quotient is rounded.
fn is_rounded_once(decimals: &ArrayRef) -> Result<bool> {
    match decimals.data_type() {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
            if (0..=EXACT_SCALE).contains(scale) =>
        {
            if *precision <= EXACT_PRECISION {
                return Ok(true);
            }
            let wide = cast(decimals, &DataType::Decimal128(DECIMAL128_MAX_PRECISION, *scale))?;
            let wide = wide.as_primitive::<Decimal128Type>();
            Ok(wide.iter().flatten().all(|digits| digits.unsigned_abs() <= EXACT_DIGITS))
        }
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Array, Decimal128Array, Decimal256Array};
    use datafusion::arrow::datatypes::{Float32Type, Float64Type, i256};

    use super::*;

    #[test]
    fn the_nearest_double_is_that_of_the_text() {
        let digits: [Option<i128>; 4] =
            [Some(12_345_678_900_000_000_000_000), Some(1), None, Some(-9_007_199_254_740_993)];
        for scale in [0, 2, 18, 22, 30, 38] {
            let decimals = Decimal128Array::from(digits.to_vec());
            let decimals = decimals.with_precision_and_scale(38, scale).expect("a type");
            let found = nearest(&(Arc::new(decimals) as ArrayRef), &DataType::Float64).expect("doubles");
            let found = found.as_primitive::<Float64Type>();
            for (place, digits) in digits.iter().enumerate() {
                let expected =
                    digits.map(|digits| format!("{digits}e-{scale}").parse::<f64>().expect("a number"));
                let found = found.is_valid(place).then(|| found.value(place));
                assert_eq!(found, expected, "{digits:?} by 1e{scale}");
            }
        }
    }

    #[test]
    fn wide_decimals_and_singles_are_rounded_once_too() {
        let wide = Decimal256Array::from(vec![Some(i256::from_i128(123_456_789_000_000_000_000_000))]);
        let wide: ArrayRef = Arc::new(wide.with_precision_and_scale(50, 19).expect("a type"));
        let found = nearest(&wide, &DataType::Float64).expect("doubles");
        assert_eq!(found.as_primitive::<Float64Type>().value(0).to_string(), "12345.6789");
        let narrow = Decimal128Array::from(vec![Some(13_436)]);
        let narrow: ArrayRef = Arc::new(narrow.with_precision_and_scale(10, 2).expect("a type"));
        let found = nearest(&narrow, &DataType::Float32).expect("singles");
        assert_eq!(found.as_primitive::<Float32Type>().value(0).to_string(), "134.36");
    }
}
