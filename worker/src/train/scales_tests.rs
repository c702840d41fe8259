use mlpipeline_crds::Algorithm;
use serde_json::json;

use super::super::columns::{Column, Treatment};
use super::super::keys::Keys;
use super::super::learner::Learner;
use super::super::matrix::Matrix;
use super::super::memory::Room;
use super::super::prepared::Prepared;
use super::super::task::Task;
use super::*;
use crate::model::FeatureKind;
use crate::preprocess::{Texts, TimeKind};

/// Rows of columns with these treatments and scales; texts are places among a, b and c.
fn samples(columns: &[(Treatment, Scale)], rows: &[&[f64]], numbers: &[f64]) -> Samples {
    let mut raw = Matrix::new(columns.len());
    rows.iter().for_each(|row| raw.extend(row));
    let missing = |place: usize| rows.iter().filter(|row| row[place].is_nan()).count() as u64;
    let algorithm: Algorithm = serde_json::from_value(json!({"ridge": {}})).expect("an algorithm");
    let Learner::Regressor(learner) = Learner::new(&algorithm).expect("a learner").0 else {
        panic!("ridge learns numbers")
    };
    let column = |(place, (treatment, scale)): (usize, &(Treatment, Scale))| Column {
        name: format!("c{place}"),
        treatment: *treatment,
        asked_for: true,
        order: Vec::new(),
        scale: *scale,
    };
    let mut texts = Texts::default();
    for text in ["a", "b", "c"] {
        texts.place(text);
    }
    Samples {
        room: Room::new(&std::env::temp_dir(), usize::MAX),
        raw,
        texts: vec![texts; columns.len()],
        missing: (0..columns.len()).map(missing).collect(),
        columns: columns.iter().enumerate().map(column).collect(),
        products: Vec::new(),
        left_out: Vec::new(),
        keys: Keys::default(),
        task: Task::Regress { learner, numbers: numbers.to_vec() },
    }
}

const NUMBER: Treatment = Treatment::Number(FeatureKind::Float);

/// The scale and the numbers of one column of numbers, fitted to these rows of it.
fn of_numbers(scale: Scale, values: &[f64], rows: &[u32]) -> (ColumnScale, Vec<f64>) {
    let cells: Vec<[f64; 1]> = values.iter().map(|value| [*value]).collect();
    let cells: Vec<&[f64]> = cells.iter().map(|cell| &cell[..]).collect();
    let samples = samples(&[(NUMBER, scale)], &cells, &vec![0.0; values.len()]);
    let prepared = Prepared::fit(&samples, rows).expect("prepared");
    let first = prepared.matrix.iter().map(|row| row[0]).collect();
    (prepared.preprocessing.scales()[0], first)
}

#[test]
fn standard_is_the_mean_and_the_population_deviation_of_the_rows_to_learn_from_alone() {
    let (scale, found) = of_numbers(Scale::Standard, &[1.0, 3.0, 1e6, 5.0, 7.0], &[0, 1, 3, 4]);
    assert_eq!((scale.column, scale.center), (0, 4.0));
    assert!((scale.divisor - 5.0_f64.sqrt()).abs() < 1e-15, "{scale:?}");
    assert_eq!(found[2], (1e6 - 4.0) / scale.divisor, "a row to measure with is scaled by the others");
    assert_eq!(found[0], -3.0 / scale.divisor);
}

#[test]
fn min_max_is_from_0_to_1_of_the_rows_to_learn_from() {
    let (scale, found) = of_numbers(Scale::MinMax, &[2.0, 4.0, 6.0, 10.0], &[0, 1, 2]);
    assert_eq!((scale.center, scale.divisor), (2.0, 4.0));
    assert_eq!(found, [0.0, 0.5, 1.0, 2.0]);
}

#[test]
fn a_column_of_one_value_becomes_0_and_numbers_far_from_0_keep_their_digits() {
    for scale in [Scale::Standard, Scale::MinMax] {
        for value in [0.1, -3.0, 1e99, 0.0] {
            let (_, found) = of_numbers(scale, &[value; 5], &[0, 1, 2, 3, 4]);
            assert_eq!(found, [0.0; 5], "{scale:?} of {value}");
        }
        let (_, found) = of_numbers(scale, &[0.3, 0.1 + 0.2, 0.3], &[0, 1, 2]);
        assert!(found.iter().all(|number| number.abs() < 1e-15), "{found:?}");
    }
    let (scale, _) = of_numbers(Scale::Standard, &[1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0], &[0, 1, 2]);
    assert_eq!(scale.center, 1e9 + 2.0);
    assert!((scale.divisor - (2.0_f64 / 3.0).sqrt()).abs() < 1e-12);
    for size in [1e-300, 1e90] {
        let (scale, found) = of_numbers(Scale::Standard, &[-size, size], &[0, 1]);
        assert!((scale.divisor / size - 1.0).abs() < 1e-12, "{scale:?}");
        assert!((found[1] - 1.0).abs() < 1e-12, "{found:?}");
    }
}

