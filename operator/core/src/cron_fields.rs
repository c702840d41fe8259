//! The five fields of a cron schedule, as Kubernetes reads them. Must not know time zones, or what time it is.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::quoted::quoted;

/// Names that stand for five fields.
const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The days of each month, in a leap year.
const MONTH_LENGTHS: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// The five fields of a schedule.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fields {
    pub minute: Field,
    pub hour: Field,
    pub day: Field,
    pub month: Field,
    pub weekday: Field,
}

impl Fields {
    /// Reads five fields, or a name for them.
    ///
    /// # Errors
    /// Says which is wrong and what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let example = "\"0 2 * * *\" is every day at two";
        let shown = quoted(text);
        let fields = match text.strip_prefix('@') {
            None => text,
            Some(_) => {
                NICKNAMES.iter().find(|(name, _)| *name == text).map(|(_, fields)| *fields).ok_or_else(
                    || {
                        let known: Vec<&str> = NICKNAMES.iter().map(|(name, _)| *name).collect();
                        format!("{shown} is not known; there are {}", known.join(", "))
                    },
                )?
            }
        };
        let zone = text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ="));
        if let Some((zone, rest)) = zone.and_then(|rest| rest.split_once(' ')) {
            return Err(format!(
                "{shown} names a time zone: write timeZone: {} beside cron: {}",
                quoted(zone),
                quoted(rest.trim())
            ));
        }
        let parts: Vec<&str> = fields.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = parts.as_slice() else {
            return Err(format!(
                "{shown} has {} fields; cron has five: minute, hour, day of month, month, day of week; {example}",
                parts.len()
            ));
        };
        let read = |text: &str, name: &str, min: u8, max: u8, words: &[&str]| {
            Field::parse(text, min, max, words)
                .map_err(|problem| format!("{shown} has {name} {problem}; {example}"))
        };
        Ok(Self {
            minute: read(minute, "minute", 0, 59, &[])?,
            hour: read(hour, "hour", 0, 23, &[])?,
            day: read(day, "day of month", 1, 31, &[])?,
            month: read(month, "month", 1, 12, &MONTHS)?,
            weekday: read(weekday, "day of week", 0, 6, &WEEKDAYS)?,
        })
    }

    /// Whether a day is one of those: where both fields for days name some, it needs to fit only one of the two.
    pub fn has_day(&self, day: Date) -> bool {
        let has =
            |field: &Field, value: i8| u8::try_from(value).is_ok_and(|value| field.values.contains(&value));
        let (of_month, of_week) =
            (has(&self.day, day.day()), has(&self.weekday, day.weekday().to_sunday_zero_offset()));
        let is_day =
            if self.day.starred || self.weekday.starred { of_month && of_week } else { of_month || of_week };
        has(&self.month, day.month()) && is_day
    }

    /// Whether no month has such a day. Where days of the week are named as well, one of those comes every week.
    pub fn never(&self) -> bool {
        let earliest = self.day.values.first().copied().unwrap_or_default();
        let longest =
            self.month.values.iter().filter_map(|month| MONTH_LENGTHS.get(usize::from(*month) - 1)).max();
        self.weekday.starred && longest.is_none_or(|longest| earliest > *longest)
    }
}

/// One field: what it lets through.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub values: BTreeSet<u8>,
    /// Whether it is * or ?: then the other field for days decides alone, else a day needs to fit only one of the two.
    starred: bool,
}

impl Field {
    /// Reads a field by the rules of github.com/robfig/cron, which Kubernetes uses: a list of *, ?, N, N-M, each perhaps with
    /// /STEP. Numbers may be words where there are some.
    fn parse(text: &str, min: u8, max: u8, words: &[&str]) -> Result<Self, String> {
        let range = || match words.first().zip(words.last()) {
            Some((first, last)) => format!("{min} to {max} or {first} to {last}"),
            None => format!("{min} to {max}"),
        };
        let number = |text: &str| {
            let word = words.iter().position(|word| text.eq_ignore_ascii_case(word));
            let number = match word {
                Some(position) => u8::try_from(position).ok().map(|position| position + min),
                None => plain_number(text),
            };
            number
                .filter(|number| (min..=max).contains(number))
                .ok_or_else(|| format!("{}; {} is allowed", quoted(text), range()))
        };
        let mut field = Self { values: BTreeSet::new(), starred: false };
        for part in text.split(',') {
            let (span, step) = match part.split_once('/') {
                None => (part, None),
                Some((span, step)) => {
                    let step = plain_number(step).filter(|step| *step > 0);
                    (
                        span,
                        Some(step.ok_or_else(|| {
                            format!("{}, whose step is not a number above 0", quoted(part))
                        })?),
                    )
                }
            };
            let (first, last) = match (span, span.split_once('-')) {
                ("*" | "?", _) => (min, max),
                (_, Some((first, last))) => (number(first)?, number(last)?),
                (single, None) => (number(single)?, if step.is_some() { max } else { number(single)? }),
            };
            if first > last {
                return Err(format!("{}, which ends before it begins", quoted(span)));
            }
            field.starred |= matches!(span, "*" | "?") && step.unwrap_or(1) == 1;
            field.values.extend((first..=last).step_by(usize::from(step.unwrap_or(1))));
        }
        Ok(field)
    }
}

fn plain_number(text: &str) -> Option<u8> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
