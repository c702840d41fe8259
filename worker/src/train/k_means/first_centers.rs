//! The first centres: rows that are drawn far from each other.
//!
//! D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful seeding" (2007); as scikit-learn, some candidates are drawn
//! for each centre, and the one that leaves the rows nearest is taken.

use super::super::error::TrainError;
use super::super::matrix::Rows;
use super::super::parallel::{over_items, over_shards};
use super::super::row::Row;
use super::super::shuffle::Shuffler;
use crate::model::Centers;
use crate::model::squared_distance;

/// Draws so many centres among the rows.
///
/// # Errors
/// When fewer rows than that are different.
pub(super) fn first_centers(
    rows: &Rows<'_>,
    count: usize,
    shuffler: &mut Shuffler,
) -> Result<Vec<Vec<f64>>, TrainError> {
    let candidates = 2 + (count as f64).ln() as usize;
    let row = |number: usize| -> Vec<f64> {
        rows.range(number..number + 1).next().map(|(_, row)| row.to_vec()).unwrap_or_default()
    };
    let mut centers = vec![row(shuffler.below(rows.len() as u64) as usize)];
    // The squared distance of each row from the nearest centre so far, shard by shard.
    let shards = over_shards(rows.len(), |range| range);
    let mut distances: Vec<Vec<f64>> = shards.iter().map(|range| vec![f64::INFINITY; range.len()]).collect();
    loop {
        let newest = centers.last().map_or(&[][..], Vec::as_slice);
        let items: Vec<_> = shards.iter().zip(&mut distances).collect();
        let sums = over_items(items, |(range, distances)| {
            let mut sum = 0.0;
            for ((_, row), distance) in rows.range(range.clone()).zip(distances) {
                *distance = distance.min(squared_distance(&row, newest));
                sum += *distance;
            }
            sum
        });
        if centers.len() == count {
            return Ok(centers);
        }
        let total: f64 = sums.iter().sum();
        if total == 0.0 {
            return Err(too_few(rows, &centers, count));
        }
        if !total.is_finite() {
            return Err(TrainError::Numbers("the distances between rows are not finite".to_owned()));
        }
        let drawn: Vec<Vec<f64>> = (0..candidates)
            .map(|_| row(place(shuffler.fraction() * total, &sums, &shards, &distances)))
            .collect();
        let compared = Centers::new(rows.width(), drawn.iter().map(Vec::as_slice));
        let items: Vec<_> = shards.iter().zip(&distances).collect();
        let left = over_items(items, |(range, distances)| {
            let mut left = vec![0.0; candidates];
            for ((_, row), distance) in rows.range(range.clone()).zip(distances) {
                compared.distances(&row, |candidate, found| {
                    if let Some(left) = left.get_mut(candidate) {
                        *left += distance.min(found);
                    }
                });
            }
            left
        });
        let left = |candidate: usize| left.iter().filter_map(|shard| shard.get(candidate)).sum::<f64>();
        let best = (1..candidates).fold((0, left(0)), |best, candidate| {
            let left = left(candidate);
            if left < best.1 { (candidate, left) } else { best }
        });
        centers.extend(drawn.into_iter().nth(best.0));
    }
}

/// Why there are no more centres: no row is at a distance from all of these.
fn too_few(rows: &Rows<'_>, centers: &[Vec<f64>], count: usize) -> TrainError {
    let is_another = |(_, row): (usize, Row<'_>)| centers.iter().all(|center| **center != *row);
    let found = centers.len();
    if rows.range(0..rows.len()).any(is_another) {
        return TrainError::Data(format!(
            "there are to be {count} clusters, and the rows to learn from differ by so little that only {found} can be distinguished: \
             the squares of their differences are 0 in 64-bit floats; set scale: standard"
        ));
    }
    let noun = if found == 1 { "row" } else { "rows" };
    TrainError::Data(format!(
        "there are to be {count} clusters, and the rows to learn from have only {found} different {noun}; lower the number of \
         clusters"
    ))
}

/// The row at which the sum of the distances passes a number. A row at a centre is never one.
fn place(wanted: f64, sums: &[f64], shards: &[std::ops::Range<usize>], distances: &[Vec<f64>]) -> usize {
    let (mut before, mut last) = (0.0, 0);
    for ((sum, range), distances) in sums.iter().zip(shards).zip(distances) {
        if *sum == 0.0 {
            continue;
        }
        // Sums within a shard are added in the same order as its sum was.
        let mut within = 0.0;
        for (place, distance) in distances.iter().enumerate().filter(|(_, distance)| **distance > 0.0) {
            last = range.start + place;
            within += distance;
            if before + within > wanted {
                return last;
            }
        }
        before += sum;
    }
    last
}
