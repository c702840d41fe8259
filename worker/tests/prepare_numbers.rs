//! Numbers that are one and the same: decimals beside doubles, NaN of either sign, both zeros, and whole numbers beyond those of doubles.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::fs::File;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use support::answers::{answers, refused};
use support::{Volume, input, prepare};

/// The rows of `t` with a decimal and a double.
const PRICES: &str = "(SELECT i, x, CAST(x AS DECIMAL(10, 2)) AS d FROM t)";

#[test]
fn every_decimal_is_the_double_that_is_written_alike() {
    let rows: String =
        (0..100_000).map(|cents| format!("{cents},{}.{:02}\n", cents / 100, cents % 100)).collect();
    let content = format!("i,x\n{rows}");
    let rows = [("t", content.as_str())];
    answers(
        &rows,
        &format!(
            "SELECT count(*) AS n, count(*) FILTER (WHERE d = x) AS e, count(*) FILTER (WHERE d >= x) AS g, count(*) FILTER (WHERE x <= d) AS l, \
             count(*) FILTER (WHERE d <> x) AS o, count(*) FILTER (WHERE d BETWEEN x AND x) AS b, count(*) FILTER (WHERE d IN (x, -x)) AS i, \
             count(*) FILTER (WHERE CASE d WHEN x THEN true ELSE false END) AS c, count(nullif(d, x)) AS u FROM {PRICES}"
        ),
        "n,e,g,l,o,b,i,c,u\n100000,100000,100000,100000,0,100000,100000,100000,0\n",
    );
    answers(
        &rows,
        &format!("SELECT count(*) AS n FROM {PRICES} AS a JOIN t AS b ON a.d = b.x AND a.i = b.i"),
        "n\n100000\n",
    );
    let literals: Vec<String> =
        (0..1000).map(|step| step * 97).map(|cents| format!("{}.{:02}", cents / 100, cents % 100)).collect();
    answers(
        &rows,
        &format!("SELECT count(*) AS n FROM {PRICES} WHERE d IN ({})", literals.join(", ")),
        "n\n1000\n",
    );
    let each: Vec<String> = literals.iter().step_by(7).map(|literal| format!("d = {literal}")).collect();
    answers(
        &rows,
        &format!("SELECT count(*) AS n FROM {PRICES} WHERE {}", each.join(" OR ")),
        &format!("n\n{}\n", each.len()),
    );
}

#[test]
fn decimals_and_doubles_become_one_type_without_other_digits() {
    let rows = [("t", "i,x\n1,134.36\n2,1.1\n")];
    for (select, expected) in [
        ("i FROM PRICES WHERE d = 134.36", "i\n1\n"),
        ("i FROM PRICES WHERE 134.36 >= d AND d >= 134.36", "i\n1\n"),
        ("i FROM PRICES WHERE d IS NOT DISTINCT FROM 134.36", "i\n1\n"),
        ("i FROM PRICES WHERE d < 1e30 AND d > -1e300 ORDER BY i", "i\n1\n2\n"),
        ("i FROM PRICES WHERE d < CAST('inf' AS DOUBLE) ORDER BY i", "i\n1\n2\n"),
        ("i FROM PRICES WHERE d IN (SELECT x FROM t) ORDER BY i", "i\n1\n2\n"),
        ("i FROM t WHERE x IN (SELECT d FROM PRICES AS p) ORDER BY i", "i\n1\n2\n"),
        ("CASE d WHEN 134.36 THEN 'a' ELSE 'b' END AS v FROM PRICES ORDER BY i", "v\na\nb\n"),
        ("CASE WHEN i = 1 THEN d ELSE x END AS v FROM PRICES ORDER BY i", "v\n134.36\n1.1\n"),
        ("CASE WHEN i = 1 THEN d ELSE 0.5 END AS v FROM PRICES ORDER BY i", "v\n134.36\n0.50\n"),
        ("coalesce(d, x) AS v FROM PRICES ORDER BY i", "v\n134.36\n1.1\n"),
        ("nvl(d, x) AS v FROM PRICES ORDER BY i", "v\n134.36\n1.1\n"),
        ("greatest(d, x) AS v FROM PRICES ORDER BY i", "v\n134.36\n1.1\n"),
        ("nullif(d, 134.36) IS NULL AS v FROM PRICES ORDER BY i", "v\ntrue\nfalse\n"),
        ("d AS v FROM PRICES UNION ALL SELECT x FROM t", "v\n134.36\n1.1\n134.36\n1.1\n"),
    ] {
        answers(&rows, &format!("SELECT {}", select.replace("PRICES", PRICES)), expected);
    }
    answers(&rows, &format!("SELECT d FROM {PRICES} INTERSECT SELECT x FROM t WHERE i = 1"), "d\n134.36\n");
    answers(
        &rows,
        "SELECT coalesce(CAST('12345678901234567890.12' AS DECIMAL(38, 2)), 0.0) AS v FROM t LIMIT 1",
        "v\n12345678901234567890.12\n",
    );
}

