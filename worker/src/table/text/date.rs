//! Dates and times in a notation of the user's.

use chrono::format::{Fixed, Item, Numeric, Parsed, StrftimeItems, parse_and_remainder};
use chrono::{NaiveDate, NaiveTime, Utc};
use datafusion::arrow::compute::kernels::cast_utils::string_to_datetime;
use mlpipeline_crds::date_notation;

use crate::clock_parts::complete;

/// The microseconds since 1970 of a time as ISO 8601 writes it, of any year that has four digits; of a time zone where it names one. A zone
/// is an offset from UTC: names of others have no offset of their own, or several.
pub(crate) fn iso_microseconds(text: &str) -> Option<i64> {
    let zone = zone_of(text);
    let is_known = matches!(zone, "" | "Z" | "z" | "UTC" | "GMT") || zone.starts_with(['+', '-']);
    let time = string_to_datetime(&Utc, text).ok().filter(|_| is_known)?;
    // Second 60 has more nanoseconds than a second holds, and would be the first one of the next minute.
    (time.timestamp_subsec_nanos() < 1_000_000_000).then(|| time.timestamp_micros())
}

/// What stands behind the clock of a time as ISO 8601 writes it: its time zone.
pub(crate) fn zone_of(text: &str) -> &str {
    let clock = text.get("2026-01-31T".len()..).unwrap_or_default();
    clock.trim_start_matches(|found: char| found.is_ascii_digit() || matches!(found, ':' | '.')).trim()
}

/// A notation of strftime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DateNotation {
    text: String,
    parts: Vec<Part>,
    has_time: bool,
}

/// A part of a notation. What would be understood as another time than the one that is written is read here.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// `%Y`: a year of four digits. With fewer, `24` would be the year 24.
    Year,
    /// `%f`: the digits of a fraction of a second.
    Fraction,
    /// `%.f`: the same behind a point, or nothing.
    PointFraction,
    /// Everything else.
    Others(Vec<Item<'static>>),
}

impl Part {
    fn of(item: Item<'static>) -> Self {
        match item {
            Item::Numeric(Numeric::Year, _) => Self::Year,
            Item::Numeric(Numeric::Nanosecond, _) => Self::Fraction,
            Item::Fixed(Fixed::Nanosecond | Fixed::Nanosecond3 | Fixed::Nanosecond6 | Fixed::Nanosecond9) => {
                Self::PointFraction
            }
            other => Self::Others(vec![other]),
        }
    }

    /// Reads the part, and gives what is left of the text.
    fn read<'a>(&self, text: &'a str, parsed: &mut Parsed) -> Option<&'a str> {
        match self {
            Self::Year => {
                let (year, rest) = text.split_at_checked(4)?;
                let is_year = year.bytes().all(|byte| byte.is_ascii_digit());
                parsed.set_year(year.parse().ok().filter(|_| is_year)?).ok()?;
                Some(rest)
            }
            Self::Fraction => fraction(text, parsed),
            Self::PointFraction => match text.strip_prefix('.') {
                Some(digits) => fraction(digits, parsed),
                None => Some(text),
            },
            Self::Others(items) => parse_and_remainder(parsed, text, items.iter()).ok(),
        }
    }
}

/// Reads the digits of a fraction of a second: those that microseconds do not hold are zeros.
fn fraction<'a>(text: &'a str, parsed: &mut Parsed) -> Option<&'a str> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(length).filter(|_| length > 0)?;
    let (held, beyond) = digits.split_at_checked(6).unwrap_or((digits, ""));
    if beyond.bytes().any(|digit| digit != b'0') {
        return None;
    }
    parsed.set_nanosecond(format!("{held:0<9}").parse().ok()?).ok()?;
    Some(rest)
}

