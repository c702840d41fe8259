//! How sure a metric is: intervals by drawing the measured rows again and again.
//!
//! Owns the draws and their bound. Where rows have groups, whole groups are drawn: rows of one group resemble each other, and drawn one by
//! one they would pass for more than they are (the cluster bootstrap: C. Field, A. Welsh, "Bootstrapping clustered data", 2007). With more
//! than are drawn at once, the intervals are those of as many as were drawn, narrowed to all by the square root of the ratio (the m out of
//! n bootstrap: P. Bickel, F. Götze, W. van Zwet, "Resampling fewer than n observations", 1997).

use std::collections::BTreeMap;

use mlpipeline_crds::Metric;

use super::parallel::over_items;
use super::shuffle::Shuffler;
use super::split_by_value::group_members;
use crate::evaluation::{Interval, Intervals, Metrics, Outcomes};

/// How often rows are drawn.
const REPEATS: u64 = 400;

/// The most rows that are drawn at once, so that a million rows cost no more than a few thousand.
const MOST_DRAWN: usize = 1024;

/// The most rows that are drawn from: of more, evenly spread ones, which fit into the processor's cache.
const MOST_DRAWN_FROM: usize = 16 * MOST_DRAWN;

/// So many groups are drawn at once, however many rows they have: of fewer, what they have in common would be chance.
const GROUPS_DRAWN: usize = 50;

/// Of fewer groups than this, nothing is known of how they differ.
pub(super) const FEWEST_GROUPS: usize = 5;

/// The share of draws that an interval covers.
const LEVEL: f64 = 0.95;

/// What is drawn from.
struct Pool {
    /// The rows, evenly spread where there are more than are drawn from.
    outcomes: Outcomes,
    /// What is drawn as one: the places of its rows in `outcomes`.
    units: Vec<Vec<u32>>,
    /// How many units are drawn at once.
    drawn: usize,
    /// How many there are among all rows.
    all: usize,
}

impl Pool {
    /// Each row by itself.
    fn of_rows(outcomes: &Outcomes) -> Option<Self> {
        let count = outcomes.len();
        let step = count.div_ceil(MOST_DRAWN_FROM).max(1);
        let spread: Vec<u32> = (0..u32::try_from(count).ok()?).step_by(step).collect();
        let units: Vec<Vec<u32>> = (0..spread.len() as u32).map(|row| vec![row]).collect();
        let drawn = units.len().min(MOST_DRAWN);
        (count > 0).then(|| Self { outcomes: outcomes.select(&spread), units, drawn, all: count })
    }

    /// Whole groups. `groups` has the group of each row; none where it is not known of each, or where there are too few groups.
    fn of_groups(outcomes: &Outcomes, groups: &[u32]) -> Option<Self> {
        let rows: Vec<u32> = (0..u32::try_from(outcomes.len()).ok()?).collect();
        if groups.len() != rows.len() {
            return None;
        }
        let members = group_members(&rows, groups);
        let all = members.len();
        if all < FEWEST_GROUPS {
            return None;
        }
        // Fewer groups rather than fewer rows of each, as far as enough groups are left.
        let most = (MOST_DRAWN_FROM / (rows.len() / all).max(1)).max(GROUPS_DRAWN);
        let kept: Vec<&Vec<u32>> = members.values().step_by(all.div_ceil(most)).collect();
        let of_kept: usize = kept.iter().map(|group| group.len()).sum();
        let step = of_kept.div_ceil(MOST_DRAWN_FROM).max(1);
        let (mut spread, mut units) = (Vec::<u32>::new(), Vec::<Vec<u32>>::new());
        for group in kept {
            let start = spread.len() as u32;
            spread.extend(group.iter().step_by(step));
            units.push((start..spread.len() as u32).collect());
        }
        let of_unit = (spread.len() / units.len().max(1)).max(1);
        let drawn = (MOST_DRAWN / of_unit).clamp(units.len().min(GROUPS_DRAWN), units.len());
        Some(Self { outcomes: outcomes.select(&spread), units, drawn, all })
    }

    /// The rows of one draw.
    fn draw(&self, shuffler: &mut Shuffler) -> Outcomes {
        let units = (0..self.drawn).filter_map(|_| {
            let place = shuffler.below(self.units.len() as u64) as usize;
            self.units.get(place)
        });
        let rows: Vec<u32> = units.flatten().copied().collect();
        self.outcomes.select(&rows)
    }

