//! A SELECT that refers to the row outside is worked out for that row, or refused with another way to write it.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use support::answers::{answers, refused, tried};

const T: (&str, &str) = ("t", "id,x\n1,5\n2,6\n3,\n");
const U: (&str, &str) = ("u", "k,v\n1,5\n1,6\n2,7\n,9\n");

fn ids(condition: &str) -> String {
    format!("SELECT id FROM t WHERE {condition} ORDER BY id")
}

#[test]
fn an_aggregate_without_groups_has_a_row_for_no_rows_too() {
    for condition in [
        "EXISTS (SELECT count(*) FROM u WHERE u.k = t.id HAVING count(*) = 0)",
        "EXISTS (SELECT max(v) FROM u WHERE u.k = t.id)",
        "NOT EXISTS (SELECT max(v) FROM u WHERE u.k = t.id)",
        "0 IN (SELECT count(*) FROM u WHERE u.k = t.id)",
        "id = 1 OR 0 IN (SELECT count(*) FROM u WHERE u.k = t.id)",
        "0 = ANY (SELECT count(*) FROM u WHERE u.k = t.id)",
        "x > ALL (SELECT max(v) FROM u WHERE u.k = t.id)",
        "EXISTS (SELECT 1 FROM (SELECT count(*) AS c FROM u WHERE u.k = t.id) AS q WHERE q.c = 0)",
    ] {
        refused(&[T, U], &ids(condition), &["(SELECT count(*) FROM b WHERE b.k = a.k) = 0"]);
    }
    refused(
        &[T, U],
        "SELECT t.id FROM t JOIN u ON t.id = u.k AND 0 IN (SELECT count(*) FROM u AS w WHERE w.k = t.id)",
        &["(SELECT count(*) FROM b WHERE b.k = a.k) = 0"],
    );
    answers(&[T, U], &ids("(SELECT count(*) FROM u WHERE u.k = t.id) = 0"), "id\n3\n");
    answers(
        &[T, U],
        &ids("EXISTS (SELECT v FROM u WHERE u.k = t.id GROUP BY v HAVING count(*) = 1)"),
        "id\n1\n2\n",
    );
    answers(&[T, U], &ids("EXISTS (SELECT count(*) FROM u HAVING count(*) = 4)"), "id\n1\n2\n3\n");
    answers(&[T, U], &ids("id + 3 IN (SELECT count(*) FROM u)"), "id\n1\n");
    for sql in [
        "SELECT id, (SELECT max(c) FROM (SELECT count(*) AS c FROM u WHERE u.k = t.id)) AS m FROM t",
        "SELECT t.id, l.c FROM t LEFT JOIN LATERAL (SELECT max(c) AS c FROM (SELECT count(*) AS c FROM u WHERE u.k = t.id)) AS l ON true",
    ] {
        refused(&[T, U], sql, &["take the one within alone"]);
    }
    let totals = ids("EXISTS (SELECT 1 FROM u WHERE u.k = t.id GROUP BY ROLLUP (v))");
    refused(&[T, U], &totals, &["write their aggregates as values"]);
}

#[test]
fn rows_are_left_out_of_those_of_each_row_or_not_at_all() {
    for condition in [
        "EXISTS (SELECT 1 FROM u WHERE u.k = t.id OFFSET 1)",
        "NOT EXISTS (SELECT 1 FROM u WHERE u.k = t.id LIMIT 5 OFFSET 1)",
        "EXISTS (SELECT 1 FROM (SELECT * FROM u WHERE u.k = t.id LIMIT 1) AS q WHERE q.v > 5)",
        "x = ANY (SELECT v FROM u WHERE u.k = t.id LIMIT 1)",
    ] {
        refused(&[T, U], &ids(condition), &["(SELECT count(*) FROM b WHERE b.k = a.k) > 1"]);
    }
    answers(&[T, U], &ids("(SELECT count(*) FROM u WHERE u.k = t.id) > 1"), "id\n1\n");
    answers(&[T, U], &ids("EXISTS (SELECT 1 FROM u WHERE u.k = t.id LIMIT 1)"), "id\n1\n2\n");
    answers(&[T, U], &ids("NOT EXISTS (SELECT 1 FROM u WHERE u.k = t.id LIMIT 1)"), "id\n3\n");
    answers(
        &[T, U],
        &ids("EXISTS (SELECT 1 FROM (SELECT * FROM u ORDER BY v LIMIT 2) AS q WHERE q.k = t.id)"),
        "id\n1\n",
    );
}

