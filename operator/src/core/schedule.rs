//! Cron schedules as Kubernetes reads them, and when they fire next.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use mlpipeline_crds::Schedule;

use super::quoted::quoted;

/// A schedule that Kubernetes will accept.
#[derive(Clone, Debug, PartialEq)]
pub struct CronSchedule {
    /// The schedule as the spec gives it.
    pub spec: Schedule,
    cron: Cron,
    time_zone: TimeZone,
}

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

/// Words that may stand in fields for months and days of the week.
const WORDS: [&str; 19] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC", "SUN", "MON", "TUE",
    "WED", "THU", "FRI", "SAT",
];

impl CronSchedule {
    /// Reads a schedule. Times without a zone are UTC, as in a controller manager that is set up as usual.
    ///
    /// # Errors
    /// Says which field is wrong and what is allowed, as (field, problem).
    pub fn parse(spec: &Schedule) -> Result<Self, (&'static str, String)> {
        let cron = parse_cron(&spec.cron).map_err(|problem| ("cron", problem))?;
        let time_zone = match spec.time_zone.as_deref() {
            None => TimeZone::UTC,
            Some(name) => time_zone(name).map_err(|problem| ("timeZone", problem))?,
        };
        Ok(Self { spec: spec.clone(), cron, time_zone })
    }

    /// The first time after `now` at which the schedule fires; `None` when it never does (30 February).
    #[must_use]
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let now = now.to_zoned(self.time_zone.clone());
        self.cron.find_next_occurrence(&now, false).ok().map(|next| next.timestamp())
    }
}

/// The time zone of this name in the database that is built in: the machine's own is not read, so that the answer is the same
/// everywhere.
fn time_zone(name: &str) -> Result<TimeZone, String> {
    let hint = "use an IANA name such as Etc/UTC or Europe/Berlin";
    let zone = TimeZoneDatabase::bundled().get(name).ok().filter(|zone| !zone.is_unknown());
    let zone = zone.ok_or_else(|| format!("{} is no time zone; {hint}", quoted(name)))?;
    // The API server is strict about capitals.
    match zone.iana_name() {
        Some(exact) if exact != name => Err(format!("{} is written \"{exact}\"", quoted(name))),
        _ => Ok(zone),
    }
}

fn parse_cron(text: &str) -> Result<Cron, String> {
    let example = "\"0 2 * * *\" is every day at two";
    let shown = quoted(text);
    let fields = match text.strip_prefix('@') {
        None => text,
        Some(_) => {
            NICKNAMES.iter().find(|(name, _)| *name == text).map(|(_, fields)| *fields).ok_or_else(|| {
                let known: Vec<&str> = NICKNAMES.iter().map(|(name, _)| *name).collect();
                format!("{shown} is not known; there are {}", known.join(", "))
            })?
        }
    };
    let count = fields.split_whitespace().count();
    if count != 5 {
        return Err(format!(
            "{shown} has {count} fields; cron has five: minute, hour, day of month, month, day of week; {example}"
        ));
    }
    // The parser knows more than Kubernetes does (L, W, #): what only one of them reads is refused here.
    for field in fields.split_whitespace() {
        let words =
            field.split(|character: char| !character.is_ascii_alphabetic()).filter(|word| !word.is_empty());
        let unknown = words.into_iter().find(|word| !WORDS.contains(&word.to_ascii_uppercase().as_str()));
        let strange = field
            .chars()
            .find(|character| !character.is_ascii_alphanumeric() && !"*,-/?".contains(*character));
        if let Some(found) = unknown.map(str::to_owned).or_else(|| strange.map(String::from)) {
            return Err(format!(
                "{shown} has \"{found}\" in a field, which cron does not know; {example}"
            ));
        }
    }
    CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build()
        .parse(fields)
        .map_err(|error| format!("{shown} cannot be read: {error}; {example}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(cron: &str, zone: Option<&str>, now: &str) -> Option<String> {
        let spec = Schedule { cron: cron.into(), time_zone: zone.map(Into::into), ..Schedule::default() };
        let now: Timestamp = now.parse().expect("a time");
        CronSchedule::parse(&spec).expect("a schedule").next_after(now).map(|time| time.to_string())
    }

    #[test]
    fn the_next_time_is_found_in_the_schedules_own_zone() {
        let rows = [
            ("*/5 * * * *", None, "2026-11-20T10:00:00Z", Some("2026-11-20T10:05:00Z")),
            ("0 2 * * *", None, "2026-11-20T02:00:00Z", Some("2026-11-21T02:00:00Z")),
            ("0 2 * * *", Some("Europe/Berlin"), "2026-11-20T00:30:00Z", Some("2026-11-20T01:00:00Z")),
            ("@daily", None, "2026-12-31T23:59:59Z", Some("2027-01-01T00:00:00Z")),
            ("0 0 29 2 *", None, "2026-03-01T00:00:00Z", Some("2028-02-29T00:00:00Z")),
            ("0 0 13 * FRI", None, "2026-11-20T12:00:00Z", Some("2026-11-27T00:00:00Z")),
            ("0 0 30 2 *", None, "2026-03-01T00:00:00Z", None),
        ];
        for (cron, zone, now, expected) in rows {
            assert_eq!(next(cron, zone, now).as_deref(), expected, "{cron}");
        }
    }

    #[test]
    fn schedules_that_kubernetes_would_not_read_are_refused_with_the_field() {
        for cron in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "@often",
            "0 0 L * *",
            "0 0 * * 5#2",
            "a b c d e",
            "* * * * é",
        ] {
            let error =
                CronSchedule::parse(&Schedule { cron: cron.into(), ..Schedule::default() }).expect_err(cron);
            assert_eq!(error.0, "cron", "{cron}");
        }
        let spec =
            Schedule { cron: "@daily".into(), time_zone: Some("Mars/Olympus".into()), ..Schedule::default() };
        assert_eq!(CronSchedule::parse(&spec).expect_err("no such zone").0, "timeZone");
    }
}
