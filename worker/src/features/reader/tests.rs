use std::sync::Arc;

use datafusion::arrow::array::{BooleanArray, Float64Array, Int32Array, NullArray, StringArray};
use datafusion::arrow::datatypes::{Field, TimeUnit};

use super::*;
use crate::preprocess::Spelling;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("a batch")
}

fn inputs<const N: usize>(names: [&str; N], form: Form, optional: bool) -> [Input; N] {
    names.map(|name| Input { name: name.to_owned(), form, optional, spelling: Spelling::default() })
}

fn reader(schema: &Schema, name: &str, form: Form, optional: bool) -> FeatureReader {
    FeatureReader::new(schema, inputs([name], form, optional)).expect("a reader")
}

#[test]
fn numbers_and_booleans_are_read_row_by_row_in_the_order_asked_for() {
    let batch = batch(vec![
        ("a", Arc::new(Int32Array::from(vec![1, 2]))),
        ("b", Arc::new(BooleanArray::from(vec![true, false]))),
        ("c", Arc::new(Float64Array::from(vec![0.5, -0.5]))),
    ]);
    let inputs = inputs(["c", "b", "a"], Form::Number, false);
    let reader = FeatureReader::new(&batch.schema(), inputs).expect("a reader");
    let mut out = RawRows::new(3);
    out.numbers.push(9.0);
    reader.read(&batch, 0, &mut out).expect("numbers");
    assert_eq!(out.numbers, [0.5, 1.0, 1.0, -0.5, 0.0, 2.0]);
    reader.finish(2).expect("all numbers");
}

#[test]
fn many_rows_are_read_as_each_of_them_alone() {
    let rows = 2 * CACHED_ROWS as i32 + 3;
    let batch = batch(vec![
        ("a", Arc::new(Int32Array::from_iter_values(0..rows))),
        (
            "b",
            Arc::new(Float64Array::from_iter(
                (0..rows).map(|row| (row % 7 > 0).then(|| f64::from(row) / 4.0)),
            )),
        ),
        ("c", Arc::new(Float64Array::from_iter_values((0..rows).map(|row| 1.0 / f64::from(row % 5))))),
        ("d", Arc::new(Float64Array::from_iter_values((0..rows).map(|row| f64::from(row) * 0.1)))),
    ]);
    for width in 1..=3 {
        let names = ["d", "b", "a"].into_iter().take(width);
        let inputs = names.map(|name| Input {
            name: name.to_owned(),
            form: Form::Number,
            optional: true,
            spelling: Spelling::default(),
        });
        let reader = FeatureReader::new(&batch.schema(), inputs).expect("a reader");
        let (mut whole, mut alone, mut one) = (RawRows::new(width), Vec::new(), RawRows::new(width));
        reader.read(&batch, 0, &mut whole).expect("numbers");
        for row in 0..rows as usize {
            reader.read(&batch.slice(row, 1), 0, &mut one).expect("numbers");
            alone.extend(one.numbers.iter().map(|number| number.to_bits()));
        }
        assert_eq!(whole.numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>(), alone);
        assert_eq!(whole.missing, one.missing);
    }
    let infinite = reader(&batch.schema(), "c", Form::Number, true);
    let message = infinite.read(&batch, 0, &mut RawRows::new(1)).expect_err("a division by zero").to_string();
    assert!(message.starts_with("column \"c\" has inf in row 1"), "{message}");
}

#[test]
fn a_column_of_nulls_alone_is_missing_whatever_its_type() {
    for column in [
        Arc::new(NullArray::new(2)) as ArrayRef,
        Arc::new(StringArray::from(vec![None::<&str>, None])),
        Arc::new(Float64Array::from(vec![None, None])),
    ] {
        for form in [Form::Number, Form::Text, Form::Time] {
            if form == Form::Time && column.data_type() == &DataType::Float64 {
                continue;
            }
            let batch = batch(vec![("a", Arc::clone(&column))]);
            let optional = reader(&batch.schema(), "a", form, true);
            let mut out = RawRows::new(1);
            optional.read(&batch, 0, &mut out).expect("missing values");
            optional.finish(2).expect("no number is written as text");
            assert_eq!(out.missing, [2], "{form:?} {column:?}");
            assert!(out.numbers.iter().all(|number| number.is_nan()));
            let required = reader(&batch.schema(), "a", form, false);
            let message = required.read(&batch, 0, &mut RawRows::new(1)).expect_err("a null").to_string();
            assert!(message.starts_with("column \"a\" is null in row 1"), "{message}");
        }
    }
}

