//! A SELECT within a query: its nulls are nulls, and each form that is refused says another one that gives what was meant.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use support::answers::tried;

/// The rows of the answer.
#[track_caller]
fn answers(sql: &str, expected: &[&str]) {
    let (volume, ended) = tried(&TABLES, sql);
    let found = volume.data(ended.succeeds(), "data.csv");
    assert_eq!(found.lines().skip(1).collect::<Vec<_>>(), expected, "{sql}");
}

#[track_caller]
fn refused(sql: &str, parts: &[&str]) {
    let (_, ended) = tried(&TABLES, sql);
    ended.fails(2, "QueryInvalid", parts);
    let message = ended.message();
    assert!(!message.contains('{') && !message.contains("Physical plan"), "{sql}: {message}");
    assert!(message.len() < 1000, "{sql}: {message}");
}

/// `a` has a null for k, and so does `n`; `b` has a k twice.
const TABLES: [(&str, &str); 3] = [
    ("a", "id,k,v\n1,x,10\n2,y,20\n3,,30\n4,z,40\n"),
    ("b", "id,k,w\n1,x,1\n2,x,2\n3,y,3\n"),
    ("n", "k,g\ny,20\n\"\",10\n"),
];

#[test]
fn in_below_and_and_or_is_true_for_what_is_found_alone() {
    for (condition, ids) in [
        ("k IN (SELECT k FROM n) OR v = 10", &["1", "2"] as &[&str]),
        ("k IN (SELECT k FROM n) OR k IN (SELECT k FROM b WHERE w = 1)", &["1", "2"]),
        (
            "(k IN (SELECT k FROM n) AND v > 10) OR (v > 30 OR k IN (SELECT k FROM b WHERE w > 3))",
            &["2", "4"],
        ),
        ("k IN (SELECT k FROM n WHERE n.g = a.v) OR id = 3", &["2", "3"]),
        ("k IN (SELECT k FROM n WHERE n.g < a.v) OR id = 1", &["1"]),
        ("EXISTS (SELECT 1 FROM b WHERE b.k = a.k AND b.w > 1) OR k IN (SELECT k FROM n)", &["1", "2"]),
        ("NOT EXISTS (SELECT 1 FROM b WHERE b.k = a.k) OR v = 10", &["1", "3", "4"]),
        ("NOT (k NOT IN (SELECT k FROM n))", &["2"]),
    ] {
        answers(&format!("SELECT id FROM a WHERE {condition} ORDER BY id"), ids);
    }
    answers(
        "SELECT k, count(*) AS c FROM b GROUP BY k HAVING k IN (SELECT k FROM n) OR count(*) > 1 ORDER BY k",
        &["x,2", "y,1"],
    );
}

#[test]
fn any_and_all_compare_with_a_table_that_is_called_alike() {
    for (condition, ids) in [
        ("v = ANY (SELECT v FROM a WHERE id = 2)", &["2"] as &[&str]),
        ("v > ANY (SELECT v FROM a WHERE id = 2)", &["3", "4"]),
        ("v <> ALL (SELECT v FROM a WHERE id = 2)", &["1", "3", "4"]),
        ("NOT (v <= ALL (SELECT v FROM a WHERE id > 1))", &["3", "4"]),
        ("v >= ALL (SELECT v * 2 FROM a WHERE id < 3)", &["4"]),
    ] {
        answers(&format!("SELECT id FROM a WHERE {condition} ORDER BY id"), ids);
    }
    answers(
        "SELECT k, sum(w) AS w FROM b GROUP BY k HAVING sum(w) >= ALL (SELECT sum(w) FROM b GROUP BY k) ORDER BY k",
        &["x,3", "y,3"],
    );
    answers(
        "SELECT k, sum(w) AS w FROM b GROUP BY k HAVING sum(w) = ANY (SELECT sum(w) FROM b WHERE w < 3) ORDER BY k",
        &["x,3", "y,3"],
    );
}

