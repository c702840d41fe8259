//! Rows come sorted as the query says, also where the engine takes them for sorted already.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use support::answers::{answers, refused};

const A: (&str, &str) = ("a", "id\n1\n2\n3\n4\n");
const B: (&str, &str) = ("b", "id,k\n1,x\n3,x\n2,y\n");
const SHOPS: (&str, &str) = ("shops", "region,shop,v\nn,a,1\nn,b,2\ns,c,4\n");

#[test]
fn what_is_constant_of_a_table_is_null_where_an_outer_join_finds_no_row_of_it() {
    let rows = "id,k\n1,x\n3,x\n2,\n4,\n";
    for join in [
        "LEFT JOIN b ON b.id = a.id AND b.k = 'x'",
        "LEFT JOIN (SELECT id, 'x' AS k FROM b WHERE k = 'x') b ON b.id = a.id",
    ] {
        answers(&[A, B], &format!("SELECT a.id, b.k FROM a {join} ORDER BY b.k, a.id"), rows);
        answers(
            &[A, B],
            &format!("SELECT a.id, b.k FROM a {join} ORDER BY coalesce(b.k, NULL), a.id LIMIT 4"),
            rows,
        );
    }
    answers(
        &[A, B],
        "SELECT a.id, b.k FROM (SELECT * FROM b WHERE k = 'x') b RIGHT JOIN a ON b.id = a.id ORDER BY b.k, a.id",
        rows,
    );
    answers(
        &[A, B],
        "SELECT a.id, b.k FROM (SELECT * FROM b WHERE k = 'x') b FULL JOIN a ON b.id = a.id ORDER BY b.k, a.id",
        rows,
    );
    answers(
        &[A, B],
        "SELECT a.id, b.k FROM a LEFT JOIN b ON b.id > a.id + 0 AND b.k = 'x' ORDER BY b.k, a.id",
        "id,k\n1,x\n2,x\n3,\n4,\n",
    );
}

#[test]
fn windows_over_an_outer_join_are_sorted_and_divided_by_its_nulls() {
    let of = |window: &str| {
        format!("SELECT a.id, {window} AS w FROM a LEFT JOIN b ON b.id = a.id AND b.k = 'x' ORDER BY a.id")
    };
    answers(&[A, B], &of("row_number() OVER (ORDER BY b.k NULLS LAST, a.id)"), "id,w\n1,1\n2,3\n3,2\n4,4\n");
    answers(&[A, B], &of("lag(a.id) OVER (ORDER BY b.k, a.id)"), "id,w\n1,\n2,3\n3,1\n4,2\n");
    answers(&[A, B], &of("sum(a.id) OVER (ORDER BY b.k, a.id)"), "id,w\n1,1\n2,6\n3,4\n4,10\n");
    answers(&[A, B], &of("count(*) OVER (PARTITION BY b.k)"), "id,w\n1,2\n2,2\n3,2\n4,2\n");
}

#[test]
fn rows_that_are_sorted_before_a_join_are_sorted_again_by_both_sides() {
    let left = ("l", "k,b\n1,1\n1,2\n2,1\n");
    let right = ("r", "k,a\n1,0\n1,0\n2,0\n3,0\n");
    let sides = "(SELECT * FROM l ORDER BY b LIMIT 10) l {} (SELECT * FROM r ORDER BY a LIMIT 10) r";
    for (join, expected) in [
        ("JOIN ON", "a,b\n0,1\n0,1\n0,1\n0,2\n0,2\n"),
        ("RIGHT JOIN ON", "a,b\n0,1\n0,1\n0,1\n0,2\n0,2\n0,\n"),
        ("FULL JOIN ON", "a,b\n0,1\n0,1\n0,1\n0,2\n0,2\n0,\n"),
    ] {
        let sides = sides.replace("{}", join.trim_end_matches(" ON"));
        answers(
            &[left, right],
            &format!("SELECT r.a, l.b FROM {sides} ON r.k = l.k ORDER BY a, b"),
            expected,
        );
    }
    let crossed = sides.replace("{}", "CROSS JOIN");
    answers(
        &[left, right],
        &format!("SELECT r.a, l.b FROM {crossed} WHERE r.k < 3 ORDER BY a, b"),
        "a,b\n0,1\n0,1\n0,1\n0,1\n0,1\n0,1\n0,2\n0,2\n0,2\n",
    );
}

#[test]
fn totals_of_grouping_sets_are_not_of_the_value_that_the_rows_are_chosen_by() {
    answers(
        &[SHOPS],
        "SELECT region, shop, sum(v) AS v FROM shops WHERE region = 'n' GROUP BY ROLLUP (region, shop) ORDER BY region, shop",
        "region,shop,v\nn,a,1\nn,b,2\nn,,3\n,,3\n",
    );
    answers(
        &[SHOPS],
        "SELECT region, shop, sum(sum(v)) OVER (PARTITION BY region) AS s FROM shops WHERE region = 'n' GROUP BY CUBE (region, shop) \
         ORDER BY region, shop",
        "region,shop,s\nn,a,6\nn,b,6\nn,,6\n,a,6\n,b,6\n,,6\n",
    );
}

#[test]
fn a_query_within_that_sorts_its_rows_gives_them_sorted() {
    let sorted = "(SELECT shop, v FROM shops ORDER BY v DESC)";
    answers(&[SHOPS], &format!("SELECT shop FROM {sorted} LIMIT 1"), "shop\nc\n");
    answers(&[SHOPS], &format!("SELECT string_agg(shop, '') AS s FROM {sorted}"), "s\ncba\n");
    answers(
        &[SHOPS],
        &format!("WITH a AS {sorted} SELECT shop, row_number() OVER () AS n FROM a"),
        "shop,n\nc,1\nb,2\na,3\n",
    );
}

#[test]
fn windows_are_sorted_by_what_is_computed_and_what_is_equal_to_it() {
    for by in ["sqrt(v)", "ln(1 + v)", "abs(v - 1)", "v * sqrt(v)", "log2(v)"] {
        let sql = format!("SELECT shop, rank() OVER (ORDER BY {by}) AS n FROM shops ORDER BY shop");
        answers(&[SHOPS], &sql, "shop,n\na,1\nb,2\nc,3\n");
    }
    answers(
        &[SHOPS],
        "SELECT shop, sum(v) OVER (PARTITION BY region ORDER BY shop) AS s FROM shops WHERE lower(region) = region ORDER BY shop",
        "shop,s\na,1\nb,3\nc,4\n",
    );
}

#[test]
fn an_aggregate_without_an_order_does_not_take_that_of_another() {
    let t = ("t", "s,i\nv,1\nx,2\nz,3\n");
    for sql in [
        "SELECT string_agg(s, '') AS a, string_agg(s, '' ORDER BY i DESC) AS b FROM t",
        "SELECT string_agg(s, '') AS a, nth_value(s, 2 ORDER BY i DESC) AS b FROM t",
    ] {
        refused(&[t], sql, &["a query each"]);
    }
    answers(
        &[t],
        "SELECT a.s, b.s AS sorted FROM (SELECT string_agg(s, '') AS s FROM t) AS a CROSS JOIN (SELECT string_agg(s, '' ORDER BY i DESC) AS s FROM t) AS b",
        "s,sorted\nvxz,zxv\n",
    );
}
