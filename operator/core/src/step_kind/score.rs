//! score: a model and rows in, predictions out.

use mlpipeline_crds::{
    Action, Gate, Metric, Output, PodSettings, ReplicaVolume, Run, Score, ScoreStep, Serve, StepKind,
    Workload,
};
use serde_json::{Value, json};

use super::rows::{delivery, output_fingerprint, output_settings, reference_fingerprint};
use super::{Descriptor, Doer, Exposure, LocalPods, NOTHING_TO_SHARE, Outside, Places, Read, Replicas};
use crate::credentials;
use crate::format::output_format;
use crate::piece::PlannedPiece;

/// What a score step calls the rows that it predicts for.
const INPUT: &str = "input";

impl Descriptor for Score {
    fn kind(&self) -> StepKind {
        StepKind::Score
    }

    fn reads(&self) -> Vec<Read> {
        let input = self.input.step.iter().map(|step| Read::data(INPUT, step, "input.step"));
        std::iter::once(Read::model(&self.model.step)).chain(input).collect()
    }

    fn watches(&self) -> Option<&str> {
        None
    }

    fn inbox(&self) -> Option<&str> {
        None
    }

    fn outside(&self) -> Vec<(String, Outside<'_>)> {
        Outside::of(&self.input).map(|place| ("input.uri".to_owned(), place)).into_iter().collect()
    }

    fn is_continuous(&self) -> bool {
        false
    }

    fn workload(&self) -> Workload {
        Workload::Job
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
        let of_input = self.input.secret.iter().map(|secret| (credentials::of_input(INPUT), secret.clone()));
        of_input.chain(credentials::of_output(self.output.as_ref())).collect()
    }

    fn output(&self) -> Option<&Output> {
        self.output.as_ref()
    }

    fn fingerprint(&self, _: &PodSettings) -> Value {
        json!(Score {
            model: self.model.clone(),
            input: reference_fingerprint(&self.input),
            output: output_fingerprint(self.output.clone()),
        })
    }

    fn execution_settings(&self) -> Vec<(&'static str, Value)> {
        output_settings(self.output.as_ref())
    }

    fn gate(&self) -> Option<&Gate> {
        None
    }

    fn doer(&self, places: &dyn Places) -> Doer<'_> {
        Doer::worker(Action::Score(ScoreStep {
            model: places.artifact("model"),
            model_digest: places.digest("model"),
            input: places.source(INPUT, &self.input),
            format: output_format(self.output.as_ref()),
            delivery: delivery(self.output.as_ref()),
        }))
    }

    fn local(&self) -> LocalPods {
        LocalPods::single()
    }
}