impl DateNotation {
    /// Reads a notation.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let clock = date_notation(text).map_err(|problem| format!("dateFormat \"{text}\" {problem}"))?;
        // What is one there is one here: the same parts are known.
        let items = StrftimeItems::new(text)
            .parse_to_owned()
            .map_err(|_| format!("dateFormat \"{text}\" is not a valid notation of strftime"))?;
        let mut parts: Vec<Part> = Vec::new();
        for item in items {
            match (parts.last_mut(), Part::of(item)) {
                (Some(Part::Others(items)), Part::Others(more)) => items.extend(more),
                (_, part) => parts.push(part),
            }
        }
        Ok(Self { text: text.to_owned(), parts, has_time: clock.any() })
    }

    /// The notation as the spec has it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the notation has a time of day.
    pub(crate) fn has_time(&self) -> bool {
        self.has_time
    }

    /// Whether a text would be in the notation if its years had two digits.
    pub(crate) fn is_with_short_year(&self, text: &str) -> bool {
        let short = Self::new(&self.text.replace("%Y", "%y"));
        self.parts.contains(&Part::Year) && short.is_ok_and(|short| short.microseconds(text).is_some())
    }

    /// The days since 1970 of a text in this notation.
    pub(crate) fn days(&self, text: &str) -> Option<i32> {
        let date = self.parse(text)?.to_naive_date().ok()?;
        i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
    }

    /// The microseconds since 1970 of a text in this notation; midnight where it has no time.
    pub(crate) fn microseconds(&self, text: &str) -> Option<i64> {
        let mut parsed = self.parse(text)?;
        complete(&mut parsed).ok()?;
        let moment = if self.has_time {
            parsed.to_naive_datetime_with_offset(0).ok()?
        } else {
            parsed.to_naive_date().ok()?.and_time(NaiveTime::MIN)
        };
        Some(moment.and_utc().timestamp_micros())
    }

    fn parse(&self, text: &str) -> Option<Parsed> {
        let mut parsed = Parsed::new();
        let rest = self.parts.iter().try_fold(text, |rest, part| part.read(rest, &mut parsed))?;
        rest.is_empty().then_some(parsed)
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
        for wrong in ["%Q", "%d.%m.%Y %z", "%s", "%d.%m.%Y %I:%M", "%d.%m.%Y %M", "%m/%d/%y %p", "%d.%m"] {
            assert!(DateNotation::new(wrong).is_err(), "{wrong}");
        }
        let error = DateNotation::new("DD.MM.YYYY").expect_err("no notation");
        assert!(error.starts_with("dateFormat \"DD.MM.YYYY\" has no part"), "{error}");
        assert!(error.ends_with("; write it as %d.%m.%Y"), "{error}");
    }

    #[test]
    fn every_notation_that_says_a_date_or_a_time_reads_one() {
        for (notation, text) in [
            ("%F", "2024-03-01"),
            ("%x", "03/01/24"),
            ("%v", " 1-Mar-2024"),
            ("%Y %j", "2024 061"),
            ("%Y-%U-%w", "2024-08-5"),
            ("%Y-%W-%a", "2024-09-Fri"),
            ("%G-W%V-%u", "2024-W09-5"),
            ("%g-W%V-%u", "24-W09-5"),
            ("%-d.%-m.%Y", "1.3.2024"),
            ("%c", "Fri Mar  1 10:00:00 2024"),
            ("%D %r", "03/01/24 10:00:00 AM"),
            ("%F %T%3f", "2024-03-01 10:00:00250"),
        ] {
            let read = DateNotation::new(notation).expect(notation).microseconds(text);
            let day = read.map(|microseconds| microseconds.div_euclid(86_400_000_000));
            assert_eq!(day, Some(19_783), "{notation} of {text}");
        }
    }

    #[test]
    fn second_60_is_no_time() {
        let time = DateNotation::new("%d.%m.%Y %H:%M:%S").expect("a notation");
        assert_eq!(time.microseconds("01.01.1970 00:00:59"), Some(59_000_000));
        assert_eq!(time.microseconds("01.01.1970 00:00:60"), None);
        let time = DateNotation::new("%F %T%.f").expect("a notation");
        assert_eq!(time.microseconds("1970-01-01 00:00:60.5"), None);
        for text in ["00:00:60", "00:00:60.5", "23:59:60", "00:00:60Z", "00:00:60+02:00", "00:00:61"] {
            assert_eq!(iso_microseconds(&format!("1970-01-01T{text}")), None, "{text}");
        }
        assert_eq!(iso_microseconds("1970-01-01 000060"), None);
        assert_eq!(iso_microseconds("1970-01-01T00:00:59.999999"), Some(59_999_999));
    }

    #[test]
    fn an_hour_without_a_minute_is_a_whole_hour() {
        for (notation, text, hours) in
            [("%Y-%m-%d %H", "1970-01-02 10", 34), ("%d.%m.%Y %I %p", "01.01.1970 3 PM", 15)]
        {
            let notation = DateNotation::new(notation).expect("a notation");
            assert!(notation.has_time());
            assert_eq!(notation.microseconds(text), Some(hours * 3_600_000_000), "{text}");
        }
    }

    #[test]
    fn a_fraction_of_a_second_is_one_however_many_digits_it_has() {
        for (notation, text, microseconds) in [
            ("%Y-%m-%d %H:%M:%S.%f", "1970-01-01 00:00:00.5", Some(500_000)),
            ("%Y-%m-%d %H:%M:%S.%f", "1970-01-01 00:00:00.000001", Some(1)),
            ("%Y-%m-%d %H:%M:%S.%f", "1970-01-01 00:00:00.1234560", Some(123_456)),
            ("%Y-%m-%d %H:%M:%S.%f", "1970-01-01 00:00:00", None),
            ("%Y-%m-%d %H:%M:%S,%f", "1970-01-01 00:00:01,250", Some(1_250_000)),
            ("%Y%m%d%H%M%S%f", "19700101000001250", Some(1_250_000)),
            ("%Y-%m-%d %H:%M:%S%.f", "1970-01-01 00:00:00.5", Some(500_000)),
            ("%Y-%m-%d %H:%M:%S%.f", "1970-01-01 00:00:00", Some(0)),
            // A digit that microseconds do not hold is not cut off.
            ("%Y-%m-%d %H:%M:%S%.f", "1970-01-01 00:00:00.1234567", None),
            ("%Y-%m-%d %H:%M:%S%.6f", "1970-01-01 00:00:00.1234567", None),
            ("%Y-%m-%d %H:%M:%S%.f", "1970-01-01 00:00:00.1234560000001", None),
            ("%Y-%m-%d %H:%M:%S.%f", "1970-01-01 00:00:00.1234567", None),
        ] {
            let read = DateNotation::new(notation).expect("a notation").microseconds(text);
            assert_eq!(read, microseconds, "{notation} of {text}");
        }
    }

    #[test]
    fn a_year_of_four_digits_has_four() {
        let days = DateNotation::new("%d.%m.%Y").expect("a notation");
        for text in ["05.01.24", "05.01.024", "05.01.+2024", "05.01.20245", "05.01. 2024", "05.01.é24"] {
            assert_eq!(days.days(text), None, "{text}");
        }
        assert!(days.is_with_short_year("05.01.24") && !days.is_with_short_year("05/01/24"));
        let days = DateNotation::new("%F").expect("a notation");
        assert_eq!((days.days("1970-01-02"), days.days("70-01-02")), (Some(1), None));
    }

    #[test]
    fn the_zone_of_a_time_is_an_offset_and_no_name() {
        let time = |text: &str| iso_microseconds(text).map(|micros| micros / 3_600_000_000);
        for text in ["", "Z", "z", "+00:00", "UTC", " UTC", "-0000", " GMT"] {
            assert_eq!(time(&format!("1970-01-01T10:00:00{text}")), Some(10), "{text}");
        }
        assert_eq!(time("1970-01-01T10:00:00.5+02:00"), Some(8));
        for text in
            ["EST", "CET", "MST", " EST", "Europe/Berlin", " Europe/Berlin", " America/New_York", ".5CET"]
        {
            assert_eq!(time(&format!("1970-01-01T10:00:00{text}")), None, "{text}");
        }
    }
}
