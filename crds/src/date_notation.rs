//! What a notation of strftime says of dates and times, and what keeps it from ever saying one: the same before a pipeline starts and where
//! its files are read.
//!
//! Must not read texts by a notation: that is the worker's.

use std::fmt;
use std::str::Chars;

use crate::ClockParts;
use crate::foreign_notation::in_strftime;

/// What is wrong with a notation, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotationProblem {
    /// What was found, as what is said of the notation: "has no year, which is %Y".
    pub problem: String,
    /// What to do.
    pub hint: String,
}

impl fmt::Display for NotationProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}; {}", self.problem, self.hint)
    }
}

/// The parts of a clock in a notation by which dates, or times, can be read.
///
/// # Errors
/// When no text is a date by it, or a time without a time zone.
pub fn date_notation(text: &str) -> Result<ClockParts, NotationProblem> {
    let wrong = |problem: String| NotationProblem { problem, hint: hint(text) };
    let Some(parts) = Parts::of(text) else {
        return Err(wrong("is not a valid notation of strftime".to_owned()));
    };
    if parts.since_1970 {
        return Err(NotationProblem {
            problem: "is of seconds since 1970, %s, which are numbers".to_owned(),
            hint: "leave it out, and make times of them in the sql: to_timestamp_seconds(x)".to_owned(),
        });
    }
    if parts.zone {
        return Err(NotationProblem {
            problem: "has a time zone, and times are read without one".to_owned(),
            hint: "read the column as text, and make times of it in the sql: to_timestamp(x, '%d.%m.%Y %H:%M %z')"
                .to_owned(),
        });
    }
    match parts.clock.problem().map(str::to_owned).or_else(|| parts.missing()) {
        Some(problem) if parts.clock.any() && !parts.has_date() && parts.clock.problem().is_none() => {
            let hint = "leave it out, and make times of day in the sql: to_time(x, '%H:%M')".to_owned();
            Err(NotationProblem { problem, hint })
        }
        Some(problem) => Err(wrong(problem)),
        None => Ok(parts.clock),
    }
}

/// What to write instead: what is meant, where that is known.
fn hint(text: &str) -> String {
    match in_strftime(text).filter(|meant| Parts::of(meant).is_some_and(Parts::says_a_time)) {
        Some(meant) => format!("write it as {meant}"),
        None => "write it like %d.%m.%Y or %Y-%m-%d %H:%M:%S".to_owned(),
    }
}

/// What a notation has.
#[derive(Clone, Copy, Debug, Default)]
struct Parts {
    year: bool,
    month: bool,
    day: bool,
    day_of_year: bool,
    week: bool,
    week_year: bool,
    iso_week: bool,
    weekday: bool,
    clock: ClockParts,
    zone: bool,
    since_1970: bool,
    /// The quarter, the century: what says nothing alone.
    other: bool,
}

impl Parts {
    /// `None` where it is no notation.
    fn of(text: &str) -> Option<Self> {
        let mut parts = Self::default();
        let mut rest = text.chars();
        while let Some(sign) = rest.next() {
            if sign == '%' {
                parts.add(&mut rest)?;
            }
        }
        Some(parts)
    }

    /// Adds what stands behind a percent sign.
    fn add(&mut self, rest: &mut Chars<'_>) -> Option<()> {
        let mut sign = rest.next()?;
        if matches!(sign, '-' | '_' | '0') {
            sign = rest.next()?;
            // Only numbers are filled up, or are not.
            if !"CGHIMSUVWYdefgjklmqsuwy".contains(sign) {
                return None;
            }
        } else if sign == '#' {
            self.zone = true;
            return (rest.next()? == 'z').then_some(());
        }
        match sign {
            'Y' | 'y' => self.year = true,
            'C' | 'q' => self.other = true,
            'm' | 'b' | 'B' | 'h' => self.month = true,
            'd' | 'e' => self.day = true,
            'j' => self.day_of_year = true,
            'U' | 'W' => self.week = true,
            'G' | 'g' => self.week_year = true,
            'V' => self.iso_week = true,
            'a' | 'A' | 'u' | 'w' => self.weekday = true,
            'D' | 'x' | 'F' | 'v' => self.add_date(),
            'c' => {
                self.add_date();
                self.add_clock();
            }
            'H' | 'k' => self.clock.hour = true,
            'I' | 'l' => self.clock.hour_of_twelve = true,
            'P' | 'p' => self.clock.half = true,
            'M' => self.clock.minute = true,
            'S' => self.clock.second = true,
            'f' => self.clock.fraction = true,
            'R' => (self.clock.hour, self.clock.minute) = (true, true),
            'T' | 'X' => self.add_clock(),
            'r' => {
                let ClockParts { hour, fraction, .. } = self.clock;
                let (hour_of_twelve, half, minute, second) = (true, true, true, true);
                self.clock = ClockParts { hour, hour_of_twelve, half, minute, second, fraction };
            }
            '3' | '6' | '9' => self.add_fraction(rest)?,
            '.' => match rest.next()? {
                'f' => self.clock.fraction = true,
                '3' | '6' | '9' => self.add_fraction(rest)?,
                _ => return None,
            },
            's' => self.since_1970 = true,
            'z' | 'Z' | '+' => self.zone = true,
            ':' => {
                self.zone = true;
                let colons = rest.clone().take_while(|sign| *sign == ':').count();
                return (colons <= 2 && rest.nth(colons)? == 'z').then_some(());
            }
            't' | 'n' | '%' => {}
            _ => return None,
        }
        Some(())
    }

