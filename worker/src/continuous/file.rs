//! One file: from its claim to its result.
//!
//! What fails while a result is made or sent is the file's own failure. What fails when the result is put in its place is
//! storage's, and ends the process: the next one finds what is decided and what is not by `Folders::recover`.

use std::path::PathBuf;

use datafusion::arrow::datatypes::SchemaRef;
use mlpipeline_crds::{DataSource, Delivery, Format, PrepareInput};
use tempfile::TempPath;

use super::attempts;
use super::checkpoint::{CheckpointFile, StoredCheckpoint};
use super::columns::{keep_columns, read_columns};
use super::error::SCHEMA_CHANGED;
use super::first_value::with_first_value;
use super::names::{PENDING_EXTENSION, Ready};
use super::opened::CLAIMED_FOLDER;
use super::schema::{self, PinnedSchema};
use super::{ContinuousError, Work};
use crate::artifact::ArtifactError;
use crate::deliver::{Checkpoint, DeliveredPrefix, JsonRows, Origin, post, rows_after, rows_of_lines};
use crate::failure::StepError;
use crate::prepare::{self, Expectation};
use crate::table::KnownColumns;

/// A file's result that is whole, and delivered where the step delivers.
pub(super) struct Product {
    ready: Ready,
    /// Its rows.
    pub rows: u64,
}

/// Makes a claimed file's result, and delivers it.
///
/// # Errors
/// When the file cannot be processed, its receiver refuses or does not answer, storage fails, or the process is stopped.
pub(super) async fn produce(work: &Work<'_>, name: &str) -> Result<Product, StepError> {
    let Some(delivery) = &work.step.delivery else {
        let (ready, rows) = unless_stopped(work, async {
            let ready = new_attempt(name, work.step.format.extension());
            let rows = make(work, &ready, work.step.format).await?;
            Ok((ready, rows))
        })
        .await?;
        return Ok(Product { ready, rows });
    };
    let ready = unless_stopped(work, pending_delivery(work, name, delivery)).await?;
    deliver(work, ready, delivery).await
}

/// Makes a result the one that counts, and publishes it where it is not delivered: says where. `None` when another process was
/// first.
///
/// # Errors
/// When storage fails.
pub(super) fn settle(work: &Work<'_>, product: &Product) -> Result<Option<Settled>, ArtifactError> {
    let (folders, ready) = (&work.folders, &product.ready);
    if !folders.finish(ready)? {
        folders.discard(ready)?;
        return Ok(None);
    }
    let settled = if work.step.delivery.is_some() {
        folders.discard(ready)?;
        Settled::Delivered
    } else {
        Settled::Published(folders.publish(ready)?)
    };
    folders.discard_others(ready)?;
    Ok(Some(settled))
}

/// Where a result is in the end.
pub(super) enum Settled {
    /// With the receiver.
    Delivered,
    /// In this file.
    Published(PathBuf),
}

/// Does work that may be dropped and done again.
async fn unless_stopped<T>(
    work: &Work<'_>,
    doing: impl Future<Output = Result<T, StepError>>,
) -> Result<T, StepError> {
    tokio::select! {
        biased;
        () = work.context.cancellation.cancelled() => Err(ContinuousError::Stopped.into()),
        done = doing => done,
    }
}

fn new_attempt(name: &str, extension: &str) -> Ready {
    Ready {
        name: name.to_owned(),
        attempt: format!("{:016x}", rand::random::<u64>()),
        extension: extension.to_owned(),
    }
}

/// Writes a file's result, checks it, and makes it durable; says how many rows it has. That the work was begun stays noted where it
/// fails, until the caller has seen that the process outlives it.
async fn make(work: &Work<'_>, ready: &Ready, format: Format) -> Result<u64, StepError> {
    let step = work.step;
    let pinned = PinnedSchema::read(work.folders.schema(work.revision()));
    let input = claimed_input(work, &ready.name)?;
    // Removed with whatever ends the work before its end, a panic too; what a killed process leaves, the next one removes.
    let draft = work.folders.draft(&ready.attempt);
    let draft = TempPath::try_from_path(&draft).map_err(ArtifactError::io("create", &draft))?;
    let attempts = work.folders.attempts(&ready.name);
    let before = attempts.begin()?;
    if before >= attempts::LIMIT {
        return Err(ContinuousError::EndsTheProcess(before).into());
    }
    let mut columns = Vec::new();
    let mut look = |found: &SchemaRef| {
        columns = schema::columns(found);
        Ok(pinned.check(found)?)
    };
    let (sql, context) = (step.sql.as_deref(), work.context);
    let before = pinned.columns();
    let own = read_columns(&work.folders.claimed(&ready.name))?;
    // A file that has other columns than the first one had is read as the first one was, by a worker of which nothing was handed over.
    let own = if before.is_empty() || own == before { own } else { Vec::new() };
    let known = KnownColumns { expected: pinned.types(), before, own };
    let expectation = Expectation { known, look: &mut look };
    let inputs = [input];
    let made = prepare::make_of(&inputs, sql, &step.checks, format, &draft, context, expectation).await;
    let written = match made {
        Err(error) if error.reason == SCHEMA_CHANGED => {
            let [input] = &inputs;
            let changed = pinned.changed(&columns);
            return Err(Box::pin(with_first_value(error, input, changed, context)).await);
        }
        made => made?,
    };
    pinned.keep(&columns)?;
    // Sending takes its time, and may be interrupted as often as it likes.
    attempts.end()?;
    if step.delivery.is_none() {
        keep_columns(&work.folders.ready(ready), &written.columns)?;
    }
    work.folders.complete(ready)?;
    Ok(written.rows)
}

