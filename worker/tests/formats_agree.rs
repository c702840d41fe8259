//! One answer, whatever the format of the table: CSV, NDJSON and Parquet of the same rows, over generated tables and a list of
//! queries. Arrow itself is the reference for a part of them: what the generator knows it put in.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::fmt::Write;

use serde_json::{Value, json};
use support::{Volume, converted, prepare};

/// Queries over the table t (id, n, x, s, d, b).
const QUERIES: [&str; 12] = [
    "SELECT * FROM t",
    "SELECT count(*) AS n, count(x) AS x, count(s) AS s, min(x) AS l, max(x) AS h, sum(n) AS t FROM t",
    "SELECT id FROM t WHERE x > 0.5 AND n <> 3",
    "SELECT id FROM t WHERE x IS NULL OR s = 'a,b'",
    "SELECT s, count(*) AS c, avg(x) AS m FROM t GROUP BY s",
    "SELECT b, sum(n) AS total FROM t GROUP BY b HAVING count(*) > 1",
    "SELECT t.id, u.id AS other FROM t JOIN t AS u ON t.n = u.n AND t.id < u.id",
    "SELECT t.id, u.id AS other FROM t LEFT JOIN t AS u ON t.n = u.n + 100",
    "SELECT id, row_number() OVER (PARTITION BY n ORDER BY id) AS r FROM t",
    "SELECT DISTINCT n FROM t",
    "SELECT id, d FROM t WHERE d >= DATE '2024-06-01' ORDER BY d, id",
    "SELECT id, coalesce(s, 'none') AS s FROM t ORDER BY x DESC NULLS LAST, id LIMIT 7",
];

/// A small generator of numbers that are the same on each machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A table of so many rows, as CSV.
fn table(seed: u64, rows: u64) -> String {
    let mut numbers = Numbers(seed);
    let mut text = "id,n,x,s,d,b\n".to_owned();
    for id in 0..rows {
        let whole = numbers.below(9) as i64 - 4;
        let fraction = match numbers.below(6) {
            0 => String::new(),
            part => format!("{}.{part}", numbers.below(3)),
        };
        let words = ["", "a", "\"a,b\"", "é", "\"say \"\"hi\"\"\""];
        let word = words[numbers.below(5) as usize];
        let day = format!("2024-{:02}-{:02}", 1 + numbers.below(12), 1 + numbers.below(28));
        let truth = ["true", "false", ""][numbers.below(3) as usize];
        writeln!(text, "{id:04}x,{whole},{fraction},{word},{day},{truth}").expect("a String");
    }
    text
}

fn answer(volume: &Volume, inputs: Value, sql: &str) -> String {
    let ended = volume.step(&prepare(inputs, Some(sql)), &[]);
    let text = volume.data(ended.succeeds(), "data.csv");
    std::fs::remove_dir_all(volume.step_folder()).expect("removed");
    text
}

#[test]
fn every_format_gives_the_same_answer() {
    for (seed, rows) in [(1, 40), (3, 300)] {
        let volume = Volume::new();
        volume.put("t.csv", table(seed, rows));
        let formats =
            ["csv", "ndjson", "parquet"].map(|format| (format, json!([converted(&volume, "t", format)])));
        for sql in QUERIES {
            let raw = json!([{"name": "t", "source": {"uri": {"uri": "file:t.csv"}}}]);
            let expected = answer(&volume, raw, sql);
            for (format, inputs) in &formats {
                assert_eq!(answer(&volume, inputs.clone(), sql), expected, "{format}: {sql}");
            }
        }
    }
}

