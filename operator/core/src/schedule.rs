//! Schedules in their time zones, and when they fire next. How their fields are read: see `cron_fields`.

use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};
use mlpipeline_crds::Schedule;

use super::cron_fields::Fields;
use super::quoted::quoted;

/// A schedule that Kubernetes will accept.
#[derive(Clone, Debug, PartialEq)]
pub struct CronSchedule {
    /// The schedule as the spec gives it.
    pub spec: Schedule,
    fields: Fields,
    time_zone: TimeZone,
}

/// By how many hours clocks are put back at most: it was three, in Antarctica.
const MOST_PUT_BACK: u8 = 4;

/// How many years ahead a time is searched for: as many as the CronJob controller does.
const YEARS: i16 = 5;

impl CronSchedule {
    /// Reads a schedule. Times without a zone are UTC, as in a controller manager that is set up as usual.
    ///
    /// # Errors
    /// Says which field is wrong and what is allowed, as (field, problem).
    pub fn parse(spec: &Schedule) -> Result<Self, (&'static str, String)> {
        let fields = Fields::parse(&spec.cron).map_err(|problem| ("cron", problem))?;
        let time_zone = match spec.time_zone.as_deref() {
            None => TimeZone::UTC,
            Some(name) => time_zone(name).map_err(|problem| ("timeZone", problem))?,
        };
        Ok(Self { spec: spec.clone(), fields, time_zone })
    }

    /// Whether there is no day on which it could fire (30 February).
    #[must_use]
    pub fn never_fires(&self) -> bool {
        self.fields.never()
    }

    /// The first time after `now` at which the schedule fires, as the CronJob controller finds it: a time that a change of clocks leaves out
    /// is passed over, and one that it repeats comes twice. `None` where there is none in the next five years, as on 30 February.
    #[must_use]
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        if self.never_fires() {
            return None;
        }
        let today = now.to_zoned(self.time_zone.clone()).date();
        let last_year = today.year().saturating_add(YEARS);
        // The day before too: clocks that are put back over midnight repeat its end.
        let mut day = today.yesterday().unwrap_or(today);
        while day.year() <= last_year {
            let following = day.tomorrow().ok();
            if let Some(found) = self.first_on(day, now) {
                let other = following.and_then(|day| self.first_on(day, now));
                return Some(other.map_or(found, |other| found.min(other)));
            }
            day = following?;
        }
        None
    }

    /// The first time after `now` on a day.
    fn first_on(&self, day: Date, now: Timestamp) -> Option<Timestamp> {
        if !self.fields.has_day(day) {
            return None;
        }
        // No clock is put back by more: what it showed earlier than that does not come again.
        let shown =
            now.to_zoned(self.time_zone.clone()).datetime().saturating_sub(i64::from(MOST_PUT_BACK).hours());
        let is_to_come =
            |hour: &&u8| i8::try_from(**hour).is_ok_and(|hour| day.at(hour, 59, 59, 999_999_999) >= shown);
        let hours = self.fields.hour.values.iter().filter(is_to_come).filter_map(|hour| {
            let minutes = self.fields.minute.values.iter();
            minutes.flat_map(|minute| self.instants(day, *hour, *minute)).filter(|time| *time > now).min()
        });
        // Hours that come again may come before those that follow them on a clock.
        hours.take(1 + usize::from(MOST_PUT_BACK)).min()
    }

    /// When clocks show this time of a day: once, not at all or twice.
    fn instants(&self, day: Date, hour: u8, minute: u8) -> impl Iterator<Item = Timestamp> {
        let at = i8::try_from(hour).ok().zip(i8::try_from(minute).ok());
        let offsets = at.map(|(hour, minute)| {
            let time = day.at(hour, minute, 0, 0);
            let offsets = match self.time_zone.to_ambiguous_timestamp(time).offset() {
                AmbiguousOffset::Unambiguous { offset } => [Some(offset), None],
                AmbiguousOffset::Gap { .. } => [None, None],
                AmbiguousOffset::Fold { before, after } => [Some(before), Some(after)],
            };
            offsets.into_iter().flatten().filter_map(move |offset| offset.to_timestamp(time).ok())
        });
        offsets.into_iter().flatten()
    }
}

