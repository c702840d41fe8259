//! train: rows in, a model out.

use mlpipeline_crds::{
    Action, CrossValidation, Gate, Metric, Output, PodSettings, ReplicaVolume, Run, Scale, Search, Serve,
    Split, SplitBy, StepKind, Train, TrainStep, Workload,
};
use serde_json::{Value, json};

use super::rows::reference_fingerprint;
use super::{Descriptor, Doer, Exposure, LocalPods, NOTHING_TO_SHARE, Outside, Places, Read, Replicas};
use crate::credentials;
use crate::piece::{Piece, PlannedPiece};

/// What a train step calls the rows that it learns from.
const DATA: &str = "data";

impl Descriptor for Train {
    fn kind(&self) -> StepKind {
        StepKind::Train
    }

    fn reads(&self) -> Vec<Read> {
        self.data.step.iter().map(|step| Read::data(DATA, step, "data.step")).collect()
    }

    fn watches(&self) -> Option<&str> {
        None
    }

    fn inbox(&self) -> Option<&str> {
        None
    }

    fn outside(&self) -> Vec<(String, Outside<'_>)> {
        Outside::of(&self.data).map(|place| ("data.uri".to_owned(), place)).into_iter().collect()
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
        Some(self.tune.as_ref()?.compared_by(&self.algorithm))
    }

    fn is_indexed(&self) -> bool {
        false
    }

    fn pieces(&self, parallelism: Option<i32>) -> Vec<PlannedPiece> {
        let pods = self.tune.as_ref().map_or(1, |tune| tune.pods(parallelism));
        let trials = PlannedPiece { piece: Piece::Trials, pods: Some(pods) };
        (pods > 1).then_some(trials).into_iter().chain([PlannedPiece::COMMIT]).collect()
    }

    fn against_parallelism(&self, is_scheduled: bool) -> Vec<&'static str> {
        let Some(tune) = &self.tune else { return vec![NOTHING_TO_SHARE] };
        let is_halving = (tune.search == Some(Search::Halving)).then_some(
            "cannot be beside search: halving, whose rounds choose among all trials: leave it out, and all are measured in the step's pod",
        );
        let is_one_job = is_scheduled.then_some(
            "cannot be beside schedule: a run of a schedule is one Job, which measures all trials in its pod; leave one of the two out",
        );
        is_halving.into_iter().chain(is_one_job).collect()
    }

    fn needs_storage(&self) -> bool {
        true
    }

    fn credentials(&self) -> Vec<(String, String)> {
        self.data.secret.iter().map(|secret| (credentials::of_input(DATA), secret.clone())).collect()
    }

    fn output(&self) -> Option<&Output> {
        None
    }

    fn fingerprint(&self, _: &PodSettings) -> Value {
        let mut fingerprint = self.clone();
        // The gate judges a model; it does not make one.
        fingerprint.gate = None;
        fingerprint.data = reference_fingerprint(&self.data);
        fingerprint.algorithm.remove_defaults();
        let scale = self.scale.unwrap_or_default();
        for column in &mut fingerprint.columns {
            column.remove_defaults(scale);
        }
        fingerprint.scale = fingerprint.scale.filter(|scale| *scale != Scale::default());
        // The order of a map's entries means nothing.
        fingerprint.columns.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(split) = &mut fingerprint.split {
            split.stratify = split.stratify.filter(|stratify| *stratify != Split::DEFAULT_STRATIFY);
            split.seed = split.seed.filter(|seed| *seed != Split::DEFAULT_SEED);
            split.by = split.by.filter(|by| *by != SplitBy::default());
        }
        fingerprint.learning_curve = fingerprint.learning_curve.filter(|asked| *asked);
        if let Some(folds) = &mut fingerprint.cross_validation {
            folds.seed = folds.seed.filter(|seed| *seed != CrossValidation::DEFAULT_SEED);
        }
        if let Some(tune) = &mut fingerprint.tune {
            tune.remove_defaults();
        }
        json!(fingerprint)
    }

    fn execution_settings(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn gate(&self) -> Option<&Gate> {
        self.gate.as_ref()
    }

    fn doer(&self, places: &dyn Places) -> Doer<'_> {
        Doer::worker(Action::Train(TrainStep {
            data: places.source(DATA, &self.data),
            target: self.target.clone(),
            features: self.features.clone(),
            columns: self.columns.clone(),
            scale: self.scale.filter(|scale| *scale != Scale::default()),
            interactions: self.interactions.clone(),
            group_by: self.group_by.clone(),
            algorithm: self.algorithm.clone(),
            tune: self.tune.clone(),
            trial_pods: places.trial_pods(),
            split: self.split.clone(),
            cross_validation: self.cross_validation.clone(),
            learning_curve: self.learning_curve.filter(|asked| *asked),
            gate: self.gate.clone(),
            baseline: places.baseline(),
        }))
    }

    fn local(&self) -> LocalPods {
        LocalPods::single()
    }
}
