//! From what a plan asks for to a job or replicas: environment, command line, paths.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use mlpipeline_core::artifact_place::ArtifactPlace;
use mlpipeline_core::names;
use mlpipeline_core::pipeline::ValidStep;
use mlpipeline_core::plan::{LongRunningWork, Retries, RunWork, Task};
use mlpipeline_core::step_kind::LocalPods;

use super::environment::{Environment, Pod, environment};
use super::job::Job;
use super::long_running::Replicas;
use super::replica::Replica;
use super::tools::{CannotRun, Container, Tools};
use crate::manifest::Objects;
use crate::state::Store;

/// What starting needs to know beside the plan.
pub struct Starter {
    /// Programs and folders.
    pub tools: Tools,
    /// ConfigMaps, Secrets and variables.
    pub objects: Objects,
    /// The pipeline's folders.
    pub store: Store,
    /// The pipeline's namespace.
    pub namespace: String,
    /// The pipeline's name.
    pub pipeline: String,
}

/// Where a container's result is written, and where it goes once it is whole; relative to the volume.
pub struct Publication {
    /// While the container writes.
    pub draft: PathBuf,
    /// When it is done.
    pub result: PathBuf,
}

impl Starter {
    fn environment(&self, step: &ValidStep, pod: &str) -> Result<Environment, CannotRun> {
        environment(step, &self.objects, Pod { namespace: &self.namespace, name: pod })
            .map_err(|missing| CannotRun { reason: "MissingReference", message: missing.join("; ") })
    }

    /// The job of a run, and what to publish when it is done, if a container makes it.
    ///
    /// # Errors
    /// When something that the step refers to is missing, or the step needs a cluster.
    pub fn job(
        &self,
        step: &ValidStep,
        work: &RunWork,
        name: &str,
    ) -> Result<(Job, Option<Publication>), CannotRun> {
        let environment = self.environment(step, name)?;
        let report = self.store.report(&step.name, name);
        let (command, publication) = match &work.task {
            Task::Worker(spec) => {
                let file = self.store.spec(&step.name, name);
                let command = self.tools.worker_run(spec, environment, &file, &report);
                let command = command.map_err(|error| unwritable(&file, &error))?;
                (command, None)
            }
            Task::Container { run, inputs, output } => {
                let publication = self.draft(output)?;
                let draft = publication.draft.display().to_string();
                let beside = self.store.spec(&step.name, name);
                let container =
                    Container { name, environment, inputs, output: &draft, ports: &[], beside: &beside };
                (self.tools.container(step, run, &container)?, Some(publication))
            }
        };
        let shape = &work.shape;
        let count = |pods: i32| usize::try_from(pods).unwrap_or(1);
        let is_queue = shape.completions.is_none() && shape.parallelism.is_some();
        // A laptop runs no Indexed Jobs, so whatever the failures may be of, they are counted together.
        let (Retries::Total(retries) | Retries::PerIndex(retries)) = shape.retries;
        let job = Job {
            command,
            is_workers: matches!(work.task, Task::Worker(_)),
            completions: if is_queue { None } else { Some(shape.completions.map_or(1, count)) },
            parallelism: shape.parallelism.map_or(1, count),
            retries,
            timeout: shape.timeout,
            report,
            log: self.store.log(&step.name, name),
        };
        Ok((job, publication))
    }

    /// Refuses a place on the volume that a container has made a way out of it: what is written there would be elsewhere on this machine.
    fn confine(&self, place: &std::path::Path) -> Result<(), CannotRun> {
        let volume = self.store.volume();
        let real = |path: &std::path::Path| path.canonicalize();
        let there =
            place.ancestors().map(|part| volume.join(part)).find(|path| path.symlink_metadata().is_ok());
        let is_inside = match (there.as_deref().map(real), real(volume)) {
            (Some(Ok(there)), Ok(volume)) => there.starts_with(volume),
            (None, _) => true,
            (Some(Err(_)), _) | (_, Err(_)) => false,
        };
        if is_inside {
            return Ok(());
        }
        Err(CannotRun {
            reason: "PathRefused",
            message: format!(
                "{} passes a link that leaves the volume; remove the link",
                volume.join(place).display()
            ),
        })
    }

