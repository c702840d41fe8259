//! Keeping rows back: the test split and the folds of cross-validation.
//!
//! Owns which rows go where; a row is its number in the matrix. Sizes are those of scikit-learn's `train_test_split`,
//! `StratifiedShuffleSplit`, `KFold` and `StratifiedKFold`; which rows it is, is the shuffle's.

use super::error::TrainError;
use super::shuffle::Shuffler;

/// Rows to learn from and rows to measure with, each in ascending order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parted {
    pub(super) train: Vec<u32>,
    pub(super) test: Vec<u32>,
}

/// The classes of all rows, by number, where the parts are to have each class's share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strata<'a> {
    /// The class of each row.
    pub(super) classes: &'a [u32],
    /// How many classes there are.
    pub(super) count: usize,
    /// Their names, for messages.
    pub(super) name: &'a dyn Names,
}

/// What classes are called.
pub(super) trait Names: std::fmt::Debug {
    /// The name of a class.
    fn name(&self, class: usize) -> String;
}

impl Strata<'_> {
    /// The rows of each class.
    pub(super) fn members(&self, rows: &[u32]) -> Vec<Vec<u32>> {
        let mut members = vec![Vec::new(); self.count];
        for row in rows {
            let class = self.classes.get(*row as usize).map_or(0, |class| *class as usize);
            if let Some(members) = members.get_mut(class) {
                members.push(*row);
            }
        }
        members
    }
}

/// Keeps back a share of the rows: `test` × rows, rounded up.
pub(super) fn split(
    rows: u32,
    share: f64,
    seed: i64,
    strata: Option<Strata<'_>>,
) -> Result<Parted, TrainError> {
    // A share of f64 times at most 2^32 rows is exact enough to round, and not negative.
    let test_count = (share * f64::from(rows)).ceil() as u32;
    if test_count == 0 || test_count >= rows {
        return Err(TrainError::Data(format!(
            "a test split of {share} leaves {} of {rows} rows to learn from; use more rows or another share",
            rows.saturating_sub(test_count)
        )));
    }
    let mut shuffler = Shuffler::new(seed);
    let mut all: Vec<u32> = (0..rows).collect();
    let (mut train, mut test) = match strata {
        None => {
            shuffler.shuffle(&mut all);
            let train = all.split_off(test_count as usize);
            (train, all)
        }
        Some(strata) => stratified(&strata, strata.members(&all), test_count, rows, &mut shuffler)?,
    };
    train.sort_unstable();
    test.sort_unstable();
    Ok(Parted { train, test })
}

fn stratified(
    strata: &Strata<'_>,
    members: Vec<Vec<u32>>,
    test_count: u32,
    rows: u32,
    shuffler: &mut Shuffler,
) -> Result<(Vec<u32>, Vec<u32>), TrainError> {
    let classes = members.len() as u32;
    if let Some(class) = members.iter().position(|members| members.len() < 2) {
        return Err(TrainError::Data(format!(
            "class \"{}\" has only 1 row, and a stratified split needs each class on both sides; leave such rows out \
             in a prepare step, or set split.stratify to false",
            strata.name.name(class)
        )));
    }
    if test_count < classes || rows - test_count < classes {
        return Err(TrainError::Data(format!(
            "a stratified split into {} rows to learn from and {test_count} to test with cannot have each of {classes} \
             classes on both sides; use more rows or another share",
            rows - test_count
        )));
    }
    let sizes: Vec<u32> = members.iter().map(|members| members.len() as u32).collect();
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (mut members, count) in members.into_iter().zip(apportion(&sizes, test_count)) {
        shuffler.shuffle(&mut members);
        train.extend(members.split_off((count as usize).min(members.len())));
        test.extend(members);
    }
    Ok((train, test))
}

/// How many of each class go to the test part: by largest remainder, and at least one row of each class on each side. Each
/// class has at least 2 rows, and `total` leaves room for all classes on both sides.
fn apportion(sizes: &[u32], total: u32) -> Vec<u32> {
    let rows: u64 = sizes.iter().map(|size| u64::from(*size)).sum();
    let quota = |size: u32| f64::from(size) * f64::from(total) / (rows as f64);
    let mut counts: Vec<u32> =
        sizes.iter().map(|size| (quota(*size) as u32).clamp(1, size.saturating_sub(1).max(1))).collect();
    loop {
        let sum: u64 = counts.iter().map(|count| u64::from(*count)).sum();
        let lacks = sum < u64::from(total);
        if sum == u64::from(total) {
            return counts;
        }
        let mut best: Option<(usize, f64)> = None;
        for (index, (size, count)) in sizes.iter().zip(&counts).enumerate() {
            let (room, gain) = if lacks {
                (count + 1 < *size, quota(*size) - f64::from(*count))
            } else {
                (*count > 1, f64::from(*count) - quota(*size))
            };
            if room && best.is_none_or(|(_, best)| gain > best) {
                best = Some((index, gain));
            }
        }
        match best.and_then(|(index, _)| counts.get_mut(index)) {
            Some(count) if lacks => *count += 1,
            Some(count) => *count -= 1,
            None => return counts,
        }
    }
}

/// Parts rows into folds, and gives for each fold the other rows to learn from and its own to measure with. Stratified,
/// every class must have at least as many rows as there are folds.
pub(super) fn folds(
    rows: &[u32],
    folds: usize,
    seed: i64,
    strata: Option<Strata<'_>>,
) -> Result<Vec<Parted>, TrainError> {
    let groups = match strata {
        None => vec![rows.to_vec()],
        Some(strata) => strata.members(rows),
    };
    for (class, members) in groups.iter().enumerate() {
        if members.len() < folds {
            let what = strata
                .map_or_else(String::new, |strata| format!("class \"{}\" with ", strata.name.name(class)));
            return Err(TrainError::Data(format!(
                "crossValidation.folds is {folds}, and {what}{} rows to learn from cannot be in each; use fewer folds, or \
                 more rows",
                members.len()
            )));
        }
    }
    let mut shuffler = Shuffler::new(seed);
    let mut fold_of = Vec::with_capacity(rows.len());
    for mut members in groups {
        shuffler.shuffle(&mut members);
        // Dealing continues where the class before ended, so that the folds' sizes differ by one row at most.
        let start = fold_of.len();
        fold_of.extend(members.into_iter().enumerate().map(|(index, row)| (row, (start + index) % folds)));
    }
    fold_of.sort_unstable();
    let part = |fold: usize, own: bool| {
        fold_of.iter().filter(|(_, of)| (*of == fold) == own).map(|(row, _)| *row).collect::<Vec<_>>()
    };
    Ok((0..folds).map(|fold| Parted { train: part(fold, false), test: part(fold, true) }).collect())
}

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;
