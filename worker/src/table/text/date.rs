//! Dates and times in a notation of the user's.

use chrono::format::{Fixed, Item, Numeric, Parsed, StrftimeItems, parse};
use chrono::{NaiveDate, NaiveTime, Utc};
use datafusion::arrow::compute::kernels::cast_utils::string_to_datetime;

/// The microseconds since 1970 of a time as ISO 8601 writes it, of any year that has four digits; of a time zone where it names one.
pub(crate) fn iso_microseconds(text: &str) -> Option<i64> {
    Some(string_to_datetime(&Utc, text).ok()?.timestamp_micros())
}

/// A notation of strftime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DateNotation {
    items: Vec<Item<'static>>,
    has_time: bool,
}

impl DateNotation {
    /// Reads a notation.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let wrong = |problem: &str| {
            format!("dateFormat \"{text}\" {problem}; write it like %d.%m.%Y or %Y-%m-%d %H:%M:%S")
        };
        let items = StrftimeItems::new(text)
            .parse_to_owned()
            .map_err(|_| wrong("is not a valid notation of strftime"))?;
        let is_time = |item: &Item<'_>| {
            matches!(
                item,
                Item::Numeric(
                    Numeric::Hour | Numeric::Hour12 | Numeric::Minute | Numeric::Second | Numeric::Nanosecond,
                    _
                ) | Item::Fixed(Fixed::LowerAmPm | Fixed::UpperAmPm)
            )
        };
        let zoned = |item: &Item<'_>| {
            matches!(
                item,
                Item::Fixed(
                    Fixed::TimezoneName
                        | Fixed::TimezoneOffset
                        | Fixed::TimezoneOffsetColon
                        | Fixed::TimezoneOffsetColonZ
                        | Fixed::TimezoneOffsetZ
                        | Fixed::RFC2822
                        | Fixed::RFC3339
                ) | Item::Numeric(Numeric::Timestamp, _)
            )
        };
        if items.iter().any(zoned) {
            return Err(wrong("has a time zone, and times are read without one"));
        }
        let has_time = items.iter().any(is_time);
        Ok(Self { items, has_time })
    }

    /// Whether the notation has a time of day.
    pub(crate) fn has_time(&self) -> bool {
        self.has_time
    }

    /// The days since 1970 of a text in this notation.
    pub(crate) fn days(&self, text: &str) -> Option<i32> {
        let date = self.parse(text)?.to_naive_date().ok()?;
        i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
    }

    /// The microseconds since 1970 of a text in this notation; midnight where it has no time.
    pub(crate) fn microseconds(&self, text: &str) -> Option<i64> {
        let parsed = self.parse(text)?;
        let moment = if self.has_time {
            parsed.to_naive_datetime_with_offset(0).ok()?
        } else {
            parsed.to_naive_date().ok()?.and_time(NaiveTime::MIN)
        };
        Some(moment.and_utc().timestamp_micros())
    }

    fn parse(&self, text: &str) -> Option<Parsed> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.items.iter()).ok()?;
        Some(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_in_the_notation_or_not_at_all() {
        let days = DateNotation::new("%d.%m.%Y").expect("a notation");
        assert!(!days.has_time());
        assert_eq!(days.days("02.01.1970"), Some(1));
        assert_eq!(days.microseconds("02.01.1970"), Some(86_400_000_000));
        for other in ["1970-01-02", "31.02.2026", "02.01.1970 ", "02.01.1970x", ""] {
            assert_eq!(days.days(other), None, "{other}");
        }
        let times = DateNotation::new("%m/%d/%y %I:%M %p").expect("a notation");
        assert!(times.has_time());
        assert_eq!(times.microseconds("01/02/70 01:30 PM"), Some((86_400 + 13 * 3600 + 1800) * 1_000_000));
        for wrong in ["%Q", "%d.%m.%Y %z", "%s"] {
            assert!(DateNotation::new(wrong).is_err(), "{wrong}");
        }
    }
}
