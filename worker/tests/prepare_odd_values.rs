//! Values that other programs write and that are easily taken for others: fractions of seconds, years of two digits, months of intervals,
//! numbers of 32 bits, and answers of servers in place of files.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, IntervalYearMonthArray, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use serde_json::{Value, json};
use support::{Ended, Volume, input, prepare, text, worker};

/// What a query makes of a text.
fn answered(content: &str, sql: &str) -> Result<String, String> {
    let volume = Volume::new();
    volume.put("t.csv", content);
    let ended = volume.step(&prepare(input("file:t.csv"), Some(sql)), &[]);
    if ended.code == 0 { Ok(volume.data(&ended, "data.csv")) } else { Err(ended.message().to_owned()) }
}

fn read(content: impl AsRef<[u8]>, name: &str, reading: Value) -> (Ended, Result<String, String>) {
    let volume = Volume::new();
    volume.put(name, content);
    let mut inputs = input(&format!("file:{name}"));
    for (key, value) in reading.as_object().expect("an object") {
        inputs[0]["source"]["uri"][key] = value.clone();
    }
    let mut spec = prepare(inputs, None);
    spec["version"] = 2.into();
    let ended = volume.step(&spec, &[]);
    let result =
        if ended.code == 0 { Ok(volume.data(&ended, "data.csv")) } else { Err(ended.message().to_owned()) };
    (ended, result)
}

#[test]
fn fractions_of_seconds_are_fractions_in_patterns_of_sql() {
    let found = answered(
        "x\n01.01.2024 10:00:00.5\n",
        "SELECT to_timestamp(x, '%d.%m.%Y %H:%M:%S.%f') = TIMESTAMP '2024-01-01 10:00:00.5' AS a, \
         to_timestamp_micros(x, '%d.%m.%Y %H:%M:%S%.f') = TIMESTAMP '2024-01-01 10:00:00.5' AS b FROM \
         (SELECT CAST(x AS VARCHAR) AS x FROM t)",
    );
    assert_eq!(found.as_deref(), Ok("a,b\ntrue,true\n"));
    let refused = answered("x\n\"10:00:00,5\"\n", "SELECT to_timestamp(x, '%H:%M:%S,%f') AS a FROM t")
        .expect_err("refused");
    assert!(refused.contains("%f stands behind no point") && refused.contains("%.f"), "{refused}");
}

#[test]
fn a_year_of_two_digits_is_none_of_four() {
    let refused =
        answered("d\n05.01.24\n", "SELECT to_date(d, '%d.%m.%Y') AS d FROM t").expect_err("refused");
    assert!(refused.contains("the year 24") && refused.contains("%y one of two"), "{refused}");
    let found = answered("d\n05.01.24\n", "SELECT to_date(d, '%d.%m.%y') AS d FROM t");
    assert_eq!(found.as_deref(), Ok("d\n2024-01-05\n"));
    let seconds = "SELECT to_unixtime(d, '%d.%m.%Y') AS d FROM t";
    let refused = answered("d\n05.01.24\n", seconds).expect_err("refused");
    assert!(refused.contains("the year 24") && refused.contains("%y one of two"), "{refused}");
    assert!(answered("d\n05.01.2024\n", seconds).is_ok());
    let reading = json!({"reading": {"dateFormat": "%d.%m.%Y", "types": {"d": "date"}}});
    let (_, result) = read("d\n05.01.24\n", "in.csv", reading);
    let refused = result.expect_err("refused");
    for part in ["line 2", "column \"d\" has \"05.01.24\"", "a date like %d.%m.%Y", "%y one of two"] {
        assert!(refused.contains(part), "{refused}");
    }
}

