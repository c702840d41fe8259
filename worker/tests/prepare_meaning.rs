//! Queries whose answers other engines, and SQL itself, agree on: where the engine beneath would answer otherwise without a word, the answer is
//! right, or the query is refused with a way out.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use serde_json::json;
use support::answers::{answers, refused, tried};
use support::{Volume, prepare};

const C: (&str, &str) = ("c", "s,n,w\na,1,10\nb,,20\n");
const E: (&str, &str) = ("e", "s,m\na,1\nB,2\n,3\n");

#[test]
fn a_filter_over_an_outer_join_is_of_the_joined_rows() {
    answers(&[C, E], "SELECT c.w, e.m FROM c RIGHT JOIN e ON c.s = e.s WHERE length(c.s) > 0", "w,m\n10,1\n");
    answers(
        &[C, E],
        "SELECT c.w, e.m FROM c RIGHT JOIN e ON c.s = e.s WHERE c.s IS NULL AND e.m + 0 > 0 ORDER BY e.m",
        "w,m\n,2\n,3\n",
    );
    answers(
        &[C, E],
        "SELECT c.w, e.m FROM c FULL JOIN e ON c.s = e.s WHERE length(c.s) = 1 AND e.m > 0",
        "w,m\n10,1\n",
    );
    answers(&[C, E], "SELECT c.w, e.m FROM c LEFT JOIN e ON c.s = e.s WHERE e.m IS NULL", "w,m\n20,\n");
}

#[test]
fn columns_that_a_right_or_full_join_shares_are_named_by_the_query() {
    for sql in [
        "SELECT s, w, m FROM c RIGHT JOIN e USING (s)",
        "SELECT s, w, m FROM c FULL JOIN e USING (s)",
        "SELECT * FROM c NATURAL FULL JOIN e",
    ] {
        refused(&[C, E], sql, &["coalesce(a.k, b.k)"]);
    }
    answers(&[C, E], "SELECT s, w, m FROM c LEFT JOIN e USING (s)", "s,w,m\na,10,1\nb,20,\n");
    answers(&[C, E], "SELECT s, w, m FROM c JOIN e USING (s)", "s,w,m\na,10,1\n");
}

#[test]
fn nulls_of_a_select_within_in_are_nulls() {
    let t = ("t", "id,j\n1,1\n2,2\n3,\n");
    let u = ("u", "k\n1\n\"\"\n");
    answers(&[t, u], "SELECT id FROM t WHERE j NOT IN (SELECT k FROM u)", "id\n");
    answers(&[t, u], "SELECT id FROM t WHERE j IN (SELECT k FROM u) AND id > 0", "id\n1\n");
    answers(&[t, u], "SELECT id FROM t WHERE NOT j IN (SELECT k FROM u WHERE k IS NOT NULL)", "id\n2\n");
    for sql in [
        "SELECT id FROM t WHERE j NOT IN (SELECT k FROM u) OR id = 2",
        "SELECT id FROM t WHERE NOT (j IN (SELECT k FROM u) OR id = 2)",
        "SELECT id, j IN (SELECT k FROM u) AS f FROM t",
    ] {
        refused(&[t, u], sql, &["IN"]);
    }
}

#[test]
fn a_list_with_values_of_rows_knows_null_and_one_of_numbers_both_zeros() {
    let t = ("t", "id,b,x\n1,true,-0.0\n2,,0.0\n3,true,2.0\n");
    answers(&[t], "SELECT id FROM t WHERE id NOT IN (1, CASE WHEN b THEN 2 END) ORDER BY id", "id\n3\n");
    answers(&[t], "SELECT id FROM t WHERE id IN (9, CASE WHEN b THEN 3 END)", "id\n3\n");
    answers(&[t], "SELECT id FROM t WHERE x IN (0.0, 5.0, 6.0, 7.0) ORDER BY id", "id\n1\n2\n");
    answers(&[t], "SELECT id FROM t WHERE x NOT IN (0, 5.0, 6.0, 7.0)", "id\n3\n");
    answers(&[t], "SELECT id FROM t WHERE id IN (1, 3, 5, 7, 9) ORDER BY id", "id\n1\n3\n");
}

