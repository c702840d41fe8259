//! What SQL spells otherwise than the engine: patterns, parts of durations, times without seconds, decimals and everyday names; and what is
//! said of a function that does not take what it is given.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use support::answers::of_one_table::{answers, refused, tried};

#[test]
fn similar_to_is_of_the_whole_text_and_has_the_signs_of_sql() {
    let texts = "id,s\n1,abc\n2,eve@x.org\n3,\n4,a.c\n5,100%\n";
    for (condition, ids) in [
        ("s SIMILAR TO 'a'", ""),
        ("s SIMILAR TO 'a%'", "1\n4\n"),
        ("s SIMILAR TO '%@x.org'", "2\n"),
        ("s SIMILAR TO 'a.c'", "4\n"),
        ("s SIMILAR TO 'a_c'", "1\n4\n"),
        ("s SIMILAR TO '(abc|a[.]c)'", "1\n4\n"),
        ("s SIMILAR TO '[0-9]{3}\\%'", "5\n"),
        ("s SIMILAR TO '100!%' ESCAPE '!'", "5\n"),
        ("s NOT SIMILAR TO 'a%'", "2\n5\n"),
        ("NOT s SIMILAR TO '%'", ""),
        ("s SIMILAR TO 'abc|x'", "1\n"),
        ("s LIKE '100!%' ESCAPE '!'", "5\n"),
        ("s ILIKE 'EVE!@%' ESCAPE '!'", "2\n"),
        ("s NOT LIKE '%!%' ESCAPE '!'", "1\n2\n4\n"),
    ] {
        let sql = format!("SELECT id FROM t WHERE {condition} ORDER BY id");
        answers(texts, &sql, &format!("id\n{ids}"));
    }
    answers(
        texts,
        "SELECT 'abc' SIMILAR TO 'a' AS a, 'abc' SIMILAR TO 'abc' AS b FROM t LIMIT 1",
        "a,b\nfalse,true\n",
    );
    refused(
        texts,
        "SELECT id FROM t WHERE s SIMILAR TO s",
        &["in quotes", "regexp_like(x, '^(' || p || ')$')"],
    );
    answers(
        texts,
        "SELECT id FROM t WHERE regexp_like(s, '^(' || s || ')$') ORDER BY id",
        "id\n1\n2\n4\n5\n",
    );
    refused(texts, "SELECT id FROM t WHERE s SIMILAR TO '(a'", &["unclosed group", "\"(a\"", "SIMILAR TO"]);
}

#[test]
fn a_pattern_of_to_char_has_parts() {
    let days = "d\n2024-05-06\n";
    for function in ["to_char", "date_format"] {
        refused(days, &format!("SELECT {function}(d, 'YYYY-MM-DD') AS y FROM t"), &["'%Y-%m-%d'"]);
    }
    answers(
        days,
        "SELECT to_char(d, '%Y-%m-%d') AS y, date_format(d, '%m') AS m FROM t",
        "y,m\n2024-05-06,05\n",
    );
    answers(
        "a,b\n2024-01-02T01:00:00,2024-01-01T00:00:00\n",
        "SELECT to_char(a - b, 'pretty') AS p FROM t",
        "p\n1 days 1 hours 0 mins 0.000000 secs\n",
    );
}

