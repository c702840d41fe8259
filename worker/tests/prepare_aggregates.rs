//! Functions over many rows: the same of a table, of its groups and of windows, with all their digits.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use support::answers::answers;

#[test]
fn the_least_and_greatest_of_groups_know_nan_and_infinities() {
    let rows = [("t", "g,x\n1,NaN\n1,5\n2,NaN\n3,NaN\n3,-inf\n4,inf\n5,\n6,-inf\n7,2\n7,3\n")];
    answers(
        &rows,
        "SELECT g, min(x) AS l, max(x) AS h FROM t GROUP BY g ORDER BY g",
        "g,l,h\n1,5.0,NaN\n2,NaN,NaN\n3,-inf,NaN\n4,inf,inf\n5,,\n6,-inf,-inf\n7,2.0,3.0\n",
    );
    answers(&rows, "SELECT min(x) AS l, max(x) AS h FROM t WHERE g = 1", "l,h\n5.0,NaN\n");
    answers(
        &rows,
        "SELECT g, max(CAST(x AS FLOAT)) FILTER (WHERE x < 3) AS h FROM t GROUP BY g HAVING max(x) < 4 ORDER BY g",
        "g,h\n6,-inf\n7,2.0\n",
    );
}

#[test]
fn a_correlation_of_groups_is_that_of_the_table() {
    let rows = [("t", "g,t,v\na,1700000001,1\na,1700000002,2\na,1700000003,3\nb,1,\n")];
    answers(&rows, "SELECT g, round(corr(t, v), 6) AS c FROM t GROUP BY g ORDER BY g", "g,c\na,1.0\nb,\n");
    answers(&rows, "SELECT round(corr(t, v), 6) AS c FROM t", "c\n1.0\n");
}

#[test]
fn pairs_that_leave_a_window_leave_nothing_behind() {
    let rows = [("t", "i,x\n1,1\n2,NaN\n3,2\n4,4\n5,6\n6,1e16\n7,1\n8,2\n9,3\n")];
    let over = "OVER (ORDER BY i ROWS 1 PRECEDING)";
    answers(
        &rows,
        &format!("SELECT i, covar_samp(x, i) {over} AS c, regr_slope(x, i) {over} AS s FROM t WHERE i < 6"),
        "i,c,s\n1,,\n2,NaN,NaN\n3,NaN,NaN\n4,1.0,2.0\n5,1.0,2.0\n",
    );
    answers(
        &rows,
        &format!(
            "SELECT i, covar_pop(x, i) {over} AS c, round(corr(x, i) {over}, 9) AS r, regr_count(x, i) {over} AS n FROM t WHERE i > 7"
        ),
        "i,c,r,n\n8,0.0,,1\n9,0.25,1.0,2\n",
    );
    answers(
        &rows,
        "SELECT c, r FROM (SELECT i, covar_pop(x, i) OVER (ORDER BY i ROWS 1 PRECEDING) AS c, regr_r2(x, i) OVER (ORDER BY i ROWS 1 PRECEDING) AS r \
         FROM t WHERE i > 5) WHERE i = 9",
        "c,r\n0.25,1.0\n",
    );
}

#[test]
fn means_and_quotients_of_decimals_have_all_their_digits() {
    let rows = [("t", "g,x\n1,0.04\n1,0.05\n1,0.06\n1,0.05\n2,1\n2,0\n2,0\n3,\n")];
    let decimals = "(SELECT g, CAST(x AS DECIMAL(10, 2)) AS x FROM t)";
    answers(
        &rows,
        &format!(
            "SELECT g, avg(x) AS m, sum(x) / 3 AS s, avg(DISTINCT x) AS d FROM {decimals} GROUP BY g ORDER BY g"
        ),
        "g,m,s,d\n1,0.05,0.06666666666666667,0.049999999999999996\n2,0.3333333333333333,0.3333333333333333,0.5\n3,,,\n",
    );
    answers(
        &rows,
        "SELECT CAST(3.00 AS DECIMAL(10, 2)) / CAST(20000000.00 AS DECIMAL(12, 2)) AS q, CAST(7 AS DECIMAL(5, 0)) / 2 AS h, 7 / 2 AS w FROM t LIMIT 1",
        "q,h,w\n1.5e-7,3.5,3\n",
    );
    answers(
        &rows,
        &format!(
            "SELECT g, avg(x) OVER (PARTITION BY g ORDER BY x ROWS 1 PRECEDING) AS m FROM {decimals} WHERE g < 3 ORDER BY g, m"
        ),
        "g,m\n1,0.04\n1,0.045\n1,0.05\n1,0.055\n2,0.0\n2,0.0\n2,0.5\n",
    );
}

#[test]
fn counts_of_rows_are_signed_whole_numbers() {
    let rows = [("t", "id,v\n1,5\n2,5\n3,1\n")];
    answers(
        &rows,
        "SELECT id, (row_number() OVER (ORDER BY id) - 1) / 3 AS third, rank() OVER (ORDER BY v) - row_number() OVER (ORDER BY id DESC) AS d, \
         dense_rank() OVER (ORDER BY v) - ntile(3) OVER (ORDER BY id) AS n, array_length([1]) - array_length([1, id]) AS l, \
         -row_number() OVER (ORDER BY id) AS m FROM t ORDER BY id",
        "id,third,d,n,l,m\n1,0,-1,1,-1,-1\n2,0,0,0,-1,-2\n3,0,0,-2,-1,-3\n",
    );
}

