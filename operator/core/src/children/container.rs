//! The one container of a step's pods.

use k8s_openapi::api::core::v1::{
    Capabilities, Container, ContainerPort, EnvVar, EnvVarSource, HTTPGetAction, ObjectFieldSelector, Probe,
    SecretKeySelector, SecurityContext, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use mlpipeline_crds::{Run, Serve, StepSpec};

use super::{BuildSettings, persistent_volume_claim as claim};
use crate::artifact_place::ArtifactPlace;
use crate::credentials;
use crate::names::environment_name;
use crate::observed::ProbePort;
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::plan::Task;
use crate::step_kind::{SERVE_PORT, SERVE_PORT_NAME, container_ports};

/// The name of that container, which sets it apart from those that others inject.
pub const CONTAINER: &str = "step";
/// Where a pod finds the pipeline's volume.
pub(super) const STORAGE_PATH: &str = "/storage";
/// The name of the port that pods which serve answer probes on, and no Service leads to.
pub const PROBE_PORT_NAME: &str = "probes";
/// That port.
const PROBE_PORT: i32 = 8001;
/// How many seconds a model may take to be loaded: the largest, of 128 MiB, from slow storage and with a tenth of a core. A process that fails
/// ends by itself, so this only delays the restart of one that hangs.
pub(crate) const STARTUP_SECONDS: i32 = 600;
/// How long a pod that is being deleted still answers: until every node has removed it from its routes.
const DRAIN_DELAY: &str = "5s";

/// The container that does a task.
pub(super) fn container(
    pipeline: &ValidatedPipeline,
    step: &ValidStep,
    task: &Task,
    settings: &BuildSettings,
    probe_port: ProbePort,
) -> Container {
    let secrets = step.action.descriptor().credentials();
    let base = Container {
        name: CONTAINER.to_owned(),
        env_from: some_if_any([step.pod.env_from.clone(), credentials::env_from(secrets)].concat()),
        resources: step.pod.resources.clone(),
        image_pull_policy: step.pod.image_pull_policy.map(|policy| policy.name().to_owned()),
        security_context: Some(restricted()),
        volume_mounts: some_if_any(mounts(pipeline, step, task)),
        ..Container::default()
    };
    match task {
        Task::Container { run, inputs, output } => {
            let folder = |place: &ArtifactPlace| format!("{STORAGE_PATH}/{place}");
            let mut env: Vec<EnvVar> = inputs
                .iter()
                .map(|(name, path)| {
                    value(format!("MLPIPELINE_INPUT_{}", environment_name(name)), folder(path))
                })
                .collect();
            if claim::name(pipeline).is_some() {
                env.push(value("MLPIPELINE_OUTPUT", folder(output)));
                // What others read as file:PATH is written to this folder's PATH.
                env.push(value("MLPIPELINE_STORAGE", STORAGE_PATH.to_owned()));
            }
            user_container(base, run, env, step)
        }
        Task::Worker(spec) => worker_container(base, pipeline, step, spec, settings, probe_port),
    }
}

fn user_container(base: Container, run: &Run, ours: Vec<EnvVar>, step: &ValidStep) -> Container {
    let ports = container_ports(run).into_iter().map(|(port, host_port)| ContainerPort {
        name: Some(port.name.clone()),
        container_port: port.container_port(),
        host_port,
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    });
    Container {
        image: Some(run.image.clone()),
        command: some_if_any(run.command.clone()),
        args: some_if_any(run.args.clone()),
        env: some_if_any(environment(step, ours)),
        ports: some_if_any(ports.collect()),
        // A program that knows nothing of reports is still heard when it fails.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..base
    }
}

fn worker_container(
    base: Container,
    pipeline: &ValidatedPipeline,
    step: &ValidStep,
    spec: &StepSpec,
    settings: &BuildSettings,
    probe_port: ProbePort,
) -> Container {
    // Plain data with text keys always becomes JSON.
    let parts = spec.to_arguments().unwrap_or_default();
    let mut args = vec!["step".to_owned()];
    args.extend(parts.iter().map(|part| unexpanded(part)));
    args.extend(["--storage".to_owned(), STORAGE_PATH.to_owned()]);
    let image = pipeline.image.clone().unwrap_or_else(|| settings.worker_image.clone());
    let base = Container { image: Some(image), ..base };
    let Some(serve) = step.action.descriptor().serving() else {
        return Container { args: Some(args), env: some_if_any(environment(step, Vec::new())), ..base };
    };
    args.extend(["--listen".to_owned(), format!("0.0.0.0:{SERVE_PORT}")]);
    args.extend(["--drain-delay".to_owned(), DRAIN_DELAY.to_owned()]);
    let mut ports = vec![port(SERVE_PORT_NAME, SERVE_PORT)];
    let probed = match probe_port {
        ProbePort::Shared => SERVE_PORT_NAME,
        ProbePort::Own => {
            args.extend(["--probe-listen".to_owned(), format!("0.0.0.0:{PROBE_PORT}")]);
            ports.push(port(PROBE_PORT_NAME, PROBE_PORT));
            PROBE_PORT_NAME
        }
    };
    Container {
        args: Some(args),
        env: some_if_any(environment(step, serve_environment(serve))),
        ports: Some(ports),
        startup_probe: Some(probe(probed, "/ready", 1, STARTUP_SECONDS)),
        readiness_probe: Some(probe(probed, "/ready", 2, 2)),
        liveness_probe: Some(probe(probed, "/health", 10, 3)),
        ..base
    }
}

fn port(name: &str, number: i32) -> ContainerPort {
    ContainerPort {
        name: Some(name.to_owned()),
        container_port: number,
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    }
}

/// An argument, or a variable's value, that reaches the process as it is: the kubelet puts variables in place of $(NAME), and $ in place of $$. Any other $
/// stays as it is, so that templates of pods that were never misread do not change.
fn unexpanded(argument: &str) -> String {
    let mut text = String::with_capacity(argument.len());
    let mut characters = argument.chars().peekable();
    while let Some(character) = characters.next() {
        text.push(character);
        if character == '$' && matches!(characters.peek(), Some('$' | '(')) {
            text.push('$');
        }
    }
    text
}

fn serve_environment(serve: &Serve) -> Vec<EnvVar> {
    let mut env = vec![EnvVar {
        name: "POD_NAME".to_owned(),
        value_from: Some(EnvVarSource {
            field_ref: Some(ObjectFieldSelector {
                field_path: "metadata.name".to_owned(),
                ..ObjectFieldSelector::default()
            }),
            ..EnvVarSource::default()
        }),
        ..EnvVar::default()
    }];
    // Ingress controllers pass paths on whole.
    if let Some(path) = serve.ingress.as_ref().and_then(|ingress| ingress.path.as_deref())
        && !path.trim_matches('/').is_empty()
    {
        env.push(EnvVar {
            name: "MLPIPELINE_SERVE_PATH_PREFIX".to_owned(),
            value: Some(unexpanded(path)),
            ..EnvVar::default()
        });
    }
    if let Some(auth) = &serve.auth {
        env.push(EnvVar {
            name: "MLPIPELINE_API_KEY".to_owned(),
            value_from: Some(EnvVarSource {
                secret_key_ref: Some(SecretKeySelector {
                    name: auth.api_key_secret.name.clone(),
                    key: auth.api_key_secret.key.clone(),
                    optional: None,
                }),
                ..EnvVarSource::default()
            }),
            ..EnvVar::default()
        });
    }
    env
}

/// The user's variables and ours; ours win, so that a step always has them.
fn environment(step: &ValidStep, ours: Vec<EnvVar>) -> Vec<EnvVar> {
    let taken = |name: &str| ours.iter().any(|variable| variable.name == name);
    step.pod.env.iter().filter(|variable| !taken(&variable.name)).cloned().chain(ours.clone()).collect()
}

fn mounts(pipeline: &ValidatedPipeline, step: &ValidStep, task: &Task) -> Vec<VolumeMount> {
    let read_only = matches!(task, Task::Worker(spec) if !spec.action.writes());
    let storage = claim::name(pipeline).map(|_| VolumeMount {
        name: "storage".to_owned(),
        mount_path: STORAGE_PATH.to_owned(),
        read_only: read_only.then_some(true),
        ..VolumeMount::default()
    });
    let tmp = VolumeMount { name: "tmp".to_owned(), mount_path: "/tmp".to_owned(), ..VolumeMount::default() };
    let users = step.pod.mounts.iter().map(|mount| VolumeMount {
        name: mount.name.clone(),
        mount_path: mount.mount_path.clone(),
        read_only: mount.read_only,
        ..VolumeMount::default()
    });
    storage.into_iter().chain([tmp]).chain(users).collect()
}

/// What the Pod Security Standard `restricted` asks of a container, and a root file system that cannot be written.
fn restricted() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        run_as_non_root: Some(true),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
        ..SecurityContext::default()
    }
}

fn probe(port: &str, path: &str, period_seconds: i32, failure_threshold: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String(port.to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period_seconds),
        failure_threshold: Some(failure_threshold),
        timeout_seconds: Some(2),
        ..Probe::default()
    }
}

fn value(name: impl Into<String>, value: String) -> EnvVar {
    EnvVar { name: name.into(), value: Some(value), ..EnvVar::default() }
}

/// A list for a field that is left out when there is nothing in it.
pub(super) fn some_if_any<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}
