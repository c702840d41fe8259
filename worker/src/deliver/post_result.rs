//! Posting a whole result before it is published.
//!
//! Owns what is known of a delivery from one attempt of a step to the next: which rows the receiver has accepted, in the step's unfinished
//! work. So a step that was stopped, or whose receiver did not answer, continues after them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use mlpipeline_crds::{Delivery, Digest, Format, RevisionRule, StepSpec};

use super::delivered_prefix::{Checkpoint, DeliveredPrefix, after};
use super::http::{Means, Origin, post_by};
use super::one_thread::on_one_thread;
use super::rows::rows_of_file;
use super::{DeliverError, Finished, JsonRows, Product};
use crate::WorkContext;
use crate::artifact::{Column, Draft, Kept};
use crate::failure::StepError;
use crate::table::LocalFile;

/// How often it is noted which rows were accepted, beside the last ones before an orderly end. A file for each request would cost more than the
/// request; a process that is killed sends again what this long accepted, under the same keys.
const NOTE_EVERY: Duration = Duration::from_secs(1);

/// The file of unfinished work that says which rows were accepted.
const DELIVERED: &str = "delivered";

/// Posts a result's rows, and gives the draft back to be published. A result that is published already was posted before.
///
/// # Errors
/// When the receiver refuses a row, or does not answer, or storage refuses.
pub(super) async fn before_publishing(
    finished: Finished,
    delivery: &Delivery,
    spec: &StepSpec,
    context: &WorkContext,
) -> Result<Draft, StepError> {
    let Finished { draft, kind, product: Product { path, format, columns } } = finished;
    let rule = spec.revision.clone();
    // Hashing a large file is work for a core.
    let hashed = tokio::task::spawn_blocking(move || {
        let preview = draft.preview(kind, &rule);
        (draft, preview)
    })
    .await;
    let (draft, preview) = hashed.map_err(DeliverError::lost)?;
    let (revision, is_published) = preview?;
    if is_published {
        return Ok(draft);
    }
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let origin = Origin { identity: format!("{}\n{revision}", spec.folder()), file: file.clone() };
    let (RevisionRule::Fixed(key) | RevisionRule::ByContent(key)) = &spec.revision;
    let folder = context.storage.step_folder(&spec.folder())?;
    Kept::remove_others(folder.path(), key);
    let kept = Kept::open(folder.path(), key)?;
    let result = ResultFile { path, name: file, format, columns };
    let (rows, taken) = result.rows_left(delivery, &kept, context).await?;
    let (delivery, means) = (delivery.clone(), Means::of(context));
    // The answers under way are waited for, so that an orderly stop sends no row twice.
    let draining = context.cancellation.draining();
    let posted = on_one_thread(async move {
        let (mut accepted, mut noted) = (None, Instant::now());
        let mut keep = |taken: &DeliveredPrefix| {
            if noted.elapsed() < NOTE_EVERY {
                accepted = Some(taken.clone());
                return Ok(());
            }
            (accepted, noted) = (None, Instant::now());
            note(&kept, &taken.checkpoint())
        };
        let posted = post_by(&delivery, &origin, rows, taken, &means, &mut keep).await;
        // What was delivered is published next, and needs no note.
        if let (Err(_), Some(accepted)) = (&posted, accepted) {
            note(&kept, &accepted.checkpoint())?;
        }
        posted
    })
    .await;
    drop(draining);
    posted?;
    Ok(draft)
}

/// The file of a result.
struct ResultFile {
    path: PathBuf,
    /// What messages call it.
    name: String,
    format: Format,
    columns: Vec<Column>,
}

impl ResultFile {
    async fn rows(&self, context: &WorkContext) -> Result<JsonRows, StepError> {
        let file = LocalFile::own(self.path.clone(), self.name.clone());
        rows_of_file(file, self.format, self.columns.clone(), context).await
    }

    /// The rows that an earlier attempt did not deliver: all, where the result does not begin with those that it did.
    async fn rows_left(
        &self,
        delivery: &Delivery,
        kept: &Kept,
        context: &WorkContext,
    ) -> Result<(JsonRows, DeliveredPrefix), StepError> {
        let mark = kept.read(DELIVERED).and_then(|bytes| noted(&bytes));
        if let Some(mark) = mark {
            if let Some(left) = after(self.rows(context).await?, delivery, &mark).await? {
                tracing::info!(rows = mark.rows, "continues after the rows that were delivered before");
                return Ok(left);
            }
            tracing::warn!(
                "the {} rows delivered before are not the first ones now; all are sent again",
                mark.rows
            );
        }
        Ok((self.rows(context).await?, DeliveredPrefix::none(delivery)?))
    }
}

/// Keeps which rows were accepted.
fn note(kept: &Kept, accepted: &Checkpoint) -> Result<(), StepError> {
    Ok(kept.write(DELIVERED, format!("{}\n{}\n", accepted.rows, accepted.digest).as_bytes())?)
}

/// What [`note`] kept.
fn noted(bytes: &[u8]) -> Option<Checkpoint> {
    let (rows, digest) = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?.split_once('\n')?;
    let digest: Digest = serde_json::from_value(digest.into()).ok()?;
    Some(Checkpoint { rows: rows.parse().ok()?, digest })
}

#[cfg(test)]
mod tests {
    use mlpipeline_crds::Revision;

    use super::*;

    #[test]
    fn what_was_noted_is_read_and_half_of_it_says_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = Kept::open(folder.path(), &Revision::of(&["key"])).expect("a folder");
        let accepted = Checkpoint { rows: 12, digest: Digest::of(b"rows") };
        note(&kept, &accepted).expect("noted");
        let bytes = kept.read(DELIVERED).expect("a note");
        assert_eq!(noted(&bytes), Some(accepted));
        for end in 0..bytes.len() {
            assert_eq!(noted(&bytes[..end]), None, "{end} bytes");
        }
    }
}
