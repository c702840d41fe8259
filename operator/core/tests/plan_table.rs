//! What the plan decides, and the reason it prints, as tables that read as documentation.
//!
//! `tests/plan_table/*.txt` hold the rows. A row begins with `# what it shows`. Lines that are not indented say what happens;
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
//! | `STEP vanishes` | its newest Job is deleted by hand |
//! | `STEP ready` | its pods are all ready |
//! | `STEP N of M ready` | they are not |
//! | `STEP is scaled to N` | the autoscaler, or somebody, asks for so many pods; those that are ready stay |
//! | `STEP fires` | its CronJob starts a run |
//! | `STEP pod_issue REASON: MESSAGE` | its pods cannot work |
//! | `PATH = YAML` | an edit; PATH begins with a step's name, or with `spec` |
//! | `PATH removed` | an edit that takes a field away, or a whole step |
//! | `add step YAML` \| `rename A to B` | edits of the list; a rename goes into every reference |
//! | `revert` | the spec is as it was at first |
//! | `on a laptop` | scheduled steps run once, at once |

#![allow(clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "rows and pipelines are files")]

mod simulator;

use std::fmt::Write as _;

use mlpipeline_core::observed::{PodIssue, RunPhase};
use mlpipeline_core::plan::{Decision, Plan, StepPlan, Task, Work};
use mlpipeline_core::tracks::Tracks;
use mlpipeline_crds::{MLPipeline, Revision};
use serde_json::{Value, json};
use simulator::{Ending, World};

/// The files of rows, and the least number of rows in all of them.
const TABLES: [(&str, &str); 11] = [
    ("progress", include_str!("plan_table/progress.txt")),
    ("edits", include_str!("plan_table/edits.txt")),
    ("failures", include_str!("plan_table/failures.txt")),
    ("gates", include_str!("plan_table/gates.txt")),
    ("schedules", include_str!("plan_table/schedules.txt")),
    ("suspend", include_str!("plan_table/suspend.txt")),
    ("history", include_str!("plan_table/history.txt")),
    ("long_running", include_str!("plan_table/long_running.txt")),
    ("settings", include_str!("plan_table/settings.txt")),
    ("autoscaling", include_str!("plan_table/autoscaling.txt")),
    ("continuous", include_str!("plan_table/continuous.txt")),
];
const LEAST_ROWS: usize = 70;

/// One row at work: the world, and what is needed to show it.
struct Row {
    world: World,
    original: MLPipeline,
    /// Revisions with their steps, in the order in which they were met.
    met: Vec<(String, Revision)>,
}

impl Row {
    fn new(pipeline: &str) -> Self {
        let path = format!("{}/tests/data/plan/{pipeline}.yaml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let original: MLPipeline =
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { world: World::new(original.clone()), original, met: Vec::new() }
    }

    /// Lets something happen; what the words are, the head of this file says.
    fn happens(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["settle"] => {
                self.world.settle(&mut |_, _| Ending::usual());
            }
            ["settle", "once"] => {
                self.world.apply();
            }
            ["on", "a", "laptop"] => {
                self.world.schedules = mlpipeline_core::plan::Schedules::RunOnce;
            }
            ["revert"] => self.world.resource = self.original.clone(),
            ["add", "step", ..] => {
                let step: Value =
                    serde_saphyr::from_str(line.trim_start_matches("add step ")).expect("a step's YAML");
                self.edit("/spec/steps/-", step);
            }
            ["rename", from, "to", to] => self.rename(from, to),
            [path, "removed"] => self.remove(path),
            [path, "=", ..] => {
                let (_, value) = line.split_once(" = ").expect("a value");
                let value: Value = serde_saphyr::from_str(value).expect("a value's YAML");
                let pointer = self.pointer(path);
                self.edit(&pointer, value);
            }
            [step, rest @ ..] => self.happens_to(step, rest),
            [] => panic!("an empty line"),
        }
        self.meet();
    }