#[test]
fn where_null_is_not_false_in_is_refused_with_ways_that_answer() {
    for condition in [
        "k NOT IN (SELECT k FROM n) OR v = 10",
        "NOT (k IN (SELECT k FROM n) OR v = 10)",
        "(k IN (SELECT k FROM n)) = false",
        "CASE WHEN k IN (SELECT k FROM n) THEN false ELSE true END",
    ] {
        refused(
            &format!("SELECT id FROM a WHERE {condition}"),
            &["(SELECT count(*) FROM b WHERE b.k = a.k) > 0", "LEFT JOIN (SELECT DISTINCT k FROM b)"],
        );
    }
    answers(
        "SELECT id FROM a WHERE (SELECT count(*) FROM b WHERE b.k = a.k) = 0 OR v = 10 ORDER BY id",
        &["1", "3", "4"],
    );
    answers(
        "SELECT a.id FROM a LEFT JOIN (SELECT DISTINCT k FROM b) AS b ON b.k = a.k WHERE b.k IS NULL OR a.v = 10 ORDER BY id",
        &["1", "3", "4"],
    );
    answers(
        "SELECT id FROM a WHERE CASE WHEN (SELECT count(*) FROM b WHERE b.k = a.k) > 0 THEN false ELSE true END ORDER BY id",
        &["3", "4"],
    );
}

#[test]
fn whether_there_is_a_row_is_no_value_and_a_count_is() {
    for sql in [
        "SELECT id, k IN (SELECT k FROM b) AS f FROM a",
        "SELECT id, EXISTS (SELECT 1 FROM b WHERE b.k = a.k) AS f FROM a",
        "SELECT id, v > ANY (SELECT g FROM n) AS f FROM a",
        "SELECT CASE WHEN k IN (SELECT k FROM b) THEN 1 ELSE 0 END AS f FROM a",
        "SELECT count(*) FILTER (WHERE k IN (SELECT k FROM b)) AS f FROM a",
        "SELECT sum(v) FILTER (WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k)) AS f FROM a",
        "SELECT id FROM a ORDER BY EXISTS (SELECT 1 FROM b WHERE b.k = a.k)",
    ] {
        refused(sql, &["(SELECT count(*) FROM b WHERE b.k = a.k) > 0 AS found"]);
    }
    answers(
        "SELECT id, (SELECT count(*) FROM b WHERE b.k = a.k) > 0 AS found FROM a ORDER BY id",
        &["1,true", "2,true", "3,false", "4,false"],
    );
    answers(
        "SELECT id, CASE WHEN (SELECT count(*) FROM b WHERE b.k = a.k) > 0 THEN 1 ELSE 0 END AS f FROM a ORDER BY id",
        &["1,1", "2,1", "3,0", "4,0"],
    );
    answers(
        "SELECT a.id, b.k IS NOT NULL AS found FROM a LEFT JOIN (SELECT DISTINCT k FROM b) AS b ON b.k = a.k ORDER BY id",
        &["1,true", "2,true", "3,false", "4,false"],
    );
    answers(
        "SELECT count(*) FILTER (WHERE found) AS c FROM (SELECT a.*, (SELECT count(*) FROM b WHERE b.k = a.k) > 0 AS found FROM a)",
        &["2"],
    );
    answers(
        "SELECT id FROM (SELECT a.*, (SELECT count(*) FROM b WHERE b.k = a.k) > 0 AS found FROM a) ORDER BY found, id DESC",
        &["4", "3", "2", "1"],
    );
}