#[test]
fn decimals_become_the_doubles_next_to_them_and_numbers_the_decimals_that_are_written() {
    let rows = [("t", "x\n3\n")];
    let wide = "CAST('12345.6789' AS DECIMAL(38, 18))";
    answers(
        &rows,
        &format!(
            "SELECT CAST({wide} AS DOUBLE) AS a, {wide} / 1 AS b, {wide} + 0.0 AS c, CAST({wide} AS FLOAT) AS d, {wide} = 12345.6789 AS e, \
             CAST(12345.6789 AS DECIMAL(38, 18)) AS f FROM t"
        ),
        "a,b,c,d,e,f\n12345.6789,12345.6789,12345.6789,12345.679,true,12345.678900000000000000\n",
    );
}

#[test]
fn nan_is_greater_than_all_other_numbers_however_it_was_made() {
    let rows = [("t", "i,a,b\n1,0.0,0.0\n2,1.0,1.0\n3,5.0,2.0\n")];
    for (select, expected) in [
        ("i FROM t WHERE a / b < 2", "i\n2\n"),
        ("i FROM t WHERE a / b > 1000", "i\n1\n"),
        ("i FROM t WHERE -(a / b) > 1000", "i\n1\n"),
        ("i FROM t WHERE a % b > 1000", "i\n1\n"),
        ("i FROM t WHERE sin(1 / b) > 1000", "i\n1\n"),
        ("i FROM t WHERE CAST('-nan' AS DOUBLE) > a ORDER BY i", "i\n1\n2\n3\n"),
        ("0.0 / 0.0 < -1000 AS l FROM t LIMIT 1", "l\nfalse\n"),
        ("max(a / b) AS h, min(a / b) AS l FROM t", "h,l\nNaN,1.0\n"),
        ("max(a / b) OVER () AS h, min(a / b) OVER () AS l FROM t LIMIT 1", "h,l\nNaN,1.0\n"),
        ("max(a / b) OVER (ORDER BY i ROWS 1 PRECEDING) AS h FROM t ORDER BY i", "h\nNaN\nNaN\n2.5\n"),
        ("a / b AS q FROM t ORDER BY q", "q\n1.0\n2.5\nNaN\n"),
        ("i FROM t ORDER BY a / b DESC", "i\n1\n3\n2\n"),
        ("i, rank() OVER (ORDER BY a / b) AS r FROM t ORDER BY i", "i,r\n1,3\n2,1\n3,2\n"),
        (
            "q, count(*) AS n FROM (SELECT a / b AS q FROM t UNION ALL SELECT CAST('NaN' AS DOUBLE)) GROUP BY q ORDER BY q",
            "q,n\n1.0,1\n2.5,1\nNaN,2\n",
        ),
        (
            "sum(v) > 1000 AS s, avg(v) > 1000 AS a, var_pop(v) > 1000 AS v FROM (SELECT 1 / (i - 1.5) / 0 AS v FROM t)",
            "s,a,v\ntrue,true,true\n",
        ),
        ("i % 1 AS g, sum(1 / (i - 1.5) / 0) > 1000 AS s FROM t GROUP BY i % 1", "g,s\n0,true\n"),
        (
            "i FROM (SELECT i, sum(1 / (i - 1.5) / 0) OVER (ORDER BY i ROWS 1 PRECEDING) AS s FROM t WHERE i < 3) WHERE s > 1000",
            "i\n2\n",
        ),
    ] {
        answers(&rows, &format!("SELECT {select}"), expected);
    }
    let many: String = (0..20_000).map(|row| format!("{}\n", if row == 0 { "NaN" } else { "2.5" })).collect();
    answers(
        &[("t", format!("x\n{many}").as_str())],
        "SELECT max(x) AS h, min(x) AS l FROM t",
        "h,l\nNaN,2.5\n",
    );
}

