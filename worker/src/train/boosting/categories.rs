//! The best split of a column of categories: a set of them against all others.
//!
//! For a loss of second order, the best of all sets is among those that are a prefix when categories are sorted by the ratio of their
//! derivatives' sums (W. D. Fisher, "On grouping for maximum homogeneity", 1958; LightGBM). What keeps small categories from
//! deciding is scikit-learn's HistGradientBoosting. Must not know how a tree grows.

use mlpipeline_crds::Monotonic;

use super::bins::Column;
use super::histogram::{Candidate, GoesLeft, Limits, Sums, Total};
use crate::model::CategorySet;

/// About how many rows a category must have in a leaf to be chosen for the smaller side, and what is added to the second
/// derivatives' sum of each when they are sorted.
const MIN_SUPPORT: f64 = 10.0;

/// A category with enough rows, or the missing values, which count as one.
struct Category {
    bin: usize,
    sums: Sums,
    ratio: f64,
}

/// The best split of one feature whose bins are categories; the first of equals. From both ends of the sorted categories, sets are
/// tried up to the middle: the smaller side goes left, and categories of few rows, or of none, go right.
pub(super) fn best_subset(
    feature: usize,
    column: &Column,
    bins: &[Sums],
    total: &Total,
    limits: &Limits,
    direction: Option<Option<Monotonic>>,
) -> Option<Candidate> {
    let missing = column.missing_bin();
    let sorted = sorted(bins, &total.sums);
    let mut best: Option<(Candidate, usize, bool)> = None;
    let middle = sorted.len().div_ceil(2);
    for (is_forward, most) in [(true, middle), (false, middle.saturating_sub(1))] {
        // One category is not split from others that are not there.
        if sorted.len() < 2 {
            break;
        }
        let mut left = Sums::default();
        for (count, category) in from_end(&sorted, is_forward).take(most).enumerate() {
            left.add(&category.sums);
            let right = total.sums.minus(&left);
            if !limits.allow(&left) {
                continue;
            }
            if !limits.allow(&right) {
                break;
            }
            let Some(gain) = total.gain(&left, &right, limits, direction) else { continue };
            if gain > best.as_ref().map_or(0.0, |(best, ..)| best.gain) {
                let goes_left = GoesLeft::UpTo(0);
                let candidate = Candidate { feature, goes_left, missing_left: false, gain, left };
                best = Some((candidate, count + 1, is_forward));
            }
        }
    }
    let (mut best, count, is_forward) = best?;
    let mut set = CategorySet::default();
    let chosen = || from_end(&sorted, is_forward).take(count).map(|category| category.bin);
    chosen().filter(|bin| *bin != missing).for_each(|bin| set.insert(bin as u8));
    best.goes_left = GoesLeft::Among(set);
    // Where nothing is missing now, rows without a value go later where most rows go.
    best.missing_left = if bins.get(missing).is_some_and(|missing| missing.count > 0) {
        chosen().any(|bin| bin == missing)
    } else {
        best.left.count > total.sums.minus(&best.left).count
    };
    Some(best)
}

/// The categories of enough rows, by the ratios of their sums; the first bin first where they are equal.
fn sorted(bins: &[Sums], total: &Sums) -> Vec<Category> {
    // Second derivatives become numbers of rows: of losses whose second derivative is 1 everywhere, they are.
    let rows_of = total.count as f64 / total.hessian;
    let categories = bins.iter().enumerate().map(|(bin, sums)| Category {
        bin,
        sums: *sums,
        ratio: sums.gradient / (sums.hessian + MIN_SUPPORT),
    });
    let mut sorted: Vec<Category> =
        categories.filter(|category| category.sums.hessian * rows_of >= MIN_SUPPORT).collect();
    sorted.sort_by(|ours, theirs| ours.ratio.total_cmp(&theirs.ratio));
    sorted
}

/// The categories from one of both ends.
fn from_end(sorted: &[Category], is_forward: bool) -> impl Iterator<Item = &Category> {
    let last = sorted.len();
    (0..last).filter_map(move |place| sorted.get(if is_forward { place } else { last - 1 - place }))
}

#[cfg(test)]
mod tests {
    use super::super::direction::Bounds;
    use super::*;

    /// The best split of categories with these gradients and rows, of which the last are the missing values.
    fn best(bins: &[(f64, u64)], min_samples_leaf: u64) -> Option<(Vec<u8>, bool)> {
        let bins: Vec<Sums> = bins
            .iter()
            .map(|(gradient, count)| Sums { gradient: *gradient, hessian: *count as f64, count: *count })
            .collect();
        let mut sums = Sums::default();
        bins.iter().for_each(|bin| sums.add(bin));
        let thresholds = (1..bins.len() - 1).map(|code| code as f64 - 0.5).collect();
        let column = Column { bins: Vec::new(), thresholds, is_categories: true };
        let limits = Limits { l2: 0.0, min_samples_leaf };
        let total = Total { sums, step: limits.step(&sums), bounds: Bounds::ALL };
        let found = best_subset(3, &column, &bins, &total, &limits, None)?;
        assert_eq!(found.feature, 3);
        match found.goes_left {
            GoesLeft::Among(set) => Some((set.codes().collect(), found.missing_left)),
            GoesLeft::UpTo(_) => panic!("a set was asked for"),
        }
    }

    #[test]
    fn categories_apart_in_their_order_are_split_from_the_others() {
        let bins = [(-50.0, 20), (50.0, 20), (-50.0, 20), (50.0, 20), (50.0, 20), (0.0, 0)];
        assert_eq!(best(&bins, 1), Some((vec![0, 2], false)));
    }

    #[test]
    fn missing_values_are_one_category_more() {
        let bins = [(-50.0, 20), (50.0, 20), (50.0, 20), (50.0, 20), (-50.0, 20)];
        assert_eq!(best(&bins, 1), Some((vec![0], true)));
        let bins = [(-50.0, 20), (50.0, 20), (50.0, 20), (50.0, 20), (50.0, 20)];
        assert_eq!(best(&bins, 1), Some((vec![0], false)));
    }

    #[test]
    fn where_nothing_is_missing_later_rows_without_a_value_go_where_most_rows_go() {
        assert_eq!(best(&[(50.0, 60), (-50.0, 20), (0.0, 0)], 1), Some((vec![1], false)));
        assert_eq!(best(&[(50.0, 20), (-50.0, 60), (0.0, 0)], 1), Some((vec![1], true)));
    }

    #[test]
    fn small_categories_go_right_and_never_decide() {
        // scikit-learn's cases: no category, one, or all have fewer than ten rows.
        assert_eq!(best(&[(20.0, 20), (0.0, 0)], 1), None);
        assert_eq!(best(&[(9.0, 9), (-8.0, 8), (0.0, 0)], 1), None);
        assert_eq!(best(&[(12.0, 12), (-8.0, 8), (0.0, 0)], 1), None);
        assert_eq!(best(&[(9.0, 9), (-8.0, 8), (4.0, 4)], 1), None);
        assert_eq!(best(&[(0.0, 0), (11.0, 11)], 1), None);
        let bins = [(900.0, 9), (-50.0, 20), (50.0, 20), (0.0, 0)];
        assert_eq!(best(&bins, 1), Some((vec![1], false)));
    }

    #[test]
    fn both_sides_have_rows_enough() {
        let bins = [(90.0, 10), (-20.0, 30), (30.0, 30), (0.0, 0)];
        assert_eq!(best(&bins, 1), Some((vec![1, 2], true)));
        assert_eq!(best(&bins, 11), Some((vec![1], false)));
    }
}
