//! One run to completion, as a Job would do it: pods, completions, retries with back-off, and a deadline.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use mlpipeline_crds::{ExitCode, Outcome, StepReport};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::process::{CommandLine, GRACE, Process, note};
use crate::state::own_file;

/// The pause before the first retry; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause between retries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The most bytes of a report's file: far more than a worker writes.
const REPORT_LIMIT: u64 = 64 << 10;

/// A run to completion.
#[derive(Clone, Debug)]
pub struct Job {
    /// What each pod runs.
    pub command: CommandLine,
    /// Whether the pod is a worker, with its exit codes and its report; else any container.
    pub is_workers: bool,
    /// How many pods must succeed; `None`: one, and all that run must have ended.
    pub completions: Option<usize>,
    /// How many pods run at the same time.
    pub parallelism: usize,
    /// How many failed pods are replaced.
    pub retries: u32,
    /// The longest that all of it may take.
    pub timeout: Option<Duration>,
    /// Where the worker leaves its report.
    pub report: PathBuf,
    /// Where pods print to.
    pub log: PathBuf,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// With success; a worker leaves a report.
    Succeeded(Option<StepReport>),
    /// With a failure.
    Failed {
        /// The kind of failure in CamelCase.
        reason: String,
        /// What happened, for people.
        message: String,
        /// The report of a worker, if it left one.
        report: Option<StepReport>,
    },
    /// It was stopped.
    Stopped,
}

/// How one pod ended.
enum PodEnd {
    Succeeded(Option<StepReport>),
    Failed { retries: bool, reason: String, message: String, report: Option<StepReport> },
    Stopped,
}

/// Runs pods until the job is done, has failed for good, or is stopped. `started` is called with each pod's number.
pub async fn run(job: &Job, mut stop: watch::Receiver<bool>, started: impl Fn(u32)) -> End {
    let (cancel, cancelled) = watch::channel(false);
    let deadline = job.timeout.map(|timeout| Instant::now() + timeout);
    let mut pods = JoinSet::new();
    let mut count = Count::default();
    let end = loop {
        while count.wants_another(job, pods.len()) {
            count.pods += 1;
            started(count.pods);
            pods.spawn(pod(job.clone(), count.pods, count.pause(), cancelled.clone()));
        }
        let over = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(ended) = pods.join_next() => {
                let ended = ended.unwrap_or_else(|error| failure(true, "Internal", error.to_string()));
                if let Some(end) = count.take(job, ended, pods.len()) {
                    break end;
                }
            }
            () = over => {
                let seconds = job.timeout.unwrap_or_default().as_secs();
                let message = format!("took longer than its timeout of {seconds} s and was stopped");
                break End::Failed { reason: "DeadlineExceeded".into(), message, report: None };
            }
            _ = stop.wait_for(|stop| *stop) => break End::Stopped,
        }
    };
    cancel.send_replace(true);
    while pods.join_next().await.is_some() {}
    end
}

/// What became of the pods so far.
#[derive(Default)]
struct Count {
    pods: u32,
    succeeded: usize,
    failed: u32,
}

impl Count {
    fn wants_another(&self, job: &Job, at_work: usize) -> bool {
        let parallelism = job.parallelism.max(1);
        match job.completions {
            Some(completions) => at_work < parallelism && self.succeeded + at_work < completions,
            // A queue of the pods' own: once one found it empty, no new pod is started.
            None => self.succeeded == 0 && at_work < parallelism,
        }
    }

    fn pause(&self) -> Duration {
        match self.failed {
            0 => Duration::ZERO,
            failed => FIRST_PAUSE.saturating_mul(1 << failed.min(16).saturating_sub(1)).min(LONGEST_PAUSE),
        }
    }