#[test]
fn the_on_of_an_inner_join_is_as_where() {
    let joined = |condition: &str| {
        format!("SELECT a.id, b.id AS other FROM a JOIN b ON a.k = b.k AND {condition} ORDER BY 1, 2")
    };
    answers(&joined("a.k NOT IN (SELECT k FROM n)"), &[]);
    answers(&joined("a.k NOT IN (SELECT k FROM n WHERE k IS NOT NULL)"), &["1,1", "1,2"]);
    answers(&joined("(a.k IN (SELECT k FROM n) OR b.w = 1)"), &["1,1", "2,3"]);
    answers(&joined("(EXISTS (SELECT 1 FROM n WHERE n.g = a.v) AND b.w > 1)"), &["1,2", "2,3"]);
    answers(
        "SELECT a.id, b.id AS other FROM a JOIN b ON a.id + b.id IN (SELECT g / 10 FROM n) AND b.w < 2 ORDER BY 1",
        &["1,1"],
    );
    refused(&joined("(a.k NOT IN (SELECT k FROM n) OR b.w = 1)"), &["count(*)"]);
}

#[test]
fn the_on_of_an_outer_join_has_no_select_and_its_tables_may() {
    for condition in [
        "a.k IN (SELECT k FROM n)",
        "a.k NOT IN (SELECT k FROM n)",
        "EXISTS (SELECT 1 FROM n WHERE n.k = b.k)",
    ] {
        for join in ["LEFT", "RIGHT", "FULL"] {
            let sql = format!("SELECT a.id FROM a {join} JOIN b ON a.k = b.k AND {condition}");
            refused(&sql, &["LEFT JOIN (SELECT * FROM b WHERE b.k IN (SELECT …)) AS b"]);
        }
    }
    answers(
        "SELECT a.id, b.w FROM a LEFT JOIN (SELECT * FROM b WHERE b.k IN (SELECT k FROM n)) AS b ON b.k = a.k ORDER BY a.id",
        &["1,", "2,3", "3,", "4,"],
    );
    answers(
        "SELECT a.id, b.w FROM (SELECT a.*, (SELECT count(*) FROM n WHERE n.k = a.k) > 0 AS found FROM a) AS a LEFT JOIN b ON b.k = a.k AND a.found \
         ORDER BY a.id",
        &["1,", "2,3", "3,", "4,"],
    );
}

#[test]
fn not_in_of_a_select_that_differs_from_row_to_row_is_refused() {
    for condition in ["n.g = a.v", "n.g < a.v"] {
        refused(
            &format!("SELECT id FROM a WHERE k NOT IN (SELECT k FROM n WHERE {condition})"),
            &["NOT EXISTS (SELECT 1 FROM b WHERE b.g = a.g AND b.k = a.k)"],
        );
    }
    answers(
        "SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM n WHERE n.g = a.v AND n.k = a.k) ORDER BY id",
        &["1", "3", "4"],
    );
}

#[test]
fn several_values_are_looked_for_by_exists() {
    refused("SELECT id FROM a WHERE (id, k) IN (SELECT id, k FROM b)", &["EXISTS (SELECT 1 FROM b"]);
    answers(
        "SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.id = a.id AND b.k = a.k) ORDER BY id",
        &["1"],
    );
}

#[test]
fn a_value_of_other_rows_is_joined_and_grouped() {
    for sql in [
        "SELECT id, (SELECT max(w) FROM b WHERE b.id < a.id) AS m FROM a",
        "SELECT id, (SELECT w FROM b WHERE b.k = a.k ORDER BY w DESC LIMIT 1) AS m FROM a",
        "SELECT id, (SELECT w FROM b WHERE b.k = a.k) AS m FROM a",
    ] {
        refused(
            sql,
            &["SELECT a.id, max(b.v) FROM a LEFT JOIN b ON b.id < a.id GROUP BY a.id", "row_number()"],
        );
    }
    answers(
        "SELECT a.id, max(b.w) AS m FROM a LEFT JOIN b ON b.id < a.id GROUP BY a.id ORDER BY a.id",
        &["1,", "2,1", "3,2", "4,3"],
    );
    answers(
        "SELECT a.id, b.w FROM a LEFT JOIN (SELECT * FROM b QUALIFY row_number() OVER (PARTITION BY b.k ORDER BY b.w DESC) = 1) AS b ON b.k = a.k \
         ORDER BY a.id",
        &["1,2", "2,3", "3,", "4,"],
    );
    answers(
        "SELECT id, (SELECT max(b.w) FROM b WHERE b.k = a.k) AS m FROM a ORDER BY id",
        &["1,2", "2,3", "3,", "4,"],
    );
}

