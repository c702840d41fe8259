//! The search for parameters: trials that are cross-validated on the rows to learn from, and the best of them.
//!
//! Owns which trials are measured with which rows, and which is the best. Trials are measured side by side, with the same result
//! whatever the number of threads. Must not see rows that were kept back.

mod draw;
mod measured;
mod round;

use mlpipeline_crds::{Algorithm, Metric, Search, TrainStep, Trial, Tune, TuneProblem};

use self::draw::draw;
use self::measured::Measured;
use self::round::{Candidate, Round};
use super::error::TrainError;
use super::learner::Learner;
use super::samples::Samples;
use super::shuffle::Shuffler;
use super::split_by_value::group_members;
use crate::artifact::Kept;
use crate::evaluation::Tuning;
use crate::progress::{Progress, ProgressGuard};

/// Of a round of halving, one of so many is measured again, with so many times the rows.
const FACTOR: usize = 3;

/// The fewest rows of a class, or of all without classes, in each fold of a round of halving.
const FEWEST_ROWS: usize = 2;

/// A search with checked parameters.
#[derive(Clone, Debug)]
pub(super) struct Tuner {
    tune: Tune,
    algorithm: Algorithm,
    metric: Metric,
    folds: usize,
    seed: i64,
}

/// Where a search works: what it keeps, what it shows, and which part of it is to be done.
pub(super) struct SearchWork<'a> {
    /// The step, and where values are kept; nothing is kept without storage.
    pub(super) kept: Option<(&'a TrainStep, &'a Kept)>,
    pub(super) progress: Progress,
}

/// Which of the pods that share the trials of a search.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    /// From 0.
    pub(super) index: u32,
    pub(super) pods: u32,
}

/// What a search found.
pub(super) struct Tuned {
    pub(super) learner: Learner,
    /// The algorithm with the best parameters.
    pub(super) algorithm: Algorithm,
    pub(super) tuning: Tuning,
}

impl<'a> SearchWork<'a> {
    fn measured(&self, samples: &Samples, rows: &[u32]) -> Option<Measured<'a>> {
        self.kept.map(|(step, kept)| Measured::new(kept, step, samples, rows))
    }
}

impl Tuner {
    /// The search of a step, if it asks for one.
    ///
    /// # Errors
    /// When it cannot be done.
    pub(super) fn new(step: &TrainStep) -> Result<Option<Self>, TrainError> {
        let Some(tune) = step.tune.clone() else { return Ok(None) };
        if let Some(TuneProblem { path, problem }) = tune.problems(&step.algorithm).into_iter().next() {
            return Err(TrainError::Spec(format!("tune.{path} {problem}")));
        }
        let folds = tune.folds.unwrap_or(Tune::DEFAULT_FOLDS);
        let seed = tune.seed.unwrap_or(Tune::DEFAULT_SEED);
        Ok(Some(Self {
            metric: tune.compared_by(&step.algorithm),
            folds: folds.unsigned_abs() as usize,
            seed,
            algorithm: step.algorithm.clone(),
            tune,
        }))
    }

    /// Measures trials on these rows, and gives the best.
    ///
    /// # Errors
    /// When all trials fail, or the rows cannot be folded.
    pub(super) fn search(
        &self,
        samples: &Samples,
        rows: &[u32],
        work: &SearchWork<'_>,
    ) -> Result<Tuned, TrainError> {
        let mut candidates = self.candidates();
        let rounds = self.rounds(candidates.len(), rows, samples);
        let mut places: Vec<usize> = (0..candidates.len()).collect();
        let measured = work.measured(samples, rows);
        let mut untested_classes = Vec::new();
        for (number, share) in rounds.iter().enumerate() {
            let part = self.part(samples, rows, *share);
            let is_last = number + 1 == rounds.len();
            let fits = places.len() * self.folds;
            let untested = self
                .round(samples, &part, number, measured.as_ref(), &work.progress.trials(fits as u64))
                .measure(&mut candidates, &places);
            untested_classes = match untested {
                Ok(untested) => untested,
                // What its few rows lack, such as a class for each fold, all rows may have.
                Err(TrainError::Data(_)) if !is_last => continue,
                Err(error) => return Err(error),
            };
            self.sort(&candidates, &mut places);
            let best = places.first().and_then(|place| candidates.get(*place));
            // Where all failed, it was for the rows, and none is known to be better.
            if !is_last && best.and_then(Candidate::value).is_some() {
                places.truncate(places.len().div_ceil(FACTOR));
            }
        }
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        self.sort(&candidates, &mut order);
        let trials: Vec<Trial> =
            order.iter().filter_map(|place| candidates.get(*place)).map(Candidate::trial).collect();
        if let Some(Trial { failure: Some(failure), .. }) = trials.first() {
            let kind = if candidates.iter().all(|candidate| candidate.learner.is_err()) {
                TrainError::Spec
            } else {
                TrainError::Data
            };
            return Err(kind(format!(
                "all {} trials of tune failed; the first, {}: {failure}",
                trials.len(),
                trials.first().map(Trial::shown).unwrap_or_default()
            )));
        }
        let best =
            order.first().map(|place| candidates.swap_remove(*place)).and_then(|best| best.learner.ok());
        let (learner, algorithm) =
            best.ok_or_else(|| TrainError::Internal("there are no trials".to_owned()))?;
        let search = self.tune.search.unwrap_or_default();
        Ok(Tuned {
            learner,
            algorithm,
            tuning: Tuning { search, metric: self.metric, folds: self.folds, untested_classes, trials },
        })
    }