/// More rows than one partition holds: the order of rows and groups, and sums, do not depend on how many cores there are.
#[test]
fn large_tables_keep_the_order_of_their_rows_and_groups() {
    let volume = Volume::new();
    let mut text = "id,g,x\n".to_owned();
    for id in 0..1_000_000_u32 {
        writeln!(text, "{id},group {},0.{}", (id / 7) % 5003, id % 997).expect("a String");
    }
    volume.put("t.csv", &text);
    let inputs = || json!([{"name": "t", "source": {"uri": {"uri": "file:t.csv"}}}]);
    let copy = answer(&volume, inputs(), "SELECT id FROM t WHERE id % 1000 = 999");
    let expected: Vec<String> = (0..1000).map(|row| (row * 1000 + 999).to_string()).collect();
    assert_eq!(copy, format!("id\n{}\n", expected.join("\n")));
    let groups = answer(&volume, inputs(), "SELECT g, count(*) AS n FROM t GROUP BY g LIMIT 3");
    assert_eq!(groups, "g,n\ngroup 0,203\ngroup 1,203\ngroup 2,203\n");
    let sql = "SELECT g, sum(x) AS s, avg(x) AS a FROM t WHERE id <> 5 GROUP BY g";
    let on = |cores: &str| {
        let spec = prepare(inputs(), Some(sql)).to_string();
        let storage = volume.path().display().to_string();
        let worker = env!("CARGO_BIN_EXE_mlpipeline-worker");
        let output = std::process::Command::new("taskset")
            .args(["-c", cores, worker, "step", "--storage", &storage, "--report", "/dev/null", &spec])
            .output()
            .expect("taskset is there");
        assert!(output.status.success(), "{output:?}");
        let folder = volume.step_folder();
        let revision = std::fs::read_dir(&folder)
            .expect("the step")
            .map(|entry| entry.expect("an entry").path())
            .find(|path| path.join("data.csv").exists())
            .expect("a revision");
        let bytes = std::fs::read(revision.join("data.csv")).expect("the result");
        std::fs::remove_dir_all(folder).expect("removed");
        bytes
    };
    let one = on("0");
    assert!(one.len() > 50_000, "{}", one.len());
    let all = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    assert!(on(&format!("0-{}", all - 1)) == one, "one core and {all} give different bytes");
}

#[test]
fn sums_and_means_of_doubles_have_all_digits_however_a_table_is_divided() {
    let volume = Volume::new();
    let mut text = "i,g,price\n".to_owned();
    for row in 0..60_000 {
        let cents = row * 7919 % 50_021;
        writeln!(text, "{row},{},{}.{:02}", row % 3, cents / 100, cents % 100).expect("a String");
    }
    volume.put("t.csv", text);
    let csv = json!([{"name": "t", "source": {"uri": {"uri": "file:t.csv"}}}]);
    let inputs =
        [csv, json!([converted(&volume, "t", "ndjson")]), json!([converted(&volume, "t", "parquet")])];
    let mean = "250.08484533333333";
    for (sql, expected) in [
        ("SELECT sum(price) AS s, avg(price) AS a FROM t", format!("s,a\n15005090.72,{mean}\n")),
        (
            "SELECT sum(price) FILTER (WHERE g = 0) AS s, avg(price) FILTER (WHERE g = 0) AS a FROM t",
            "s,a\n5000894.82,250.04474100000002\n".to_owned(),
        ),
        (
            "SELECT sum(DISTINCT price) AS s, avg(DISTINCT price) AS a, count(*) AS n FROM t",
            "s,a,n\n12510252.1,250.1,60000\n".to_owned(),
        ),
        (
            "SELECT g, sum(price) AS s, avg(price) AS a FROM t GROUP BY g ORDER BY g",
            "g,s,a\n0,5000894.82,250.04474100000002\n1,5002530.59,250.1265295\n2,5001665.31,250.08326549999998\n"
                .to_owned(),
        ),
        (
            "SELECT g, sum(price) FILTER (WHERE i % 3 = 1) AS s FROM t GROUP BY g ORDER BY g",
            "g,s\n0,\n1,5002530.59\n2,\n".to_owned(),
        ),
        (
            "SELECT sum(price) OVER () AS s, avg(price) OVER () AS a FROM t LIMIT 1",
            format!("s,a\n15005090.72,{mean}\n"),
        ),
        (
            "SELECT s, a FROM (SELECT i, sum(price) OVER (ORDER BY i) AS s, avg(price) OVER (ORDER BY i ROWS 60000 PRECEDING) AS a FROM t) \
             WHERE i = 59999",
            format!("s,a\n15005090.72,{mean}\n"),
        ),
    ] {
        for input in &inputs {
            assert_eq!(answer(&volume, input.clone(), sql), expected, "{sql} of {input}");
        }
    }
}
