//! From a step's task to the command line that does it: the worker, or a container tool.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mlpipeline_core::artifact_place::ArtifactPlace;
use mlpipeline_core::names::environment_name;
use mlpipeline_core::pipeline::ValidStep;
use mlpipeline_crds::{CompletionMode, Run, StepSpec, Workload};

use super::environment::{Environment, expand};
use super::process::CommandLine;
use super::variables_file::{VariablesFile, hand_over};
use crate::manifest::SecretText;
use crate::state::own_file;

/// Addresses that a cluster's worker would not fetch from, and a user's own machine may.
const OWN_ADDRESSES: &str = "127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7";

/// Where the volume is mounted in containers.
const MOUNT: &str = "/storage";

/// Why a step cannot run on this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CannotRun {
    /// The kind in CamelCase.
    pub reason: &'static str,
    /// What is missing and what to do.
    pub message: String,
}

/// What command lines are made with.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The worker's program.
    pub worker: PathBuf,
    /// podman or docker.
    pub container: Option<PathBuf>,
    /// This program, which is also the watchdog of containers.
    pub own: PathBuf,
    /// The folder that stands for the volume, absolute.
    pub volume: PathBuf,
    /// The folder of the manifest, where `file:` inputs may be too, absolute.
    pub files: PathBuf,
    /// Hosts to read from another address, as HOST[:PORT] to HOST:PORT.
    pub resolve: BTreeMap<String, String>,
}

impl Tools {
    /// The command line of a worker that runs a step to completion.
    ///
    /// # Errors
    /// When the file with the step's spec cannot be written.
    pub fn worker_run(
        &self,
        spec: &StepSpec,
        environment: Environment,
        file: &Path,
        report: &Path,
    ) -> std::io::Result<CommandLine> {
        let mut command = self.worker(spec, environment, file)?;
        command.arguments.extend(["--report".into(), report.into()]);
        Ok(command)
    }

    /// The command line of a worker that processes files as they come.
    ///
    /// # Errors
    /// As [`Self::worker_run`].
    pub fn worker_watch(
        &self,
        spec: &StepSpec,
        mut environment: Environment,
        file: &Path,
        report: &Path,
    ) -> std::io::Result<CommandLine> {
        // One line a file is what its log is for. RUST_LOG would come before a level that the step has.
        if !environment.contains_key("LOG_LEVEL") {
            let filter = SecretText::from("warn,mlpipeline_worker=info".to_owned());
            environment.entry("RUST_LOG".into()).or_insert(filter);
        }
        self.worker_run(spec, environment, file, report)
    }

    /// The command line of a worker that serves on an address.
    ///
    /// # Errors
    /// As [`Self::worker_run`].
    pub fn worker_serve(
        &self,
        spec: &StepSpec,
        environment: Environment,
        file: &Path,
        address: SocketAddr,
        pod: &str,
    ) -> std::io::Result<CommandLine> {
        let mut command = self.worker(spec, environment, file)?;
        command.arguments.extend(["--listen".into(), address.to_string().into()]);
        command.environment.insert("POD_NAME".into(), pod.to_owned().into());
        Ok(command)
    }

    /// The part of a worker's command line that is the same for all steps. The spec goes through a file, as it is: an argument may
    /// hold 128 KiB at most, and much SQL is longer.
    fn worker(
        &self,
        spec: &StepSpec,
        mut environment: Environment,
        file: &Path,
    ) -> std::io::Result<CommandLine> {
        let mut spec = spec.clone();
        redirect(&mut spec, &self.resolve);
        own_file::create(file)?.write_all(&serde_json::to_vec(&spec)?)?;
        let settings = [
            ("MLPIPELINE_ALLOW_ADDRESSES", OWN_ADDRESSES),
            ("MLPIPELINE_LOG_FORMAT", "text"),
            ("MLPIPELINE_SERVE_DRAIN_DELAY", "500ms"),
        ];
        for (name, value) in settings {
            // The user's own settings win.
            environment.entry(name.into()).or_insert_with(|| SecretText::from(value.to_owned()));
        }
        let arguments = [
            "step".into(),
            concat(&["@".as_ref(), file.as_os_str()]),
            "--watchdog".into(),
            "--storage".into(),
            self.volume.clone().into(),
            "--files".into(),
            self.files.clone().into(),
        ];
        Ok(CommandLine {
            program: self.worker.clone(),
            arguments: arguments.into(),
            environment,
            variables: None,
        })
    }