#[test]
fn digits_of_a_number_are_a_date_by_a_pattern_and_no_days_since_1970() {
    let rows = "d,s,h\n20240501,10124,93000\n";
    for (value, expected) in [
        ("to_date(d, '%Y%m%d')", "2024-05-01"),
        ("to_date(CAST(d AS VARCHAR), '%Y%m%d')", "2024-05-01"),
        ("to_date(20240131, '%d.%m.%Y', '%Y%m%d')", "2024-01-31"),
        ("to_timestamp(d, '%Y%m%d') = TIMESTAMP '2024-05-01 00:00:00'", "true"),
        ("to_timestamp_seconds(d, '%Y%m%d') = TIMESTAMP '2024-05-01 00:00:00'", "true"),
        ("to_timestamp_millis(d, '%Y%m%d') = TIMESTAMP '2024-05-01 00:00:00'", "true"),
        ("to_timestamp_micros(d, '%Y%m%d') = TIMESTAMP '2024-05-01 00:00:00'", "true"),
        ("to_timestamp_nanos(d, '%Y%m%d') = TIMESTAMP '2024-05-01 00:00:00'", "true"),
        ("to_unixtime(d, '%Y%m%d')", "1714521600"),
        // A number has lost the zeros with which its digits began.
        ("to_date(s, '%d%m%y')", "2024-01-01"),
        ("CAST(to_time(h, '%H%M%S') AS VARCHAR)", "09:30:00"),
        ("to_timestamp(86400) = TIMESTAMP '1970-01-02 00:00:00'", "true"),
        ("DATE '1970-01-01' + 365", "1971-01-01"),
        ("to_date(NULL)", "\"\""),
    ] {
        let found = answered(rows, &format!("SELECT {value} AS r FROM t"));
        assert_eq!(found.as_deref(), Ok(format!("r\n{expected}\n").as_str()), "{value}");
    }
    for value in [
        "to_date(d)",
        "to_date(d / 2.0)",
        "CAST(d AS DATE)",
        "d::date",
        "TRY_CAST(d AS DATE)",
        "CAST(20240501 AS DATE)",
        "cast_to_type(d, DATE '2024-01-01')",
    ] {
        let refused = answered(rows, &format!("SELECT {value} AS r FROM t")).expect_err(value);
        for part in ["days since 1970", "AS VARCHAR), '%Y%m%d')", "dateFormat"] {
            assert!(refused.contains(part), "{value}: {refused}");
        }
    }
    let refused = answered(rows, "SELECT to_date(d * 1.0, '%Y%m%d') AS r FROM t").expect_err("refused");
    assert!(refused.contains("AS BIGINT)"), "{refused}");
    let refused = answered("d\n2024051\n", "SELECT to_date(d, '%Y%m%d') AS r FROM t").expect_err("refused");
    assert!(refused.contains("'2024051' by its pattern"), "{refused}");
}

#[test]
fn a_pattern_with_an_hour_alone_is_of_whole_hours() {
    let rows = "s\n2024-05-01 10h\n";
    for function in [
        "to_timestamp",
        "to_timestamp_seconds",
        "to_timestamp_millis",
        "to_timestamp_micros",
        "to_timestamp_nanos",
    ] {
        for pattern in ["%Y-%m-%d %Hh", "%Y-%m-%d %kh"] {
            let found = answered(rows, &format!("SELECT {function}(s, '{pattern}') AS r FROM t"));
            assert_eq!(found.as_deref(), Ok("r\n2024-05-01T10:00:00\n"), "{function} {pattern}");
        }
        for (pattern, part) in [
            ("%Y-%m-%d %Ih", "%p"),
            ("%Y-%m-%d %I:%M", "%p"),
            ("%Y-%m-%d %Mh", "no hour"),
            ("%Y-%m-%d %Sh", "no hour"),
            ("%Y-%m-%d %H:%S", "no minute"),
        ] {
            let refused =
                answered(rows, &format!("SELECT {function}(s, '{pattern}') AS r FROM t")).expect_err(pattern);
            assert!(refused.contains(part), "{refused}");
        }
    }
    for (value, expected) in [
        ("to_timestamp('2024-05-01 3 PM', '%Y-%m-%d %I %p')", "2024-05-01T15:00:00"),
        ("to_timestamp('2024-05-01 10 +0200', '%Y-%m-%d %H %z')", "2024-05-01T08:00:00"),
        ("to_unixtime('1970-01-01 10', '%Y-%m-%d %H')", "36000"),
        ("CAST(to_time('10', '%H') AS VARCHAR)", "10:00:00"),
    ] {
        let found = answered(rows, &format!("SELECT {value} AS r FROM t"));
        assert_eq!(found.as_deref(), Ok(format!("r\n{expected}\n").as_str()), "{value}");
    }
    let reading = json!({"reading": {"dateFormat": "%Y-%m-%d %H"}});
    let (_, result) = read("d\n2024-05-01 10\n", "in.csv", reading);
    assert_eq!(result.as_deref(), Ok("d\n2024-05-01T10:00:00\n"));
    let (_, result) = read("d\n2024-05-01 10\n", "in.csv", json!({"reading": {"dateFormat": "%Y-%m-%d %I"}}));
    let refused = result.expect_err("refused");
    assert!(refused.contains("dateFormat") && refused.contains("%p"), "{refused}");
}