#[test]
fn nan_that_another_program_made_is_greater_than_all_other_numbers_too() {
    let volume = Volume::new();
    let rows = RecordBatch::try_from_iter([
        ("i", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef),
        ("x", Arc::new(Float64Array::from(vec![-f64::NAN, 1.0]))),
    ])
    .expect("rows");
    let file = File::create(volume.path().join("in.parquet")).expect("a file");
    let mut writer = ArrowWriter::try_new(file, rows.schema(), None).expect("a writer");
    writer.write(&rows).expect("written");
    writer.close().expect("closed");
    for (sql, expected) in [
        ("SELECT i FROM t WHERE x < 2", "i\n2\n"),
        ("SELECT i FROM t ORDER BY x", "i\n2\n1\n"),
        ("SELECT max(x) AS h, min(x) AS l FROM t", "h,l\nNaN,1.0\n"),
        ("SELECT * FROM t", "i,x\n1,NaN\n2,1.0\n"),
    ] {
        let ended = volume.step(&prepare(input("file:in.parquet"), Some(sql)), &[]);
        assert_eq!(volume.data(ended.succeeds(), "data.csv"), expected, "{sql}");
        std::fs::remove_dir_all(volume.step_folder()).expect("removed");
    }
}

#[test]
fn both_zeros_are_one_value_wherever_rows_are_sorted_divided_or_looked_up() {
    let rows = [("t", "i,z,v\n1,-0.0,b\n2,0.0,a\n3,1.5,c\n")];
    for (select, expected) in [
        ("z FROM t", "z\n-0.0\n0.0\n1.5\n"),
        ("i, count(*) OVER (PARTITION BY z) AS n FROM t ORDER BY i", "i,n\n1,2\n2,2\n3,1\n"),
        ("i, rank() OVER (ORDER BY z) AS r FROM t ORDER BY i", "i,r\n1,1\n2,1\n3,3\n"),
        ("i, count(*) OVER (ORDER BY z RANGE CURRENT ROW) AS n FROM t ORDER BY i", "i,n\n1,2\n2,2\n3,1\n"),
        ("z FROM t ORDER BY z, v", "z\n0.0\n-0.0\n1.5\n"),
        ("i FROM t ORDER BY -z DESC, v", "i\n2\n1\n3\n"),
        ("nullif(z, 0) AS n FROM t ORDER BY i", "n\n\"\"\n\"\"\n1.5\n"),
        ("CASE z WHEN 0 THEN 'zero' ELSE 'other' END AS c FROM t ORDER BY i", "c\nzero\nzero\nother\n"),
        ("count(DISTINCT z) AS d FROM t", "d\n2\n"),
        ("count(DISTINCT z) AS d, count(*) AS n FROM t", "d,n\n2,3\n"),
        ("count(DISTINCT z) FILTER (WHERE i > 0) AS d FROM t", "d\n2\n"),
        ("array_length(array_agg(DISTINCT z)) AS d, count(*) AS n FROM t", "d,n\n2,3\n"),
        ("i FROM t QUALIFY row_number() OVER (PARTITION BY z ORDER BY i) = 1 ORDER BY i", "i\n1\n3\n"),
        (
            "count(DISTINCT round(CASE i WHEN 1 THEN -0.4 ELSE 0.4 END)) AS d, count(*) AS n FROM t",
            "d,n\n1,3\n",
        ),
    ] {
        answers(&rows, &format!("SELECT {select}"), expected);
    }
}

