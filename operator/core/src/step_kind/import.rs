//! import: the file of a model in, the model as an artifact out.

use mlpipeline_crds::{
    Action, Gate, Import, ImportStep, Metric, Output, PodSettings, ReplicaVolume, Run, Serve, StepKind,
    Workload,
};
use serde_json::{Value, json};

use super::{Descriptor, Doer, Exposure, LocalPods, NOTHING_TO_SHARE, Outside, Places, Read, Replicas};
use crate::credentials;
use crate::piece::PlannedPiece;

/// What an import step calls its file, in the names of the variables with its credentials.
const FILE: &str = "onnx";

impl Descriptor for Import {
    fn kind(&self) -> StepKind {
        StepKind::Import
    }

    fn reads(&self) -> Vec<Read> {
        Vec::new()
    }

    fn watches(&self) -> Option<&str> {
        None
    }

    fn inbox(&self) -> Option<&str> {
        None
    }

    fn outside(&self) -> Vec<(String, Outside<'_>)> {
        let place = Outside { uri: &self.onnx.uri, secret: self.onnx.secret.as_deref() };
        vec![("onnx.uri".to_owned(), place)]
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
        self.onnx.secret.iter().map(|secret| (credentials::of_input(FILE), secret.clone())).collect()
    }

    fn output(&self) -> Option<&Output> {
        None
    }

    fn fingerprint(&self, _: &PodSettings) -> Value {
        let mut fingerprint = self.clone();
        // Other credentials for the same place change nothing of what is there.
        fingerprint.onnx.secret = None;
        fingerprint.softmax = fingerprint.softmax.filter(|asked| *asked);
        json!(fingerprint)
    }

    fn execution_settings(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn gate(&self) -> Option<&Gate> {
        None
    }

    fn doer(&self, _: &dyn Places) -> Doer<'_> {
        Doer::worker(Action::Import(ImportStep {
            uri: self.onnx.uri.clone(),
            sha256: self.onnx.sha256.clone(),
            credentials: self.onnx.secret.as_ref().map(|_| credentials::of_input(FILE)),
            target: self.target.clone(),
            features: self.features.clone(),
            classes: self.classes.clone(),
            softmax: self.softmax.unwrap_or_default(),
        }))
    }

    fn local(&self) -> LocalPods {
        LocalPods::single()
    }
}
