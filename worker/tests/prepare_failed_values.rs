//! What is said of values that a query cannot compute with: which, where they are, and a way out, in words of SQL.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use serde_json::json;
use support::answers::{self, answers};
use support::{Volume, prepare};

/// The message of a step over the tables t and u, which fails for its data.
#[track_caller]
fn refused(t: &str, u: &str, sql: &str) -> String {
    let volume = Volume::new();
    volume.put("t.csv", t);
    volume.put("u.csv", u);
    let inputs = json!([
        {"name": "t", "source": {"uri": {"uri": "file:t.csv"}}},
        {"name": "u", "source": {"uri": {"uri": "file:u.csv"}}},
    ]);
    let ended = volume.step(&prepare(inputs, Some(sql)), &[]);
    ended.fails(3, "DataMalformed", &[]);
    for engine in ["Int32", "Int64", "Decimal128", "Utf8", "Array", "Boolean "] {
        assert!(!ended.message().contains(engine), "{sql}: {}", ended.message());
    }
    ended.message().to_owned()
}

#[test]
fn the_place_of_a_value_is_that_of_the_column_that_is_cast() {
    let t = "name,amount\nn/a,1\nbob,2\nann,n/a\n";
    for (u, sql) in [
        ("z\nn/a\n", "SELECT CAST(amount AS INT) AS x FROM t"),
        ("z\nn/a\n", "SELECT CAST(x AS INT) AS x FROM (SELECT trim(amount) AS x FROM t) AS q"),
        ("z\nbob\nann\n", "SELECT CAST(a.amount AS INT) AS x FROM u JOIN t AS a ON u.z = a.name"),
        ("z\nn/a\n", "SELECT max(CAST(amount AS DOUBLE)) AS x FROM t WHERE name <> 'bob'"),
        ("z\nn/a\n", "SELECT name FROM t WHERE CAST(amount AS INT) > 0"),
        ("z\n1\n", "SELECT count(*) AS n FROM t WHERE CAST(amount AS DECIMAL(5, 2)) IN (SELECT z FROM u)"),
    ] {
        let message = refused(t, u, sql);
        assert!(message.starts_with("'n/a' cannot be cast to "), "{sql}: {message}");
        assert!(message.ends_with(". The value is in row 3 of t, column \"amount\""), "{sql}: {message}");
    }
}

#[test]
fn where_several_rows_or_columns_may_be_meant_the_place_is_an_example() {
    let t = "name,amount\nn/a,1\nbob,n/a\nann,n/a\n";
    let message = refused(t, "z\n1\n", "SELECT CAST(amount AS INT) AS x FROM t");
    assert!(message.ends_with("The value is for example in row 2 of t, column \"amount\""), "{message}");
    let message = refused(t, "z\n1\n", "SELECT CAST(amount AS INT) AS x FROM t WHERE name = 'ann'");
    assert!(message.ends_with("in row 3 of t, column \"amount\""), "{message}");
    let message = refused(t, "z\n1\n", "SELECT CAST(amount AS INT) AS x, CAST(name AS INT) AS y FROM t");
    for place in ["for example in", "row 2 of t, column \"amount\"", "row 1 of t, column \"name\""] {
        assert!(message.contains(place), "{message}");
    }
    // What is computed of several rows is in none of them.
    let message =
        refused(t, "z\nn/a\n", "SELECT CAST(m AS INT) AS x FROM (SELECT max(name) AS m FROM t) AS q");
    assert!(!message.contains("The value is"), "{message}");
}