/// The time zone of this name in the database that is built in: the machine's own is not read, so that the answer is the same
/// everywhere.
fn time_zone(name: &str) -> Result<TimeZone, String> {
    let hint = "use an IANA name such as Etc/UTC or Europe/Berlin";
    let zone = TimeZoneDatabase::bundled().get(name).ok().filter(|zone| !zone.is_unknown());
    let zone = zone.ok_or_else(|| format!("{} is not a valid time zone; {hint}", quoted(name)))?;
    // The API server is strict about capitals.
    match zone.iana_name() {
        Some(exact) if exact != name => Err(format!("{} is written \"{exact}\"", quoted(name))),
        _ => Ok(zone),
    }
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
            ("0 0 31 feb,APR */1", None, "2026-03-01T00:00:00Z", None),
            // Every second day and Mondays too: a day needs to fit one of the two fields, unless one of them is a star.
            ("0 0 */2 * MON", None, "2026-11-21T10:00:00Z", Some("2026-11-23T00:00:00Z")),
            ("0 0 1-31 * MON", None, "2026-11-20T10:00:00Z", Some("2026-11-21T00:00:00Z")),
            ("0 0 ? * MON-WED", None, "2026-11-20T10:00:00Z", Some("2026-11-23T00:00:00Z")),
            ("0 0 30 2 MON", None, "2026-11-20T10:00:00Z", Some("2027-02-01T00:00:00Z")),
            ("5/15 * * * *", None, "2026-11-20T10:06:00Z", Some("2026-11-20T10:20:00Z")),
            ("*/100 * * * *", None, "2026-11-20T10:06:00.5Z", Some("2026-11-20T11:00:00Z")),
            // 02:30 does not exist on 29 March 2026 in Berlin.
            ("30 2 * * *", Some("Europe/Berlin"), "2026-03-28T12:00:00Z", Some("2026-03-30T00:30:00Z")),
            // And on 25 October it comes twice, as every time of that hour.
            ("30 2 * * *", Some("Europe/Berlin"), "2026-10-24T12:00:00Z", Some("2026-10-25T00:30:00Z")),
            ("30 2 * * *", Some("Europe/Berlin"), "2026-10-25T00:30:00Z", Some("2026-10-25T01:30:00Z")),
            ("30 2 * * *", Some("Europe/Berlin"), "2026-10-25T01:30:00Z", Some("2026-10-26T01:30:00Z")),
            ("*/30 * * * *", Some("Europe/Berlin"), "2026-10-25T00:30:00Z", Some("2026-10-25T01:00:00Z")),
            (
                "10,50 1-3 * * *",
                Some("Australia/Lord_Howe"),
                "2026-04-04T14:50:00Z",
                Some("2026-04-04T15:20:00Z"),
            ),
            // Three hours at once: 01:30 comes again after 03:30.
            ("30 1-3 * * *", Some("Antarctica/Casey"), "2018-03-10T15:40:00Z", Some("2018-03-10T16:30:00Z")),
            ("30 1-3 * * *", Some("Antarctica/Casey"), "2018-03-10T16:30:00Z", Some("2018-03-10T17:30:00Z")),
            // Clocks that were put back over midnight: 23:30 came twice, with 00:10 between.
            ("30 23 * * *", Some("America/Toronto"), "1974-10-27T03:30:00Z", Some("1974-10-28T04:30:00Z")),
            ("0 0 29 2 *", None, "2096-03-01T00:00:00Z", None),
            ("0 0 1 1 *", None, "9999-12-30T00:00:00Z", None),
        ];
        for (cron, zone, now, expected) in rows {
            assert_eq!(next(cron, zone, now).as_deref(), expected, "{cron}");
        }
    }

    #[test]
    fn schedules_that_kubernetes_would_not_read_are_rejected_with_the_field() {
        for cron in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "@often",
            "0 0 L * *",
            "0 0 * * 5#2",
            "0 0 * * 7",
            "0 0 * * FRI-MON",
            "MON * * * *",
            "1JAN * * * *",
            "1,,2 * * * *",
            "*-5 * * * *",
            "*/0 * * * *",
            "*/300 * * * *",
            "+5 * * * *",
            "0 24 * * *",
            "0 0 0 * *",
            "0 0 * 13 *",
            "a b c d e",
            "* * * * é",
        ] {
            let error =
                CronSchedule::parse(&Schedule { cron: cron.into(), ..Schedule::default() }).expect_err(cron);
            assert_eq!(error.0, "cron", "{cron}");
        }
        for zone in ["Mars/Olympus", "", "Local", "europe/berlin", "Etc/Unknown", "posix/Europe/Berlin"] {
            let spec =
                Schedule { cron: "@daily".into(), time_zone: Some(zone.into()), ..Schedule::default() };
            assert_eq!(CronSchedule::parse(&spec).expect_err(zone).0, "timeZone");
        }
    }
}
