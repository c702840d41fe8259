//! The folds of cross-validation and of a search: which rows are learnt from, and which are measured.
//!
//! Owns which way of folding goes with what is known of the rows, and folds by time. Those are scikit-learn's `TimeSeriesSplit`, but that
//! rows of one time are never parted.

use super::error::TrainError;
use super::samples::Samples;
use super::split::{Parted, Strata, folds};
use super::split_by_value::grouped_folds;

/// Parts these rows into folds: by time where rows are kept back by time, with groups whole where rows have some, else at random.
///
/// # Errors
/// When there are not rows, groups or times enough.
pub(super) fn folds_of(
    samples: &Samples,
    rows: &[u32],
    count: usize,
    seed: i64,
) -> Result<Vec<Parted>, TrainError> {
    let strata = samples.task.strata();
    match (&samples.keys.times, &samples.keys.groups) {
        (Some(times), _) => {
            let folds = time_folds(rows, times, count)?;
            strata.map_or(Ok(()), |strata| check_classes(&folds, &strata))?;
            Ok(folds)
        }
        (None, Some(groups)) => grouped_folds(rows, groups, count, seed, strata),
        (None, None) => folds(rows, count, seed, strata),
    }
}

/// The oldest rows, of which the first fold learns, must have a row of each class; later folds have those rows too.
fn check_classes(folds: &[Parted], strata: &Strata<'_>) -> Result<(), TrainError> {
    let Some(first) = folds.first() else { return Ok(()) };
    let Some(class) = strata.members(&first.train).iter().position(Vec::is_empty) else { return Ok(()) };
    Err(TrainError::Data(format!(
        "crossValidation.folds is {}, and no row of class \"{}\" is among the {} oldest rows, which the first fold learns from; use \
         fewer folds, or leave such rows out in a prepare step",
        folds.len(),
        strata.name.name(class),
        first.train.len()
    )))
}

/// Parts rows by their times: each fold measures rows that are newer than all that it learns from, and has about as many of them
/// as the others. The oldest rows are in no fold.
fn time_folds(rows: &[u32], times: &[f64], folds: usize) -> Result<Vec<Parted>, TrainError> {
    let time = |row: &u32| times.get(*row as usize).copied().unwrap_or(f64::NAN);
    let mut sorted = rows.to_vec();
    // Rows of one time stay in their order.
    sorted.sort_by(|left, right| time(left).total_cmp(&time(right)));
    let size = sorted.len() / (folds + 1);
    // Where a fold begins: at the first row of a time.
    let start = |fold: usize| {
        let place = sorted.len() - (folds - fold) * size;
        let first = sorted.get(place).map_or(f64::NAN, time);
        sorted.partition_point(|row| time(row).total_cmp(&first).is_lt())
    };
    let of_fold = |fold: usize| {
        let (start, end) = (start(fold), if fold + 1 == folds { sorted.len() } else { start(fold + 1) });
        let ascending = |part: &[u32]| {
            let mut part = part.to_vec();
            part.sort_unstable();
            part
        };
        let (train, test) = (sorted.get(..start)?, sorted.get(start..end)?);
        (size > 0 && !train.is_empty() && !test.is_empty())
            .then(|| Parted { train: ascending(train), test: ascending(test) })
    };
    (0..folds).map(of_fold).collect::<Option<Vec<_>>>().ok_or_else(|| {
        TrainError::Data(format!(
            "crossValidation.folds is {folds}, and the {} rows to learn from have too few different times in split.column for {folds} \
             folds, each of them newer than the rows before it; use fewer folds, more rows, or a column with finer times",
            rows.len()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fold_by_time_measures_rows_newer_than_all_it_learns_from() {
        // The times run backwards.
        let times: Vec<f64> = (0..14).map(|row| f64::from(20 - row)).collect();
        let rows: Vec<u32> = (0..14).collect();
        let folds = time_folds(&rows, &times, 3).expect("folds");
        // scikit-learn: the sizes to test with are 14 / 4, rounded down, and the first fold learns from what is left.
        let sizes: Vec<_> = folds.iter().map(|fold| (fold.train.len(), fold.test.len())).collect();
        assert_eq!(sizes, [(5, 3), (8, 3), (11, 3)]);
        for fold in &folds {
            let newest = fold.train.iter().map(|row| times[*row as usize]).fold(f64::MIN, f64::max);
            assert!(fold.test.iter().all(|row| times[*row as usize] > newest));
            assert!(fold.train.is_sorted() && fold.test.is_sorted());
        }
        assert_eq!(folds[2].test, [0, 1, 2]);
    }

    #[test]
    fn rows_of_one_time_are_never_parted() {
        let times = [1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 3.0, 3.0, 4.0];
        let rows: Vec<u32> = (0..9).collect();
        for fold in time_folds(&rows, &times, 2).expect("folds") {
            for row in &fold.test {
                assert!(fold.train.iter().all(|other| times[*other as usize] != times[*row as usize]));
            }
        }
    }

    #[test]
    fn rows_of_too_few_times_are_refused_with_what_to_do() {
        for (times, folds) in [(vec![7.0; 9], 2), (vec![1.0, 2.0], 2), (vec![1.0, 1.0, 1.0, 2.0], 2)] {
            let rows: Vec<u32> = (0..times.len() as u32).collect();
            let message = time_folds(&rows, &times, folds).expect_err("too few").to_string();
            assert!(message.contains("too few different times"), "{message}");
        }
    }
}
