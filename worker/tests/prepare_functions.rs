//! Functions and times at their limits: what the engine would answer wrongly, or with any amount of memory, is right or an error.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use support::answers::of_one_table::{answers, tried};
use support::{Volume, input, prepare};

#[test]
fn large_numbers_are_rounded_to_numbers() {
    let numbers = "k,x\n1,1e300\n1,-1e308\n1,2.345\n1,inf\n1,\n";
    answers(numbers, "SELECT k, round(x, 10) AS r FROM t", "k,r\n1,1e300\n1,-1e308\n1,2.345\n1,inf\n1,\n");
    answers(numbers, "SELECT k, trunc(x, 2) AS r FROM t", "k,r\n1,1e300\n1,-1e308\n1,2.34\n1,inf\n1,\n");
    answers(
        "x\n1\n",
        "SELECT round(1e300, 20) AS r, round(2.5) AS s, round(x) AS n FROM t",
        "r,s,n\n1e300,3.0,1\n",
    );
}

#[test]
fn values_that_are_longer_than_memory_are_refused_before_they_are_made() {
    for sql in [
        "SELECT array_length(range(1, 1000000000000)) AS n FROM t",
        "SELECT array_length(range(x, 1000000000000)) AS n FROM t",
        "SELECT array_length(range(1000000000000)) AS n FROM t",
        "SELECT array_length(generate_series(1000000000000, x, -1)) AS n FROM t",
        "SELECT array_length(range(TIMESTAMP '2024-01-01', TIMESTAMP '2025-01-01', INTERVAL '1 microsecond')) AS n FROM t",
        "SELECT array_length(array_repeat(x, 1000000000000)) AS n FROM t",
        "SELECT array_length(array_resize(make_array(x), 1000000000000, 0)) AS n FROM t",
        "SELECT length(repeat('abc', 2000000000)) AS n FROM t",
        "SELECT length(repeat(s, 2000000000)) AS n FROM t",
        "SELECT length(lpad(s, 2000000000)) AS n FROM t",
        "SELECT length(rpad(s, 2000000000, 'ab')) AS n FROM t",
    ] {
        let volume = Volume::new();
        volume.put("in.csv", "x,s\n1,abc\n");
        let ended = volume.step(&prepare(input("file:in.csv"), Some(sql)), &["--memory-limit", "256Mi"]);
        ended.fails(2, "OutOfMemory", &["a function makes values that do not fit"]);
    }
    answers("x\n3\n", "SELECT unnest(range(0, x)) AS n FROM t", "n\n0\n1\n2\n");
    answers(
        "x\n3\n",
        "SELECT unnest(range(5, x, -1)) AS n, lpad('7', x, '0') AS l FROM t",
        "n,l\n5,007\n4,007\n",
    );
    answers("x\n3\n", "SELECT repeat('ab', x) AS r, repeat('a', -1) AS e FROM t", "r,e\nababab,\n");
    answers("x\n3\n", "SELECT sum(value) AS s FROM generate_series(1, 1000000)", "s\n500000500000\n");
}

#[test]
fn times_after_2262_are_compared_and_read() {
    let times = "far,day\n4000-01-01T00:00:00,4000-01-01\n9999-12-31T00:00:00,9999-12-31\n2020-01-01T00:00:00,2020-01-01\n";
    for (condition, count) in [
        ("far = '9999-12-31'", 1),
        ("far < '9999-12-31'", 2),
        ("'9999-12-31T00:00:00' > far", 2),
        ("far BETWEEN '2000-01-01' AND '9999-12-31'", 3),
        ("far BETWEEN TIMESTAMP '2000-01-01' AND '9999-12-31'", 3),
        ("far > TIMESTAMP '2000-01-01' AND day > DATE '2000-01-01'", 3),
        ("far IN ('9999-12-31', '2020-01-01')", 2),
        ("far NOT IN ('9999-12-31')", 2),
        ("far >= TIMESTAMP '4000-01-01'", 2),
        ("far = CAST('9999-12-31' AS TIMESTAMP)", 1),
        ("far = DATE '9999-12-31'", 1),
        ("far = day", 3),
        ("far IS NOT DISTINCT FROM '9999-12-31'", 1),
        ("day = '9999-12-31'", 1),
        ("far > '2019-12-31T23:59:59.999999999'", 3),
        ("CASE WHEN far = '9999-12-31' THEN true ELSE false END", 1),
    ] {
        answers(times, &format!("SELECT count(*) AS n FROM t WHERE {condition}"), &format!("n\n{count}\n"));
    }
    let joined = "SELECT count(*) AS n FROM t AS a JOIN t AS b ON a.far = b.day WHERE a.far < '9999-12-31'";
    answers(times, joined, "n\n2\n");
    let two = "t\n9999-12-31T00:00:00\n2020-01-01T10:11:12\n";
    answers(
        two,
        "SELECT date_trunc('month', t) AS m FROM t WHERE t < '9999-01-01'",
        "m\n2020-01-01T00:00:00\n",
    );
}

#[test]
fn no_time_becomes_null_without_a_word() {
    let (_, ended) = tried(
        "far\n4000-01-01T10:00:00\n2020-01-01T00:00:00\n",
        "SELECT date_bin(INTERVAL '1 day', far) AS d FROM t",
    );
    ended.fails(3, "DataMalformed", &["date_bin has a time outside of the years 1678 to 2261"]);
    answers(
        "k,t\n1,2020-01-01T10:00:00\n1,\n",
        "SELECT k, date_bin(INTERVAL '1 day', t) AS d FROM t",
        "k,d\n1,2020-01-01T00:00:00\n1,\n",
    );
}

#[test]
fn d7_a_query_of_many_terms_is_answered_and_a_longer_one_refused() {
    let terms = |count: usize| format!("SELECT {}1 AS n FROM t", "1+".repeat(count));
    answers("a\n0\n", &terms(100), "n\n101\n");
    let nested = format!("SELECT {}1{} AS n FROM t", "abs(".repeat(3000), ")".repeat(3000));
    for (sql, problem) in [(terms(8000), "more than 1,000 expressions"), (nested, "the sql cannot be read")] {
        let (_, ended) = tried("a\n0\n", &sql);
        ended.fails(2, "QueryInvalid", &[problem]);
    }
}

#[test]
fn d7_a_header_of_millions_of_commas_is_refused_for_its_columns() {
    let (_, ended) = tried(&",".repeat(3_000_000), "SELECT 1 AS n FROM t");
    ended.fails(3, "DataMalformed", &["it has more than 10000 columns"]);
    let (_, ended) = tried(&format!("a,b\n{}\n", ",".repeat(3_000_000)), "SELECT 1 AS n FROM t");
    ended.fails(3, "DataMalformed", &["line 2"]);
}

#[test]
fn d7_long_values_that_repeat_are_written_in_parts() {
    let sql = "SELECT repeat('x', 1000000) AS s FROM t, generate_series(1, 300)";
    let volume = Volume::new();
    volume.put("in.csv", "a\n0\n");
    let ended = volume.step(&prepare(input("file:in.csv"), Some(sql)), &["--memory-limit", "2Gi"]);
    let written = volume.data(ended.succeeds(), "data.csv");
    assert_eq!(written.len(), 2 + 300 * 1_000_001);
    assert!(written.lines().skip(1).all(|line| line.len() == 1_000_000));
}
