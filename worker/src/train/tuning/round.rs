//! One round of a search: some trials, each measured in all folds of some rows.

use mlpipeline_crds::{Algorithm, Metric, Trial, beginning};

use super::super::error::TrainError;
use super::super::folds::folds_of;
use super::super::learner::Learner;
use super::super::matrix::Rows;
use super::super::memory::at_once;
use super::super::parallel::over_tasks;
use super::super::prepared::Prepared;
use super::super::samples::Samples;
use super::super::split::Parted;
use super::super::untested::untested_in_folds;
use super::draw::Parameters;
use super::measured::{Measured, Place, Value};
use crate::progress::ProgressGuard;

/// The most characters of a failure that are kept.
const FAILURE_SHOWN: usize = 200;

/// A trial with what is known of it so far.
pub(super) struct Candidate {
    parameters: Parameters,
    /// What learns by them, or why they do not go together.
    pub(super) learner: Result<(Learner, Algorithm), String>,
    /// The metric of each fold of the last round, or why there is none.
    values: Result<Vec<f64>, String>,
    /// How many rows the last round had.
    pub(super) rows: u64,
}

impl Candidate {
    /// A trial of these parameters in place of the algorithm's own.
    pub(super) fn new(parameters: Parameters, algorithm: &Algorithm) -> Self {
        let learner = algorithm
            .with(parameters.iter().map(|(name, value)| (name.as_str(), value.clone())))
            .and_then(|algorithm| {
                let (learner, _) = Learner::new(&algorithm).map_err(|error| error.to_string())?;
                Ok((learner, algorithm))
            });
        Self { parameters, learner, values: Ok(Vec::new()), rows: 0 }
    }

    /// The mean over the folds; none where it failed.
    pub(super) fn value(&self) -> Option<f64> {
        let values = self.values.as_ref().ok().filter(|values| !values.is_empty())?;
        Some(values.iter().sum::<f64>() / values.len() as f64)
    }

    /// What is reported of it.
    pub(super) fn trial(&self) -> Trial {
        let deviation = |mean: f64| {
            let values = self.values.as_deref().unwrap_or_default();
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            (squares / values.len().max(1) as f64).sqrt()
        };
        let value = self.value();
        let failure = self.learner.as_ref().err().or(self.values.as_ref().err());
        Trial {
            parameters: self.parameters.clone(),
            value,
            std: value.map(deviation),
            rows: self.rows,
            failure: failure.map(|failure| start(failure)),
        }
    }
}

/// As much of a failure as is shown. The mark is what takes the rest of a secret value out that was cut.
fn start(failure: &str) -> String {
    beginning(failure, FAILURE_SHOWN)
}

/// What the trials of a round are measured with.
pub(super) struct Round<'a> {
    pub(super) samples: &'a Samples,
    pub(super) rows: &'a [u32],
    /// Which round of the search it is, from 0.
    pub(super) number: usize,
    pub(super) folds: usize,
    pub(super) seed: i64,
    pub(super) metric: Metric,
    /// What was measured before, and is kept.
    pub(super) measured: Option<&'a Measured<'a>>,
    pub(super) progress: &'a ProgressGuard,
}

impl Round<'_> {
    /// Measures the trials at these places, fold by fold: what is fitted to a fold's rows before learning is the same for all. Gives the
    /// classes of which a fold has no row.
    ///
    /// # Errors
    /// When the rows cannot be folded or prepared, whatever the trial.
    pub(super) fn measure(
        &self,
        candidates: &mut [Candidate],
        places: &[usize],
    ) -> Result<Vec<String>, TrainError> {
        for place in places {
            if let Some(candidate) = candidates.get_mut(*place) {
                candidate.rows = self.rows.len() as u64;
                candidate.values = Ok(Vec::with_capacity(self.folds));
            }
        }
        let parts = folds_of(self.samples, self.rows, self.folds, self.seed).map_err(of_tune)?;
        let untested = untested_in_folds(self.samples, &parts);
        for (number, fold) in parts.into_iter().enumerate() {
            let alive: Vec<(usize, &Learner)> = places
                .iter()
                .filter_map(|place| {
                    let candidate = candidates.get(*place).filter(|candidate| candidate.values.is_ok())?;
                    Some((*place, &candidate.learner.as_ref().ok()?.0))
                })
                .collect();
            for (place, value) in self.values(number, &fold, alive)? {
                let Some(candidate) = candidates.get_mut(place) else { continue };
                match (value, &mut candidate.values) {
                    (Ok(value), Ok(values)) => values.push(value),
                    (Err(failure), _) => candidate.values = Err(failure),
                    (Ok(_), Err(_)) => {}
                }
            }
        }
        Ok(untested)
    }

    /// The metric of each of these trials in a fold: what is kept of it, and what is measured now.
    fn values(
        &self,
        number: usize,
        fold: &Parted,
        trials: Vec<(usize, &Learner)>,
    ) -> Result<Vec<(usize, Value)>, TrainError> {
        let place = |trial| Place { round: self.number, fold: number, trial };
        let kept = |trial| self.measured.and_then(|measured| measured.get(place(trial)));
        let mut found = Vec::with_capacity(trials.len());
        let mut left = Vec::new();
        for (trial, learner) in trials {
            match kept(trial) {
                Some(value) => {
                    self.progress.add(1);
                    found.push((trial, value));
                }
                None => left.push((trial, learner)),
            }
        }
        if left.is_empty() {
            return Ok(found);
        }
        let prepared = Prepared::fit(self.samples, &fold.train)?;
        let raw = &self.samples.raw;
        let most = at_once(raw.rows(), raw.width(), prepared.matrix.width());
        let new = over_tasks(most, left, |(trial, learner)| {
            let value = self.value(&prepared, learner, &fold.train, &fold.test);
            // With more memory, or another worker, it may be another value.
            let lasts = !matches!(value, Err(TrainError::Memory(_) | TrainError::Internal(_)));
            let value = value.map_err(|error| error.to_string());
            if let Some(measured) = self.measured.filter(|_| lasts) {
                measured.put(place(trial), &value)?;
            }
            self.progress.add(1);
            Ok::<_, TrainError>((trial, value))
        });
        for one in new {
            found.push(one?);
        }
        Ok(found)
    }

    /// The metric of one trial in one fold.
    fn value(
        &self,
        prepared: &Prepared<'_>,
        learner: &Learner,
        train: &[u32],
        test: &[u32],
    ) -> Result<f64, TrainError> {
        let fitted = prepared.learn_by(Some(learner), self.samples, train)?;
        let outcomes = self.samples.task.measure(&fitted.predictor, &Rows::new(&prepared.matrix, test))?;
        let metrics = outcomes.metrics_where(|metric| metric == self.metric);
        let value = metrics.get(self.metric.name()).copied();
        let undefined =
            || TrainError::Data(format!("{} is not defined for a fold's rows", self.metric.name()));
        value.ok_or_else(undefined)
    }
}

/// The folds of a search are asked for elsewhere than those of cross-validation.
fn of_tune(error: TrainError) -> TrainError {
    match error {
        TrainError::Data(message) => {
            TrainError::Data(message.replacen("crossValidation.folds", "tune.folds", 1))
        }
        other => other,
    }
}