#[test]
fn a_text_that_is_no_date_is_named_with_its_row() {
    for sql in ["SELECT to_date(d) AS r FROM t", "SELECT to_date(d, '%Y-%m-%d') AS r FROM t"] {
        let refused = answered("d\n2024-01-01\n1970-13-45\n", sql).expect_err("refused");
        for part in ["to_date cannot read '1970-13-45'", "row 2 of t", "column \"d\""] {
            assert!(refused.contains(part), "{refused}");
        }
    }
}

#[test]
fn dates_of_digits_are_read_by_column_and_by_type() {
    for reading in [
        json!({"reading": {"byColumn": {"d": {"dateFormat": "%Y%m%d"}}}}),
        json!({"reading": {"dateFormat": "%Y%m%d", "types": {"d": "date"}}}),
    ] {
        let (_, result) = read("d,n\n20240131,20240131\n", "in.csv", reading);
        assert_eq!(result.as_deref(), Ok("d,n\n2024-01-31,20240131\n"));
    }
    let reading =
        json!({"pattern": "(?<d>\\d+) (?<n>\\d+)", "reading": {"byColumn": {"d": {"dateFormat": "%d%m%Y"}}}});
    let (_, result) = read("31012024 5\n", "in.txt", reading);
    assert_eq!(result.as_deref(), Ok("d,n\n2024-01-31,5\n"));
}

#[test]
fn second_60_is_no_time_in_files_or_in_sql() {
    let (_, result) = read("t\n2024-01-01T12:30:60\n2024-01-01T12:30:59\n", "in.csv", json!({}));
    assert_eq!(result.as_deref(), Ok("t\n2024-01-01T12:30:60\n2024-01-01T12:30:59\n"));
    for (rows, name, described) in [
        ("t\n2024-01-01T12:30:60\n", "in.csv", json!({"reading": {"types": {"t": "timestamp"}}})),
        ("{\"t\":\"2024-01-01T12:30:60\"}\n", "in.ndjson", json!({"reading": {"types": {"t": "timestamp"}}})),
        (
            "t\n01.01.2024 12:30:60\n",
            "in.csv",
            json!({"reading": {"dateFormat": "%d.%m.%Y %H:%M:%S", "types": {"t": "timestamp"}}}),
        ),
    ] {
        let (_, result) = read(rows, name, described);
        let refused = result.expect_err(rows);
        assert!(refused.contains("column \"t\" has ") && refused.contains("12:30:60"), "{refused}");
    }
    let rows = "s,c\n2024-01-01T12:30:60x,12:30:60x\n2024-01-01T12:30:59x,12:30:59x\n";
    let sql = |value: &str| {
        format!(
            "SELECT {value} AS r FROM (SELECT replace(s, 'x', '') AS t, replace(c, 'x', '') AS c FROM t) AS q"
        )
    };
    for value in [
        "CAST(t AS TIMESTAMP)",
        "t::timestamptz",
        "t < TIMESTAMP '2024-01-01 00:00:00'",
        "arrow_cast(t, 'Timestamp(Millisecond, None)')",
        "date_trunc('minute', t)",
        "to_timestamp(t)",
        "to_timestamp_micros(t)",
        "to_unixtime(t)",
        "to_timestamp(t, '%Y-%m-%dT%H:%M:%S')",
        "CAST(c AS TIME)",
        "to_time(c)",
        "CAST('2024-01-01T12:30:60' AS TIMESTAMP)",
        "TIMESTAMP '2024-01-01 12:30:60'",
    ] {
        let refused = answered(rows, &sql(value)).expect_err(value);
        assert!(refused.contains("12:30:60") && refused.contains("0 to 59"), "{value}: {refused}");
    }
    for (value, expected) in [
        ("TRY_CAST(t AS TIMESTAMP)", "\"\"\n2024-01-01T12:30:59"),
        ("CAST(TRY_CAST(c AS TIME) AS VARCHAR)", "\"\"\n12:30:59"),
        (
            "CASE WHEN t LIKE '%60' THEN 'none' ELSE CAST(CAST(t AS TIMESTAMP) AS VARCHAR) END",
            "none\n2024-01-01T12:30:59",
        ),
    ] {
        let found = answered(rows, &sql(value));
        assert_eq!(found.as_deref(), Ok(format!("r\n{expected}\n").as_str()), "{value}");
    }
}