#[test]
fn zeros_and_nan_are_one_value_in_every_text_and_clause() {
    let rows = [("t", "i,x,y\n1,-0.0,2\n2,0.0,1\n3,nan,5\n4,-nan,3\n5,1.5,4\n"), ("u", "i,x\n1,0.0\n")];
    for (select, expected) in [
        ("i FROM t WHERE x < 0", "i\n"),
        ("i FROM t WHERE x > 1000 ORDER BY i", "i\n3\n4\n"),
        ("i FROM t WHERE x IN (SELECT x FROM t WHERE i = 4) ORDER BY i", "i\n3\n4\n"),
        ("DISTINCT ON (x) x, y FROM t ORDER BY x, y", "x,y\n0.0,1\n1.5,4\nNaN,3\n"),
        ("DISTINCT ON (x) i FROM t ORDER BY x DESC, y DESC", "i\n3\n5\n1\n"),
        ("DISTINCT ON (-x) i FROM t ORDER BY -x, y", "i\n5\n2\n4\n"),
        ("count(*) AS n FROM (SELECT x FROM t UNION SELECT -x FROM t) AS q", "n\n4\n"),
        ("count(*) AS n FROM (SELECT x FROM t INTERSECT SELECT -x FROM t) AS q", "n\n2\n"),
        ("count(*) AS n FROM (SELECT x FROM t EXCEPT SELECT -x FROM t) AS q", "n\n1\n"),
        ("a.i, b.i AS j FROM t AS a JOIN t AS b USING (x) WHERE a.i < b.i ORDER BY a.i", "i,j\n1,2\n3,4\n"),
        (
            "i FROM t WHERE EXISTS (SELECT 1 FROM t AS u WHERE u.x = t.x AND u.i <> t.i) ORDER BY i",
            "i\n1\n2\n3\n4\n",
        ),
        ("i FROM t WHERE x = ANY (SELECT x FROM u) ORDER BY i", "i\n1\n2\n"),
        ("median(DISTINCT x) AS m, count(DISTINCT x) AS n FROM t", "m,n\n1.5,3\n"),
    ] {
        answers(&rows, &format!("SELECT {select}"), expected);
    }
    for (select, way) in [
        ("approx_distinct(x) AS n FROM t", "count(DISTINCT x)"),
        ("count(DISTINCT x, y) AS n FROM t", "SELECT DISTINCT a, b"),
    ] {
        refused(&rows, &format!("SELECT {select}"), &[way]);
    }
}

