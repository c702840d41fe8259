//! A direction in which weights can grow without a limit, and the loss only falls: a direction of recession (R. T. Rockafellar, "Convex
//! Analysis", 1970).
//!
//! Owns how one is found from where a solver stopped. Rows that are as good as settled there may move, and all others must stay. What is
//! found is then checked by each row, so that it is such a direction. Must not know of classes or counts.

use linfa_linalg::eigh::EighInto;
use ndarray::{Array2, ArrayView1, linalg::general_mat_mul};

use super::matrix::{BLOCK_ROWS, Rows, blocks, top};
use super::parallel::over_shards;
use super::scaling::Scaling;
use super::vector::{add, dot};

/// With more columns, the search would cost more than it tells: it grows with their cube.
const MOST_COLUMNS: usize = 256;

/// The mean square along a direction in which nothing moves, beside scaled columns whose mean square is 1.
const STILL: f64 = 1e-10;

/// By how much rounding may move a row to the wrong side, as a share of what its columns move it by. Each row has its own bound: beside the
/// furthest row, what all others move may be small.
const ROUNDED: f64 = 1e-10;

/// So far, at least, a row moves that has no end: where a solver stopped, its sum was further.
const LEAST_MOVE: f64 = 1.0;

/// How the sum of a row may move, so that its loss does not rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum May {
    /// Only up.
    Rise,
    /// Only down.
    Fall,
    /// Not at all.
    Stay,
}

/// The direction in the columns' scaled units, found from the weights and the intercept, if there is one, of a sum. `ask` says of a row's
/// number and sum how it may move, and whether its loss is as good as 0.
pub(super) fn endless_direction(
    rows: &Rows<'_>,
    weights: ArrayView1<'_, f64>,
    intercept: Option<f64>,
    ask: impl Fn(usize, f64) -> (May, bool) + Sync,
) -> Option<Vec<f64>> {
    let width = rows.width();
    if width == 0 || width > MOST_COLUMNS {
        return None;
    }
    let scaling = Scaling::measure(rows);
    let scaling = if intercept.is_some() { scaling } else { scaling.about_zero() };
    let mut reached: Vec<f64> = weights.iter().zip(&scaling.deviations).map(|(w, size)| w * size).collect();
    if let Some(intercept) = intercept {
        let at_means = weights.iter().zip(&scaling.means).map(|(weight, mean)| weight * mean).sum::<f64>();
        reached.push(intercept + at_means);
    }
    let mut direction = still(unsettled(rows, &scaling, &reached, &ask)?, &reached)?;
    let parts = over_shards(rows.len(), |range| {
        let (mut furthest, mut is_wrong) = (0.0_f64, false);
        let mut scaled = vec![0.0; reached.len()];
        for (number, row) in rows.range(range) {
            write(&scaling, &row, &mut scaled);
            let moved = dot(&scaled, &direction);
            furthest = furthest.max(moved.abs());
            let wrong = match ask(number, dot(&scaled, &reached)).0 {
                May::Rise => -moved,
                May::Fall => moved,
                May::Stay => moved.abs(),
            };
            let by_columns: f64 = scaled.iter().zip(&direction).map(|(value, by)| (value * by).abs()).sum();
            is_wrong |= wrong > ROUNDED * by_columns;
        }
        (furthest, is_wrong)
    });
    let (furthest, is_wrong) =
        parts.into_iter().fold((0.0_f64, false), |all, part| (all.0.max(part.0), all.1 || part.1));
    if furthest < LEAST_MOVE || is_wrong {
        return None;
    }
    direction.truncate(width);
    Some(direction)
}

/// Writes a scaled row and, where there is a place for it, the 1 that an intercept is multiplied by.
fn write(scaling: &Scaling, row: &[f64], out: &mut [f64]) {
    out.fill(1.0);
    scaling.apply(row, out);
}

/// The mean products of each two columns over the rows that are not settled.
fn unsettled(
    rows: &Rows<'_>,
    scaling: &Scaling,
    reached: &[f64],
    ask: &(impl Fn(usize, f64) -> (May, bool) + Sync),
) -> Option<Array2<f64>> {
    let size = reached.len();
    let parts = over_shards(rows.len(), |range| {
        let mut moments = Array2::<f64>::zeros((size, size));
        let mut block = Array2::<f64>::zeros((BLOCK_ROWS, size));
        for range in blocks(range) {
            let mut part = top(&mut block, range.len());
            for ((number, row), mut place) in rows.range(range).zip(part.rows_mut()) {
                let Some(scaled) = place.as_slice_mut() else { continue };
                write(scaling, &row, scaled);
                let (may, is_settled) = ask(number, dot(scaled, reached));
                if may != May::Stay && is_settled {
                    scaled.fill(0.0);
                }
            }
            general_mat_mul(1.0, &part.t(), &part, 1.0, &mut moments);
        }
        moments
    });
    let mut moments = Array2::<f64>::zeros((size, size));
    for part in &parts {
        moments += part;
    }
    moments /= rows.len().max(1) as f64;
    moments.iter().all(|moment| moment.is_finite()).then_some(moments)
}

/// As much of what was reached as moves none of the rows with these mean products.
fn still(moments: Array2<f64>, reached: &[f64]) -> Option<Vec<f64>> {
    let (values, vectors) = moments.eigh_into().ok()?;
    let mut direction = vec![0.0; reached.len()];
    for (value, vector) in values.iter().zip(vectors.columns()) {
        if *value <= STILL {
            let vector = vector.to_vec();
            add(&mut direction, dot(&vector, reached), &vector);
        }
    }
    Some(direction)
}