#[test]
fn empty_texts_that_csv_does_not_keep_are_said_once() {
    let volume = Volume::new();
    volume.put("t.csv", "n\n1\n2\n");
    let sql = "SELECT n, '' AS s, CAST(NULL AS VARCHAR) AS z FROM t";
    for (format, warnings) in [("csv", 1), ("ndjson", 0), ("parquet", 0)] {
        let mut spec = prepare(input("file:t.csv"), Some(sql));
        spec["step"] = json!(format);
        spec["action"]["prepare"]["format"] = json!(format);
        let ended = volume.step(&spec, &[]);
        ended.succeeds();
        assert_eq!(ended.stderr.matches("empty texts").count(), warnings, "{format}: {}", ended.stderr);
        assert_eq!(ended.stderr.matches("nullif(").count(), warnings, "{format}: {}", ended.stderr);
    }
}

#[test]
fn a_notation_by_which_no_text_is_a_date_is_refused_with_what_to_write() {
    for (notation, part) in [
        ("DD.MM.YYYY", "write it as %d.%m.%Y"),
        ("%q", "has no year"),
        ("%d.%m", "has no year, which is %Y"),
        ("%Y-%m", "has no day, which is %d"),
        ("abc", "has no part of strftime"),
        ("%H:%M", "to_time(x, '%H:%M')"),
        ("%d.%m.%Y %z", "has a time zone"),
        ("%s", "to_timestamp_seconds(x)"),
    ] {
        let (_, result) = read("d\n05.01.2024\n", "in.csv", json!({"reading": {"dateFormat": notation}}));
        let refused = result.expect_err(notation);
        assert!(refused.contains(&format!("dateFormat \"{notation}\"")), "{refused}");
        assert!(refused.contains(part), "{refused}");
    }
}

#[test]
fn values_of_json_are_read_as_those_of_csv() {
    let types = json!({"reading": {"types": {"a": "boolean"}}});
    let lines = "{\"n\":1,\"a\":\"true\"}\n{\"n\":-0,\"a\":false}\n{\"n\":3,\"a\":\"FALSE\"}\n{\"n\":4}\n";
    let (_, result) = read(lines, "in.ndjson", types.clone());
    assert_eq!(result.as_deref(), Ok("n,a\n1,true\n0,false\n3,false\n4,\n"));
    let (_, result) = read("{\"a\":\"true\"}\n{\"a\":\"yes\"}\n", "in.ndjson", types);
    let refused = result.expect_err("refused");
    assert!(refused.contains("line 2") && refused.contains("column \"a\" has \"yes\""), "{refused}");
    let integers = json!({"reading": {"types": {"a": "integer"}}});
    let (_, result) = read("{\"a\":1}\n{\"a\":1e2}\n", "in.ndjson", integers);
    let refused = result.expect_err("refused");
    assert!(refused.contains("line 2") && refused.contains("column \"a\" has \"1e2\""), "{refused}");
    for (lines, part) in [
        ("{\"a\":NaN}\n", "JSON has no NaN: write null"),
        ("{\n  \"a\": 1\n}\n", "jq -c ."),
        ("[\n  {\"a\": 1},\n]\n", "jq -c '.[]'"),
    ] {
        let (_, result) = read(lines, "in.ndjson", json!({}));
        let refused = result.expect_err(lines);
        assert!(refused.contains(part), "{refused}");
    }
}

#[test]
fn what_is_wrong_with_a_time_is_said_in_the_words_of_its_format() {
    let types = json!({"reading": {"types": {"t": "timestamp"}}});
    let (_, result) = read("t\n2024-01-01T10:00:00.1234567\n", "in.csv", types.clone());
    let refused = result.expect_err("refused");
    assert!(refused.contains("six digits behind the point") && refused.contains("nullValues"), "{refused}");
    let (_, result) = read("{\"t\":\"2024-01-01T10:00:00EST\"}\n", "in.ndjson", types);
    let refused = result.expect_err("refused");
    assert!(refused.contains("a time without a time zone") && !refused.contains("nullValues"), "{refused}");
}