#[test]
fn an_order_of_rows_within_that_changes_nothing_is_no_reason_to_refuse() {
    let sorted = "(SELECT * FROM u WHERE u.k = t.id ORDER BY v)";
    for (condition, expected) in [
        (format!("EXISTS (SELECT 1 FROM {sorted} AS q WHERE q.v > 5)"), "id\n1\n2\n"),
        (format!("NOT EXISTS (SELECT v FROM {sorted} AS q)"), "id\n3\n"),
        (format!("x IN (SELECT v FROM {sorted} AS q)"), "id\n1\n"),
        (
            "(SELECT count(*) FROM (SELECT * FROM u WHERE u.k = t.id ORDER BY v) AS q) = 2".to_owned(),
            "id\n1\n",
        ),
    ] {
        answers(&[T, U], &ids(&condition), expected);
    }
    // Where it changes something it stays.
    for (sql, expected) in [
        ("SELECT count(*) AS n FROM (SELECT v FROM u ORDER BY v DESC) AS q WHERE v > 5", "n\n3\n"),
        (
            "SELECT min(v) AS m, count(*) AS n FROM (SELECT v FROM u ORDER BY v DESC LIMIT 2) AS q",
            "m,n\n7,2\n",
        ),
        (
            "SELECT count(v) AS n FROM (SELECT v FROM (SELECT v FROM u ORDER BY v) AS p LIMIT 2) AS q WHERE v < 7",
            "n\n2\n",
        ),
        (
            "SELECT count(*) AS n FROM (SELECT v, row_number() OVER () AS r FROM (SELECT v FROM u ORDER BY v DESC) AS p) AS q WHERE r = 1 AND v = 9",
            "n\n1\n",
        ),
        (
            "SELECT array_to_string(array_agg(v), ';') AS a, count(*) AS n FROM (SELECT v FROM u ORDER BY v DESC) AS q",
            "a,n\n9;7;6;5,4\n",
        ),
        (
            "SELECT k, count(*) AS n FROM (SELECT k FROM u ORDER BY k DESC NULLS LAST) AS q GROUP BY k",
            "k,n\n2,1\n1,2\n,1\n",
        ),
    ] {
        answers(&[T, U], sql, expected);
    }
}

#[test]
fn mistakes_in_an_order_that_is_left_out_are_told_as_elsewhere() {
    for (order, reason, part) in [
        ("nosuch", "ColumnNotFound", "column \"nosuch\" not found; the tables are t (id, x); u (k, v)"),
        ("nosuch(v)", "QueryInvalid", "there is no function nosuch"),
        ("5", "QueryInvalid", "specified: 5"),
        ("sum(v)", "QueryInvalid", "GROUP BY"),
        ("v + true", "QueryInvalid", "CAST(x AS"),
    ] {
        for condition in [
            format!("EXISTS (SELECT v FROM u ORDER BY {order})"),
            format!("x IN (SELECT v FROM u ORDER BY {order})"),
            format!("(SELECT count(*) FROM (SELECT v FROM u WHERE u.k = t.id ORDER BY {order}) AS q) = 2"),
        ] {
            let (_, ended) = tried(&[T, U], &ids(&condition));
            ended.fails(2, reason, &[part]);
        }
    }
    answers(&[T, U], &ids("EXISTS (SELECT v FROM u WHERE u.k = t.id ORDER BY t.id, u.v, 1)"), "id\n1\n2\n");
}

