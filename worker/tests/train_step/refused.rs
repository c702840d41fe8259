//! What cannot be learnt from is refused, with what to do.

use serde_json::{Value, json};

use crate::steps::{published, train, with_data};

/// A step on these data, with these fields, that fails: its exit code, its reason, and parts of its message.
type Refused<'a> = (&'a str, Value, i32, &'a str, &'a [&'a str]);

#[track_caller]
fn assert_refused(rows: Vec<Refused<'_>>) {
    for (data, fields, code, reason, parts) in rows {
        let volume = with_data(data);
        volume.step(&train(fields), &[]).fails(code, reason, parts);
        assert!(!published(&volume, "train").exists(), "{data}");
    }
}

#[test]
fn columns_that_cannot_be_learnt_from_are_refused_with_what_to_do() {
    assert_refused(vec![
        (
            "a,species\n1,x\n2,y\n",
            json!({"target": "kind"}),
            3,
            "ColumnNotFound",
            &["\"kind\" not found", "columns are a, species"],
        ),
        (
            "a,species\n1,x\n2,y\n",
            json!({"features": ["b"]}),
            3,
            "ColumnNotFound",
            &["\"b\" not found", "columns are a, species"],
        ),
        ("species\nx\ny\n", json!({}), 3, "WrongData", &["no column but the target"]),
        ("a,species\n", json!({}), 3, "WrongData", &["no rows"]),
        (
            "a,b,species\n1,,x\n2,,y\n",
            json!({}),
            3,
            "WrongData",
            &["\"b\" is empty in every row", "as: ignore"],
        ),
        ("a,species\n1,x\ninf,y\n", json!({}), 3, "WrongFeature", &["\"a\" has inf in row 2"]),
        (
            "a,species\n1,x\n2,y\nabc,y\n",
            json!({"columns": [{"name": "a", "as": "number"}]}),
            2,
            "WrongSpec",
            &["\"a\" holds text", "CAST(\"a\" AS DOUBLE)"],
        ),
        (
            "a,species\n2024-01-01,x\nsoon,y\n",
            json!({"columns": [{"name": "a", "as": "date"}]}),
            3,
            "WrongFeature",
            &["\"a\" has the text \"soon\" in row 2"],
        ),
        (
            "a,species\n1,x\n2,y\n",
            json!({"columns": [{"name": "b", "as": "ignore"}]}),
            3,
            "ColumnNotFound",
            &["column \"b\" not found", "columns are a, species"],
        ),
    ]);
}

#[test]
fn targets_and_too_few_rows_are_refused_with_what_to_do() {
    let linear = json!({"linearRegression": {}});
    assert_refused(vec![
        ("a,species\n1,x\n2,\n", json!({}), 3, "WrongData", &["\"species\" is null in row 2"]),
        ("a,species\n1,x\n2,x\n", json!({}), 3, "WrongData", &["\"x\" in every row"]),
        (
            "a,species\n1,x\n2,y\n",
            json!({"algorithm": linear}),
            3,
            "WrongData",
            &["has \"x\" in row 1", "use logisticRegression"],
        ),
        (
            "a,species\n1,0.5\n2,0.7\n",
            json!({}),
            3,
            "WrongData",
            &["has 0.5 in row 1", "use linearRegression"],
        ),
        (
            "a,species\n1,x\n2,y\n3,x\n",
            json!({"crossValidation": {"folds": 2}}),
            3,
            "WrongData",
            &["class \"y\" with 1 rows"],
        ),
        (
            "a,species\n1,x\n2,y\n3,x\n",
            json!({"split": {"test": 0.5, "stratify": true}}),
            3,
            "WrongData",
            &["class \"y\" has only 1 row"],
        ),
        (
            "a,species\n1,1\n2,2\n3,4\n",
            json!({"algorithm": linear, "crossValidation": {"folds": 4}}),
            3,
            "WrongData",
            &["folds is 4, and 3 rows"],
        ),
    ]);
}

#[test]
fn steps_that_ask_for_what_cannot_be_are_refused() {
    let linear = json!({"linearRegression": {}});
    assert_refused(vec![
        ("a,species\n1,x\n2,y\n", json!({"features": ["a", "a"]}), 2, "WrongSpec", &["\"a\" is named twice"]),
        (
            "a,species\n1,x\n2,y\n",
            json!({"features": ["a", "species"]}),
            2,
            "WrongSpec",
            &["\"species\" is the target"],
        ),
        (
            "a,species\n1,1\n2,2\n",
            json!({"algorithm": linear, "split": {"test": 0.5, "stratify": true}}),
            2,
            "WrongSpec",
            &["stratify"],
        ),
        (
            "a,species\n1,1\n2,2\n",
            json!({"algorithm": linear, "gate": {"metric": "accuracy", "min": 0.5}}),
            2,
            "WrongSpec",
            &["its metrics are r2, rmse, mae"],
        ),
        (
            "a,species\n1,1\n2,2\n",
            json!({"algorithm": {}}),
            2,
            "WrongSpec",
            &["exactly one of logisticRegression, linearRegression"],
        ),
        (
            "a,species\n1,1\n2,2\n",
            json!({"algorithm": {"logisticRegression": {"alpha": -1.0}}}),
            2,
            "WrongSpec",
            &["alpha is -1"],
        ),
        (
            "a,species\n1,1\n2,2\n",
            json!({"algorithm": {"logisticRegression": {"maxIterations": 0}}}),
            2,
            "WrongSpec",
            &["maxIterations is 0"],
        ),
        ("a,species\n1,1\n2,2\n", json!({"split": {"test": 1.0}}), 2, "WrongSpec", &["split.test is 1"]),
        ("a,species\n1,1\n2,2\n", json!({"crossValidation": {"folds": 1}}), 2, "WrongSpec", &["folds is 1"]),
    ]);
}