    fn take(&mut self, job: &Job, ended: PodEnd, at_work: usize) -> Option<End> {
        match ended {
            PodEnd::Succeeded(report) => {
                self.succeeded += 1;
                let enough = match job.completions {
                    Some(completions) => self.succeeded >= completions,
                    None => at_work == 0,
                };
                enough.then_some(End::Succeeded(report))
            }
            PodEnd::Failed { retries, reason, message, report } => {
                self.failed += 1;
                if retries && self.failed <= job.retries {
                    return None;
                }
                let message = match self.pods {
                    0 | 1 => message,
                    pods => format!("{message} (attempt {pods})"),
                };
                Some(End::Failed { reason, message, report })
            }
            PodEnd::Stopped => Some(End::Stopped),
        }
    }
}

fn failure(retries: bool, reason: &str, message: String) -> PodEnd {
    PodEnd::Failed { retries, reason: reason.to_owned(), message, report: None }
}

async fn pod(job: Job, number: u32, pause: Duration, mut cancelled: watch::Receiver<bool>) -> PodEnd {
    tokio::select! {
        () = sleep(pause) => {}
        _ = cancelled.wait_for(|cancelled| *cancelled) => return PodEnd::Stopped,
    }
    note(&job.log, &format!("attempt {number}"));
    if job.is_workers {
        // What an earlier attempt left must not be taken for this one's.
        std::fs::remove_file(&job.report).ok();
    }
    let mut process = match Process::start(&job.command, &job.log) {
        Ok(process) => process,
        Err(error) => return failure(false, "CannotStart", error.to_string()),
    };
    let status = tokio::select! {
        status = process.wait() => Some(status),
        _ = cancelled.wait_for(|cancelled| *cancelled) => None,
    };
    match status {
        Some(Ok(status)) => judge(&job, status),
        Some(Err(error)) => failure(true, "Internal", format!("cannot wait for the process: {error}")),
        None => {
            process.stop(GRACE).await;
            PodEnd::Stopped
        }
    }
}

/// The end of a pod, from its exit status and its report.
fn judge(job: &Job, status: ExitStatus) -> PodEnd {
    let report = job.is_workers.then(|| own_file::read(&job.report, REPORT_LIMIT).ok()).flatten();
    let report = report.and_then(|bytes| String::from_utf8(bytes).ok());
    let report = report.and_then(|text| StepReport::from_json(text.trim_end()).ok());
    match (status.code(), report) {
        (Some(0), Some(report)) if report.outcome == Outcome::Succeeded => PodEnd::Succeeded(Some(report)),
        (Some(0), _) if job.is_workers => {
            failure(true, "NoReport", "ended with success and left no report".into())
        }
        (Some(0), _) => PodEnd::Succeeded(None),
        (code, report) => {
            let retries = match code.and_then(ExitCode::from_code) {
                Some(code) if job.is_workers => code.retries(),
                _ => !cannot_run(job, code),
            };
            let message = report.as_ref().and_then(|report| report.message.clone());
            let reason = report.as_ref().and_then(|report| report.reason.clone());
            PodEnd::Failed {
                retries,
                reason: reason.unwrap_or_else(|| "Error".to_owned()),
                message: message.unwrap_or_else(|| describe(job, status)),
                report,
            }
        }
    }
}

/// Whether a container tool reports that the container cannot even start: no such image, no such command.
fn cannot_run(job: &Job, code: Option<i32>) -> bool {
    !job.is_workers && matches!(code, Some(125..=127))
}

fn describe(job: &Job, status: ExitStatus) -> String {
    let what = if job.is_workers { "the worker" } else { "the container" };
    match (status.code(), std::os::unix::process::ExitStatusExt::signal(&status)) {
        (Some(125), _) if !job.is_workers => "the container could not be started (exit code 125)".to_owned(),
        (Some(126 | 127), _) if !job.is_workers => "the container's command could not be run".to_owned(),
        (Some(code), _) => format!("{what} ended with exit code {code}"),
        (None, Some(9)) => format!("{what} was killed (signal 9); memory may have run out"),
        (None, Some(signal)) => format!("{what} was killed by signal {signal}"),
        (None, None) => format!("{what} ended"),
    }
}
