//! CSV is read strictly, and what is wrong is named with its file and line.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use serde_json::json;
use support::{Volume, input, prepare};

/// Copies a CSV file and gives what came out.
fn copied(content: &[u8]) -> String {
    let volume = Volume::new();
    volume.put("in.csv", content);
    let ended = volume.step(&prepare(input("file:in.csv"), None), &[]);
    volume.data(ended.succeeds(), "data.csv")
}

#[track_caller]
fn refused(content: &[u8], parts: &[&str]) {
    let volume = Volume::new();
    volume.put("in.csv", content);
    let ended = volume.step(&prepare(input("file:in.csv"), None), &[]);
    let mut all = vec!["t: file:in.csv"];
    all.extend_from_slice(parts);
    ended.fails(3, "DataMalformed", &all);
    assert_eq!(volume.names(), [""; 0], "nothing is left");
}

#[test]
fn a_byte_order_mark_is_skipped_with_and_without_a_header() {
    assert_eq!(copied(b"\xEF\xBB\xBFa,b\n1,x\n"), "a,b\n1,x\n");
    let volume = Volume::new();
    volume.put("in.csv", b"\xEF\xBB\xBF7,x\n");
    let inputs = json!([{"name": "t", "source": {"uri": {"uri": "file:in.csv", "columns": ["n", "s"]}}}]);
    let ended = volume.step(&prepare(inputs, Some("SELECT n + 1 AS n, s FROM t")), &[]);
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), "n,s\n8,x\n");
}

#[test]
fn what_looks_like_a_byte_order_mark_in_a_row_is_kept_in_every_row() {
    let rows = "a,b\n\u{feff}x,\"1\"\"2\"\n\u{feff}y,3\n\u{feff}\"z\",\"4\"\"5\"\n";
    let expected = "a,b\n\u{feff}x,\"1\"\"2\"\n\u{feff}y,3\n\"\u{feff}\"\"z\"\"\",\"4\"\"5\"\n";
    assert_eq!(copied(rows.as_bytes()), expected);
    assert_eq!(copied(expected.as_bytes()), expected);
    // The file's own mark is taken off, and a second one is the name's.
    let named = "\"\u{feff}a\",b\n1,2\n";
    assert_eq!(copied("\u{feff}\u{feff}a,b\n1,2\n".as_bytes()), named);
    assert_eq!(copied(named.as_bytes()), named);
}

#[test]
fn ragged_rows_are_refused_with_their_line() {
    refused(b"a,b\n1,2\n3\n", &["line 3", "1 field where the header has 2 columns"]);
    refused(b"a,b\n1,2,3\n", &["line 2", "3 fields where the header has 2 columns"]);
    refused(b"a,b\n\"x\ny\",2\n\n1,2,3", &["line 5", "3 fields"]);
}

#[test]
fn a_ragged_row_far_into_a_large_file_is_named_and_the_first_one_of_two() {
    let mut content = b"a,b\n".to_vec();
    for row in 2..2_000_000 {
        content.extend_from_slice(if row == 1_500_000 || row == 1_900_000 { b"1\n" } else { b"1,2\n" });
    }
    refused(&content, &["line 1500000:"]);
}

#[test]
fn other_encodings_are_refused_with_their_line() {
    refused(b"a,b\n1,x\n2,caf\xE9\n", &["line 3", "byte 0xE9", "not UTF-8", "encoding: windows-1252"]);
    refused(b"caf\xE9,b\n1,x\n", &["line 1", "not UTF-8"]);
    refused(b"\xFF\xFEa\0", &["UTF-16"]);
}

#[test]
fn empty_files_are_refused_and_a_header_alone_is_no_rows() {
    for content in [&b""[..], b"\n\n", b"\xEF\xBB\xBF"] {
        refused(content, &["empty"]);
    }
    assert_eq!(copied(b"a,b\n"), "a,b\n");
    assert_eq!(copied(b"a,b"), "a,b\n");
}

#[test]
fn quotes_may_hold_commas_quotes_and_line_ends() {
    let content = b"a,b\n\"x, \"\"y\"\"\r\nz\",1\n";
    assert_eq!(copied(content), "a,b\n\"x, \"\"y\"\"\r\nz\",1\n");
    refused(b"a,b\n1,2\n\"x,3\n4,5\n", &["line 3", "never closed"]);
    refused(b"a,b\n\"x\"y,3\n", &["line 2", "follows the closing quote"]);
}