#[test]
fn windows_are_over_the_rows_of_each_row_or_refused() {
    for sql in [
        ids("EXISTS (SELECT v FROM u WHERE u.k = t.id QUALIFY row_number() OVER (ORDER BY v DESC) = 2)"),
        ids("1 IN (SELECT row_number() OVER (ORDER BY v) FROM u WHERE u.k = t.id)"),
        "SELECT t.id, l.r FROM t, LATERAL (SELECT row_number() OVER (ORDER BY v) AS r FROM u WHERE u.k = t.id) AS l".to_owned(),
        "SELECT id, (SELECT max(r) FROM (SELECT row_number() OVER (ORDER BY v) AS r FROM u WHERE u.k = t.id)) AS m FROM t".to_owned(),
    ] {
        refused(&[T, U], &sql, &["row_number() OVER (PARTITION BY k ORDER BY v) AS r"]);
    }
    answers(
        &[T, U],
        &ids(
            "EXISTS (SELECT 1 FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY v) AS r FROM u) AS u WHERE u.k = t.id AND u.r = 2)",
        ),
        "id\n1\n",
    );
    let first = ids("EXISTS (SELECT DISTINCT ON (v > 1) v FROM u WHERE u.k = t.id)");
    refused(&[T, U], &first, &["DISTINCT ON (k, g)"]);
}

#[test]
fn not_in_asks_for_nulls_of_any_value() {
    let present = "(SELECT k FROM u WHERE k IS NOT NULL)";
    for value in [
        "NULL",
        "nullif(5, 5)",
        "CAST(NULL AS INT)",
        "(SELECT max(value) FROM generate_series(1, 0))",
        "CASE WHEN id > 5 THEN 5 END",
    ] {
        answers(&[T, U], &ids(&format!("{value} NOT IN {present}")), "id\n");
        answers(&[T, U], &ids(&format!("NOT {value} IN {present} AND id > 0")), "id\n");
        answers(&[T, U], &ids(&format!("{value} NOT IN (SELECT k FROM u WHERE k > 5)")), "id\n1\n2\n3\n");
    }
    answers(&[T, U], &ids("5 NOT IN (SELECT k FROM u)"), "id\n");
    answers(&[T, U], &ids(&format!("5 NOT IN {present}")), "id\n1\n2\n3\n");
    answers(&[T, U], &ids(&format!("1 NOT IN {present}")), "id\n");
    answers(&[T, U], &ids(&format!("nullif(x, 5) NOT IN {present}")), "id\n2\n");
    answers(&[T, U], &ids(&format!("x NOT IN {present}")), "id\n1\n2\n");
    answers(
        &[T],
        "SELECT value FROM generate_series(1, 7) WHERE nullif(value, 5) NOT IN (SELECT value FROM generate_series(1, 3)) ORDER BY value",
        "value\n4\n6\n7\n",
    );
}

#[test]
fn a_table_within_that_is_called_like_one_outside_is_never_taken_for_it() {
    let sql = |condition: &str| format!("SELECT count(*) AS n FROM u JOIN t ON true WHERE {condition}");
    for (condition, way) in [
        (
            "(SELECT count(*) FROM (SELECT * FROM u WHERE u.k = t.id ORDER BY v LIMIT 1) AS q WHERE q.v = u.v) = 1",
            "(SELECT * FROM \"u\") AS \"q\" WHERE \"q\".k",
        ),
        ("u.v = ANY (SELECT u.v FROM u WHERE u.k = t.id)", "another name within: FROM \"u\" AS z"),
    ] {
        refused(&[T, U], &sql(condition), &[way]);
    }
    for (condition, expected) in [
        ("u.v IN (SELECT q.v FROM (SELECT * FROM u WHERE u.k = t.id) AS q)", "n\n3\n"),
        ("EXISTS (SELECT 1 FROM (SELECT * FROM u WHERE u.k = t.id) AS q WHERE q.v = u.v)", "n\n3\n"),
        (
            "EXISTS (SELECT 1 FROM (SELECT * FROM u WHERE u.k = t.id ORDER BY v) AS q WHERE q.v = u.v)",
            "n\n3\n",
        ),
        ("(SELECT count(*) FROM (SELECT * FROM u WHERE u.k = t.id) AS q WHERE q.v = u.v) = 1", "n\n3\n"),
        ("u.v = ANY (SELECT q.v FROM (SELECT * FROM u WHERE u.k = t.id) AS q)", "n\n3\n"),
        ("EXISTS (SELECT 1 FROM u WHERE u.k = t.id AND u.v > 5)", "n\n8\n"),
        ("EXISTS (SELECT 1 FROM (SELECT * FROM u) AS q WHERE q.k = t.id AND q.v = u.v)", "n\n3\n"),
        ("(SELECT count(*) FROM (SELECT * FROM u) AS q WHERE q.k = t.id AND q.v = u.v) = 1", "n\n3\n"),
        ("u.v = ANY (SELECT z.v FROM u AS z WHERE z.k = t.id)", "n\n3\n"),
        ("u.v = ANY (SELECT q.v FROM (SELECT * FROM u) AS q WHERE q.k = t.id)", "n\n3\n"),
    ] {
        answers(&[T, U], &sql(condition), expected);
    }
    answers(&[T, U], "SELECT id FROM t AS __among WHERE x = ANY (SELECT x FROM t WHERE id = 2)", "id\n2\n");
}

