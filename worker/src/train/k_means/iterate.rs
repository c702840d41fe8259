//! Lloyd's iterations: each row to the nearest centre, each centre to the mean of its rows.
//!
//! A row whose centre cannot have changed is not looked at: bounds on its distances say so (G. Hamerly, "Making k-means even
//! faster", 2010). Sums change by the rows that change their cluster, and are added up anew at the end.

use std::ops::Range;

use super::super::matrix::Rows;
use super::super::parallel::{over_items, over_shards, sums_at_once};
use super::super::vector::add;
use crate::model::{Centers, squared_distance};

/// What one beginning ended with.
#[derive(Clone, Debug)]
pub(super) struct Clustering {
    pub(super) centers: Vec<Vec<f64>>,
    /// How many rows each has.
    pub(super) sizes: Vec<u64>,
    /// The sum of the squared distances.
    pub(super) inertia: f64,
    /// Whether it settled before its iterations were used up.
    pub(super) converged: bool,
}

/// What is known of one row.
#[derive(Clone, Copy, Debug)]
struct Known {
    cluster: u32,
    /// It is at most this far from its centre.
    upper: f64,
    /// Every other centre is at least this far.
    lower: f64,
}

/// No cluster yet.
const NONE: u32 = u32::MAX;

/// Some rows and what is known of each.
#[derive(Debug)]
struct Shard {
    range: Range<usize>,
    known: Vec<Known>,
}

/// Sums of rows by cluster.
#[derive(Clone, Debug)]
struct Sums {
    /// One row of sums for each cluster.
    sums: Vec<f64>,
    counts: Vec<i64>,
    /// How many rows changed their cluster.
    changed: u64,
}

impl Sums {
    fn new(clusters: usize, width: usize) -> Self {
        Self { sums: vec![0.0; clusters * width], counts: vec![0; clusters], changed: 0 }
    }

    fn add(&mut self, cluster: u32, row: &[f64], share: i64) {
        let start = cluster as usize * row.len();
        if let (Some(sums), Some(count)) =
            (self.sums.get_mut(start..start + row.len()), self.counts.get_mut(cluster as usize))
        {
            add(sums, share as f64, row);
            *count += share;
        }
    }

    fn merge(&mut self, other: &Self) {
        add(&mut self.sums, 1.0, &other.sums);
        self.counts.iter_mut().zip(&other.counts).for_each(|(own, other)| *own += other);
        self.changed += other.changed;
    }
}

/// How far centres moved since the bounds were set.
#[derive(Clone, Debug)]
struct Moves {
    each: Vec<f64>,
    farthest: usize,
    /// Of all but the farthest.
    second: f64,
}

impl Moves {
    fn of(each: Vec<f64>) -> Self {
        let largest = |but: Option<usize>| {
            let others = each.iter().enumerate().filter(|(place, _)| Some(*place) != but);
            others.fold((0, 0.0), |most, (place, moved)| if *moved > most.1 { (place, *moved) } else { most })
        };
        let (farthest, _) = largest(None);
        let (_, second) = largest(Some(farthest));
        Self { farthest, second, each }
    }

    fn of_cluster(&self, cluster: usize) -> f64 {
        self.each.get(cluster).copied().unwrap_or_default()
    }

    /// The farthest move of any other cluster.
    fn of_others(&self, cluster: usize) -> f64 {
        if cluster == self.farthest { self.second } else { self.of_cluster(self.farthest) }
    }
}

/// Iterates until no row changes its cluster, or the squared moves of all centres add up to no more than `enough`.
pub(super) fn iterate(
    rows: &Rows<'_>,
    mut centers: Vec<Vec<f64>>,
    max_iterations: usize,
    enough: f64,
) -> Clustering {
    let (count, width) = (centers.len(), rows.width());
    let unknown = Known { cluster: NONE, upper: f64::INFINITY, lower: 0.0 };
    let shards = over_shards(rows.len(), |range| Shard { known: vec![unknown; range.len()], range });
    let mut shards = shards;
    let mut sums = Sums::new(count, width);
    let mut moves = Moves::of(vec![0.0; count]);
    let mut converged = false;
    for _ in 0..max_iterations {
        let assigner = Assigner { rows, centers: compared(width, &centers), near: near(&centers), moves };
        sums.changed = 0;
        in_waves(&mut shards, &mut sums, |shard, sums| assigner.assign(shard, sums));
        let mut next = means(&sums, &centers);
        let has_moved = relocate(rows, &shards, &sums, &centers, &mut next);
        moves = Moves::of(centers.iter().zip(&next).map(|(from, to)| distance(from, to)).collect());
        centers = next;
        let moved: f64 = moves.each.iter().map(|moved| moved * moved).sum();
        if !has_moved && (sums.changed == 0 || moved <= enough) {
            converged = true;
            break;
        }
    }
    finish(rows, &mut shards, centers, converged)
}

pub(super) fn compared(width: usize, centers: &[Vec<f64>]) -> Centers {
    Centers::new(width, centers.iter().map(Vec::as_slice))
}

/// The centres as the means of the rows that are nearest now.
fn finish(rows: &Rows<'_>, shards: &mut [Shard], centers: Vec<Vec<f64>>, converged: bool) -> Clustering {
    let nearest = compared(rows.width(), &centers);
    let mut exact = Sums::new(centers.len(), rows.width());
    in_waves(shards, &mut exact, |shard, sums| {
        for ((_, row), known) in rows.range(shard.range.clone()).zip(&mut shard.known) {
            known.cluster = nearest.nearest(&row).0 as u32;
            sums.add(known.cluster, &row, 1);
        }
    });
    measured(rows, means(&exact, &centers), converged)
}

