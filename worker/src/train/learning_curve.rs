//! Whether more rows would help: the same step learnt from parts of its rows, each measured on the rows that were kept back.
//!
//! Owns which parts these are. Each is of the one before and more rows, of each class alike, or of one group after the other, and preprocessing
//! is fitted to it alone.

use mlpipeline_crds::Metric;

use super::error::TrainError;
use super::matrix::Rows;
use super::prepared::Prepared;
use super::samples::Samples;
use super::shuffle::Shuffler;
use super::split::Parted;
use super::split_by_value::group_members;
use crate::evaluation::{CurvePoint, LearningCurve, Metrics};
use crate::model::Predictor;

/// The shares of the rows beside all of them.
const SHARES: [f64; 4] = [0.1, 0.25, 0.5, 0.75];

/// Of fewer rows there is no point.
const FEWEST_ROWS: usize = 10;

/// The stream of random numbers that orders rows here, which no other part of training draws from.
const STREAM: u64 = 3;

/// The whole model, which is the last point of its curve.
pub(super) struct Whole<'a> {
    pub(super) prepared: &'a Prepared<'a>,
    pub(super) predictor: &'a Predictor,
    /// Its metrics on the rows that were kept back.
    pub(super) metrics: &'a Metrics,
}

/// The metric after learning from more and more rows. A part that the algorithm cannot learn from has no point.
///
/// # Errors
/// When the whole model cannot be measured on the rows that it learnt from.
pub(super) fn learning_curve(
    samples: &Samples,
    parted: &Parted,
    metric: Metric,
    seed: i64,
    whole: &Whole<'_>,
) -> Result<LearningCurve, TrainError> {
    let ordered = ordered(samples, &parted.train, seed);
    let mut points = Vec::new();
    for rows in SHARES.into_iter().map(|share| part(&ordered, share)).filter(|rows| rows.len() >= FEWEST_ROWS)
    {
        match point(samples, &rows, &parted.test, metric) {
            Ok(point) => points.extend(point),
            Err(error @ (TrainError::Memory(_) | TrainError::Internal(_))) => return Err(error),
            // Such as a class without a row.
            Err(_) => {}
        }
    }
    let train = value(samples, whole.prepared, whole.predictor, &parted.train, metric)?;
    if let (Some(train), Some(test)) = (train, whole.metrics.get(metric.name())) {
        points.push(CurvePoint { rows: parted.train.len() as u64, train, test: *test });
    }
    Ok(LearningCurve { metric, points })
}

/// What these rows give, where the metric is defined.
fn point(
    samples: &Samples,
    rows: &[u32],
    test: &[u32],
    metric: Metric,
) -> Result<Option<CurvePoint>, TrainError> {
    let prepared = Prepared::fit(samples, rows)?;
    let fitted = prepared.learn(samples, rows)?;
    let of = |rows: &[u32]| value(samples, &prepared, &fitted.predictor, rows, metric);
    let both = of(rows)?.zip(of(test)?);
    Ok(both.map(|(train, test)| CurvePoint { rows: rows.len() as u64, train, test }))
}

/// The rows of each class, or all of them, in an order of which any beginning is a part. Rows that belong together follow each other.
fn ordered(samples: &Samples, rows: &[u32], seed: i64) -> Vec<Vec<u32>> {
    let mut shuffler = Shuffler::stream(seed, STREAM);
    if let Some(groups) = &samples.keys.groups {
        return vec![by_group(rows, groups, &mut shuffler)];
    }
    let mut members = match samples.task.strata() {
        Some(strata) => strata.members(rows),
        None => vec![rows.to_vec()],
    };
    members.iter_mut().for_each(|members| shuffler.shuffle(members));
    members
}

fn by_group(rows: &[u32], groups: &[u32], shuffler: &mut Shuffler) -> Vec<u32> {
    let mut members: Vec<Vec<u32>> = group_members(rows, groups).into_values().collect();
    shuffler.shuffle(&mut members);
    members.concat()
}

fn part(ordered: &[Vec<u32>], share: f64) -> Vec<u32> {
    let first = |members: &Vec<u32>| {
        let count = (members.len() as f64 * share).ceil() as usize;
        members.iter().take(count).copied().collect::<Vec<u32>>()
    };
    let mut rows: Vec<u32> = ordered.iter().flat_map(first).collect();
    rows.sort_unstable();
    rows
}

fn value(
    samples: &Samples,
    prepared: &Prepared<'_>,
    predictor: &Predictor,
    rows: &[u32],
    metric: Metric,
) -> Result<Option<f64>, TrainError> {
    let outcomes = samples.task.measure(predictor, &Rows::new(&prepared.matrix, rows))?;
    Ok(outcomes.metrics_where(|one| one == metric).get(metric.name()).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_all_rows_of_the_one_before_and_some_of_every_class() {
        let ordered = vec![(0..90).rev().collect::<Vec<u32>>(), vec![95, 93]];
        let parts: Vec<Vec<u32>> = SHARES.iter().map(|share| part(&ordered, *share)).collect();
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [10, 24, 46, 70]);
        for pair in parts.windows(2) {
            assert!(pair[0].iter().all(|row| pair[1].contains(row)));
        }
        assert!(parts[0].contains(&95));
    }

    #[test]
    fn rows_of_a_group_follow_each_other() {
        let rows: Vec<u32> = (0..30).collect();
        let groups: Vec<u32> = rows.iter().map(|row| row % 5).collect();
        let ordered = by_group(&rows, &groups, &mut Shuffler::stream(0, STREAM));
        let changes = ordered.windows(2).filter(|pair| pair[0] % 5 != pair[1] % 5).count();
        assert_eq!((ordered.len(), changes), (30, 4));
        assert_ne!(ordered[..6], [0, 5, 10, 15, 20, 25]);
    }
}
