//! Amounts, as Kubernetes reads and writes them. Must not know what they are amounts of.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// What the amounts of a unit are multiplied by, as a power of ten.
const DECIMAL_UNITS: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

/// What the amounts of a unit are multiplied by, as a power of two.
const BINARY_UNITS: [(&str, i32); 6] =
    [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

/// The amount that a quantity stands for, as near as a float comes to it: equal amounts in different units are equal here too.
/// `None` for what Kubernetes cannot read, and for amounts below zero.
pub(crate) fn amount(quantity: &Quantity) -> Option<f64> {
    let (number, unit) = split(quantity);
    let scaled = |power: i32| format!("{number}e{power}").parse::<f64>().ok();
    let find = |units: &[(&str, i32)]| units.iter().find(|(name, _)| *name == unit).map(|(_, power)| *power);
    let amount = match (find(&DECIMAL_UNITS), find(&BINARY_UNITS)) {
        (Some(power), _) => scaled(power),
        (None, Some(power)) => scaled(0).map(|amount| amount * 2_f64.powi(power)),
        (None, None) => unit.strip_prefix(['e', 'E']).and_then(|power| power.parse().ok()).and_then(scaled),
    };
    amount.filter(|amount| amount.is_finite())
}

/// Whether Kubernetes writes a quantity as 1 and a unit, such as 1Mi or 1k, or as 1 alone. It keeps the notation: 1000 becomes 1k
/// and 1024Ki becomes 1Mi, but 1024 and 1e3 stay as they are.
pub(crate) fn is_one_of_a_unit(quantity: &Quantity) -> bool {
    let Some(amount) = amount(quantity) else { return false };
    let (_, unit) = split(quantity);
    let is_decimal = DECIMAL_UNITS.iter().any(|(name, _)| *name == unit);
    let is_binary = BINARY_UNITS.iter().any(|(name, _)| *name == unit);
    amount == 1.0
        || (is_decimal && DECIMAL_UNITS.iter().any(|(_, power)| *power > 0 && amount == 10_f64.powi(*power)))
        || (is_binary && BINARY_UNITS.iter().any(|(_, power)| amount == 2_f64.powi(*power)))
}

/// Whether Kubernetes writes a quantity as 1m.
pub(crate) fn is_one_thousandth(quantity: &Quantity) -> bool {
    let (_, unit) = split(quantity);
    amount(quantity) == Some(0.001) && !unit.starts_with(['e', 'E'])
}

/// The number and the unit, or the number and the power of ten with its e.
fn split(quantity: &Quantity) -> (&str, &str) {
    let text = quantity.0.as_str();
    let end = text.find(|character: char| !character.is_ascii_digit() && character != '.');
    text.split_at(end.unwrap_or(text.len()))
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
        ] {
            assert!(read(text).is_some(), "{text}");
            assert_eq!(read(text), read(other), "{text}");
        }
        for text in
            ["", "-1", "+1", "1 Gi", "1gb", "1K", "m", ".", "1.2.3", "1e", "1e999", "inf", "NaN", "one", "1é"]
        {
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
}
