//! From a parsed command line to an exit code: which work, panics and reports.

use std::io::Write;
use std::panic;
use std::path::Path;

use clap::CommandFactory;
use mlpipeline_crds::{ExitCode, STEP_SPEC_VERSION, StepReport};

use crate::args::{Args, Command, StepArgs};
use crate::artifact::Storage;
use crate::cancellation::Cancellation;
use crate::credentials::Secrets;
use crate::engine::SCRATCH_FOLDER;
use crate::failure::StepError;
use crate::flags::WorkFlags;
use crate::report::{ReportTarget, without_secrets};
use crate::serve::{self, ServeArgs};
use crate::stderr::say;
use crate::until_signal::{self, until_signal};
pub use crate::until_signal::{STACK_BYTES, no_thread};
use crate::{WorkContext, logging, step, watchdog};

/// Does what the command line says.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    logging::start(args.log_format);
    match args.command {
        Command::Step(args) => do_step(&args),
        Command::Prepare(args) => finish(run_standalone(&args.work, async |context| args.run(context).await)),
        Command::Train(args) => finish(run_standalone(&args.work, async |context| args.run(context).await)),
        Command::Import(args) => finish(run_standalone(&args.work, async |context| args.run(context).await)),
        Command::Score(args) => finish(run_standalone(&args.work, async |context| args.run(context).await)),
        Command::Serve(args) => finish(serve_standalone(&args)),
        Command::ExportOnnx(args) => finish(args.run()),
        Command::Completion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "mlpipeline-worker", &mut script);
            // A closed pipe is not a failure.
            let _ = std::io::stdout().write_all(&script);
            ExitCode::Done
        }
    }
}

/// Runs a standalone command: the whole file system is its storage, and it fetches as the user does.
///
/// # Errors
/// What the command answers, or that it was stopped.
pub fn run_standalone<Answer>(
    work: &WorkFlags,
    command: impl AsyncFnOnce(&WorkContext) -> Result<Answer, StepError>,
) -> Result<Answer, StepError> {
    end_on_panic(None);
    let context = work.context(Storage::new("/"), true)?;
    run_in_context(&context, false, None, command(&context))
}

/// What a standalone command's answer means for the process; failures are printed to stderr.
#[must_use]
pub fn finish(answer: Result<(), StepError>) -> ExitCode {
    match answer {
        Ok(()) => ExitCode::Done,
        // The reader has enough of the output: head does so all the time.
        Err(error) if error.reason == "PipeClosed" => ExitCode::Done,
        Err(error) => {
            say(&format!("error: {}", error.message));
            error.exit_code
        }
    }
}

fn serve_standalone(args: &ServeArgs) -> Result<(), StepError> {
    let cancellation = Cancellation::default();
    let served = serve::run_folder(&args.model, &cancellation, &args.options);
    until_signal(&cancellation, true, end_stuck(None), served)
}

fn do_step(args: &StepArgs) -> ExitCode {
    if args.watchdog {
        watchdog::watch();
    }
    let target = ReportTarget::choose(args.report.clone());
    end_on_panic(Some(target.clone()));
    let (report, exit_code) = match step_report(args, &target) {
        Ok(report) => (report, ExitCode::Done),
        Err(error) => {
            say(&format!("error: {}", error.message));
            (StepReport::failed(error.reason, &error.message), error.exit_code)
        }
    };
    let report = StepReport { step_version: Some(STEP_SPEC_VERSION), ..report };
    // A success has words about data too, and those of an artifact that was there already are its maker's.
    let report = without_secrets(report, &Secrets::of(std::env::vars_os()));
    if let Err(error) = target.write(&report) {
        // The artifact is there all the same; another run of the step reports it at once.
        say(&format!("error: cannot write the report: {error}"));
        return if exit_code == ExitCode::Done { ExitCode::StorageUnavailable } else { exit_code };
    }
    exit_code
}

fn step_report(args: &StepArgs, target: &ReportTarget) -> Result<StepReport, StepError> {
    let spec = step::parse(&args.spec)?;
    let storage = args.storage();
    let report = match step::finished(&spec, &storage)? {
        Some(report) => {
            step::tidy(&spec, &storage)?;
            if let (Some(_), Some(revision)) = (spec.action.delivery(), &report.revision) {
                let context = args.work.context(storage.clone(), false)?;
                let delivered = step::deliver_again(&spec, revision, &context);
                run_in_context(&context, false, Some(target), delivered)?;
            }
            report
        }
        None => {
            let mut context = args.work.context(storage.clone(), false)?;
            context.completion_index = args.completion_index;
            let drains = spec.action.is_long_running();
            if drains {
                // One request or file that panics must not end the others: it ends alone.
                panic::set_hook(Box::new(|panic| {
                    // Its text may repeat a row or an address; what may be said of it, who catches it says.
                    let place = panic.location().map(ToString::to_string).unwrap_or_default();
                    tracing::error!("a panic at {place}");
                }));
            }
            run_in_context(&context, drains, Some(target), step::work(&spec, &context, &args.serving))?
        }
    };
    // The result is published: a failure to remove something old must not make the step run again.
    if let Err(error) = step::clean(&spec, &storage, report.revision.as_ref()) {
        tracing::warn!("old revisions stay: {}", error.message);
    }
    Ok(report)
}

/// Runs work of a context, as [`until_signal()`]. No message of an error holds a secret value, whatever a server repeated.
fn run_in_context<Answer>(
    context: &WorkContext,
    drains: bool,
    target: Option<&ReportTarget>,
    work: impl Future<Output = Result<Answer, StepError>>,
) -> Result<Answer, StepError> {
    until_signal(&context.cancellation, drains, end_stuck(target.cloned()), work).map_err(|error| {
        let message = context.secrets.redact(&with_scratch(&error.message, context.scratch()));
        StepError { message, ..error }
    })
}

/// Says where the folder is that the query engine could not write to: it does not know.
fn with_scratch(message: &str, scratch: &Path) -> String {
    let place = scratch.parent().unwrap_or(scratch).display();
    message.replacen(SCRATCH_FOLDER, &format!("{SCRATCH_FOLDER} {place}"), 1)
}

/// Ends the process in the middle of work that does not notice that it should stop; drafts are cleared away by the next run.
fn end_stuck(target: Option<ReportTarget>) -> impl FnOnce() + Send + 'static {
    move || {
        let error = until_signal::stopped();
        say(&format!("error: {}", error.message));
        if let Some(target) = &target {
            // Nothing more can be done where even this fails.
            let _ = target.write(&StepReport::failed(error.reason, &error.message));
        }
        std::process::exit(error.exit_code.code());
    }
}

/// Makes a panic on any thread end the process with a report: without this, one in a library would end in silence.
fn end_on_panic(target: Option<ReportTarget>) {
    panic::set_hook(Box::new(move |panic| {
        // The runtime has no other way to say it.
        let text = match panic.payload_as_str() {
            Some(problem) if problem.contains("spawn") && problem.contains("thread") => {
                until_signal::no_thread(&problem)
            }
            _ => format!("internal error, please report it: {panic}"),
        };
        say(&text);
        if let Some(target) = &target {
            // Nothing more can be done where even this fails.
            let _ = target.write(&StepReport::failed("Panicked", &text));
        }
        std::process::exit(ExitCode::Internal.code());
    }));
}