#[test]
fn a_condition_on_the_row_outside_needs_no_column_of_the_query_within() {
    for (value, expected) in [
        ("max(v) FROM (SELECT v FROM u WHERE u.k = t.id) AS q", "6,7,"),
        ("max(v) FROM (SELECT v FROM (SELECT v FROM u WHERE u.k = t.id) AS p) AS q", "6,7,"),
        ("sum(w) FROM (SELECT k AS o, v + 1 AS w FROM u WHERE u.k = t.id) AS q", "13,8,"),
        // A value within is called like the column of the condition.
        ("max(k) FROM (SELECT v AS k FROM u WHERE u.k = t.id) AS q", "6,7,"),
        ("max(w) FROM (SELECT v AS w, v AS k FROM u WHERE u.k = t.id)", "6,7,"),
        ("count(*) FROM (SELECT v, k + 1 AS k FROM u WHERE u.k = t.id) AS u WHERE u.k = 2", "2,0,0"),
        ("max(v) AS k FROM u WHERE u.k = t.id", "6,7,"),
        ("count(*) FROM (SELECT DISTINCT k FROM (SELECT k FROM u WHERE u.k = t.id) AS p) AS q", "1,1,0"),
        ("count(*) FROM (SELECT DISTINCT v > 4 AS is_more FROM u WHERE u.k = t.id) AS q", "1,1,0"),
        ("sum(n) FROM (SELECT count(*) AS n FROM u WHERE u.k = t.id GROUP BY v) AS q", "2,1,"),
        ("max(b.v) FROM (SELECT v FROM u WHERE u.k = t.id) AS a JOIN u AS b ON a.v < b.v", "9,9,"),
        ("max(q.v) FROM (SELECT v FROM u WHERE u.k = t.id) AS q LEFT JOIN u AS b ON b.v > q.v", "6,7,"),
    ] {
        let rows = expected.split(',').zip(1..).map(|(value, id)| format!("{id},{value}\n"));
        let expected = format!("id,m\n{}", rows.collect::<String>());
        answers(&[T, U], &format!("SELECT id, (SELECT {value}) AS m FROM t ORDER BY id"), &expected);
    }
    answers(
        &[T, U],
        "SELECT id, (WITH q AS (SELECT v FROM u WHERE u.k = t.id) SELECT max(v) FROM q) AS m FROM t ORDER BY id",
        "id,m\n1,6\n2,7\n3,\n",
    );
    for (condition, expected) in [
        ("EXISTS (SELECT 1 FROM (SELECT v FROM u WHERE u.k = t.id) AS q WHERE q.v > 6)", "id\n2\n"),
        ("NOT EXISTS (SELECT 1 FROM (SELECT v FROM u WHERE u.k = t.id) AS q)", "id\n3\n"),
        ("EXISTS (SELECT v AS k FROM u WHERE u.k = t.id)", "id\n1\n2\n"),
        ("EXISTS (SELECT 1 FROM (SELECT v FROM u WHERE u.k > t.id) AS q)", "id\n1\n"),
        ("EXISTS (SELECT 1 FROM (SELECT k FROM u WHERE u.k = t.id AND u.v > t.x + 1) AS q)", "id\n"),
        ("EXISTS (SELECT 1 FROM (SELECT v FROM u WHERE u.k = t.id) JOIN u AS z ON true)", "id\n1\n2\n"),
        ("x IN (SELECT v FROM (SELECT v FROM u WHERE u.k = t.id) AS q)", "id\n1\n"),
        ("x IN (SELECT v AS k FROM u WHERE u.k = t.id)", "id\n1\n"),
        ("x < ANY (SELECT v FROM (SELECT v FROM u WHERE u.k = t.id) AS q)", "id\n1\n2\n"),
    ] {
        answers(&[T, U], &ids(condition), expected);
    }
    answers(
        &[T, U],
        "SELECT t.id, l.m FROM t LEFT JOIN LATERAL (SELECT max(v) AS m FROM (SELECT v FROM u WHERE u.k = t.id) AS q) AS l ON true ORDER BY id",
        "id,m\n1,6\n2,7\n3,\n",
    );
    let one_alone =
        "SELECT id, (SELECT n FROM (SELECT count(*) AS n FROM u WHERE u.k = t.id) AS q) AS m FROM t";
    refused(&[T, U], one_alone, &["taken alone: (SELECT count(*) FROM b WHERE b.k = a.k)"]);
}

