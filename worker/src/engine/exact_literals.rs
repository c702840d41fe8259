//! Numbers that are written out, as decimals: as doubles `0.06 + 0.01` is a little more or less than 0.07, and rows at the edge are lost.
//!
//! Owns their sums, differences and products, and which decimal a number is.
//!
//! Must not change what is computed of rows, nor divisions. Numbers whose digits are too many stay with the engine.

use datafusion::arrow::datatypes::DECIMAL128_MAX_PRECISION;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, lit};

/// The double next to the exact result, where both sides are numbers and one has a fraction.
pub(super) fn read(expr: Expr) -> Transformed<Expr> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = &expr else { return Transformed::no(expr) };
    if !matches!(op, Operator::Plus | Operator::Minus | Operator::Multiply) {
        return Transformed::no(expr);
    }
    let result = match (number(left), number(right)) {
        (Some(Number::Whole(_)), Some(Number::Whole(_))) => None,
        (Some(left), Some(right)) => exact(left, *op, right),
        _ => None,
    };
    result.map_or(Transformed::no(expr), |result| Transformed::yes(lit(result)))
}

/// A double that is written out, as the decimal that it is; none where it is something else, or has more digits than a decimal.
pub(super) fn as_decimal(expr: &Expr) -> Option<ScalarValue> {
    let Number::Double(double) = number(expr)? else { return None };
    let decimal =
        if double == 0.0 { Decimal { digits: 0, exponent: 0 } } else { Decimal::of(Number::Double(double))? };
    let exponent = decimal.exponent.min(0);
    let digits = decimal.at(exponent)?;
    let scale = u8::try_from(-exponent).ok()?;
    let length = digits.unsigned_abs().checked_ilog10().map_or(1, |power| power + 1);
    let precision = u8::try_from(length).ok()?.max(scale);
    let scale = i8::try_from(scale).ok()?;
    (precision <= DECIMAL128_MAX_PRECISION).then_some(ScalarValue::Decimal128(Some(digits), precision, scale))
}

#[derive(Clone, Copy)]
enum Number {
    Whole(i64),
    Double(f64),
}

fn number(expr: &Expr) -> Option<Number> {
    match expr {
        Expr::Literal(ScalarValue::Int64(Some(whole)), _) => Some(Number::Whole(*whole)),
        Expr::Literal(ScalarValue::Float64(Some(double)), _) => Some(Number::Double(*double)),
        Expr::Negative(inner) => match number(inner)? {
            Number::Whole(whole) => whole.checked_neg().map(Number::Whole),
            Number::Double(double) => Some(Number::Double(-double)),
        },
        _ => None,
    }
}

/// So many times a power of ten.
#[derive(Clone, Copy)]
struct Decimal {
    digits: i128,
    exponent: i32,
}

impl Decimal {
    /// The shortest decimal that is read as this number. None of zeros, which have a sign, and of what is not finite.
    fn of(number: Number) -> Option<Self> {
        let double = match number {
            Number::Whole(whole) => return Some(Self { digits: whole.into(), exponent: 0 }),
            Number::Double(double) => double,
        };
        let text = format!("{double:e}");
        let (mantissa, exponent) = text.split_once('e')?;
        let fraction = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let digits: i128 = mantissa.replace('.', "").parse().ok()?;
        let exponent = exponent.parse::<i32>().ok()? - i32::try_from(fraction).ok()?;
        (digits != 0).then_some(Self { digits, exponent })
    }

    /// The digits with a lower exponent.
    fn at(self, exponent: i32) -> Option<i128> {
        let power = u32::try_from(self.exponent - exponent).ok()?;
        self.digits.checked_mul(10_i128.checked_pow(power)?)
    }
}

fn exact(left: Number, operator: Operator, right: Number) -> Option<f64> {
    let (left, right) = (Decimal::of(left)?, Decimal::of(right)?);
    let exponent = left.exponent.min(right.exponent);
    let (digits, exponent) = match operator {
        Operator::Plus => (left.at(exponent)?.checked_add(right.at(exponent)?)?, exponent),
        Operator::Minus => (left.at(exponent)?.checked_sub(right.at(exponent)?)?, exponent),
        _ => (left.digits.checked_mul(right.digits)?, left.exponent + right.exponent),
    };
    format!("{digits}e{exponent}").parse().ok().filter(|result: &f64| result.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_decimals_that_are_written() {
        for (number, expected) in [
            (134.36, Some((13436, 5, 2))),
            (-0.5, Some((-5, 1, 1))),
            (0.0, Some((0, 1, 0))),
            (-0.0, Some((0, 1, 0))),
            (1e30, Some((10_i128.pow(30), 31, 0))),
            (1.5e-7, Some((15, 8, 8))),
            (1e38, None),
            (1e300, None),
            (1e-300, None),
            (f64::INFINITY, None),
            (f64::NAN, None),
        ] {
            let expected = expected
                .map(|(digits, precision, scale)| ScalarValue::Decimal128(Some(digits), precision, scale));
            assert_eq!(as_decimal(&lit(number)), expected, "{number}");
        }
        assert_eq!(as_decimal(&lit(5_i64)), None);
        let negative = Expr::Negative(Box::new(lit(2.5)));
        assert_eq!(as_decimal(&negative), Some(ScalarValue::Decimal128(Some(-25), 2, 1)));
    }

    #[test]
    fn results_are_those_of_decimals() {
        use Number::{Double, Whole};
        for (left, operator, right, expected) in [
            (Double(0.06), Operator::Plus, Double(0.01), 0.07),
            (Double(0.06), Operator::Minus, Double(0.01), 0.05),
            (Double(0.1), Operator::Multiply, Whole(3), 0.3),
            (Whole(1), Operator::Minus, Double(0.9), 0.1),
            (Double(-0.1), Operator::Plus, Double(0.3), 0.2),
            (Double(1e17), Operator::Plus, Double(0.5), 1e17),
            (Double(1.5e-7), Operator::Multiply, Double(2e-300), 3e-307),
            (Double(0.3), Operator::Minus, Double(0.3), 0.0),
        ] {
            assert_eq!(exact(left, operator, right), Some(expected), "{expected}");
        }
        for (left, operator, right) in [
            (Double(1e300), Operator::Multiply, Double(1e300)),
            (Double(1e300), Operator::Plus, Double(1e-300)),
            (Double(f64::NAN), Operator::Plus, Double(1.0)),
            (Double(0.0), Operator::Multiply, Double(-1.0)),
        ] {
            assert_eq!(exact(left, operator, right), None);
        }
    }
}