    /// How many rows are drawn at once, on average.
    fn rows(&self) -> u64 {
        (self.outcomes.len() as u64 * self.drawn as u64) / (self.units.len() as u64).max(1)
    }
}

/// The intervals of the metrics of these rows, of which `groups` has the group of each where they have groups; none where there are no
/// rows, or too few groups. What ranks rows has one for two classes alone: sorting again for each class and draw would cost more than
/// the training.
pub(super) fn intervals(
    outcomes: &Outcomes,
    metrics: &Metrics,
    groups: Option<&[u32]>,
    seed: i64,
) -> Option<Intervals> {
    let is_quick = |metric: Metric| match outcomes {
        Outcomes::Classes(outcomes) if outcomes.classes() > 2 => {
            !matches!(metric, Metric::RocAuc | Metric::AveragePrecision)
        }
        _ => true,
    };
    let pool = match groups {
        Some(groups) => Pool::of_groups(outcomes, groups)?,
        None => Pool::of_rows(outcomes)?,
    };
    let of_pool = pool.outcomes.metrics_where(is_quick);
    let repeats = over_items((0..REPEATS).collect(), |repeat| {
        pool.draw(&mut Shuffler::stream(seed, repeat)).metrics_where(is_quick)
    });
    let narrowing = (pool.drawn as f64 / pool.all as f64).sqrt();
    let interval = |name: String| {
        let mut found: Vec<f64> = repeats.iter().filter_map(|metrics| metrics.get(&name).copied()).collect();
        // Undefined in many draws, it is too close to undefined to be sure of.
        if found.len() * 2 < repeats.len() {
            return None;
        }
        found.sort_unstable_by(f64::total_cmp);
        let value = *metrics.get(&name)?;
        // About their own middle: what is measured on fewer rows, as how well probabilities are calibrated, may be larger for that alone.
        let middle = quantile(&found, 0.5);
        // And never beyond what the metric can be: no model has an error below 0.
        let (least, most) = Metric::named(&name).map_or((None, None), Metric::range);
        let end = |share| {
            let end = value + (quantile(&found, share) - middle) * narrowing;
            end.max(least.unwrap_or(end)).min(most.unwrap_or(end))
        };
        let tail = (1.0 - LEVEL) / 2.0;
        Some((name, Interval { low: end(tail), high: end(1.0 - tail) }))
    };
    let metrics: BTreeMap<_, _> = of_pool.into_keys().filter_map(interval).collect();
    let of_groups = groups.map(|_| pool.drawn as u64);
    Some(Intervals { level: LEVEL, repeats: REPEATS, rows: pool.rows(), groups: of_groups, metrics })
}

