//! No value is changed without a word: what a file holds comes out as it is, or the step fails and says where.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use serde_json::{Value, json};
use support::{Ended, Volume, input, prepare};

/// The result of a query over a file, as CSV.
#[track_caller]
fn queried(name: &str, content: &[u8], reading: Option<Value>, sql: &str) -> String {
    let (volume, ended) = tried(name, content, reading, Some(sql));
    volume.data(ended.succeeds(), "data.csv")
}

fn tried(name: &str, content: &[u8], reading: Option<Value>, sql: Option<&str>) -> (Volume, Ended) {
    let volume = Volume::new();
    volume.put(name, content);
    let mut spec = prepare(input(&format!("file:{name}")), sql);
    if let Some(reading) = reading {
        spec["version"] = json!(2);
        spec["action"]["prepare"]["inputs"][0]["source"]["uri"]["reading"] = reading;
    }
    let ended = volume.step(&spec, &[]);
    (volume, ended)
}

/// A copy of a file in another format, by a step of its own.
fn converted(volume: &Volume, from: &str, format: &str) -> Ended {
    let mut spec = prepare(input(from), None);
    spec["step"] = json!(format);
    spec["action"]["prepare"]["format"] = json!(format);
    volume.step(&spec, &[])
}

#[test]
fn not_a_number_survives_parquet_and_counts_as_largest_everywhere() {
    let volume = Volume::new();
    volume.put("in.csv", "x\n1\nNaN\n3\n1\n");
    converted(&volume, "file:in.csv", "parquet").succeeds();
    let revision = std::fs::read_dir(volume.path().join("ns/pipe/parquet"))
        .expect("the step")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .find(|name| !name.starts_with('.'))
        .expect("a revision");
    let parquet =
        json!([{"name": "t", "source": {"artifact": {"path": format!("ns/pipe/parquet/{revision}")}}}]);
    for (sql, expected) in [
        ("SELECT x FROM t", "x\n1.0\nNaN\n3.0\n1.0\n"),
        ("SELECT count(*) AS n FROM t WHERE isnan(x)", "n\n1\n"),
        ("SELECT count(*) AS n FROM t WHERE x > 2", "n\n2\n"),
        ("SELECT max(x) AS m, min(x) AS l FROM t", "m,l\nNaN,1.0\n"),
    ] {
        for inputs in [input("file:in.csv"), parquet.clone()] {
            let ended = volume.step(&prepare(inputs, Some(sql)), &[]);
            assert_eq!(volume.data(ended.succeeds(), "data.csv"), expected, "{sql}");
            std::fs::remove_dir_all(volume.step_folder()).expect("removed");
        }
    }
    let mut spec = prepare(parquet, None);
    spec["action"]["prepare"]["checks"] = json!([{"column": "x", "max": 2}]);
    volume.step(&spec, &[]).fails(3, "CheckFailed", &["above max 2 in 2 of 4 rows: row 2: NaN, row 3: 3.0"]);
}

#[test]
fn numbers_that_json_does_not_have_are_refused_and_never_null() {
    for (value, shown) in [("NaN", "NaN"), ("inf", "inf"), ("-inf", "-inf")] {
        let volume = Volume::new();
        volume.put("in.csv", format!("id,x\n1,0.5\n2,{value}\n"));
        let ended = converted(&volume, "file:in.csv", "ndjson");
        ended.fails(
            3,
            "DataMalformed",
            &[
                "the result: column \"x\", row 2:",
                shown,
                "cannot be written as JSON",
                "or write csv or parquet",
            ],
        );
        assert!(!ended.message().contains(".draft-"), "{}", ended.message());
    }
}

#[test]
fn ids_keep_every_digit() {
    for (content, expected) in [
        ("id\n007\n07302\n", "id\n007\n07302\n"),
        ("id\n\"007\"\n\"1\"\n", "id\n007\n1\n"),
        ("id\n0001E5\n2\n", "id\n0001E5\n2\n"),
        (
            "id\n12345678901234567890\n12345678901234567891\n",
            "id\n12345678901234567890\n12345678901234567891\n",
        ),
        ("id\n9007199254740993\n1.5\n", "id\n9007199254740993\n1.5\n"),
        ("id\n1e400\n1\n", "id\n1e400\n1\n"),
        ("id\n0.5\n0\n", "id\n0.5\n0.0\n"),
    ] {
        assert_eq!(queried("in.csv", content.as_bytes(), None, "SELECT id FROM t"), expected);
    }
    let distinct = "SELECT count(DISTINCT id) AS n FROM t";
    let rows = "{\"id\":12345678901234567890}\n{\"id\":12345678901234567891}\n";
    assert_eq!(queried("in.ndjson", rows.as_bytes(), None, distinct), "n\n2\n");
    let rows = "{\"id\":123456789012345678901}\n{\"id\":123456789012345678902}\n";
    assert_eq!(queried("in.ndjson", rows.as_bytes(), None, distinct), "n\n2\n");
}

