//! `local`: runs a pipeline on this machine.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use mlpipeline_core::plan::Schedules;

use crate::Ended;
use crate::args::{Local, Output};
use crate::local::{Engine, Settings, Starter, Tools, find_program, with_what_they_need};
use crate::manifest::{Found, Manifests, Objects};
use crate::show::{self, LineWatcher, TableWatcher};
use crate::state::{Lock, Store};

/// A local run that did not begin.
enum Refused {
    /// What is wrong was said already.
    Told,
    /// What is wrong with what was asked for.
    Usage(String),
    /// What stands in the way.
    Failure(String),
}

/// Runs a pipeline.
pub fn run(arguments: &Local) -> Ended {
    match begin(arguments) {
        Ok((engine, lock)) => {
            let ended = go(engine, arguments.files.output == Some(Output::Json));
            drop(lock);
            ended
        }
        Err(Refused::Told) => Ended::Badly,
        Err(Refused::Usage(problem)) => {
            show::error(&problem);
            Ended::WrongUsage
        }
        Err(Refused::Failure(problem)) => {
            show::error(&problem);
            Ended::Badly
        }
    }
}

fn begin(arguments: &Local) -> Result<(Engine, Lock), Refused> {
    let mut manifests = super::read(&arguments.files).ok_or(Refused::Told)?;
    for file in &arguments.secrets {
        manifests.read_secrets(file);
    }
    add_variables(&mut manifests, arguments)?;
    if super::tell_problems(&manifests) {
        return Err(Refused::Told);
    }
    let Manifests { pipelines, objects, .. } = manifests;
    let Found { file, pipeline } = super::choose(pipelines, &arguments.place).map_err(Refused::Usage)?;
    let settings = settings(arguments, &pipeline)?;
    let store = Store::of(&arguments.place.data_dir, &pipeline);
    store.create().map_err(|(folder, error)| {
        Refused::Failure(format!(
            "cannot make the folder {}: {error}; set another --data-dir",
            folder.display()
        ))
    })?;
    let lock = store.lock().map_err(|error| {
        let source =
            std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
        Refused::Failure(format!("{error}{source}"))
    })?;
    let starter = Starter {
        tools: tools(arguments, &file, &store)?,
        objects,
        namespace: pipeline.namespace.clone(),
        pipeline: pipeline.name.clone(),
        store,
    };
    Ok((Engine::new(pipeline, settings, starter), lock))
}

fn add_variables(manifests: &mut Manifests, arguments: &Local) -> Result<(), Refused> {
    let Some(file) = &arguments.env_file else { return Ok(()) };
    let objects: &mut Objects = &mut manifests.objects;
    std::fs::read_to_string(file)
        .map_err(|error| error.to_string())
        .and_then(|text| objects.add_defaults(&text))
        .map_err(|problem| Refused::Failure(format!("{}: {problem}", file.display())))
}

fn settings(
    arguments: &Local,
    pipeline: &mlpipeline_core::pipeline::ValidatedPipeline,
) -> Result<Settings, Refused> {
    let steps = match arguments.steps.as_slice() {
        [] => None,
        names => Some(with_what_they_need(pipeline, names).map_err(|unknown| {
            let known: Vec<&str> = pipeline.steps.iter().map(|step| step.name.as_str()).collect();
            Refused::Usage(format!("there is no step \"{unknown}\"; there are {}", known.join(", ")))
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

fn tools(arguments: &Local, file: &Path, store: &Store) -> Result<Tools, Refused> {
    let absolute = |path: &Path| {
        std::fs::canonicalize(path)
            .map_err(|error| Refused::Failure(format!("cannot find {}: {error}", path.display())))
    };
    let own = std::env::current_exe().ok();
    let worker = match &arguments.worker {
        Some(worker) => absolute(worker)?,
        None => find_program("mlpipeline-worker", own.as_deref()).ok_or_else(|| {
            Refused::Failure("mlpipeline-worker is neither beside this program nor on the PATH; name it with --worker FILE".into())
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

/// Runs the engine where there is anything to run, and shows how it ends.
fn go(mut engine: Engine, as_json: bool) -> Ended {
    let was_told = if engine.has_work() {
        let mut lines = LineWatcher::new(as_json);
        let mut table = TableWatcher::new();
        let is_terminal = std::io::stderr().is_terminal() && std::io::stdout().is_terminal() && !as_json;
        let runtime = tokio::runtime::Runtime::new();
        let ran = runtime.and_then(|runtime| {
            let watcher: &mut dyn crate::local::Watcher = if is_terminal { &mut table } else { &mut lines };
            runtime.block_on(engine.run(watcher))
        });
        match ran {
            Ok(was_told) => was_told,
            Err(error) => {
                show::error(&format!("cannot run anything: {error}"));
                return Ended::Badly;
            }
        }
    } else {
        false
    };
    if !(was_told && engine.was_settled()) {
        show::summary(&engine, as_json);
    }
    if engine.is_well() && (!was_told || engine.was_settled()) { Ended::Well } else { Ended::Badly }
}