    fn happens_to(&mut self, step: &str, words: &[&str]) {
        let usual = Ending::usual();
        let world = &mut self.world;
        match words {
            ["done"] => self.finish(step, &usual),
            ["done", "accuracy", accuracy] => self.finish(
                step,
                &Ending::Done {
                    content: "the same rows".into(),
                    accuracy: accuracy.parse().expect("an accuracy"),
                },
            ),
            ["done", "content", content] => {
                self.finish(step, &Ending::Done { content: (*content).into(), accuracy: 0.95 });
            }
            ["loses", "its", "report"] => self.finish(step, &Ending::ReportLost),
            ["fails", reason, message @ ..] => self.finish(
                step,
                &Ending::Failed { reason: reason.trim_end_matches(':').into(), message: message.join(" ") },
            ),
            ["vanishes"] => {
                let runs = &mut world.observed.steps.get_mut(step).expect("an observed step").runs;
                runs.pop().expect("a run");
            }
            ["ready"] => {
                world.apply();
                world.roll_out(step);
            }
            [ready, "of", desired, "ready"] => {
                world.apply();
                let live = world.observed.steps.get_mut(step).and_then(|step| step.long_running.as_mut());
                let live = live.expect("pods");
                live.updated_ready = ready.parse().expect("a count");
                live.desired = desired.parse().expect("a count");
                live.steady = live.updated_ready;
                live.settled = false;
            }
            ["is", "scaled", "to", desired] => {
                let live = world.observed.steps.get_mut(step).and_then(|step| step.long_running.as_mut());
                let live = live.expect("pods");
                live.desired = desired.parse().expect("a count");
                live.settled = live.updated_ready >= live.desired;
                for ready in [&mut live.updated_ready, &mut live.ready, &mut live.steady] {
                    *ready = (*ready).min(live.desired);
                }
            }
            ["forgets", "its", "settings"] => {
                let runs = &mut world.observed.steps.get_mut(step).expect("an observed step").runs;
                runs.iter_mut().for_each(|run| run.settings = None);
            }
            ["never", "begins"] => {
                if !world.is_active(step) {
                    world.apply();
                }
                let runs = &mut world.observed.steps.get_mut(step).expect("an observed step").runs;
                runs.iter_mut()
                    .filter(|run| run.phase == RunPhase::Active)
                    .for_each(|run| run.is_pending = true);
            }
            ["fires"] => {
                if !world.cron_jobs.contains_key(step) {
                    world.apply();
                }
                world.fire(step);
            }
            ["pod_issue", reason, message @ ..] => {
                let found = world.observed.steps.entry(step.into()).or_default();
                found.pod_issues.push(PodIssue {
                    reason: reason.trim_end_matches(':').into(),
                    message: message.join(" "),
                });
            }
            other => panic!("nobody knows what \"{step} {}\" means", other.join(" ")),
        }
    }

    fn finish(&mut self, step: &str, ending: &Ending) {
        if !self.world.is_active(step) {
            self.world.apply();
        }
        self.world.finish(step, ending);
    }

    /// The JSON pointer of a path such as train.train.gate.min or spec.suspend.
    fn pointer(&self, path: &str) -> String {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let below = if rest.is_empty() { String::new() } else { format!("/{}", rest.replace('.', "/")) };
        if first == "spec" {
            return format!("/spec{below}");
        }
        let position = self.world.resource.spec.steps.iter().position(|step| step.name == first);
        format!("/spec/steps/{}{below}", position.unwrap_or_else(|| panic!("there is no step {first}")))
    }

    fn edit(&mut self, pointer: &str, value: Value) {
        let mut document = json!(self.world.resource);
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer below the document");
        if document.pointer(parent).is_none() {
            let (grandparent, missing) = parent.rsplit_once('/').expect("a pointer below the document");
            let above =
                document.pointer_mut(grandparent).unwrap_or_else(|| panic!("there is no {grandparent}"));
            above.as_object_mut().expect("an object").insert(missing.into(), json!({}));
        }
        match document.pointer_mut(parent).unwrap_or_else(|| panic!("there is no {parent}")) {
            Value::Array(items) if name == "-" => items.push(value),
            Value::Array(items) => items[name.parse::<usize>().expect("an index")] = value,
            Value::Object(fields) => {
                fields.insert(name.into(), value);
            }
            other => panic!("{parent} is {other}"),
        }
        self.set(document);
    }

    fn remove(&mut self, path: &str) {
        let pointer = self.pointer(path);
        let mut document = json!(self.world.resource);
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer below the document");
        match document.pointer_mut(parent).unwrap_or_else(|| panic!("there is no {parent}")) {
            Value::Array(items) => drop(items.remove(name.parse().expect("an index"))),
            Value::Object(fields) => drop(fields.remove(name).expect("a field to remove")),
            other => panic!("{parent} is {other}"),
        }
        self.set(document);
    }

    fn rename(&mut self, from: &str, to: &str) {
        let text = json!(self.world.resource.spec).to_string();
        let renamed = ["name", "step"].iter().fold(text, |text, field| {
            text.replace(&format!("\"{field}\":\"{from}\""), &format!("\"{field}\":\"{to}\""))
        });
        self.world.resource.spec = serde_json::from_str(&renamed).expect("a spec");
    }

