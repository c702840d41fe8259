//! Continuous work: a prepare step that processes each new file once, and runs until a signal stops it.
//!
//! Owns the loop, and what becomes of a file that cannot be processed. Must not know queries or formats: `prepare` does; or
//! how rows are sent: `deliver` does.
//!
//! Every row is delivered at least once and every result published exactly once, wherever the process is killed: `folders`
//! says by which renames. A lock on the step's folder keeps a second process waiting; where the file system has no locks, the
//! renames alone keep the promise.

mod attempts;
mod checkpoint;
mod columns;
mod entries;
mod error;
mod file;
mod first_value;
mod folders;
mod names;
mod opened;
mod schema;
mod watch;

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::{Duration, Instant};

use futures::FutureExt;
use mlpipeline_crds::{
    ContinuousStep, DataSource, ExitCode, PUBLISHED_FOLDER, PrepareStep, Revision, RevisionRule, StepReport,
    StepSpec,
};

use self::error::ContinuousError;
use self::file::{Settled, produce, settle};
use self::folders::Folders;
use self::watch::Watch;
use crate::WorkContext;
use crate::artifact::{ArtifactError, Lock, open_unlinked};
use crate::deliver::{self, OF_RECEIVER};
use crate::failure::{StepError, real_name};
use crate::table::DATA_CHANGED;
use crate::{prepare, work};

/// How often a process that waits for another's end looks again.
const LOCK_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause before a receiver is tried again that does not answer, or takes no rows at all.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What a continuous step works with.
struct Work<'a> {
    step: &'a PrepareStep,
    spec: &'a StepSpec,
    context: &'a WorkContext,
    folders: Folders,
    watch: Watch,
    /// How many processed files are kept.
    keep: usize,
    /// How long to wait between two looks.
    poll: Duration,
    /// Whether files come from people or programs that may use a name again.
    names_repeat: bool,
}

/// What was done so far.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    files: u64,
    rows: u64,
    failed: u64,
}

// Here and not in `prepare`, which knows nothing of files that come.
impl<Serving> work::Work<Serving> for PrepareStep {
    async fn work(
        &self,
        spec: &StepSpec,
        context: &WorkContext,
        _: &Serving,
    ) -> Result<StepReport, StepError> {
        // Boxed, since the compiler lays out only so many futures within each other.
        match &self.continuous {
            Some(continuous) => Box::pin(run(self, continuous, spec, context)).await,
            None => Box::pin(prepare::run(self, spec, context)).await,
        }
    }
}

/// Processes files as they come, until stopped.
///
/// # Errors
/// When the step makes no sense, or storage does not answer. A file that cannot be processed is not an error: it is moved to `failed`.
async fn run(
    step: &PrepareStep,
    continuous: &ContinuousStep,
    spec: &StepSpec,
    context: &WorkContext,
) -> Result<StepReport, StepError> {
    let [input] = step.inputs.as_slice() else {
        let text = format!("a continuous step has exactly one input, and this has {}", step.inputs.len());
        return Err(ContinuousError::Source(text).into());
    };
    if let Some(delivery) = &step.delivery
        && !deliver::posts(&delivery.uri)?
    {
        let text = "continuous steps send results over http or hand them to another step: one object or table would hold those of the last file only";
        return Err(ContinuousError::Source(text.to_owned()).into());
    }
    let storage = &context.storage;
    let folders = Folders::create(storage, &spec.folder())?;
    let work = Work {
        step,
        spec,
        context,
        watch: Watch::of(&input.source, &storage.root, is_published(&input.source, spec))?,
        keep: usize::try_from(continuous.keep).unwrap_or(usize::MAX),
        poll: Duration::from_secs(continuous.poll_seconds.into()),
        names_repeat: !is_published(&input.source, spec),
        folders,
    };
    let mut tally = Tally::default();
    if let Some(_lock) = lock(&work.folders.lock(), context).await? {
        work.folders.recover()?;
        while !context.cancellation.is_cancelled() {
            work.turn(&mut tally).await?;
            pause(work.poll, context).await;
        }
    }
    let mut report = StepReport::succeeded(None);
    report.rows = Some(tally.rows);
    report.message = Some(format!("stopped after {} files, of which {} failed", tally.files, tally.failed));
    Ok(report)
}

/// Whether a source is what another continuous step of the pipeline publishes: whole files, under names that were never used
/// before. A folder of the user's that has the same name elsewhere is not.
fn is_published(source: &DataSource, spec: &StepSpec) -> bool {
    let DataSource::Uri { uri, .. } = source else { return false };
    let step = uri
        .strip_prefix(&format!("file:{}/{}/", spec.namespace, spec.pipeline))
        .and_then(|rest| rest.strip_suffix(&format!("/{PUBLISHED_FOLDER}/*")));
    step.is_some_and(|step| !step.is_empty() && !step.contains('/'))
}

