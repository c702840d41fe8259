//! Keeping rows back by a value that each of them has: a hash, a time, or the group that it belongs to.
//!
//! Owns which rows go where then. Sizes are about the share that is asked for, since rows of equal values are never parted.

use std::collections::BTreeMap;

use super::error::TrainError;
use super::shuffle::Shuffler;
use super::split::{Parted, Strata};

/// Keeps back the rows whose hash is in the lowest share of all possible ones, whatever other rows there are.
pub(super) fn split_by_hash(hashes: &[u64], share: f64) -> Result<Parted, TrainError> {
    // 2^64 is a float, and a share of it below 2^64 is a whole number of 64 bits or rounds to one.
    let bound = (share * 18_446_744_073_709_551_616.0) as u64;
    parted(hashes.len(), |row| hashes.get(row).is_some_and(|hash| *hash < bound)).ok_or_else(|| {
        TrainError::Data(format!(
            "a test split of {share} by hash keeps back all or none of {} rows, whose values are few; use more rows, another \
             share or seed, or a column with more different values",
            hashes.len()
        ))
    })
}

/// Keeps back the newest rows: a share of them, rounded up, and those of the same time as the oldest of these.
pub(super) fn split_by_time(times: &[f64], share: f64) -> Result<Parted, TrainError> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let test_count = (share * times.len() as f64).ceil() as usize;
    let oldest = sorted.get(times.len().saturating_sub(test_count)).copied().unwrap_or(f64::NAN);
    parted(times.len(), |row| times.get(row).is_some_and(|time| *time >= oldest)).ok_or_else(|| {
        TrainError::Data(format!(
            "a test split of {share} by time leaves no rows to learn from: the {} rows have too few different times; use more \
             rows, a smaller share, or a column with finer times",
            times.len()
        ))
    })
}

/// Keeps back a share of the groups, rounded up, drawn by the seed: the sizes of scikit-learn's `GroupShuffleSplit`.
pub(super) fn split_by_group(groups: &[u32], share: f64, seed: i64) -> Result<Parted, TrainError> {
    let count = groups.iter().max().map_or(0, |last| *last as usize + 1);
    let mut drawn: Vec<u32> = (0..count as u32).collect();
    Shuffler::new(seed).shuffle(&mut drawn);
    let test_count = (share * count as f64).ceil() as usize;
    let mut is_test = vec![false; count];
    for group in drawn.iter().take(test_count) {
        if let Some(is_test) = is_test.get_mut(*group as usize) {
            *is_test = true;
        }
    }
    let kept = |row: usize| groups.get(row).and_then(|group| is_test.get(*group as usize)) == Some(&true);
    parted(groups.len(), kept).ok_or_else(|| {
        TrainError::Data(format!(
            "a test split of {share} of {count} groups leaves none to learn from; use another share, or a groupBy column with \
             more different values"
        ))
    })
}

/// The rows that are kept back and the others; none where one side is empty.
fn parted(rows: usize, is_test: impl Fn(usize) -> bool) -> Option<Parted> {
    let (test, train): (Vec<u32>, Vec<u32>) =
        (0..u32::try_from(rows).unwrap_or(u32::MAX)).partition(|row| is_test(*row as usize));
    (!test.is_empty() && !train.is_empty()).then_some(Parted { train, test })
}

/// The rows of each group, by the group's number.
pub(super) fn group_members(rows: &[u32], groups: &[u32]) -> BTreeMap<u32, Vec<u32>> {
    let mut members = BTreeMap::<u32, Vec<u32>>::new();
    for row in rows {
        members.entry(groups.get(*row as usize).copied().unwrap_or_default()).or_default().push(*row);
    }
    members
}