#[test]
fn missing_values_are_counted_where_they_may_be() {
    let numbers: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), None, Some(f64::NAN)]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None, Some("x")]));
    let batch = batch(vec![("n", numbers), ("t", texts)]);
    for (name, form, expected) in [("n", Form::Number, 2), ("t", Form::Text, 1)] {
        let mut out = RawRows::new(1);
        reader(&batch.schema(), name, form, true).read(&batch, 0, &mut out).expect("values");
        assert_eq!(out.missing, [expected], "{name}");
        assert_eq!(out.numbers.iter().filter(|number| number.is_nan()).count() as u64, expected);
    }
    let required = reader(&batch.schema(), "t", Form::Text, false);
    let message = required.read(&batch, 0, &mut RawRows::new(1)).expect_err("a null").to_string();
    assert!(message.starts_with("column \"t\" is null in row 2"), "{message}");
}

#[test]
fn whole_numbers_can_be_texts_and_texts_times() {
    let codes: ArrayRef = Arc::new(Int32Array::from(vec![7, 8, 7]));
    let days: ArrayRef = Arc::new(StringArray::from(vec!["1970-01-02", "1970-01-01 01:00:00", "soon"]));
    let batch = batch(vec![("code", codes), ("day", days)]);
    let mut out = RawRows::new(1);
    reader(&batch.schema(), "code", Form::Text, false).read(&batch, 0, &mut out).expect("texts");
    assert_eq!(out.numbers, [0.0, 1.0, 0.0]);
    assert_eq!(out.texts[0].iter().collect::<Vec<_>>(), ["7", "8"]);
    let days = reader(&batch.schema(), "day", Form::Time, true);
    let message = days.read(&batch, 0, &mut RawRows::new(1)).expect_err("no time").to_string();
    assert!(message.starts_with("column \"day\" has the text \"soon\" in row 3"), "{message}");
    days.read(&batch.slice(0, 2), 0, &mut out).expect("times");
    assert_eq!(out.numbers, [86_400_000.0, 3_600_000.0]);
}

#[test]
fn codes_with_holes_are_texts_of_whole_numbers_and_booleans_are_spelled_as_the_texts_are() {
    let codes: ArrayRef = Arc::new(Float64Array::from(vec![Some(3.0), None, Some(f64::NAN), Some(-5.0)]));
    let codes = batch(vec![("code", codes)]);
    let mut out = RawRows::new(1);
    reader(&codes.schema(), "code", Form::Text, true).read(&codes, 0, &mut out).expect("texts");
    assert_eq!(out.texts[0].iter().collect::<Vec<_>>(), ["3", "-5"]);
    assert_eq!(out.missing, [2]);
    let halves = batch(vec![("code", Arc::new(Float64Array::from(vec![3.0, 2.5])))]);
    let refused = reader(&halves.schema(), "code", Form::Text, true).read(&halves, 0, &mut out);
    let message = refused.expect_err("no whole number").to_string();
    assert!(
        message.starts_with("column \"code\" has 2.5 in row 2") && message.contains("AS VARCHAR"),
        "{message}"
    );

    let flags = batch(vec![("flag", Arc::new(BooleanArray::from(vec![true, false])))]);
    let spelling = Spelling::among(["UNKNOWN", "TRUE"].into_iter());
    let input = Input { name: "flag".to_owned(), form: Form::Text, optional: false, spelling };
    let mut out = RawRows::new(1);
    FeatureReader::new(&flags.schema(), [input]).expect("a reader").read(&flags, 0, &mut out).expect("texts");
    assert_eq!(out.texts[0].iter().collect::<Vec<_>>(), ["TRUE", "false"]);
}

