//! The query, the checks, and the command line of prepare.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use mlpipeline_crds::{Revision, STEP_SPEC_VERSION};
use serde_json::{Value, json};
use support::{Volume, input, prepare, text, worker};

fn volume() -> Volume {
    let volume = Volume::new();
    volume.put("t.csv", "a,B b,species\n1,0.5,x\n2,,y\n3,1.5,x\n");
    volume
}

fn query(sql: &str) -> support::Ended {
    volume().step(&prepare(input("file:t.csv"), Some(sql)), &[])
}

#[test]
fn only_one_select_is_allowed() {
    for sql in [
        "CREATE TABLE x AS SELECT 1",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
        "DROP TABLE t",
        "COPY t TO '/tmp/x.csv'",
        "INSERT INTO t VALUES (1)",
        "SET a = 1",
        "EXPLAIN SELECT 1",
        "SHOW TABLES",
        "DELETE FROM t",
        "SELECT 1; SELECT 2",
        "",
        ";",
        "SELEC 1",
        "SELECT * FROM",
        "CREATE VIEW v AS SELECT 1",
        "RESET a",
        "BEGIN",
        "PREPARE p AS SELECT 1",
        "SELECT 1 INTO x",
    ] {
        query(sql).fails(2, "QueryInvalid", &[]);
    }
    query("SELECT 1 AS a; ").succeeds();
}

#[test]
fn files_are_no_tables_unless_they_are_inputs() {
    for sql in [
        "SELECT * FROM 't.csv'",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM \"t.csv\"",
        "SELECT * FROM information_schema.tables",
    ] {
        let ended = query(sql);
        assert_eq!(ended.code, 2, "{sql}: {ended:?}");
        assert!(ended.message().contains("the tables are t (a, B b, species)"), "{sql}: {ended:?}");
    }
    query("SELECT * FROM read_csv('/etc/passwd')").fails(2, "QueryInvalid", &["read_csv"]);
}

#[test]
fn an_unknown_column_is_answered_with_those_there_are_and_how_to_quote() {
    query("SELECT b FROM t").fails(
        2,
        "ColumnNotFound",
        &["\"b\" not found", "t (a, B b, species)", "double quotes"],
    );
    let ended = query("SELECT \"B b\" AS b FROM T");
    assert_eq!(ended.succeeds().report.rows, Some(3));
}

#[test]
fn rows_that_cannot_be_computed_are_wrong_data() {
    for sql in ["SELECT CAST(species AS INT) FROM t", "SELECT a / (a - 2) AS x FROM t"] {
        let ended = query(sql);
        assert_eq!(ended.code, 3, "{sql}: {ended:?}");
    }
}

#[test]
fn tables_can_come_from_nothing() {
    let volume = Volume::new();
    let sql = "SELECT random() * 8 AS sepal_length FROM generate_series(1, 5)";
    let ended = volume.step(&prepare(json!([]), Some(sql)), &[]);
    assert_eq!(ended.succeeds().report.rows, Some(5));
    Volume::new().step(&prepare(json!([]), None), &[]).fails(
        2,
        "QueryInvalid",
        &["exactly one input is copied"],
    );
}

#[test]
fn order_is_kept_and_every_format_can_be_read_by_the_next_step() {
    for format in ["csv", "ndjson", "parquet"] {
        let volume = Volume::new();
        let sql = "SELECT value AS n, CASE WHEN value % 3 = 0 THEN NULL ELSE '0' || value END AS code,
                   to_timestamp(value) AS at, value / 2.0 AS half FROM generate_series(1, 100000)";
        let mut first = prepare(json!([]), Some(sql));
        first["action"]["prepare"]["format"] = format.into();
        let made = volume.step(&first, &[]);
        let path = format!("ns/pipe/data/{}", made.succeeds().report.revision.as_ref().expect("a revision"));
        let inputs = json!([{"name": "t", "source": {"artifact": {"path": path}}}]);
        let mut copy = prepare(inputs.clone(), None);
        copy["step"] = "copy".into();
        let copied = volume.step(&copy, &[]);
        assert_eq!(copied.succeeds().report.rows, Some(100_000));
        let mut second = prepare(
            inputs,
            Some("SELECT sum(CASE WHEN row > 1 AND n <> row THEN 1 ELSE 0 END) AS moved, count(code) AS codes, max(code) AS m,
                  arrow_typeof(max(at)) AS t, sum(half) AS h FROM (SELECT *, row_number() OVER () AS row FROM t)"),
        );
        second["step"] = "second".into();
        second["action"]["prepare"]["format"] = "csv".into();
        let ended = volume.step(&second, &[]);
        let folder = volume
            .path()
            .join("ns/pipe/second")
            .join(ended.succeeds().report.revision.as_ref().expect("one").as_str());
        let rows = std::fs::read_to_string(folder.join("data.csv")).expect("rows");
        assert_eq!(rows, "moved,codes,m,t,h\n0,66667,099998,Timestamp(ns),2500025000.0\n", "{format}");
    }
}

#[test]
fn artifacts_without_a_manifest_are_read_when_all_rows_have_one_format() {
    let volume = Volume::new();
    let step = |path: &str| {
        volume.step(&prepare(json!([{"name": "t", "source": {"artifact": {"path": path}}}]), None), &[])
    };
    let revision = Revision::of(&["run"]);
    volume.put(&format!("ns/pipe/run/{revision}/part-1.csv"), "a\n1\n");
    volume.put(&format!("ns/pipe/run/{revision}/part-0.csv"), "a\n0\n");
    volume.put(&format!("ns/pipe/run/{revision}/_SUCCESS"), "");
    let ended = step(&format!("ns/pipe/run/{revision}"));
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), "a\n0\n1\n");
    let volume_two = Volume::new();
    let two = |path: &str| {
        volume_two.step(&prepare(json!([{"name": "t", "source": {"artifact": {"path": path}}}]), None), &[])
    };
    volume_two.put("mixed/a.csv", "a\n");
    volume_two.put("mixed/b.parquet", "");
    volume_two.put("none/readme.txt", "");
    two("mixed").fails(3, "DataNotFound", &["several formats", "a.csv, b.parquet"]);
    two("none").fails(3, "DataNotFound", &["no rows", "readme.txt"]);
    two("gone").fails(4, "ArtifactMissing", &["gone"]);
    two("../x").fails(2, "PathRefused", &["\"..\""]);
}