    /// Measures one pod's trials of a search without rounds on these rows, for another pod to choose the best. Gives how many these are.
    ///
    /// # Errors
    /// When the rows cannot be folded, or storage refuses.
    pub(super) fn measure_share(
        &self,
        samples: &Samples,
        rows: &[u32],
        work: &SearchWork<'_>,
        share: Share,
    ) -> Result<usize, TrainError> {
        let mut candidates = self.candidates();
        let pods = share.pods.max(1) as usize;
        let places: Vec<usize> = (share.index as usize..candidates.len()).step_by(pods).collect();
        let measured = work.measured(samples, rows);
        let fits = places.len() * self.folds;
        self.round(samples, rows, 0, measured.as_ref(), &work.progress.trials(fits as u64))
            .measure(&mut candidates, &places)?;
        Ok(places.len())
    }

    fn candidates(&self) -> Vec<Candidate> {
        let drawn = draw(&self.tune, &self.algorithm);
        drawn.into_iter().map(|parameters| Candidate::new(parameters, &self.algorithm)).collect()
    }

    fn round<'a>(
        &self,
        samples: &'a Samples,
        rows: &'a [u32],
        number: usize,
        measured: Option<&'a Measured<'a>>,
        progress: &'a ProgressGuard,
    ) -> Round<'a> {
        let (folds, seed, metric) = (self.folds, self.seed, self.metric);
        Round { samples, rows, number, folds, seed, metric, measured, progress }
    }

    /// The share of the rows that each round is measured with; all of them but for halving.
    fn rounds(&self, trials: usize, rows: &[u32], samples: &Samples) -> Vec<f64> {
        let mut shares = vec![1.0];
        let classes = samples.task.strata().map_or(1, |strata| strata.count);
        let fewest = FEWEST_ROWS * self.folds * classes;
        let (mut left, mut share) = (trials, 1.0);
        while self.tune.search == Some(Search::Halving) && left > FACTOR {
            left = left.div_ceil(FACTOR);
            share /= FACTOR as f64;
            if rows.len() as f64 * share < fewest as f64 {
                break;
            }
            shares.push(share);
        }
        shares.reverse();
        shares
    }

    /// A share of the rows, of whole groups or of each class alike, and at least enough of it for all folds where it has so many.
    fn part(&self, samples: &Samples, rows: &[u32], share: f64) -> Vec<u32> {
        if share >= 1.0 {
            return rows.to_vec();
        }
        let mut shuffler = Shuffler::stream(self.seed, 1);
        let mut part = Vec::new();
        if let Some(groups) = &samples.keys.groups {
            // Whole ones, and one for each fold at least.
            let mut members: Vec<Vec<u32>> = group_members(rows, groups).into_values().collect();
            shuffler.shuffle(&mut members);
            for (number, members) in members.into_iter().enumerate() {
                if number >= self.folds && part.len() as f64 >= share * rows.len() as f64 {
                    break;
                }
                part.extend(members);
            }
            part.sort_unstable();
            return part;
        }
        let members = match samples.task.strata() {
            Some(strata) => strata.members(rows),
            None => vec![rows.to_vec()],
        };
        for mut members in members {
            shuffler.shuffle(&mut members);
            let count = (members.len() as f64 * share).ceil() as usize;
            members.truncate(count.max(FEWEST_ROWS * self.folds));
            part.extend(members);
        }
        part.sort_unstable();
        part
    }

    /// Puts the best first: measured with more rows, then by the metric, then those that failed; the first of equals.
    fn sort(&self, candidates: &[Candidate], places: &mut [usize]) {
        let key = |place: &usize| {
            let candidate = candidates.get(*place);
            let value = candidate
                .and_then(Candidate::value)
                .map(|value| if self.metric.smaller_is_better() { value } else { -value });
            (candidate.map_or(0, |candidate| candidate.rows), value)
        };
        places.sort_by(|a, b| {
            let ((rows, value), (other_rows, other)) = (key(a), key(b));
            let by_value = match (value, other) {
                (Some(value), Some(other)) => other_rows.cmp(&rows).then(value.total_cmp(&other)),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => std::cmp::Ordering::Equal,
            };
            by_value.then(a.cmp(b))
        });
    }
}
