//! Which columns have weights without a limit, and which have not.

use mlpipeline_crds::{LogisticRegression, Penalty, PoissonRegression};
use ndarray::{arr1, arr2};

use super::super::learner::{Classifier, Regressor};
use super::super::logistic::Logistic;
use super::super::matrix::Matrix;
use super::super::poisson::Poisson;
use super::*;

/// What a column is in a row, and the row's class.
type Labelled = (f64, u32);

/// What a column is in a row, and the row's count.
type Counted = (f64, f64);

fn matrix(rows: &[&[f64]]) -> Matrix {
    let mut matrix = Matrix::new(rows[0].len());
    rows.iter().for_each(|row| matrix.extend(row));
    matrix
}

fn numbers(matrix: &Matrix) -> Vec<u32> {
    (0..matrix.rows() as u32).collect()
}

#[test]
fn one_row_on_the_wrong_side_is_enough() {
    let matrix = matrix(&[&[-1.0], &[-2.0], &[3.0]]);
    let rows = Rows::new(&matrix, &[0, 1, 2]);
    let two = LinearPredictor::new(arr2(&[[1.0]]), arr1(&[0.0]));
    assert!(distinguishes_all(&two, &rows, &[0, 0, 1]));
    assert!(!distinguishes_all(&two, &rows, &[0, 1, 1]));
    let three = LinearPredictor::new(arr2(&[[-1.0], [0.0], [1.0]]), arr1(&[-1.5, 0.0, -1.0]));
    assert!(distinguishes_all(&three, &rows, &[1, 0, 2]));
    assert!(!distinguishes_all(&three, &rows, &[0, 0, 2]));
}

#[test]
fn a_column_rules_out_a_class_where_some_classes_are_never_above_what_the_others_are_never_below() {
    // What the column is in each row, the row's class, and whether its weight has no limit.
    let cases: [(&str, &[Labelled], bool); 11] = [
        ("parted", &[(1.0, 0), (2.0, 0), (3.0, 1), (4.0, 1)], true),
        ("parted, the other way round", &[(1.0, 1), (2.0, 1), (3.0, 0), (4.0, 0)], true),
        ("parted but for a value of both", &[(1.0, 0), (2.0, 0), (2.0, 1), (4.0, 1)], true),
        ("a flag with which only one class is", &[(0.0, 0), (0.0, 1), (1.0, 1), (0.0, 0)], true),
        ("zero of either sign", &[(0.0, 0), (1.0, 0), (-0.0, 1), (0.0, 1)], true),
        ("a flag with both classes", &[(0.0, 0), (0.0, 1), (1.0, 1), (1.0, 0)], false),
        ("overlapping", &[(1.0, 0), (3.0, 0), (2.0, 1), (4.0, 1)], false),
        ("one within the other", &[(1.0, 0), (4.0, 0), (2.0, 1), (3.0, 1)], false),
        ("one value", &[(1.0, 0), (1.0, 0), (1.0, 1), (1.0, 1)], false),
        ("one value but for rounding", &[(0.3, 0), (0.3, 0), (0.1 + 0.2, 1), (0.3, 1)], false),
        ("one of three is never with a flag", &[(0.0, 0), (1.0, 0), (0.0, 1), (1.0, 1), (0.0, 2)], true),
    ];
    for (what, case, is_endless) in cases {
        let values: Vec<[f64; 1]> = case.iter().map(|(value, _)| [*value]).collect();
        let rows: Vec<&[f64]> = values.iter().map(<[f64; 1]>::as_slice).collect();
        let classes: Vec<u32> = case.iter().map(|(_, class)| *class).collect();
        let matrix = matrix(&rows);
        let numbers = numbers(&matrix);
        let found = ruling_out(&Rows::new(&matrix, &numbers), &classes, 3);
        assert_eq!(!found.is_empty(), is_endless, "{what}");
    }
    // Two classes below the two others.
    let matrix = matrix(&[&[0.0], &[5.0], &[1.0], &[4.0], &[5.0], &[9.0], &[6.0], &[8.0]]);
    let numbers = numbers(&matrix);
    assert_eq!(ruling_out(&Rows::new(&matrix, &numbers), &[0, 0, 1, 1, 2, 2, 3, 3], 4), [0]);
}

#[test]
fn a_column_says_that_a_count_is_0_where_all_others_have_one_value() {
    let cases: [(&str, &[Counted], bool, bool); 8] = [
        ("a flag without counts", &[(0.0, 2.0), (0.0, 0.0), (1.0, 0.0)], true, true),
        ("the same without an intercept", &[(0.0, 2.0), (0.0, 0.0), (1.0, 0.0)], false, true),
        ("all counts with a flag", &[(1.0, 2.0), (1.0, 0.0), (0.0, 0.0)], true, true),
        ("the same without an intercept", &[(1.0, 2.0), (1.0, 0.0), (0.0, 0.0)], false, false),
        ("counts with and without a flag", &[(0.0, 2.0), (1.0, 1.0), (1.0, 0.0)], true, false),
        ("no counts on both sides", &[(0.0, 2.0), (1.0, 0.0), (-1.0, 0.0)], true, false),
        ("one value", &[(3.0, 2.0), (3.0, 0.0), (3.0, 0.0)], true, false),
        ("no count of 0", &[(3.0, 2.0), (3.0, 1.0)], true, false),
    ];
    for (what, case, has_intercept, is_endless) in cases {
        let values: Vec<[f64; 1]> = case.iter().map(|(value, _)| [*value]).collect();
        let rows: Vec<&[f64]> = values.iter().map(<[f64; 1]>::as_slice).collect();
        let counts: Vec<f64> = case.iter().map(|(_, count)| *count).collect();
        let matrix = matrix(&rows);
        let numbers = numbers(&matrix);
        let found = counting_at_one_value(&Rows::new(&matrix, &numbers), &counts, has_intercept);
        assert_eq!(!found.is_empty(), is_endless, "{what}");
    }
}