    fn add_date(&mut self) {
        (self.year, self.month, self.day) = (true, true, true);
    }

    fn add_clock(&mut self) {
        (self.clock.hour, self.clock.minute, self.clock.second) = (true, true, true);
    }

    fn add_fraction(&mut self, rest: &mut Chars<'_>) -> Option<()> {
        self.clock.fraction = true;
        (rest.next()? == 'f').then_some(())
    }

    fn says_a_date(self) -> bool {
        let says_day = self.month && self.day || self.day_of_year || self.week && self.weekday;
        self.year && says_day || self.week_year && self.iso_week && self.weekday
    }

    /// Whether a text can be a date or a time by it.
    fn says_a_time(self) -> bool {
        let has_zone = self.zone || self.since_1970;
        self.says_a_date() && self.clock.problem().is_none() && !has_zone
    }

    /// Whether it has any part of a date.
    fn has_date(self) -> bool {
        let Self { year, month, day, day_of_year, week, week_year, iso_week, weekday, other, .. } = self;
        year || month || day || day_of_year || week || week_year || iso_week || weekday || other
    }

    /// What it has none of, where it says no date.
    fn missing(self) -> Option<String> {
        if self.says_a_date() {
            return None;
        }
        if !self.has_date() && self.clock.any() {
            return Some("is of a time of day without a date, which no type of a column holds".to_owned());
        }
        if !self.has_date() {
            return Some("has no part of strftime, as %d is one, so that no text is a date by it".to_owned());
        }
        let parts = [
            (self.year, "year, which is %Y of four digits and %y of two"),
            (self.month || self.day_of_year, "month, which is %m"),
            (self.day || self.day_of_year, "day, which is %d"),
        ];
        let missing: Vec<&str> = parts.into_iter().filter(|(has, _)| !has).map(|(_, part)| part).collect();
        Some(format!("has no {}, so that no text is a date by it", missing.join(", and no ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notation_by_which_texts_are_dates_or_times_has_its_parts_of_a_clock() {
        for (text, has_clock) in [
            ("%d.%m.%Y", false),
            ("%-d/%-m/%y", false),
            ("%F", false),
            ("%x", false),
            ("%e %b %Y", false),
            ("%A, %B %d %Y", false),
            ("%Y %j", false),
            ("%Y-%U-%w", false),
            ("%G-W%V-%u", false),
            ("%Y%m%d%H%M%S%3f", true),
            ("%Y-%m-%dT%H:%M:%S%.6f", true),
            ("%Y-%m-%d %H", true),
            ("%D %r", true),
            ("%c", true),
            ("100%% %F %R", true),
        ] {
            assert_eq!(date_notation(text).map(ClockParts::any), Ok(has_clock), "{text}");
        }
    }

    #[test]
    fn a_notation_by_which_no_text_is_a_date_or_a_time_is_refused_with_what_to_write() {
        for (text, problem, hint) in [
            ("%Q", "is not a valid notation of strftime", "write it like %d.%m.%Y or"),
            ("%Y-%m-%", "is not a valid notation", "write it like"),
            ("%-B %d %Y", "is not a valid notation", "write it like"),
            ("%Y-%m-%d %.4f", "is not a valid notation", "write it like"),
            ("%d.%m.%Y %z", "has a time zone", "to_timestamp(x, '%d.%m.%Y %H:%M %z')"),
            ("%F %T%::z", "has a time zone", "in the sql"),
            ("%F %T %#z", "has a time zone", "in the sql"),
            ("%+", "has a time zone", "in the sql"),
            ("%s", "seconds since 1970, %s", "to_timestamp_seconds(x)"),
            ("%H:%M", "is of a time of day without a date", "to_time(x, '%H:%M')"),
            ("%d.%m.%Y %I:%M", "without %p", "write it like"),
            (
                "%q",
                "has no year, which is %Y of four digits and %y of two, and no month, which is %m, and no day, which is %d,",
                "write",
            ),
            ("%d.%m", "has no year, which is %Y of four digits and %y of two, so that", "write it like"),
            ("%Y-%m", "has no day, which is %d, so that no text is a date by it", "write it like"),
            ("%C-%m-%d", "has no year", "write it like"),
            ("%G-%m-%d", "has no year", "write it like"),
            ("%Y-W%V", "has no month, which is %m, and no day", "write it like"),
            ("abc", "has no part of strftime, as %d is one", "write it like"),
            ("DD.MM.YYYY", "has no part of strftime", "write it as %d.%m.%Y"),
            ("yyyy-MM-dd HH:mm:ss", "has no part of strftime", "write it as %Y-%m-%d %H:%M:%S"),
            ("HH:mm", "has no part of strftime", "write it like"),
        ] {
            let found = date_notation(text).expect_err(text);
            assert!(found.problem.starts_with(problem) || found.problem.contains(problem), "{text}: {found}");
            assert!(found.hint.contains(hint), "{text}: {found}");
        }
    }
}