#[test]
fn a_spec_says_how_text_is_read() {
    let german = "# Umsatz\nOrt;PLZ;Umsatz;Tag\nBonn;05311;1.234,50;31.12.2025\nUlm;-;n/a;01.01.2026\n";
    let reading = json!({
        "delimiter": ";", "comment": "#", "decimal": ",", "thousands": ".", "dateFormat": "%d.%m.%Y",
        "nullValues": ["n/a"], "types": {"PLZ": "text"}, "byColumn": {"PLZ": {"nullValues": ["-"]}},
    });
    let sql = "SELECT \"Ort\" AS a, \"PLZ\" AS b, \"Umsatz\" + 1 AS c, \"Tag\" AS d FROM t";
    assert_eq!(
        queried("in.csv", german.as_bytes(), Some(reading), sql),
        "a,b,c,d\nBonn,05311,1235.5,2025-12-31\nUlm,,,2026-01-01\n"
    );
    let latin = b"name|note\n'Jos\xE9'|'it\\'s'\n";
    let reading = json!({"delimiter": "|", "quote": "'", "escape": "\\", "encoding": "windows-1252"});
    assert_eq!(queried("in.csv", latin, Some(reading), "SELECT * FROM t"), "name,note\nJosé,it's\n");
    let skipped = "made by a program\n\"on a day\n\na,b\n1,2\n";
    let reading = json!({"skipRows": 3});
    assert_eq!(queried("in.csv", skipped.as_bytes(), Some(reading), "SELECT * FROM t"), "a,b\n1,2\n");
    let utf16: Vec<u8> = "\u{feff}a,b\nä,1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let reading = json!({"encoding": "utf-16"});
    assert_eq!(queried("in.csv", &utf16, Some(reading), "SELECT * FROM t"), "a,b\nä,1\n");
}

#[test]
fn utf_16_without_a_mark_is_read_in_its_own_order_and_never_as_utf_8() {
    let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let utf16 = || Some(json!({"encoding": "utf-16"}));
    for text in ["a,b\nä,1\n", "姓名,年龄\n李雷,1\n", "\u{feff}a,b\r\nä,1\r\n"] {
        let expected = text.replace(['\u{feff}', '\r'], "");
        assert_eq!(queried("in.csv", &little(text), utf16(), "SELECT * FROM t"), expected, "{text}");
        assert_eq!(queried("in.csv", &big(text), utf16(), "SELECT * FROM t"), expected, "{text}");
    }
    let lines = "{\"a\":1}\n{\"a\":2}\n";
    for bytes in [little(lines), big(lines)] {
        assert_eq!(queried("in.ndjson", &bytes, utf16(), "SELECT * FROM t"), "a\n1\n2\n");
    }
    // Nothing in it says which order it is.
    let (_, ended) = tried("in.csv", &big("姓名"), utf16(), None);
    ended.fails(3, "DataMalformed", &["no byte order mark", "Save it with a byte order mark"]);
    for (name, text) in [
        ("in.csv", "a,b\n1,2\n"),
        ("in.csv", "a,é\n1,2\n"),
        ("in.csv", "姓名,年龄\n李雷,1\n"),
        ("in.ndjson", lines),
    ] {
        for bytes in [little(text), big(text)] {
            let (_, ended) = tried(name, &bytes, None, None);
            ended.fails(3, "DataMalformed", &["NUL", "reading: {encoding: utf-16}"]);
        }
    }
    let (_, ended) = tried("in.csv", b"a,b\0c\n1,2\n", None, None);
    ended.fails(3, "DataMalformed", &["line 1", "the first line has NUL bytes"]);
}

