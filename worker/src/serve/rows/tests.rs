use super::reader::{MAX_PROBLEMS, MAX_QUOTED};
use super::*;
use crate::model::{FeatureKind, TextValues, TimeValues, Values};
use crate::preprocess::TimeKind;
use crate::serve::test_models::feature;

fn features<'a>(names: impl IntoIterator<Item = &'a str>, kind: FeatureKind, largest: f64) -> RowFeatures {
    let features: Vec<Feature> = names.into_iter().map(|name| feature(name, kind)).collect();
    RowFeatures::new(&features, largest)
}

fn floats<const N: usize>(names: [&str; N]) -> RowFeatures {
    features(names, FeatureKind::Float, f64::MAX)
}

/// An optional text, an optional time and a number.
fn mixed() -> RowFeatures {
    let text = Values::Text(TextValues { common: vec!["Bern".to_owned()] });
    let time = Values::Time(TimeValues { kind: TimeKind::Date, min: 0, max: 0, example: 0 });
    let optional = |name: &str, values| Feature { name: name.to_owned(), optional: true, values };
    let features = [optional("city", text), optional("sold", time), feature("rooms", FeatureKind::Integer)];
    RowFeatures::new(&features, 1e9)
}

#[test]
fn texts_and_times_are_read_and_what_is_optional_may_be_null_or_left_out() {
    let body = r#"[{"city": "Z\u00fcrich", "sold": "1970-01-02", "rooms": 3}, {"rooms": 4, "city": null},
        {"rooms": 5, "city": "Zürich"}, {"rooms": 6, "city": 7.0, "sold": "1970-01-01T00:00:01Z"}]"#;
    let rows = read_rows(body.as_bytes(), &mixed(), 9).expect("rows").raw;
    let nan = f64::NAN;
    let expected = [0.0, 86_400_000.0, 3.0, nan, nan, 4.0, 0.0, nan, 5.0, 1.0, 1000.0, 6.0].map(f64::to_bits);
    assert_eq!(rows.numbers.iter().map(|value| value.to_bits()).collect::<Vec<_>>(), expected);
    assert_eq!(rows.texts[0].iter().collect::<Vec<_>>(), ["Zürich", "7"]);
}

