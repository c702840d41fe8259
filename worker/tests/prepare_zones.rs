//! Times of a time zone in queries: a moment is the same whatever zone it is shown in, and what has no zone has the clock of the one that it had.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use support::answers::of_one_table::{answers, refused};

const MOMENT: &str = "z\n2024-07-01T18:00:00Z\n";

#[test]
fn a_moment_is_shown_in_a_zone_and_a_clock_is_taken_for_that_of_the_zone() {
    for (value, expected) in [
        ("z AT TIME ZONE 'America/Denver'", "2024-07-01T12:00:00-06:00"),
        ("'2024-07-01T18:00:00Z'::timestamptz AT TIME ZONE 'America/Denver'", "2024-07-01T12:00:00-06:00"),
        (
            "CAST(CAST(z AS VARCHAR) AS TIMESTAMPTZ) AT TIME ZONE 'America/Denver'",
            "2024-07-01T12:00:00-06:00",
        ),
        ("to_timestamp(1719856800) AT TIME ZONE 'America/Denver'", "2024-07-01T12:00:00-06:00"),
        ("to_timestamp_seconds(1719856800) AT TIME ZONE 'America/Denver'", "2024-07-01T12:00:00-06:00"),
        ("from_unixtime(1719856800) AT TIME ZONE 'America/Denver'", "2024-07-01T12:00:00-06:00"),
        (
            "to_timestamp('2024-07-01 18:00 +0000', '%Y-%m-%d %H:%M %z') AT TIME ZONE 'America/Denver'",
            "2024-07-01T12:00:00-06:00",
        ),
        (
            "to_timestamp('2024-07-01 18:00', '%Y-%m-%d %H:%M') AT TIME ZONE 'America/Denver'",
            "2024-07-01T18:00:00-06:00",
        ),
        ("TIMESTAMP '2024-07-01 18:00' AT TIME ZONE 'America/Denver'", "2024-07-01T18:00:00-06:00"),
        ("'2024-07-01T20:00:00+02:00'::timestamptz", "2024-07-01T18:00:00Z"),
        ("z = '2024-07-01T18:00:00Z'::timestamptz", "true"),
        ("to_timestamp('2024-07-01 18:00:00')", "2024-07-01T18:00:00"),
    ] {
        answers(MOMENT, &format!("SELECT {value} AS r FROM t"), &format!("r\n{expected}\n"));
    }
    refused(
        MOMENT,
        "SELECT to_timestamp(CAST(z AS VARCHAR)) AT TIME ZONE 'America/Denver' AS r FROM t",
        &["no time zone", "CAST(x AS TIMESTAMPTZ)"],
    );
}

#[test]
fn what_has_no_zone_has_the_clock_of_the_zone_before() {
    for (value, expected) in [
        ("CAST(z AT TIME ZONE 'America/Denver' AS TIMESTAMP)", "2024-07-01T12:00:00"),
        ("TRY_CAST(z AT TIME ZONE 'America/Denver' AS TIMESTAMP)", "2024-07-01T12:00:00"),
        ("CAST(z AT TIME ZONE 'Asia/Tokyo' AS DATE)", "2024-07-02"),
        ("CAST(z AS TIMESTAMP)", "2024-07-01T18:00:00"),
        ("z AT TIME ZONE 'Asia/Tokyo' >= DATE '2024-07-02'", "true"),
        ("DATE '2024-07-02' <= z AT TIME ZONE 'Asia/Tokyo'", "true"),
        ("z AT TIME ZONE 'Asia/Tokyo' BETWEEN DATE '2024-07-02' AND DATE '2024-07-03'", "true"),
    ] {
        answers(MOMENT, &format!("SELECT {value} AS r FROM t"), &format!("r\n{expected}\n"));
    }
}

#[test]
fn days_of_a_zone_begin_at_its_midnight() {
    let local = "z AT TIME ZONE 'Asia/Kolkata'";
    for (value, expected) in [
        (format!("date_trunc('day', {local})"), "2024-07-01T00:00:00+05:30"),
        (format!("date_bin(INTERVAL '1 day', to_local_time({local}))"), "2024-07-01T00:00:00"),
        (format!("date_bin(INTERVAL '15 minutes', {local})"), "2024-07-01T23:30:00+05:30"),
        ("date_bin(INTERVAL '1 day', z)".to_owned(), "2024-07-01T00:00:00Z"),
    ] {
        answers(MOMENT, &format!("SELECT {value} AS r FROM t"), &format!("r\n{expected}\n"));
    }
    for step in ["1 day", "1 hour", "1 month"] {
        refused(
            MOMENT,
            &format!("SELECT date_bin(INTERVAL '{step}', {local}) AS r FROM t"),
            &["midnight in UTC", "to_local_time(t)", "date_trunc"],
        );
    }
}