#[test]
fn parts_of_the_difference_of_times_are_those_of_an_interval() {
    let times = "a,b\n2024-01-01T00:00:00,2024-01-02T02:03:04.750\n2024-01-02T02:03:04.750,2024-01-01T00:00:00\n2024-01-01T00:00:00,\n";
    answers(
        times,
        "SELECT date_part('epoch', b - a) AS e, extract(day FROM b - a) AS d, extract(HOUR FROM b - a) AS h, date_part('minutes', b - a) AS m,
         extract(second FROM b - a) AS s, extract(millisecond FROM b - a) AS ms, date_part('microseconds', b - a) AS us,
         arrow_typeof(extract(hour FROM b - a)) AS t FROM t",
        "e,d,h,m,s,ms,us,t\n93784.75,1,2,3,4,4750,4750000,Int32\n-93784.75,-1,-2,-3,-4,-4750,-4750000,Int32\n,,,,,,,Int32\n",
    );
    answers(
        times,
        "SELECT date_part('epoch', b - DATE '2024-01-01') AS e, sum(extract(hour FROM b - a)) AS h FROM t GROUP BY b ORDER BY e",
        "e,h\n0.0,-2\n93784.75,2\n,\n",
    );
    for part in ["month", "year", "week", "nanosecond", "dow"] {
        refused(
            times,
            &format!("SELECT extract({part} FROM b - a) AS x FROM t"),
            &[part, "epoch (all seconds)"],
        );
    }
    answers(
        times,
        "SELECT extract(hour FROM b) AS h, date_part('epoch', a) AS e FROM t LIMIT 1",
        "h,e\n2,1704067200.0\n",
    );
}

#[test]
fn numbers_that_are_written_out_are_computed_as_decimals() {
    let numbers = "x\n0.05\n0.07\n0.3\n";
    answers(numbers, "SELECT x FROM t WHERE x BETWEEN 0.06-0.01 AND 0.06+0.01", "x\n0.05\n0.07\n");
    answers(numbers, "SELECT x FROM t WHERE x = 0.1 + 0.1 + 0.1", "x\n0.3\n");
    answers(numbers, "SELECT x FROM t WHERE x IN (0.1 * 3, -0.05 + 2 * 0.05)", "x\n0.05\n0.3\n");
    answers(
        numbers,
        "SELECT sum(x * (1 - 0.9)) AS s, 1e300 * 1e300 AS i, 1.0 / 3.0 AS d FROM t WHERE x > 0.1",
        "s,i,d\n0.03,inf,0.3333333333333333\n",
    );
}

#[test]
fn times_of_the_query_may_leave_their_seconds_out() {
    let times = "t\n2024-03-01T09:59:00\n2024-03-01T10:00:00\n2024-03-01T10:01:00\n";
    for (condition, count) in [
        ("t >= '2024-03-01 10:00'", 2),
        ("'2024-03-01T10:00' = t", 1),
        ("t > TIMESTAMP '2024-03-01 10:00'", 1),
        ("t = CAST('2024-03-01 10:00' AS TIMESTAMP)", 1),
        ("t = TRY_CAST('2024-03-01 10:00' AS TIMESTAMP)", 1),
        ("t BETWEEN '2024-03-01 09:59' AND '2024-03-01 10:00'", 2),
        ("t IN ('2024-03-01 09:59', '2024-03-01 10:01')", 2),
        ("t < TIMESTAMP '9999-12-31 10:00'", 3),
        ("t < '9999-12-31 10:00'", 3),
    ] {
        answers(times, &format!("SELECT count(*) AS n FROM t WHERE {condition}"), &format!("n\n{count}\n"));
    }
    answers(
        times,
        "SELECT TIMESTAMP '2024-01-01 10:00' AS a, CAST('2024-01-01 10:00+02:00' AS TIMESTAMP) AS b FROM t LIMIT 1",
        "a,b\n2024-01-01T10:00:00,2024-01-01T08:00:00\n",
    );
    let (_, ended) = tried("s\n1.2.2024 10:00\n", "SELECT CAST(s AS TIMESTAMP) AS a FROM t");
    ended.fails(3, "DataMalformed", &["to_timestamp(x, '%d.%m.%Y %H:%M')", "row 1"]);
    answers(
        "s\n1.2.2024 10:00\n",
        "SELECT to_timestamp(s, '%d.%m.%Y %H:%M') AS a FROM t",
        "a\n2024-02-01T10:00:00\n",
    );
}