#[test]
fn numbers_that_do_not_fit_are_named_with_their_column_and_a_way_out() {
    let t = "i,d,f,s\n1,1,1,a\n9223372036854775807,1e30,123456.78,b\n-9223372036854775808,-1.5,0,c\n";
    let in_row_2 = |column: &str| format!("The value is in row 2 of t, column \"{column}\"");
    let in_row_3 = |column: &str| format!("The value is in row 3 of t, column \"{column}\"");
    for (sql, said, place) in [
        ("CAST(i AS INT)", "9223372036854775807 cannot be cast to INT", in_row_2("i")),
        (
            "CAST(CASE WHEN i > 0 THEN i END AS INT)",
            "9223372036854775807 cannot be cast to INT",
            in_row_2("i"),
        ),
        ("CAST(d AS BIGINT)", "1e30 cannot be cast to BIGINT", in_row_2("d")),
        ("CAST(f AS DECIMAL(5, 2))", "123456.78 does not fit into DECIMAL(5, 2)", in_row_2("f")),
        ("CAST(f AS DECIMAL(38, 36))", "123456.78 cannot be cast to DECIMAL(38, 36)", in_row_2("f")),
        ("abs(i)", "abs(-9223372036854775808) is too large for a whole number", in_row_3("i")),
        ("-i", "0 - -9223372036854775808 is too large for a whole number", in_row_3("i")),
        (
            "i + f::bigint",
            "9223372036854775807 + 123456 is too large for a whole number",
            in_row_2("f\" and \"i"),
        ),
        ("i / -1", "-9223372036854775808 / -1 is too large for a whole number", in_row_3("i")),
        ("i << 1", "9223372036854775807 << 1 is too large for a whole number", in_row_2("i")),
        (
            "factorial(CASE WHEN f > 1000 THEN 25 ELSE 1 END)",
            "factorial(25) is too large for a whole number",
            in_row_2("f"),
        ),
        ("lcm(i, 3)", "lcm(9223372036854775807, 3) is too large for a whole number", in_row_2("i")),
        ("sqrt(d)", "a negative number has no square root; CASE WHEN x >= 0", in_row_3("d")),
        ("i / CAST(f AS INT)", "Divide by zero", in_row_3("f")),
    ] {
        let message = refused(t, "z\n1\n", &format!("SELECT {sql} AS x FROM t"));
        assert!(message.starts_with(said), "{sql}: {message}");
        let place = place.replacen("column \"f\" and", "columns \"f\" and", 1);
        assert!(message.ends_with(&place), "{sql}: {message}");
        assert!(["CAST(x AS", "nullif", "CASE"].iter().any(|way| message.contains(way)), "{sql}: {message}");
    }
}

#[test]
fn what_is_divided_by_is_named_with_its_place_and_a_way_out() {
    let t = "i,n,d\n1,2,1.5\n2,0,0\n3,4,2.5\n";
    let in_row_2 = |column: &str| format!(". The value is in row 2 of t, column \"{column}\"");
    for (sql, divisor, place) in [
        ("1 / n AS x FROM t", "n", in_row_2("n")),
        ("mod(i, n) AS x FROM t", "n", in_row_2("n")),
        ("i AS x FROM t WHERE 10 / n > 1", "n", in_row_2("n")),
        ("1 % CAST(d AS DECIMAL(5, 2)) AS x FROM t", "t.d", in_row_2("d")),
        ("i / (n - 4) AS x FROM t", "t.n - ", ". The value is in row 3 of t, column \"n\"".to_owned()),
        ("n, 1 / sum(n) AS x FROM t GROUP BY n", "sum(t.n)", String::new()),
        ("1 / 0 AS x FROM t", "0", String::new()),
    ] {
        let message = refused(t, "z\n1\n", &format!("SELECT {sql}"));
        assert!(message.starts_with(&format!("Divide by zero: {divisor}")), "{sql}: {message}");
        assert!(
            message.contains(&format!("nullif({divisor}")) && message.contains(" is 0"),
            "{sql}: {message}"
        );
        assert!(message.ends_with(&place), "{sql}: {message}");
    }
    let message = refused(t, "z\n1\n", "SELECT i / n AS x, i % (n - 4) AS y FROM t");
    assert!(message.starts_with("Divide by zero: one of these is 0: n, "), "{message}");
    let message = refused(t, "z\n1\n", "SELECT i / nullif(n, 0) AS x, i / (n - 4) AS y FROM t");
    assert!(message.starts_with("Divide by zero: t.n - 4 is 0; "), "{message}");
    let message = refused(t, "z\n1\n", "SELECT i / (SELECT min(n) FROM t) AS x FROM t");
    assert!(message.starts_with("Divide by zero; divide by nullif(x, 0)"), "{message}");
}

