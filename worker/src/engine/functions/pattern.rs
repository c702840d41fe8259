//! One pattern of strftime, and what a text that is written in it says.
//!
//! The engine's own reading is midnight wherever a pattern has an hour alone. Here an hour alone is a whole hour, and a pattern that says
//! no time whatever the text is refused. `%f` is a fraction of a second as in other programs: the engine counts nanoseconds with it, so that
//! `10:00:00.5` would be read as five of them. Must not know rows.

use chrono::format::{Fixed, Item, Numeric, Pad, Parsed, StrftimeItems, parse};
use chrono::{DateTime, NaiveTime, Timelike, Utc};
use datafusion::arrow::array::timezone::Tz;

use crate::clock_parts::{clock_parts, complete};

/// A year before this is one of two digits that was read by `%Y`.
const FIRST_YEAR: i32 = 100;

/// A pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    items: Vec<Item<'static>>,
    has_clock: bool,
    /// Behind a space at the end, the name of a time zone.
    has_named_zone: bool,
    /// A text says its time zone, by an offset, by its name, or since it is seconds since 1970.
    pub(super) has_zone: bool,
    /// Where the pattern is of digits alone: how many there are.
    digits: Option<usize>,
    begins_with_year: bool,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let written = engines(text)?;
        let named = written.trim_end().strip_suffix(" %Z");
        let items = StrftimeItems::new(named.unwrap_or(&written)).parse_to_owned().map_err(|_| {
            format!("\"{text}\" is not a pattern of strftime, as '%Y-%m-%d %H:%M:%S' or '%d.%m.%Y' are")
        })?;
        if items.iter().any(|item| matches!(item, Item::Fixed(Fixed::TimezoneName))) {
            return Err(format!(
                "in the pattern \"{text}\" %Z does not stand at the end behind a space, and the name of a time zone is read there alone"
            ));
        }
        let clock = clock_parts(&items);
        if let Some(problem) = clock.problem() {
            return Err(format!("the pattern \"{text}\" {problem}"));
        }
        Ok(Self {
            has_clock: clock.any() || items.iter().any(is_whole_time),
            has_named_zone: named.is_some(),
            // The item of `%#z` has no name outside of its crate.
            has_zone: named.is_some() || written.contains("%#z") || items.iter().any(is_zone),
            digits: items.iter().map(digits).sum(),
            begins_with_year: matches!(items.first(), Some(Item::Numeric(Numeric::Year, _))),
            items,
        })
    }

    /// The digits of a whole number as a text: the zeros with which they began are those of the day or the hour, and no year has them.
    pub(super) fn of_number(&self, number: &str) -> Option<String> {
        match self.digits {
            Some(digits) if self.begins_with_year => (number.len() == digits).then(|| number.to_owned()),
            Some(digits) => Some(format!("{number:0>digits$}")),
            None => Some(number.to_owned()),
        }
    }

    /// The moment that a text says: of a text without a time zone, in UTC; midnight where it has no time of day.
    ///
    /// # Errors
    /// When it says none; with what is wrong, where more is known than that.
    pub(super) fn moment(&self, text: &str) -> Result<DateTime<Utc>, Option<String>> {
        let (text, zone) = match text.trim_end().rsplit_once(' ').filter(|_| self.has_named_zone) {
            Some((text, zone)) => (text, Some(zone.parse::<Tz>().map_err(unsaid)?)),
            None if self.has_named_zone => return Err(None),
            None => (text, None),
        };
        let mut parsed = self.parsed(text)?;
        if let Some(year) = parsed.year().filter(|year| (0..FIRST_YEAR).contains(year)) {
            return Err(Some(format!(
                "it would be the year {year}, and %Y is a year of four digits, %y one of two"
            )));
        }
        if !self.has_clock {
            // A day with an offset begins there.
            parsed.set_hour(0).and_then(|()| parsed.set_minute(0)).map_err(unsaid)?;
        }
        let moment = match zone {
            Some(zone) => parsed.to_datetime_with_timezone(&zone).map(|time| time.to_utc()),
            None if parsed.offset().is_some() => parsed.to_datetime().map(|time| time.to_utc()),
            None => parsed.to_naive_datetime_with_offset(0).map(|time| time.and_utc()),
        };
        moment.map_err(unsaid)
    }

    /// The time of day that a text says.
    ///
    /// # Errors
    /// When it says none.
    pub(super) fn clock(&self, text: &str) -> Result<i64, Option<String>> {
        let time: NaiveTime = self.parsed(text)?.to_naive_time().map_err(unsaid)?;
        Ok(i64::from(time.num_seconds_from_midnight()) * 1_000_000_000 + i64::from(time.nanosecond()))
    }

    fn parsed(&self, text: &str) -> Result<Parsed, Option<String>> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.items.iter()).map_err(unsaid)?;
        complete(&mut parsed).map_err(|problem| Some(problem.to_owned()))?;
        Ok(parsed)
    }
}

/// A text that is not written in its pattern: what else is wrong with it is not known.
fn unsaid<E>(_error: E) -> Option<String> {
    None
}

