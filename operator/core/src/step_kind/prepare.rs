//! prepare: rows in, rows out; to an end, or file by file without one.

use mlpipeline_crds::{Output, PodSettings, Prepare, StepKind, Workload};
use serde_json::{Value, json};

use super::rows::{format_fingerprint, on_mismatch_fingerprint, output_fingerprint};
use super::{Descriptor, LocalPods, Read};
use crate::child_kind::ChildKind;
use crate::credentials;
use crate::piece::Piece;

impl Descriptor for Prepare {
    fn kind(&self) -> StepKind {
        StepKind::Prepare
    }

    fn reads(&self) -> Vec<Read> {
        if self.continuous.is_some() {
            return Vec::new();
        }
        let of_steps = self.inputs.iter().filter_map(|input| Some((&input.name, input.step.as_ref()?)));
        of_steps.map(|(name, step)| Read::data(name, step)).collect()
    }

    fn watches(&self) -> Option<&str> {
        self.continuous.as_ref()?;
        self.inputs.iter().find_map(|input| input.step.as_deref())
    }

    fn workload(&self) -> Workload {
        if self.continuous.is_some() { Workload::Deployment } else { Workload::Job }
    }

    fn companions(&self) -> Vec<ChildKind> {
        Vec::new()
    }

    fn is_worker(&self) -> bool {
        true
    }

    fn is_indexed(&self) -> bool {
        false
    }

    fn pieces(&self) -> &'static [Piece] {
        &[Piece::Commit]
    }

    fn needs_storage(&self) -> bool {
        true
    }

    fn credentials(&self) -> Vec<(String, String)> {
        let of_inputs = self.inputs.iter().filter_map(|input| {
            let secret = input.secret.clone()?;
            Some((credentials::of_input(&input.name), secret))
        });
        of_inputs.chain(credentials::of_output(self.output.as_ref())).collect()
    }

    fn output(&self) -> Option<&Output> {
        self.output.as_ref()
    }

    fn fingerprint(&self, _: &PodSettings) -> Value {
        let mut fingerprint = self.clone();
        fingerprint.output = output_fingerprint(fingerprint.output.take());
        for input in &mut fingerprint.inputs {
            input.format = format_fingerprint(input.format, input.uri.as_deref(), input.pattern.is_some());
            input.on_mismatch = on_mismatch_fingerprint(input.on_mismatch);
            input.secret = None;
        }
        if let Some(continuous) = &mut fingerprint.continuous {
            // How often it polls changes no result.
            continuous.poll_interval = None;
        }
        json!(fingerprint)
    }

    fn local(&self) -> LocalPods {
        LocalPods::single()
    }
}
