//! Where a standalone command's result goes: a file, standard output, or a place that results are delivered to.

use std::fs::File;
use std::io;
use std::path::Path;

use mlpipeline_crds::{Compression, Delivery, Format, UriScheme};
use tempfile::TempPath;

use super::out_file::OutFile;
use super::{Product, replace};
use crate::WorkContext;
use crate::artifact::ArtifactError;
use crate::failure::{STANDARD_OUTPUT, StepError};
use crate::table::{TableError, Written, compression_of};

/// What the variables with the credentials of a standalone command's output begin with.
const CREDENTIALS: &str = "MLPIPELINE_SECRET_OUTPUT_";

/// A result that is being written.
pub(crate) enum OutPlace {
    /// To a file, compressed where its name says so.
    File(OutFile, Option<Compression>),
    /// To standard output, by way of scratch: nothing is printed of a result that fails.
    Printed(TempPath),
    /// To a store, by way of scratch.
    Store { delivery: Delivery, draft: TempPath },
}

impl OutPlace {
    /// Begins the result at a path or URI.
    ///
    /// # Errors
    /// When it cannot be written there, or not with the compression that the name asks for.
    pub(crate) fn begin(out: &Path, format: Format, context: &WorkContext) -> Result<Self, StepError> {
        let scratch = || {
            let draft = tempfile::NamedTempFile::new_in(context.scratch())
                .map_err(ArtifactError::io("write to", context.scratch()))?;
            Ok::<_, StepError>(draft.into_temp_path())
        };
        if is_stdout(out) {
            return Ok(Self::Printed(scratch()?));
        }
        let Some(uri) = uri_of_store(out) else {
            let compression = compression_of(&out.to_string_lossy(), format)?;
            return Ok(Self::File(OutFile::begin(out)?, compression));
        };
        if UriScheme::of(&uri) == Some(UriScheme::S3) {
            // Known before the work, and looked at again where the object is written.
            compression_of(&uri, format)?;
        }
        let delivery = Delivery {
            uri,
            credentials: context.secrets.prefix_if_any(CREDENTIALS),
            rows_per_request: None,
            concurrent_requests: None,
        };
        Ok(Self::Store { delivery, draft: scratch()? })
    }

    /// Where to write.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::File(file, _) => file.path(),
            Self::Printed(draft) | Self::Store { draft, .. } => draft,
        }
    }

    /// Puts the finished result in its place.
    ///
    /// # Errors
    /// When that fails; then what was there stays.
    pub(crate) async fn publish(
        self,
        format: Format,
        written: &Written,
        context: &WorkContext,
    ) -> Result<(), StepError> {
        match self {
            Self::File(file, compression) => {
                let cancellation = context.cancellation.clone();
                // Compressing a large file is work for a core.
                let published = tokio::task::spawn_blocking(move || {
                    let file = match compression {
                        None => file,
                        Some(compression) => file.compressed(compression)?,
                    };
                    if cancellation.begin_publishing() {
                        file.publish()
                    } else {
                        Err(TableError::Stopped.into())
                    }
                });
                published.await.map_err(|error| TableError::Internal(error.to_string()))?
            }
            Self::Printed(draft) => {
                let mut result = File::open(&draft).map_err(ArtifactError::io("open", &draft))?;
                io::copy(&mut result, &mut io::stdout())
                    .map_err(ArtifactError::io("write", Path::new(STANDARD_OUTPUT)))?;
                Ok(())
            }
            Self::Store { delivery, draft } => {
                replace(&delivery, &Product::written(&draft, format, written), context).await
            }
        }
    }
}

/// Whether a result is for standard output.
pub(crate) fn is_stdout(out: &Path) -> bool {
    out == Path::new("-")
}

/// The format of a result at a path or URI: the one that is named, or else that of the name; a table of a database takes any, and standard
/// output is CSV.
///
/// # Errors
/// When neither says it.
pub(crate) fn format_of_out(out: &Path, named: Option<Format>) -> Result<Format, TableError> {
    named.or_else(|| format_of_name(out)).ok_or_else(|| {
        TableError::Source(format!(
            "the format of {} is not clear from its name; end it with .csv, .ndjson or .parquet, or give --out-format",
            out.display()
        ))
    })
}

fn format_of_name(out: &Path) -> Option<Format> {
    if is_stdout(out) {
        return Some(Format::Csv);
    }
    match uri_of_store(out) {
        Some(uri) if UriScheme::of(&uri) == Some(UriScheme::Postgres) => Some(Format::Parquet),
        _ => Format::of_name(&out.to_string_lossy()),
    }
}

fn uri_of_store(out: &Path) -> Option<String> {
    let text = out.to_str()?;
    let is_store = matches!(UriScheme::of(text), Some(UriScheme::S3 | UriScheme::Postgres));
    (is_store && text.contains("://")).then(|| text.to_owned())
}