/// The value below which a share of the sorted numbers lies, between two of them by their distances.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * sorted.len().saturating_sub(1) as f64;
    let at = |index: usize| sorted.get(index).or(sorted.last()).copied().unwrap_or(f64::NAN);
    let (low, high) = (at(place as usize), at(place as usize + 1));
    low + (high - low) * place.fract()
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;

    use super::*;
    use crate::evaluation::{ClassOutcomes, NumberOutcomes};

    fn of(outcomes: &Outcomes, seed: i64) -> Option<Intervals> {
        intervals(outcomes, &outcomes.metrics(), None, seed)
    }

    /// Rows of two classes, of which four in five are predicted rightly.
    fn four_of_five(rows: usize) -> Outcomes {
        let mut outcomes = ClassOutcomes::new(2, rows);
        for row in 0..rows {
            let (class, score) = (row % 2, if row % 5 == 0 { 0.3 } else { 0.7 });
            let mut probabilities = Array1::from(vec![score; 2]);
            if let Some(other) = probabilities.get_mut(1 - class) {
                *other = 1.0 - score;
            }
            outcomes.push(class, if row % 5 == 0 { 1 - class } else { class }, probabilities.view());
        }
        Outcomes::Classes(outcomes)
    }

    #[test]
    fn an_interval_is_as_wide_as_the_rows_are_few_also_beyond_what_is_drawn() {
        for rows in [1000_u32, 100_000] {
            let found = of(&four_of_five(rows as usize), 0).expect("intervals");
            let Interval { low, high } = found.metrics["accuracy"];
            // Of a share of p there are sqrt(p (1 - p) / n) of deviation.
            let expected = 2.0 * 1.96 * (0.8 * 0.2 / f64::from(rows)).sqrt();
            assert!(
                (high - low) / expected > 0.8 && (high - low) / expected < 1.2,
                "{rows}: {low} to {high}"
            );
            assert!(low < 0.8 && high > 0.8);
            assert!(found.metrics.contains_key("rocAuc"));
        }
    }

    /// So many groups of so many equal rows, of which the groups of four in five are predicted rightly.
    fn grouped(groups: u32, rows: u32) -> (Outcomes, Vec<u32>) {
        let mut outcomes = ClassOutcomes::new(2, 0);
        let mut of_rows = Vec::new();
        for row in 0..groups * rows {
            let group = row % groups;
            let (class, is_wrong) = ((group % 2) as usize, group.is_multiple_of(5));
            let probabilities =
                Array1::from(if (class == 0) == is_wrong { vec![0.3, 0.7] } else { vec![0.7, 0.3] });
            outcomes.push(class, if is_wrong { 1 - class } else { class }, probabilities.view());
            of_rows.push(group);
        }
        (Outcomes::Classes(outcomes), of_rows)
    }

    #[test]
    fn rows_of_a_group_are_drawn_together_so_that_an_interval_is_as_wide_as_the_groups_are_few() {
        for (groups, rows) in [(20, 20), (100, 20), (60, 100), (5000, 1), (20_000, 3)] {
            let (outcomes, of_rows) = grouped(groups, rows);
            let found = intervals(&outcomes, &outcomes.metrics(), Some(&of_rows), 0).expect("intervals");
            let Interval { low, high } = found.metrics["accuracy"];
            let expected = 2.0 * 1.96 * (0.8 * 0.2 / f64::from(groups)).sqrt();
            assert!(
                (high - low) / expected > 0.75 && (high - low) / expected < 1.25,
                "{groups} groups of {rows}: {low} to {high}, expected {expected}"
            );
            let drawn = found.groups.expect("groups are drawn");
            assert!(drawn <= u64::from(groups) && found.rows >= drawn, "{drawn} groups, {} rows", found.rows);
        }
    }

    #[test]
    fn of_a_handful_of_groups_or_of_rows_whose_groups_are_not_known_there_is_no_interval() {
        let of = |outcomes: &Outcomes, groups: &[u32]| {
            intervals(outcomes, &outcomes.metrics(), Some(groups), 0).is_some()
        };
        let (outcomes, groups) = grouped(4, 50);
        assert!(!of(&outcomes, &groups));
        let (outcomes, groups) = grouped(5, 50);
        assert!(of(&outcomes, &groups));
        assert!(!of(&outcomes, &groups[1..]));
    }

    #[test]
    fn an_interval_stays_within_what_can_be_measured() {
        let mut outcomes = ClassOutcomes::new(2, 60);
        for row in 0..60 {
            // Nearly calibrated: nine in ten are right, and said to be so.
            let class = row % 2;
            let predicted = if row % 10 == 0 { 1 - class } else { class };
            let mut probabilities = Array1::from(vec![0.1; 2]);
            if let Some(own) = probabilities.get_mut(predicted) {
                *own = 0.9;
            }
            outcomes.push(class, predicted, probabilities.view());
        }
        let outcomes = Outcomes::Classes(outcomes);
        for seed in 0..20 {
            let found = of(&outcomes, seed).expect("intervals");
            let Interval { low, high } = found.metrics["calibrationError"];
            assert!(0.0 <= low && low <= high && high <= 1.0, "{low} to {high}");
        }
    }

    #[test]
    fn a_seed_gives_one_interval_and_what_never_varies_a_point() {
        let outcomes = four_of_five(300);
        let metrics = |seed| of(&outcomes, seed).expect("intervals").metrics;
        assert_eq!(metrics(1), metrics(1));
        assert_ne!(metrics(1), metrics(2));
        let mut exact = NumberOutcomes::default();
        (0..50).for_each(|row| exact.push(f64::from(row), f64::from(row)));
        let found = of(&Outcomes::Numbers(exact), 0).expect("intervals");
        assert_eq!(found.metrics["rmse"], Interval { low: 0.0, high: 0.0 });
        assert!(of(&Outcomes::Numbers(NumberOutcomes::default()), 0).is_none());
    }

    #[test]
    fn quantiles_are_numpys() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!((quantile(&[1.0], 0.975), quantile(&[1.0, 2.0], 1.0)), (1.0, 2.0));
    }
}
