//! The checks of prepare: what holds lets the result through, and what does not is named with its rows.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use serde_json::{Value, json};
use support::{Volume, input, prepare, text, worker};

fn volume() -> Volume {
    let volume = Volume::new();
    volume.put("t.csv", "a,B b,species\n1,0.5,x\n2,,y\n3,1.5,x\n");
    volume
}

fn checked(checks: Value) -> support::Ended {
    let volume = volume();
    let mut spec = prepare(input("file:t.csv"), None);
    spec["action"]["prepare"]["checks"] = checks;
    let ended = volume.step(&spec, &[]);
    if ended.code != 0 {
        assert_eq!(volume.names(), [""; 0], "nothing is published");
    }
    ended
}

#[test]
fn checks_that_hold_let_the_result_through() {
    checked(json!([
        {"name": "rows", "sql": "SELECT count(*) FROM output", "equals": 3},
        {"column": "a", "notNull": true, "unique": true, "min": 1, "max": 3, "oneOf": ["1", "2.0", "3"]},
        {"column": "species", "oneOf": ["x", "y"]},
        {"column": "B b", "min": 0.5, "notNull": false},
    ]))
    .succeeds();
}

#[test]
fn every_check_that_fails_is_named_with_its_rows() {
    checked(json!([
        {"name": "no negatives", "sql": "SELECT count(*) FROM output WHERE a < 3", "equals": 0},
        {"column": "B b", "notNull": true, "min": 1},
        {"name": "kinds", "column": "species", "unique": true, "oneOf": ["x"]},
        {"column": "a", "max": 1},
    ]))
    .fails(
        3,
        "CheckFailed",
        &[
            "4 checks failed",
            "check \"no negatives\": the query gives 2 instead of 0",
            "check \"column B b\": column \"B b\" is null in 1 of 3 rows: row 2: null",
            "column \"B b\" is below min 1 in 1 of 3 rows: row 1: 0.5",
            "check \"kinds\": column \"species\" is none of x in 1 of 3 rows: row 2: \"y\"",
            "column \"species\" has values that occur more than once: \"x\" 2 times",
            "is above max 1 in 2 of 3 rows: row 2: 2, row 3: 3",
        ],
    );
}

#[test]
fn checks_that_cannot_be_applied_are_wrong_specs() {
    let rows = [
        (json!({"column": "sepal", "notNull": true}), "ColumnNotFound", "its columns are a, B b, species"),
        (json!({"column": "species", "min": 1}), "CheckInvalid", "column of numbers"),
        (json!({"sql": "SELECT a FROM output", "equals": 1}), "CheckInvalid", "3 rows"),
        (json!({"sql": "SELECT 'x'", "equals": 1}), "CheckInvalid", "one number"),
        (json!({"sql": "SELECT 1, 2", "equals": 1}), "CheckInvalid", "2 columns"),
        (json!({"sql": "DROP TABLE output", "equals": 1}), "QueryInvalid", "only one SELECT"),
        (
            json!({"sql": "SELECT max(b) FROM output", "equals": 1}),
            "ColumnNotFound",
            "output (a, B b, species)",
        ),
    ];
    for (check, reason, part) in rows {
        checked(json!([check])).fails(2, reason, &[part]);
    }
}

#[test]
fn checks_compare_whole_numbers_and_decimals_exactly() {
    let volume = Volume::new();
    volume.put("t.csv", "a\n9007199254740993\n");
    let check = |sql: &str, check: &[&str]| {
        let mut command = worker(&["prepare", "--input", "t=t.csv", "--sql", sql, "--out", "-"]);
        let output = command.args(check).current_dir(volume.path()).output().expect("the worker runs");
        (output.status.code(), text(&output).1)
    };
    let decimal = "SELECT CAST('9007199254740993.01' AS DECIMAL(38, 2)) AS a FROM t";
    let unsigned = "SELECT CAST('18446744073709551615' AS BIGINT UNSIGNED) AS a FROM t";
    let small = "SELECT CAST(a % 100 AS TINYINT) AS a FROM t";
    let cents = "SELECT CAST(0.1 AS DECIMAL(5, 2)) AS a FROM t";
    let plain = "SELECT a FROM t";
    for (sql, rule, holds) in [
        (plain, "a max=9007199254740992", false),
        (plain, "a max=9007199254740993", true),
        (plain, "a min=9007199254740994", false),
        (plain, "a min=9007199254740993", true),
        (plain, "a max=9007199254740992.5", false),
        (plain, "a min=0.5 max=1e300", true),
        (plain, "a min=1e300", false),
        (plain, "a min=-1e300", true),
        (plain, "a max=-1e300", false),
        (plain, "a oneOf=9007199254740992", false),
        (plain, "a oneOf=1,9007199254740993.0", true),
        (plain, "a oneOf=x,0.5", false),
        (decimal, "a max=9007199254740993", false),
        (decimal, "a max=9007199254740994", true),
        (decimal, "a oneOf=9007199254740993.01", true),
        (decimal, "a oneOf=9007199254740993.02", false),
        (unsigned, "a max=18446744073709551614", false),
        (unsigned, "a max=18446744073709551615", true),
        (unsigned, "a oneOf=18446744073709551615", true),
        (unsigned, "a min=-1", true),
        (small, "a max=1000 min=-1000", true),
        (small, "a max=-1000", false),
        (cents, "a max=0.1 min=0.1", true),
        (cents, "a max=0.0999", false),
    ] {
        let (code, said) = check(sql, &["--check", rule]);
        assert_eq!(code, Some(if holds { 0 } else { 3 }), "{sql}, {rule}: {said}");
    }
    for (query, holds) in [
        ("SELECT max(a) FROM output = 9007199254740992", false),
        ("SELECT max(a) FROM output = 9007199254740993", true),
        ("SELECT 0.10 = 0.1", true),
        ("SELECT CAST(0.1 AS DECIMAL(5, 2)) = 0.1", true),
        ("SELECT true = 1", true),
    ] {
        let (code, said) = check(plain, &["--check-sql", query]);
        assert_eq!(code, Some(if holds { 0 } else { 3 }), "{query}: {said}");
    }
}
