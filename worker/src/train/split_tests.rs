use proptest::prelude::*;

use super::*;

#[derive(Debug)]
struct Numbered;

impl Names for Numbered {
    fn name(&self, class: usize) -> String {
        format!("c{class}")
    }
}

fn strata(classes: &[u32]) -> Strata<'_> {
    let count = classes.iter().max().map_or(0, |max| *max as usize + 1);
    Strata { classes, count, name: &Numbered }
}

fn counts(rows: &[u32], classes: &[u32]) -> Vec<usize> {
    let mut counts = vec![0; strata(classes).count];
    rows.iter().for_each(|row| counts[classes[*row as usize] as usize] += 1);
    counts
}

#[test]
fn iris_is_split_as_scikit_learn_sizes_it() {
    let classes: Vec<u32> = (0..150).map(|row| row / 50).collect();
    let parted = split(150, 0.2, 42, Some(strata(&classes))).expect("a split");
    assert_eq!(counts(&parted.test, &classes), [10, 10, 10]);
    assert_eq!(counts(&parted.train, &classes), [40, 40, 40]);
    let plain = split(150, 0.25, 42, None).expect("a split");
    assert_eq!((plain.train.len(), plain.test.len()), (112, 38));
}

#[test]
fn a_seed_gives_one_split_and_another_seed_another() {
    let once = split(100, 0.3, 1, None).expect("a split");
    assert_eq!(once, split(100, 0.3, 1, None).expect("a split"));
    assert_ne!(once, split(100, 0.3, 2, None).expect("a split"));
}

#[test]
fn a_rare_class_is_on_both_sides() {
    let classes: Vec<u32> = (0..100).map(|row| u32::from(row < 2)).collect();
    let parted = split(100, 0.1, 0, Some(strata(&classes))).expect("a split");
    assert_eq!(counts(&parted.test, &classes), [9, 1]);
}

#[test]
fn impossible_parts_are_refused_and_say_what_to_do() {
    let lonely = [0, 0, 0, 0, 1];
    let rows = [
        (split(1, 0.5, 0, None).map(|_| ()), "leaves 0 of 1 rows"),
        (split(0, 0.5, 0, None).map(|_| ()), "leaves 0 of 0 rows"),
        (split(5, 0.99, 0, None).map(|_| ()), "leaves 0 of 5 rows"),
        (split(5, 0.4, 0, Some(strata(&lonely))).map(|_| ()), "class \"c1\" has only 1 row"),
        (split(6, 0.1, 0, Some(strata(&[0, 0, 1, 1, 2, 2]))).map(|_| ()), "each of 3 classes"),
        (folds(&[0, 1, 2], 4, 0, None).map(|_| ()), "folds is 4, and 3 rows"),
        (folds(&[0, 1, 2, 3, 4], 2, 0, Some(strata(&lonely))).map(|_| ()), "class \"c1\" with 1 rows"),
    ];
    for (result, expected) in rows {
        let message = result.expect_err(expected).to_string();
        assert!(message.contains(expected), "{message}");
    }
}

proptest! {
    #[test]
    fn splits_cover_all_rows_with_sizes_that_no_order_changes(
        sizes in prop::collection::vec(2..40_u32, 2..6), share in 0.05..0.95_f64, seed in 0..1000_i64, turn in 0..200_usize
    ) {
        let mut classes: Vec<u32> =
            sizes.iter().enumerate().flat_map(|(class, size)| vec![class as u32; *size as usize]).collect();
        let rows = classes.len() as u32;
        let Ok(parted) = split(rows, share, seed, Some(strata(&classes))) else { return Ok(()) };
        let mut all: Vec<u32> = parted.train.iter().chain(&parted.test).copied().collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..rows).collect::<Vec<_>>());
        prop_assert_eq!(parted.test.len(), (share * f64::from(rows)).ceil() as usize);
        let test = counts(&parted.test, &classes);
        for (count, size) in test.iter().zip(&sizes) {
            prop_assert!(*count >= 1 && *count < *size as usize);
        }
        let places = classes.len();
        classes.rotate_left(turn % places);
        let turned = split(rows, share, seed, Some(strata(&classes))).expect("the same sizes");
        prop_assert_eq!(counts(&turned.test, &classes), test);
    }

    #[test]
    fn folds_are_even_and_disjoint(sizes in prop::collection::vec(5..40_u32, 1..5), count in 2..6_usize, seed in 0..1000_i64) {
        let classes: Vec<u32> =
            sizes.iter().enumerate().flat_map(|(class, size)| vec![class as u32; *size as usize]).collect();
        let rows: Vec<u32> = (0..classes.len() as u32).collect();
        let folds = folds(&rows, count, seed, Some(strata(&classes))).expect("folds");
        let mut seen: Vec<u32> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
        seen.sort_unstable();
        prop_assert_eq!(&seen, &rows);
        let lengths: Vec<usize> = folds.iter().map(|fold| fold.test.len()).collect();
        prop_assert!(lengths.iter().max().expect("folds") - lengths.iter().min().expect("folds") <= 1);
        for fold in &folds {
            prop_assert_eq!(fold.train.len() + fold.test.len(), rows.len());
            prop_assert!(fold.test.iter().all(|row| fold.train.binary_search(row).is_err()));
            for (count_in, size) in counts(&fold.test, &classes).into_iter().zip(&sizes) {
                let share = *size as usize / count;
                prop_assert!(count_in == share || count_in == share + 1);
            }
        }
    }
}
