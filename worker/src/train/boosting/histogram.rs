//! Sums of gradients by bin, and the best split that they show.
//!
//! Each feature's sums are added up by one thread in the rows' order, so they do not depend on how many threads there are.
//! Must not know how a tree grows.

use mlpipeline_crds::Monotonic;

use super::bins::Column;
use super::direction::{Bounds, allows};
use crate::model::CategorySet;

/// A row of a leaf with the loss's first and second derivative there, in single precision as scikit-learn has them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    pub(super) row: u32,
    pub(super) gradient: f32,
    pub(super) hessian: f32,
}

/// Sums over rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) gradient: f64,
    pub(super) hessian: f64,
    pub(super) count: u64,
}

impl Sums {
    pub(super) fn add(&mut self, other: &Self) {
        self.gradient += other.gradient;
        self.hessian += other.hessian;
        self.count += other.count;
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            hessian: self.hessian - other.hessian,
            count: self.count.saturating_sub(other.count),
        }
    }

    fn of(entry: &Entry) -> Self {
        Self { gradient: f64::from(entry.gradient), hessian: f64::from(entry.hessian), count: 1 }
    }

    pub(super) fn over(entries: &[Entry]) -> Self {
        let mut sums = Self::default();
        entries.iter().for_each(|entry| sums.add(&Self::of(entry)));
        sums
    }
}

/// What a split must satisfy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) l2: f64,
    pub(super) min_samples_leaf: u64,
}

/// scikit-learn's smallest second derivative of a leaf.
const MIN_HESSIAN: f64 = 1e-3;

impl Limits {
    /// Whether a leaf could be split at all.
    pub(super) fn can_split(&self, sums: &Sums) -> bool {
        sums.count >= 2 * self.min_samples_leaf && sums.hessian >= MIN_HESSIAN
    }

    pub(super) fn allow(&self, side: &Sums) -> bool {
        side.count >= self.min_samples_leaf && side.hessian >= MIN_HESSIAN
    }

    /// The best step of the score of rows, where the loss is taken for its second-order approximation.
    pub(super) fn step(&self, sums: &Sums) -> f64 {
        let step = -sums.gradient / (sums.hessian + self.l2 + f64::EPSILON);
        // Without rows or curvature there is nothing to step along.
        if step.is_finite() { step } else { 0.0 }
    }

    /// How much the loss falls, times two, when these rows have a leaf of their own.
    fn gain(&self, sums: &Sums) -> f64 {
        sums.gradient * sums.gradient / (sums.hessian + self.l2 + f64::EPSILON)
    }
}

/// What a leaf's splits are compared with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Total {
    pub(super) sums: Sums,
    /// The step of its rows, and what those of its sides may be; only asked for where some column is constrained.
    pub(super) step: f64,
    pub(super) bounds: Bounds,
}

impl Total {
    /// How much better two leaves are than this one; none where their order is not allowed. Without any constraint, all steps
    /// are the best ones, and the sums alone say it.
    pub(super) fn gain(
        &self,
        left: &Sums,
        right: &Sums,
        limits: &Limits,
        direction: Option<Option<Monotonic>>,
    ) -> Option<f64> {
        let Some(direction) = direction else {
            return Some(limits.gain(left) + limits.gain(right) - limits.gain(&self.sums));
        };
        let (low, high) = (self.bounds.nearest(limits.step(left)), self.bounds.nearest(limits.step(right)));
        let fall = |sums: &Sums, step: f64| -sums.gradient * step;
        allows(direction, low, high)
            .then(|| fall(left, low) + fall(right, high) - fall(&self.sums, self.step))
    }
}

/// The bins that go left, without the one of missing values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum GoesLeft {
    /// All up to this one.
    UpTo(usize),
    /// Those of some categories.
    Among(CategorySet),
}

/// A split of a leaf.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) feature: usize,
    pub(super) goes_left: GoesLeft,
    pub(super) missing_left: bool,
    pub(super) gain: f64,
    pub(super) left: Sums,
}

/// Adds rows to the sums of one feature.
pub(super) fn accumulate(sums: &mut [Sums], bins: &[u8], entries: &[Entry]) {
    for entry in entries {
        let bin = bins.get(entry.row as usize).copied().unwrap_or(0);
        if let Some(sums) = sums.get_mut(bin as usize) {
            sums.add(&Sums::of(entry));
        }
    }
}

/// The best split of one feature; the first of equals. `direction` is the feature's constraint where some feature has one.
pub(super) fn best_split(
    feature: usize,
    column: &Column,
    bins: &[Sums],
    total: &Total,
    limits: &Limits,
    direction: Option<Option<Monotonic>>,
) -> Option<Candidate> {
    let missing = bins.get(column.missing_bin()).copied().unwrap_or_default();
    let mut best: Option<Candidate> = None;
    let mut search = |missing_left: bool| {
        let mut left = if missing_left { missing } else { Sums::default() };
        // With missing values at the right, all others may go left.
        let last = column.thresholds.len() + usize::from(missing.count > 0 && !missing_left);
        for (bin, sums) in bins.iter().enumerate().take(last) {
            left.add(sums);
            let right = total.sums.minus(&left);
            if !limits.allow(&right) {
                if right.count < limits.min_samples_leaf {
                    break;
                }
                continue;
            }
            if sums.count == 0 || !limits.allow(&left) {
                continue;
            }
            let Some(gain) = total.gain(&left, &right, limits, direction) else { continue };
            if gain > best.as_ref().map_or(0.0, |best| best.gain) {
                // Where nothing is missing now, rows without a value go later where most rows go.
                let missing_left = if missing.count > 0 { missing_left } else { left.count > right.count };
                let goes_left = GoesLeft::UpTo(bin);
                best = Some(Candidate { feature, goes_left, missing_left, gain, left });
            }
        }
    };
    search(false);
    if missing.count > 0 {
        search(true);
    }
    best
}
