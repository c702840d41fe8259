//! The seasonal naive forecast: which interval and season there are, and what is kept of each series.
//!
//! R. J. Hyndman and G. Athanasopoulos, "Forecasting: principles and practice", 3rd edition, 5.2; of several seasons the mean is
//! taken. Must not know how a forecast is measured: [`super::backtest`] does.

use std::collections::BTreeMap;

use mlpipeline_crds::{SeasonalNaive as Parameters, TimeInterval};

use super::error::TrainError;
use super::learner::{Fitted, Forecast, MatrixKind, Names, Regressor};
use super::matrix::Rows;
use crate::model::{MAX_NUMBERS, SeasonalPredictor, codes_of, interval_of};

/// The most series.
const MOST_SERIES: usize = 100_000;

/// A forecast with checked parameters.
#[derive(Clone, Debug)]
pub struct SeasonalNaive {
    interval: Option<TimeInterval>,
    season_length: Option<u32>,
    seasons: usize,
    horizon: Option<u32>,
    places: Option<Places>,
}

/// Where the matrix has what a forecast needs.
#[derive(Clone, Debug)]
struct Places {
    /// The column of days.
    time: usize,
    /// The columns of codes, which say together which series a row is of.
    keys: Vec<usize>,
}

/// A row of a series.
#[derive(Clone, Copy, Debug)]
struct Observed {
    days: f64,
    interval: i64,
    number: f64,
    row: usize,
}

impl SeasonalNaive {
    /// A forecast with these parameters, which are within their bounds.
    #[must_use]
    pub fn new(parameters: &Parameters) -> Self {
        let count = |number: Option<i32>| number.map(|number| number.max(1).unsigned_abs());
        Self {
            interval: parameters.interval,
            season_length: count(parameters.season_length),
            seasons: count(parameters.seasons).unwrap_or(1) as usize,
            horizon: count(parameters.horizon),
            places: None,
        }
    }

    /// The rows of each series.
    fn series(
        places: &Places,
        rows: &Rows<'_>,
        numbers: &[f64],
    ) -> Result<BTreeMap<Vec<u32>, Vec<Observed>>, TrainError> {
        let mut series = BTreeMap::<Vec<u32>, Vec<Observed>>::new();
        for (row, values) in rows.iter() {
            let days = values.get(places.time).copied().unwrap_or(f64::NAN);
            let codes = codes_of(&values, &places.keys).filter(|_| !days.is_nan());
            let Some(codes) = codes else {
                return Err(TrainError::Data(format!(
                    "row {} lacks its time, or the text that says which series it is of; leave such rows out in a prepare step",
                    row + 1
                )));
            };
            let number = numbers.get(row).copied().unwrap_or_default();
            series.entry(codes).or_default().push(Observed { days, interval: 0, number, row });
        }
        for rows in series.values_mut() {
            rows.sort_by(|one, other| one.days.total_cmp(&other.days));
        }
        Ok(series)
    }

    /// The interval that was given, or the longest in which no two rows of a series fall together.
    ///
    /// # Errors
    /// When two rows of a series fall together.
    fn choose(&self, series: &BTreeMap<Vec<u32>, Vec<Observed>>) -> Result<TimeInterval, TrainError> {
        let together = |interval: TimeInterval| {
            series.values().flat_map(|rows| rows.windows(2)).find_map(|pair| match pair {
                [one, other] if interval_of(interval, one.days) == interval_of(interval, other.days) => {
                    Some((one.row, other.row))
                }
                _ => None,
            })
        };
        let found = match self.interval {
            Some(interval) => Some(interval),
            None => TimeInterval::LONGEST_FIRST.into_iter().find(|interval| together(*interval).is_none()),
        };
        let interval = found.unwrap_or(TimeInterval::Second);
        match together(interval) {
            None => Ok(interval),
            Some((one, other)) => Err(TrainError::Data(format!(
                "rows {} and {} are of the same {} of one series: aggregate them in a prepare step (GROUP BY), name what tells the \
                 series apart among the features, or set interval to a shorter one",
                one.min(other) + 1,
                one.max(other) + 1,
                interval.name()
            ))),
        }
    }
}

impl Forecast for SeasonalNaive {
    fn as_found(&self, found: &SeasonalPredictor) -> Box<dyn Regressor> {
        Box::new(Self {
            interval: Some(found.interval()),
            season_length: u32::try_from(found.season_length()).ok(),
            horizon: u32::try_from(found.horizon()).ok(),
            ..self.clone()
        })
    }
}

