//! How well scores rank rows: ROC and precision-recall curves, and the areas under them.
//!
//! Rows of equal scores are one point of a curve, as scikit-learn has it: their order means nothing.

use super::outcomes::ClassOutcomes;

/// How well the probability of each class ranks rows; of two classes, only that of the second.
#[derive(Clone, Debug)]
pub(super) struct Ranks(Vec<RankAreas>);

/// The areas under one class's curves. Undefined when the class has no row, or all: then there is nothing to rank it against.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RankAreas {
    pub(super) roc_auc: Option<f64>,
    pub(super) average_precision: Option<f64>,
}

impl Ranks {
    pub(super) fn of(outcomes: &ClassOutcomes) -> Self {
        let first = usize::from(outcomes.classes() == 2);
        let areas = |class| outcomes.scores_of(class).map(|scores| RankCurve::of(scores).areas());
        Self((first..outcomes.classes()).map(|class| areas(class).unwrap_or_default()).collect())
    }

    /// Nothing is measured.
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    /// The mean over the classes; not a number when it is undefined for one of them.
    pub(super) fn mean(&self, of: impl Fn(&RankAreas) -> Option<f64>) -> f64 {
        let sum: f64 = self.0.iter().map(|class| of(class).unwrap_or(f64::NAN)).sum();
        sum / self.0.len() as f64
    }
}

/// The rows above each score, from the highest score on.
#[derive(Clone, Debug)]
pub(super) struct RankCurve {
    /// For each different score, how many rows of other classes, and of this class, have this score or a higher one.
    points: Vec<(u32, u32)>,
}

impl RankCurve {
    /// The curve of scores, each with whether its row is of the class.
    pub(super) fn of(mut scores: Vec<(f64, bool)>) -> Self {
        scores.sort_unstable_by(|left, right| right.0.total_cmp(&left.0));
        let (mut points, mut before) = (Vec::<(u32, u32)>::new(), None);
        // Rows are numbered by 32 bits.
        let (mut others, mut own) = (0_u32, 0_u32);
        for (score, is_own) in scores {
            if is_own {
                own = own.saturating_add(1);
            } else {
                others = others.saturating_add(1);
            }
            // 0 and -0 are one score, whatever their order by bits.
            match points.last_mut() {
                Some(last) if before == Some(score) => *last = (others, own),
                _ => points.push((others, own)),
            }
            before = Some(score);
        }
        Self { points }
    }

    /// All rows: of other classes, and of this one.
    fn totals(&self) -> Option<(f64, f64)> {
        let (others, own) = *self.points.last()?;
        (others > 0 && own > 0).then_some((f64::from(others), f64::from(own)))
    }

    /// False positive and true positive rates, from (0, 0) to (1, 1); none when one of both is undefined.
    pub(super) fn roc(&self) -> Option<impl Iterator<Item = (f64, f64)> + '_> {
        let (others, own) = self.totals()?;
        let rates =
            self.points.iter().map(move |point| (f64::from(point.0) / others, f64::from(point.1) / own));
        Some(std::iter::once((0.0, 0.0)).chain(rates))
    }

    /// Recall and precision, from the highest score on; none when the class has no row.
    pub(super) fn precision_recall(&self) -> Option<impl Iterator<Item = (f64, f64)> + '_> {
        let own = f64::from(self.points.last().map(|point| point.1).filter(|own| *own > 0)?);
        Some(self.points.iter().map(move |(others, found)| {
            let found = f64::from(*found);
            (found / own, found / (f64::from(*others) + found))
        }))
    }

    /// The areas under both curves.
    pub(super) fn areas(&self) -> RankAreas {
        RankAreas { roc_auc: self.roc_auc(), average_precision: self.average_precision() }
    }

    /// The area under the ROC curve.
    fn roc_auc(&self) -> Option<f64> {
        let (others, own) = self.totals()?;
        // Counts are whole numbers, so that twice the area is summed without rounding.
        let (mut twice, mut before) = (0_u128, (0_u64, 0_u64));
        for point in &self.points {
            let point = (u64::from(point.0), u64::from(point.1));
            twice += u128::from(point.0 - before.0) * u128::from(point.1 + before.1);
            before = point;
        }
        Some(twice as f64 / 2.0 / others / own)
    }

    /// Average precision: the precision at each score, weighted by the recall that it adds.
    fn average_precision(&self) -> Option<f64> {
        self.totals()?;
        let (mut sum, mut before) = (0.0, 0.0);
        for (recall, precision) in self.precision_recall()? {
            sum += (recall - before) * precision;
            before = recall;
        }
        Some(sum)
    }
}
