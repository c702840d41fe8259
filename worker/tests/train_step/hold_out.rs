//! Which rows are kept back, by their values.

use mlpipeline_crds::{Revision, StepReport};
use serde_json::{Value, json};

use crate::steps::{evaluation, metric, train, with_data};
use crate::support::Volume;

/// The number of test rows, and the whole `metrics.json`, of a step on these data.
fn measured(data: &str, fields: Value) -> (f64, Value) {
    let volume = with_data(data);
    let ended = volume.step(&train(fields), &[]);
    let rows = metric(ended.succeeds(), "testRows");
    (rows, evaluation(&volume))
}

/// Rows of classes that a line parts, with a customer of four rows each and a day.
fn orders(count: usize) -> Vec<String> {
    let row = |row: usize| {
        let (x, class) = (row * 37 % 100, if row * 37 % 100 < 50 { "low" } else { "high" });
        format!("{x},c{},2024-01-{:02},{class}\n", row / 4, row % 28 + 1)
    };
    (0..count).map(row).collect()
}

fn table(rows: &[String]) -> String {
    format!("x,customer,day,species\n{}", rows.concat())
}

#[test]
fn by_hash_the_order_of_the_rows_does_not_matter_and_more_rows_change_nothing_for_the_others() {
    let rows = orders(400);
    let split = |column: Option<&str>| json!({"test": 0.25, "by": "hash", "column": column});
    for column in [None, Some("customer")] {
        let fields = json!({"features": ["x"], "split": split(column)});
        let (count, found) = measured(&table(&rows), fields.clone());
        assert!((60.0..140.0).contains(&count), "{count}");
        let backwards: Vec<String> = rows.iter().rev().cloned().collect();
        let (turned, other) = measured(&table(&backwards), fields.clone());
        assert_eq!((turned, &other["classes"]["classes"]), (count, &found["classes"]["classes"]));
        // The rows that were kept back still are: with a later half, there are exactly its own more.
        let more = measured(&table(&orders(800)), fields.clone()).0;
        let later = measured(&table(&orders(800)[400..]), fields).0;
        assert_eq!(more, count + later);
    }
}

#[test]
fn groups_are_whole_on_one_side_and_are_not_learnt_from() {
    let data = table(&orders(400));
    for by in ["shuffle", "hash"] {
        let fields = json!({
            "groupBy": "customer", "split": {"test": 0.25, "by": by}, "crossValidation": {"folds": 4},
            "columns": [{"name": "day", "as": "ignore"}],
        });
        let volume = with_data(&data);
        let ended = volume.step(&train(fields), &[]);
        let rows = metric(ended.succeeds(), "testRows");
        assert!(rows > 0.0 && rows % 4.0 == 0.0, "{by}: {rows} rows of groups of four");
        let model = std::fs::read_to_string(model(&volume)).expect("a model");
        assert!(model.contains("\"x\"") && !model.contains("\"customer\""), "{model}");
        assert_eq!(evaluation(&volume)["folds"]["count"], 4);
    }
}

#[test]
fn a_column_of_groups_is_learnt_from_where_its_role_is_said() {
    let data = table(&orders(400));
    for (role, is_learnt_from) in [
        (json!({"as": "target"}), true),
        (json!({"maxCategories": 9}), true),
        (json!({"as": "ignore"}), false),
        (json!({"scale": "none"}), false),
    ] {
        let mut column = role.clone();
        column["name"] = json!("customer");
        let fields = json!({
            "groupBy": "customer", "split": {"test": 0.25}, "columns": [{"name": "day", "as": "ignore"}, column],
        });
        let volume = with_data(&data);
        volume.step(&train(fields), &[]).succeeds();
        let model = std::fs::read_to_string(model(&volume)).expect("a model");
        assert_eq!(model.contains("\"customer\""), is_learnt_from, "{role}: {model}");
    }
}

fn model(volume: &Volume) -> std::path::PathBuf {
    volume.path().join(format!("ns/pipe/train/{}/model.json", Revision::of(&["train"])))
}