#[test]
fn windows_that_move_forget_what_left_them() {
    let t = ("t", "i,x\n1,NaN\n2,1\n3,2\n4,3\n5,inf\n6,4\n7,5\n8,6\n");
    let over = "OVER (ORDER BY i ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)";
    answers(
        &[t],
        &format!(
            "SELECT i, sum(x) {over} AS s, avg(x) {over} AS a FROM t WHERE i IN (1, 2, 3, 5, 6, 7) ORDER BY i"
        ),
        "i,s,a\n1,NaN,NaN\n2,NaN,NaN\n3,3.0,1.5\n5,inf,inf\n6,inf,inf\n7,9.0,4.5\n",
    );
    answers(
        &[t],
        &format!(
            "SELECT i, var_pop(x) {over} AS v, stddev(x) {over} AS d FROM t WHERE i IN (1, 2, 3, 4) ORDER BY i"
        ),
        "i,v,d\n1,NaN,\n2,NaN,NaN\n3,0.25,0.7071067811865476\n4,0.25,0.7071067811865476\n",
    );
    let large = ("t", "i,x\n1,1e17\n2,1.5\n3,1.5\n4,1.5\n5,\n6,\n7,2\n");
    answers(
        &[large],
        &format!("SELECT sum(x) {over} AS s FROM t ORDER BY i"),
        "s\n1e17\n1e17\n3.0\n3.0\n1.5\n\"\"\n2.0\n",
    );
    let groups = "SELECT i, avg(x) OVER (PARTITION BY i % 2 ORDER BY i ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS a FROM t ORDER BY i";
    answers(
        &[("t", "i,x\n1,1\n2,10\n3,3\n4,20\n5,5\n")],
        groups,
        "i,a\n1,2.0\n2,15.0\n3,3.0\n4,15.0\n5,4.0\n",
    );
}

#[test]
fn intervals_are_as_long_as_they_are() {
    let t = ("t", "a,b\n2024-06-01T00:00:00,2024-01-03T00:00:00\n2024-01-02T01:00:00,2024-01-01T00:00:00\n");
    answers(&[t], "SELECT a - b > INTERVAL '100 days' AS l FROM t", "l\ntrue\nfalse\n");
    answers(
        &[t],
        "SELECT a - b BETWEEN INTERVAL '1 day' AND INTERVAL '2 days' AS l FROM t",
        "l\nfalse\ntrue\n",
    );
    answers(&[t], "SELECT a - b = INTERVAL '1 day 1 hour' AS l FROM t", "l\nfalse\ntrue\n");
    answers(&[t], "SELECT INTERVAL '25 hours' > INTERVAL '1 day' AS l FROM t LIMIT 1", "l\ntrue\n");
    answers(
        &[("t", "d\n2024-03-01\n")],
        "SELECT d - INTERVAL '1 hour' AS h, d + INTERVAL '2 days' AS n, INTERVAL '90 minutes' + d AS m FROM t",
        "h,n,m\n2024-02-29T23:00:00,2024-03-03,2024-03-01T01:30:00\n",
    );
}

#[test]
fn days_keep_the_hours_of_any_interval() {
    let t = ("t", "d,n\n2024-03-01,25\n2024-03-02,\n");
    for (sum, first, second) in [
        ("d + CAST(n || ' hours' AS INTERVAL)", "2024-03-02T01:00:00", "\"\""),
        ("CAST(n || ' hours' AS INTERVAL) + d", "2024-03-02T01:00:00", "\"\""),
        ("d - CAST(n || ' hours' AS INTERVAL)", "2024-02-28T23:00:00", "\"\""),
        ("d + (INTERVAL '1 hour' + INTERVAL '1 day')", "2024-03-02T01:00:00", "2024-03-03T01:00:00"),
        (
            "d + CASE WHEN n > 1 THEN INTERVAL '1 hour' ELSE INTERVAL '1 day' END",
            "2024-03-01T01:00:00",
            "2024-03-03T00:00:00",
        ),
        ("d + coalesce(NULL, INTERVAL '90 minutes')", "2024-03-01T01:30:00", "2024-03-02T01:30:00"),
        ("d + TRY_CAST('90 minutes' AS INTERVAL)", "2024-03-01T01:30:00", "2024-03-02T01:30:00"),
        ("d - INTERVAL '2 days'", "2024-02-28", "2024-02-29"),
        ("d + n", "2024-03-26", "\"\""),
    ] {
        answers(&[t], &format!("SELECT {sum} AS r FROM t ORDER BY d"), &format!("r\n{first}\n{second}\n"));
    }
    answers(
        &[t],
        "SELECT d + w AS a, w + d AS b FROM (SELECT d, CAST(n || ' hours' AS INTERVAL) AS w FROM t) WHERE d + w > '2024-03-02 00:30:00'",
        "a,b\n2024-03-02T01:00:00,2024-03-02T01:00:00\n",
    );
}

