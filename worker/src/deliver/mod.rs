//! Delivery: a finished table is sent to where the spec says, before its artifact is published, so that a step that is done
//! has delivered.
//!
//! Owns the schemes that a result can be sent to. Must not know how results are made, or decide when they are published.

mod error;
mod http;
mod rows;

use std::path::Path;

use mlpipeline_crds::{Delivery, Format, StepSpec};

pub use self::error::DeliverError;
pub(crate) use self::http::{Origin, RECEIVER_UNAVAILABLE, post};
pub(crate) use self::rows::{JsonRows, rows_of_lines};
use crate::WorkContext;
use crate::artifact::{Draft, Kind};
use crate::failure::StepError;
use crate::table::{TextFile, Written};

/// A result that is written and not published yet.
pub(crate) struct Finished<'a> {
    /// Its draft.
    pub draft: Draft,
    /// What it is.
    pub kind: Kind,
    /// The file of its rows, in the draft.
    pub path: &'a Path,
    /// That file's format.
    pub format: Format,
    /// What was written into it.
    pub written: &'a Written,
}

/// Delivers a result, if the step asks for that, and gives the draft back to be published. A result that is published already
/// was delivered before.
///
/// # Errors
/// When the receiver refuses a row, or does not answer, or storage refuses.
pub(crate) async fn before_publishing(
    finished: Finished<'_>,
    delivery: Option<&Delivery>,
    spec: &StepSpec,
    context: &WorkContext,
) -> Result<Draft, StepError> {
    let Finished { draft, kind, path, format, written } = finished;
    let Some(delivery) = delivery else { return Ok(draft) };
    let rule = spec.revision.clone();
    // Hashing a large file is work for a core.
    let looked = tokio::task::spawn_blocking(move || {
        let outlook = draft.outlook(kind, &rule);
        (draft, outlook)
    })
    .await;
    let (draft, outlook) = looked.map_err(DeliverError::lost)?;
    let (revision, is_published) = outlook?;
    if is_published {
        return Ok(draft);
    }
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let origin = Origin { step: spec.folder(), revision: revision.to_string(), file: file.clone() };
    let text = TextFile { path: path.to_owned(), name: file };
    let rows = rows::rows_of_file(text, format, written.columns.clone(), context).await?;
    match delivery.uri.split_once(':') {
        Some(("http" | "https", _)) => {
            post(delivery, &origin, rows, 0, context, &mut |_| Ok(())).await?;
            Ok(draft)
        }
        _ => {
            let text =
                format!("output uri \"{}\" has no known scheme; use http://… or https://…", delivery.uri);
            Err(DeliverError::Uri(text).into())
        }
    }
}