#[test]
fn zeros_are_one_value_within_lists_and_objects_too() {
    let rows = [("t", "k,x\n1,-0.0\n1,0.0\n1,nan\n2,1.5\n2,-0.0\n")];
    let listed = "(SELECT k, make_array(x) AS l, named_struct('a', x) AS o FROM t)";
    let lists = "(SELECT k, array_agg(x) AS l FROM t GROUP BY k)";
    for (select, expected) in [
        ("CAST(l AS VARCHAR) AS l, count(*) AS n FROM LISTED GROUP BY l", "l,n\n[0.0],3\n[NaN],1\n[1.5],1\n"),
        ("o['a'] AS a, count(*) AS n FROM LISTED GROUP BY o", "a,n\n0.0,3\nNaN,1\n1.5,1\n"),
        ("count(*) AS n FROM (SELECT DISTINCT l, o FROM LISTED) AS q", "n\n3\n"),
        ("count(*) AS n FROM (SELECT l FROM LISTED UNION SELECT l FROM LISTED) AS q", "n\n3\n"),
        ("count(DISTINCT l) AS a, count(DISTINCT o) AS b FROM LISTED", "a,b\n3,3\n"),
        ("k, rank() OVER (ORDER BY l) AS r FROM LISTED ORDER BY l, k DESC", "k,r\n2,1\n1,1\n1,1\n2,4\n1,5\n"),
        (
            "k, count(*) OVER (PARTITION BY l) AS n FROM LISTED ORDER BY n, k",
            "k,n\n1,1\n2,1\n1,3\n1,3\n2,3\n",
        ),
        (
            "l = make_array(0.0) AS e, o = named_struct('a', -o['a']) AS s FROM LISTED",
            "e,s\ntrue,true\ntrue,true\nfalse,true\nfalse,false\ntrue,true\n",
        ),
        ("count(*) AS n FROM LISTED AS a JOIN LISTED AS b ON a.l = b.l", "n\n11\n"),
        ("k FROM LISTED WHERE l IN (make_array(-0.0), make_array(7.0))", "k\n1\n1\n2\n"),
        ("a.k FROM LISTED AS a WHERE a.o IN (SELECT b.o FROM LISTED AS b WHERE b.k = 2)", "k\n1\n1\n2\n2\n"),
        (
            "o['a'] AS a, count(*) AS n FROM LISTED GROUP BY GROUPING SETS ((o), ()) ORDER BY n, a",
            "a,n\n1.5,1\nNaN,1\n0.0,3\n,5\n",
        ),
        ("nullif(l, make_array(0.0)) IS NULL AS n FROM LISTED WHERE k = 2", "n\nfalse\ntrue\n"),
        (
            "array_has(l, 0.0) AS a, array_position(l, 0.0) AS p, CAST(array_positions(l, 0.0) AS VARCHAR) AS q FROM LISTS ORDER BY k",
            "a,p,q\ntrue,1,\"[1, 2]\"\ntrue,2,[2]\n",
        ),
        (
            "array_has_all(l, make_array(0.0)) AS a, array_has_any(l, make_array(0.0, 7)) AS b FROM LISTS ORDER BY k",
            "a,b\ntrue,true\ntrue,true\n",
        ),
        (
            "CAST(array_remove_all(l, 0.0) AS VARCHAR) AS a, CAST(array_replace_all(l, 0.0, 9.0) AS VARCHAR) AS b FROM LISTS ORDER BY k",
            "a,b\n[NaN],\"[9.0, 9.0, NaN]\"\n[1.5],\"[1.5, 9.0]\"\n",
        ),
        ("array_length(array_distinct(l)) AS d FROM LISTS ORDER BY k", "d\n2\n2\n"),
        (
            "a.k FROM LISTED AS a WHERE a.l = ANY (SELECT b.l FROM LISTED AS b WHERE b.k = 2)",
            "k\n1\n1\n2\n2\n",
        ),
        ("a.k FROM LISTED AS a WHERE a.o <> ALL (SELECT b.o FROM LISTED AS b WHERE b.k = 2)", "k\n1\n"),
        (
            "count(*) AS n FROM (SELECT unnest(CAST(make_array('-nan', '-1') AS DOUBLE[])) AS z) AS q WHERE z > 5",
            "n\n1\n",
        ),
    ] {
        let select = select.replace("LISTED", listed).replace("LISTS", lists);
        answers(&rows, &format!("SELECT {select}"), expected);
    }
    for (select, way) in [
        ("k FROM LISTED AS a WHERE l NOT IN (SELECT b.l FROM LISTED AS b)", "NOT EXISTS"),
        ("k FROM LISTED AS a WHERE NOT (o IN (SELECT b.o FROM LISTED AS b))", "NOT EXISTS"),
        ("count(*) AS n FROM LISTED AS a JOIN LISTED AS b USING (l)", "write a JOIN b ON"),
    ] {
        let select = select.replace("LISTED", listed);
        refused(&rows, &format!("SELECT {select}"), &[way]);
    }
}

#[test]
fn whole_numbers_are_shifted_by_any_number_of_places() {
    answers(
        &[("t", "i,n\n5,2\n-5,1\n7,70\n0,70\n")],
        "SELECT i >> n AS r, CASE WHEN n < 70 OR i = 0 THEN i END << n AS l FROM t",
        "r,l\n1,20\n-3,-10\n0,\n0,0\n",
    );
}

#[test]
fn whole_numbers_that_are_made_whole_stay_as_they_are() {
    answers(
        &[("t", "i\n9007199254740993\n-7\n")],
        "SELECT trunc(i) AS t, ceil(i) AS c, floor(i) AS f, trunc(i, 2) AS p FROM t",
        "t,c,f,p\n9007199254740993,9007199254740993,9007199254740993,9007199254740993\n-7,-7,-7,-7\n",
    );
}