    fn set(&mut self, document: Value) {
        self.world.resource = serde_json::from_value(document).expect("the edit leaves an MLPipeline");
    }

    /// Gives every revision that can be seen now its number.
    fn meet(&mut self) {
        if self.world.pipeline().is_err() {
            // The spec makes no sense between two lines of one edit.
            return;
        }
        let plan = self.world.plan();
        let mut seen: Vec<(String, Revision)> = Vec::new();
        for step in &plan.steps {
            seen.extend(step.revision.clone().map(|revision| (step.name.clone(), revision)));
        }
        for (name, found) in &self.world.observed.steps {
            let reported = |run: &mlpipeline_core::observed::ObservedRun| {
                run.report.as_ref().and_then(|report| report.revision.clone())
            };
            seen.extend(found.runs.iter().filter_map(reported).map(|revision| (name.clone(), revision)));
        }
        // The key of a run by schedule names no result; it has a number of its own.
        for (name, found) in &self.world.observed.steps {
            seen.extend(found.runs.iter().map(|run| (format!("key of {name}"), run.key.clone())));
        }
        for (step, revision) in seen {
            if !self.met.iter().any(|(_, known)| *known == revision) {
                self.met.push((step, revision));
            }
        }
    }

    /// The plan as the table shows it.
    fn shown(&self) -> String {
        let plan = self.world.plan();
        let width = plan.steps.iter().map(|step| step.name.len()).max().unwrap_or_default();
        let mut text = String::new();
        for step in &plan.steps {
            writeln!(text, "  {:width$}  {:8} {}", step.name, format!("{:?}", step.decision), step.reason)
                .expect("text");
        }
        let key_of = |step: &str| self.world.observed.steps.get(step)?.long_running.as_ref()?.key.clone();
        for note in notes(&plan, key_of) {
            writeln!(text, "  {note}").expect("text");
        }
        self.named(text)
    }

    /// Text with STEP@N for revisions.
    fn named(&self, mut text: String) -> String {
        for (index, (step, revision)) in self.met.iter().enumerate() {
            let number = self.met.iter().take(index + 1).filter(|(other, _)| other == step).count();
            text = text.replace(revision.as_str(), &format!("{step}@{number}"));
        }
        text
    }
}

/// What a plan asks for beside its decisions: what is to be removed, and what is set up although its step waits.
fn notes(plan: &Plan, key_of: impl Fn(&str) -> Option<Revision>) -> Vec<String> {
    let mut notes = Vec::new();
    for step in &plan.steps {
        let run = match &step.work {
            Some(Work::Once(run) | Work::Scheduled { run, .. }) => Some(run),
            _ => None,
        };
        if let Some(Task::Worker(spec)) = run.map(|run| &run.task)
            && !spec.remove.is_empty()
        {
            let revisions: Vec<String> = spec.remove.iter().map(ToString::to_string).collect();
            notes.push(format!("- the run of {} removes {}", step.name, revisions.join(", ")));
        }
        notes.extend(attempt(step));
        if let Some(Work::LongRunning(Tracks { stable, .. })) = &step.work
            && let Some(first) = stable.first_replicas
        {
            notes.push(format!("- {} begins with {first} pods", step.name));
        }
        if matches!(step.work, Some(Work::Scheduled { suspend: true, .. })) {
            notes.push(format!("- the schedule of {} is suspended", step.name));
        }
        let is_held = matches!(step.decision, Decision::Wait | Decision::Blocked);
        if let Some(Work::LongRunning(Tracks { stable: work, .. })) = step.work.as_ref().filter(|_| is_held)
            && key_of(&step.name).as_ref() != Some(&work.key)
        {
            notes.push(format!("- the pods of {} are replaced", step.name));
        }
    }
    if !plan.prune.is_empty() {
        notes.push(format!("- deletes {}", plan.prune.join(", ")));
    }
    notes
}

fn attempt(step: &StepPlan) -> Option<String> {
    match &step.work {
        Some(Work::Once(run)) if run.attempt > 1 => {
            Some(format!("- the run of {} is attempt {}", step.name, run.attempt))
        }
        _ => None,
    }
}

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
fn a_run_at_work_says_so() {
    let mut row = Row::new("single");
    row.happens("settle once");
    assert!(row.world.is_active("data"));
    assert!(row.world.observed.steps["data"].runs.iter().all(|run| run.phase == RunPhase::Active));
    assert_eq!(row.shown(), "  data  Running  at work\n");
}
