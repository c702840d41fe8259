//! What a run step needs: an image, and settings that go with its workload.

use std::collections::{BTreeMap, BTreeSet};

use mlpipeline_crds::{CompletionMode, PodSettings, ReplicaVolume, Run, ServiceType, Workload};

use super::actions::Checked;
use super::dns::{check_name_of, is_dns_label};
use super::errors::Errors;
use super::mounts::{check_mount_path, place};
use super::serve::check_ports;
use super::{image, pod};
use crate::children::REPLICA_VOLUME;
use crate::names::environment_name;
use crate::quoted::quoted;
use crate::step_kind::default_service;

impl Checked for Run {
    fn check(&self, settings: &PodSettings, path: &str, errors: &mut Errors) {
        errors.require(
            !self.image.trim().is_empty(),
            format!("{path}.image"),
            "is empty: name a container image",
        );
        image::check(Some(&self.image), &format!("{path}.image"), errors);
        let workload = self.workload.unwrap_or_default();
        let is_job = workload == Workload::Job;
        let scales = matches!(workload, Workload::Deployment | Workload::StatefulSet);
        let rules = [
            ("completions", self.completions.is_some(), is_job, "Job"),
            ("completionMode", self.completion_mode.is_some(), is_job, "Job"),
            ("restartPolicy", self.restart_policy.is_some(), is_job, "Job"),
            ("replicas", self.replicas.is_some(), scales, "Deployment or StatefulSet"),
            (
                "replicaVolume",
                self.replica_volume.is_some(),
                workload == Workload::StatefulSet,
                "StatefulSet",
            ),
        ];
        for (field, present, allowed, workloads) in rules {
            errors.require(
                !present || allowed,
                format!("{path}.{field}"),
                format!("is only for workload {workloads}"),
            );
        }
        errors.require(
            self.completion_mode != Some(CompletionMode::Indexed) || self.completions.is_some(),
            format!("{path}.completionMode"),
            "Indexed goes with completions, which says how many indexes there are",
        );
        errors.require_between(self.completions, (1, 100_000), format!("{path}.completions"));
        errors.require_between(self.replicas, (0, 1000), format!("{path}.replicas"));
        if let Some(volume) = &self.replica_volume {
            check_replica_volume(volume, settings, &format!("{path}.replicaVolume"), errors);
        }
        let mut names = BTreeSet::new();
        for (index, input) in self.inputs.iter().enumerate() {
            let fits = input.name.len() <= 63
                && input.name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && input
                    .name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
            errors.require(
                fits,
                format!("{path}.inputs[{index}].name"),
                format!(
                    "{} is not a valid input name: 1 to 63 letters, digits, _ and -, a letter or _ first",
                    quoted(&input.name)
                ),
            );
            errors.require(
                names.insert(environment_name(&input.name)),
                format!("{path}.inputs[{index}].name"),
                format!("{} has the same environment variable as an earlier input", quoted(&input.name)),
            );
        }
        check_run_ports(self, path, errors);
    }
}

fn check_replica_volume(volume: &ReplicaVolume, settings: &PodSettings, path: &str, errors: &mut Errors) {
    pod::check_size(&volume.size, &format!("{path}.size"), errors);
    check_mount_path(&volume.mount_path, &format!("{path}.mountPath"), errors);
    // An empty one has a meaning: no volume is made, and one that is there is taken.
    let class = volume.storage_class_name.as_deref().filter(|class| !class.is_empty());
    check_name_of("StorageClass", class, format!("{path}.storageClassName"), errors);
    let own_place = place(&volume.mount_path);
    errors.require(
        !settings.mounts.iter().any(|mount| place(&mount.mount_path) == own_place),
        format!("{path}.mountPath"),
        format!("{} is where pod.mounts mounts another volume: change one", quoted(&volume.mount_path)),
    );
    errors.require(
        !settings.volumes.iter().any(|other| other.name == REPLICA_VOLUME),
        path,
        format!("goes by the name {REPLICA_VOLUME}, which a volume of pod.volumes has too: rename that one"),
    );
}

/// Checks how the ports of one container differ: by name, those of the Service and of nodes by number.
fn check_run_ports(run: &Run, path: &str, errors: &mut Errors) {
    let ports = &run.ports;
    let is_job = run.workload.unwrap_or_default() == Workload::Job;
    let (mut names, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    let mut targets: BTreeMap<i32, i32> = BTreeMap::new();
    let mut host_ports = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = format!("{path}.ports[{index}]");
        let kind = port.service.unwrap_or(default_service(run));
        check_ports(Some(port.port), port.node_port, kind, &path, errors);
        for (field, number) in [("targetPort", port.target_port), ("hostPort", port.host_port)] {
            errors.require_between(number, (1, 65535), format!("{path}.{field}"));
        }
        errors.require(
            !is_job || (port.service.is_none() && port.node_port.is_none()),
            &path,
            "asks for a Service, and a Job has none: leave service and nodePort out, or set workload to Deployment",
        );
        let target = port.container_port();
        if target != port.port && !is_job && kind == ServiceType::Headless {
            errors.add_with_hint(
                format!("{path}.targetPort"),
                format!("is {target} and port is {}, and a headless Service maps no ports: clients reach the pods at theirs", port.port),
                format!("write port: {target} and leave targetPort out, or set service: ClusterIP"),
            );
        }
        if let Some(host_port) = port.host_port {
            let earlier = targets.insert(target, host_port);
            if let Some(other) = earlier.filter(|other| *other != host_port) {
                errors.add(
                    format!("{path}.hostPort"),
                    format!("is {host_port}, and the container's port {target} is at the host port {other} already: keep one of the two"),
                );
            }
            errors.require(
                host_ports.insert(host_port) || earlier == Some(host_port),
                format!("{path}.hostPort"),
                format!("{host_port} is the host port of an earlier one too"),
            );
        }
        errors.require(
            is_dns_label(&port.name)
                && port.name.len() <= 15
                && !port.name.contains("--")
                && port.name.contains(|letter: char| letter.is_ascii_lowercase()),
            format!("{path}.name"),
            format!(
                "{} is not a valid port name: 1 to 15 lower-case letters, digits and single -, one letter at least",
                quoted(&port.name)
            ),
        );
        errors.require(
            numbers.insert(port.port),
            format!("{path}.port"),
            format!("{} is the port of an earlier one too", port.port),
        );
        errors.require(
            names.insert(&port.name),
            format!("{path}.name"),
            format!("{} is the name of an earlier port too", quoted(&port.name)),
        );
        let first = ports.first().and_then(|first| first.service).unwrap_or(default_service(run));
        errors.require(
            kind == first,
            format!("{path}.service"),
            "differs from that of the first port: all ports of a step share one Service",
        );
    }
}
