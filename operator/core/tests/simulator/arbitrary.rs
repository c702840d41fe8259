//! Random pipelines that make sense, and random lives of them.

use mlpipeline_crds::MLPipeline;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Ending, World};

/// One random step, before it is known which steps come before it.
#[derive(Clone, Debug)]
pub struct Seed {
    kind: u8,
    reads: usize,
    model: usize,
    follows: Option<usize>,
    scheduled: bool,
    gate: Option<u8>,
}

/// Seeds of up to seven steps; in every second pipeline the first three are data, a model and pods that serve it.
pub fn seeds() -> impl Strategy<Value = Vec<Seed>> {
    let seed = (
        0..6u8,
        any::<usize>(),
        any::<usize>(),
        option::weighted(0.15, any::<usize>()),
        0..5u8,
        option::of(50..94u8),
    );
    let seed = seed.prop_map(|(kind, reads, model, follows, scheduled, gate)| Seed {
        kind,
        reads,
        model,
        follows,
        scheduled: scheduled == 0,
        gate,
    });
    (vec(seed, 1..8), any::<bool>()).prop_map(|(mut seeds, begins_well)| {
        if begins_well {
            seeds.iter_mut().zip([0, 2, 3]).for_each(|(seed, kind)| seed.kind = kind);
        }
        seeds
    })
}

/// The pipeline of these seeds. Each step reads one before it that makes what it needs; where there is none, data at a URI.
pub fn pipeline(seeds: &[Seed]) -> MLPipeline {
    let mut steps: Vec<Value> = Vec::new();
    let mut data: Vec<String> = Vec::new();
    let mut models: Vec<String> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for (index, seed) in seeds.iter().enumerate() {
        let name = format!("step-{index}");
        let source = pick(&data, seed.reads)
            .map_or_else(|| json!({"uri": "file:in.csv"}), |step| json!({"step": step}));
        let model = pick(&models, seed.model);
        let mut step = json!({"name": name});
        match (seed.kind, model) {
            (0 | 1, _) => {
                let mut input = source;
                input["name"] = json!("t");
                step["prepare"] = json!({"inputs": [input]});
            }
            (2, _) | (3 | 4, None) => {
                let gate = seed.gate.map(|min| json!({"metric": "accuracy", "min": f64::from(min) / 100.0}));
                step["train"] =
                    json!({"data": source, "target": "y", "algorithm": {"logisticRegression": {}}});
                if let Some(gate) = gate {
                    step["train"]["gate"] = gate;
                }
            }
            (3, Some(model)) => step["serve"] = json!({"model": {"step": model}, "replicas": 2}),
            (4, Some(model)) => step["score"] = json!({"model": {"step": model}, "input": source}),
            _ => {
                let inputs = pick(&data, seed.reads).map(|step| json!([{"name": "t", "step": step}]));
                step["run"] = json!({"image": "busybox:1", "inputs": inputs.unwrap_or_else(|| json!([]))});
                if seed.scheduled {
                    step["run"]["workload"] = json!("Deployment");
                }
            }
        }
        let runs_for_ever = step.get("serve").is_some() || step["run"].get("workload").is_some();
        if seed.scheduled && !runs_for_ever {
            step["schedule"] = json!({"cron": "0 2 * * *"});
        }
        if let Some(other) = seed.follows.and_then(|index| pick(&names, index)) {
            step["after"] = json!([other]);
        }
        if step.get("train").is_some() {
            models.push(name.clone());
        } else if !runs_for_ever {
            data.push(name.clone());
        }
        names.push(name);
        steps.push(step);
    }
    let resource = json!({
        "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline", "metadata": {"name": "p"},
        "spec": {"history": 2, "steps": steps},
    });
    serde_json::from_value(resource).expect("a pipeline")
}

fn pick(names: &[String], index: usize) -> Option<String> {
    names.get(index.checked_rem(names.len())?).cloned()
}

/// An edit of one step.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Changes what the step means.
    Fingerprint(u8),
    /// Changes nothing of that: a label.
    Label(u8),
    /// Changes nothing of that: resources, retries.
    Resources(u8),
    /// Changes what may be served of it, for a train step.
    Gate(u8),
}

impl Edit {
    /// The pipeline after this edit of the step.
    pub fn apply(&self, resource: &MLPipeline, step: usize) -> MLPipeline {
        let mut edited = resource.clone();
        let index = step % edited.spec.steps.len();
        let step = &mut edited.spec.steps[index];
        let pod = step.pod.get_or_insert_default();
        match self {
            Self::Fingerprint(token) => step.rerun = Some(format!("token {token}")),
            Self::Label(value) => drop(pod.labels.insert("team".into(), value.to_string())),
            Self::Resources(cpu) => {
                let limits = json!({"requests": {"cpu": cpu.to_string()}});
                pod.resources = Some(serde_json::from_value(limits).expect("resources"));
                step.timeout = (step.serve.is_none() && step.run.is_none()).then(|| format!("{cpu}1s"));
            }
            Self::Gate(min) => {
                if let Some(train) = &mut step.train {
                    let gate = json!({"metric": "accuracy", "min": f64::from(*min) / 100.0});
                    train.gate = Some(serde_json::from_value(gate).expect("a gate"));
                }
            }
        }
        edited
    }
}