#[test]
fn a_table_beside_others_says_how_it_is_written() {
    refused(
        "SELECT a.id, x.w FROM a, LATERAL (SELECT w FROM b WHERE b.id >= a.id ORDER BY w LIMIT 1) AS x",
        &["row_number() OVER (PARTITION BY a.id ORDER BY b.v) = 1"],
    );
    answers(
        "SELECT a.id, b.w FROM a JOIN b ON b.id >= a.id QUALIFY row_number() OVER (PARTITION BY a.id ORDER BY b.w) = 1 ORDER BY a.id",
        &["1,1", "2,2", "3,3"],
    );
    answers(
        "SELECT a.id, m.w FROM a LEFT JOIN LATERAL (SELECT max(b.w) AS w FROM b WHERE b.k = a.k) AS m ON true ORDER BY a.id",
        &["1,2", "2,3", "3,", "4,"],
    );
    for from in [
        "a, unnest(make_array(a.id, a.v)) AS u(x)",
        "a CROSS JOIN UNNEST(make_array(a.id, a.v)) AS u(x)",
        "a, LATERAL unnest(make_array(a.id, a.v)) AS u(x)",
    ] {
        refused(&format!("SELECT id, x FROM {from}"), &["SELECT id, unnest(tags) AS tag FROM t"]);
    }
    answers("SELECT id, unnest(make_array(id, v)) AS x FROM a WHERE id < 3", &["1,1", "1,10", "2,2", "2,20"]);
    answers("SELECT x FROM unnest(make_array(1, 2)) AS u(x)", &["1", "2"]);
    refused("SELECT id, x.i FROM a, generate_series(1, a.id) AS x(i)", &["unnest(range(1, n + 1))"]);
}

#[test]
fn a_join_has_a_side_and_columns_are_made_of_rows_by_aggregates() {
    for join in ["SEMI", "ANTI"] {
        refused(
            &format!("SELECT a.id FROM a {join} JOIN b ON a.k = b.k"),
            &["LEFT SEMI JOIN", "LEFT ANTI JOIN"],
        );
    }
    answers("SELECT a.id FROM a LEFT SEMI JOIN b ON a.k = b.k ORDER BY id", &["1", "2"]);
    answers("SELECT a.id FROM a LEFT ANTI JOIN b ON a.k = b.k ORDER BY id", &["3", "4"]);
    refused("SELECT * FROM b PIVOT (sum(w) FOR k IN ('x', 'y'))", &["sum(v) FILTER (WHERE name = 'a') AS a"]);
    answers("SELECT sum(w) FILTER (WHERE k = 'x') AS x, sum(w) FILTER (WHERE k = 'y') AS y FROM b", &["3,3"]);
    refused("SELECT * FROM a UNPIVOT (value FOR name IN (id, v))", &["UNION ALL"]);
    refused("SELECT id FROM a CONNECT BY id = 1", &["WITH RECURSIVE"]);
    refused(
        "WITH c AS (SELECT 1 AS a), d AS (WITH c AS (SELECT 2 AS a) SELECT * FROM c) SELECT * FROM d",
        &["\"c\" specified more than once", "a name of its own"],
    );
    refused(
        "SELECT k, sum(w) AS s FROM b GROUP BY k HAVING EXISTS (SELECT 1 FROM a WHERE a.id = sum(b.w))",
        &["name it in a query within"],
    );
    answers(
        "SELECT * FROM (SELECT k, sum(w) AS s FROM b GROUP BY k) AS g WHERE EXISTS (SELECT 1 FROM a WHERE a.id = g.s) ORDER BY k",
        &["x,3", "y,3"],
    );
}