#[test]
fn an_outer_join_does_not_lose_rows_to_a_condition_on_the_row_outside() {
    let within = "(SELECT v, k FROM u WHERE u.k = t.id) AS q";
    for sql in [
        format!("SELECT id, (SELECT max(z.v) FROM u AS z LEFT JOIN {within} ON z.v = q.v) AS m FROM t"),
        format!("SELECT id, (SELECT max(z.v) FROM {within} RIGHT JOIN u AS z ON z.v = q.v) AS m FROM t"),
        format!("SELECT id, (SELECT max(z.v) FROM u AS z FULL JOIN {within} ON z.v = q.v) AS m FROM t"),
        ids(&format!("EXISTS (SELECT 1 FROM u AS z LEFT JOIN {within} ON z.v = q.v)")),
    ] {
        refused(&[T, U], &sql, &["join in the query outside", "CROSS JOIN c LEFT JOIN b ON b.k = a.k"]);
    }
    answers(
        &[T, U],
        "SELECT t.id, max(z.v) AS m FROM t CROSS JOIN u AS z LEFT JOIN u AS q ON q.k = t.id AND q.v = z.v GROUP BY t.id ORDER BY id",
        "id,m\n1,9\n2,9\n3,9\n",
    );
}

#[test]
fn a_row_outside_comes_out_once_whatever_is_equal_to_it() {
    const W: (&str, &str) = ("w", "k,d,v\n1,0.0,5\n01,-0.0,6\nx,1.5,7\n2,1.2,8\n");
    let sql = |value: &str| format!("SELECT id, (SELECT {value}) AS m FROM t ORDER BY id");
    for (value, expected) in [
        ("sum(v) FROM w WHERE w.k = t.id AND w.k <> 'x'", "id,m\n1,11\n2,8\n3,\n"),
        ("sum(v) FROM w WHERE t.id = TRY_CAST(w.k AS INT)", "id,m\n1,11\n2,8\n3,\n"),
        ("count(*) FROM w WHERE CAST(w.d AS INT) = t.id", "id,m\n1,2\n2,0\n3,0\n"),
        ("count(*) FROM w WHERE w.d = t.id - 1.0", "id,m\n1,2\n2,0\n3,0\n"),
        ("max(v) FROM w WHERE length(w.k) = t.id", "id,m\n1,8\n2,6\n3,\n"),
        (
            "count(*) FROM (SELECT DISTINCT TRY_CAST(k AS INT) AS k, v > 4 AS is_more FROM w) AS q WHERE q.k = t.id",
            "id,m\n1,1\n2,1\n3,0\n",
        ),
    ] {
        answers(&[T, W], &sql(value), expected);
    }
    answers(
        &[T, W],
        "SELECT t.id, l.m FROM t LEFT JOIN LATERAL (SELECT sum(v) AS m FROM w WHERE TRY_CAST(w.k AS INT) = t.id) AS l ON true ORDER BY id",
        "id,m\n1,11\n2,8\n3,\n",
    );
    let distinct =
        sql("count(*) FROM (SELECT DISTINCT v > 4 AS is_more FROM w WHERE w.k = t.id AND w.k <> 'x') AS q");
    refused(&[T, W], &distinct, &["write it behind that query, with the column"]);
    let grouped = sql("m FROM (SELECT k, max(v) AS m FROM u WHERE u.k = t.id GROUP BY k) AS q");
    answers(&[T, U], &grouped, "id,m\n1,6\n2,7\n3,\n");
}
