//! The query of prepare: what it may read and say, and how its problems are explained.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use mlpipeline_crds::{Revision, STEP_SPEC_VERSION};
use serde_json::json;
use support::{Volume, input, prepare};

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
fn a_regular_expression_that_is_not_valid_is_the_specs_fault() {
    for sql in [
        "SELECT regexp_like(species, '(') AS r FROM t",
        "SELECT * FROM t WHERE species ~ '('",
        "SELECT * FROM t WHERE species SIMILAR TO '('",
        "SELECT regexp_replace(species, '(', 'x') AS r FROM t",
        "SELECT regexp_match(species, '(')[1] AS r FROM t",
        "SELECT regexp_count(species, '(') AS r FROM t",
        "SELECT regexp_like(species, '(a{1000}){1000}') AS r FROM t",
    ] {
        let ended = query(sql);
        ended.fails(2, "QueryInvalid", &["a regular expression in the sql is not valid: "]);
        assert!(!ended.message().contains('\n') && !ended.message().contains('~'), "{}", ended.message());
    }
    query("SELECT * FROM t WHERE species ~ 'x('").fails(2, "QueryInvalid", &["unclosed group, in \"x(\""]);
}

#[test]
fn dates_and_texts_that_do_not_fit_get_advice_that_helps() {
    for (sql, part) in [
        ("SELECT DATE '2020-01-01' + INTERVAL '300000 years' AS r FROM t", "leave such rows out with WHERE"),
        (
            "SELECT TIMESTAMP '2020-01-01' + INTERVAL '1000 years' AS r FROM t",
            "leave such rows out with WHERE",
        ),
        (
            "SELECT TIMESTAMP '2024-03-31 02:30:00' AT TIME ZONE 'Europe/Berlin' AS r FROM t",
            "a time that its time zone does not have or has twice",
        ),
    ] {
        let ended = query(sql);
        ended.fails(3, "DataMalformed", &[part]);
        for useless in ["DOUBLE", "TRY_CAST"] {
            assert!(!ended.message().contains(useless), "{}", ended.message());
        }
    }
}

#[test]
fn columns_that_are_named_twice_are_named_with_their_file() {
    let volume = Volume::new();
    volume.put("t.csv", "1,2\n");
    let source = json!({"uri": "file:t.csv", "columns": ["x", "x"]});
    let ended = volume.step(&prepare(json!([{"name": "t", "source": {"uri": source}}]), None), &[]);
    ended.fails(2, "SourceRefused", &["columns names \"x\" twice", "t.csv"]);
    let column = || Arc::new(Int64Array::from(vec![1_i64])) as ArrayRef;
    let field = || Field::new("x", DataType::Int64, true);
    let schema = Arc::new(Schema::new(vec![field(), Field::new("y", DataType::Int64, true), field()]));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![column(), column(), column()]).expect("rows");
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, schema, None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("written");
    volume.put("t.parquet", bytes);
    for sql in [None, Some("SELECT y FROM t")] {
        let ended = volume.step(&prepare(input("file:t.parquet"), sql), &[]);
        ended.fails(3, "DataMalformed", &["t.parquet: it has two columns called \"x\""]);
    }
}

#[test]
fn maps_without_texts_for_keys_are_no_json_and_the_message_says_what_makes_them_so() {
    let map = "WITH m AS (SELECT map([1, 2], ['a', 'b']) AS r)";
    let ndjson = |sql: &str| {
        let mut spec = prepare(json!([]), Some(sql));
        spec["action"]["prepare"]["format"] = json!("ndjson");
        spec
    };
    let volume = Volume::new();
    for sql in ["SELECT r FROM m", "SELECT [r] AS r FROM m", "SELECT named_struct('a', r) AS r FROM m"] {
        let ended = volume.step(&ndjson(&format!("{map} {sql}")), &[]);
        ended.fails(
            2,
            "QueryInvalid",
            &["column \"r\" holds a map whose keys are Int64", "or write parquet"],
        );
    }
    // What the message says.
    let way = "SELECT map(arrow_cast(map_keys(\"r\"), 'List(Utf8)'), map_values(\"r\")) AS r FROM m";
    let ended = volume.step(&ndjson(&format!("{map} {way}")), &[]);
    assert_eq!(volume.data(ended.succeeds(), "data.ndjson"), "{\"r\":{\"1\":\"a\",\"2\":\"b\"}}\n");
}
