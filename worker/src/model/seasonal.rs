//! The seasonal naive forecast: a number is what it was one season before.
//!
//! Owns what is kept of a series, and which intervals of time there are. An answer depends on the row's time and series alone. Must
//! not know how the series were read.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike};
use mlpipeline_crds::TimeInterval;
use ndarray::{Array1, ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::{MAX_NUMBERS, ModelError, Target};
use crate::exact::Row;

/// Days are the first column that a time becomes.
const MILLISECONDS_OF_A_DAY: f64 = 86_400_000.0;

/// What predicts by the season before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeasonalPredictor {
    columns: usize,
    /// The column of days since 1970.
    time: usize,
    /// The columns of codes that say which series a row is of.
    keys: Vec<usize>,
    interval: TimeInterval,
    /// The most intervals after the last of a series.
    horizon: u32,
    /// Sorted by their codes.
    series: Vec<Series>,
}

/// What is kept of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Series {
    /// Its code in each column of codes.
    codes: Vec<u32>,
    /// Its last interval, counted from 1970.
    last: i64,
    /// What is predicted for each interval of a season, that after the last one first.
    values: Row,
}

/// The interval that a point in time is in, counted from 1970.
pub(crate) fn interval_of(interval: TimeInterval, days: f64) -> i64 {
    let milliseconds = (days * MILLISECONDS_OF_A_DAY).round() as i64;
    let per = |length: i64| milliseconds.div_euclid(length);
    let date = || DateTime::from_timestamp_millis(milliseconds).unwrap_or_default();
    let months = || i64::from(date().year()) * 12 + i64::from(date().month0()) - 1970 * 12;
    match interval {
        TimeInterval::Second => per(1000),
        TimeInterval::Minute => per(60_000),
        TimeInterval::Hour => per(3_600_000),
        TimeInterval::Day => per(86_400_000),
        // 1970 began on a Thursday.
        TimeInterval::Week => (per(86_400_000) + 3).div_euclid(7),
        TimeInterval::Month => months(),
        TimeInterval::Quarter => months().div_euclid(3),
        TimeInterval::Year => months().div_euclid(12),
    }
}

/// The codes of a row in these columns; none where one has no code.
pub(crate) fn codes_of(row: &[f64], keys: &[usize]) -> Option<Vec<u32>> {
    let code = |column: &usize| row.get(*column).filter(|code| **code >= 0.0).map(|code| *code as u32);
    keys.iter().map(code).collect()
}

impl SeasonalPredictor {
    /// A predictor of rows of so many columns: of days in one of them, and of codes of series in these others. Each series has its
    /// last interval, and what is predicted for those after it: one season.
    #[must_use]
    pub(crate) fn new(
        (columns, time, keys): (usize, usize, Vec<usize>),
        interval: TimeInterval,
        horizon: u32,
        series: BTreeMap<Vec<u32>, (i64, Vec<f64>)>,
    ) -> Self {
        let series =
            series.into_iter().map(|(codes, (last, values))| Series { codes, last, values: Row(values) });
        Self { columns, time, keys, interval, horizon, series: series.collect() }
    }

    pub(super) fn check(&self, columns: usize, target: &Target) -> Result<(), ModelError> {
        let wrong =
            |problem: &str| Err(ModelError::Invalid(format!("its series do not fit together: {problem}")));
        if !matches!(target, Target::Number { .. }) {
            return wrong("they are of numbers, and its target is not");
        }
        if self.columns != columns || self.keys.iter().chain([&self.time]).any(|column| *column >= columns) {
            return wrong("a column is not there");
        }
        let season = self.season_length();
        let is_whole = |series: &Series| {
            series.codes.len() == self.keys.len()
                && series.values.0.len() == season
                && series.values.0.iter().all(|value| value.is_finite())
        };
        if season == 0 || self.horizon == 0 || !self.series.iter().all(is_whole) {
            return wrong("one has another number of values than a season");
        }
        if self.series.len().saturating_mul(season) > MAX_NUMBERS {
            return wrong("there are too many");
        }
        let sorted = self.series.windows(2).all(|pair| match pair {
            [one, other] => one.codes < other.codes,
            _ => true,
        });
        if sorted { Ok(()) } else { wrong("they are not sorted and distinct") }
    }

    /// How many intervals make a season.
    pub(crate) fn season_length(&self) -> usize {
        self.series.first().map_or(0, |series| series.values.0.len())
    }

    /// How far apart the times of a series are.
    pub(crate) fn interval(&self) -> TimeInterval {
        self.interval
    }

    /// The most intervals after the last of a series that are predicted.
    pub(crate) fn horizon(&self) -> i64 {
        i64::from(self.horizon)
    }

    fn series_of(&self, row: &[f64]) -> Option<&Series> {
        let codes = codes_of(row, &self.keys)?;
        let place = self.series.binary_search_by(|series| series.codes.cmp(&codes)).ok()?;
        self.series.get(place)
    }

    /// The numbers that are predicted.
    ///
    /// # Errors
    /// When a row is of a series that is not known, has no time, or one that is not among those after the last of its series.
    pub fn numbers(&self, rows: ArrayView2<'_, f64>) -> Result<Array1<f64>, ModelError> {
        let numbers = rows.rows().into_iter().enumerate().map(|(number, row)| {
            self.number(row).map_err(|problem| ModelError::Unforeseen { row: number, problem })
        });
        numbers.collect()
    }

