//! prepare: rows in, rows out; to an end, or file by file without one.

use mlpipeline_crds::{
    Action, Check, ContinuousStep, Gate, Metric, Output, PodSettings, Prepare, PrepareInput, PrepareStep,
    ReplicaVolume, Run, Serve, StepKind, Workload,
};
use serde_json::{Value, json};

use super::rows::{
    delivery, format_fingerprint, on_mismatch_fingerprint, output_fingerprint, output_settings,
    reading_fingerprint,
};
use super::{Descriptor, Doer, Exposure, LocalPods, NOTHING_TO_SHARE, Outside, Places, Read, Replicas};
use crate::credentials;
use crate::duration::parse_duration;
use crate::format::output_format;
use crate::piece::PlannedPiece;

/// How long a continuous step waits between two polls when its spec does not say.
const DEFAULT_POLL_SECONDS: u32 = 5;

impl Descriptor for Prepare {
    fn kind(&self) -> StepKind {
        StepKind::Prepare
    }

    fn reads(&self) -> Vec<Read> {
        if self.continuous.is_some() {
            return Vec::new();
        }
        let reads = self.inputs.iter().enumerate().filter_map(|(index, input)| {
            Some(Read::data(&input.name, input.step.as_ref()?, format!("inputs[{index}].step")))
        });
        reads.collect()
    }

    fn watches(&self) -> Option<&str> {
        self.continuous.as_ref()?;
        self.inputs.iter().find_map(|input| input.step.as_deref())
    }

    fn inbox(&self) -> Option<&str> {
        self.continuous.as_ref()?;
        self.inputs.iter().find_map(|input| input.uri.as_deref())
    }

    fn outside(&self) -> Vec<(String, Outside<'_>)> {
        let outside = self.inputs.iter().enumerate().filter_map(|(index, input)| {
            let place = Outside { uri: input.uri.as_deref()?, secret: input.secret.as_deref() };
            Some((format!("inputs[{index}].uri"), place))
        });
        outside.collect()
    }

    fn is_continuous(&self) -> bool {
        self.continuous.is_some()
    }

    fn workload(&self) -> Workload {
        if self.continuous.is_some() { Workload::Deployment } else { Workload::Job }
    }

    fn replicas(&self) -> Replicas {
        Replicas::OneAtATime
    }

    fn exposure(&self) -> Option<Exposure> {
        None
    }

    fn node_ports(&self) -> Vec<(String, i32)> {
        Vec::new()
    }

    fn replica_volume(&self) -> Option<&ReplicaVolume> {
        None
    }

    fn container(&self) -> Option<&Run> {
        None
    }

    fn serving(&self) -> Option<&Serve> {
        None
    }

    fn serving_mut(&mut self) -> Option<&mut Serve> {
        None
    }

    fn searches_by(&self) -> Option<Metric> {
        None
    }

    fn is_indexed(&self) -> bool {
        false
    }

    fn pieces(&self, _: Option<i32>) -> Vec<PlannedPiece> {
        vec![PlannedPiece::COMMIT]
    }

    fn against_parallelism(&self, _: bool) -> Vec<&'static str> {
        vec![NOTHING_TO_SHARE]
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
            input.reading = reading_fingerprint(input.reading.as_deref());
            input.secret = None;
        }
        fingerprint.checks = self.checks.iter().map(Check::without_defaults).collect();
        if let Some(continuous) = &mut fingerprint.continuous {
            // How often it polls changes no result.
            continuous.poll_interval = None;
        }
        json!(fingerprint)
    }

    fn execution_settings(&self) -> Vec<(&'static str, Value)> {
        output_settings(self.output.as_ref())
    }

    fn gate(&self) -> Option<&Gate> {
        None
    }

    fn doer(&self, places: &dyn Places) -> Doer<'_> {
        let inputs = self.inputs.iter().map(|input| PrepareInput {
            name: input.name.clone(),
            source: places.source(&input.name, &input.reference()),
        });
        Doer::worker(Action::Prepare(PrepareStep {
            inputs: inputs.collect(),
            sql: self.sql.clone(),
            checks: self.checks.clone(),
            format: output_format(self.output.as_ref()),
            delivery: delivery(self.output.as_ref()),
            continuous: continuous(self, places),
        }))
    }

    fn local(&self) -> LocalPods {
        LocalPods::single()
    }
}

/// How a step processes files as they come; `None` for one that has an end.
fn continuous(prepare: &Prepare, places: &dyn Places) -> Option<ContinuousStep> {
    let seconds = prepare.continuous.as_ref()?.poll_interval.as_deref().and_then(parse_duration);
    Some(ContinuousStep {
        poll_seconds: seconds.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(DEFAULT_POLL_SECONDS),
        keep: places.history(),
    })
}