#[test]
fn a_text_beside_a_boolean_is_read_as_one() {
    let t = "i,flag,s\n1,true,yes\n2,false,maybe\n";
    for (condition, expected) in [
        ("flag = 'true'", "i\n1\n"),
        ("'no' = flag", "i\n2\n"),
        ("flag <> 'false'", "i\n1\n"),
        ("flag IN ('true', 'yes')", "i\n1\n"),
        ("CASE flag WHEN 'true' THEN 1 ELSE 2 END = 1", "i\n1\n"),
        ("i = 1 AND flag = s", "i\n1\n"),
        ("flag > 'false'", "i\n1\n"),
        ("flag BETWEEN 'no' AND 'false'", "i\n2\n"),
        ("flag IS DISTINCT FROM 'true'", "i\n2\n"),
        ("flag IS NOT DISTINCT FROM 'true'", "i\n1\n"),
        ("nullif(flag, 'true') IS NULL", "i\n1\n"),
        ("nullif('true', flag) IS NULL", "i\n1\n"),
        ("greatest(flag, 'false')", "i\n1\n"),
        ("least(flag, 'true')", "i\n1\n"),
        ("coalesce(nullif(flag, false), 'yes')", "i\n1\n2\n"),
        ("array_has([flag], 'true')", "i\n1\n"),
        ("array_has(['yes', 'true'], flag)", "i\n1\n"),
        ("array_position([true, flag], 'false') = 2", "i\n2\n"),
        ("array_has([i, 7], '1')", "i\n1\n"),
        ("array_position([i, 2], '2') = 1", "i\n2\n"),
        ("array_has([DATE '2024-01-30' + CAST(i AS INT)], '2024-02-01')", "i\n2\n"),
    ] {
        let condition = condition.replace("= s", "= nullif(s, 'maybe')");
        answers(&[("t", t)], &format!("SELECT i FROM t WHERE {condition}"), expected);
    }
}

#[test]
fn a_text_that_is_no_boolean_is_named_with_what_it_is_compared_with() {
    let t = "i,flag,s\n1,true,yes\n2,false,maybe\n";
    for condition in [
        "flag = 'maybe'",
        "flag < 'maybe'",
        "flag BETWEEN 'false' AND 'maybe'",
        "flag IS DISTINCT FROM 'maybe'",
        "flag IS NOT DISTINCT FROM 'Maybe'",
        "nullif(flag, 'maybe')",
        "greatest(flag, 'maybe')",
        "least('maybe', flag)",
        "'Maybe' <> flag",
        "flag IN ('true', 'maybe')",
        "CASE flag WHEN 'maybe' THEN true ELSE false END",
    ] {
        let message = refused(t, "z\n1\n", &format!("SELECT i FROM t WHERE {condition}"));
        assert!(message.starts_with("'maybe' cannot be cast to BOOLEAN"), "{condition}: {message}");
        assert!(message.contains("TRY_CAST(x AS BOOLEAN)"), "{condition}: {message}");
        assert!(message.ends_with(". The text is compared with flag"), "{condition}: {message}");
    }
    for value in [
        "array_has([flag], 'maybe')",
        "array_position([flag], 'maybe')",
        "CAST(array_positions([flag], 'maybe') AS VARCHAR)",
    ] {
        let message = refused(t, "z\n1\n", &format!("SELECT {value} AS x FROM t"));
        assert!(message.starts_with("'maybe' cannot be cast to BOOLEAN"), "{value}: {message}");
        assert!(message.contains(". The text is compared with make_array("), "{value}: {message}");
    }
    let dated = "i,flag,day\n1,true,2024-01-31\n2,,\n";
    for (value, kind, beside) in [
        ("coalesce(flag, 'maybe')", "BOOLEAN", "flag"),
        ("coalesce(day, 'maybe')", "DATE", "day"),
        ("CASE WHEN i > 1 THEN day ELSE 'maybe' END", "DATE", "day"),
    ] {
        let message = refused(dated, "z\n1\n", &format!("SELECT {value} AS x FROM t"));
        assert!(message.starts_with(&format!("'maybe' cannot be cast to {kind}")), "{value}: {message}");
        assert!(message.ends_with(&format!(". The text stands beside {beside}")), "{value}: {message}");
    }
    let message = refused(t, "z\n1\n", "SELECT i FROM t WHERE i = 'maybe'");
    assert!(message.ends_with("TRY_CAST(x AS BIGINT). The text is compared with i"), "{message}");
    for sql in [
        "SELECT i FROM t WHERE flag = s",
        "SELECT a.i FROM t AS a JOIN t AS b ON a.flag = b.s",
        "SELECT CASE flag WHEN s THEN 1 ELSE 2 END AS c FROM t",
    ] {
        let message = refused(t, "z\n1\n", sql);
        assert!(message.starts_with("'maybe' cannot be cast to BOOLEAN"), "{sql}: {message}");
        assert!(message.ends_with("in row 2 of t, column \"s\""), "{sql}: {message}");
    }
    answers::refused(
        &[("t", t)],
        "SELECT nullif(flag, i) AS x FROM t",
        &["nullif(BOOLEAN, BIGINT)", "CAST(x AS"],
    );
    for (select, way) in [
        ("i FROM t WHERE flag IN (SELECT s FROM t)", "CAST(x AS VARCHAR) IN"),
        ("i FROM t WHERE flag = ANY (SELECT s FROM t)", "CAST(x AS VARCHAR) = ANY"),
        ("i FROM t WHERE flag LIKE 't%'", "CAST(x AS VARCHAR)"),
        ("CASE WHEN i > 1 THEN flag ELSE 'maybe' END AS c FROM t", "behind THEN and ELSE"),
    ] {
        answers::refused(&[("t", t)], &format!("SELECT {select}"), &[way]);
    }
}