/// Writes rows as programs do that put no Arrow schema beside Parquet's own.
fn plain_parquet(path: &Path, rows: &RecordBatch) {
    let options = ArrowWriterOptions::new().with_skip_arrow_metadata(true);
    let file = File::create(path).expect("a file");
    let mut writer = ArrowWriter::try_new_with_options(file, rows.schema(), options).expect("a writer");
    writer.write(rows).expect("written");
    writer.close().expect("closed");
}

#[test]
fn months_of_an_interval_are_refused_rather_than_lost() {
    let volume = Volume::new();
    let rows = RecordBatch::try_from_iter([
        ("n", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
        ("iv", Arc::new(IntervalYearMonthArray::from(vec![12]))),
    ])
    .expect("rows");
    plain_parquet(&volume.path().join("in.parquet"), &rows);
    let step = |sql: &str| prepare(input("file:in.parquet"), Some(sql));
    let refused = volume.step(&step("SELECT CAST(iv AS VARCHAR) AS iv FROM t"), &[]);
    refused.fails(3, "DataMalformed", &["in.parquet", "column \"iv\"", "months would be lost"]);
    let ended = volume.step(&step("SELECT n FROM t"), &[]);
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), "n\n1\n");
}

#[test]
fn numbers_of_32_bits_are_what_they_are_printed_as() {
    for (check, holds) in [
        (json!({"column": "x", "oneOf": ["0.1", "2.5"]}), true),
        (json!({"column": "x", "min": 0.1, "max": 2.5}), true),
        (json!({"column": "y", "max": 0.1}), true),
        (json!({"column": "y", "min": 0.1}), true),
        (json!({"column": "y", "min": 0.1000000001}), false),
        (json!({"column": "y", "max": 0.0999999999}), false),
        (json!({"column": "y", "max": 0.09}), false),
        (json!({"column": "y", "oneOf": ["0.2"]}), false),
        (json!({"sql": "SELECT max(y) FROM output", "equals": 0.1}), true),
        (json!({"sql": "SELECT max(y) FROM output", "equals": 0.2}), false),
    ] {
        let volume = Volume::new();
        volume.put("t.csv", "x\n0.1\n2.5\n");
        for format in ["csv", "parquet"] {
            let sql = "SELECT CAST(x AS REAL) AS x, CAST(0.1 AS REAL) AS y FROM t";
            let mut spec = prepare(input("file:t.csv"), Some(sql));
            spec["action"]["prepare"]["checks"] = json!([check]);
            spec["action"]["prepare"]["format"] = format.into();
            let ended = volume.step(&spec, &[]);
            assert_eq!(ended.code == 0, holds, "{format} {check} {ended:#?}");
            std::fs::remove_dir_all(volume.path().join("ns")).ok();
        }
    }
}

#[test]
fn frames_that_are_to_be_skipped_are() {
    let compressed = zstd::encode_all(&b"a\n1\n"[..], 1).expect("compressed");
    // As pzstd writes: a frame with a length, which readers skip.
    for magic in [0x50_u8, 0x5f] {
        let mut file = vec![magic, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 9, 9, 9, 9];
        file.extend_from_slice(&compressed);
        let (_, result) = read(&file, "in.csv.zst", json!({}));
        assert_eq!(result.as_deref(), Ok("a\n1\n"));
    }
}

