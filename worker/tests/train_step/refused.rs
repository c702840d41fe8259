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
        (
            "a,b,species\n1,u,x\n2,v,y\n",
            json!({"interactions": [{"columns": ["a", "b"]}]}),
            2,
            "WrongSpec",
            &["interactions[0].columns: \"b\" is not taken as a number"],
        ),
        (
            "a,b,species\n1,u,x\n2,v,y\n",
            json!({"columns": [{"name": "b", "scale": "standard"}]}),
            2,
            "WrongSpec",
            &["columns: \"b\" has scale standard", "leave scale out, or take the column as number, ordinal"],
        ),
        (
            "a,b,species\n1,u v,x\n2,v w,y\n",
            json!({"scale": "standard", "columns": [{"name": "b", "as": "text", "scale": "minMax"}]}),
            2,
            "WrongSpec",
            &["columns: \"b\" has scale minMax"],
        ),
        (
            "at,species\n2024-01-01,1\n2024-01-02,2\n",
            json!({"scale": "standard", "algorithm": {"seasonalNaive": {}}, "crossValidation": {"folds": 2}}),
            2,
            "WrongSpec",
            &["scale does not go with seasonalNaive"],
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
fn what_is_said_twice_or_of_the_target_is_refused() {
    let data = "a,b,species\n1.5,u,x\n2.5,v,y\n3.5,u,x\n4.5,v,y\n";
    let twice = json!([{"name": "b", "as": "text"}, {"name": "b", "as": "hash"}]);
    assert_refused(vec![
        (data, json!({"columns": twice}), 2, "WrongSpec", &["\"b\" is named twice"]),
        (
            data,
            json!({"columns": [{"name": "species", "as": "target"}]}),
            2,
            "WrongSpec",
            &["columns: \"species\" is the target"],
        ),
        (
            data,
            json!({"columns": [{"name": "a", "as": "target"}]}),
            3,
            "WrongFeature",
            &["\"a\" has 1.5 in row 1", "whole numbers can be texts", "CAST(\"a\" AS VARCHAR)"],
        ),
    ]);
}

#[test]
fn components_that_rounding_would_decide_are_refused() {
    let row =
        |row: u32| format!("{},{},{}\n", 1_700_000_000 + row * 7919 % 1000, row * 31 % 17, row * 13 % 11);
    let data = format!("at,b,c\n{}", (0..200).map(row).collect::<String>());
    let step = |count: u32| json!({"target": null, "algorithm": {"truncatedSvd": {"nComponents": count}}});
    assert_refused(vec![
        (&data, step(2), 3, "WrongData", &["component 2 is so small", "Set nComponents to 1", "take pca"]),
        ("a\n1\n2\n3\n", step(2), 3, "WrongData", &["3 rows of 1 column have at most 1", "more columns"]),
    ]);
    with_data(&data).step(&train(step(1)), &[]).succeeds();
    let pca = json!({"target": null, "algorithm": {"pca": {"nComponents": 3}}});
    with_data(&data).step(&train(pca), &[]).succeeds();
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
            "a,species\nS,x\nM,y\n",
            json!({"columns": [{"name": "a", "as": "ordinal", "order": ["S", "M", "S"]}]}),
            2,
            "WrongSpec",
            &["the order of \"a\" names \"S\" twice; name each text once"],
        ),
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

#[test]
fn parameters_that_do_not_go_together_or_with_the_data_are_refused() {
    assert_refused(vec![
        (
            "a,species\n1,1\n2,2\n",
            json!({"algorithm": {"linearRegression": {}}, "gate": {"metric": "pinball", "max": 0.5}}),
            2,
            "WrongSpec",
            &["gate.metric is pinball", "set loss: quantile"],
        ),
        (
            "a,species\n1,1\n2,2\n",
            json!({"algorithm": {"gradientBoosting": {"task": "regression", "loss": "quantile"}}}),
            2,
            "WrongSpec",
            &["algorithm.gradientBoosting.quantile is missing"],
        ),
        (
            "a,species\n1,1\n2,-2\n",
            json!({"algorithm": {"gradientBoosting": {"task": "regression", "loss": "poisson"}}}),
            3,
            "WrongData",
            &["the target is -2 in row 2"],
        ),
        (
            "a,species\n1,x\n2,y\n",
            json!({"algorithm": {"logisticRegression": {"classWeights": {"z": 2.0}}}}),
            2,
            "WrongSpec",
            &["classWeights.z: z is not a class of the target; its classes are x, y"],
        ),
        (
            "a,b,species\n1,u,1\n2,v,2\n",
            json!({"algorithm": {"gradientBoosting": {"task": "regression", "monotonicConstraints": {"b": "increasing"}}}}),
            2,
            "WrongSpec",
            &["monotonicConstraints.b: only columns of numbers"],
        ),
    ]);
}
