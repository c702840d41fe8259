//! Durations as people write them: hours, minutes and seconds.

/// Seconds of a duration such as "1h30m".
#[must_use]
pub fn parse_duration(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0u64;
    for (unit, seconds) in [('h', 3600), ('m', 60), ('s', 1)] {
        if let Some((number, after)) = rest.split_once(unit) {
            let number: u64 =
                number.parse().ok().filter(|_| number.bytes().all(|byte| byte.is_ascii_digit()))?;
            total = total.checked_add(number.checked_mul(seconds)?)?;
            rest = after;
        }
    }
    (rest.is_empty() && !text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::parse_duration;

    #[test]
    fn durations_are_hours_minutes_and_seconds_in_this_order() {
        let rows = [
            ("90s", Some(90)),
            ("30m", Some(1800)),
            ("1h30m", Some(5400)),
            ("1h1m1s", Some(3661)),
            ("", None),
            ("5", None),
            ("5m1h", None),
            ("-5m", None),
            ("1.5h", None),
            ("99999999999999999999h", None),
            ("9999999999999999999h", None),
        ];
        for (text, expected) in rows {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
    }
}
