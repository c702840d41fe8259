//! One row at work: the world, and what is needed to show it.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use mlpipeline_core::observed::{ObservedRun, Overdue, PodIssue, RunPhase};
use mlpipeline_crds::{MLPipeline, Revision};
use serde_json::{Value, json};

use crate::notes::notes;
use crate::simulator::{Ending, World};

/// One row at work.
pub struct Row {
    pub world: World,
    original: MLPipeline,
    /// Revisions with their steps, in the order in which they were met.
    met: Vec<(String, Revision)>,
}

impl Row {
    pub fn new(pipeline: &str) -> Self {
        let path = format!("{}/tests/data/plan/{pipeline}.yaml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let original: MLPipeline =
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { world: World::new(original.clone()), original, met: Vec::new() }
    }

    /// Lets something happen; what the words are, the head of main.rs says.
    pub fn happens(&mut self, line: &str) {
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
            ["the", "operator's", "image", "is", image] => {
                self.world.observed.default_image = Some((*image).to_owned());
            }
            ["revert"] => self.world.resource = self.original.clone(),
            ["add", "step", ..] => {
                let step: Value =
                    serde_saphyr::from_str(line.trim_start_matches("add step ")).expect("a step's YAML");
                self.edit("/spec/steps/-", step);
            }
            ["a", "minute", "passes"] => self.world.now = in_a_minute(self.world.now),
            ["a", "day", "passes"] => {
                self.world.now =
                    self.world.now.saturating_add(SignedDuration::from_hours(24)).expect("a time");
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
                live.settled_ready = live.updated_ready;
                live.settled = false;
            }
            ["is", "scaled", "to", desired] => {
                let live = world.observed.steps.get_mut(step).and_then(|step| step.long_running.as_mut());
                let live = live.expect("pods");
                live.desired = desired.parse().expect("a count");
                live.settled = live.updated_ready >= live.desired;
                for ready in [&mut live.updated_ready, &mut live.ready, &mut live.settled_ready] {
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
                    .for_each(|run| run.is_idle = true);
            }
            ["fires"] => {
                if !world.cron_jobs.contains_key(step) {
                    world.apply();
                }
                world.fire(step);
            }
            other => self.is_held_up(step, other),
        }
    }

    /// What keeps a step's pods from their work.
    fn is_held_up(&mut self, step: &str, words: &[&str]) {
        let world = &mut self.world;
        match words {
            ["begins"] => {
                let runs = &mut world.observed.steps.get_mut(step).expect("an observed step").runs;
                let active = runs.iter_mut().filter(|run| run.phase == RunPhase::Active);
                active.for_each(|run| run.started = Some(world.now));
            }
            ["pod_issue", reason, message @ ..] => {
                let found = world.observed.steps.entry(step.into()).or_default();
                found.pod_issues.push(issue(reason, message));
            }
            ["overdue", reason, message @ ..] => {
                let found = world.observed.steps.entry(step.into()).or_default();
                found
                    .overdue
                    .push(Overdue { from: in_a_minute(world.now), pod_issue: issue(reason, message) });
            }
            ["not_autoscaled", reason, message @ ..] => {
                let found = world.observed.steps.entry(step.into()).or_default();
                let pod_issue = issue(reason, message);
                found.not_autoscaled = Some(Overdue { from: in_a_minute(world.now), pod_issue });
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
    pub fn meet(&mut self) {
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
            let reported = |run: &ObservedRun| run.report.as_ref().and_then(|report| report.revision.clone());
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
    pub fn shown(&self) -> String {
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

fn issue(reason: &str, message: &[&str]) -> PodIssue {
    PodIssue { reason: reason.trim_end_matches(':').into(), message: message.join(" ") }
}

fn in_a_minute(now: Timestamp) -> Timestamp {
    now.saturating_add(SignedDuration::from_mins(1)).expect("a time")
}
