//! One file: from its claim to its result.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use mlpipeline_crds::{DataSource, Delivery, Format, PrepareInput, RevisionRule};

use super::attempts;
use super::count::Count;
use super::names::{PARCEL_EXTENSION, Ready};
use super::{ContinuousError, Work};
use crate::artifact::ArtifactError;
use crate::deliver::{Origin, post, rows_of_lines};
use crate::failure::StepError;
use crate::prepare;

/// What became of a file.
pub(super) struct Processed {
    /// Rows of its result.
    pub rows: u64,
    /// Where the result is; `None` when it was delivered.
    pub result: Option<PathBuf>,
    /// How long it took.
    pub time: Duration,
}

/// Processes a claimed file; `None` when another process was first.
pub(super) async fn process(work: &Work<'_>, name: &str) -> Result<Option<Processed>, StepError> {
    let began = Instant::now();
    let (ready, rows) = match &work.step.delivery {
        Some(delivery) => deliver(work, name, delivery).await?,
        None => {
            let ready = new_attempt(name, work.step.format.extension());
            let rows = make(work, &ready, work.step.format).await?;
            (ready, rows)
        }
    };
    if !work.folders.finish(&ready)? {
        work.folders.discard(&ready)?;
        return Ok(None);
    }
    let result = match &work.step.delivery {
        Some(_) => {
            work.folders.discard(&ready)?;
            None
        }
        None => Some(work.folders.publish(&ready)?),
    };
    work.folders.discard_others(&ready)?;
    Ok(Some(Processed { rows, result, time: began.elapsed() }))
}

fn new_attempt(name: &str, extension: &str) -> Ready {
    Ready {
        name: name.to_owned(),
        attempt: format!("{:016x}", rand::random::<u64>()),
        extension: extension.to_owned(),
    }
}

/// Writes a file's result, checks it, and makes it durable; says how many rows it has.
async fn make(work: &Work<'_>, ready: &Ready, format: Format) -> Result<u64, StepError> {
    let input = claimed_input(work, &ready.name)?;
    let step = work.step;
    let draft = work.folders.draft(&ready.attempt);
    let attempts = work.folders.attempts(&ready.name);
    let before = attempts.begin()?;
    if before >= attempts::LIMIT {
        attempts.end()?;
        return Err(ContinuousError::EndsTheProcess(before).into());
    }
    let made = prepare::make(&[input], step.sql.as_deref(), &step.checks, format, &draft, work.context).await;
    attempts.end()?;
    match made {
        Ok(written) => {
            work.folders.complete(ready)?;
            Ok(written.rows)
        }
        Err(error) => {
            // It may not have come so far; the next process would remove it.
            std::fs::remove_file(&draft).ok();
            Err(error)
        }
    }
}

/// Makes a file's result and sends it to the receiver, or goes on where an earlier process was interrupted: then with the rows
/// that it wrote, so that their numbers stay.
async fn deliver(work: &Work<'_>, name: &str, delivery: &Delivery) -> Result<(Ready, u64), StepError> {
    let (RevisionRule::Fixed(revision) | RevisionRule::ByContent(revision)) = &work.spec.revision;
    let begun = work.folders.all_ready()?.into_iter().find_map(|ready| {
        let fits = ready.name == name && ready.extension == PARCEL_EXTENSION;
        let count = Count::resume(&work.folders.count(&ready), revision.as_str()).filter(|_| fits)?;
        Some((ready, count))
    });
    let (ready, mut count) = match begun {
        Some(begun) => begun,
        None => {
            let ready = new_attempt(name, PARCEL_EXTENSION);
            make(work, &ready, Format::Ndjson).await?;
            let count = Count::begin(&work.folders.count(&ready), revision.as_str())?;
            (ready, count)
        }
    };
    let origin = Origin { step: work.spec.folder(), revision: revision.to_string(), file: name.to_owned() };
    let before = count.rows;
    let rows = rows_of_lines(&work.folders.ready(&ready), before).await?;
    let mut taken = |rows| count.set(rows).map_err(StepError::from);
    let rows = post(delivery, &origin, rows, before, work.context, &mut taken).await?;
    Ok((ready, rows))
}

/// The step's input, of which this file is the only one.
fn claimed_input(work: &Work<'_>, name: &str) -> Result<PrepareInput, StepError> {
    let path = work.folders.claimed(name);
    let relative = path.strip_prefix(&work.context.storage.root).ok().and_then(|path| path.to_str());
    let relative = relative.ok_or_else(|| ArtifactError::Path {
        path: path.display().to_string(),
        problem: "it is not below the storage folder",
    })?;
    match work.step.inputs.first() {
        Some(PrepareInput {
            name: table,
            source: DataSource::Uri { format, columns, pattern, on_mismatch, .. },
        }) => Ok(PrepareInput {
            name: table.clone(),
            source: DataSource::Uri {
                uri: format!("file:{relative}"),
                format: *format,
                columns: columns.clone(),
                pattern: pattern.clone(),
                on_mismatch: *on_mismatch,
                sha256: None,
                credentials: None,
            },
        }),
        _ => Err(ContinuousError::Source("the input names no files".into()).into()),
    }
}