#[test]
fn what_would_be_left_out_or_read_otherwise_is_refused() {
    let t = ("t", "id,b,x\n1,true,1.5\n2,,2.5\n");
    for (sql, part) in [
        ("SELECT id FROM t WHERE b IS DISTINCT FROM true AND id > 6", "in parentheses"),
        ("SELECT id FROM t WHERE b IS NOT DISTINCT FROM true OR id > 6", "in parentheses"),
        ("SELECT id FROM t EXCEPT ALL SELECT id FROM t", "GROUP BY"),
        ("SELECT id FROM (SELECT id FROM t INTERSECT ALL SELECT id FROM t)", "GROUP BY"),
        ("SELECT id FROM t TABLESAMPLE (10)", "TABLESAMPLE"),
        ("SELECT x ^ 2 AS y FROM t", "power(x, 2)"),
        ("SELECT id ^ 2 AS y FROM t", "power(x, 2)"),
        ("SELECT id FROM t PREWHERE id > 1", "write WHERE"),
        ("SELECT id, count(*) AS n FROM t GROUP BY id WITH ROLLUP", "GROUP BY ROLLUP (g)"),
        ("SELECT * ILIKE '%i%' FROM t", "name the columns"),
        ("SELECT CAST(id AS CHAR(2)) AS y FROM t", "rpad(x, 2, ' ')"),
        ("SELECT id FROM t FOR UPDATE", "FOR UPDATE"),
        ("SELECT CAST(x AS TIMESTAMP) AS y FROM t", "to_timestamp(x)"),
    ] {
        refused(&[t], sql, &[part]);
    }
    answers(&[t], "SELECT id FROM t WHERE (b IS DISTINCT FROM true) AND id > 0", "id\n2\n");
    answers(&[t], "SELECT id FROM t WHERE id > 0 AND b IS DISTINCT FROM true", "id\n2\n");
    answers(&[t], "SELECT (id | 3) - (id & 3) AS y FROM t", "y\n2\n1\n");
    answers(&[t], "SELECT id FROM t EXCEPT SELECT id FROM t WHERE id = 1", "id\n2\n");
}

#[test]
fn grouping_sets_take_expressions_and_conditions_that_are_not_true_are_values() {
    let t = ("t", "j,b\n1,true\n1,\n2,false\n");
    answers(
        &[t],
        "SELECT j + 1 AS k, count(*) AS n FROM t GROUP BY ROLLUP (j + 1) ORDER BY k NULLS LAST",
        "k,n\n2,2\n3,1\n,3\n",
    );
    answers(
        &[t],
        "SELECT count(*) AS n FROM t GROUP BY GROUPING SETS ((-j), (j * 2)) ORDER BY n",
        "n\n1\n1\n2\n2\n",
    );
    let most = ("t", "j\n9223372036854775807\n");
    let (_, ended) = tried(&[most], "SELECT j + 1 AS k, count(*) AS n FROM t GROUP BY ROLLUP (j + 1)");
    ended.fails(3, "DataMalformed", &["too large"]);
    answers(&[t], "SELECT DISTINCT (b IS NOT TRUE) AS c FROM t ORDER BY c", "c\nfalse\ntrue\n");
    answers(
        &[t],
        "SELECT (b IS NOT TRUE) AS c, count(*) AS n FROM t GROUP BY 1 ORDER BY 1",
        "c,n\nfalse,1\ntrue,2\n",
    );
}