    /// The command line of a container.
    ///
    /// # Errors
    /// When there is no container tool, the step needs what only a cluster has, or its variables cannot be handed over.
    pub fn container(
        &self,
        step: &ValidStep,
        run: &Run,
        container: &Container<'_>,
    ) -> Result<CommandLine, CannotRun> {
        check(step, run)?;
        let tool = self.container.as_ref().ok_or_else(|| CannotRun {
            reason: "NoContainerTool",
            message: format!(
                "a run step needs podman or docker to start {}, and neither is on the PATH; install podman",
                run.image
            ),
        })?;
        let mut variables = container.environment.clone();
        for (name, folder) in container.inputs {
            let path = format!("{MOUNT}/{folder}");
            variables.insert(format!("MLPIPELINE_INPUT_{}", environment_name(name)), path.into());
        }
        variables.insert("MLPIPELINE_OUTPUT".into(), format!("{MOUNT}/{}", container.output).into());
        variables.insert("MLPIPELINE_STORAGE".into(), MOUNT.to_owned().into());
        let (file, environment) = by_file(&variables, container.beside)?;
        let mut arguments: Vec<OsString> =
            vec!["watchdog".into(), "--container".into(), container.name.into()];
        arguments.extend(["--variables".into(), file.path().into(), "--".into()]);
        arguments.extend([tool.into(), "run".into(), "--rm".into(), "--name".into(), container.name.into()]);
        // As the operator's pods: no capability, and none to be gained.
        arguments.extend(["--cap-drop=ALL".into(), "--security-opt=no-new-privileges".into()]);
        arguments.extend(self.user(tool));
        arguments
            .extend(["--volume".into(), concat(&[self.volume.as_os_str(), ":".as_ref(), MOUNT.as_ref()])]);
        for mount in step.pod.mounts.iter() {
            arguments.extend(["--tmpfs".into(), mount.mount_path.clone().into()]);
        }
        for (address, port) in container.ports {
            arguments.extend(["--publish".into(), format!("{address}:{port}").into()]);
        }
        // No value: other users see arguments.
        arguments.extend(["--env-file".into(), file.path().into()]);
        for name in environment.keys() {
            arguments.extend(["--env".into(), name.into()]);
        }
        let expanded =
            |texts: &[String]| texts.iter().map(|text| expand(text, &variables)).collect::<Vec<_>>();
        let mut words = expanded(&run.command).into_iter();
        if let Some(entrypoint) = words.next() {
            arguments.extend(["--entrypoint".into(), entrypoint.into()]);
        }
        arguments.push((&run.image).into());
        arguments.extend(words.chain(expanded(&run.args)).map(OsString::from));
        Ok(CommandLine { program: self.own.clone(), arguments, environment, variables: Some(Arc::new(file)) })
    }

    /// Makes the container write the volume as its owner, so that the user can read and delete what it wrote.
    fn user(&self, tool: &Path) -> Vec<OsString> {
        let Ok(owner) = std::fs::metadata(&self.volume) else { return Vec::new() };
        let user = format!("{}:{}", owner.uid(), owner.gid());
        let is_podman = tool.file_name().is_some_and(|name| name == "podman");
        let keep = (is_podman && owner.uid() != 0).then(|| "--userns=keep-id".into());
        keep.into_iter().chain(["--user".into(), user.into()]).collect()
    }
}

/// One container of a run step.
#[derive(Debug)]
pub struct Container<'a> {
    /// Its name.
    pub name: &'a str,
    /// The step's variables.
    pub environment: Environment,
    /// Folders to read by the input's name, relative to the volume.
    pub inputs: &'a BTreeMap<String, ArtifactPlace>,
    /// The folder to write, relative to the volume.
    pub output: &'a str,
    /// Addresses of this machine that lead to ports of the container.
    pub ports: &'a [(SocketAddr, u16)],
    /// A path of this run's own, beside which the file with its variables is written.
    pub beside: &'a Path,
}

/// Writes the variables that can stand in a file, and gives the others.
fn by_file(variables: &Environment, beside: &Path) -> Result<(VariablesFile, Environment), CannotRun> {
    let handed = hand_over(variables).map_err(|message| CannotRun { reason: "VariableRefused", message })?;
    let file = VariablesFile::create(beside, &handed.lines)
        .map_err(|error| CannotRun { reason: "StateUnwritable", message: error.to_string() })?;
    Ok((file, handed.environment))
}

fn concat(parts: &[&std::ffi::OsStr]) -> OsString {
    parts.iter().copied().collect()
}

/// Reports what only a cluster has.
fn check(step: &ValidStep, run: &Run) -> Result<(), CannotRun> {
    let needs = |what: String| {
        let message = format!(
            "{what} needs a cluster: apply the pipeline there, or leave the step out here with --step"
        );
        Err(CannotRun { reason: "NeedsCluster", message })
    };
    match run.workload.unwrap_or_default() {
        Workload::Job | Workload::Deployment => {}
        workload => return needs(format!("a {workload:?}")),
    }
    if run.completion_mode == Some(CompletionMode::Indexed) {
        return needs("completionMode Indexed".to_owned());
    }
    let resources = step.pod.resources.as_ref();
    let amounts = resources.into_iter().flat_map(|all| all.limits.iter().chain(&all.requests)).flatten();
    // Devices have names with a domain: nvidia.com/gpu.
    if let Some((device, amount)) =
        amounts.into_iter().find(|(name, amount)| name.contains('/') && amount.0 != "0")
    {
        return needs(format!("{device}: {}", amount.0));
    }
    let on_disk =
        |name: &str| step.pod.volumes.iter().any(|volume| volume.name == name && volume.empty_dir.is_none());
    match step.pod.mounts.iter().find(|mount| on_disk(&mount.name)) {
        Some(mount) => needs(format!("the volume {} at {}", mount.name, mount.mount_path)),
        None => Ok(()),
    }
}

/// Lets the worker read from and deliver to other hosts than the spec names. The revision is that of the spec: the data are the same.
fn redirect(spec: &mut StepSpec, resolve: &BTreeMap<String, String>) {
    for uri in spec.action.uris_mut() {
        // What follows s3:// is a bucket; its server is named by AWS_ENDPOINT_URL.
        if let Some((scheme, rest)) = uri.split_once("://").filter(|(scheme, _)| *scheme != "s3") {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            if let Some(target) = resolve.get(authority) {
                *uri = format!("{scheme}://{target}{path}");
            }
        }
    }
}

/// Finds a program: beside this one, or on the PATH.
#[must_use]
pub fn find_program(name: &str, own: Option<&Path>) -> Option<PathBuf> {
    let beside = own.and_then(Path::parent).map(|folder| folder.join(name));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(name)).collect::<Vec<_>>();
    let runs =
        |path: &PathBuf| path.metadata().is_ok_and(|found| found.is_file() && found.mode() & 0o111 != 0);
    beside.into_iter().chain(on_path).find(runs)
}
