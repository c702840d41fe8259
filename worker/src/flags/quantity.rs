//! Sizes and durations as people write them.

use std::time::Duration;

/// Bytes: `1048576`, `512MiB`, `512Mi`, `2G`. K, M, G and T count in thousands; with an i they count in 1024s.
///
/// # Errors
/// When the text is not a size, or does not fit into 64 bits.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("\"{text}\" is not a size; write it like 512MiB or 2G");
    let (number, unit) = split(text);
    let unit = unit.strip_suffix('B').unwrap_or(unit);
    let factor = match unit {
        "" => 1,
        "K" | "k" => 1000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1_u64 << 40,
        _ => return Err(wrong()),
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).ok_or_else(wrong)
}

/// A duration: `500ms`, `10s`, `5m`, `1h`.
///
/// # Errors
/// When the text is not a duration.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("\"{text}\" is not a duration; write it like 500ms, 10s, 5m or 1h");
    let (number, unit) = split(text);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let milliseconds = match unit {
        "ms" => Some(number),
        "s" => number.checked_mul(1000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => None,
    };
    milliseconds.map(Duration::from_millis).ok_or_else(wrong)
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_are_read_or_refused() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("512MiB", Some(512 << 20)),
            ("2G", Some(2_000_000_000)),
            ("1 Ki", Some(1024)),
            ("", None),
            ("G", None),
            ("-1", None),
            ("1.5G", None),
            ("99999999T", None),
            ("1X", None),
        ] {
            assert_eq!(parse_bytes(text).ok(), bytes, "{text}");
        }
        for (text, milliseconds) in [
            ("500ms", Some(500)),
            ("10s", Some(10_000)),
            ("5m", Some(300_000)),
            ("1h", Some(3_600_000)),
            ("10", None),
            ("s", None),
            ("99999999999999999999s", None),
            ("18446744073709551615h", None),
        ] {
            assert_eq!(parse_duration(text).ok(), milliseconds.map(Duration::from_millis), "{text}");
        }
    }
}