#[test]
fn values_of_another_form_are_named() {
    for (body, expected) in [
        (
            r#"{"city": 1.5, "rooms": 1}"#,
            "feature \"city\" must be a text, or a whole number as one, not the number 1.5",
        ),
        (r#"{"city": [], "rooms": 1}"#, "feature \"city\" must be a text, not a list"),
        (r#"{"sold": "soon", "rooms": 1}"#, "feature \"sold\" must be a date or time such as"),
        (r#"{"sold": 5, "rooms": 1}"#, "feature \"sold\" must be a date or time as text, not a number"),
        (r#"{"city": null, "city": "Bern", "rooms": 1}"#, "feature \"city\" is given twice"),
        (r#"{"rooms": null}"#, "feature \"rooms\" must be a number, not null"),
        (r#"{"city": "Bern"}"#, "feature \"rooms\" is missing"),
    ] {
        let error = read_rows(body.as_bytes(), &mixed(), 9).expect_err(body).to_string();
        assert!(error.contains(expected), "{body}: {error}");
    }
}

fn iris() -> RowFeatures {
    floats(["sepal_length", "sepal_width", "petal_length", "petal_width"])
}

fn read(body: &str) -> Result<Rows, RowsError> {
    read_rows(body.as_bytes(), &iris(), 3)
}

fn problems(body: &str) -> Vec<(usize, String, String)> {
    match read(body) {
        Err(RowsError::Wrong { problems, .. }) => problems
            .into_iter()
            .map(|problem| (problem.row, problem.feature.unwrap_or_default(), problem.problem))
            .collect(),
        other => panic!("{body}: {other:?}"),
    }
}

fn one_problem(body: &str) -> String {
    let problems = problems(body);
    assert_eq!(problems.len(), 1, "{problems:?}");
    format!("{} {}", problems[0].1, problems[0].2)
}

fn with_petal_width(json: &str) -> String {
    format!(r#"{{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": {json}}}"#)
}

#[test]
fn one_object_is_one_row_in_the_models_order() {
    let rows =
        read(r#" {"petal_width": 0.2, "sepal_width": 3, "sepal_length": 5.1, "petal_length": -14e-1} "#);
    let rows = rows.expect("one row");
    assert_eq!((rows.count, rows.single), (1, true));
    assert_eq!(rows.raw.numbers, [5.1, 3.0, -1.4, 0.2]);
}

#[test]
fn a_list_is_its_rows_in_the_order_given() {
    let rows = read(&format!("[{},{}]", with_petal_width("1"), with_petal_width("2"))).expect("two rows");
    assert_eq!((rows.count, rows.single), (2, false));
    assert_eq!(rows.raw.numbers, [5.1, 3.5, 1.4, 1.0, 5.1, 3.5, 1.4, 2.0]);
}

#[test]
fn an_escaped_name_is_the_same_feature() {
    let body = with_petal_width("1").replace("petal_width", "petal\\u005fwidth");
    assert_eq!(read(&body).expect("one row").raw.numbers[3], 1.0);
}

#[test]
fn unicode_names_are_features_like_others() {
    let features = floats(["größe", "温度 🌡"]);
    let rows = read_rows("{\"größe\": 1, \"温度 🌡\": 2}".as_bytes(), &features, 1).expect("one row");
    assert_eq!(rows.raw.numbers, [1.0, 2.0]);
}

#[test]
fn a_boolean_feature_takes_true_and_false_as_one_and_zero() {
    let features = features(["a", "b", "c"], FeatureKind::Boolean, 1e3);
    let rows = read_rows(br#"{"a": true, "b": false, "c": 1}"#, &features, 1).expect("one row");
    assert_eq!(rows.raw.numbers, [1.0, 0.0, 1.0]);
    let rows = read_rows(br#"{"a": "True", "b": "FALSE", "c": -0.0}"#, &features, 1).expect("one row");
    assert_eq!(
        rows.raw.numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>(),
        [1.0, 0.0, 0.0].map(f64::to_bits)
    );
    for (wrong, found) in [
        ("2", "2"),
        ("0.5", "0.5"),
        ("-7", "-7"),
        ("1e999", "1e999"),
        ("\"yes\"", "the text \"yes\""),
        ("\"1\"", "the text \"1\""),
        ("null", "null"),
        ("[true]", "a list"),
    ] {
        let body = format!("{{\"a\": {wrong}, \"b\": true, \"c\": true}}");
        let error = read_rows(body.as_bytes(), &features, 1).expect_err("no boolean").to_string();
        assert!(error.contains(&format!("must be true or false, or 1 or 0, not {found}")), "{error}");
    }
}

#[test]
fn numbers_are_read_to_the_nearest_double() {
    for text in [
        "0.1",
        "5.1",
        "9007199254740993",
        "1.7976931348623157e308",
        "4.9e-324",
        "2.2250738585072011e-308",
        "-0",
    ] {
        let rows = read(&with_petal_width(text)).expect("one row");
        assert_eq!(rows.raw.numbers[3].to_bits(), text.parse::<f64>().expect("a number").to_bits(), "{text}");
    }
}

#[test]
fn what_is_no_finite_number_is_told_with_what_it_is() {
    let rows = [
        ("null", "petal_width must be a number, not null"),
        ("true", "petal_width must be a number, not true"),
        ("\"5.1\"", "petal_width must be a number, not the text \"5.1\""),
        ("[1]", "petal_width must be a number, not a list"),
        ("{\"a\": 1}", "petal_width must be a number, not an object"),
        (
            "1e999",
            "petal_width must be between -1.7976931348623157e308 and 1.7976931348623157e308, and 1e999 is not",
        ),
        (
            "-1e999",
            "petal_width must be between -1.7976931348623157e308 and 1.7976931348623157e308, and -1e999 is not",
        ),
    ];
    for (json, expected) in rows {
        assert_eq!(one_problem(&with_petal_width(json)), expected, "{json}");
    }
}

#[test]
fn numbers_so_large_that_nothing_can_be_predicted_from_them_are_refused() {
    let features = features(["a"], FeatureKind::Float, 1e300);
    assert!(read_rows(br#"{"a": -1e300}"#, &features, 1).is_ok());
    let refused = read_rows(br#"{"a": -1.1e300}"#, &features, 1).expect_err("too large");
    assert_eq!(
        refused.to_string(),
        "row 0: feature \"a\" must be between -1e300 and 1e300, and -1.1e300 is not"
    );
}

#[test]
fn missing_extra_and_double_features_are_told_all_at_once() {
    let found =
        problems(r#"[{"sepal_length": 1, "sepal_length": 2, "petal_length": null, "<b>": 1}, 7, []]"#);
    let reported: Vec<String> =
        found.iter().map(|(row, feature, problem)| format!("{row} {feature} {problem}")).collect();
    let object = "must be an object with one value for each feature, not";
    assert_eq!(
        reported,
        [
            "0 sepal_length is given twice".to_owned(),
            "0 petal_length must be a number, not null".to_owned(),
            "0 <b> is not a feature of this model".to_owned(),
            "0 sepal_width is missing".to_owned(),
            "0 petal_width is missing".to_owned(),
            format!("1  {object} a number"),
            format!("2  {object} a list"),
        ]
    );
}

#[test]
fn a_double_that_makes_up_the_number_does_not_hide_a_missing_feature() {
    let body = r#"{"sepal_length": 1, "sepal_length": 1, "sepal_width": 1, "petal_length": 1}"#;
    assert_eq!(problems(body).len(), 2);
}

#[test]
fn problems_are_counted_beyond_those_spelt_out() {
    let body =
        format!("{{{}}}", (0..1000).map(|index| format!("\"x{index}\": 1")).collect::<Vec<_>>().join(","));
    match read(&body) {
        Err(RowsError::Wrong { problems, total }) => {
            assert_eq!((problems.len(), total), (MAX_PROBLEMS, 1004));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn long_names_and_values_are_cut_in_messages() {
    let found = problems(&format!("{{\"{}\": 1}}", "é".repeat(100_000)));
    assert!(found.iter().all(|(_, feature, _)| feature.chars().count() <= MAX_QUOTED + 1));
    let found = one_problem(&with_petal_width(&format!("\"{}\"", "x".repeat(100_000))));
    assert!(found.len() < 120, "{found}");
}

#[test]
fn what_is_not_json_is_told_with_its_place() {
    let nan = with_petal_width("NaN");
    let infinity = with_petal_width("Infinity");
    let cut = with_petal_width("1").replace('}', "");
    let twice = with_petal_width("1") + "{}";
    for body in
        ["", "  \n", "{", "[", "{]", "[1,]", "{'a': 1}", "nul", "{\"a\" 1}", &nan, &infinity, &cut, &twice]
    {
        match read(body) {
            Err(RowsError::Malformed(message)) => {
                assert!(message.contains("line") || message == "it is empty", "{body}: {message}");
            }
            other => panic!("{body}: {other:?}"),
        }
    }
    for body in [&b"{\"\xff\": 1}"[..], b"{\"a\": \"\xff\"}", b"\xef\xbb\xbf{}", b"{\"\\ud800\": 1}"] {
        let read = read_rows(body, &iris(), 3);
        assert!(matches!(read, Err(RowsError::Malformed(_))), "{read:?}");
    }
}

#[test]
fn json_of_another_shape_is_told_as_such() {
    let rows =
        [("null", "null"), ("1", "a number"), ("\"a\"", "a text"), ("true", "true"), ("[]", "an empty list")];
    for (body, found) in rows {
        assert_eq!(read(body), Err(RowsError::WrongShape(found)), "{body}");
    }
}

#[test]
fn more_rows_than_allowed_are_refused() {
    let row = with_petal_width("1");
    let list = |count: usize| format!("[{}]", vec![row.as_str(); count].join(","));
    assert_eq!(read(&list(3)).expect("three rows").count, 3);
    assert_eq!(read(&list(4)), Err(RowsError::TooManyRows { limit: 3 }));
}

#[test]
fn deep_nesting_uses_no_stack() {
    let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
    assert_eq!(one_problem(&with_petal_width(&deep)), "petal_width must be a number, not a list");
    assert!(matches!(read(&deep), Err(RowsError::Wrong { .. } | RowsError::Malformed(_))));
    assert!(matches!(read(&"{\"a\":".repeat(1_000_000)), Err(RowsError::Malformed(_))));
}

proptest::proptest! {
    #[test]
    fn no_body_panics(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..64)) {
        let _ = read_rows(&body, &iris(), 3);
    }

    #[test]
    fn every_finite_row_is_read_back_exactly(values in proptest::array::uniform4(-1e300..1e300f64)) {
        let [a, b, c, d] = values;
        let body = serde_json::json!({"sepal_length": a, "sepal_width": b, "petal_length": c, "petal_width": d});
        let rows = read(&body.to_string()).expect("one row");
        proptest::prop_assert_eq!(rows.raw.numbers, values);
    }
}

#[test]
fn rows_without_values_take_no_memory_however_many_features_there_are() {
    let names: Vec<String> = (0..4096).map(|index| format!("f{index}")).collect();
    let features = features(names.iter().map(String::as_str), FeatureKind::Float, 1e9);
    let body = format!("[{}{{}}]", "{},".repeat(24_999));
    let mut reader = Reader::new(&features, 100_000);
    let mut json = serde_json::Deserializer::from_slice(body.as_bytes());
    json.deserialize_seq(ListVisitor(&mut reader)).expect("JSON");
    assert_eq!((reader.count, reader.total), (25_000, 25_000 * 4096));
    assert!(reader.raw.numbers.capacity() <= 2 * 4096, "{}", reader.raw.numbers.capacity());
}