#[test]
fn nul_bytes_are_a_file_that_was_cut_or_not_fully_written() {
    let hole = |before: &str, nuls: usize, behind: &str| {
        let mut bytes = before.as_bytes().to_vec();
        bytes.resize(bytes.len() + nuls, 0);
        bytes.extend_from_slice(behind.as_bytes());
        bytes
    };
    let cut = "was the file cut or not fully written";
    for (name, bytes, parts) in [
        ("in.csv", hole("a,b\n1,x", 2, "y\n"), ["line 2", "2 NUL bytes here"]),
        ("in.csv", hole("a,b\n1,2\n3,", 5000, "\n5,6\n"), ["line 3", "5000 NUL bytes here"]),
        ("in.csv", hole("a,b\n1,2\n3,\"", 3, ""), ["line 3", "3 NUL bytes here"]),
        ("in.csv", hole("a,b\n1,2\n", 70 << 20, ""), ["line 3", "NUL bytes here"]),
        ("in.csv", hole("", 9, "a,b\n1,2\n"), ["line 1", "9 NUL bytes here"]),
        ("in.ndjson", hole("{\"a\":1}\n{\"a\"", 7, "\n"), ["line 2", "7 NUL bytes here"]),
        ("in.ndjson", hole("{\"a\":1}\n", 7, "{\"a\":2}\n"), ["line 2", "7 NUL bytes here"]),
    ] {
        let (_, ended) = tried(name, &bytes, None, None);
        ended.fails(3, "DataMalformed", &[parts[0], parts[1], cut]);
    }
    let volume = Volume::new();
    volume.put("in.log", hole("a 1\nb ", 4, "2\nc 3\n"));
    let mut spec = prepare(input("file:in.log"), None);
    spec["action"]["prepare"]["inputs"][0]["source"]["uri"]["pattern"] = json!("(?<k>.) (?<v>.*)");
    spec["version"] = json!(2);
    volume.step(&spec, &[]).fails(3, "DataMalformed", &["line 2", "4 NUL bytes here", cut]);
}

#[test]
fn a_parquet_file_that_is_called_text_is_called_parquet() {
    let volume = Volume::new();
    for name in ["in.csv", "in.ndjson"] {
        volume.put(name, b"PAR1\x15\0\x15\0\0\0\0\0\0\0PAR1");
        let ended = volume.step(&prepare(input(&format!("file:{name}")), None), &[]);
        ended.fails(3, "DataMalformed", &["it is a Parquet file", "format: parquet"]);
    }
}

#[test]
fn what_a_spec_says_of_reading_is_held_to() {
    let (_, ended) =
        tried("in.csv", b"a\n1\nx\n", Some(json!({"types": {"a": "integer"}})), Some("SELECT * FROM t"));
    ended.fails(3, "DataMalformed", &["in.csv, line 3", "column \"a\" has \"x\"", "an integer"]);
    let integers = Some(json!({"types": {"a": "integer"}}));
    let (_, ended) = tried("in.ndjson", b"{\"a\":1}\n{\"a\":1.5}\n", integers, Some("SELECT * FROM t"));
    ended.fails(3, "DataMalformed", &["in.ndjson, line 2", "column \"a\" has \"1.5\"", "an integer"]);
    let (_, ended) = tried("in.csv", b"a\n1\n", Some(json!({"types": {"b": "text"}})), None);
    ended.fails(3, "DataMalformed", &["names the column \"b\", which is not there; the columns are a"]);
    let (_, ended) = tried("in.ndjson", b"{\"a\":1}\n", Some(json!({"delimiter": ";"})), None);
    ended.fails(2, "SourceRefused", &["ndjson has types and encoding"]);
    let (_, ended) = tried("in.csv", b"a;b\n1;2\n", None, None);
    ended.fails(3, "DataMalformed", &["line 1", "the header is the one field \"a;b\"", "delimiter: \";\""]);
    let (_, ended) = tried("in.csv", b"caf\xE9\n", Some(json!({"encoding": "shift_jis"})), None);
    ended.fails(3, "DataMalformed", &["bytes that are not Shift_JIS"]);
    let (_, ended) = tried("in.csv", b"a\n1\n", Some(json!({"dateFormat": "%Q"})), None);
    ended.fails(3, "DataMalformed", &["dateFormat \"%Q\" is not a valid notation"]);
}

#[test]
fn whole_numbers_that_overflow_are_an_error() {
    let largest = b"n\n9223372036854775807\n1\n";
    for sql in [
        "SELECT sum(n) AS s FROM t",
        "SELECT n + 1 AS s FROM t",
        "SELECT n * 2 AS s FROM t",
        "SELECT -2 - n AS s FROM t",
    ] {
        let (_, ended) = tried("in.csv", largest, None, Some(sql));
        ended.fails(3, "DataMalformed", &["too large", "DECIMAL(38, 0)"]);
    }
    for sql in ["SELECT -n AS s FROM t", "SELECT abs(n) AS s FROM t"] {
        let (_, ended) = tried("in.csv", b"n\n-9223372036854775808\n", None, Some(sql));
        assert_ne!(ended.code, 0, "{sql}: {ended:?}");
    }
    // What fits is exact, on the way too.
    assert_eq!(queried("in.csv", b"n\n5\n-7\n", None, "SELECT -n AS s FROM t"), "s\n-5\n7\n");
    let both = b"n\n9223372036854775807\n1\n-5\n";
    assert_eq!(queried("in.csv", both, None, "SELECT sum(n) AS s FROM t"), "s\n9223372036854775803\n");
    assert_eq!(
        queried("in.csv", b"n\n1\n2\n", None, "SELECT n + 1, n FROM t GROUP BY n ORDER BY n"),
        "t.n + Int64(1),n\n2,1\n3,2\n"
    );
    let running = "SELECT sum(n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM t";
    assert_eq!(queried("in.csv", b"n\n1\n2\n3\n", None, running), "s\n1\n3\n5\n");
}