#[test]
fn file_inputs_stay_below_the_volume_and_the_second_folder_is_looked_at_after_it() {
    let volume = volume();
    for uri in ["file:/etc/passwd", "file:../x.csv", "file:a/../../x.csv", "file:"] {
        volume.step(&prepare(input(uri), None), &[]).fails(2, "PathRefused", &[]);
    }
    let beside = tempfile::tempdir().expect("a folder");
    std::fs::write(beside.path().join("u.csv"), "a\n9\n").expect("a file");
    std::fs::write(beside.path().join("t.csv"), "a\n8\n").expect("a file");
    let files = format!("--files={}", beside.path().display());
    volume.step(&prepare(input("file:u.csv"), None), &[]).fails(3, "DataNotFound", &["file:u.csv"]);
    let ended = volume.step(&prepare(input("file:u.csv"), None), &[&files]);
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), "a\n9\n");
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
fn results_that_a_format_cannot_hold_are_refused() {
    query("SELECT a, a FROM t AS t CROSS JOIN (SELECT 1)").fails(2, "QueryInvalid", &[]);
    query("SELECT array_agg(a) AS l FROM t").fails(2, "QueryInvalid", &["\"l\"", "CSV cannot hold"]);
}

#[test]
fn steps_of_other_versions_and_other_json_are_refused() {
    let volume = Volume::new();
    let mut spec = prepare(json!([]), None);
    spec["version"] = (STEP_SPEC_VERSION + 1).into();
    spec["new"] = true.into();
    volume.step(&spec, &[]).fails(2, "SpecVersion", &["use the worker image"]);
    for spec in [json!({}), json!([]), json!({"version": 1}), json!({"version": "1"})] {
        volume.step(&spec, &[]).fails(2, "SpecInvalid", &[]);
    }
}

#[test]
fn the_command_reads_and_writes_the_users_own_files() {
    let volume = volume();
    let run = |arguments: &[&str]| {
        let mut command = worker(&["prepare"]);
        text(&command.args(arguments).current_dir(volume.path()).output().expect("the worker runs"))
    };
    let (_, errors) = run(&["--input", "t=t.csv", "--out", "sub.ndjson", "--check", "a notNull unique"]);
    assert_eq!(errors, "");
    let rows = std::fs::read_to_string(volume.path().join("sub.ndjson")).expect("written");
    assert!(rows.starts_with("{\"a\":1,\"B b\":0.5,\"species\":\"x\"}\n"), "{rows}");
    let up = format!("../{}/sub.ndjson", volume.path().file_name().expect("a name").to_string_lossy());
    let (rows, _) = run(&["--input", &format!("u={up}"), "--sql", "SELECT sum(a) AS s FROM u", "--out", "-"]);
    assert_eq!(rows, "s\n6\n");
    let (_, errors) = run(&["--input", "t=t.csv", "--out", "sub.ndjson", "--check", "a max=1"]);
    assert!(errors.contains("above max 1 in 2 of 3 rows"), "{errors}");
    let kept = std::fs::read_to_string(volume.path().join("sub.ndjson")).expect("the old file");
    assert!(kept.contains("\"a\":3"), "a failed check leaves the old file");
    let names = std::fs::read_dir(volume.path()).expect("a folder").count();
    assert_eq!(names, 2, "no draft is left");
    let (_, errors) = run(&["--input", "t=gone.csv", "--out", "-"]);
    assert!(errors.contains("gone.csv"), "{errors}");
}

#[test]
fn a_wrong_command_line_ends_with_2_and_help_with_0() {
    for (arguments, code) in [
        (&["prepare", "--nonsense"][..], 2),
        (&["prepare", "--input", "x", "--out", "-"], 2),
        (&[], 2),
        (&["prepare", "--help"], 0),
        (&["step", "--help"], 0),
        (&["--version"], 0),
        (&["completion", "bash"], 0),
    ] {
        let output = worker(arguments).output().expect("the worker runs");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let mut child =
        worker(&["prepare", "--sql", "SELECT value FROM generate_series(1, 100000000000)", "--out", "-"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the worker runs");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert_eq!(lines.next().expect("a line").expect("text"), "value");
    drop(lines);
    let output = child.wait_with_output().expect("waited for");
    assert_eq!((output.status.code(), text(&output).1.as_str()), (Some(0), ""));
}