#[test]
fn the_answer_of_a_server_is_no_table() {
    for (content, columns, part) in [
        ("{\"error\":\"token expired\"}", json!([]), "JSON"),
        ("{\"error\":\"token expired\"}", json!(["a"]), "JSON"),
        ("[{\"error\":\"token expired\"}]", json!([]), "JSON"),
        ("<html>\n<body>\n", json!(["a"]), "HTML"),
        ("<!-- x -->\n<html>\n", json!([]), "HTML"),
        ("<Error><Code>AccessDenied</Code></Error>", json!([]), "XML"),
        ("<Error>\n  <Code>AccessDenied</Code>\n</Error>", json!(["a"]), "XML"),
    ] {
        let (ended, _) = read(content, "in.csv", json!({"columns": columns}));
        ended.fails(3, "DataMalformed", &["in.csv", part, "not CSV"]);
    }
    for content in ["<TICKER>,<PER>\nA,1\n", "<DATE>\n2024\n"] {
        assert_eq!(read(content, "in.csv", json!({})).1.as_deref(), Ok(content));
    }
    let (_, result) = read("{\"a\":1}\n{\"a\":2}\n", "in.csv", json!({"columns": ["x"]}));
    assert!(result.is_ok(), "rows of JSON in a column of the user's: {result:?}");
}

#[test]
fn lines_that_end_with_carriage_returns_are_left_out_by_number() {
    for content in ["x\ry\ra\r1\r", "x\r\ny\r\na\r\n1\r\n", "x\ny\na\n1\n"] {
        let (_, result) = read(content, "in.csv", json!({"reading": {"skipRows": 2}}));
        assert_eq!(result.as_deref(), Ok("a\n1\n"), "{content:?}");
    }
}

#[test]
fn an_empty_ndjson_file_has_no_rows_where_its_columns_are_known() {
    let volume = Volume::new();
    volume.put("in/a.ndjson", "");
    volume.put("in/b.ndjson", "{\"n\":1}\n");
    volume.put("in/c.ndjson", "\n");
    let ended = volume.step(&prepare(input("file:in/*.ndjson"), None), &[]);
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), "n\n1\n");
    let (_, result) = read("", "in.ndjson", json!({"reading": {"types": {"n": "integer"}}}));
    assert_eq!(result.as_deref(), Ok("n\n"));
    let (ended, _) = read("", "in.ndjson", json!({}));
    ended.fails(3, "DataMalformed", &["the file is empty", "reading.types"]);
}

#[test]
fn a_column_that_csv_cannot_hold_comes_with_a_way_that_works() {
    let as_written = |value: &str| answered("n\n1\n", &format!("SELECT {value} FROM t"));
    for (value, advised) in [
        ("named_struct('a', n) AS v", "\"v\"['a'] AS \"a\""),
        ("map(['k'], [n]) AS v", "\"v\"['key'] AS \"key\""),
        ("x'6162' AS v", "encode(\"v\", 'hex') AS \"v\""),
        (
            "arrow_cast(x'61626364616263646162636461626364', 'FixedSizeBinary(16)') AS v",
            "encode(\"v\", 'hex') AS \"v\"",
        ),
        ("make_array(n) AS v", "CAST(\"v\" AS VARCHAR) AS \"v\""),
        ("INTERVAL '1 day' AS v", "CAST(\"v\" AS VARCHAR) AS \"v\""),
    ] {
        let refused = as_written(value).expect_err("refused");
        assert!(refused.contains("column \"v\"") && refused.contains(advised), "{refused}");
        let works = answered("n\n1\n", &format!("SELECT {advised} FROM (SELECT {value} FROM t)"));
        assert!(works.is_ok(), "{works:?}");
    }
}

#[test]
fn the_command_names_places_as_they_are_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("t.csv"), "d\n1\nx\n").expect("a file");
    std::os::unix::fs::symlink(path("gone"), path("dangling.csv")).expect("a link");
    let said = |arguments: &[&str]| {
        let output = worker(&[&["prepare"], arguments].concat()).output().expect("the worker runs");
        assert!(!output.status.success());
        text(&output).1
    };
    let (dangling, table) = (format!("t={}", path("dangling.csv")), format!("t={}", path("t.csv")));
    let message = said(&["--input", &dangling, "--out", "-"]);
    assert!(message.contains(&format!("{}: it passes a symbolic link", path("dangling.csv"))), "{message}");
    let message =
        said(&["--input", &table, "--check-sql", "select count(*) from t = 4", "--out", &path("o.csv")]);
    assert!(message.contains("table 't' not found; the tables are output (d)"), "{message}");
    for out in ["-".to_owned(), path("o.csv")] {
        let message = said(&["--input", &table, "--sql", "SELECT CAST(d AS INT) AS d FROM t", "--out", &out]);
        assert!(message.contains("The value is in row 2 of t, column \"d\""), "{message}");
    }
}
