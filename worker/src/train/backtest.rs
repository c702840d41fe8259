//! A forecast measured as it is used: from several points in time on, each time with what was known before it.
//!
//! Owns these points (rolling origins: L. J. Tashman, "Out-of-sample tests of forecasting accuracy", 2000), which rows are forecast from
//! each, and what they are compared with: the last number of the series, and how much a number differs from the one before it (R. J.
//! Hyndman and A. B. Koehler, "Another look at measures of forecast accuracy", 2006). Must not know how a forecast is made.

use std::collections::HashMap;

use super::columns::Treatment;
use super::error::TrainError;
use super::learner::{Forecast, Learner};
use super::matrix::Rows;
use super::prepared::Prepared;
use super::samples::Samples;
use super::split::Parted;
use super::task::Task;
use crate::evaluation::{NumberOutcomes, Outcomes};
use crate::model::{Predictor, SeasonalPredictor, interval_of};

const MILLISECONDS_OF_A_DAY: f64 = 86_400_000.0;

/// What one origin measured.
pub(super) struct Measured {
    pub(super) outcomes: Outcomes,
    /// What the last number of each series would have been right about.
    pub(super) naive: Outcomes,
}

/// What is known of a series at an origin.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    last: (i64, f64),
    /// The sum of the differences between a number and the one before it, and how many there are.
    steps: (f64, u32),
}

/// When each row is from, and which series it is of.
struct Timeline {
    intervals: Vec<i64>,
    series: Vec<u32>,
}

/// Forecasts from so many origins, a horizon apart, the last of them a horizon before the last row. From each, the rows within the
/// horizon after the last known one of their series are measured.
///
/// # Errors
/// When there are not rows enough before or after an origin, or the forecast cannot be made.
pub(super) fn backtest(
    samples: &Samples,
    rows: &[u32],
    forecast: &dyn Forecast,
    origins: usize,
) -> Result<Vec<Measured>, TrainError> {
    let Task::Regress { numbers, .. } = &samples.task else {
        return Err(TrainError::Internal("a forecast is of numbers".to_owned()));
    };
    // Interval and season are the model's. Rows that are measured decide nothing else.
    let prepared = Prepared::fit(samples, rows)?;
    let whole = prepared.learn(samples, rows)?.predictor;
    let whole = seasonal(&whole)?;
    let learner = Learner::Regressor(forecast.as_found(whole));
    let (timeline, horizon) = (Timeline::of(samples, whole)?, whole.horizon());
    let newest = rows.iter().map(|row| timeline.interval(*row)).max().unwrap_or_default();
    let mut measured = Vec::new();
    for number in (1..=origins as i64).rev() {
        let origin = newest - number * horizon;
        let (train, after): (Vec<u32>, Vec<u32>) = rows
            .iter()
            .copied()
            .filter(|row| timeline.interval(*row) <= origin + horizon)
            .partition(|row| timeline.interval(*row) <= origin);
        let known = timeline.known(&train, numbers);
        let is_foreseen = |row: &u32| {
            let last = known.get(&timeline.series(*row)).map(|known| known.last.0);
            last.is_some_and(|last| timeline.interval(*row) <= last + horizon)
        };
        let fold = Parted { train, test: after.into_iter().filter(is_foreseen).collect() };
        if fold.test.is_empty() {
            let name = whole.interval().name();
            return Err(TrainError::Data(format!(
                "crossValidation.folds is {origins}, and no row lies in the {horizon} {name}s after one of these {origins} points in time \
                 and has earlier rows of its series: lower folds or horizon, or give more rows"
            )));
        }
        let prepared = Prepared::fit(samples, &fold.train)?;
        let fitted = prepared.learn_by(Some(&learner), samples, &fold.train)?;
        let outcomes = samples.task.measure(&fitted.predictor, &Rows::new(&prepared.matrix, &fold.test))?;
        let Outcomes::Numbers(outcomes) = outcomes else {
            return Err(TrainError::Internal("a forecast is of numbers".to_owned()));
        };
        let of = |row: &u32| known.get(&timeline.series(*row)).copied().unwrap_or_default();
        let scales: Vec<f64> = fold.test.iter().map(|row| of(row).scale()).collect();
        let mut naive = NumberOutcomes::default();
        for row in &fold.test {
            naive.push(numbers.get(*row as usize).copied().unwrap_or_default(), of(row).last.1);
        }
        measured.push(Measured {
            outcomes: Outcomes::Numbers(outcomes.scaled_by(scales.clone())),
            naive: Outcomes::Numbers(naive.scaled_by(scales)),
        });
    }
    Ok(measured)
}

fn seasonal(predictor: &Predictor) -> Result<&SeasonalPredictor, TrainError> {
    let other = || TrainError::Internal("a forecast is made by seasons".to_owned());
    predictor.seasonal().ok_or_else(other)
}

impl Known {
    /// By how much a number differs from the one before it, in the mean; not a number where there are none.
    fn scale(self) -> f64 {
        self.steps.0 / f64::from(self.steps.1)
    }
}

impl Timeline {
    fn of(samples: &Samples, whole: &SeasonalPredictor) -> Result<Self, TrainError> {
        let is_time = |treatment: &Treatment| matches!(treatment, Treatment::Time(_));
        let time = samples.columns.iter().position(|column| is_time(&column.treatment));
        let time = time.ok_or_else(|| TrainError::Internal("a forecast has no time".to_owned()))?;
        let (mut intervals, mut series, mut numbered) = (Vec::new(), Vec::new(), HashMap::new());
        for values in samples.raw.iter() {
            let days = values.get(time).copied().unwrap_or(f64::NAN) / MILLISECONDS_OF_A_DAY;
            intervals.push(interval_of(whole.interval(), days));
            let key: Vec<u64> = values
                .iter()
                .enumerate()
                .filter(|(place, _)| *place != time)
                .map(|(_, value)| value.to_bits())
                .collect();
            let next = numbered.len() as u32;
            series.push(*numbered.entry(key).or_insert(next));
        }
        Ok(Self { intervals, series })
    }

    fn interval(&self, row: u32) -> i64 {
        self.intervals.get(row as usize).copied().unwrap_or_default()
    }

    fn series(&self, row: u32) -> u32 {
        self.series.get(row as usize).copied().unwrap_or_default()
    }

    /// What these rows say of each series.
    fn known(&self, rows: &[u32], numbers: &[f64]) -> HashMap<u32, Known> {
        let mut rows = rows.to_vec();
        rows.sort_by_key(|row| self.interval(*row));
        let mut known = HashMap::<u32, Known>::new();
        for row in rows {
            let number = numbers.get(row as usize).copied().unwrap_or_default();
            let is_first = !known.contains_key(&self.series(row));
            let series = known.entry(self.series(row)).or_default();
            if !is_first {
                series.steps = (series.steps.0 + (number - series.last.1).abs(), series.steps.1 + 1);
            }
            series.last = (self.interval(row), number);
        }
        known
    }
}