#[test]
fn a_column_of_true_and_false_is_read_as_any_of_their_spellings_and_refuses_all_else() {
    let arrays: [ArrayRef; 4] = [
        Arc::new(BooleanArray::from(vec![true, false])),
        Arc::new(Int32Array::from(vec![1, 0])),
        Arc::new(Float64Array::from(vec![1.0, -0.0])),
        Arc::new(StringArray::from(vec!["TRUE", "false"])),
    ];
    for array in arrays {
        let flags = batch(vec![("flag", array)]);
        let reader = reader(&flags.schema(), "flag", Form::Boolean, false);
        let mut out = RawRows::new(1);
        reader.read(&flags, 0, &mut out).expect("booleans");
        assert_eq!(
            out.numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>(),
            [1f64.to_bits(), 0]
        );
        reader.finish(2).expect("texts of booleans are booleans");
    }
    let refused: [(ArrayRef, &str); 4] = [
        (Arc::new(Int32Array::from(vec![1, 2])), "has 2 in row 2"),
        (Arc::new(Float64Array::from(vec![1.0, 0.5])), "has 0.5 in row 2"),
        (Arc::new(StringArray::from(vec!["true", "yes"])), "has the text \"yes\" in row 2"),
        (Arc::new(Float64Array::from(vec![1.0, f64::NAN])), "has NaN in row 2"),
    ];
    for (array, found) in refused {
        let flags = batch(vec![("flag", array)]);
        let mut out = RawRows::new(1);
        let refused = reader(&flags.schema(), "flag", Form::Boolean, false).read(&flags, 0, &mut out);
        let message = refused.expect_err(found).to_string();
        let expected = format!("column \"flag\" {found}, and true or false is expected, or 1 or 0; ");
        assert!(message.starts_with(&expected), "{message}");
    }
    let holes = batch(vec![("flag", Arc::new(Float64Array::from(vec![Some(f64::NAN), None, Some(1.0)])))]);
    let mut out = RawRows::new(1);
    reader(&holes.schema(), "flag", Form::Boolean, true).read(&holes, 0, &mut out).expect("holes");
    assert!(out.numbers[0].is_nan() && out.numbers[1].is_nan() && out.numbers[2] == 1.0);
    assert_eq!(out.missing[0], 2);
}

#[test]
fn the_first_wrong_value_is_named_with_its_row_over_batches() {
    let good = batch(vec![("a", Arc::new(Float64Array::from(vec![1.0, 2.0])))]);
    for (value, expected) in [
        (
            None,
            "column \"a\" is null in row 4, and a number is expected; leave such rows out in a prepare step: WHERE \"a\" IS NOT NULL",
        ),
        (Some(f64::NAN), "column \"a\" has NaN in row 4"),
        (Some(f64::NEG_INFINITY), "column \"a\" has -inf in row 4"),
        (Some(1e101), "column \"a\" has 1e101 in row 4"),
    ] {
        let bad = batch(vec![("a", Arc::new(Float64Array::from(vec![Some(3.0), value, None])))]);
        let reader = reader(&good.schema(), "a", Form::Number, false);
        let mut out = RawRows::new(1);
        reader.read(&good, 0, &mut out).expect("numbers");
        let message = reader.read(&bad, 2, &mut out).expect_err(expected).to_string();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn text_is_shown_and_numbers_written_as_text_are_told_apart() {
    let rows = batch(vec![("a", Arc::new(StringArray::from(vec!["1.5", "n/a"])))]);
    let number = reader(&rows.schema(), "a", Form::Number, false);
    let message = number.read(&rows, 0, &mut RawRows::new(1)).expect_err("text").to_string();
    assert!(message.starts_with("column \"a\" has the text \"n/a\" in row 2"), "{message}");
    let rows = batch(vec![("a", Arc::new(StringArray::from(vec!["1.5", "2"])))]);
    number.read(&rows, 0, &mut RawRows::new(1)).expect("numbers so far");
    assert!(number.finish(2).expect_err("text").to_string().contains("CAST(\"a\" AS DOUBLE)"));
}

#[test]
fn missing_columns_and_types_of_another_form_are_refused_before_any_row() {
    let schema = Schema::new(vec![
        Field::new("a", DataType::Float64, true),
        Field::new("t", DataType::Timestamp(TimeUnit::Second, None), true),
    ]);
    let refused = |name, form| {
        FeatureReader::new(&schema, inputs([name], form, true)).expect_err("refused").to_string()
    };
    assert_eq!(refused("b", Form::Number), "column \"b\" not found; columns are a, t");
    assert!(refused("t", Form::Number).contains("holds times"));
    assert!(refused("t", Form::Text).contains("holds times"));
    assert!(refused("a", Form::Time).contains("holds numbers"));
}