#[test]
fn by_time_the_newest_rows_are_kept_back() {
    // Days 1 to 28, 15 times each but for the last ones: the newest fifth are days 23 and later.
    let (count, _) = measured(
        &table(&orders(420)),
        json!({"features": ["x"], "split": {"test": 0.2, "by": "time", "column": "day"}}),
    );
    assert_eq!(count, 90.0);
}

#[test]
fn by_time_folds_measure_what_comes_after_what_they_learn_from() {
    // Neighbours in time say what a row is, and those of later rows are older: what folds at random would hide.
    let row = |row: usize| format!("{row},2024-01-{:02}T{:02}:00:00,{row}\n", row / 24 + 1, row % 24);
    let data = format!("x,day,y\n{}", (0..240).rev().map(row).collect::<String>());
    let r2 = |by: &str| {
        let split = match by {
            "time" => json!({"test": 0.2, "by": "time", "column": "day"}),
            _ => json!({"test": 0.2}),
        };
        let fields = json!({
            "features": ["x"], "target": "y", "algorithm": {"kNeighbors": {"task": "regression"}},
            "split": split, "crossValidation": {"folds": 4},
        });
        let found = measured(&data, fields).1["folds"]["metrics"]["r2"].clone();
        (found["mean"].as_f64().expect("a mean"), found["values"].as_array().expect("values").len())
    };
    let ((by_chance, _), (by_time, folds)) = (r2("shuffle"), r2("time"));
    assert!(by_chance > 0.99 && by_time < 0.0, "{by_chance} {by_time}");
    assert_eq!(folds, 4);
}

#[test]
fn by_time_folds_without_an_old_row_of_a_class_or_of_too_few_times_are_refused_with_what_to_do() {
    let row = |row: usize| {
        format!("{},2024-01-{:02},{}\n", row % 7, row / 10 + 1, if row < 40 { "old" } else { "new" })
    };
    let data = format!("x,day,species\n{}", (0..120).map(row).collect::<String>());
    let ended = |folds: i32| {
        let split = json!({"test": 0.25, "by": "time", "column": "day"});
        let cross_validation = json!({"folds": folds});
        let fields = json!({"features": ["x"], "split": split, "crossValidation": cross_validation});
        with_data(&data).step(&train(fields), &[])
    };
    // Of 90 rows, two folds learn from 30 and 60, and of the oldest 40, none is new.
    ended(2).fails(
        3,
        "WrongData",
        &["no row of class \"new\" is among the 30 oldest rows", "use fewer folds"],
    );
    ended(20).fails(3, "WrongData", &["too few different times"]);
}

/// Orders of customers, of whom two alone have rows of a class.
fn of_few_customers() -> String {
    let row = |row: usize| {
        let (customer, x) = (row / 10, row * 37 % 100);
        let class = if customer < 2 && row.is_multiple_of(2) {
            "rare"
        } else if x < 50 {
            "low"
        } else {
            "high"
        };
        format!("{x},c{customer},2024-01-{:02},{class}\n", customer + 1)
    };
    format!("x,customer,day,species\n{}", (0..200).map(row).collect::<String>())
}

/// What a report says, of a step on these orders.
fn said(fields: Value) -> (Volume, StepReport) {
    let volume = with_data(&of_few_customers());
    let mut fields = fields;
    fields["features"] = json!(["x"]);
    let report = volume.step(&train(fields), &[]).succeeds().report.clone();
    (volume, report)
}

#[test]
fn no_gate_passes_on_a_class_that_a_fold_lacks_and_the_message_says_what_to_do() {
    let gate = json!({"metric": "accuracy", "min": 0.0});
    let (volume, report) =
        said(json!({"groupBy": "customer", "crossValidation": {"folds": 5}, "gate": gate.clone()}));
    let message = report.message.expect("a message");
    let expected = "a fold has no row of the class rare, so its metrics say nothing about it; use fewer folds, or give rows of it in \
                    more groups";
    assert!(message.contains(expected) && !message.contains("stratify"), "{message}");
    let verdict = report.gate.expect("a verdict");
    assert!(!verdict.passed && verdict.message.starts_with("1 of the classes has no row"), "{verdict:?}");
    assert_eq!(evaluation(&volume)["untestedClasses"], json!(["rare"]));
    assert_eq!(evaluation(&volume)["folds"]["untestedClasses"], json!(["rare"]));
    // Two folds have one of the two customers each.
    let (_, report) = said(json!({"groupBy": "customer", "crossValidation": {"folds": 2}, "gate": gate}));
    assert!(report.gate.expect("a verdict").passed);
}