#[test]
fn columns_that_rule_out_a_class_together_are_found_from_where_the_solver_stopped() {
    let parameters =
        LogisticRegression { penalty: Some(Penalty::None), max_iterations: Some(1000), ..Default::default() };
    let learner = Logistic::new(&parameters);
    // Of both classes where the sum of the first two columns is 5, else of the one that it says, but for a few rows.
    for (exceptions, expected) in [(0, Some(true)), (1, None)] {
        let mut of_rows: Vec<([f64; 3], u32)> = Vec::new();
        for (i, j) in (0..7).flat_map(|i| (0..7).map(move |j| (i, j))) {
            let values = [f64::from(i), f64::from(j), f64::from((3 * i + 2 * j) % 5)];
            let is_both = i + j == 5 || (exceptions > 0 && (i + j == 3 || i + j == 7));
            of_rows.push((values, u32::from(i + j > 5)));
            if is_both {
                of_rows.push((values, u32::from(i + j <= 5)));
            }
        }
        let values: Vec<&[f64]> = of_rows.iter().map(|(values, _)| values.as_slice()).collect();
        let classes: Vec<u32> = of_rows.iter().map(|(_, class)| *class).collect();
        let matrix = matrix(&values);
        let numbers = numbers(&matrix);
        let rows = Rows::new(&matrix, &numbers);
        let fitted = Classifier::fit(&learner, &rows, &classes, 2).expect("a fit").predictor;
        let found = learner.endless(&rows, &classes, 2, &fitted);
        assert_eq!(found.as_ref().map(|found| found.why.contains("together")), expected, "{found:?}");
        let mut places = found.map(|found| found.places).unwrap_or_default();
        places.sort_unstable();
        assert_eq!(places, if exceptions == 0 { vec![0, 1] } else { Vec::new() });
    }
}

#[test]
fn a_row_that_is_far_from_all_others_rules_out_nothing() {
    let parameters =
        LogisticRegression { penalty: Some(Penalty::None), max_iterations: Some(1000), ..Default::default() };
    let learner = Logistic::new(&parameters);
    for far in [1e6, 1e9, 1e12] {
        let value = |row: usize| if row == 0 { far } else { (row * 37 % 41) as f64 - 20.0 };
        let values: Vec<[f64; 1]> = (0..300).map(|row| [value(row)]).collect();
        let rows: Vec<&[f64]> = values.iter().map(<[f64; 1]>::as_slice).collect();
        let classes: Vec<u32> = (0..300).map(|row| u32::from(row * 7 % 3 == 0)).collect();
        let matrix = matrix(&rows);
        let numbers = numbers(&matrix);
        let rows = Rows::new(&matrix, &numbers);
        let fitted = Classifier::fit(&learner, &rows, &classes, 2).expect("a fit").predictor;
        assert_eq!(learner.endless(&rows, &classes, 2, &fitted), None, "{far}");
    }
}

#[test]
fn columns_that_say_together_where_counts_are_0_are_found_from_where_the_solver_stopped() {
    let parameters = PoissonRegression { alpha: Some(0.0), max_iterations: Some(1000), ..Default::default() };
    let learner = Poisson::new(&parameters);
    // The sum of the first two columns is 2 where there are no counts, and 0 elsewhere.
    for (exceptions, expected) in [(0, vec![0, 1]), (1, Vec::new())] {
        let mut of_rows: Vec<([f64; 3], f64)> = Vec::new();
        for (row, (a, b)) in (0..24).map(|row| (row, (row % 2, row / 2 % 4))) {
            let is_counted = a == 0 || (exceptions > 0 && row < 4);
            let values = [f64::from(a + b), f64::from(a - b), f64::from(row * 7 % 5)];
            of_rows.push((values, if is_counted { f64::from(1 + row % 3) } else { 0.0 }));
        }
        let values: Vec<&[f64]> = of_rows.iter().map(|(values, _)| values.as_slice()).collect();
        let counts: Vec<f64> = of_rows.iter().map(|(_, count)| *count).collect();
        let matrix = matrix(&values);
        let numbers = numbers(&matrix);
        let rows = Rows::new(&matrix, &numbers);
        let fitted = Regressor::fit(&learner, &rows, &counts).expect("a fit").predictor;
        let found = learner.endless(&rows, &counts, &fitted);
        let mut places = found.map(|found| found.places).unwrap_or_default();
        places.sort_unstable();
        assert_eq!(places, expected);
    }
}

#[test]
fn columns_that_part_classes_together_are_those_that_move_the_sums() {
    // The class is whether the first column is above the second one; the third one says nothing.
    let matrix = matrix(&[
        &[1.0, 0.0, 0.0],
        &[5.0, 4.0, 1.0],
        &[9.0, 7.0, 0.0],
        &[0.0, 1.0, 1.0],
        &[4.0, 5.0, 0.0],
        &[7.0, 9.0, 1.0],
    ]);
    let numbers = numbers(&matrix);
    let rows = Rows::new(&matrix, &numbers);
    let predictor = LinearPredictor::new(arr2(&[[9.0, -10.0, 0.1]]), arr1(&[0.3]));
    let classes = [1, 1, 1, 0, 0, 0];
    let found = Endless::of_classes(&rows, &classes, 2, &predictor).expect("no limit");
    assert_eq!((found.places, found.why.contains("together")), (vec![1, 0], true));
    assert_eq!(Endless::of_classes(&rows, &[1, 1, 0, 0, 0, 1], 2, &predictor), None);
}
