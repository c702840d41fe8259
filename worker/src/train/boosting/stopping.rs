//! Early stopping: which rows the trees do not see, and when there is nothing more to gain on them.
//!
//! What counts as a gain is scikit-learn's. Which rows are kept back is this project's draw, by a seed: the same on every machine.
//! Must not know trees or losses.

use std::collections::BTreeSet;

use mlpipeline_crds::{EarlyStopping, GradientBoosting as Parameters};

use super::super::error::TrainError;
use super::super::matrix::{PartedBy, Rows};
use super::super::shuffle::Shuffler;
use super::super::split::Parted;
use super::super::split_by_value::group_members;

/// With more rows than this, `auto` stops early.
const AUTO_ROWS: usize = 10_000;

/// How boosting stops early.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopping {
    when: EarlyStopping,
    share: f64,
    patience: usize,
    tolerance: f64,
    seed: i64,
}

impl Stopping {
    pub(super) fn new(parameters: &Parameters) -> Self {
        let patience = parameters.n_iter_no_change.unwrap_or(Parameters::DEFAULT_N_ITER_NO_CHANGE);
        Self {
            when: parameters.early_stopping.unwrap_or_default(),
            share: parameters.validation_fraction.unwrap_or(Parameters::DEFAULT_VALIDATION_FRACTION),
            patience: patience.unsigned_abs() as usize,
            tolerance: parameters.tol.unwrap_or(Parameters::DEFAULT_TOL),
            seed: parameters.seed.unwrap_or(Parameters::DEFAULT_SEED),
        }
    }

    /// The rows that trees learn from, and those that say when to stop; none where nothing is to stop early. Rows are parted as
    /// for measuring: whole groups, the newest, or of each class its share.
    ///
    /// # Errors
    /// When no row would be kept back, or none be left, also of one class.
    pub(super) fn part(
        &self,
        rows: &Rows<'_>,
        class: impl Fn(u32) -> u32,
        classes: usize,
    ) -> Result<Option<Parted>, TrainError> {
        let stops = match self.when {
            EarlyStopping::Never => false,
            EarlyStopping::Auto => rows.len() > AUTO_ROWS,
            EarlyStopping::Always => true,
        };
        if !stops {
            return Ok(None);
        }
        let (mut train, mut test) = match rows.to_part() {
            PartedBy::Chance => self.by_chance(rows, &class, classes),
            PartedBy::Groups(groups) => self.by_group(rows, groups),
            PartedBy::Times(times) => self.by_time(rows, times),
        };
        if test.is_empty() || train.is_empty() {
            let (way, what, advice) = match rows.to_part() {
                PartedBy::Chance => ("", "", "raise"),
                PartedBy::Groups(_) => (", by whole groups of groupBy", " or all", "change"),
                PartedBy::Times(_) => (", the newest by split.column", " or all", "change"),
            };
            return Err(TrainError::Data(format!(
                "earlyStopping keeps the share {} of {} rows back{way}, which is none{what}; {advice} validationFraction, or set \
                 earlyStopping to never",
                self.share,
                rows.len()
            )));
        }
        let learnt: BTreeSet<u32> = train.iter().map(|row| class(*row)).collect();
        if let Some(lost) = test.iter().map(|row| class(*row)).find(|class| !learnt.contains(class)) {
            return Err(TrainError::Data(format!(
                "earlyStopping keeps all {} rows of one of the classes back, and trees cannot learn it; change validationFraction, or set \
                 earlyStopping to never",
                test.iter().filter(|row| class(**row) == lost).count()
            )));
        }
        train.sort_unstable();
        test.sort_unstable();
        Ok(Some(Parted { train, test }))
    }

    /// The rows to learn from and those that are kept back: of each class its share, but never its last row.
    fn by_chance(&self, rows: &Rows<'_>, class: impl Fn(u32) -> u32, classes: usize) -> (Vec<u32>, Vec<u32>) {
        let mut members = vec![Vec::new(); classes.max(1)];
        for row in rows.numbers() {
            if let Some(members) = members.get_mut(class(*row) as usize) {
                members.push(*row);
            }
        }
        let mut shuffler = Shuffler::new(self.seed);
        let (mut train, mut test) = (Vec::new(), Vec::new());
        for mut members in members {
            shuffler.shuffle(&mut members);
            let kept = (members.len() as f64 * self.share).round() as usize;
            train.extend(members.split_off(kept.min(members.len().saturating_sub(1))));
            test.extend(members);
        }
        (train, test)
    }

    /// The rows of groups that are drawn until the share of the rows is kept back, and the others.
    fn by_group(&self, rows: &Rows<'_>, groups: &[u32]) -> (Vec<u32>, Vec<u32>) {
        let mut members: Vec<Vec<u32>> = group_members(rows.numbers(), groups).into_values().collect();
        Shuffler::new(self.seed).shuffle(&mut members);
        let most = rows.len() as f64 * self.share;
        let (mut train, mut test) = (Vec::new(), Vec::new());
        for group in members {
            // A group goes where the share is nearer by it.
            let is_kept = test.len() as f64 + group.len() as f64 / 2.0 <= most;
            (if is_kept { &mut test } else { &mut train }).extend(group);
        }
        (train, test)
    }

