//! Joins: which side is held in memory, in which order rows come out, and what is said where it does not fit.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::fmt::Write;

use serde_json::{Value, json};
use support::{Ended, Volume, converted, prepare};

/// Rows of the large table: held in memory, it takes more than is allowed here.
const LARGE: u32 = 200_000;

/// Rows of the small one.
const SMALL: u32 = 1_000;

const MEMORY: &[&str] = &["--memory-limit", "6MiB"];

fn volume() -> Volume {
    let volume = Volume::new();
    let mut large = "id,k,note\n".to_owned();
    for id in 0..LARGE {
        writeln!(large, "{id},{},note of row {id}", (id * 7) % (SMALL + 10)).expect("a String");
    }
    volume.put("large.csv", large);
    let small: String = (0..SMALL).map(|k| format!("{k},name {k}\n")).collect();
    volume.put("small.csv", format!("k,name\n{small}"));
    volume
}

fn uri(name: &str) -> Value {
    json!({"name": name, "source": {"uri": {"uri": format!("file:{name}.csv")}}})
}

fn joined(volume: &Volume, inputs: &Value, sql: &str) -> (Ended, String) {
    let ended = volume.step(&prepare(inputs.clone(), Some(sql)), MEMORY);
    let text = if ended.code == 0 { volume.data(&ended, "data.csv") } else { String::new() };
    let _ = std::fs::remove_dir_all(volume.step_folder());
    (ended, text)
}

#[test]
fn a_join_holds_the_side_with_fewer_rows_whichever_is_written_first() {
    let volume = volume();
    let sources = ["csv", "ndjson", "parquet"].map(|format| {
        (format, json!([converted(&volume, "large", format), converted(&volume, "small", format)]))
    });
    let files = ("files", json!([uri("large"), uri("small")]));
    for sql in [
        "SELECT id, name FROM large JOIN small ON large.k = small.k WHERE id % 1000 = 0",
        "SELECT id, name FROM small JOIN large ON large.k = small.k WHERE id % 1000 = 0",
        "SELECT id, name FROM large LEFT JOIN small ON large.k = small.k",
        "SELECT id, name FROM small RIGHT JOIN large ON large.k = small.k",
        "SELECT id, name FROM large FULL JOIN small ON large.k = small.k AND small.k < 990",
        "SELECT id, name FROM large JOIN (SELECT k, name FROM small WHERE k <> 5) AS s ON large.k = s.k",
    ] {
        let (ended, expected) = joined(&volume, &files.1, sql);
        ended.succeeds();
        let ids: Vec<u32> =
            expected.lines().skip(1).filter_map(|line| line.split(',').next()?.parse().ok()).collect();
        assert!(ids.len() >= 198, "{sql}: {} rows", ids.len());
        // The rows of the side that is not held come in their order, those without a partner in their place.
        assert!(sql.contains("FULL") || ids.is_sorted(), "{sql}");
        for (name, inputs) in &sources {
            let (ended, found) = joined(&volume, inputs, sql);
            ended.succeeds();
            assert!(found == expected, "{name}: {sql}: other rows than from the files");
        }
    }
}

#[test]
fn a_join_of_which_neither_side_fits_says_what_does_not_and_what_to_do() {
    let volume = volume();
    let inputs = json!([uri("large")]);
    let sql = "SELECT a.id FROM large AS a JOIN large AS b ON a.note = b.note";
    let (ended, _) = joined(&volume, &inputs, sql);
    let parts =
        ["more memory than it may use (6.0 MB)", "a join holds the side with fewer rows", "resources"];
    ended.fails(2, "OutOfMemory", &parts);
    for engine in ["HashJoin", "reservation", "pool", "DataFusion"] {
        assert!(!ended.message().contains(engine), "{}", ended.message());
    }
}
