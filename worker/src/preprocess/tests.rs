use super::*;

fn encoded(transform: Transform, texts: &[&str], values: &[f64]) -> Vec<Vec<f64>> {
    let mut known = Texts::default();
    texts.iter().for_each(|text| {
        known.place(text);
    });
    let preprocessing = Preprocessing::new(vec![transform]);
    let encoder = preprocessing.encoder(&[known]);
    let row = |value: &f64| {
        let mut out = vec![9.0; preprocessing.width()];
        encoder.encode_row(&[*value], &mut out);
        out
    };
    values.iter().map(row).collect()
}

#[test]
fn a_missing_number_is_the_median_and_says_so() {
    let fitted = NumberTransform::fit(&mut [5.0, 1.0, 2.0, 9.0], true);
    assert_eq!(fitted, NumberTransform { impute: Some(2.0), indicator: true });
    let found = encoded(Transform::Number(fitted), &[], &[7.0, f64::NAN]);
    assert_eq!(found, [[7.0, 0.0], [2.0, 1.0]]);
    let identity = Preprocessing::identity(2);
    assert!(identity.is_identity() && identity.width() == 2);
}

#[test]
fn the_most_frequent_texts_have_columns_and_the_others_share_one() {
    let mut texts = Texts::default();
    let values: Vec<f64> =
        ["b", "a", "b", "c", "d", "a"].iter().map(|text| f64::from(texts.place(text))).collect();
    let fitted = CategoryTransform::fit(values.iter().copied().chain([f64::NAN]), &texts, 2);
    let expected =
        CategoryTransform { categories: vec!["a".into(), "b".into()], other: true, indicator: true };
    assert_eq!(fitted, expected);
    // The texts of other rows are in another order, and one was never seen in training.
    let found = encoded(Transform::Category(fitted), &["never", "b", "a"], &[0.0, 1.0, 2.0, f64::NAN]);
    let expected = [[0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]];
    assert_eq!(found, expected);
}

#[test]
fn a_text_that_training_never_saw_is_zeros_where_no_column_is_shared() {
    let mut texts = Texts::default();
    let value = f64::from(texts.place("a"));
    let fitted = CategoryTransform::fit([value].into_iter(), &texts, 5);
    assert_eq!(encoded(Transform::Category(fitted), &["never"], &[0.0, f64::NAN]), [[0.0], [0.0]]);
}

#[test]
fn times_are_their_parts_in_utc() {
    let time = |text| parse_time(text).expect("a time") as f64;
    let transform = TimeTransform { kind: TimeKind::Timestamp, impute: None, indicator: false };
    let values = [time("2024-02-29T13:30:00+01:00"), time("1969-12-31"), time("1970-01-01 23:00:00")];
    let found = encoded(Transform::Time(transform), &[], &values);
    assert_eq!(found[0], [19_782.520_833_333_332, 2024.0, 2.0, 29.0, 4.0, 12.0]);
    assert_eq!(found[1], [-1.0, 1969.0, 12.0, 31.0, 3.0, 0.0]);
    assert_eq!(found[2][5], 23.0);
    let mut known = [time("2024-01-05"), time("2024-01-01")];
    let fitted = TimeTransform::fit(TimeKind::Date, &mut known, true);
    let found = encoded(Transform::Time(fitted), &[], &[f64::NAN]);
    assert_eq!(found, [[19_723.0, 2024.0, 1.0, 1.0, 1.0, 1.0]]);
}

#[test]
fn what_is_not_a_time_is_refused() {
    for text in ["", "yesterday", "2024-13-01", "12:30", "99999-01-01", "20240101T"] {
        assert_eq!(parse_time(text), None, "{text}");
    }
    assert_eq!(shown_time(parse_time("2024-02-29").expect("a date"), TimeKind::Date), "2024-02-29");
    let text = "2024-02-29T12:30:00.250Z";
    assert_eq!(shown_time(parse_time(text).expect("a time"), TimeKind::Timestamp), text);
}

#[test]
fn transforms_that_contradict_themselves_are_named() {
    let unsorted = CategoryTransform { categories: vec!["b".into(), "a".into()], ..Default::default() };
    let bare = NumberTransform { impute: None, indicator: true };
    let late = TimeTransform { kind: TimeKind::Date, impute: Some(i64::MAX), indicator: false };
    for transform in [Transform::Category(unsorted), Transform::Number(bare), Transform::Time(late)] {
        assert!(Preprocessing::new(vec![transform.clone()]).problem().is_some(), "{transform:?}");
    }
    assert_eq!(Preprocessing::identity(3).problem(), None);
}