#[test]
fn many_quoted_line_ends_keep_their_rows_on_every_core() {
    let mut content = String::from("n,text\n");
    for row in 0..200_000 {
        content.push_str(&format!("{row},\"first {row}\nsecond, {row}\"\n"));
    }
    assert!(copied(content.as_bytes()) == content, "rows differ or are out of order");
}

#[test]
fn line_ends_of_every_system_are_read() {
    for content in [&b"a,b\r\n1,2\r\n3,4\r\n"[..], b"a,b\r1,2\r3,4\r", b"a,b\n\n1,2\n\n\n3,4"] {
        assert_eq!(copied(content), "a,b\n1,2\n3,4\n");
    }
}

#[test]
fn ten_megabytes_in_one_field_are_one_field_and_a_record_without_end_is_refused() {
    let long = "x".repeat(10 << 20);
    let content = format!("a,b\n1,{long}\n2,y\n");
    assert!(copied(content.as_bytes()) == content, "the field changed");
    let mut endless = b"a,b\n1,\"".to_vec();
    endless.resize(70 << 20, b'x');
    refused(&endless, &["line 2", "longer than 64 MiB"]);
}

#[test]
fn types_come_from_every_row() {
    let mut content = String::from("late,text,day\n");
    for _ in 0..400_000 {
        content.push_str("1,2,2026-01-01\n");
    }
    content.push_str("0.5,x,2026-01-02\n,,\n");
    let volume = Volume::new();
    volume.put("in.csv", content);
    let sql = "SELECT sum(late) AS s, max(text) AS m, max(day) - min(day) AS d, arrow_typeof(min(day)) AS t,
               count(*) - count(late) AS nulls FROM t";
    let ended = volume
        .step(&prepare(input("file:in.csv"), Some(&format!("SELECT s, m, t, nulls FROM ({sql})"))), &[]);
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), "s,m,t,nulls\n400000.5,x,Date32,1\n");
}

#[test]
fn na_is_text_and_empty_is_null() {
    let volume = Volume::new();
    volume.put("in.csv", "a,b\n1,NA\n,\"\"\n");
    let sql = "SELECT count(a) AS a, count(b) AS b, max(b) AS m FROM t";
    let ended = volume.step(&prepare(input("file:in.csv"), Some(sql)), &[]);
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), "a,b,m\n1,1,NA\n");
}

#[test]
fn headers_that_are_none_are_pointed_out() {
    refused(b"5.1,3.5,5.1\n1,2,3\n", &["\"5.1\" twice", "give the columns' names"]);
    refused(b"a,b,a\n1,2,3\n", &["\"a\" twice", "name each column once"]);
    let volume = Volume::new();
    volume.put("in.csv", "5.1,3.5,setosa\n4.9,3.0,setosa\n");
    let ended = volume.step(&prepare(input("file:in.csv"), None), &["--log-format", "text"]);
    assert!(ended.succeeds().stderr.contains("looks like data"), "{ended:?}");
}

#[test]
fn given_columns_must_fit_and_a_header_beside_them_is_refused() {
    let volume = Volume::new();
    let with = |columns: &[&str]| {
        let inputs = json!([{"name": "t", "source": {"uri": {"uri": "file:in.csv", "columns": columns}}}]);
        volume.step(&prepare(inputs, None), &[])
    };
    volume.put("in.csv", "1,2\n");
    with(&["a", "b", "c"]).fails(3, "DataMalformed", &["line 1", "2 fields", "3 columns"]);
    volume.put("in.csv", "a,b\n1,2\n");
    with(&["a", "b"]).fails(3, "DataMalformed", &["line 1", "leave out columns"]);
}

#[test]
fn files_that_are_read_together_come_in_the_order_of_their_names_and_share_their_header() {
    let volume = Volume::new();
    volume.put("in/b.csv", "a\n2.5\n");
    volume.put("in/a.csv", "a\n1\n");
    volume.put("in/c.csv", "a\nx\n");
    let spec = prepare(input("file:in/*.csv"), None);
    let ended = volume.step(&spec, &[]);
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), "a\n1\n2.5\nx\n");
    let other = Volume::new();
    other.put("in/a.csv", "a\n1\n");
    other.put("in/b.csv", "b\n1\n");
    other.step(&spec, &[]).fails(
        3,
        "DataMalformed",
        &["in/b.csv", "its columns are not those of", "\"b\" is new, \"a\" is missing", "same header"],
    );
}