#[test]
fn everyday_names_are_known() {
    answers(
        "id,s\n1,a\n2,\n",
        "SELECT md5(s) AS m, sha256(s) AS h, mod(id + 6, 1 + 3) AS r, sign(-id) AS g FROM t ORDER BY id",
        "m,h,r,g\n0cc175b9c0f1b6a831c399e269772661,ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb,3,-1.0\n,,0,-1.0\n",
    );
    answers(
        "id\n7\n",
        "SELECT mod(-id, 3) AS a, MOD(7.5, 2) AS b, md5('é') AS e FROM t",
        "a,b,e\n-1,1.5,66ddcd97cfdeabb2f6fb8a999b4bc76f\n",
    );
    answers(
        "d,x\n2024-05-01,1\n2024-05-07,2\n2024-05-09,4\n",
        "SELECT sum(x) OVER (ORDER BY d RANGE BETWEEN INTERVAL 7 DAY PRECEDING AND CURRENT ROW) AS s, d + INTERVAL 1 DAY AS n FROM t ORDER BY d",
        "s,n\n1,2024-05-02\n3,2024-05-08\n6,2024-05-10\n",
    );
    answers(
        "id,s\n12345,äbc\n6,\n",
        "SELECT CAST(s AS VARCHAR(2)) AS a, s::character varying(9) AS b, CAST(id AS VARCHAR(3)) AS c, TRY_CAST(id AS NVARCHAR(1)) AS d FROM t ORDER BY id DESC",
        "a,b,c,d\näb,äbc,123,1\n,,6,6\n",
    );
    // A cast is called as its source, also where it cuts.
    answers(
        "id,s\n1,abc\n",
        "SELECT CAST(s AS VARCHAR(2)), t.id::VARCHAR(9) FROM t WHERE EXISTS (SELECT 1 FROM t AS u WHERE u.id = t.id ORDER BY u.s) AND id IN (SELECT u.id FROM t AS u WHERE u.s = t.s ORDER BY u.id)",
        "s,id\nab,1\n",
    );
    refused("id\n1\n", "SELECT md5(id) AS m FROM t", &["md5(BIGINT)", "CAST(x AS VARCHAR)"]);
    answers(
        "id\n1\n",
        "SELECT md5(CAST(id AS VARCHAR)) AS m FROM t",
        "m\nc4ca4238a0b923820dcc509a6f75849b\n",
    );
}

#[test]
fn rows_are_sampled_and_split_by_their_digest_alike_everywhere() {
    let rows: String = (0..1000).map(|id| format!("{id}\n")).collect();
    let content = format!("id\n{rows}");
    answers(
        &content,
        "SELECT count(*) AS n FROM t WHERE substr(md5(CAST(id AS VARCHAR)), 1, 1) = '0'",
        "n\n77\n",
    );
    answers(
        &content,
        "SELECT CASE WHEN substr(md5('split 1' || id), 1, 2) < '33' THEN 'test' ELSE 'train' END AS part, count(*) AS n FROM t GROUP BY part ORDER BY part",
        "part,n\ntest,164\ntrain,836\n",
    );
    refused(
        "id\n1\n",
        "SELECT id FROM t TABLESAMPLE (10)",
        &["substr(md5(CAST(id AS VARCHAR)), 1, 1) = '0'"],
    );
}

