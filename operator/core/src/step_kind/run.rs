//! run: any container of the user's, with any workload.

use mlpipeline_crds::{
    CompletionMode, Gate, Metric, Output, PodSettings, Port, ReplicaVolume, Run, Serve, ServiceType,
    StepKind, Workload,
};
use serde_json::{Value, json};

use super::{
    Descriptor, Doer, ExposedPort, Exposure, LocalPods, Outside, Places, Read, Readiness, Replicas, Wanted,
};
use crate::piece::PlannedPiece;

/// The ports of a container, each with its port of the node: one of each number, which several ports of the Service may lead to.
pub(crate) fn container_ports(run: &Run) -> Vec<(&Port, Option<i32>)> {
    let is_first = |port: &&Port| std::ptr::eq(first_with_target(run, port), *port);
    let host_port = |port: &Port| {
        let same = run.ports.iter().filter(|other| other.container_port() == port.container_port());
        same.into_iter().find_map(|other| other.host_port)
    };
    run.ports.iter().filter(is_first).map(|port| (port, host_port(port))).collect()
}

/// The first port that leads to the same port of the container, which gives that its name.
fn first_with_target<'a>(run: &'a Run, port: &'a Port) -> &'a Port {
    run.ports.iter().find(|other| other.container_port() == port.container_port()).unwrap_or(port)
}

/// The type of the Service of a port that names none. Stable names of a StatefulSet's pods need a headless one, with ports or without.
pub(crate) fn default_service(run: &Run) -> ServiceType {
    match run.workload.unwrap_or_default() {
        Workload::StatefulSet => ServiceType::Headless,
        Workload::Job | Workload::Deployment | Workload::DaemonSet => ServiceType::ClusterIP,
    }
}

impl Descriptor for Run {
    fn kind(&self) -> StepKind {
        StepKind::Run
    }

    fn reads(&self) -> Vec<Read> {
        let reads = self.inputs.iter().enumerate().map(|(index, input)| Read {
            name: input.name.clone(),
            step: input.step.clone(),
            wanted: Wanted::Result,
            field: format!("inputs[{index}].step"),
        });
        reads.collect()
    }

    fn watches(&self) -> Option<&str> {
        None
    }

    fn inbox(&self) -> Option<&str> {
        None
    }

    fn outside(&self) -> Vec<(String, Outside<'_>)> {
        Vec::new()
    }

    fn is_continuous(&self) -> bool {
        false
    }

    fn workload(&self) -> Workload {
        self.workload.unwrap_or_default()
    }

    fn replicas(&self) -> Replicas {
        Replicas::Fixed(self.replicas.unwrap_or(1))
    }

    fn exposure(&self) -> Option<Exposure> {
        let workload = Descriptor::workload(self);
        let is_stateful = workload == Workload::StatefulSet;
        if !workload.is_long_running() || (self.ports.is_empty() && !is_stateful) {
            return None;
        }
        let service_type = self.ports.first().and_then(|port| port.service).unwrap_or(default_service(self));
        let ports = self.ports.iter().map(|port| ExposedPort {
            name: port.name.clone(),
            port: if service_type == ServiceType::Headless { port.container_port() } else { port.port },
            target: first_with_target(self, port).name.clone(),
            node_port: port.node_port,
        });
        Some(Exposure {
            service_type,
            ports: ports.collect(),
            // A client of a daemon means the one of the node that it asks, its own most of all.
            only_own_node: workload == Workload::DaemonSet,
        })
    }

    fn node_ports(&self) -> Vec<(String, i32)> {
        let ports = self.ports.iter().enumerate();
        ports
            .filter_map(|(index, port)| Some((format!("ports[{index}].nodePort"), port.node_port?)))
            .collect()
    }

    fn replica_volume(&self) -> Option<&ReplicaVolume> {
        self.replica_volume.as_ref()
    }

    fn container(&self) -> Option<&Run> {
        Some(self)
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
        self.completion_mode == Some(CompletionMode::Indexed)
    }

    fn pieces(&self, _: Option<i32>) -> Vec<PlannedPiece> {
        vec![PlannedPiece::COMMIT]
    }

    fn against_parallelism(&self, _: bool) -> Vec<&'static str> {
        let is_long_running = Descriptor::workload(self).is_long_running();
        is_long_running.then_some("is only for a run step with workload Job").into_iter().collect()
    }

    fn needs_storage(&self) -> bool {
        !self.inputs.is_empty()
    }

    fn credentials(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    fn output(&self) -> Option<&Output> {
        None
    }

    fn fingerprint(&self, pod: &PodSettings) -> Value {
        let is_long_running = Descriptor::workload(self).is_long_running();
        let mut fingerprint =
            json!({ "image": self.image, "command": self.command, "args": self.args, "inputs": self.inputs });
        if let Some(fields) = fingerprint.as_object_mut() {
            // A program of somebody else's may read any of its environment, so all of it is part of what it does.
            for (name, value) in [("env", json!(pod.env)), ("envFrom", json!(pod.env_from))] {
                if value.as_array().is_some_and(|list| !list.is_empty()) {
                    fields.insert(name.into(), value);
                }
            }
            if let Some(completions) = self.completions.filter(|_| !is_long_running) {
                fields.insert("completions".into(), completions.into());
            }
            if self.is_indexed() {
                fields.insert("completionMode".into(), json!(self.completion_mode));
            }
            if is_long_running {
                fields.insert("workload".into(), json!(self.workload));
            }
        }
        fingerprint
    }

    fn execution_settings(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("run.restartPolicy", json!(self.restart_policy.unwrap_or_default())),
            ("run.ports", json!(self.ports)),
        ]
    }

    fn gate(&self) -> Option<&Gate> {
        None
    }

    fn doer(&self, _: &dyn Places) -> Doer<'_> {
        Doer::Container(self)
    }

    fn local(&self) -> LocalPods {
        let ports: Vec<String> = self.ports.iter().map(|port| port.name.clone()).collect();
        LocalPods {
            readiness: if ports.is_empty() { Readiness::Starts } else { Readiness::Connects },
            ports,
            replicas: usize::try_from(Descriptor::replicas(self).fewest()).unwrap_or_default(),
        }
    }
}