#[test]
fn a_select_without_a_row_is_null_in_the_place_of_a_value() {
    let t = ("t", "id\n1\n2\n");
    let u = ("u", "k\n1\n1\n");
    answers(
        &[t, u],
        "SELECT id, coalesce((SELECT count(*) FROM u WHERE u.k = t.id GROUP BY u.k), -1) AS n FROM t ORDER BY id",
        "id,n\n1,2\n2,-1\n",
    );
    answers(
        &[t, u],
        "SELECT id, (SELECT count(*) FROM u WHERE u.k = t.id) AS n FROM t ORDER BY id",
        "id,n\n1,2\n2,0\n",
    );
    answers(
        &[t],
        "SELECT id, (SELECT 1 WHERE false) IS NULL AS n FROM t ORDER BY id",
        "id,n\n1,true\n2,true\n",
    );
    answers(&[t], "SELECT id FROM t WHERE (SELECT 1 WHERE false) IS NULL ORDER BY id", "id\n1\n2\n");
    answers(&[t], "SELECT id, (SELECT 1 WHERE false) AS a FROM t ORDER BY id", "id,a\n1,\n2,\n");
    answers(&[t], "SELECT id, (SELECT max(id) FROM t) AS m FROM t ORDER BY id", "id,m\n1,2\n2,2\n");
}

#[test]
fn decimals_have_no_more_digits_than_their_type() {
    let t = ("t", "a\n1\n");
    let most = "CAST('99999999999999999999999999999999999999' AS DECIMAL(38, 0))";
    let (_, ended) = tried(&[t], &format!("SELECT {most} + a AS s FROM t"));
    ended.fails(3, "DataMalformed", &["38"]);
    answers(&[t], &format!("SELECT {most} - a AS s FROM t"), "s\n99999999999999999999999999999999999998\n");
}