impl Regressor for SeasonalNaive {
    fn fit(&self, rows: &Rows<'_>, numbers: &[f64]) -> Result<Fitted, TrainError> {
        let Some(places) = &self.places else {
            let message = "seasonalNaive needs a feature that says when: name one, or use another algorithm";
            return Err(TrainError::Spec(message.to_owned()));
        };
        let mut series = Self::series(places, rows, numbers)?;
        let interval = self.choose(&series)?;
        let season = self.season_length.unwrap_or_else(|| interval.season_length()) as usize;
        let horizon = self.horizon.unwrap_or(season as u32);
        if series.len() > MOST_SERIES || series.len().saturating_mul(season) > MAX_NUMBERS {
            return Err(TrainError::Data(format!(
                "there are {} series with seasons of {season}; a model holds at most {MOST_SERIES} series and {MAX_NUMBERS} numbers: \
                 leave out a feature that names series, or set a longer interval",
                series.len()
            )));
        }
        let (mut kept, mut unseen) = (BTreeMap::new(), 0);
        for (codes, rows) in &mut series {
            rows.iter_mut().for_each(|row| row.interval = interval_of(interval, row.days));
            let season = Season::of(rows, season, self.seasons);
            unseen += usize::from(season.has_unseen);
            kept.insert(codes.clone(), (season.last, season.values));
        }
        let name = interval.name();
        let mut said = format!(
            "each {name} is predicted from the one {season} {name}s before, up to {horizon} {name}s after the last of each of {} series",
            kept.len()
        );
        if unseen > 0 {
            said += &format!(
                "; {unseen} of them lack some {name}s of a season, for which their last number is predicted: give more rows"
            );
        }
        let columns = (rows.width(), places.time, places.keys.clone());
        let predictor = SeasonalPredictor::new(columns, interval, horizon, kept);
        Ok(Fitted { predictor: predictor.into(), warning: Some(said) })
    }

    fn placed(&self, names: &Names<'_>) -> Result<Option<Box<dyn Regressor>>, TrainError> {
        let (mut times, mut keys) = (Vec::new(), Vec::new());
        for (place, column) in names.columns.iter().enumerate() {
            match column.kind {
                MatrixKind::Days => times.push((place, column.name)),
                MatrixKind::Codes(_) => keys.push(place),
                MatrixKind::PartOfTime => {}
                MatrixKind::Number | MatrixKind::Other => {
                    return Err(TrainError::Spec(format!(
                        "features: seasonalNaive needs a time, and takes texts that name series; \"{}\" is neither: take it as \
                         category, or name features without it",
                        column.name
                    )));
                }
            }
        }
        let [(time, _)] = times.as_slice() else {
            let found = match times.is_empty() {
                true => "none is a date or time: take one as date".to_owned(),
                false => {
                    let named: Vec<&str> = times.iter().map(|(_, name)| *name).collect();
                    format!("{} are: name one of them", named.join(", "))
                }
            };
            return Err(TrainError::Spec(format!(
                "features: seasonalNaive needs one that says when, and {found}"
            )));
        };
        let places = Some(Places { time: *time, keys });
        Ok(Some(Box::new(Self { places, ..self.clone() })))
    }

    fn takes_missing(&self) -> bool {
        true
    }

    fn most_codes(&self) -> Option<usize> {
        Some(MOST_SERIES)
    }

    fn forecast(&self) -> Option<&dyn Forecast> {
        Some(self)
    }
}

/// What is kept of a series.
struct Season {
    last: i64,
    values: Vec<f64>,
    /// Whether some interval of a season was never observed.
    has_unseen: bool,
}

impl Season {
    /// Of rows sorted by time: for each interval after the last one, the mean over the last `seasons` observed ones of its place in the
    /// season; the last number where there is none.
    fn of(rows: &[Observed], length: usize, seasons: usize) -> Self {
        let (last, last_number) = rows.last().map_or((0, 0.0), |row| (row.interval, row.number));
        let mut found: Vec<(f64, usize)> = vec![(0.0, 0); length];
        for row in rows.iter().rev() {
            let place = (row.interval - last - 1).rem_euclid(length.max(1) as i64) as usize;
            if let Some((sum, count)) = found.get_mut(place).filter(|(_, count)| *count < seasons) {
                *sum += row.number;
                *count += 1;
            }
        }
        let has_unseen = found.iter().any(|(_, count)| *count == 0);
        let value = |(sum, count): (f64, usize)| if count == 0 { last_number } else { sum / count as f64 };
        Self { last, values: found.into_iter().map(value).collect(), has_unseen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn season(numbers: &[(i64, f64)], length: usize, seasons: usize) -> (i64, Vec<f64>, bool) {
        let row = |(interval, number): &(i64, f64)| Observed {
            days: 0.0,
            interval: *interval,
            number: *number,
            row: 0,
        };
        let rows: Vec<Observed> = numbers.iter().map(row).collect();
        let Season { last, values, has_unseen } = Season::of(&rows, length, seasons);
        (last, values, has_unseen)
    }

    #[test]
    fn the_first_value_is_that_of_one_season_before_the_next_interval() {
        let numbers = [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0), (5, 5.0)];
        assert_eq!(season(&numbers, 3, 1), (5, vec![3.0, 4.0, 5.0], false));
        assert_eq!(season(&numbers, 3, 2), (5, vec![3.0, 2.5, 3.5], false));
        assert_eq!(season(&numbers, 1, 9), (5, vec![3.0], false));
    }

    #[test]
    fn over_a_gap_the_last_observed_number_of_the_place_is_taken_and_without_one_the_last_of_all() {
        let numbers = [(-3, 1.0), (-2, 2.0), (-1, 3.0), (1, 5.0)];
        assert_eq!(season(&numbers, 3, 1), (1, vec![3.0, 1.0, 5.0], false));
        assert_eq!(season(&[(7, 2.0), (8, 6.0)], 4, 1), (8, vec![6.0, 6.0, 2.0, 6.0], true));
    }
}