/// Rows on their way to a receiver.
struct PendingDelivery {
    ready: Ready,
    /// The rows that are still to be sent.
    rows: JsonRows,
    /// Those before them.
    taken: DeliveredPrefix,
    count: CheckpointFile,
}

/// The rows of a file to send: those that an earlier process of the same revision wrote, else they are made. Where they begin with
/// the rows that were accepted already, by whichever revision and however often the file failed since, only the rest is sent.
async fn pending_delivery(
    work: &Work<'_>,
    name: &str,
    delivery: &Delivery,
) -> Result<PendingDelivery, StepError> {
    let revision = work.revision();
    let folders = &work.folders;
    let begun: Vec<(Ready, StoredCheckpoint)> = folders
        .pending_deliveries(name)?
        .into_iter()
        .filter_map(|ready| StoredCheckpoint::read(&folders.checkpoint(&ready)).map(|noted| (ready, noted)))
        .collect();
    let same = begun.iter().find(|(_, noted)| noted.revision == revision.as_str());
    let before = same.or(begun.first()).map(|(_, noted)| noted.clone());
    let before = before.or_else(|| StoredCheckpoint::read(&folders.kept_checkpoint(name)));
    let ready = match same {
        Some((ready, _)) => ready.clone(),
        None => {
            let ready = new_attempt(name, PENDING_EXTENSION);
            make(work, &ready, Format::Ndjson).await?;
            ready
        }
    };
    let path = folders.ready(&ready);
    let behind = match &before {
        Some(noted) => rows_after(&path, delivery, &noted.checkpoint).await?,
        None => None,
    };
    let (rows, taken) = match behind {
        Some(behind) => behind,
        None => (rows_of_lines(&path).await?, DeliveredPrefix::none(delivery)?),
    };
    let checkpoint = taken.checkpoint();
    if let Some(StoredCheckpoint { checkpoint: Checkpoint { rows, .. }, .. }) =
        before.filter(|before| before.checkpoint.rows > checkpoint.rows)
    {
        tracing::warn!(
            file = name,
            "the {rows} rows delivered before are not the first ones now; all are sent again"
        );
    }
    let noted = StoredCheckpoint { checkpoint, revision: revision.to_string() };
    let count = CheckpointFile::begin(&folders.checkpoint(&ready), &folders.draft(&ready.attempt), &noted)?;
    folders.replace_pending(&ready)?;
    Ok(PendingDelivery { ready, rows, taken, count })
}

async fn deliver(
    work: &Work<'_>,
    pending: PendingDelivery,
    delivery: &Delivery,
) -> Result<Product, StepError> {
    let PendingDelivery { ready, rows, taken, mut count } = pending;
    // No other file of the step ever has this name, whatever the step means by then.
    let origin =
        Origin { identity: format!("{}\n{}", work.spec.folder(), ready.name), file: ready.name.clone() };
    let keep = move |taken: &DeliveredPrefix| count.set(&taken.checkpoint()).map_err(StepError::from);
    let rows = post(delivery.clone(), origin, rows, taken, work.context, keep).await?;
    Ok(Product { ready, rows })
}

/// The step's input, of which this file is the only one. It is read by its name, and whoever opens it checks that it lies in storage.
fn claimed_input(work: &Work<'_>, name: &str) -> Result<PrepareInput, StepError> {
    match work.step.inputs.first() {
        Some(PrepareInput {
            name: table,
            source: DataSource::Uri { format, columns, pattern, on_mismatch, reading, .. },
        }) => Ok(PrepareInput {
            name: table.clone(),
            source: DataSource::Uri {
                uri: format!("file:{}/{CLAIMED_FOLDER}/{name}", work.spec.folder()),
                format: *format,
                columns: columns.clone(),
                pattern: pattern.clone(),
                on_mismatch: *on_mismatch,
                reading: reading.clone(),
                sha256: None,
                credentials: None,
            },
        }),
        _ => Err(ContinuousError::Source("the input names no files".into()).into()),
    }
}
