use ndarray::Array2;

use super::*;

fn known(texts: &[&str]) -> Texts {
    let mut known = Texts::default();
    texts.iter().for_each(|text| {
        known.place(text);
    });
    known
}

fn encoded(transform: Transform, texts: &[&str], values: &[f64]) -> Vec<Vec<f64>> {
    let preprocessing = Preprocessing::new(vec![transform]);
    let known = [known(texts)];
    let encoder = preprocessing.encoder(&known);
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
    assert_eq!(fitted, NumberTransform { impute: Some(3.5), indicator: true });
    let found = encoded(Transform::Number(fitted), &[], &[7.0, f64::NAN]);
    assert_eq!(found, [[7.0, 0.0], [3.5, 1.0]]);
    let of = |values: &[f64]| NumberTransform::fit(&mut values.to_vec(), false).impute;
    assert_eq!((of(&[]), of(&[4.0]), of(&[3.0, 1.0, 2.0])), (Some(0.0), Some(4.0), Some(2.0)));
    assert_eq!((of(&[2.0, 2.0]), of(&[f64::MAX, f64::MAX])), (Some(2.0), Some(f64::MAX)));
    let identity = Preprocessing::identity(2);
    assert!(identity.is_identity() && identity.width() == 2);
}

#[test]
fn products_are_of_numbers_as_they_are_imputed_and_come_last() {
    let number = |impute| Transform::Number(NumberTransform { impute, indicator: impute.is_some() });
    let product = |first, second| Product { first, second };
    let transforms = || vec![number(Some(2.0)), Transform::Hash(HashTransform { buckets: 1 }), number(None)];
    let preprocessing = Preprocessing::new(transforms()).with_products(vec![product(0, 2), product(2, 0)]);
    assert_eq!((preprocessing.problem(), preprocessing.width()), (None, 6));
    let encoder = preprocessing.encoder(&[]);
    let mut out = [9.0; 6];
    encoder.encode_row(&[f64::NAN, f64::NAN, -3.0], &mut out);
    assert_eq!(out, [2.0, 1.0, 0.0, -3.0, -6.0, -6.0]);
    encoder.encode_row(&[5.0, f64::NAN, 0.5], &mut out);
    assert_eq!(out, [5.0, 0.0, 0.0, 0.5, 2.5, 2.5]);
    let identity = Preprocessing::identity(2).with_products(vec![product(0, 1)]);
    assert!(!identity.is_identity() && identity.width() == 3);
    for (first, second) in [(0, 0), (0, 1), (2, 3)] {
        let wrong = Preprocessing::new(transforms()).with_products(vec![product(first, second)]);
        assert!(wrong.problem().is_some(), "{first} {second}");
    }
}