#[test]
fn trials_that_are_measured_in_a_fold_without_a_class_say_so() {
    let tune = json!({"parameters": {"alpha": [1, 10]}, "folds": 4});
    let (volume, report) = said(json!({"groupBy": "customer", "tune": tune}));
    let message = report.message.expect("a message");
    assert!(message.contains("a fold of tune has no row of the class rare"), "{message}");
    assert_eq!(evaluation(&volume)["tuning"]["untestedClasses"], json!(["rare"]));
}

#[test]
fn advice_on_a_class_without_test_rows_can_be_followed() {
    let shuffled = (0..100).find(|seed| {
        let (volume, _) = said(json!({"groupBy": "customer", "split": {"test": 0.2, "seed": seed}}));
        evaluation(&volume).get("untestedClasses").is_some()
    });
    let rows = [
        (
            json!({"groupBy": "customer", "split": {"test": 0.2, "seed": shuffled.expect("a seed")}}),
            "in more groups",
        ),
        (json!({"split": {"test": 0.2, "by": "time", "column": "day"}}), "give newer rows of it"),
    ];
    for (mut fields, advice) in rows {
        fields["gate"] = json!({"metric": "accuracy", "min": 0.0});
        let (_, report) = said(fields.clone());
        let all = format!("{:?} {:?}", report.message, report.gate);
        assert!(all.contains("no test row has the class rare") && all.contains(advice), "{all}");
        assert!(!all.contains("stratify"), "{all}");
        assert!(!report.gate.expect("a verdict").passed, "{fields}");
    }
    // What learns lacks the class: the newest rows alone have it.
    let row = |row: usize| {
        format!("{},2024-01-{:02},{}\n", row % 7, row / 10 + 1, if row < 90 { "old" } else { "new" })
    };
    let data = format!("x,day,species\n{}", (0..100).map(row).collect::<String>());
    let split = json!({"test": 0.2, "by": "time", "column": "day"});
    let ended = with_data(&data).step(&train(json!({"features": ["x"], "split": split})), &[]);
    ended.fails(3, "WrongData", &["no row of class \"new\" is among the 80 rows", "keep fewer rows back"]);
    assert!(!ended.message().contains("stratify"), "{}", ended.message());
}

#[test]
fn what_cannot_decide_is_refused_with_what_to_do() {
    let data = "x,day,empty,species\n1,2024-01-01,a,low\n2,soon,,high\n3,2024-01-03,b,low\n";
    let rows: [(Value, i32, &str, &str); 8] = [
        (json!({"split": {"test": 0.5, "by": "time"}}), 2, "WrongSpec", "needs split.column"),
        (json!({"split": {"test": 0.5, "column": "day"}}), 2, "WrongSpec", "split.column goes with"),
        (
            json!({"split": {"test": 0.5, "by": "hash", "stratify": true}}),
            2,
            "WrongSpec",
            "split.stratify is for",
        ),
        (
            json!({"groupBy": "x", "split": {"test": 0.5, "by": "time", "column": "day"}}),
            2,
            "WrongSpec",
            "rows of a group",
        ),
        (json!({"groupBy": "species"}), 2, "WrongSpec", "groupBy is the target"),
        (json!({"groupBy": "customer"}), 3, "ColumnNotFound", "groupBy column \"customer\" not found"),
        (
            json!({"split": {"test": 0.5, "by": "time", "column": "day"}}),
            3,
            "WrongData",
            "column \"day\" has the text \"soon\" in row 2",
        ),
        (
            json!({"split": {"test": 0.5, "by": "hash", "column": "empty"}}),
            3,
            "WrongData",
            "\"empty\" is null in row 2",
        ),
    ];
    for (fields, code, reason, part) in rows {
        with_data(data).step(&train(fields), &[]).fails(code, reason, &[part]);
    }
}