    /// An empty folder for a container to write into, beside where its result will be.
    fn draft(&self, output: &ArtifactPlace) -> Result<Publication, CannotRun> {
        let result = PathBuf::from(output.to_string());
        let name = result.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let draft = result.with_file_name(format!(".{name}.draft"));
        self.confine(&draft)?;
        let path = self.store.volume().join(&draft);
        let made = std::fs::remove_dir_all(&path)
            .or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
            .and_then(|()| std::fs::create_dir_all(&path));
        made.map_err(|error| CannotRun {
            reason: "StorageUnavailable",
            message: format!("cannot make the folder {}: {error}", path.display()),
        })?;
        Ok(Publication { draft, result })
    }

    /// Moves what a container wrote to the place of the step's result.
    ///
    /// # Errors
    /// When the folder cannot be renamed.
    pub fn publish(&self, publication: &Publication) -> std::io::Result<()> {
        self.confine(&publication.result).map_err(std::io::Error::other)?;
        let volume = self.store.volume();
        let result = volume.join(&publication.result);
        if result.is_dir() {
            std::fs::remove_dir_all(&result)?;
        }
        std::fs::rename(volume.join(&publication.draft), result)
    }

    /// The names of the ports at which a long-running step is reached.
    pub fn ports(step: &ValidStep) -> Vec<String> {
        step.action.descriptor().local().ports
    }

    /// The replicas of a long-running step.
    ///
    /// # Errors
    /// As [`Self::job`].
    pub fn replicas(
        self: &Arc<Self>,
        step: &ValidStep,
        work: &LongRunningWork,
    ) -> Result<Replicas, CannotRun> {
        let key: String = work.key.as_str().chars().take(5).collect();
        let base = format!("{}-{key}", names::step_object(&self.pipeline, &step.name));
        // Whatever can be wrong is wrong for the first replica too, and is reported before anything starts.
        let first: Vec<SocketAddr> =
            Self::ports(step).iter().map(|_| SocketAddr::from(([127, 0, 0, 1], 1))).collect();
        self.pod(step, work, &format!("{base}-1"), &first)?;
        let LocalPods { readiness, replicas: count, .. } = step.action.descriptor().local();
        let (starter, step, work) = (Arc::clone(self), step.clone(), work.clone());
        let make = move |number: usize, backends, changed| {
            let (starter, step, work) = (Arc::clone(&starter), step.clone(), work.clone());
            let name = format!("{base}-{}", number + 1);
            Replica {
                number,
                ports: first.len(),
                log: starter.store.log(&step.name, &name),
                command: Box::new(move |addresses| {
                    starter.pod(&step, &work, &name, addresses).map_err(|problem| problem.to_string())
                }),
                readiness,
                backends,
                changed,
            }
        };
        Ok(Replicas { make: Box::new(make), count })
    }

    fn pod(
        &self,
        step: &ValidStep,
        work: &LongRunningWork,
        name: &str,
        addresses: &[SocketAddr],
    ) -> Result<super::process::CommandLine, CannotRun> {
        let environment = self.environment(step, name)?;
        let file = self.store.spec(&step.name, name);
        match (&work.task, addresses) {
            (Task::Worker(spec), [address, ..]) => {
                let command = self.tools.worker_serve(spec, environment, &file, *address, name);
                command.map_err(|error| unwritable(&file, &error))
            }
            (Task::Worker(spec), []) => {
                let report = self.store.report(&step.name, name);
                let command = self.tools.worker_watch(spec, environment, &file, &report);
                command.map_err(|error| unwritable(&file, &error))
            }
            (Task::Container { run, inputs, output }, _) => {
                let targets = run.ports.iter().map(|port| port.container_port());
                let targets = targets.map(|port| u16::try_from(port).unwrap_or_default());
                let ports: Vec<(SocketAddr, u16)> = addresses.iter().copied().zip(targets).collect();
                let output = output.to_string();
                self.confine(std::path::Path::new(&output))?;
                let folder = self.store.volume().join(&output);
                std::fs::create_dir_all(&folder).map_err(|error| CannotRun {
                    reason: "StorageUnavailable",
                    message: format!("cannot make the folder {}: {error}", folder.display()),
                })?;
                let container =
                    Container { name, environment, inputs, output: &output, ports: &ports, beside: &file };
                self.tools.container(step, run, &container)
            }
        }
    }
}

fn unwritable(file: &std::path::Path, error: &std::io::Error) -> CannotRun {
    CannotRun { reason: "StateUnwritable", message: format!("cannot write {}: {error}", file.display()) }
}