#[test]
fn numbers_are_scaled_where_they_are_made_and_products_are_of_scaled_numbers() {
    let number =
        |impute: Option<f64>| Transform::Number(NumberTransform { impute, indicator: impute.is_some() });
    let scale = |column, center, divisor| ColumnScale { column, center, divisor };
    let transforms = || vec![number(Some(2.0)), Transform::Hash(HashTransform { buckets: 1 }), number(None)];
    let preprocessing = Preprocessing::new(transforms())
        .with_scales(vec![scale(0, 1.0, 2.0), scale(3, -3.0, 0.5)])
        .with_products(vec![Product { first: 0, second: 2 }]);
    assert_eq!((preprocessing.problem(), preprocessing.width()), (None, 5));
    let encoder = preprocessing.encoder(&[]);
    let mut out = [9.0; 5];
    encoder.encode_row(&[f64::NAN, f64::NAN, -2.0], &mut out);
    assert_eq!(out, [0.5, 1.0, 0.0, 2.0, 1.0]);
    let kept = Preprocessing::identity(1).with_scales(vec![scale(0, 1.0, 2.0)]);
    assert!(!kept.is_identity());
    let raw = Array2::from_shape_vec((3, 1), vec![1.0, 3.0, f64::NAN]).expect("rows");
    let found = kept.encoder(&[]).encode(raw.view()).to_owned();
    assert!(found[[2, 0]].is_nan(), "what is kept missing stays missing");
    assert_eq!((found[[0, 0]], found[[1, 0]]), (0.0, 1.0));
    for wrong in [
        vec![scale(1, 0.0, 1.0)],
        vec![scale(2, 0.0, 1.0)],
        vec![scale(4, 0.0, 1.0)],
        vec![scale(3, 0.0, 1.0), scale(0, 0.0, 1.0)],
        vec![scale(0, 0.0, 1.0), scale(0, 0.0, 1.0)],
        vec![scale(0, 0.0, 0.0)],
        vec![scale(0, 0.0, -1.0)],
        vec![scale(0, f64::NAN, 1.0)],
    ] {
        assert!(Preprocessing::new(transforms()).with_scales(wrong.clone()).problem().is_some(), "{wrong:?}");
    }
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
fn a_text_has_its_code_and_one_that_has_none_is_missing() {
    let mut texts = Texts::default();
    let values: Vec<f64> =
        ["b", "a", "b", "c", "a"].iter().map(|text| f64::from(texts.place(text))).collect();
    let fit = |limit| CodeTransform::fit(values.iter().copied().chain([f64::NAN]), &texts, limit);
    let shared = CodeTransform { categories: vec!["a".into(), "b".into()], other: true };
    assert_eq!((fit(2), shared.codes()), (shared.clone(), 3));
    let found = encoded(Transform::Code(shared), &["never", "b", "a"], &[0.0, 1.0, 2.0, f64::NAN]);
    assert_eq!(found[..3], [[2.0], [1.0], [0.0]]);
    assert!(found[3][0].is_nan());
    let own = fit(3);
    assert_eq!((own.codes(), own.other), (3, false));
    assert!(encoded(Transform::Code(own), &["never"], &[0.0])[0][0].is_nan());
}

#[test]
fn times_are_their_parts_in_utc() {
    let time = |text: &str| parse_time(text).expect("a time") as f64;
    let transform =
        TimeTransform { kind: TimeKind::Timestamp, impute: None, indicator: false, missing: false };
    let values = [time("2024-02-29T13:30:00+01:00"), time("1969-12-31"), time("1970-01-01 23:00:00")];
    let found = encoded(Transform::Time(transform), &[], &values);
    assert_eq!(found[0], [19_782.520_833_333_332, 2024.0, 2.0, 29.0, 4.0, 12.0]);
    assert_eq!(found[1], [-1.0, 1969.0, 12.0, 31.0, 3.0, 0.0]);
    assert_eq!(found[2][5], 23.0);
    let mut known = [time("2024-01-05"), time("2024-01-01")];
    let fitted = TimeTransform::fit(TimeKind::Date, &mut known, true);
    let found = encoded(Transform::Time(fitted), &[], &[f64::NAN]);
    assert_eq!(found, [[19_725.0, 2024.0, 1.0, 3.0, 3.0, 1.0]]);
    let imputed = |kind, known: &[&str]| {
        TimeTransform::fit(kind, &mut known.iter().map(|text| time(text)).collect::<Vec<_>>(), false).impute
    };
    let milliseconds = |text: &str| Some(time(text) as i64);
    // Between two days is the later one, before 1970 too, and between two milliseconds the later one.
    for (days, middle) in [
        (["2024-01-02", "2024-01-01"], "2024-01-02"),
        (["1969-12-30", "1969-12-31"], "1969-12-31"),
        (["2024-01-01", "2024-03-01"], "2024-01-31"),
    ] {
        assert_eq!(imputed(TimeKind::Date, &days), milliseconds(middle), "{days:?}");
    }
    let noon = imputed(TimeKind::Timestamp, &["2024-01-01", "2024-01-02", "2023-01-01", "2025-01-01"]);
    assert_eq!(noon, milliseconds("2024-01-01T12:00:00"));
    assert_eq!(imputed(TimeKind::Timestamp, &["1970-01-01T00:00:00", "1970-01-01T00:00:00.001"]), Some(1));
    assert_eq!(
        imputed(TimeKind::Date, &["2024-01-05", "2024-01-01", "2024-01-09"]),
        milliseconds("2024-01-05")
    );
    assert_eq!(imputed(TimeKind::Date, &[]), Some(0));
    let kept = TimeTransform { kind: TimeKind::Date, impute: None, indicator: false, missing: true };
    let found = encoded(Transform::Time(kept), &[], &[f64::NAN]);
    assert!(found[0].len() == 5 && found[0].iter().all(|part| part.is_nan()), "{found:?}");
}

#[test]
fn words_are_weighted_by_how_rare_they_are_and_a_row_has_the_length_1() {
    let counted = vec![("view".to_owned(), 1), ("flat".to_owned(), 3), ("été_9".to_owned(), 1)];
    let text = TextTransform::new(counted, 3, 2);
    assert_eq!(text.terms(), ["flat", "view"]);
    let texts = ["FLAT, flat (View)", "x y z", "", "View view's"];
    let found = encoded(Transform::Text(text), &texts, &[0.0, 1.0, 2.0, 3.0, f64::NAN]);
    let rare = 2_f64.ln() + 1.0;
    let length = (4.0 + rare * rare).sqrt();
    assert_eq!(found, [[2.0 / length, rare / length], [0.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]]);
}

#[test]
fn a_word_has_two_characters_and_no_more_bytes_than_a_model_should_hold() {
    let mut words = Vec::new();
    let long = "w".repeat(257);
    for_each_word(&format!("a Ab é ÉÉ_1 x-ray {long} ½a \u{0}"), |word| words.push(word.to_owned()));
    assert_eq!(words, ["ab", "éé_1", "ray", "½a"]);
}

#[test]
fn a_hash_never_changes_and_a_missing_value_has_no_column() {
    let found = encoded(
        Transform::Hash(HashTransform { buckets: 5 }),
        &["Bern", "", "Chur"],
        &[0.0, 1.0, 2.0, f64::NAN],
    );
    let places: Vec<Option<usize>> = found.iter().map(|row| row.iter().position(|one| *one == 1.0)).collect();
    assert_eq!(places, [Some(3), Some(1), Some(1), None]);
    assert!(found.iter().all(|row| row.iter().sum::<f64>() <= 1.0));
}

#[test]
fn a_text_has_its_mean_and_one_that_was_never_seen_the_mean_of_all() {
    let row = |mean: f64| crate::exact::Row(vec![mean]);
    let target = TargetTransform {
        categories: vec!["a".into(), "b".into()],
        means: vec![row(1.0), row(2.0)],
        overall: row(1.5),
        missing: None,
    };
    let values = [0.0, 1.0, 2.0, f64::NAN];
    let found = encoded(Transform::Target(target.clone()), &["b", "never", "a"], &values);
    assert_eq!(found, [[2.0], [1.5], [1.0], [1.5]]);
    let known = TargetTransform { missing: Some(row(-1.0)), ..target };
    assert_eq!(encoded(Transform::Target(known), &[], &[f64::NAN]), [[-1.0]]);
}

#[test]
fn what_is_not_a_time_is_refused() {
    for text in ["", "yesterday", "2024-13-01", "12:30", "99999-01-01", "20240101T", "2024-01-01T10:00:00EST"]
    {
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
    let late =
        TimeTransform { kind: TimeKind::Date, impute: Some(i64::MAX), indicator: false, missing: false };
    let both = TimeTransform { kind: TimeKind::Date, impute: Some(0), indicator: false, missing: true };
    let row = |numbers: &[f64]| crate::exact::Row(numbers.to_vec());
    let target = |categories: &[&str], means: Vec<crate::exact::Row>, overall: &[f64]| {
        let categories = categories.iter().map(|text| (*text).to_owned()).collect();
        Transform::Target(TargetTransform { categories, means, overall: row(overall), missing: None })
    };
    let text = |json: &str| Transform::Text(serde_json::from_str(json).expect("the form"));
    for transform in [
        Transform::Category(unsorted),
        Transform::Code(CodeTransform { categories: vec!["b".into(), "a".into()], other: false }),
        Transform::Code(CodeTransform {
            categories: (100_000..231_072).map(|code| code.to_string()).collect(),
            other: true,
        }),
        Transform::Number(bare),
        Transform::Time(late),
        Transform::Time(both),
        Transform::Hash(HashTransform { buckets: 0 }),
        Transform::Hash(HashTransform { buckets: u32::MAX }),
        target(&["a"], vec![], &[1.0]),
        target(&["a"], vec![row(&[1.0, 2.0])], &[1.0]),
        target(&["b", "a"], vec![row(&[1.0]), row(&[2.0])], &[1.0]),
        target(&[], vec![], &[]),
        target(&[], vec![], &[f64::NAN]),
        text(r#"{"terms": ["b", "a"], "rarities": [1, 1]}"#),
        text(r#"{"terms": ["a"], "rarities": []}"#),
        // A weight that would not be finite once it is squared.
        text(r#"{"terms": ["a"], "rarities": [1e300]}"#),
        text(r#"{"terms": ["a"], "rarities": [-1]}"#),
    ] {
        assert!(Preprocessing::new(vec![transform.clone()]).problem().is_some(), "{transform:?}");
    }
    assert_eq!(Preprocessing::identity(3).problem(), None);
}

#[test]
fn a_text_with_an_order_becomes_its_place_and_what_has_none_is_minus_one() {
    let texts = known(&["10", "9", "1e1"]);
    let fitted = OrdinalTransform::fit([0.0, 1.0, f64::NAN, 2.0].into_iter(), &texts, &[]).expect("an order");
    // As numbers; of equal ones, the first by bytes.
    assert_eq!(fitted.categories, ["9", "10", "1e1"]);
    let texts = known(&["mid", "low", "never learnt from"]);
    let fitted = OrdinalTransform::fit([0.0, 1.0].into_iter(), &texts, &[]).expect("an order");
    assert_eq!(fitted.categories, ["low", "mid"]);
    let order = ["low", "mid", "high"].map(str::to_owned);
    let fitted = OrdinalTransform::fit([0.0, 1.0].into_iter(), &texts, &order).expect("an order");
    let found = encoded(Transform::Ordinal(fitted), &["high", "huge", "low"], &[0.0, 1.0, 2.0, f64::NAN]);
    assert_eq!(found, [[2.0], [-1.0], [0.0], [-1.0]]);
    let lacking = OrdinalTransform::fit([2.0].into_iter(), &texts, &order).expect_err("not named");
    assert_eq!(lacking, "never learnt from");
}
