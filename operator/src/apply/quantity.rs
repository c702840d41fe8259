//! Quantities as Kubernetes writes them: "1000m" and "1" are equal, and the API server may return either.

/// Whether two texts are the same quantity.
#[must_use]
pub(super) fn same(left: &str, right: &str) -> bool {
    left == right || matches!((nano(left), nano(right)), (Some(left), Some(right)) if left == right)
}

/// Whether a quantity is less than another; not so of what is not a quantity.
#[must_use]
pub(super) fn is_less(left: &str, right: &str) -> bool {
    matches!((nano(left), nano(right)), (Some(left), Some(right)) if left < right)
}

/// A quantity in billionths, rounded up as the API server does; `None` for what is not a quantity.
fn nano(text: &str) -> Option<i128> {
    let digits_end = text
        .char_indices()
        .find(|(at, character)| {
            !(character.is_ascii_digit() || *character == '.' || (*at == 0 && matches!(character, '+' | '-')))
        })
        .map_or(text.len(), |(at, _)| at);
    let (number, suffix) = text.split_at_checked(digits_end)?;
    let (multiplier, divisor) = scale(suffix)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.len() > 18 || whole.len() > 20 {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let divisor = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?.checked_mul(divisor)?;
    let amount = digits.checked_mul(multiplier)?;
    let rounded = amount.checked_div_euclid(divisor)?;
    Some(if amount.checked_rem_euclid(divisor)? == 0 { rounded } else { rounded + 1 })
}

/// What a suffix multiplies by, as billionths over a divisor.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    const NANO: i128 = 1_000_000_000;
    let binary = |power: u32| 1024_i128.checked_pow(power)?.checked_mul(NANO);
    let decimal = |power: u32| 10_i128.checked_pow(power)?.checked_mul(NANO);
    let multiplier = match suffix {
        "" => NANO,
        "n" => 1,
        "u" => 1_000,
        "m" => 1_000_000,
        "k" => decimal(3)?,
        "M" => decimal(6)?,
        "G" => decimal(9)?,
        "T" => decimal(12)?,
        "P" => decimal(15)?,
        "E" => decimal(18)?,
        "Ki" => binary(1)?,
        "Mi" => binary(2)?,
        "Gi" => binary(3)?,
        "Ti" => binary(4)?,
        "Pi" => binary(5)?,
        "Ei" => binary(6)?,
        exponent => {
            let power: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            let size = 10_i128.checked_pow(power.unsigned_abs())?;
            return if power >= 0 { Some((NANO.checked_mul(size)?, 1)) } else { Some((NANO, size)) };
        }
    };
    Some((multiplier, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

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