/// Something that happens.
#[derive(Clone, Debug)]
pub enum Event {
    /// An edit of a step.
    Edit(Edit, usize),
    /// The spec is as it was at first.
    Revert,
    /// `suspend` is set or removed.
    Suspend(bool),
    /// The operator applies its plan.
    Apply,
    /// A run that is at work ends.
    Finish(usize, Ending),
    /// Pods come up.
    RollOut,
    /// A CronJob fires.
    Fire(usize),
    /// A Job, or what runs all the time, is deleted by hand.
    Vanish(usize, bool),
    /// A step is removed, if that leaves a pipeline that makes sense.
    Drop(usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (0..4u8).prop_map(Edit::Fingerprint),
        (0..4u8).prop_map(Edit::Label),
        (1..4u8).prop_map(Edit::Resources),
        (40..99u8).prop_map(Edit::Gate),
    ]
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        6 => (0..3u8, 40..100u8).prop_map(|(content, accuracy)| Ending::Done {
            content: content.to_string(),
            accuracy: f64::from(accuracy) / 100.0,
        }),
        1 => Just(Ending::ReportLost),
        1 => Just(Ending::Failed { reason: "WrongData".into(), message: "a wrong row".into() }),
    ]
}

/// A random life.
pub fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (edit(), any::<usize>()).prop_map(|(edit, step)| Event::Edit(edit, step)),
        1 => Just(Event::Revert),
        1 => any::<bool>().prop_map(Event::Suspend),
        8 => Just(Event::Apply),
        8 => (any::<usize>(), ending()).prop_map(|(run, ending)| Event::Finish(run, ending)),
        4 => Just(Event::RollOut),
        3 => any::<usize>().prop_map(Event::Fire),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(step, live)| Event::Vanish(step, live)),
        1 => any::<usize>().prop_map(Event::Drop),
    ];
    vec(event, 0..40)
}

impl World {
    /// Lets an event happen, where it can.
    pub fn happen(&mut self, event: &Event, original: &MLPipeline) {
        match event {
            Event::Edit(edit, step) => self.resource = edit.apply(&self.resource, *step),
            Event::Revert => self.resource = original.clone(),
            Event::Suspend(suspend) => self.resource.spec.suspend = Some(*suspend),
            Event::Apply => drop(self.apply()),
            Event::Finish(index, ending) => {
                let steps: Vec<String> = self.observed.steps.keys().cloned().collect();
                let steps: Vec<String> = steps.into_iter().filter(|step| self.is_active(step)).collect();
                if let Some(step) = pick(&steps, *index) {
                    self.finish(&step, ending);
                }
            }
            Event::RollOut => {
                let steps = self.observed.steps.iter();
                let steps: Vec<String> = steps
                    .filter(|(_, step)| step.long_running.is_some())
                    .map(|(name, _)| name.clone())
                    .collect();
                steps.iter().for_each(|step| self.roll_out(step));
            }
            Event::Fire(index) => {
                let steps: Vec<String> = self
                    .cron_jobs
                    .iter()
                    .filter(|(_, (_, suspended))| !suspended)
                    .map(|(step, _)| step.clone())
                    .collect();
                if let Some(step) = pick(&steps, *index) {
                    self.fire(&step);
                }
            }
            Event::Vanish(index, live) => {
                let steps: Vec<String> = self.observed.steps.keys().cloned().collect();
                if let Some(found) = pick(&steps, *index).and_then(|step| self.observed.steps.get_mut(&step))
                {
                    if *live {
                        found.long_running = None;
                    } else {
                        found.runs.pop();
                    }
                }
            }
            Event::Drop(index) => {
                let mut dropped = self.clone();
                let count = dropped.resource.spec.steps.len();
                dropped.resource.spec.steps.remove(index % count);
                if dropped.pipeline().is_ok() {
                    self.resource = dropped.resource;
                }
            }
        }
    }

    /// Settles and lets every schedule fire, so often that everything has flown to the end. Everything ends well.
    pub fn converge(&mut self) {
        for _ in 0..self.resource.spec.steps.len() + 1 {
            self.settle(&mut |_, _| Ending::usual());
            let steps: Vec<String> = self.cron_jobs.keys().cloned().collect();
            for step in steps {
                if self.cron_jobs.get(&step).is_some_and(|(_, suspended)| !suspended) {
                    self.fire(&step);
                    self.finish(&step, &Ending::usual());
                    self.settle(&mut |_, _| Ending::usual());
                }
            }
        }
    }
}