#[test]
fn many_row_groups_come_in_their_order() {
    let volume = Volume::new();
    let rows: String = (0..30_000).map(|row| format!("{row},{}\n", "x".repeat(40))).collect();
    for part in 0..6 {
        volume.put(&format!("in/{part}.csv"), format!("n,s\n{rows}"));
    }
    let sql = "SELECT n, s, repeat(s, 20) AS l FROM t";
    let input = json!([{"name": "t", "source": {"uri": {"uri": "file:in/*.csv"}}}]);
    let mut spec = prepare(input, Some(sql));
    spec["action"]["prepare"]["format"] = json!("parquet");
    volume.step(&spec, &[]).succeeds();
    let folder = volume.step_folder();
    let mut made = std::fs::read_dir(&folder).expect("the step").map(|entry| entry.expect("an entry").path());
    let made = made.find(|path| path.join("data.parquet").is_file()).expect("a result");
    volume.put("big.parquet", std::fs::read(made.join("data.parquet")).expect("the rows"));
    std::fs::remove_dir_all(&folder).expect("removed");
    for _ in 0..5 {
        let input = json!([{"name": "t", "source": {"uri": {"uri": "file:big.parquet"}}}]);
        let ended = volume.step(&prepare(input, Some("SELECT n FROM t")), &[]);
        let found = volume.data(ended.succeeds(), "data.csv");
        assert!(
            found
                .lines()
                .skip(1)
                .map(|line| line.parse::<usize>().ok())
                .eq((0..180_000).map(|row| Some(row % 30_000)))
        );
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}

#[test]
fn days_beside_numbers_are_refused_wherever_they_become_one_type() {
    let days = [("t", "a,d,t\n1,2024-01-01,2024-01-01T10:00:00\n2,2024-01-02,2024-01-02T10:00:00\n")];
    for (sql, place) in [
        ("SELECT a AS k FROM t UNION ALL SELECT d FROM t", "UNION"),
        ("SELECT a FROM t INTERSECT SELECT d FROM t", "a comparison"),
        ("SELECT a FROM t EXCEPT SELECT d FROM t", "a comparison"),
        ("SELECT t.a FROM t JOIN t u ON t.a = u.d", "a comparison"),
        ("SELECT CASE WHEN a = 1 THEN d ELSE 0 END AS k FROM t", "CASE"),
        ("SELECT max(CASE WHEN a = 1 THEN d ELSE 0 END) AS k FROM t", "CASE"),
        ("SELECT CASE d WHEN 19723 THEN 1 ELSE 0 END AS k FROM t", "CASE"),
        ("SELECT d FROM t WHERE d > 19722", "a comparison"),
        ("SELECT d FROM t WHERE d BETWEEN 1 AND 19723", "a comparison"),
        ("SELECT d FROM t WHERE d IN (19723, 5)", "IN"),
        ("SELECT nvl(d, 0) AS k FROM t", "nvl"),
        ("SELECT nullif(d, 0) AS k FROM t", "nullif"),
        ("SELECT greatest(d, a) AS k FROM t", "greatest"),
        ("SELECT lag(d, 1, 0) OVER (ORDER BY a) AS k FROM t", "lag"),
        ("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM t u WHERE u.d > 19722)", "a comparison"),
    ] {
        refused(&days, sql, &[place, "dates beside numbers", "days since 1970", "DATE '2024-01-31'"]);
    }
    refused(&days, "SELECT coalesce(d, 0) AS k FROM t", &["coalesce(DATE, BIGINT)", "CAST(x AS"]);
    answers(
        &days,
        "SELECT d + 1 AS n, d - DATE '2023-12-31' AS days, nvl2(a, d, NULL) AS same, coalesce(d, '2020-01-01') AS c, greatest(t, '2024-01-01T11:00:00', NULL) AS g, DATE '1970-01-01' + a AS e \
         FROM t WHERE d IN ('2024-01-01') UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL",
        "n,days,same,c,g,e\n2024-01-02,1,2024-01-01,2024-01-01,2024-01-01T11:00:00,1970-01-02\n,,,,,\n",
    );
}

#[test]
fn the_default_of_lag_keeps_its_fraction() {
    let rows = [("t", "a\n1\n2\n")];
    for default in ["1.5", "-0.5"] {
        refused(
            &rows,
            &format!("SELECT lag(a, 1, {default}) OVER (ORDER BY a) AS l FROM t"),
            &["the default of lag", "CAST(x AS DOUBLE)"],
        );
    }
    answers(
        &rows,
        "SELECT lag(a, 1, 0.0) OVER (ORDER BY a) AS l, lead(CAST(a AS DOUBLE), 1, 1.5) OVER (ORDER BY a) AS m FROM t",
        "l,m\n0,2.0\n1,1.5\n",
    );
}

#[test]
fn the_median_of_decimals_keeps_the_half_of_its_last_digit() {
    let rows = [("t", "g,x\n1,1.01\n1,1.02\n2,3\n")];
    answers(
        &rows,
        "SELECT g, median(CAST(x AS DECIMAL(10, 2))) AS m FROM t GROUP BY g ORDER BY g",
        "g,m\n1,1.015\n2,3.000\n",
    );
    answers(
        &rows,
        "SELECT max(m) AS m FROM (SELECT median(CAST(x AS DECIMAL(10, 2))) OVER (PARTITION BY g) + 1 AS m FROM t)",
        "m\n4.000\n",
    );
    answers(&rows, "SELECT median(DISTINCT CAST(g AS DECIMAL(3, 0))) AS m FROM t", "m\n1.5\n");
}

#[test]
fn seconds_beyond_the_years_of_nanoseconds_are_refused_and_do_not_stop_at_their_end() {
    let rows = [("t", "x\n1e10\n")];
    let (_, ended) = tried(&rows, "SELECT to_timestamp(x) AS t FROM t");
    ended.fails(3, "DataMalformed", &["10000000000 seconds", "2262", "to_timestamp_seconds"]);
    let (_, ended) = tried(&[("t", "x\nNaN\n1.5\n")], "SELECT to_timestamp(x) AS t FROM t");
    ended.fails(3, "DataMalformed", &["NaN seconds"]);
    answers(
        &[("t", "x\n1.5\n-2.25\n")],
        "SELECT to_timestamp(x) AS t FROM t",
        "t\n1970-01-01T00:00:01.500\n1969-12-31T23:59:57.750\n",
    );
}