/// Waits until no other process works for the step; `None` when stopped before.
async fn lock(path: &Path, context: &WorkContext) -> Result<Option<Lock>, ArtifactError> {
    let mut reported = false;
    while !context.cancellation.is_cancelled() {
        if let Some(lock) = Lock::try_acquire(path).map_err(ArtifactError::io("lock", path))? {
            return Ok(Some(lock));
        }
        if !reported {
            tracing::info!(lock = %real_name(path).display(), "another process works on this step; waiting for it to end");
            reported = true;
        }
        pause(LOCK_PAUSE, context).await;
    }
    Ok(None)
}

/// Waits, unless stopped.
async fn pause(time: Duration, context: &WorkContext) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = context.cancellation.cancelled() => {}
    }
}

impl Work<'_> {
    /// The revision of the step, whose files have one schema.
    fn revision(&self) -> &Revision {
        let (RevisionRule::Fixed(revision) | RevisionRule::ByContent(revision)) = &self.spec.revision;
        revision
    }

    /// Processes what is claimed, and then every file that is there.
    async fn turn(&self, tally: &mut Tally) -> Result<(), StepError> {
        for name in self.folders.claims()? {
            self.process_until_settled(&name, tally).await?;
        }
        for path in self.watch.files()? {
            if self.context.cancellation.is_cancelled() {
                break;
            }
            if let Some(name) = self.folders.claim(&path, self.names_repeat)? {
                self.process_until_settled(&name, tally).await?;
            }
        }
        Ok(())
    }

    /// Processes a claimed file to its end, however long its receiver does not answer or takes no rows at all; or until stopped, which
    /// leaves the file for the next process.
    async fn process_until_settled(&self, name: &str, tally: &mut Tally) -> Result<(), StepError> {
        let mut wait = self.poll;
        while !self.context.cancellation.is_cancelled() {
            let began = Instant::now();
            let produced = catch_panic(produce(self, name)).await;
            self.folders.attempts(name).end()?;
            self.context.clear_scratch();
            // A receiver may have repeated what it was given.
            let produced = produced.map_err(|error| {
                let message = self.context.secrets.redact(&error.message);
                StepError { message, ..error }
            });
            match produced {
                Ok(product) => {
                    if let Some(settled) = settle(self, &product)? {
                        log(name, product.rows, began.elapsed(), &settled);
                        tally.files += 1;
                        tally.rows += product.rows;
                    } else {
                        tracing::info!(file = name, "another process was first");
                    }
                    return Ok(self.folders.prune_history(self.keep)?);
                }
                // It may have failed for that alone.
                Err(error) if self.context.cancellation.is_cancelled() => {
                    tracing::info!(file = name, "stays for the next process: {}", error.message);
                }
                // Who writes to a file that was taken for whole may do so for a while.
                Err(error) if OF_RECEIVER.contains(&error.reason) || error.reason == DATA_CHANGED => {
                    tracing::warn!(file = name, "{}; tries again in {} s", error.message, wait.as_secs());
                    pause(wait, self.context).await;
                    wait = wait.saturating_mul(2).min(LONGEST_PAUSE);
                }
                Err(error) => return self.move_to_failed(name, error, tally),
            }
        }
        Ok(())
    }

    /// Puts a file that cannot be processed out of the way of the others; unless it is storage that fails, or the file is gone.
    fn move_to_failed(&self, name: &str, error: StepError, tally: &mut Tally) -> Result<(), StepError> {
        let is_readable = open_unlinked(&self.folders.claimed(name)).is_ok();
        if error.exit_code == ExitCode::StorageUnavailable && is_readable {
            return Err(error);
        }
        if self.folders.fail(name, &error.message)? {
            tally.files += 1;
            tally.failed += 1;
            tracing::error!(file = name, reason = error.reason, "put into failed: {}", error.message);
        } else {
            tracing::info!(file = name, reason = error.reason, "is gone: {}", error.message);
        }
        Ok(())
    }
}

/// Work of which a panic is a failure like others, so that it ends nothing but this file.
async fn catch_panic<T>(work: impl Future<Output = Result<T, StepError>>) -> Result<T, StepError> {
    // What outlives the file is paths, and a memory pool that gets back what the dropped work had.
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(done) => done,
        Err(panic) => Err(ContinuousError::of_panic(&*panic).into()),
    }
}

fn log(name: &str, rows: u64, time: Duration, settled: &Settled) {
    let seconds = time.as_secs_f64();
    match settled {
        Settled::Published(result) => {
            tracing::info!(file = name, rows, seconds, result = %result.display(), "published");
        }
        Settled::Delivered => tracing::info!(file = name, rows, seconds, "delivered"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_failure_with_its_message() {
        let row = "7".to_owned();
        let failed = catch_panic::<()>(async { panic!("no such row: {row}") }).await.expect_err("a failure");
        assert_eq!((failed.exit_code, failed.reason), (ExitCode::Internal, "Panicked"));
        assert!(failed.message.contains("no such row: 7"), "{}", failed.message);
        let failed = catch_panic::<()>(async { panic!("plain") }).await.expect_err("a failure");
        assert!(failed.message.ends_with(": plain"), "{}", failed.message);
        assert_eq!(catch_panic(async { Ok(1) }).await, Ok(1));
    }
}
