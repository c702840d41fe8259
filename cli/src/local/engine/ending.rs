//! What follows when something ended: records are saved or removed.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Engine, Event};
use crate::local::job::End;
use crate::state::{Phase, RunRecord};

impl Engine {
    /// Applies something that happened to the records.
    pub(super) fn handle(&mut self, event: Event) {
        match event {
            Event::Pod { step, run, number } => {
                if let Some(record) = self.record(&step, &run) {
                    record.pods = number;
                }
            }
            Event::Replica { step, problem } => {
                if let Some(live) = self.long_running.get_mut(&step) {
                    live.progress(problem);
                }
            }
            Event::RunEnded { step, run, end } => {
                self.active.remove(&run);
                self.end(&step, &run, *end);
                self.prune_history(&step);
            }
        }
    }

    fn record(&mut self, step: &str, run: &str) -> Option<&mut RunRecord> {
        self.records.get_mut(step)?.iter_mut().find(|record| record.name == run)
    }

    fn end(&mut self, step: &str, run: &str, end: End) {
        let Some(record) = self.record(step, run) else { return };
        record.finished = Some(Timestamp::now());
        match end {
            End::Succeeded(report) => {
                record.phase = Phase::Succeeded;
                record.report = report;
            }
            End::Failed { reason, message, report } => {
                record.phase = Phase::Failed { reason, message };
                record.report = report;
            }
            // A run that was stopped leaves no record.
            End::Stopped => return self.forget(step, run),
        }
        let record = record.clone();
        self.put(step, record);
    }

    /// Saves a record, in place of one of the same name.
    pub(super) fn put(&mut self, step: &str, record: RunRecord) {
        if let Err(error) = self.starter.store.save(step, &record) {
            self.warnings.push(format!("the record of {} cannot be saved: {error}", record.name));
        }
        let records = self.records.entry(step.to_owned()).or_default();
        records.retain(|other| other.name != record.name);
        records.push(record);
    }

    pub(super) fn forget(&mut self, step: &str, run: &str) {
        self.starter.store.remove(step, run);
        if let Some(records) = self.records.get_mut(step) {
            records.retain(|record| record.name != run);
        }
    }

    /// Stops or removes the runs that the plan no longer needs.
    pub(super) fn prune(&mut self) {
        for name in self.plan.prune.clone() {
            if let Some(active) = self.active.get(&name) {
                active.stop.send_replace(true);
                continue;
            }
            let step =
                self.records.iter().find(|(_, records)| records.iter().any(|record| record.name == name));
            if let Some(step) = step.map(|(step, _)| step.clone()) {
                self.forget(&step, &name);
            }
        }
    }

    /// Removes old records of a schedule's runs: all but the newest run for each result, and but the newest failure.
    pub(super) fn prune_history(&mut self, step: &str) {
        let Some(records) = self.records.get(step) else { return };
        let mut newest: Vec<&RunRecord> = records.iter().filter(|record| record.scheduled).collect();
        newest.sort_by_key(|record| std::cmp::Reverse((record.finished, record.started)));
        let mut results = BTreeSet::new();
        let mut failed = false;
        let superfluous = newest.into_iter().filter(|record| match record.phase {
            Phase::Active => false,
            Phase::Failed { .. } => std::mem::replace(&mut failed, true),
            Phase::Succeeded => {
                !results.insert(record.result().clone()) || !self.starter.store.has_result(step, record)
            }
        });
        for run in superfluous.map(|record| record.name.clone()).collect::<Vec<_>>() {
            self.forget(step, &run);
        }
    }
}
