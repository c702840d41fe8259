//! Values that a query could not compute with: what is said of them, and what was said, read again by whoever looks for their row.
//!
//! Owns the wording of both. Must not know tables.

use super::sql_types::in_sql;

const NOT_CAST: &str = " cannot be cast to ";
const NOT_HELD: &str = " does not fit into ";
const TOO_LARGE: &str = " is too large for a whole number of its type";
const NO_PLACES: &str = " has fewer than no places";
const NO_ROOT: &str = "a negative number has no square root";
const NO_QUOTIENT: &str = "Divide by zero";
const NO_TIME: &str = "Error parsing timestamp from '";
const NOT_READ: &str = " cannot read '";
/// What stands behind a text that is not read.
const AS: [&str; 2] = ["' by its pattern: ", "' as a date: "];

/// A value that a query could not compute with, and what it could not do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FailedValue<'a> {
    /// A text that is cast to another type.
    Text(&'a str),
    /// A text that is read as a time.
    Time(&'a str),
    /// A number that is cast to a type which does not hold it.
    Number(&'a str),
    /// A number with more digits than the decimal that it is cast to.
    Decimal(&'a str),
    /// A function of whole numbers, and these numbers, of which its value does not fit.
    Call(&'a str, &'a str),
    /// Two whole numbers whose sum, difference, product or quotient does not fit, or of which one cannot be shifted by the other.
    Operands(&'a str, &'a str),
    /// A negative number, of which the root is asked for.
    Root,
    /// A zero that is divided by.
    Divisor,
}

impl<'a> FailedValue<'a> {
    /// What a message of [`message`] or of the advice on times and quotients speaks of.
    pub(crate) fn in_message(message: &'a str) -> Option<Self> {
        if let Some(rest) = message.strip_prefix(NO_TIME) {
            return rest.split_once("': ").map(|(value, _)| Self::Time(value));
        }
        if let Some((_, rest)) = message.split_once(NOT_READ) {
            return AS.iter().find_map(|form| rest.split_once(form)).map(|(value, _)| Self::Time(value));
        }
        if message.starts_with(NO_ROOT) {
            return Some(Self::Root);
        }
        if message.starts_with(NO_QUOTIENT) {
            return Some(Self::Divisor);
        }
        if let Some((value, _)) = message.split_once(NOT_CAST) {
            let text = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
            return Some(text.map_or(Self::Number(value), Self::Text));
        }
        if let Some((value, _)) = message.split_once(NOT_HELD) {
            return Some(Self::Decimal(value));
        }
        let (operation, _) = message.split_once(TOO_LARGE).or_else(|| message.split_once(NO_PLACES))?;
        if let Some((name, numbers)) = operation.split_once('(') {
            return Some(Self::Call(name, numbers.trim_end_matches(')')));
        }
        let mut parts = operation.split(' ');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(left), Some("+" | "-" | "*" | "/" | "<<" | ">>"), Some(right), None) => {
                Some(Self::Operands(left, right))
            }
            _ => None,
        }
    }
}

/// The message of a zero that is divided by, with what is zero.
pub(crate) fn with_divisors(message: &str, divisors: &[String]) -> String {
    let (named, divided) = match divisors {
        [] => return message.to_owned(),
        [one] => (format!("{one} is 0"), one.as_str()),
        several => (format!("one of these is 0: {}", several.join(", ")), "x"),
    };
    let named = message.replacen(NO_QUOTIENT, &format!("{NO_QUOTIENT}: {named}"), 1);
    named.replacen("nullif(x, 0)", &format!("nullif({divided}, 0)"), 1)
}

/// What is said of a value, of the engine's plain words; `None` where they are about something else.
pub(super) fn message(text: &str) -> Option<String> {
    if text.contains("take square root of a negative number") {
        return Some(format!("{NO_ROOT}; CASE WHEN x >= 0 THEN sqrt(x) END is null for it"));
    }
    of_text(text).or_else(|| of_number(text)).or_else(|| of_decimal(text)).or_else(|| of_whole(text))
}

fn of_text(text: &str) -> Option<String> {
    let rest =
        ["Cannot cast string '", "Cannot cast value '"].iter().find_map(|form| text.strip_prefix(form))?;
    let (value, kind) = rest.rsplit_once("' to value of ")?;
    let kind = in_sql(kind.trim_end_matches(" type"));
    // The engine says the widest decimal, whichever it casts to.
    let kind = if kind.starts_with("DECIMAL") { "DECIMAL" } else { kind.as_str() };
    Some(format!("'{value}'{NOT_CAST}{kind}; such values become null with TRY_CAST(x AS {kind})"))
}

fn of_number(text: &str) -> Option<String> {
    let (value, kind) = if let Some(rest) = text.strip_prefix("Can't cast value ") {
        rest.rsplit_once(" to type ")?
    } else if let Some(rest) = text.strip_prefix("Cannot cast to ") {
        let (kind, value) = rest.split_once(". Overflowing on ")?;
        (value, kind)
    } else {
        text.strip_prefix("value of ")?.split_once(" is out of range ")?
    };
    let kind = in_sql(kind);
    Some(format!(
        "{value}{NOT_CAST}{kind}, which does not hold it: cast to a larger type, such as DOUBLE, or such values become null with TRY_CAST(x AS {kind})"
    ))
}

fn of_decimal(text: &str) -> Option<String> {
    let parts = [" is too large to store in a ", " is too small to store in a "];
    let (value, rest) = parts.iter().find_map(|part| text.split_once(part))?;
    let (precision, bound) = rest.split_once(" of precision ")?.1.split_once(". ")?;
    let (_, bound) = bound.split_once(" is ")?;
    let scale = bound.split_once('.').map_or(0, |(_, digits)| digits.len());
    let kind = format!("DECIMAL({precision}, {scale})");
    let way = match precision {
        "38" => "a DECIMAL has no more digits; compute with CAST(x AS DOUBLE)".to_owned(),
        _ => format!(
            "cast to a DECIMAL of more digits, such as DECIMAL(38, {scale}), or such values become null with TRY_CAST(x AS {kind})"
        ),
    };
    Some(format!("{value}{NOT_HELD}{kind}, whose numbers end at {bound}: {way}"))
}

fn of_whole(text: &str) -> Option<String> {
    let operation = if let Some((_, value)) = text.split_once("Array overflow on abs(") {
        format!("abs({value}")
    } else {
        let forms = ["Overflow happened on", "Signed integer overflow in"];
        let rest = forms.iter().find_map(|form| text.strip_prefix(form))?;
        rest.trim_start_matches(':').trim().to_lowercase()
    };
    let is_whole = |number: &str| number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok();
    let way = match operation.split_once('(') {
        Some(("factorial", _)) => {
            "the largest that fits is that of 20; CASE WHEN x <= 20 THEN factorial(x) END is null for larger ones"
        }
        Some(("gcd" | "lcm", _)) => "leave such rows out with WHERE, or make the value null with CASE",
        None if operation.contains(" << ") => "compute with CAST(x AS DOUBLE) * power(2, n)",
        // Decimals are computed with, and named, as whole numbers of their last digit.
        None if operation.split(' ').step_by(2).any(|number| !is_whole(number)) => {
            return Some("a value that is computed of decimals has more than 38 digits; compute with CAST(x AS DOUBLE)".to_owned());
        }
        _ => "compute with CAST(x AS DOUBLE) or CAST(x AS DECIMAL(38, 0))",
    };
    Some(format!("{operation}{TOO_LARGE}: {way}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_named_is_found_again_in_the_message() {
        for (said, begins, failed) in [
            (
                "Cannot cast string 'n/a' to value of Int32 type",
                "'n/a' cannot be cast to INT;",
                FailedValue::Text("n/a"),
            ),
            (
                "Cannot cast string 'x' to value of Decimal128(38, 10) type",
                "'x' cannot be cast to DECIMAL;",
                FailedValue::Text("x"),
            ),
            (
                "Cannot cast value 'maybe' to value of Boolean type",
                "'maybe' cannot be cast to BOOLEAN;",
                FailedValue::Text("maybe"),
            ),
            (
                "Can't cast value 1e30 to type Int64",
                "1e30 cannot be cast to BIGINT, which",
                FailedValue::Number("1e30"),
            ),
            (
                "Cannot cast to Decimal128(38, 36). Overflowing on 123456.78",
                "123456.78 cannot be cast to DECIMAL(38, 36), which",
                FailedValue::Number("123456.78"),
            ),
            (
                "123456.78 is too large to store in a Decimal128 of precision 5. Max is 999.99",
                "123456.78 does not fit into DECIMAL(5, 2), whose numbers end at 999.99: cast",
                FailedValue::Decimal("123456.78"),
            ),
            (
                "Int64Array overflow on abs(-8)",
                "abs(-8) is too large for a whole",
                FailedValue::Call("abs", "-8"),
            ),
            (
                "Overflow happened on FACTORIAL(25)",
                "factorial(25) is too large for a whole",
                FailedValue::Call("factorial", "25"),
            ),
            (
                "Overflow happened on: -8 / -1",
                "-8 / -1 is too large for a whole",
                FailedValue::Operands("-8", "-1"),
            ),
            (
                "Overflow happened on: 4 << 62",
                "4 << 62 is too large for a whole number of its type: compute",
                FailedValue::Operands("4", "62"),
            ),
            (
                "Overflow happened on: 0 - -8",
                "0 - -8 is too large for a whole",
                FailedValue::Operands("0", "-8"),
            ),
            ("cannot take square root of a negative number", "a negative number has", FailedValue::Root),
        ] {
            let message = message(said).expect("a message");
            assert!(message.starts_with(begins), "{message}");
            assert_eq!(FailedValue::in_message(&message), Some(failed), "{message}");
        }
        let decimals = message("Overflow happened on: 15 * 100000000000000000000000000000000000");
        assert!(decimals.is_some_and(|said| said.starts_with("a value that is computed of decimals")));
        assert_eq!(message("Divide by zero error"), None);
        let said = with_divisors("Divide by zero; divide by nullif(x, 0), which", &["n".to_owned()]);
        assert_eq!(said, "Divide by zero: n is 0; divide by nullif(n, 0), which");
        assert_eq!(FailedValue::in_message(&said), Some(FailedValue::Divisor));
        assert_eq!(FailedValue::in_message("Divide by zero error; divide by"), Some(FailedValue::Divisor));
        let shift = "1 << -1 has fewer than no places; CASE WHEN";
        assert_eq!(FailedValue::in_message(shift), Some(FailedValue::Operands("1", "-1")));
        let time = "Error parsing timestamp from 'a: b': too short; times";
        assert_eq!(FailedValue::in_message(time), Some(FailedValue::Time("a: b")));
        let widest = message("1.5 is too large to store in a Decimal128 of precision 38. Max is 9.9");
        assert!(widest.is_some_and(|said| said.contains("compute with CAST(x AS DOUBLE)")));
    }
}