#[test]
fn a_table_of_more_columns_than_a_query_can_take_is_refused_at_once() {
    let header =
        |columns: usize| (0..columns).map(|column| format!("c{column}")).collect::<Vec<_>>().join(",");
    refused(format!("{}\n", header(10_001)).as_bytes(), &["more than 10000 columns"]);
    assert_eq!(copied(format!("{}\n", header(2_000)).as_bytes()).lines().count(), 1);

    let fields: Vec<Field> =
        (0..10_001).map(|column| Field::new(format!("c{column}"), DataType::Int64, true)).collect();
    let mut wide = Vec::new();
    ArrowWriter::try_new(&mut wide, Arc::new(Schema::new(fields)), None)
        .expect("a writer")
        .close()
        .expect("a file");
    let volume = Volume::new();
    volume.put("in.parquet", wide);
    let ended = volume.step(&prepare(input("file:in.parquet"), None), &[]);
    ended.fails(3, "DataMalformed", &["file:in.parquet", "more than 10000 columns"]);
}

#[test]
fn compressed_files_are_read_and_other_compressions_named() {
    let volume = Volume::new();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, b"a\n1\n2\n").expect("compressed");
    volume.put("in.csv.gz", encoder.finish().expect("compressed"));
    volume.put("in.csv.zst", zstd::encode_all(&b"a\n1\n2\n"[..], 3).expect("compressed"));
    volume.put("broken.csv.gz", b"\x1f\x8b\x08\x00rubbish");
    volume.put("in.csv.xz", b"\xfd7zXZ\0rest");
    for (number, name) in ["in.csv.gz", "in.csv.zst"].into_iter().enumerate() {
        let mut spec = prepare(input(&format!("file:{name}")), None);
        spec["revision"] = json!({"fixed": format!("00000000000{number}")});
        let ended = volume.step(&spec, &[]);
        assert_eq!(volume.data(ended.succeeds(), "data.csv"), "a\n1\n2\n");
    }
    let broken = volume.step(&prepare(input("file:broken.csv.gz"), None), &[]);
    broken.fails(3, "DataMalformed", &["broken.csv.gz", "cannot be decompressed"]);
    let spec =
        prepare(json!([{"name": "t", "source": {"uri": {"uri": "file:in.csv.xz", "format": "csv"}}}]), None);
    volume.step(&spec, &[]).fails(3, "DataMalformed", &["xz", "gzip and zstd"]);
}

#[test]
fn ndjson_lines_that_are_no_objects_are_refused_with_their_line() {
    let volume = Volume::new();
    let rows = [
        ("{\"a\":1}\n[1]\n", "line 2"),
        ("{\"a\":1}\n\n{\"a\":\n", "line 3"),
        ("", "empty"),
        ("[{\"a\":1}]", "JSON array"),
        ("{\"a\":1}\n\n{\"a\":{\"b\":1}}\n{\"a\":[]}\n", "line 3: \"a\" holds plain values and objects"),
    ];
    for (content, part) in rows {
        volume.put("in.ndjson", content);
        let ended = volume.step(&prepare(input("file:in.ndjson"), None), &[]);
        ended.fails(3, "DataMalformed", &["file:in.ndjson", part]);
    }
    volume.put("in.ndjson", "{\"z\":1,\"a\":\"x\"}\n{\"a\":7,\"z\":1.5,\"n\":null}\n");
    let ended = volume.step(&prepare(input("file:in.ndjson"), None), &[]);
    assert_eq!(volume.data(ended.succeeds(), "data.csv"), "z,a,n\n1.0,x,\n1.5,7,\n");
}

#[test]
fn files_that_are_no_parquet_are_refused() {
    let volume = Volume::new();
    for (content, part) in [(&b""[..], "empty"), (b"PAR1 not really", "not a whole Parquet file")] {
        volume.put("in.parquet", content);
        let ended = volume.step(&prepare(input("file:in.parquet"), None), &[]);
        ended.fails(3, "DataMalformed", &["file:in.parquet", part]);
    }
}