/// What centres amount to over all rows.
pub(super) fn measured(rows: &Rows<'_>, centers: Vec<Vec<f64>>, converged: bool) -> Clustering {
    let nearest = compared(rows.width(), &centers);
    let parts = over_shards(rows.len(), |range| {
        let mut sizes = vec![0_u64; nearest.count()];
        let mut inertia = 0.0;
        for (_, row) in rows.range(range) {
            let (cluster, distance, _) = nearest.nearest(&row);
            inertia += distance;
            if let Some(size) = sizes.get_mut(cluster) {
                *size += 1;
            }
        }
        (sizes, inertia)
    });
    let mut sizes = vec![0; centers.len()];
    for (part, _) in &parts {
        sizes.iter_mut().zip(part).for_each(|(size, part)| *size += part);
    }
    let inertia = parts.iter().map(|(_, inertia)| inertia).sum();
    Clustering { centers, sizes, inertia, converged }
}

/// Does the work of each shard and merges its sums in the shards' order, some shards at a time, so that many clusters of many
/// features do not take all memory.
fn in_waves(shards: &mut [Shard], into: &mut Sums, work: impl Fn(&mut Shard, &mut Sums) + Sync) {
    let (clusters, entries) = (into.counts.len(), into.sums.len());
    let width = entries / clusters.max(1);
    for shards in shards.chunks_mut(sums_at_once(entries)) {
        let parts = over_items(shards.iter_mut().collect(), |shard| {
            let mut sums = Sums::new(clusters, width);
            work(shard, &mut sums);
            sums
        });
        parts.iter().for_each(|part| into.merge(part));
    }
}

struct Assigner<'a> {
    rows: &'a Rows<'a>,
    centers: Centers,
    /// Half of how far each centre is from the next one.
    near: Vec<f64>,
    moves: Moves,
}

impl Assigner<'_> {
    /// Brings each row to its nearest centre. `sums` take the rows that change.
    fn assign(&self, shard: &mut Shard, sums: &mut Sums) {
        for ((_, row), known) in self.rows.range(shard.range.clone()).zip(&mut shard.known) {
            if known.cluster != NONE {
                let cluster = known.cluster as usize;
                known.upper += self.moves.of_cluster(cluster);
                known.lower -= self.moves.of_others(cluster);
                let near = self.near.get(cluster).copied().unwrap_or_default();
                if known.upper < near.max(known.lower) {
                    continue;
                }
            }
            let (nearest, distance, next) = self.centers.nearest(&row);
            let before = std::mem::replace(
                known,
                Known { cluster: nearest as u32, upper: distance.sqrt(), lower: next.sqrt() },
            );
            if before.cluster != known.cluster {
                sums.changed += 1;
                sums.add(known.cluster, &row, 1);
                if before.cluster != NONE {
                    sums.add(before.cluster, &row, -1);
                }
            }
        }
    }
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    squared_distance(a, b).sqrt()
}

fn near(centers: &[Vec<f64>]) -> Vec<f64> {
    over_items((0..centers.len()).collect(), |own| {
        let Some(center) = centers.get(own) else { return 0.0 };
        let others = centers.iter().enumerate().filter(|(place, _)| *place != own);
        others.map(|(_, other)| distance(center, other)).fold(f64::INFINITY, f64::min) / 2.0
    })
}

/// The means of all clusters; a cluster without rows stays where it is.
fn means(sums: &Sums, before: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut centers = before.to_vec();
    for ((center, sums), count) in centers
        .iter_mut()
        .zip(sums.sums.chunks_exact(before.first().map_or(1, Vec::len).max(1)))
        .zip(&sums.counts)
    {
        if *count > 0 {
            center.iter_mut().zip(sums).for_each(|(center, sum)| *center = sum / *count as f64);
        }
    }
    centers
}

/// Puts each cluster without rows at one of the rows that are farthest from their centres. Says whether there was one.
fn relocate(
    rows: &Rows<'_>,
    shards: &[Shard],
    sums: &Sums,
    centers: &[Vec<f64>],
    next: &mut [Vec<f64>],
) -> bool {
    let empty: Vec<usize> =
        sums.counts.iter().enumerate().filter(|(_, count)| **count <= 0).map(|(place, _)| place).collect();
    if empty.is_empty() {
        return false;
    }
    let far = over_items(shards.iter().collect(), |shard| {
        let known = rows.range(shard.range.clone()).zip(shard.range.clone()).zip(&shard.known);
        let mut far: Vec<(f64, usize)> = known
            .map(|(((_, row), place), known)| {
                let center = centers.get(known.cluster as usize).map_or(&[][..], Vec::as_slice);
                (distance(&row, center), place)
            })
            .collect();
        far.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
        far.truncate(empty.len());
        far
    });
    let mut far: Vec<(f64, usize)> = far.into_iter().flatten().collect();
    far.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
    for (cluster, (_, place)) in empty.into_iter().zip(far) {
        let row = rows.range(place..place + 1).next();
        if let (Some(center), Some((_, row))) = (next.get_mut(cluster), row) {
            center.copy_from_slice(&row);
        }
    }
    true
}
