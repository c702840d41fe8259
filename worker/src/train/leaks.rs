//! Which columns say nearly all of the target by themselves: what is known only afterwards, or is the target by another name.
//!
//! Owns what is nearly all, and what is chance. Nothing is fitted, and rows are looked at once: the sentence about them is `notes`'.

use super::columns::Treatment;
use super::sampled_rows::SampledRows;
use super::samples::Samples;
use super::task::Task;

/// With fewer rows than this, what looks wrong is chance.
pub(super) const FEWEST_ROWS: usize = 50;

/// From this correlation with the target on, this share of its variance, or this share of rows whose class a column alone says, a
/// feature is suspicious.
const NEAR_PERFECT: f64 = 0.9999;

/// A straight line is one where the ranks of its numbers correlate so far at least.
const NEARLY_IN_ORDER: f64 = 0.99;

/// So many rows there are for each text or class at least: with fewer, a value says which row it is, and not what its target is.
const ROWS_OF_EACH: usize = 10;

/// With fewer rows beside those of the most frequent class, any column may say by chance which they are.
const FEWEST_OTHERS: u64 = 5;

/// Whether a column alone says the target of nearly each of these rows.
pub(super) fn is_near_perfect(samples: &Samples, rows: &SampledRows, place: usize) -> bool {
    let Some(treatment) = samples.columns.get(place).map(|column| column.treatment) else { return false };
    let texts = samples.texts.get(place).map_or(0, crate::preprocess::Texts::len);
    match (&samples.task, treatment) {
        (Task::Find { .. }, _) => false,
        (Task::Classify { classes, labels, .. }, Treatment::Number(_) | Treatment::Time(_)) => {
            let class = |number: usize| classes.get(number).map_or(0, |class| *class as usize);
            let pairs = rows.values(place).map(|(number, value)| (value, class(number)));
            labels.len() * ROWS_OF_EACH <= rows.len() && says_class_by_thresholds(pairs, labels.len())
        }
        (Task::Classify { classes, labels, .. }, _) => {
            let class = |number: usize| classes.get(number).map_or(0, |class| *class as usize);
            let pairs = rows.values(place).map(|(number, value)| (text(value, texts), class(number)));
            texts > 0 && texts * ROWS_OF_EACH <= rows.len() && says_class_by_text(pairs, texts, labels.len())
        }
        // What grows or falls with time is no leak: when a row is from, is known of new rows too.
        (Task::Regress { .. }, Treatment::Time(_)) => false,
        (Task::Regress { numbers, .. }, Treatment::Number(_)) => {
            let pairs = rows.values(place).filter_map(|(row, value)| Some((value, *numbers.get(row)?)));
            let pairs: Vec<(f64, f64)> = pairs.filter(|(value, _)| !value.is_nan()).collect();
            // One number that is far from all others makes a straight line by itself, and no order.
            let in_order = correlation(&ranked(&pairs)).abs();
            pairs.len() >= FEWEST_ROWS
                && (in_order >= NEAR_PERFECT
                    || in_order >= NEARLY_IN_ORDER && correlation(&pairs).abs() >= NEAR_PERFECT)
        }
        (Task::Regress { numbers, .. }, _) => {
            let pairs = rows.values(place).filter_map(|(row, value)| Some((value, *numbers.get(row)?)));
            let pairs: Vec<(usize, f64)> =
                pairs.map(|(value, number)| (text(value, texts), number)).collect();
            explained(&pairs, texts) >= NEAR_PERFECT
        }
    }
}

/// The place of a text; a missing one comes after all others.
fn text(value: f64, texts: usize) -> usize {
    if value.is_nan() { texts } else { value as usize }
}

/// Whether so many rows, of classes with so many rows each, are said rightly that it is no chance.
fn is_too_good(right: u64, classes: &[u64]) -> bool {
    let (rows, most) = (classes.iter().sum::<u64>(), classes.iter().max().copied().unwrap_or_default());
    rows - most >= FEWEST_OTHERS && right as f64 >= NEAR_PERFECT * rows as f64
}

/// Whether each text, or that there is none, says the class. Pairs are of a text's place and a class.
fn says_class_by_text(pairs: impl Iterator<Item = (usize, usize)>, texts: usize, classes: usize) -> bool {
    let (mut counts, mut of_classes) = (vec![0_u64; (texts + 1) * classes], vec![0_u64; classes]);
    for (text, class) in pairs {
        count(&mut counts, text * classes + class);
        count(&mut of_classes, class);
    }
    let most = |counts: &[u64]| counts.iter().max().copied().unwrap_or_default();
    let right: u64 = counts.chunks(classes.max(1)).map(most).sum();
    is_too_good(right, &of_classes)
}