    fn number(&self, row: ArrayView1<'_, f64>) -> Result<f64, String> {
        let row = row.to_vec();
        let Some(series) = self.series_of(&row) else {
            return Err(
                "is of a series that training did not see; train again with its rows, or leave the row out"
                    .to_owned(),
            );
        };
        let days = row.get(self.time).copied().unwrap_or(f64::NAN);
        if days.is_nan() {
            return Err("has no time; give one, or leave the row out".to_owned());
        }
        let (after, name) =
            (interval_of(self.interval, days).saturating_sub(series.last), self.interval.name());
        if after < 1 {
            return Err(format!(
                "is not after the last {name} of its series that training saw; a forecast is of what comes then: leave the row out"
            ));
        }
        if after > self.horizon() {
            return Err(format!(
                "is {after} {name}s after the last of its series, and the horizon is {}: train again with newer rows, or raise horizon",
                self.horizon
            ));
        }
        let place = usize::try_from(after - 1).unwrap_or_default() % self.season_length().max(1);
        Ok(series.values.0.get(place).copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::preprocess::parse_time;

    fn days(text: &str) -> f64 {
        parse_time(text).expect("a time") as f64 / MILLISECONDS_OF_A_DAY
    }

    #[test]
    fn an_interval_is_one_of_the_calendar() {
        let next = |interval, text: &str, other: &str| {
            interval_of(interval, days(other)) - interval_of(interval, days(text))
        };
        for (interval, text, other, expected) in [
            (TimeInterval::Second, "1969-12-31T23:59:59", "1970-01-01T00:00:01", 2),
            (TimeInterval::Minute, "2024-02-29T12:59:59", "2024-02-29T13:00:00", 1),
            (TimeInterval::Hour, "2024-02-29T12:59:59", "2024-02-29T13:59:00", 1),
            (TimeInterval::Day, "2024-02-29T23:59:59.999", "2024-03-01", 1),
            (TimeInterval::Week, "2024-03-03", "2024-03-04", 1),
            (TimeInterval::Week, "2024-03-04", "2024-03-10", 0),
            (TimeInterval::Month, "2024-01-31", "2024-02-01", 1),
            (TimeInterval::Month, "1969-12-31", "2024-02-29", 650),
            (TimeInterval::Quarter, "2024-03-31", "2024-04-01", 1),
            (TimeInterval::Year, "1969-12-31", "1970-01-01", 1),
        ] {
            assert_eq!(next(interval, text, other), expected, "{interval:?} {text} {other}");
        }
        assert_eq!(interval_of(TimeInterval::Week, 0.0), 0);
    }

    fn two_series() -> SeasonalPredictor {
        let values = |add: f64| (1..=3).map(|value| f64::from(value) + add).collect::<Vec<f64>>();
        let series = BTreeMap::from([(vec![0], (10, values(0.0))), (vec![2], (12, values(10.0)))]);
        SeasonalPredictor::new((2, 1, vec![0]), TimeInterval::Day, 7, series)
    }

    #[test]
    fn a_row_has_the_number_of_its_place_in_the_season_up_to_the_horizon() {
        let predictor = two_series();
        let number = Target::Number { name: "y".to_owned(), min: 0.0, max: 1.0 };
        predictor.check(2, &number).expect("it fits");
        let rows = array![[0.0, 11.0], [0.0, 13.9], [0.0, 14.0], [0.0, 17.0], [2.0, 13.0]];
        assert_eq!(predictor.numbers(rows.view()).expect("numbers").to_vec(), [1.0, 3.0, 1.0, 1.0, 11.0]);
    }

    #[test]
    fn what_cannot_be_foreseen_is_named_with_its_row() {
        for (row, wrong) in [
            ([0.0, 10.5], "row 2 is not after the last day"),
            ([0.0, 18.0], "row 2 is 8 days after the last of its series, and the horizon is 7"),
            ([1.0, 11.0], "row 2 is of a series that training did not see"),
            ([f64::NAN, 11.0], "row 2 is of a series that training did not see"),
            ([0.0, f64::NAN], "row 2 has no time"),
        ] {
            let rows = array![[0.0, 11.0], row];
            let found = two_series().numbers(rows.view()).expect_err("refused").to_string();
            assert!(found.contains(wrong), "{found}");
        }
    }

    #[test]
    fn series_of_a_file_that_do_not_fit_together_are_refused() {
        let number = Target::Number { name: "y".to_owned(), min: 0.0, max: 1.0 };
        let good = serde_json::to_value(two_series()).expect("JSON");
        let read: SeasonalPredictor = serde_json::from_str(&good.to_string()).expect("what was written");
        assert_eq!(read, two_series());
        for (pointer, value) in [
            ("/time", serde_json::json!(2)),
            ("/keys", serde_json::json!([])),
            ("/keys/0", serde_json::json!(9)),
            ("/horizon", serde_json::json!(0)),
            ("/series", serde_json::json!([])),
            ("/series/0/codes/0", serde_json::json!(2)),
            ("/series/0/values", serde_json::json!([1])),
        ] {
            let mut wrong = good.clone();
            *wrong.pointer_mut(pointer).expect("a field") = value;
            let read: SeasonalPredictor = serde_json::from_str(&wrong.to_string()).expect("the form");
            assert!(read.check(2, &number).is_err(), "{pointer}");
        }
        let text = Target::Class { name: "y".to_owned(), labels: Vec::new() };
        assert!(two_series().check(2, &text).is_err() && two_series().check(3, &number).is_err());
    }
}
