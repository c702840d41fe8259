//! Dates and times: their parts, in UTC. A missing one is the median of the training rows, with a column that says so.

use chrono::{DateTime, Datelike, Timelike};
use serde::{Deserialize, Serialize};

use super::number::median;
use crate::table::iso_microseconds;

/// The milliseconds since 1970 that are read: the years 1 to 9999.
pub const TIME_RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

const MILLISECONDS_OF_A_DAY: f64 = 86_400_000.0;

/// What a column of times holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TimeKind {
    /// Days.
    Date,
    /// Points in time.
    Timestamp,
}

/// What is done with a column of dates or times. The model's columns are: days since 1970 (with fractions), year, month, day
/// of the month, day of the week (Monday is 1) and, of timestamps, the hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TimeTransform {
    /// Whether there are hours.
    pub kind: TimeKind,
    /// What takes the place of a missing value, in milliseconds since 1970; absent where none may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impute: Option<i64>,
    /// Whether a last column is 1 where the value is missing, and 0 elsewhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub indicator: bool,
    /// Whether all parts of a missing value are missing too, for a predictor that takes that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
}

impl TimeTransform {
    /// Fits to the values of the training rows that are not missing, of a column in which some value is missing somewhere.
    /// Of an even count, the mean of the two in the middle takes the place of a missing one, as of numbers: to the day of dates, to the
    /// millisecond of points in time, and a half counts as the later one.
    #[must_use]
    pub fn fit(kind: TimeKind, values: &mut [f64], indicator: bool) -> Self {
        let unit = match kind {
            TimeKind::Date => MILLISECONDS_OF_A_DAY,
            TimeKind::Timestamp => 1.0,
        };
        // Exact in 64-bit floats, as the values and their halves are.
        let median = (median(values) / unit + 0.5).floor() * unit;
        Self { kind, impute: Some(median as i64), indicator, missing: false }
    }

    pub(super) fn parts(&self) -> usize {
        match self.kind {
            TimeKind::Date => 5,
            TimeKind::Timestamp => 6,
        }
    }

    pub(super) fn width(&self) -> usize {
        self.parts() + usize::from(self.indicator)
    }

    pub(super) fn encode(&self, value: f64, out: &mut [f64]) {
        let missing = value.is_nan();
        if missing && self.missing {
            return out.fill(f64::NAN);
        }
        // Whole milliseconds within the range that is read are exact in 64-bit floats.
        let milliseconds = if missing { self.impute.unwrap_or_default() } else { value as i64 };
        let time = DateTime::from_timestamp_millis(milliseconds).unwrap_or_default();
        let parts = [
            milliseconds as f64 / MILLISECONDS_OF_A_DAY,
            f64::from(time.year()),
            f64::from(time.month()),
            f64::from(time.day()),
            f64::from(time.weekday().number_from_monday()),
            f64::from(time.hour()),
        ];
        out.iter_mut().zip(parts).for_each(|(out, part)| *out = part);
        if let Some(last) = out.last_mut().filter(|_| self.indicator) {
            *last = f64::from(u8::from(missing));
        }
    }

    pub(super) fn problem(&self) -> Option<String> {
        if self.impute.is_some_and(|time| !TIME_RANGE.contains(&time)) {
            return Some("a time to impute is not in the years 1 to 9999".to_owned());
        }
        if self.missing && (self.impute.is_some() || self.indicator) {
            return Some("a column both keeps missing values and imputes them".to_owned());
        }
        (self.indicator && self.impute.is_none())
            .then(|| "a column with an indicator has no value to impute".to_owned())
    }
}

/// Milliseconds since 1970 of a text such as 2024-02-29, 2024-02-29T12:30:00 or 2024-02-29T12:30:00+01:00; UTC where there is
/// no offset. A table's texts are read by the same parser.
#[must_use]
pub fn parse_time(text: &str) -> Option<i64> {
    let milliseconds = iso_microseconds(text.trim())?.div_euclid(1000);
    TIME_RANGE.contains(&milliseconds).then_some(milliseconds)
}

/// A time as a request would have it.
#[must_use]
pub fn shown_time(milliseconds: i64, kind: TimeKind) -> String {
    let time = DateTime::from_timestamp_millis(milliseconds).unwrap_or_default();
    match kind {
        TimeKind::Date => time.format("%Y-%m-%d").to_string(),
        TimeKind::Timestamp => time.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string(),
    }
}
