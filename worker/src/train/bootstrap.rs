//! How sure a metric is: intervals by drawing the measured rows again and again.
//!
//! Owns the draws and their bound. With more rows than are drawn at once, the intervals are those of as many rows as were drawn,
//! narrowed to all rows by the square root of the ratio (the m out of n bootstrap: P. Bickel, F. Götze, W. van Zwet, "Resampling
//! fewer than n observations", 1997).

use std::collections::BTreeMap;

use mlpipeline_crds::Metric;

use super::parallel::over_items;
use super::shuffle::Shuffler;
use crate::evaluation::{Interval, Intervals, Metrics, Outcomes};

/// How often rows are drawn.
const REPEATS: u64 = 400;

/// The most rows that are drawn at once, so that a million rows cost no more than a few thousand.
const MOST_DRAWN: usize = 1024;

/// The most rows that are drawn from: of more, evenly spread ones, which fit into the processor's cache.
const MOST_DRAWN_FROM: usize = 16 * MOST_DRAWN;

/// The share of draws that an interval covers.
const LEVEL: f64 = 0.95;

/// The intervals of the metrics of these rows; none where there are no rows. What ranks rows has one for two classes alone: sorting
/// again for each class and draw would cost more than the training.
pub(super) fn intervals(outcomes: &Outcomes, metrics: &Metrics, seed: i64) -> Option<Intervals> {
    let is_quick = |metric: Metric| match outcomes {
        Outcomes::Classes(outcomes) if outcomes.classes() > 2 => {
            !matches!(metric, Metric::RocAuc | Metric::AveragePrecision)
        }
        _ => true,
    };
    let count = outcomes.len();
    let step = count.div_ceil(MOST_DRAWN_FROM).max(1);
    let spread: Vec<u32> = (0..u32::try_from(count).ok()?).step_by(step).collect();
    let pool = outcomes.select(&spread);
    let of_pool = pool.metrics_where(is_quick);
    let drawn = pool.len().min(MOST_DRAWN);
    let repeats = over_items((0..REPEATS).collect(), |repeat| {
        let mut shuffler = Shuffler::stream(seed, repeat);
        let rows: Vec<u32> = (0..drawn).map(|_| shuffler.below(pool.len() as u64) as u32).collect();
        pool.select(&rows).metrics_where(is_quick)
    });
    let narrowing = (drawn as f64 / count as f64).sqrt();
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
    (count > 0).then_some(Intervals { level: LEVEL, repeats: REPEATS, rows: drawn as u64, metrics })
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
        intervals(outcomes, &outcomes.metrics(), seed)
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