#[test]
fn seconds_with_a_fraction_are_times_to_the_microsecond() {
    let rows = [("t", "x\n1700000000.25\n1700000000.1\n-0.000001\n")];
    answers(
        &rows,
        "SELECT to_timestamp(x) AS t, to_timestamp(1700000000.25) AS l FROM t",
        "t,l\n2023-11-14T22:13:20.250,2023-11-14T22:13:20.250\n2023-11-14T22:13:20.100,2023-11-14T22:13:20.250\n1969-12-31T23:59:59.999999,2023-11-14T22:13:20.250\n",
    );
}

#[test]
fn a_percentile_lies_exactly_between_its_values() {
    let rows = [("t", "g,v\n1,0\n1,900\n2,5\n2,-inf\n3,\n")];
    answers(
        &rows,
        "SELECT g, quantile_cont(v, 1.0 / 3) AS q, percentile_cont(0.75) WITHIN GROUP (ORDER BY v DESC) AS d, percentile_cont(0.0) WITHIN GROUP \
         (ORDER BY v) AS l FROM t GROUP BY g ORDER BY g",
        "g,q,d,l\n1,300.0,225.0,0.0\n2,-inf,-inf,-inf\n3,,,\n",
    );
    answers(
        &rows,
        "SELECT quantile_cont(v, 0.25) OVER (ORDER BY v ROWS 1 PRECEDING) AS q FROM t WHERE v >= 0",
        "q\n0.0\n1.25\n228.75\n",
    );
}

#[test]
fn a_sum_of_doubles_keeps_what_is_small_beside_what_is_large() {
    let rows = [("t", "g,x\n1,1e16\n1,1\n1,-1e16\n2,inf\n2,1\n3,inf\n3,-inf\n4,1e308\n4,1e308\n5,\n")];
    answers(
        &rows,
        "SELECT g, sum(x) AS s, avg(x) AS a, avg(DISTINCT x) AS d FROM t GROUP BY g ORDER BY g",
        "g,s,a,d\n1,1.0,0.3333333333333333,0.3333333333333333\n2,inf,inf,inf\n3,NaN,NaN,NaN\n4,inf,inf,1e308\n5,,,\n",
    );
    answers(&rows, "SELECT sum(x) AS s, avg(x) AS a FROM t WHERE g = 1", "s,a\n1.0,0.3333333333333333\n");
    answers(&rows, "SELECT sum(x) AS s FROM t WHERE g = 5", "s\n\"\"\n");
    answers(
        &rows,
        "SELECT sum(x) OVER (ORDER BY g RANGE CURRENT ROW) AS s FROM t WHERE g < 3 ORDER BY g",
        "s\n1.0\n1.0\n1.0\ninf\ninf\n",
    );
}

#[test]
fn a_mean_of_whole_numbers_is_of_them_and_not_of_the_doubles_next_to_them() {
    let rows = [(
        "t",
        "g,n\n1,9007199254740993\n1,-9007199254740993\n2,3\n2,1\n1,9007199254740993\n1,-9007199254740992\n3,\n",
    )];
    answers(
        &rows,
        "SELECT avg(n) AS a, avg(n) FILTER (WHERE g = 1) AS f FROM t",
        "a,f\n0.8333333333333334,0.25\n",
    );
    answers(
        &rows,
        "SELECT g, avg(n) AS a, mean(n) FILTER (WHERE n < 3 AND n > 0) AS f FROM t GROUP BY g ORDER BY g",
        "g,a,f\n1,0.25,\n2,2.0,1.0\n3,,\n",
    );
    answers(&rows, "SELECT DISTINCT avg(n) OVER () AS a FROM t", "a\n0.8333333333333334\n");
    answers(
        &rows,
        "SELECT avg(n) OVER (ORDER BY g, n ROWS 1 PRECEDING) AS a FROM t WHERE g = 1 ORDER BY g, n LIMIT 3",
        "a\n-9007199254740992.0\n-9007199254740992.0\n0.5\n",
    );
    let twice = [("t", "g,n\n1,9007199254740993\n1,9007199254740993\n1,-9007199254740992\n2,5\n3,\n")];
    answers(&twice, "SELECT avg(DISTINCT n) AS d FROM t", "d\n2.0\n");
    answers(&twice, "SELECT avg(DISTINCT n) AS d, count(*) AS c FROM t", "d,c\n2.0,5\n");
    answers(
        &twice,
        "SELECT g, avg(DISTINCT n) AS d, count(*) AS c FROM t GROUP BY g ORDER BY g",
        "g,d,c\n1,0.5,3\n2,5.0,1\n3,,1\n",
    );
    answers(&twice, "SELECT DISTINCT avg(DISTINCT n) OVER () AS d FROM t", "d\n2.0\n");
    answers(
        &twice,
        "SELECT DISTINCT avg(DISTINCT CAST(n AS DECIMAL(20, 1))) OVER () AS d FROM t WHERE g < 2",
        "d\n0.5\n",
    );
    for (number, mean) in [
        ("CAST('18446744073709551615' AS BIGINT UNSIGNED)", "1.8446744073709552e19"),
        ("9223372036854775807", "9.223372036854776e18"),
        ("CAST(-128 AS TINYINT)", "-128.0"),
    ] {
        answers(&rows, &format!("SELECT avg({number}) AS a FROM t"), &format!("a\n{mean}\n"));
    }
}
