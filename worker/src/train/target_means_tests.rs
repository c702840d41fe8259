use mlpipeline_crds::Algorithm;
use serde_json::json;

use super::super::columns::Treatment;
use super::super::keys::Keys;
use super::super::learner::Learner;
use super::super::matrix::Matrix;
use super::super::memory::Room;
use super::*;
use crate::preprocess::Texts;

/// Rows of a text and a number.
fn samples(texts: &[&str], numbers: &[f64], groups: Option<Vec<u32>>) -> Samples {
    let (mut known, mut raw) = (Texts::default(), Matrix::new(1));
    for text in texts {
        let value = if text.is_empty() { f64::NAN } else { f64::from(known.place(text)) };
        raw.extend(&[value]);
    }
    let algorithm: Algorithm = serde_json::from_value(json!({"ridge": {}})).expect("an algorithm");
    let Learner::Regressor(learner) = Learner::new(&algorithm).expect("a learner").0 else {
        panic!("ridge learns numbers")
    };
    let column = super::super::columns::Column {
        name: "x".to_owned(),
        treatment: Treatment::Target,
        asked_for: true,
        order: Vec::new(),
        scale: mlpipeline_crds::Scale::None,
    };
    Samples {
        room: Room::new(&std::env::temp_dir(), usize::MAX),
        raw,
        texts: vec![known],
        missing: vec![0],
        columns: vec![column],
        products: Vec::new(),
        left_out: Vec::new(),
        keys: Keys { groups, ..Keys::default() },
        task: Task::Regress { learner, numbers: numbers.to_vec() },
    }
}

fn fit(texts: &[&str], numbers: &[f64], groups: Option<Vec<u32>>) -> TargetMeans {
    let rows: Vec<u32> = (0..texts.len() as u32).collect();
    TargetMeans::fit(&samples(texts, numbers, groups), 0, &rows).expect("means")
}

#[test]
fn no_row_to_learn_from_sees_its_own_target_nor_one_of_its_group() {
    let texts: Vec<&str> = (0..40).map(|row| ["a", "b", "", "c"][row % 4]).collect();
    let numbers: Vec<f64> = (0..40).map(|row| f64::from(row * row % 17)).collect();
    for groups in [None, Some((0..40).map(|row| row / 8).collect::<Vec<u32>>())] {
        let before = fit(&texts, &numbers, groups.clone());
        for row in 0..numbers.len() {
            let mut changed = numbers.clone();
            changed[row] = 1e6;
            let after = fit(&texts, &changed, groups.clone());
            assert_eq!(before.crossed[row], after.crossed[row], "row {row}");
            assert_ne!(before.crossed, after.crossed, "others of the text see it");
            assert_ne!(before.transform, after.transform);
            if let Some(groups) = &groups {
                let same = (0..40).filter(|other| groups[*other] == groups[row]);
                same.for_each(|other| {
                    assert_eq!(before.crossed[other], after.crossed[other], "{row} {other}")
                });
            }
        }
    }
}

#[test]
fn few_rows_and_equal_targets_have_finite_means() {
    for (texts, numbers) in [
        (vec!["a"], vec![5.0]),
        (vec!["a", "b"], vec![5.0, 7.0]),
        (vec!["a"; 9], vec![3.0; 9]),
        (vec!["a", "b", "", "a", "b", "c"], vec![1e100, -1e100, 1e100, 1e100, -1e100, 0.0]),
    ] {
        let fitted = fit(&texts, &numbers, None);
        assert_eq!(fitted.crossed.len(), texts.len());
        assert!(fitted.crossed.iter().all(|mean| mean.is_finite()), "{:?}", fitted.crossed);
        let rows = fitted.transform.means.iter().chain([&fitted.transform.overall]);
        assert!(rows.flat_map(|row| &row.0).all(|mean| mean.is_finite()), "{:?}", fitted.transform);
    }
}

#[test]
fn numbers_of_any_size_are_drawn_towards_the_mean_alike() {
    let texts = ["a", "a", "b", "b", "b", "c"];
    let numbers = [1.0, 2.0, 7.0, 8.0, 6.0, 3.0];
    let usual = fit(&texts, &numbers, None);
    for unit in [1e-310, 1e-200, 1e90] {
        let scaled = fit(&texts, &numbers.map(|number| number * unit), None);
        for (ours, theirs) in usual.transform.means.iter().zip(&scaled.transform.means) {
            // Numbers near 1e-310 have about 13 digits.
            assert!((ours.0[0] - theirs.0[0] / unit).abs() < 1e-9, "{unit}: {theirs:?}");
        }
    }
}
