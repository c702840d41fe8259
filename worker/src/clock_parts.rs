//! Which parts of a clock a notation of strftime has, and what is meant where it ends early: an hour alone is a whole hour.
//!
//! Must not know where notations stand. Both the reading of files and SQL go by it.

use chrono::format::{Fixed, Item, Numeric, ParseResult, Parsed};

/// The parts of a clock in a notation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClockParts {
    hour: bool,
    hour_of_twelve: bool,
    half: bool,
    minute: bool,
    second: bool,
    fraction: bool,
}

impl ClockParts {
    pub(crate) fn of(items: &[Item<'_>]) -> Self {
        let mut parts = Self::default();
        for item in items {
            match item {
                Item::Numeric(Numeric::Hour, _) => parts.hour = true,
                Item::Numeric(Numeric::Hour12, _) => parts.hour_of_twelve = true,
                Item::Numeric(Numeric::Minute, _) => parts.minute = true,
                Item::Numeric(Numeric::Second, _) => parts.second = true,
                Item::Numeric(Numeric::Nanosecond, _)
                | Item::Fixed(
                    Fixed::Nanosecond | Fixed::Nanosecond3 | Fixed::Nanosecond6 | Fixed::Nanosecond9,
                ) => parts.fraction = true,
                Item::Fixed(Fixed::LowerAmPm | Fixed::UpperAmPm) => parts.half = true,
                _ => {}
            }
        }
        parts
    }

    /// Whether there is a part.
    pub(crate) fn any(self) -> bool {
        self != Self::default()
    }

    /// What keeps the parts from saying a time of day, whatever the text.
    pub(crate) fn problem(self) -> Option<&'static str> {
        let has_hour = self.hour || self.hour_of_twelve;
        if !self.any() {
            None
        } else if self.hour_of_twelve && !self.hour && !self.half {
            Some("has an hour of twelve, %I, without %p for am or pm; the hour of 24 is %H")
        } else if !has_hour {
            Some("has a part of the time of day and no hour, which is %H")
        } else if (self.second || self.fraction) && !self.minute {
            Some("has seconds and no minute, which is %M")
        } else if self.fraction && !self.second {
            Some("has a fraction of a second and no second, which is %S")
        } else {
            None
        }
    }
}

/// Completes what was read: an hour without a minute is a whole hour.
///
/// # Errors
/// None, since what is set was not set before.
pub(crate) fn complete(parsed: &mut Parsed) -> ParseResult<()> {
    if parsed.hour_mod_12().is_some() && parsed.minute().is_none() {
        parsed.set_minute(0)?;
    }
    Ok(())
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
            assert_eq!(ClockParts::of(&items).problem().is_some(), is_wrong, "{notation}");
        }
    }
}
