//! The query, the checks, and the command line of prepare.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
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

#[test]
fn a_command_names_files_by_their_whole_paths_and_links_to_nothing_are_not_left_out() {
    let volume = Volume::new();
    let file = volume.put("d1.csv", "a\n1\n");
    let run = |arguments: &[&str]| {
        let mut command = worker(&["prepare", "--out", "-"]);
        command.args(arguments).current_dir(volume.path()).output().expect("the worker runs")
    };
    let output = run(&["--input", "t=d1.csv", "--format", "t=csv", "--pattern", "t=a"]);
    let place = format!("it is about {}", file.canonicalize().expect("a path").display());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).1.contains(&place), "{output:?}");
    std::os::unix::fs::symlink("gone.csv", volume.path().join("d2.csv")).expect("a link");
    let output = run(&["--input", "t=d*.csv"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        text(&output).1.contains("d2.csv is a symbolic link to gone.csv, and nothing is there"),
        "{output:?}"
    );
}

#[test]
fn a_result_is_compressed_where_its_name_says_so_and_a_name_that_cannot_be_is_refused_first() {
    let volume = Volume::new();
    volume.put("t.csv", "a,b\n1,x\n2,y\n");
    let run = |arguments: &[&str]| {
        let mut command = worker(&["prepare", "--input", "t=t.csv"]);
        command.args(arguments).current_dir(volume.path()).output().expect("the worker runs")
    };
    let read = |name: &str| std::fs::read(volume.path().join(name)).expect("written");
    for name in ["x.csv.gz", "x.ndjson.gz", "x.CSV.ZST", "x.ndjson.zst"] {
        let output = run(&["--out", name, "--check", "a notNull"]);
        assert!(output.status.success(), "{output:?}");
        let first = read(name);
        let magic = if name.to_lowercase().ends_with(".gz") { &[0x1f, 0x8b][..] } else { &[0x28, 0xb5] };
        assert!(first.starts_with(magic), "{name}: {first:?}");
        run(&["--out", name]);
        assert_eq!(read(name), first, "{name}");
        let again = format!("u={name}");
        let (rows, errors) = text(
            &worker(&["prepare", "--input", &again, "--out", "-"])
                .current_dir(volume.path())
                .output()
                .expect("the worker runs"),
        );
        assert_eq!((rows.as_str(), errors.as_str()), ("a,b\n1,x\n2,y\n", ""), "{name}");
    }
    for (name, part) in [
        ("x.parquet.gz", "leave .gz out"),
        ("x.csv.bz2", "end the name with .gz or .zst"),
        ("s3://lake/x.parquet.zst", "leave .zst out"),
    ] {
        let output =
            run(&["--out", name, "--out-format", if name.contains("csv") { "csv" } else { "parquet" }]);
        assert_eq!(output.status.code(), Some(2), "{name}: {output:?}");
        assert!(text(&output).1.contains(part), "{output:?}");
        assert!(!volume.path().join(name).exists(), "{name}");
    }
    let drafts = std::fs::read_dir(volume.path()).expect("a folder");
    let hidden = drafts
        .filter(|entry| entry.as_ref().expect("an entry").file_name().to_string_lossy().starts_with('.'));
    assert_eq!(hidden.count(), 0, "no draft is left");
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