#[test]
fn a_damaged_parquet_file_is_named_with_its_table() {
    let made = Volume::new();
    let mut spec =
        prepare(json!([]), Some("SELECT value * 7919 % 104729 AS n FROM generate_series(1, 20000)"));
    spec["action"]["prepare"]["format"] = "parquet".into();
    let ended = made.step(&spec, &[]);
    let revision = ended.succeeds().report.revision.as_ref().expect("a revision");
    let good =
        std::fs::read(made.step_folder().join(revision.as_str()).join("data.parquet")).expect("a file");
    let mut damaged = good.clone();
    damaged[1000..1400].fill(0xFF);
    for files in [&["b"][..], &["a", "b", "c"]] {
        let volume = Volume::new();
        for name in files {
            let content = if *name == "b" { &damaged } else { &good };
            volume.put(&format!("in/{name}.parquet"), content);
        }
        let inputs = json!([{"name": "rows", "source": {"uri": {"uri": "file:in/*.parquet"}}}]);
        let ended = volume.step(&prepare(inputs, Some("SELECT sum(n) AS s FROM rows")), &[]);
        ended.fails(3, "DataMalformed", &["rows: ", "in/b.parquet: it is damaged: ", "from a copy"]);
        for word in ["Parquet argument error", "External:", "Arrow"] {
            assert!(!ended.message().contains(word), "{}", ended.message());
        }
    }
}

#[test]
fn what_would_become_infinite_cannot_be_cast_and_an_infinity_can() {
    let t = "s,x\n5,1\n1e999,1e300\ninf,2\n";
    let in_row_2 = |column: &str| format!("The value is in row 2 of t, column \"{column}\"");
    for (sql, said, place) in [
        ("CAST(s AS DOUBLE) AS v", "'1e999' cannot be cast to DOUBLE", in_row_2("s")),
        ("s > 3.0 AS v", "'1e999' cannot be cast to DOUBLE", in_row_2("s")),
        ("CAST(s AS FLOAT) AS v", "'1e999' cannot be cast to FLOAT", in_row_2("s")),
        ("CAST(x AS FLOAT) AS v", "1e300 cannot be cast to FLOAT", in_row_2("x")),
        ("CAST('1e39' AS REAL) AS v", "'1e39' cannot be cast to FLOAT", String::new()),
        ("CAST('1e999' AS DOUBLE) AS v", "'1e999' cannot be cast to DOUBLE", String::new()),
        ("arrow_cast(s, 'Float64') AS v", "'1e999' cannot be cast to DOUBLE", String::new()),
        ("CAST(make_array(s) AS DOUBLE[])[1] AS v", "'1e999' cannot be cast to DOUBLE", String::new()),
    ] {
        let message = refused(t, "z\n1\n", &format!("SELECT {sql} FROM t"));
        assert!(message.starts_with(said), "{sql}: {message}");
        assert!(message.ends_with(&place), "{sql}: {message}");
        assert!(message.contains("TRY_CAST(x AS"), "{sql}: {message}");
    }
    for (sql, expected) in [
        ("TRY_CAST(s AS DOUBLE) AS v", "v\n5.0\n\"\"\ninf\n"),
        ("TRY_CAST(make_array(s) AS DOUBLE[])[1] AS v", "v\n5.0\n\"\"\ninf\n"),
        ("TRY_CAST(s AS FLOAT) AS v", "v\n5.0\n\"\"\ninf\n"),
        ("TRY_CAST(x AS FLOAT) AS v", "v\n1.0\n\"\"\n2.0\n"),
        ("CAST('-Infinity' AS DOUBLE) AS v", "v\n-inf\n-inf\n-inf\n"),
        ("CAST(CAST('inf' AS DOUBLE) AS FLOAT) AS v", "v\ninf\ninf\ninf\n"),
        ("x * 1e200 AS v", "v\n1e200\ninf\n2e200\n"),
    ] {
        answers(&[("t", t)], &format!("SELECT {sql} FROM t"), expected);
    }
    answers::refused(&[("t", t)], "SELECT 1e999 AS v FROM t", &["end at 1.8e308", "CAST('inf' AS DOUBLE)"]);
}