    /// The newest rows, about the share of them, and the others.
    fn by_time(&self, rows: &Rows<'_>, times: &[f64]) -> (Vec<u32>, Vec<u32>) {
        let time = |row: &u32| times.get(*row as usize).copied().unwrap_or(f64::NAN);
        let mut sorted: Vec<f64> = rows.numbers().iter().map(time).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let kept = (rows.len() as f64 * self.share).round() as usize;
        let oldest = sorted.get(rows.len().saturating_sub(kept)).copied().unwrap_or(f64::INFINITY);
        rows.numbers().iter().partition(|row| time(row) < oldest)
    }

    /// Whether these losses, the newest last and the first that of no tree, have not become lower for long enough.
    pub(super) fn is_over(&self, losses: &[f64]) -> bool {
        let Some(before) = losses.len().checked_sub(self.patience + 1) else { return false };
        let (old, recent) = losses.split_at(before + 1);
        let bound = old.last().copied().unwrap_or(f64::INFINITY) - self.tolerance;
        !recent.iter().any(|loss| *loss < bound)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::matrix::Matrix;
    use super::*;

    fn stopping(when: EarlyStopping, share: f64) -> Stopping {
        Stopping::new(&Parameters {
            early_stopping: Some(when),
            validation_fraction: Some(share),
            n_iter_no_change: Some(3),
            tol: Some(0.01),
            ..Parameters::default()
        })
    }

    #[test]
    fn it_is_over_when_none_of_the_last_losses_is_lower_than_the_one_before_them() {
        let stopping = stopping(EarlyStopping::Always, 0.1);
        for (losses, over) in [
            (vec![1.0, 1.0, 1.0], false),
            (vec![1.0, 1.0, 1.0, 1.0], true),
            (vec![1.0, 1.0, 0.98, 1.0], false),
            (vec![1.0, 0.995, 0.992, 0.991], true),
            (vec![2.0, 1.0, f64::NAN, f64::NAN, f64::NAN], true),
        ] {
            assert_eq!(stopping.is_over(&losses), over, "{losses:?}");
        }
    }

    #[test]
    fn each_class_keeps_its_share_and_never_loses_its_last_row() {
        let mut matrix = Matrix::new(1);
        matrix.extend(&[0.0; 101]);
        let numbers: Vec<u32> = (0..101).collect();
        let rows = Rows::new(&matrix, &numbers);
        // One row of class 2, 20 of class 1 and 80 of class 0.
        let class = |row: u32| if row == 100 { 2 } else { u32::from(row.is_multiple_of(5)) };
        let part = |when, share| stopping(when, share).part(&rows, class, 3);
        assert_eq!(part(EarlyStopping::Never, 0.1).expect("parts"), None);
        assert_eq!(part(EarlyStopping::Auto, 0.1).expect("few rows"), None);
        let parted = part(EarlyStopping::Always, 0.1).expect("parts").expect("some");
        let of = |number: u32| parted.test.iter().filter(|row| class(**row) == number).count();
        assert_eq!((of(0), of(1), of(2)), (8, 2, 0));
        assert_eq!(parted.train.len() + parted.test.len(), 101);
        assert_eq!(part(EarlyStopping::Always, 0.1).expect("parts").expect("some"), parted);
        assert!(
            part(EarlyStopping::Always, 1e-9)
                .expect_err("none kept")
                .to_string()
                .contains("validationFraction")
        );
    }
    #[test]
    fn groups_stay_whole_and_the_newest_rows_are_kept_back() {
        let mut matrix = Matrix::new(1);
        matrix.extend(&[0.0; 100]);
        let numbers: Vec<u32> = (0..100).filter(|row| row % 10 != 9).collect();
        let rows = Rows::new(&matrix, &numbers);
        let part = |by, share| stopping(EarlyStopping::Always, share).part(&rows.parted_by(by), |_| 0, 1);
        let groups: Vec<u32> = (0..100).map(|row| row / 10).collect();
        let parted = part(PartedBy::Groups(&groups), 0.2).expect("parts").expect("some");
        assert_eq!((parted.train.len(), parted.test.len()), (72, 18));
        assert!(parted.test.iter().all(|row| parted.train.iter().all(|other| other / 10 != row / 10)));
        // The times run backwards, and two rows have each.
        let times: Vec<f64> = (0..100).map(|row| f64::from((100 - row) / 2)).collect();
        let parted = part(PartedBy::Times(&times), 0.1).expect("parts").expect("some");
        assert_eq!(parted.test, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        // Class 1 has come up lately, or is all of the first group's.
        let parted = |by, share, newest: u32| {
            let class = |row: u32| u32::from(row < newest);
            stopping(EarlyStopping::Always, share).part(&rows.parted_by(by), class, 2)
        };
        assert!(parted(PartedBy::Times(&times), 0.1, 12).is_ok());
        let message = parted(PartedBy::Times(&times), 0.1, 5).expect_err("no row is left").to_string();
        assert!(message.contains("keeps all 5 rows of one of the classes back"), "{message}");
        let message = parted(PartedBy::Groups(&groups), 0.9, 10).expect_err("one group is left").to_string();
        assert!(message.contains("rows of one of the classes back"), "{message}");
        for by in [PartedBy::Groups(&[0; 100]), PartedBy::Times(&[1.0; 100])] {
            let message = part(by, 0.2).expect_err("one side has no rows").to_string();
            assert!(message.contains("none or all"), "{message}");
        }
    }
}
