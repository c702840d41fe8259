//! Rows with equal keys stay in the order in which they came, whatever the format, the number of rows, and the memory.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::fmt::Write;

use serde_json::{Value, json};
use support::{Volume, converted, prepare};

/// Of a row with this id: its group, and its day, of which many rows have the same.
fn row(id: u32) -> (u32, u32) {
    (id.wrapping_mul(7919) % 13, id.wrapping_mul(31) % 97)
}

/// The table, as CSV.
fn table(rows: u32) -> String {
    let mut text = "id,g,day,note\n".to_owned();
    for id in 0..rows {
        let (group, day) = row(id);
        writeln!(text, "{id},{group},{day},note {id:012}").expect("a String");
    }
    text
}

/// The ids, sorted by a key, in their order where it is the same.
fn sorted<Key: Ord>(rows: u32, key: impl Fn(u32) -> Key) -> Vec<u32> {
    let mut ids: Vec<u32> = (0..rows).collect();
    ids.sort_by_key(|id| key(*id));
    ids
}

/// The first of each group in a list of ids, by its group.
fn first_of_groups(ids: &[u32]) -> Vec<u32> {
    let first = |group| ids.iter().copied().find(|id| row(*id).0 == group).expect("a row of each group");
    (0..13).map(first).collect()
}

/// Queries that give ids, and those that they give.
fn queries(rows: u32) -> Vec<(&'static str, Vec<u32>)> {
    let by_group = sorted(rows, |id| row(id).0);
    let by_day = sorted(rows, |id| row(id).1);
    let by_last_day = sorted(rows, |id| std::cmp::Reverse(row(id).1));
    let first = by_group.iter().copied().take(7).collect();
    let later = by_last_day.iter().copied().skip(5).take(4).collect();
    vec![
        ("SELECT id FROM t ORDER BY g", by_group.clone()),
        ("SELECT id FROM t ORDER BY g LIMIT 7", first),
        ("SELECT id FROM t ORDER BY day DESC LIMIT 4 OFFSET 5", later),
        (
            "SELECT id FROM (SELECT id, g FROM t QUALIFY row_number() OVER (PARTITION BY g) = 1) ORDER BY g",
            first_of_groups(&by_group),
        ),
        (
            "SELECT id FROM (SELECT * FROM t QUALIFY row_number() OVER (PARTITION BY g ORDER BY day DESC) = 1) ORDER BY g",
            first_of_groups(&by_last_day),
        ),
        ("SELECT DISTINCT ON (g) id FROM t ORDER BY g, day DESC", first_of_groups(&by_last_day)),
        (
            "SELECT id FROM (SELECT g, first_value(id ORDER BY day) AS id FROM t GROUP BY g) ORDER BY g",
            first_of_groups(&by_day),
        ),
        // Of equal rows, it takes the first, too.
        (
            "SELECT id FROM (SELECT g, last_value(id ORDER BY day) AS id FROM t GROUP BY g) ORDER BY g",
            first_of_groups(&by_last_day),
        ),
        (
            "SELECT unnest(ids) AS id FROM (SELECT array_agg(id ORDER BY day) AS ids FROM t WHERE id < 5000)",
            sorted(rows.min(5000), |id| row(id).1),
        ),
        (
            "SELECT lag(id) OVER (ORDER BY day) AS id FROM t ORDER BY day LIMIT 9 OFFSET 1",
            by_day.iter().copied().take(9).collect(),
        ),
    ]
}

fn answers(volume: &Volume, inputs: &Value, rows: u32, arguments: &[&str]) {
    for (sql, expected) in queries(rows) {
        let ended = volume.step(&prepare(inputs.clone(), Some(sql)), arguments);
        let text = volume.data(ended.succeeds(), "data.csv");
        std::fs::remove_dir_all(volume.step_folder()).expect("removed");
        let found: Vec<u32> = text.lines().skip(1).map(|line| line.parse().expect("an id")).collect();
        let differs = found.iter().zip(&expected).position(|(found, expected)| found != expected);
        assert!(
            found.len() == expected.len() && differs.is_none(),
            "{rows} rows {arguments:?}: {sql}: {} of {} ids, {differs:?}",
            found.len(),
            expected.len()
        );
    }
}

#[test]
fn equal_rows_stay_in_their_order_in_every_format() {
    for rows in [60, 20_000] {
        let volume = Volume::new();
        volume.put("t.csv", table(rows));
        for format in ["csv", "ndjson", "parquet"] {
            let inputs = json!([converted(&volume, "t", format)]);
            answers(&volume, &inputs, rows, &[]);
        }
    }
}

/// More rows than one partition holds, and more than are sorted at once.
#[test]
fn equal_rows_of_large_tables_stay_in_their_order_whatever_the_memory() {
    let rows = 600_000;
    let volume = Volume::new();
    volume.put("t.csv", table(rows));
    let inputs = json!([{"name": "t", "source": {"uri": {"uri": "file:t.csv"}}}]);
    answers(&volume, &inputs, rows, &[]);
    answers(&volume, &inputs, rows, &["--memory-limit", "24MiB"]);
    let parquet = json!([converted(&volume, "t", "parquet")]);
    answers(&volume, &parquet, rows, &[]);
}
