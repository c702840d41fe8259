//! Conditions on the row outside keep their columns apart, however the tables within and their columns are called.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use support::answers::answers;

const A: (&str, &str) = ("a", "id,t,k,x\n1,p,1,1\n2,q,2,2\n");
const B: (&str, &str) = ("b", "k,t,v\n1,p,5\n1,q,6\n2,q,7\n");
const C: (&str, &str) = ("c", "k,t,v\n1,q,5\n2,q,9\n1,p,6\n");

#[test]
fn columns_of_one_name_of_several_tables_within_are_kept_apart() {
    for (sql, rows) in [
        (
            "SELECT id, (SELECT count(*) FROM b JOIN c ON b.k = c.k WHERE b.t = a.t AND c.t = a.t) AS n FROM a ORDER BY id",
            "id,n\n1,1\n2,2\n",
        ),
        (
            "SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b, c WHERE b.k = a.x AND c.k = a.k AND b.v > c.v)",
            "id\n1\n",
        ),
        (
            "SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM b, c WHERE b.k = a.x AND c.k = a.k AND b.v > c.v)",
            "id\n2\n",
        ),
        (
            "SELECT id, (SELECT count(*) FROM (SELECT * FROM b WHERE b.k = a.k) p CROSS JOIN (SELECT * FROM c WHERE c.k = a.k) q) AS n FROM a ORDER BY id",
            "id,n\n1,4\n2,1\n",
        ),
        (
            "SELECT id FROM a WHERE x + 4 IN (SELECT b.v FROM b JOIN c ON b.k = c.k WHERE c.v = a.k + 5)",
            "id\n1\n",
        ),
    ] {
        answers(&[A, B, C], sql, rows);
    }
}

#[test]
fn a_condition_on_the_row_outside_may_join_tables_within() {
    for (sql, rows) in [
        (
            "SELECT id, (SELECT count(*) FROM a AS z WHERE z.t = a.t) AS m, (SELECT count(*) FROM b JOIN c ON b.k = c.k AND c.k = a.k) AS p FROM a ORDER BY 1",
            "id,m,p\n1,1,4\n2,1,1\n",
        ),
        ("SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b JOIN c ON b.v = c.v AND c.t = a.t)", "id\n1\n2\n"),
    ] {
        answers(&[A, B, C], sql, rows);
    }
}

#[test]
fn a_condition_on_what_is_computed_of_distinct_rows_is_one_on_their_columns() {
    for condition in
        ["b.k + 1 = a.k", "CAST(b.k AS INT) + 1 = a.k", "b.k % 2 = a.k - 1", "length(b.t) + b.k = a.k"]
    {
        let sql = format!(
            "SELECT id FROM a WHERE EXISTS (SELECT 1 FROM (SELECT DISTINCT k, v, t FROM b WHERE {condition}) AS q)"
        );
        let rows = if condition.contains('%') { "id\n1\n2\n" } else { "id\n2\n" };
        answers(&[A, B], &sql, rows);
    }
}

#[test]
fn texts_beside_long_numbers_are_compared_as_doubles() {
    let table = ("s", "id,s\n1,7.26\n2,7.3\n3,12\n4,1e3\n5,inf\n6,x\n");
    for (value, rows) in [
        ("s BETWEEN 7.3 AND 12345678901234567.5", "1,false\n2,true\n3,true\n"),
        ("s >= 7.2599999999999998", "1,true\n2,true\n3,true\n"),
        ("s IN (7.3, 12345678901234567.5)", "1,false\n2,true\n3,false\n"),
        (
            "CASE s WHEN 7.3 THEN true WHEN 12345678901234567.5 THEN true ELSE false END",
            "1,false\n2,true\n3,false\n",
        ),
        ("s NOT IN (0.12345678901234567)", "1,true\n2,true\n3,true\n"),
    ] {
        let sql = format!("SELECT id, {value} AS r FROM s WHERE id < 4 ORDER BY id");
        answers(&[table], &sql, &format!("id,r\n{rows}"));
    }
}