/// Whether numbers between thresholds are of one class each: one threshold for two classes, two for three. Rows without a number are all
/// taken for the class that is the most frequent among them.
fn says_class_by_thresholds(pairs: impl Iterator<Item = (f64, usize)>, classes: usize) -> bool {
    let (mut of_classes, mut unknown) = (vec![0_u64; classes], vec![0_u64; classes]);
    let mut known: Vec<(f64, usize)> = Vec::new();
    for (value, class) in pairs {
        count(&mut of_classes, class);
        if value.is_nan() {
            count(&mut unknown, class);
        } else {
            known.push((value, class));
        }
    }
    known.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
    let order = by_mean_place(&known, classes);
    // For each class in their order, the most rows so far that are right when none is taken for a later class.
    let mut right = vec![0_u64; classes];
    for equal in known.chunk_by(|left, right| left.0 == right.0) {
        for (_, class) in equal {
            count(&mut right, order.get(*class).copied().unwrap_or_default());
        }
        let mut most = 0;
        for right in &mut right {
            most = most.max(*right);
            *right = most;
        }
    }
    let of_unknown = unknown.iter().max().copied().unwrap_or_default();
    is_too_good(right.last().copied().unwrap_or_default() + of_unknown, &of_classes)
}

/// The place of each class among the classes by where its rows are on average among these sorted ones.
fn by_mean_place(sorted: &[(f64, usize)], classes: usize) -> Vec<usize> {
    let mut places = vec![(0.0, 0.0); classes];
    for (place, (_, class)) in sorted.iter().enumerate() {
        if let Some((sum, count)) = places.get_mut(*class) {
            *sum += place as f64;
            *count += 1.0;
        }
    }
    let mean = |class: usize| places.get(class).map_or(0.0, |(sum, count): &(f64, f64)| sum / count.max(1.0));
    let mut sorted: Vec<usize> = (0..classes).collect();
    sorted.sort_by(|left, right| mean(*left).total_cmp(&mean(*right)));
    let mut order = vec![0; classes];
    for (place, class) in sorted.into_iter().enumerate() {
        if let Some(slot) = order.get_mut(class) {
            *slot = place;
        }
    }
    order
}

fn count(counts: &mut [u64], place: usize) {
    if let Some(count) = counts.get_mut(place) {
        *count += 1;
    }
}

/// How numbers spread about their mean, added up without losing digits (B. Welford, 1962).
#[derive(Clone, Copy, Debug, Default)]
struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    fn add(&mut self, number: f64) {
        self.count += 1.0;
        let distance = number - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (number - self.mean);
    }
}

/// The share of the numbers' variance that lies between texts (R²), adjusted for how many texts there are: ids explain nothing. Texts of
/// one row are left out; not a number where the numbers do not vary, and 0 where too few rows are left.
fn explained(pairs: &[(usize, f64)], texts: usize) -> f64 {
    let mut groups = vec![Spread::default(); texts + 1];
    for (text, number) in pairs {
        if let Some(group) = groups.get_mut(*text) {
            group.add(*number);
        }
    }
    let is_kept = |text: usize| groups.get(text).is_some_and(|group| group.count > 1.0);
    let mut all = Spread::default();
    pairs.iter().filter(|(text, _)| is_kept(*text)).for_each(|(_, number)| all.add(*number));
    if all.count < FEWEST_ROWS as f64 {
        return 0.0;
    }
    let kept = || groups.iter().filter(|group| group.count > 1.0);
    let (within, count) = (kept().map(|group| group.squares).sum::<f64>(), kept().count() as f64);
    1.0 - within / (all.count - count) / (all.squares / (all.count - 1.0))
}

/// The same pairs by their ranks; equal numbers have the mean of theirs. Pearson's correlation of these is Spearman's.
fn ranked(pairs: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let of = |side: fn(&(f64, f64)) -> f64| ranks(pairs.iter().map(side));
    of(|pair| pair.0).into_iter().zip(of(|pair| pair.1)).collect()
}