#[test]
fn whole_numbers_beyond_those_of_doubles_are_compared_with_the_number_that_is_written() {
    let rows = [(
        "t",
        "i,x\n9007199254740993,0.5\n9007199254740992,9007199254740992.0\n-9007199254740993,1e18\n5,5.0\n",
    )];
    for (condition, expected) in [
        ("i = 9007199254740993.0", "9007199254740993\n"),
        ("9007199254740992.0 = i", "9007199254740992\n"),
        ("i IN (9007199254740993.0, 5.0)", "9007199254740993\n5\n"),
        ("i IN (9007199254740992.0, 5.5)", "9007199254740992\n"),
        ("i NOT IN (9007199254740993.0, 0.5) AND i > 5.5", "9007199254740992\n"),
        ("i BETWEEN 9007199254740992.5 AND 1e19", "9007199254740993\n"),
        ("i < -9007199254740992.0", "-9007199254740993\n"),
        ("i > 9007199254740992.0", "9007199254740993\n"),
        ("i >= 9007199254740992.9", "9007199254740993\n"),
        ("i <= 9007199254740992.5 AND i > 4.5", "9007199254740992\n5\n"),
        ("i <> 9007199254740992.0 AND i > 4.5", "9007199254740993\n5\n"),
        ("i IS NOT DISTINCT FROM 9007199254740993.0", "9007199254740993\n"),
        ("CASE i WHEN 9007199254740992.0 THEN true ELSE false END", "9007199254740992\n"),
        ("CASE i WHEN 9007199254740993.0 THEN true ELSE false END", "9007199254740993\n"),
        ("i > -1e300 AND i < 5.5", "-9007199254740993\n5\n"),
        ("x = 9007199254740992.0", "9007199254740992\n"),
        ("x > 9007199254740991.9 AND x < 1e19", "-9007199254740993\n"),
    ] {
        let expected = format!("i\n{expected}");
        answers(&rows, &format!("SELECT i FROM t WHERE {condition}"), &expected);
    }
    answers(
        &rows,
        "SELECT CAST('0.12345678901234567' AS DECIMAL(38, 17)) = 0.12345678901234567 AS a, CAST(0.3 AS DECIMAL(38, 2)) > 0.123456789012345678 AS b, \
         i = CAST(9007199254740993 AS DOUBLE) AS c FROM t LIMIT 1",
        "a,b,c\ntrue,true,true\n",
    );
}

#[test]
fn whole_numbers_stay_what_they_are_beside_fractions_or_fail_the_step() {
    let t = "i,n,x\n4,4,0.5\n9007199254740993,8,1.5\n";
    for (select, expected) in [
        ("coalesce(n, 0.5) AS v FROM t", "v\n4.0\n8.0\n"),
        ("coalesce(x, 0) AS v FROM t", "v\n0.5\n1.5\n"),
        ("CASE WHEN i < 5 THEN i ELSE 0.5 END AS v FROM t", "v\n4.0\n0.5\n"),
        ("coalesce(CAST(i AS DOUBLE), 0.5) AS v FROM t", "v\n4.0\n9007199254740992.0\n"),
        ("coalesce(CAST(i AS DECIMAL(38, 2)), 0.5) AS v FROM t", "v\n4.00\n9007199254740993.00\n"),
        ("n AS v FROM t UNION ALL SELECT 0.5", "v\n4.0\n8.0\n0.5\n"),
        ("i / 2.0 AS v FROM t", "v\n2.0\n4503599627370496.0\n"),
    ] {
        answers(&[("t", t)], &format!("SELECT {select}"), expected);
    }
    for select in [
        "coalesce(i, 0.5) AS v FROM t",
        "nvl(i, x) AS v FROM t",
        "greatest(i, x) AS v FROM t",
        "CASE WHEN n > 5 THEN i ELSE 0.5 END AS v FROM t",
        "CASE WHEN n < 5 THEN 0.5 ELSE i END AS v FROM t",
        "i AS v FROM t UNION ALL SELECT 0.5",
        "x AS v FROM t UNION ALL SELECT i FROM t",
    ] {
        let (_, ended) = support::answers::tried(&[("t", t)], &format!("SELECT {select}"));
        let way = "CAST(x AS DOUBLE) takes the nearest";
        let place = "The value is in row 2 of t, column \"i\"";
        ended.fails(3, "DataMalformed", &["9007199254740993 cannot be cast to DOUBLE without", way, place]);
    }
}
