//! Delivery: a finished result goes to a place outside of storage too, before its artifact is published, so that a step that is
//! done has delivered.
//!
//! Owns which place takes what. An object or a table is replaced as a whole, so that doing it again leaves it as it is; rows that
//! are posted are added to others, each under a key by which a receiver knows it again. Must not know how results are made or
//! when they are published, nor how stores are talked to: `stores` does.

mod answer;
mod batches;
mod delivered_prefix;
mod error;
mod http;
mod one_thread;
mod out;
mod out_file;
mod post_result;
mod postgres;
mod rows;
mod s3;

use std::path::{Path, PathBuf};

use mlpipeline_crds::{Delivery, Format, StepSpec, UriScheme};

pub(crate) use self::delivered_prefix::{Checkpoint, DeliveredPrefix, rows_after};
pub(crate) use self::error::{DeliverError, OF_RECEIVER};
pub(crate) use self::http::{Origin, post};
pub(crate) use self::out::{OutPlace, format_of_out, is_stdout};
pub(crate) use self::out_file::OutFile;
pub(crate) use self::rows::{JsonRows, rows_of_lines};
use crate::WorkContext;
use crate::artifact::{Column, Draft, Kind, Manifest};
use crate::failure::StepError;
use crate::table::Written;

/// A result on the local disk.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    /// The file with its rows.
    pub path: PathBuf,
    /// The file's format.
    pub format: Format,
    /// The columns with their types, where the file does not hold them.
    pub columns: Vec<Column>,
}

impl Product {
    /// A file that was written just now.
    pub(crate) fn written(path: &Path, format: Format, written: &Written) -> Self {
        Self { path: path.to_owned(), format, columns: written.columns.clone() }
    }

    /// The rows of an artifact.
    pub(crate) fn of_artifact(folder: &Path, format: Format, manifest: &Manifest) -> Self {
        let path = folder.join(format!("data.{}", format.extension()));
        Self { path, format, columns: manifest.columns.clone() }
    }
}

/// A result that is written and not published yet.
pub(crate) struct Finished {
    /// Its draft.
    pub draft: Draft,
    /// What it is.
    pub kind: Kind,
    /// Its rows, in the draft.
    pub product: Product,
}

/// What takes results.
enum Place {
    Receiver,
    Bucket,
    Database,
}

impl Place {
    fn of(uri: &str) -> Result<Self, DeliverError> {
        match UriScheme::of(uri) {
            Some(UriScheme::Http | UriScheme::Https) => Ok(Self::Receiver),
            Some(UriScheme::S3) => Ok(Self::Bucket),
            Some(UriScheme::Postgres) => Ok(Self::Database),
            Some(UriScheme::File) | None => {
                let known = UriScheme::ALL.into_iter().filter(|scheme| scheme.takes_results());
                let known: Vec<&str> = known.map(UriScheme::name).collect();
                // The whole of the URI is not shown: it may hold a password.
                let found = match uri.split_once(':') {
                    Some((scheme, _)) => {
                        format!("\"{scheme}\" is not a scheme that results are delivered to")
                    }
                    None => "the output's uri has no scheme".to_owned(),
                };
                Err(DeliverError::Uri(format!("{found}; there are {}", known.join(", "))))
            }
        }
    }
}

/// Whether rows are posted to a URI, rather than replacing what is there.
///
/// # Errors
/// When nothing can be delivered there.
pub(crate) fn posts(uri: &str) -> Result<bool, DeliverError> {
    Ok(matches!(Place::of(uri)?, Place::Receiver))
}

/// Delivers a result, if the step asks for that, and gives the draft back to be published.
///
/// # Errors
/// When the place cannot be, refuses, or does not answer; or storage refuses.
pub(crate) async fn before_publishing(
    finished: Finished,
    delivery: Option<&Delivery>,
    spec: &StepSpec,
    context: &WorkContext,
) -> Result<Draft, StepError> {
    let Some(delivery) = delivery else { return Ok(finished.draft) };
    if posts(&delivery.uri)? {
        return post_result::before_publishing(finished, delivery, spec, context).await;
    }
    replace(delivery, &finished.product, context).await?;
    Ok(finished.draft)
}

/// Brings a result to the object or table that it is for; what was there before is replaced as a whole, or stays as it was. A
/// receiver of posts replaces nothing, and gets nothing here.
///
/// # Errors
/// When the place cannot be, refuses, or does not answer.
pub(crate) async fn replace(
    delivery: &Delivery,
    product: &Product,
    context: &WorkContext,
) -> Result<(), StepError> {
    let credentials = context.secrets.credentials(delivery.credentials.as_deref());
    match Place::of(&delivery.uri)? {
        Place::Receiver => Ok(()),
        Place::Bucket => s3::deliver(&delivery.uri, product, &credentials, context).await,
        Place::Database => postgres::deliver(&delivery.uri, product, &credentials, context).await,
    }
}