#[test]
fn sums_of_decimals_that_overflow_are_an_error() {
    let (table, d) = (b"g,n\n1,9\n1,9\n1,-9\n", "CAST(n AS DECIMAL(38, 37))");
    for sql in [
        format!("SELECT sum({d}) AS s FROM t WHERE n > 0"),
        format!("SELECT g, sum({d}) AS s FROM t WHERE n > 0 GROUP BY g"),
        format!("SELECT sum({d}) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM t"),
    ] {
        let (_, ended) = tried("in.csv", table, None, Some(&sql));
        ended.fails(3, "DataMalformed", &["a sum is too large for DECIMAL(38, 37)"]);
    }
    let sql = format!("SELECT sum({d}) AS s FROM t");
    assert_eq!(queried("in.csv", table, None, &sql), format!("s\n9.{}\n", "0".repeat(37)));
}

#[test]
fn no_error_is_ever_written_as_a_value() {
    let volume = Volume::new();
    volume.put("in.csv", "d\n2147483647\n");
    let mut spec =
        prepare(input("file:in.csv"), Some("SELECT to_timestamp_seconds(d * 10000) AS day FROM t"));
    spec["action"]["prepare"]["format"] = json!("ndjson");
    let ended = volume.step(&spec, &[]);
    assert_ne!(ended.code, 0, "{ended:?}");
    assert!(!ended.message().contains(".draft-"), "{}", ended.message());
    let (_, ended) = tried("in.csv", b"a\nx\n", None, Some("SELECT CAST(a AS INT) AS n FROM t"));
    ended.fails(3, "DataMalformed", &["'x'", "TRY_CAST", "in row 1 of t, column \"a\""]);
}

#[test]
fn nested_values_can_be_reached() {
    let rows = "{\"s\":{\"a\":1},\"l\":[7,8]}\n";
    let sql = "SELECT s['a'] AS a, l[1] AS first FROM t";
    assert_eq!(queried("in.ndjson", rows.as_bytes(), None, sql), "a,first\n1,7\n");
    assert_eq!(queried("in.ndjson", rows.as_bytes(), None, "SELECT unnest(l) AS x FROM t"), "x\n7\n8\n");
}

#[test]
fn messages_of_the_engine_are_for_people() {
    for (sql, parts) in [
        ("SELECT nosuch(a) FROM t", &["nosuch"][..]),
        ("SELECT a FROM t JOIN t AS u ON t.a = u.a", &["column \"a\" is in several tables", "TABLE.a"]),
        ("SELECT -a AS a FROM t ORDER BY t.a", &["\"a\" is a column of t and also a value", "AS o FROM t"]),
        ("SELECT a = true AS b FROM t", &["BIGINT = BOOLEAN", "CAST(x AS"]),
        ("SELECT NOT 'x' FROM t", &["NOT takes a condition"]),
        ("SELECT -(a > 0) AS b FROM t", &["- before a value takes a number"]),
        ("SELECT 1 / (a - a) FROM t", &["Divide by zero", "nullif"]),
        (
            "SELECT sum(CAST(a AS DOUBLE)) AS x, sum(a) AS y FROM t",
            &["have the same name", "sum(t.a)", "SELECT sum(a)"],
        ),
        ("SELECT CAST(a AS DOUBLE), a FROM t", &["have the same name", "with AS"]),
    ] {
        let (_, ended) = tried("in.csv", b"a\n1\n", None, Some(sql));
        assert_ne!(ended.code, 0, "{sql}");
        for part in parts {
            assert!(ended.message().contains(part), "{sql}: {}", ended.message());
        }
        for aside in ["bug in DataFusion", "backtrace", "Arrow error", "Some("] {
            assert!(!ended.message().contains(aside), "{sql}: {}", ended.message());
        }
    }
}