#[test]
fn what_is_missing_is_imputed_first_and_the_column_that_says_so_is_not_scaled() {
    let cells: [&[f64]; 4] = [&[1.0], &[f64::NAN], &[3.0], &[8.0]];
    let samples = samples(&[(NUMBER, Scale::Standard)], &cells, &[0.0; 4]);
    let prepared = Prepared::fit(&samples, &[0, 1, 2, 3]).expect("prepared");
    // The median is 3, so that the mean is 3.75.
    let scales = prepared.preprocessing.scales();
    assert_eq!((scales.len(), scales[0].center), (1, 3.75));
    let second = prepared.matrix.row(1);
    assert_eq!((second[0], second[1]), (-0.75 / scales[0].divisor, 1.0));
}

#[test]
fn parts_of_dates_and_places_in_an_order_are_scaled_and_categories_are_not() {
    let day = 86_400_000.0;
    let columns = [
        (Treatment::Category(None), Scale::None),
        (Treatment::Time(TimeKind::Date), Scale::MinMax),
        (Treatment::Ordinal, Scale::Standard),
        (NUMBER, Scale::None),
    ];
    let cells: [&[f64]; 3] =
        [&[0.0, 0.0, 0.0, 500.0], &[1.0, f64::NAN, 1.0, 600.0], &[0.0, 400.0 * day, 2.0, 700.0]];
    let samples = samples(&columns, &cells, &[0.0; 3]);
    let prepared = Prepared::fit(&samples, &[0, 1, 2]).expect("prepared");
    // Two categories, five parts of a date and whether it is missing, a place and a number.
    let scaled: Vec<u32> = prepared.preprocessing.scales().iter().map(|scale| scale.column).collect();
    assert_eq!(scaled, [2, 3, 4, 5, 6, 8]);
    let row = |number: usize| prepared.matrix.row(number).to_vec();
    assert_eq!((&row(0)[..3], row(0)[9]), (&[1.0, 0.0, 0.0][..], 500.0));
    assert_eq!((&row(1)[..3], row(1)[7]), (&[0.0, 1.0, 0.5][..], 1.0));
    assert_eq!((row(2)[2], row(2)[3]), (1.0, 1.0), "days and years");
    assert_eq!((row(0)[8], row(1)[8]), (-row(2)[8], 0.0));
}

#[test]
fn means_of_the_target_are_scaled_as_rows_to_learn_from_have_them() {
    let texts: Vec<[f64; 1]> = (0..30).map(|row| [f64::from(row % 3)]).collect();
    let cells: Vec<&[f64]> = texts.iter().map(|cell| &cell[..]).collect();
    let numbers: Vec<f64> = (0..30).map(|row| 1000.0 * f64::from(row % 3) + f64::from(row)).collect();
    let samples = samples(&[(Treatment::Target, Scale::Standard)], &cells, &numbers);
    let rows: Vec<u32> = (0..30).collect();
    let prepared = Prepared::fit(&samples, &rows).expect("prepared");
    let found: Vec<f64> = prepared.matrix.iter().map(|row| row[0]).collect();
    let mean = found.iter().sum::<f64>() / 30.0;
    let square = found.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / 30.0;
    assert!(mean.abs() < 1e-12 && (square - 1.0).abs() < 1e-12, "{mean} {square}");
}

#[test]
fn shards_of_many_rows_give_the_sums_of_all() {
    let values: Vec<f64> = (0..10_000).map(|row| f64::from(row * 7919 % 10_000)).collect();
    let rows: Vec<u32> = (0..10_000).collect();
    let (scale, _) = of_numbers(Scale::Standard, &values, &rows);
    assert_eq!(scale.center, 4999.5);
    // The variance of the whole numbers below n is (n² - 1) / 12.
    let expected = ((1e8 - 1.0) / 12.0_f64).sqrt();
    assert!((scale.divisor / expected - 1.0).abs() < 1e-13, "{scale:?}");
}