/// Whether an item says the time of day without the parts of a clock.
fn is_whole_time(item: &Item<'_>) -> bool {
    matches!(item, Item::Numeric(Numeric::Timestamp, _) | Item::Fixed(Fixed::RFC2822 | Fixed::RFC3339))
}

fn is_zone(item: &Item<'_>) -> bool {
    let is_offset = matches!(
        item,
        Item::Fixed(
            Fixed::TimezoneOffset
                | Fixed::TimezoneOffsetColon
                | Fixed::TimezoneOffsetDoubleColon
                | Fixed::TimezoneOffsetTripleColon
                | Fixed::TimezoneOffsetColonZ
                | Fixed::TimezoneOffsetZ
        )
    );
    is_offset || is_whole_time(item)
}

/// How many digits an item is of, where it is always of so many.
fn digits(item: &Item<'_>) -> Option<usize> {
    match item {
        Item::Numeric(Numeric::Year, Pad::Zero) => Some(4),
        Item::Numeric(Numeric::Ordinal, Pad::Zero) => Some(3),
        Item::Numeric(
            Numeric::YearMod100
            | Numeric::Month
            | Numeric::Day
            | Numeric::Hour
            | Numeric::Hour12
            | Numeric::Minute
            | Numeric::Second,
            Pad::Zero,
        ) => Some(2),
        _ => None,
    }
}

/// A pattern with `%.f` for `.%f`.
fn engines(pattern: &str) -> Result<String, String> {
    let mut changed = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(found) = rest.chars().next() {
        // Two signs of percent are one that is written.
        let (taken, put) = if let Some(behind) = rest.strip_prefix(".%f") {
            (rest.len() - behind.len(), "%.f")
        } else if rest.starts_with("%%") {
            (2, "%%")
        } else if rest.starts_with("%f") {
            return Err(format!(
                "in the pattern \"{pattern}\" %f stands behind no point; write %.f for a fraction of a second with its point, and replace other \
                 signs before: to_timestamp(replace(x, ',', '.'), '%Y-%m-%d %H:%M:%S%.f')"
            ));
        } else {
            (found.len_utf8(), "")
        };
        let own = rest.get(..taken).unwrap_or_default();
        changed.push_str(if put.is_empty() { own } else { put });
        rest = rest.get(taken..).unwrap_or_default();
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_behind_a_point_is_written_as_the_engine_writes_it() {
        for (pattern, expected) in [
            ("%H:%M:%S.%f", Some("%H:%M:%S%.f")),
            ("%H:%M:%S%.f", Some("%H:%M:%S%.f")),
            ("é.%f%%f", Some("é%.f%%f")),
            ("%S,%f", None),
            ("%%%f", None),
        ] {
            assert_eq!(engines(pattern).ok().as_deref(), expected, "{pattern}");
        }
    }

    #[test]
    fn a_clock_that_ends_early_is_completed_and_one_without_an_hour_refused() {
        let time = |pattern: &str, text: &str| {
            let moment = Pattern::new(pattern).expect(pattern).moment(text);
            moment.ok().map(|moment| moment.format("%F %T%.f").to_string())
        };
        for (pattern, text, expected) in [
            ("%Y-%m-%d", "2024-05-01", Some("2024-05-01 00:00:00")),
            ("%Y-%m-%d %H", "2024-05-01 10", Some("2024-05-01 10:00:00")),
            ("%Y-%m-%d %I %p", "2024-05-01 3 PM", Some("2024-05-01 15:00:00")),
            ("%Y-%m-%d %H %z", "2024-05-01 10 +0200", Some("2024-05-01 08:00:00")),
            ("%Y-%m-%d %z", "2024-05-01 +0200", Some("2024-04-30 22:00:00")),
            ("%Y-%m-%d %H:%M %Z", "2024-07-01 12:00 America/Denver", Some("2024-07-01 18:00:00")),
            ("%Y-%m-%d %H:%M:%S.%f", "2024-05-01 10:00:00.5", Some("2024-05-01 10:00:00.500")),
            ("%s", "86400", Some("1970-01-02 00:00:00")),
            ("%+", "2024-05-01T10:00:00Z", Some("2024-05-01 10:00:00")),
            ("%d.%m.%Y", "01.05.24", None),
            ("%H:%M", "10:00", None),
            ("%Y-%m-%d", "2024-13-01", None),
            ("%Y-%m-%d %H:%M:%S", "2024-05-01 12:30:60", None),
        ] {
            assert_eq!(time(pattern, text).as_deref(), expected, "{text} by {pattern}");
        }
        for wrong in ["%Y-%m-%d %I", "%Y-%m-%d %I:%M", "%Y-%m-%d %M", "%Y-%m-%d %S", "%Q", "%Z %H:%M"] {
            assert!(Pattern::new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_digits_of_a_number_are_those_of_its_pattern() {
        for (pattern, number, expected) in [
            ("%Y%m%d", "20240501", Some("20240501")),
            ("%Y%m%d", "2024051", None),
            ("%d%m%y", "10124", Some("010124")),
            ("%H%M%S", "5", Some("000005")),
            ("%s", "5", Some("5")),
        ] {
            let text = Pattern::new(pattern).expect(pattern).of_number(number);
            assert_eq!(text.as_deref(), expected, "{number} by {pattern}");
        }
    }
}