/// Parts rows into folds so that rows of a group are in one fold. The largest groups come first, each into the fold that has least
/// of what it brings: of its classes, where there are some, as scikit-learn's `StratifiedGroupKFold` aims at, else of rows, as its
/// `GroupKFold` does.
pub(super) fn grouped_folds(
    rows: &[u32],
    groups: &[u32],
    folds: usize,
    seed: i64,
    strata: Option<Strata<'_>>,
) -> Result<Vec<Parted>, TrainError> {
    let class =
        |row: u32| strata.and_then(|strata| strata.classes.get(row as usize)).copied().unwrap_or(0) as usize;
    let classes = strata.map_or(1, |strata| strata.count);
    let members = group_members(rows, groups);
    let mut totals = vec![0_u32; classes];
    for row in rows {
        if let Some(total) = totals.get_mut(class(*row)) {
            *total += 1;
        }
    }
    if members.len() < folds {
        return Err(TrainError::Data(format!(
            "crossValidation.folds is {folds}, and the rows to learn from are of {} groups, of which each is in one fold; use \
             fewer folds, or a groupBy column with more different values",
            members.len()
        )));
    }
    let mut members: Vec<Vec<u32>> = members.into_values().collect();
    Shuffler::new(seed).shuffle(&mut members);
    // The sort keeps the drawn order of groups of one size.
    members.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
    let mut placed: Vec<(Vec<u32>, Vec<u32>)> = vec![(vec![0; classes], Vec::new()); folds];
    for group in members {
        // What a fold has of the group's classes, each as a share of all its rows.
        let load = |counts: &[u32]| {
            let of = |row: &u32| {
                let count = counts.get(class(*row)).copied().unwrap_or_default();
                f64::from(count) / f64::from(totals.get(class(*row)).copied().unwrap_or(1)).powi(2)
            };
            group.iter().map(of).sum::<f64>()
        };
        let lightest = placed.iter_mut().min_by(|left, right| {
            load(&left.0).total_cmp(&load(&right.0)).then(left.1.len().cmp(&right.1.len()))
        });
        let Some((counts, rows)) = lightest else { continue };
        for row in &group {
            if let Some(count) = counts.get_mut(class(*row)) {
                *count += 1;
            }
        }
        rows.extend(group);
    }
    let tests = placed.into_iter().map(|(_, mut test)| {
        test.sort_unstable();
        let train = rows.iter().copied().filter(|row| test.binary_search(row).is_err()).collect();
        Parted { train, test }
    });
    Ok(tests.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::split::Names;

    #[derive(Debug)]
    struct Unnamed;

    impl Names for Unnamed {
        fn name(&self, class: usize) -> String {
            class.to_string()
        }
    }

    fn hashes(count: u64) -> Vec<u64> {
        (0..count).map(|row| row.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect()
    }

    #[test]
    fn by_hash_rows_that_are_added_or_moved_change_nothing_for_the_others() {
        let few = hashes(1000);
        let before = split_by_hash(&few, 0.2).expect("a split");
        assert!((150..250).contains(&before.test.len()), "{}", before.test.len());
        let after = split_by_hash(&hashes(1500), 0.2).expect("a split");
        let old: Vec<u32> = after.test.into_iter().filter(|row| *row < 1000).collect();
        assert_eq!(old, before.test);
        let backwards: Vec<u64> = few.iter().rev().copied().collect();
        let turned = split_by_hash(&backwards, 0.2).expect("a split");
        let mut found: Vec<u32> = turned.test.into_iter().map(|row| 999 - row).collect();
        found.sort_unstable();
        assert_eq!(found, before.test);
    }

    #[test]
    fn by_time_the_newest_rows_are_kept_back_whatever_their_order() {
        let times = [5.0, 1.0, 4.0, 2.0, 3.0];
        let split = split_by_time(&times, 0.4).expect("a split");
        assert_eq!(split, Parted { train: vec![1, 3, 4], test: vec![0, 2] });
        // Rows of one time are never parted.
        let split = split_by_time(&[1.0, 2.0, 2.0, 2.0], 0.25).expect("a split");
        assert_eq!(split, Parted { train: vec![0], test: vec![1, 2, 3] });
    }

    #[test]
    fn by_group_a_share_of_the_groups_is_kept_back_whole() {
        let groups: Vec<u32> = (0..100).map(|row| row % 10).collect();
        let split = split_by_group(&groups, 0.25, 1).expect("a split");
        assert_eq!(split.test.len(), 30);
        let of = |rows: &[u32]| rows.iter().map(|row| row % 10).collect::<std::collections::BTreeSet<_>>();
        assert!(of(&split.test).is_disjoint(&of(&split.train)));
        assert_eq!(split, split_by_group(&groups, 0.25, 1).expect("a split"));
        assert_ne!(split, split_by_group(&groups, 0.25, 2).expect("a split"));
    }

    #[test]
    fn folds_keep_groups_whole_and_are_even_in_rows_and_classes() {
        // 60 groups of 1 to 3 rows; each group is of one class, a quarter of them of class 1.
        let groups: Vec<u32> = (0..60).flat_map(|group| vec![group; group as usize % 3 + 1]).collect();
        let classes: Vec<u32> = groups.iter().map(|group| u32::from(group % 4 == 0)).collect();
        let rows: Vec<u32> = (0..groups.len() as u32).collect();
        for strata in [None, Some(Strata { classes: &classes, count: 2, name: &Unnamed })] {
            let folds = grouped_folds(&rows, &groups, 4, 0, strata).expect("folds");
            let mut all: Vec<u32> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
            all.sort_unstable();
            assert_eq!(all, rows);
            for fold in folds {
                assert!((29..=31).contains(&fold.test.len()), "{}", fold.test.len());
                assert_eq!(fold.train.len() + fold.test.len(), rows.len());
                let group = |row: &u32| groups[*row as usize];
                assert!(
                    fold.test.iter().all(|row| !fold.train.iter().any(|other| group(other) == group(row)))
                );
                let ones: u32 = fold.test.iter().map(|row| classes[*row as usize]).sum();
                assert!(strata.is_none() || (7..=8).contains(&ones), "{ones}");
            }
        }
    }

    #[test]
    fn impossible_parts_are_refused_and_say_what_to_do() {
        let rows = [
            (split_by_hash(&[7; 9], 0.5).map(|_| ()), "all or none of 9 rows"),
            (split_by_time(&[7.0; 9], 0.5).map(|_| ()), "too few different times"),
            (split_by_group(&[0; 9], 0.5, 0).map(|_| ()), "of 1 groups leaves none"),
            (grouped_folds(&[0, 1, 2], &[0, 0, 1], 3, 0, None).map(|_| ()), "are of 2 groups"),
        ];
        for (result, expected) in rows {
            let message = result.expect_err(expected).to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
