use super::super::matrix::Matrix;
use super::*;
use crate::model::Predictor;

fn fit(rows: &[Vec<f64>], components: Option<f64>) -> Result<Vec<Vec<f64>>, TrainError> {
    let mut matrix = Matrix::new(rows[0].len());
    rows.iter().for_each(|row| matrix.extend(row));
    let numbers: Vec<u32> = (0..rows.len() as u32).collect();
    components_of(&Pca { is_centered: true, components }, &matrix, &numbers)
}

fn components_of(pca: &Pca, matrix: &Matrix, numbers: &[u32]) -> Result<Vec<Vec<f64>>, TrainError> {
    let fitted = pca.fit(&Rows::new(matrix, numbers))?;
    match fitted.predictor {
        Predictor::Components(found) => Ok(found.components().map(<[f64]>::to_vec).collect()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_component_is_the_direction_in_which_rows_differ_most() {
    // Along (3, -4) by up to 50, and across by 1.
    let rows: Vec<Vec<f64>> = (-50..=50)
        .map(|place| {
            let (along, across) = (f64::from(place), if place % 2 == 0 { 1.0 } else { -1.0 });
            vec![1e7 + 0.6 * along + 0.8 * across, -0.8 * along + 0.6 * across]
        })
        .collect();
    let found = fit(&rows, None).expect("components");
    let expected = [[-0.6, 0.8], [0.8, 0.6]];
    for (found, expected) in found.iter().flatten().zip(expected.as_flattened()) {
        assert!((found - expected).abs() < 1e-3, "{found} instead of {expected}");
    }
    assert_eq!(fit(&rows, Some(0.9)).expect("a share").len(), 1);
    assert_eq!(fit(&rows, Some(0.999_99)).expect("a share").len(), 2);
    assert_eq!(fit(&rows, Some(1.0)).expect("a number").len(), 1);
}

#[test]
fn numbers_of_any_size_have_components() {
    let rows: Vec<Vec<f64>> =
        (0..20).map(|row| vec![1e99 * f64::from(row), 1e-99 * f64::from(row % 3), 2.0]).collect();
    let found = fit(&rows, None).expect("components");
    assert!(found.iter().flatten().all(|entry| entry.is_finite()));
    assert_eq!(found[0][0], 1.0);
}

#[test]
fn a_few_components_of_a_wide_table_are_those_of_the_whole_matrix_whatever_the_unit() {
    let (width, rows) = (180_u32, 60_u32);
    let value = |row: u32, column: u32| {
        let (row, column) = (f64::from(row), f64::from(column));
        let strong =
            9.0 * (row * 0.7).sin() * (column * 0.11).cos() + 4.0 * (row * 1.9).cos() * (column * 0.05).sin();
        strong + 0.5 * (row * 12.9898 + column * 78.233).sin() + 3.0
    };
    for (unit, is_centered) in [(1.0, true), (1e-310, true), (1e90, true), (1.0, false), (1e-310, false)] {
        let mut matrix = Matrix::new(width as usize);
        for row in 0..rows {
            matrix.extend(&(0..width).map(|column| unit * value(row, column)).collect::<Vec<f64>>());
        }
        let numbers: Vec<u32> = (0..rows).collect();
        let pca = Pca { is_centered, components: Some(3.0) };
        let rows = Rows::new(&matrix, &numbers);
        let view = pca.view(&rows).expect("rows that differ");
        let few = view.few(3).expect("memory").expect("they stand out");
        let all = pca.all(&view).expect("components");
        // Numbers near 1e-310 have about 13 digits, alike for both.
        for (few, all) in few.into_iter().map(upright).zip(all.into_iter().map(upright)) {
            for (few, all) in few.iter().zip(&all) {
                assert!((few - all).abs() < 1e-9, "{unit}: {few} instead of {all}");
            }
        }
        assert_eq!(components_of(&pca, &matrix, &numbers).expect("components").len(), 3);
    }
}

#[test]
fn about_0_the_mean_is_a_direction_too() {
    let mut matrix = Matrix::new(2);
    [[10.0, 0.1], [10.0, -0.1], [10.0, 0.0]].iter().for_each(|row| matrix.extend(row));
    let pca = Pca::truncated_svd(&TruncatedSvd { n_components: Some(1) });
    let found = components_of(&pca, &matrix, &[0, 1, 2]).expect("a component");
    assert!(found[0][0] > 0.999_99, "{found:?}");
    let mut zeros = Matrix::new(2);
    (0..3).for_each(|_| zeros.extend(&[0.0, 0.0]));
    let error = components_of(&pca, &zeros, &[0, 1, 2]).expect_err("nothing there").to_string();
    assert!(error.contains("0 in every column"), "{error}");
}

#[test]
fn what_has_no_components_is_refused_with_advice() {
    let error = fit(&vec![vec![1.0, 2.0]; 5], None).expect_err("nothing varies").to_string();
    assert!(error.contains("all rows to learn from are equal"), "{error}");
    let error =
        fit(&[vec![1.0, 2.0, 3.0], vec![2.0, 1.0, 0.0]], Some(3.0)).expect_err("too few rows").to_string();
    assert!(error.contains("at most 2 components"), "{error}");
}
