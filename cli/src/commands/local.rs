//! `local`: runs a pipeline on this machine.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use mlpipeline_core::plan::Schedules;

use crate::args::{Local, Output};
use crate::exit_status::ExitStatus;
use crate::local::{Engine, Settings, Starter, Tools, empty_inboxes, find_program, with_what_they_need};
use crate::manifest::{Found, Manifests, Objects};
use crate::show::{self, LineWatcher, TableWatcher};
use crate::state::{Lock, Store};

/// Why a local run did not start.
enum StartError {
    /// What is wrong was printed already.
    Reported,
    /// The arguments are wrong.
    Usage(String),
    /// Something failed before the first step.
    Failure(String),
}

/// Runs a pipeline.
pub fn run(arguments: &Local) -> ExitStatus {
    match begin(arguments) {
        Ok((engine, lock)) => {
            let status = run_engine(engine, arguments.files.output == Some(Output::Json));
            drop(lock);
            status
        }
        Err(StartError::Reported) => ExitStatus::Failure,
        Err(StartError::Usage(problem)) => {
            show::error(&problem);
            ExitStatus::WrongUsage
        }
        Err(StartError::Failure(problem)) => {
            show::error(&problem);
            ExitStatus::Failure
        }
    }
}

fn begin(arguments: &Local) -> Result<(Engine, Lock), StartError> {
    let mut manifests = super::read(&arguments.files, arguments.files.namespace.as_deref().into())
        .ok_or(StartError::Reported)?;
    for file in &arguments.secrets {
        manifests.read_secrets(file);
    }
    add_variables(&mut manifests, arguments)?;
    if super::report_problems(&manifests) {
        return Err(StartError::Reported);
    }
    let Manifests { pipelines, objects, .. } = manifests;
    let Found { file, mut pipeline } =
        super::choose(pipelines, &arguments.place).map_err(StartError::Usage)?;
    // One process measures all trials of a search here, on all cores.
    pipeline.steps.iter_mut().filter(|step| step.is_worker()).for_each(|step| step.parallelism = None);
    let settings = settings(arguments, &pipeline)?;
    let store = Store::of(&arguments.place.data_dir, &pipeline);
    store.check().map_err(|refused| StartError::Failure(refused.to_string()))?;
    store.create().map_err(|(folder, error)| {
        StartError::Failure(format!(
            "cannot make the folder {}: {error}; set another --data-dir",
            folder.display()
        ))
    })?;
    let lock = store.lock().map_err(|error| {
        let source =
            std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
        StartError::Failure(format!("{error}{source}"))
    })?;
    let tools = tools(arguments, &file, &store)?;
    for inbox in empty_inboxes(&pipeline, &settings, store.volume(), &tools.files) {
        show::note(&inbox);
    }
    let starter = Starter {
        tools,
        objects,
        namespace: pipeline.namespace.clone(),
        pipeline: pipeline.name.clone(),
        store,
    };
    Ok((Engine::new(pipeline, settings, starter), lock))
}

fn add_variables(manifests: &mut Manifests, arguments: &Local) -> Result<(), StartError> {
    let Some(file) = &arguments.env_file else { return Ok(()) };
    let objects: &mut Objects = &mut manifests.objects;
    std::fs::read_to_string(file)
        .map_err(|error| error.to_string())
        .and_then(|text| objects.add_defaults(&text))
        .map_err(|problem| StartError::Failure(format!("{}: {problem}", file.display())))
}

fn settings(
    arguments: &Local,
    pipeline: &mlpipeline_core::pipeline::ValidatedPipeline,
) -> Result<Settings, StartError> {
    let steps = match arguments.steps.as_slice() {
        [] => None,
        names => Some(with_what_they_need(pipeline, names).map_err(|unknown| {
            let known: Vec<&str> = pipeline.steps.iter().map(|step| step.name.as_str()).collect();
            StartError::Usage(format!("there is no step \"{unknown}\"; there are {}", known.join(", ")))
        })?),
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Ok(Settings {
        once: arguments.once,
        schedules: if arguments.place.on_schedule { Schedules::Keep } else { Schedules::RunOnce },
        jobs: arguments.jobs.map_or(cores, usize::from),
        port: arguments.port,
        steps,
    })
}

fn tools(arguments: &Local, file: &Path, store: &Store) -> Result<Tools, StartError> {
    let absolute = |path: &Path| {
        std::fs::canonicalize(path)
            .map_err(|error| StartError::Failure(format!("cannot find {}: {error}", path.display())))
    };
    let own = std::env::current_exe().ok();
    let worker = match &arguments.worker {
        Some(worker) => absolute(worker)?,
        None => find_program("mlpipeline-worker", own.as_deref()).ok_or_else(|| {
            StartError::Failure("mlpipeline-worker is neither beside this program nor on the PATH; name it with --worker FILE".into())
        })?,
    };
    let folder =
        file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let container = ["podman", "docker"].iter().find_map(|tool| find_program(tool, None));
    Ok(Tools {
        worker,
        container,
        own: own.unwrap_or_else(|| PathBuf::from("kubectl-mlpipeline")),
        volume: absolute(store.volume())?,
        files: absolute(folder)?,
        resolve: arguments.resolve.iter().cloned().collect::<BTreeMap<_, _>>(),
    })
}

/// Runs the engine where there is anything to run, and prints the summary.
fn run_engine(mut engine: Engine, as_json: bool) -> ExitStatus {
    let was_stopped = if engine.has_work() {
        let mut lines = LineWatcher::new(as_json);
        let mut table = TableWatcher::new();
        let is_terminal = std::io::stderr().is_terminal() && std::io::stdout().is_terminal() && !as_json;
        let runtime = tokio::runtime::Runtime::new();
        let ran = runtime.and_then(|runtime| {
            let watcher: &mut dyn crate::local::Watcher = if is_terminal { &mut table } else { &mut lines };
            runtime.block_on(engine.run(watcher))
        });
        match ran {
            Ok(was_stopped) => was_stopped,
            Err(error) => {
                show::error(&format!("cannot run anything: {error}"));
                return ExitStatus::Failure;
            }
        }
    } else {
        false
    };
    if !(was_stopped && engine.was_settled()) {
        show::summary(&engine, as_json);
    }
    if engine.is_well() && (!was_stopped || engine.was_settled()) {
        ExitStatus::Success
    } else {
        ExitStatus::Failure
    }
}
