//! One plain line for each change of a step, for pipes and logs.

use std::collections::BTreeMap;

use mlpipeline_crds::StepState;

use super::printed;
use super::summary::summary;
use super::table::Tone;
use crate::local::{Engine, Row, Watcher};

/// Prints a line for each change of a step.
pub struct LineWatcher {
    seen: BTreeMap<String, (StepState, String)>,
    as_json: bool,
    warned: usize,
}

impl LineWatcher {
    /// Prints to standard output, or to standard error where standard output is for JSON.
    #[must_use]
    pub fn new(as_json: bool) -> Self {
        Self { seen: BTreeMap::new(), as_json, warned: 0 }
    }

    /// Prints what changes from now on.
    #[must_use]
    pub fn after(engine: &Engine) -> Self {
        let seen = engine.rows().into_iter().map(|row| (row.step, (row.state, row.message)));
        Self { seen: seen.collect(), as_json: false, warned: engine.warnings.len() }
    }

    fn print(&mut self, row: &Row) {
        let now = (row.state, row.message.clone());
        let before = self.seen.insert(row.step.clone(), now.clone());
        let is_new = match &before {
            // A step that has nothing to do yet is in the table at the end.
            None => !matches!(row.state, StepState::Waiting | StepState::Suspended),
            Some(before) => *before != now && (before.0 != row.state || row.state == StepState::Running),
        };
        if is_new {
            let line = line(row);
            if self.as_json { printed::beside(line) } else { printed::output(line) }
        }
    }
}

impl Watcher for LineWatcher {
    fn changed(&mut self, engine: &Engine) {
        for row in engine.rows() {
            self.print(&row);
        }
        for warning in engine.warnings.iter().skip(self.warned) {
            super::note(warning);
        }
        self.warned = engine.warnings.len();
    }

    fn settled(&mut self, engine: &Engine) {
        summary(engine, self.as_json);
    }
}

/// A row as one line: "train  done  0.4 s  accuracy 0.9667".
pub fn line(row: &Row) -> String {
    let style = Tone::of(row.state).style();
    let seconds =
        row.seconds.filter(|_| row.state != StepState::Running).map(|seconds| format!("{seconds:.1} s  "));
    let state = format!("{:?}", row.state).to_lowercase();
    format!("{}  {style}{state}{style:#}  {}{}", row.step, seconds.unwrap_or_default(), row.message)
}
