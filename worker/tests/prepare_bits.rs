//! Operators of bits take whole numbers: what is none is named with a way out, and nothing is cut without a word.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use support::answers::of_one_table::{answers, refused, tried};

const T: &str = "i,n,d,s\n5,2,1.5,7\n-5,-1,2.0,8\n";

#[test]
fn a_number_with_a_fraction_is_refused_beside_an_operator_of_bits() {
    for (value, named, way) in [
        ("1.5 << 1", "<< takes whole numbers", "CAST(1.5 AS BIGINT)"),
        ("2.0 << 1", "<< takes whole numbers", "CAST(2"),
        ("d << 1", "the fraction of d (DOUBLE)", "CAST(d AS BIGINT)"),
        ("d >> 1", ">> takes whole numbers", "CAST(d AS BIGINT)"),
        ("i << 1.5", "<< takes whole numbers", "CAST(1.5 AS BIGINT)"),
        ("i << CAST(1 AS DOUBLE)", "<< takes whole numbers", "AS BIGINT)"),
        ("d & 1", "& takes whole numbers", "CAST(d AS BIGINT)"),
        ("i | 1.5", "| takes whole numbers", "CAST(1.5 AS BIGINT)"),
        ("i XOR d", "XOR takes whole numbers", "CAST(d AS BIGINT)"),
        ("CAST(d AS DECIMAL(5, 2)) & 1", "& takes whole numbers", "AS BIGINT)"),
        ("sum(d) << 1", "<< takes whole numbers", "AS BIGINT)"),
        ("power(2, 3) & 1.0", "operators of bits take whole numbers", "AS BIGINT)"),
    ] {
        refused(T, &format!("SELECT {value} AS x FROM t"), &[named, way]);
    }
    refused(T, "SELECT i FROM t WHERE d & 1 = 1", &["the fraction of d (DOUBLE)"]);
    refused(T, "SELECT i FROM t ORDER BY i << d", &["the fraction of d (DOUBLE)"]);
    refused(T, "SELECT i & (s = 7) AS x FROM t", &["operators of bits take whole numbers"]);
    answers(
        T,
        "SELECT CAST(d AS BIGINT) << 1 AS l, i & 3 AS a, i | 1 AS o, i XOR 1 AS x, CAST(d AS DECIMAL(5, 0)) & 3 AS w FROM t",
        "l,a,o,x,w\n2,1,5,4,2\n4,3,-5,-6,2\n",
    );
}

#[test]
fn a_shift_by_fewer_than_no_places_names_its_row() {
    for (value, said, columns) in [
        ("i << n", "-5 << -1 has fewer than no places", "row 2 of t, columns \"i\" and \"n\""),
        ("i >> n", "-5 >> -1 has fewer than no places", "row 2 of t, columns \"i\" and \"n\""),
        ("i << -1", "5 << -1 has fewer than no places", "row 1 of t, column \"i\""),
    ] {
        let (_, ended) = tried(T, &format!("SELECT {value} AS x FROM t"));
        ended.fails(3, "DataMalformed", &[said, columns, "CASE WHEN n >= 0"]);
    }
}
