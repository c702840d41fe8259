//! Amounts, as Kubernetes reads and writes them. Must not know what they are amounts of.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// How many billionths are one, as a power of ten.
const BILLION: i32 = 9;

/// What the amounts of a unit are multiplied by, as a power of ten.
const DECIMAL_UNITS: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

/// What the amounts of a unit are multiplied by, as a power of two.
const BINARY_UNITS: [(&str, i32); 6] =
    [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

/// The amount that a quantity stands for, as near as a float comes to it: equal amounts in different units are equal here too.
/// `None` for what Kubernetes cannot read, and for amounts below zero.
pub(crate) fn amount(quantity: &Quantity) -> Option<f64> {
    let (number, unit) = split(&quantity.0);
    let amount = match scale(unit)? {
        Scale::Ten(power) => format!("{number}e{power}").parse::<f64>().ok(),
        Scale::Two(power) => number.parse::<f64>().ok().map(|number| number * 2_f64.powi(power)),
    };
    amount.filter(|amount| amount.is_finite() && !number.starts_with('-'))
}

/// Whether two texts are the same quantity: "1000m" and "1" are equal, and the API server may return either.
#[must_use]
pub fn same(left: &str, right: &str) -> bool {
    left == right
        || matches!((billionths(left), billionths(right)), (Some(left), Some(right)) if left == right)
}

/// Whether a quantity is less than another; not so of what is not a quantity.
#[must_use]
pub fn is_less(left: &str, right: &str) -> bool {
    matches!((billionths(left), billionths(right)), (Some(left), Some(right)) if left < right)
}

/// A quantity in billionths, rounded up as the API server does; `None` for what is not a quantity, and beyond 128 bits.
fn billionths(text: &str) -> Option<i128> {
    let (number, unit) = split(text);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.len() > 18 || whole.len() > 20 {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let divided_by = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let (multiplier, divisor) = match scale(unit)? {
        Scale::Two(power) => {
            (2_i128.checked_pow(power.unsigned_abs())?.checked_mul(power_of_ten(BILLION)?)?, 1)
        }
        Scale::Ten(power) => match power.checked_add(BILLION)? {
            power if power >= 0 => (power_of_ten(power)?, 1),
            power => (1, power_of_ten(power)?),
        },
    };
    let divisor = divided_by.checked_mul(divisor)?;
    let amount = digits.checked_mul(multiplier)?;
    let rounded = amount.checked_div_euclid(divisor)?;
    Some(if amount.checked_rem_euclid(divisor)? == 0 { rounded } else { rounded + 1 })
}

/// Ten to this power, or to that above zero of as much.
fn power_of_ten(power: i32) -> Option<i128> {
    10_i128.checked_pow(power.unsigned_abs())
}

/// Whether Kubernetes writes a quantity as 1 and a unit, such as 1Mi or 1k, or as 1 alone. It keeps the notation: 1000 becomes 1k
/// and 1024Ki becomes 1Mi, but 1024 and 1e3 stay as they are.
pub(crate) fn is_one_of_a_unit(quantity: &Quantity) -> bool {
    let Some(amount) = amount(quantity) else { return false };
    let (_, unit) = split(&quantity.0);
    let is_decimal = DECIMAL_UNITS.iter().any(|(name, _)| *name == unit);
    let is_binary = BINARY_UNITS.iter().any(|(name, _)| *name == unit);
    amount == 1.0
        || (is_decimal && DECIMAL_UNITS.iter().any(|(_, power)| *power > 0 && amount == 10_f64.powi(*power)))
        || (is_binary && BINARY_UNITS.iter().any(|(_, power)| amount == 2_f64.powi(*power)))
}

/// Whether Kubernetes writes a quantity as 1m.
pub(crate) fn is_one_thousandth(quantity: &Quantity) -> bool {
    let (_, unit) = split(&quantity.0);
    amount(quantity) == Some(0.001) && !unit.starts_with(['e', 'E'])
}

/// What a unit multiplies by: a power of ten, or of two.
enum Scale {
    Ten(i32),
    Two(i32),
}

fn scale(unit: &str) -> Option<Scale> {
    let find = |units: &[(&str, i32)]| units.iter().find(|(name, _)| *name == unit).map(|(_, power)| *power);
    let exponent = || unit.strip_prefix(['e', 'E'])?.parse().ok().map(Scale::Ten);
    find(&DECIMAL_UNITS).map(Scale::Ten).or_else(|| find(&BINARY_UNITS).map(Scale::Two)).or_else(exponent)
}

/// The number with its sign, and the unit, or the power of ten with its e.
fn split(quantity: &str) -> (&str, &str) {
    let is_sign = |(at, character): (usize, char)| at == 0 && matches!(character, '+' | '-');
    let is_number = |at: (usize, char)| at.1.is_ascii_digit() || at.1 == '.' || is_sign(at);
    let end = quantity.char_indices().find(|at| !is_number(*at)).map_or(quantity.len(), |(at, _)| at);
    quantity.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Quantity {
        Quantity(text.to_owned())
    }

    #[test]
    fn amounts_are_read_as_kubernetes_reads_them() {
        let read = |text: &str| amount(&of(text));
        for (text, other) in [
            ("0.1", "100m"),
            ("1.1G", "1100M"),
            ("0.1Gi", "107374182.4"),
            ("1e3", "1k"),
            (".5", "500m"),
            ("2.", "2"),
            ("1E", "1e18"),
            ("0", "0Ki"),
            ("+1", "1"),
        ] {
            assert!(read(text).is_some(), "{text}");
            assert_eq!(read(text), read(other), "{text}");
        }
        for text in [
            "", "-1", "-1Gi", "+", "1 Gi", "1gb", "1K", "m", ".", "1.2.3", "1e", "1e999", "inf", "NaN",
            "one", "1é",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_as_one_of_a_unit_keeps_its_notation() {
        for text in ["1", "1.0", "1000m", "1k", "1000", "1M", "1E", "1Ki", "1024Ki", "0.5Ti"] {
            assert_eq!(is_one_of_a_unit(&of(text)), text != "0.5Ti", "{text}");
        }
        for text in ["3", "1024", "1e3", "1m", "2Ki", "0.001", "1.5k", "x"] {
            assert!(!is_one_of_a_unit(&of(text)), "{text}");
        }
        for (text, expected) in
            [("1m", true), ("0.001", true), ("1000u", true), ("1e-3", false), ("2m", false)]
        {
            assert_eq!(is_one_thousandth(&of(text)), expected, "{text}");
        }
    }

    #[test]
    fn the_same_amount_in_other_words_is_the_same() {
        for (left, right) in [
            ("1000m", "1"),
            ("0.5", "500m"),
            ("1Gi", "1024Mi"),
            ("1e3", "1k"),
            ("1E", "1000P"),
            ("+1", "1"),
            ("0.5Gi", "512Mi"),
            ("5e-1", "500m"),
            ("100", "0.1k"),
        ] {
            assert!(same(left, right), "{left} {right}");
        }
    }

    #[test]
    fn other_amounts_and_other_texts_differ() {
        for (left, right) in [
            ("1", "1m"),
            ("1Gi", "1G"),
            ("a", "b"),
            ("", "0"),
            ("1e99", "1e98"),
            ("9".repeat(40).as_str(), "1"),
            (".", "0"),
            ("é", "e"),
        ] {
            assert!(!same(left, right), "{left} {right}");
        }
    }
}
