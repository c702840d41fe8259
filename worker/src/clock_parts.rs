//! Which parts of a clock a notation of strftime has, what is meant where it ends early, an hour alone being a whole hour, and which second
//! there is none: of 60.
//!
//! Must not know where notations stand. Both the reading of files and SQL go by it.

use chrono::format::{Fixed, Item, Numeric, Parsed};
use mlpipeline_crds::ClockParts;

/// What is said of second 60.
pub(crate) const SECONDS: &str = "a minute has the seconds 0 to 59";

/// The parts of a clock that a notation has.
pub(crate) fn clock_parts(items: &[Item<'_>]) -> ClockParts {
    let mut parts = ClockParts::default();
    for item in items {
        match item {
            Item::Numeric(Numeric::Hour, _) => parts.hour = true,
            Item::Numeric(Numeric::Hour12, _) => parts.hour_of_twelve = true,
            Item::Numeric(Numeric::Minute, _) => parts.minute = true,
            Item::Numeric(Numeric::Second, _) => parts.second = true,
            Item::Numeric(Numeric::Nanosecond, _)
            | Item::Fixed(Fixed::Nanosecond | Fixed::Nanosecond3 | Fixed::Nanosecond6 | Fixed::Nanosecond9) => {
                parts.fraction = true
            }
            Item::Fixed(Fixed::LowerAmPm | Fixed::UpperAmPm) => parts.half = true,
            _ => {}
        }
    }
    parts
}

/// Completes what was read: an hour without a minute is a whole hour.
///
/// # Errors
/// When it has second 60, which would become the first one of the next minute; says so.
pub(crate) fn complete(parsed: &mut Parsed) -> Result<(), &'static str> {
    if parsed.second().is_some_and(|second| second > 59) {
        return Err(SECONDS);
    }
    if parsed.hour_mod_12().is_some() && parsed.minute().is_none() {
        // What is set here was not set before, so that nothing is contradicted.
        parsed.set_minute(0).map_err(|_| SECONDS)?;
    }
    Ok(())
}

/// Whether a text that may be a time, or a time of day, has second 60: the engine takes it for the first one of the next minute.
pub(crate) fn has_second_60(text: &str) -> bool {
    // Behind a date: `2026-01-31T`.
    let clock = match (text.as_bytes().get(4), text.as_bytes().get(10)) {
        (Some(b'-'), Some(b'T' | b't' | b' ')) => text.get(11..).unwrap_or_default(),
        _ => text,
    };
    match clock.split(':').nth(2) {
        Some(second) => second.starts_with("60"),
        // Digits alone, as `123060`.
        None => clock.len() < text.len() && clock.get(4..6) == Some("60"),
    }
}

#[cfg(test)]
mod tests {
    use chrono::format::StrftimeItems;

    use super::*;

    #[test]
    fn parts_that_say_no_time_whatever_the_text_are_known() {
        for (notation, is_wrong) in [
            ("%Y-%m-%d", false),
            ("%Y-%m-%d %H", false),
            ("%H:%M", false),
            ("%I %p", false),
            ("%r", false),
            ("%T%.f", false),
            ("%+", false),
            ("%s", false),
            ("%I:%M", true),
            ("%M", true),
            ("%S", true),
            ("%p", true),
            ("%H:%S", true),
            ("%H:%M%.f", true),
        ] {
            let items: Vec<_> = StrftimeItems::new(notation).collect();
            assert_eq!(clock_parts(&items).problem().is_some(), is_wrong, "{notation}");
        }
    }
    #[test]
    fn second_60_is_found_in_times_and_in_times_of_day() {
        for (text, is_found) in [
            ("2024-01-01T12:30:60", true),
            ("2024-01-01 12:30:60.5+02:00", true),
            ("2024-01-01 123060", true),
            ("12:30:60", true),
            ("1:30:60 PM", true),
            ("12:30:60.1 PM", true),
            ("2024-01-01T12:30:59", false),
            ("2024-01-01T12:30:15+05:60", false),
            ("2024-01-01 123015", false),
            ("2024-01-01", false),
            ("123060", false),
            ("12:60", false),
            ("", false),
        ] {
            assert_eq!(has_second_60(text), is_found, "{text}");
        }
    }
}
