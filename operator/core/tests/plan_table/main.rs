//! What the plan decides, and the reason it prints, as tables that read as documentation.
//!
//! `*.txt` beside this file hold the rows. A row begins with `# what it shows`. Lines that are not indented say what happens;
//! indented lines say what the plan is then, one step a line: its name, the decision, the reason. Revisions are shown as
//! STEP@1, STEP@2 … in the order in which the row first meets them. What happens is one of:
//!
//! | line | fingerprint |
//! |---|---|
//! | `pipeline NAME` | the pipeline of `data/plan/NAME.yaml`, and nothing exists (every row begins with one) |
//! | `settle` | everything that the plan asks for is done and ends well, until nothing is left |
//! | `settle once` | everything that the plan asks for at this moment is started |
//! | `STEP done` \| `STEP done accuracy 0.8` \| `STEP done content X` | its run (started if need be) ends well |
//! | `STEP fails REASON: MESSAGE` | its run ends badly, for good |
//! | `STEP never begins` | no pod of its active run has begun to work |
//! | `STEP forgets its settings` | its Job is one of a version that did not record them |
//! | `STEP loses its report` | its run ends well, and nobody can read the report |
//! | `the operator's image is X` | its default, as it is from now on |
//! | `STEP vanishes` | its newest Job is deleted by hand |
//! | `STEP ready` | its pods are all ready |
//! | `STEP N of M ready` | they are not |
//! | `STEP is scaled to N` | the autoscaler, or somebody, asks for so many pods; those that are ready stay |
//! | `STEP fires` | its CronJob starts a run |
//! | `STEP pod_issue REASON: MESSAGE` | its pods cannot work |
//! | `STEP begins` | its active run starts at this time |
//! | `STEP overdue REASON: MESSAGE` | something is wrong with its pods if it lasts for a minute |
//! | `STEP not_autoscaled REASON: MESSAGE` | something is wrong with its autoscaler if it lasts for a minute |
//! | `a minute passes` \| `a day passes` | the clock |
//! | `PATH = YAML` | an edit; PATH begins with a step's name, or with `spec` |
//! | `PATH removed` | an edit that takes a field away, or a whole step |
//! | `add step YAML` \| `rename A to B` | edits of the list; a rename goes into every reference |
//! | `revert` | the spec is as it was at first |
//! | `on a laptop` | scheduled steps run once, at once |

#![allow(clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "rows and pipelines are files")]

mod notes;
mod row;
#[path = "../simulator/mod.rs"]
mod simulator;

use mlpipeline_core::observed::RunPhase;
use row::Row;

/// The files of rows, and the least number of rows in all of them.
const TABLES: [(&str, &str); 12] = [
    ("progress", include_str!("progress.txt")),
    ("edits", include_str!("edits.txt")),
    ("failures", include_str!("failures.txt")),
    ("gates", include_str!("gates.txt")),
    ("schedules", include_str!("schedules.txt")),
    ("suspend", include_str!("suspend.txt")),
    ("history", include_str!("history.txt")),
    ("long_running", include_str!("long_running.txt")),
    ("settings", include_str!("settings.txt")),
    ("autoscaling", include_str!("autoscaling.txt")),
    ("continuous", include_str!("continuous.txt")),
    ("held_up", include_str!("held_up.txt")),
];
const LEAST_ROWS: usize = 70;

/// The table with the plans that are really made in place of those that it claims.
fn played(name: &str, table: &str) -> String {
    let mut text = String::new();
    let mut row: Option<Row> = None;
    let mut title = "before the first row";
    let mut lines = table.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("  ") {
            continue;
        }
        if let Some(of_row) = line.strip_prefix("# ") {
            title = of_row;
            row = None;
        } else if let Some(pipeline) = line.strip_prefix("pipeline ") {
            row = Some(Row::new(pipeline));
        } else if !line.is_empty() && !line.starts_with("//") {
            let row = row.as_mut().unwrap_or_else(|| panic!("{name}: \"{title}\" names no pipeline"));
            row.happens(line);
        }
        text.push_str(line);
        text.push('\n');
        let is_claim = lines.peek().is_some_and(|next| next.starts_with("  "));
        if let Some(row) = row.as_mut().filter(|_| is_claim) {
            row.meet();
            text.push_str(&row.shown());
        }
    }
    text
}

#[test]
fn every_row_of_the_tables_holds() {
    let mut wrong = Vec::new();
    for (name, table) in TABLES {
        let really = played(name, table);
        if really != table {
            let path = format!("{}/{name}.txt", env!("CARGO_TARGET_TMPDIR"));
            std::fs::write(&path, &really).expect("the folder for tests can be written");
            wrong.push(format!(
                "{name}: see what really happens with: diff operator/core/tests/plan_table/{name}.txt {path}\n{}",
                first_difference(table, &really)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn first_difference(claimed: &str, really: &str) -> String {
    let mut title = "";
    for (left, right) in claimed.lines().zip(really.lines()) {
        if left.starts_with("# ") {
            title = left;
        }
        if left != right {
            return format!("{title}\n  claimed: {left}\n  really:  {right}");
        }
    }
    "one of them ends before the other".to_owned()
}

#[test]
fn there_are_enough_rows_and_each_claims_something() {
    let rows: Vec<&str> = TABLES.iter().flat_map(|(_, table)| table.split("\n# ")).collect();
    assert!(rows.len() >= LEAST_ROWS, "{} rows", rows.len());
    for row in rows {
        assert!(row.contains("\n  "), "claims nothing: {row}");
        assert!(row.contains("pipeline "), "has no pipeline: {row}");
    }
}

#[test]
fn a_table_that_claims_something_else_is_found_out() {
    let row = "# a lie\npipeline single\n  data  Done     up to date\n";
    assert_ne!(played("lie", row), row);
}

#[test]
fn a_run_at_work_is_shown_as_running() {
    let mut row = Row::new("single");
    row.happens("settle once");
    assert!(row.world.is_active("data"));
    assert!(row.world.observed.steps["data"].runs.iter().all(|run| run.phase == RunPhase::Active));
    assert_eq!(row.shown(), "  data  Running  at work\n");
}
