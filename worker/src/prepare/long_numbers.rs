//! Numbers with a fraction that are compared and have more digits than a double: as the decimals that are written, where the engine would compare
//! the doubles next to them.
//!
//! Owns which numbers these are. Must not change numbers that are computed with, which are doubles.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, ExactNumberInfo, Expr, Value, ValueWithSpan,
};

use super::exact_number::ExactNumber;

/// The most digits of a decimal.
const MOST_DIGITS: usize = 38;

/// The most digits behind the point, so that a whole number of 64 bits has room before it.
const MOST_BEHIND: usize = 18;

/// Rewrites the numbers that an expression compares.
pub(super) fn spell(expr: &mut Expr) {
    match expr {
        Expr::BinaryOp { left, op, right } if compares(op) => {
            exact(left);
            exact(right);
        }
        Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
            exact(left);
            exact(right);
        }
        Expr::Between { expr, low, high, .. } => {
            exact(expr);
            exact(low);
            exact(high);
        }
        Expr::InList { expr, list, .. } => {
            exact(expr);
            list.iter_mut().for_each(exact);
        }
        Expr::Case { operand: Some(operand), conditions, .. } => {
            exact(operand);
            conditions.iter_mut().for_each(|when| exact(&mut when.condition));
        }
        _ => {}
    }
}

fn compares(operator: &BinaryOperator) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

/// Makes a decimal of a number that is written out.
fn exact(expr: &mut Expr) {
    match expr {
        Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } => exact(inner),
        Expr::Value(ValueWithSpan { value: Value::Number(number, _), .. }) => {
            let text = number.to_string();
            if let Some(found) = decimal(&text) {
                *expr = Expr::Cast {
                    kind: CastKind::Cast,
                    expr: Box::new(Expr::Value(Value::SingleQuotedString(text).into())),
                    data_type: DataType::Decimal(found),
                    array: false,
                    format: None,
                };
            }
        }
        _ => {}
    }
}

/// The digits of a number with a fraction whose double is another number.
fn decimal(text: &str) -> Option<ExactNumberInfo> {
    let (whole, fraction) = text.split_once('.')?;
    let double: f64 = text.parse().ok()?;
    let is_double = ExactNumber::parse(&format!("{double:e}")) == Some(ExactNumber::parse(text)?);
    let digits = whole.trim_start_matches('0').len() + fraction.len();
    if is_double || digits > MOST_DIGITS || fraction.len() > MOST_BEHIND || fraction.contains(['e', 'E']) {
        return None;
    }
    let (digits, fraction) = (u64::try_from(digits).ok()?, i64::try_from(fraction.len()).ok()?);
    Some(ExactNumberInfo::PrecisionAndScale(digits.max(1), fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimals_where_their_doubles_are_others() {
        for (text, expected) in [
            ("9007199254740993.0", Some((17, 1))),
            ("0.1234567890123456789", None),
            ("0.123456789012345678", Some((18, 18))),
            ("12345678901234567.5", Some((18, 1))),
            ("9007199254740993", None),
            ("9007199254740992.0", None),
            ("0.1", None),
            ("100.10", None),
            ("1e300", None),
            ("1.5e3", None),
        ] {
            let expected =
                expected.map(|(digits, fraction)| ExactNumberInfo::PrecisionAndScale(digits, fraction));
            assert_eq!(decimal(text), expected, "{text}");
        }
    }
}