fn ranks(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<(usize, f64)> = numbers.enumerate().collect();
    sorted.sort_unstable_by(|left, right| left.1.total_cmp(&right.1));
    let (mut ranks, mut before) = (vec![0.0; sorted.len()], 0.0);
    for equal in sorted.chunk_by(|left, right| left.1 == right.1) {
        let count = equal.len() as f64;
        for (place, _) in equal {
            if let Some(rank) = ranks.get_mut(*place) {
                *rank = before + (count - 1.0) / 2.0;
            }
        }
        before += count;
    }
    ranks
}

/// Pearson's correlation; 0 where one side does not vary.
fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let count = pairs.len().max(1) as f64;
    let (x, y) = pairs.iter().fold((0.0, 0.0), |(x, y), pair| (x + pair.0 / count, y + pair.1 / count));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (a, b) in pairs {
        xx += (a - x) * (a - x);
        yy += (b - y) * (b - y);
        xy += (a - x) * (b - y);
    }
    let correlation = xy / (xx * yy).sqrt();
    if correlation.is_finite() { correlation } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_say_classes_by_one_threshold_fewer_than_there_are_classes() {
        let class = |row: usize, classes: usize| row * classes / 60;
        let says = |value: &dyn Fn(usize) -> f64, classes: usize| {
            says_class_by_thresholds((0..60).map(|row| (value(row), class(row, classes))), classes)
        };
        for classes in [2, 3, 6] {
            assert!(says(&|row| row as f64, classes), "upwards, {classes}");
            assert!(says(&|row| -(row as f64), classes), "downwards, {classes}");
            assert!(says(&|row| class(row, classes) as f64, classes), "the class itself, {classes}");
            assert!(!says(&|row| (row * 7 % 60) as f64, classes), "shuffled, {classes}");
            assert!(!says(&|_| 1.0, classes), "constant, {classes}");
            assert!(
                !says(&|row| if row == 0 { 59.5 } else { row as f64 }, classes),
                "one is wrong, {classes}"
            );
        }
        assert!(says(&|row| if row < 30 { f64::NAN } else { 1.0 }, 2), "that a number is there says it");
        assert!(!says(&|row| if row % 2 == 0 { f64::NAN } else { 1.0 }, 2));
    }

    #[test]
    fn a_class_of_few_rows_is_said_by_chance() {
        let rare = |count: usize| {
            says_class_by_thresholds((0..60).map(|row| (row as f64, usize::from(row < count))), 2)
        };
        assert!(!rare(4) && rare(5));
        assert!(!says_class_by_text((0..60).map(|row| (usize::from(row < 4), usize::from(row < 4))), 2, 2));
        assert!(says_class_by_text((0..60).map(|row| (usize::from(row < 5), usize::from(row < 5))), 2, 2));
    }

    #[test]
    fn texts_explain_numbers_that_depend_on_them_and_ids_explain_nothing() {
        let of = |text: &dyn Fn(usize) -> usize, number: &dyn Fn(usize) -> f64| {
            let pairs: Vec<(usize, f64)> = (0..200).map(|row| (text(row), number(row))).collect();
            explained(&pairs, 200)
        };
        assert!(of(&|row| row % 20, &|row| (row % 20 * 7) as f64) >= NEAR_PERFECT);
        assert!(of(&|row| row % 100, &|row| (row * 37 % 101) as f64) < 0.5, "pairs of rows");
        assert!(of(&|row| row, &|row| row as f64) < NEAR_PERFECT, "ids");
        assert!(of(&|row| row % 3, &|row| row as f64) < 0.1);
        // One number that is far from all others, and has a text of its own.
        assert!(of(&|row| usize::from(row == 0), &|row| if row == 0 { 1e9 } else { (row % 7) as f64 }) < 0.1);
        // The numbers do not vary.
        assert!(of(&|row| row % 3, &|_| 0.1).is_nan());
    }

    #[test]
    fn what_grows_together_without_a_line_correlates_by_ranks() {
        let pairs: Vec<(f64, f64)> = (0..100).map(|x| (f64::from(x), -f64::from(x).exp())).collect();
        assert!(correlation(&pairs).abs() < 0.5);
        assert!((correlation(&ranked(&pairs)) + 1.0).abs() < 1e-12);
        assert_eq!(ranks([3.0, 1.0, 3.0, -0.0, 0.0].into_iter()), [3.5, 2.0, 3.5, 0.5, 0.5]);
    }
}