#[test]
fn arguments_of_other_types_are_named_with_the_cast_that_helps() {
    let t = "zip,flag,s,d\n12345,true,a,2024-01-01\n";
    for (call, parts) in [
        ("substr(zip, 1, 2)", ["substr(BIGINT, BIGINT, BIGINT)", "CAST(x AS VARCHAR)"]),
        ("upper(zip)", ["upper(BIGINT)", "CAST(x AS VARCHAR)"]),
        ("regexp_like(zip, '1')", ["regexp_like(BIGINT, VARCHAR)", "CAST(x AS VARCHAR)"]),
        ("sum(flag)", ["sum(BOOLEAN)", "CAST(x AS INT)"]),
        ("date_part('day', d - d)", ["date_part(VARCHAR, BIGINT)", "number of days already"]),
        ("to_char(zip, '%Y')", ["to_char(BIGINT, VARCHAR)", "CAST(x AS TIMESTAMP)"]),
        ("upper(s, s)", ["upper expects 1 arguments but received 2", "upper(VARCHAR"]),
    ] {
        let (_, ended) = tried(t, &format!("SELECT {call} AS r FROM t"));
        ended.fails(2, "QueryInvalid", &parts);
        let message = ended.message();
        assert!(!message.contains("without any value") && !message.contains('\n'), "{message}");
    }
    for call in ["sum(s)", "avg(s)", "stddev(s)", "abs(s)"] {
        refused(
            t,
            &format!("SELECT {call} AS r FROM t"),
            &["VARCHAR", "without any value is text", "CAST(x AS DOUBLE)"],
        );
    }
    answers(
        t,
        "SELECT substr(CAST(zip AS VARCHAR), 1, 2) AS p, sum(CAST(flag AS INT)) AS f, round(2.5) AS r, CAST(2.5 AS INT) AS c FROM t GROUP BY zip",
        "p,f,r,c\n12,1,3.0,2\n",
    );
}

#[test]
fn a_function_that_is_not_there_is_answered_with_the_nearest_the_same_on_every_run() {
    for (call, part) in [
        ("uper(s)", "there is no function uper; did you mean upper?"),
        ("foo_bar_baz(s)", "there is no function foo_bar_baz; the tables"),
        ("sgn(1)", "did you mean sin?"),
        ("len(s)", "write length(s) of a text"),
        ("group_concat(s)", "write string_agg(s, ',')"),
    ] {
        refused("s\na\n", &format!("SELECT {call} AS r FROM t"), &[part]);
    }
    refused(
        "s\na\n",
        "SELECT s FROM t WINDOW w AS (ORDER BY s) QUALIFY rank() OVER w < 3",
        &["rank(…) OVER (ORDER BY x)", "the window itself"],
    );
    answers("s\na\n", "SELECT s FROM t QUALIFY rank() OVER (ORDER BY s) < 3", "s\na\n");
    answers(
        "s,a,b\nx,,2024-01-03\n",
        "SELECT length(s) AS l, coalesce(a, s) AS c, b - DATE '2024-01-01' AS d, string_agg(s, ',') AS g FROM t GROUP BY s, a, b",
        "l,c,d,g\n1,x,2,x\n",
    );
}

#[test]
fn an_interval_is_made_of_a_number_by_a_text() {
    let t = "id,d\n2,2024-01-01T00:00:00\n";
    for product in ["id * INTERVAL '1 hour'", "INTERVAL '1 hour' * id", "INTERVAL '1 hour' / id"] {
        refused(t, &format!("SELECT d + {product} AS r FROM t"), &["CAST(x || ' hours' AS INTERVAL)"]);
    }
    answers(t, "SELECT d + CAST(id || ' hours' AS INTERVAL) AS r FROM t", "r\n2024-01-01T02:00:00\n");
}

#[test]
fn what_the_engine_does_not_have_is_said_without_its_structures() {
    for sql in [
        "SELECT {'a': 1}.a AS r FROM t",
        "SELECT substr(s) AS r FROM t",
        "SELECT s FROM t FETCH FIRST 1 ROWS WITH TIES",
        "SELECT s FROM t WHERE s LIKE 5 AND (SELECT s FROM t) IN (1",
    ] {
        let (_, ended) = tried("s\na\n", sql);
        ended.fails(2, "QueryInvalid", &[]);
        let message = ended.message();
        for internal in ["{ ", "Span(", "ParserError", "Physical plan", "not implemented"] {
            assert!(!message.contains(internal), "{message}");
        }
    }
}
