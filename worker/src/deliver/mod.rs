//! Delivery: a finished result goes to a place outside of storage too, before it counts as finished.
//!
//! Owns which place takes what. Doing it again leaves the place as it is, so a step that was killed in between delivers once
//! more. Must not know how results are made, nor how stores are talked to: `stores` does.

mod out;
mod postgres;
mod s3;

use std::path::{Path, PathBuf};

use mlpipeline_crds::{Delivery, Format};

pub(crate) use out::{OutPlace, format_of_out};

use crate::WorkContext;
use crate::artifact::{Column, Manifest};
use crate::failure::StepError;
use crate::table::{TableError, Written};

/// A result on the local disk.
#[derive(Clone, Debug)]
pub struct Product {
    /// The file with its rows.
    pub path: PathBuf,
    /// The file's format.
    pub format: Format,
    /// The columns with their types, where the file does not hold them.
    pub columns: Vec<Column>,
}

impl Product {
    /// A file that was written just now.
    #[must_use]
    pub fn written(path: &Path, format: Format, written: &Written) -> Self {
        Self { path: path.to_owned(), format, columns: written.columns.clone() }
    }

    /// The rows of an artifact.
    #[must_use]
    pub fn of_artifact(folder: &Path, format: Format, manifest: &Manifest) -> Self {
        let path = folder.join(format!("data.{}", format.extension()));
        Self { path, format, columns: manifest.columns.clone() }
    }
}

/// Brings a result to its place; what was there before is replaced as a whole, or stays as it was.
///
/// # Errors
/// When the place cannot be, refuses, or does not answer.
pub async fn deliver(delivery: &Delivery, product: &Product, context: &WorkContext) -> Result<(), StepError> {
    let credentials = context.secrets.credentials(delivery.credentials.as_deref());
    match delivery.uri.split_once(':').map(|(scheme, _)| scheme) {
        Some("s3") => s3::deliver(&delivery.uri, product, &credentials, context).await,
        Some("postgres") => postgres::deliver(&delivery.uri, product, &credentials, context).await,
        _ => {
            let text = "the output's uri has no scheme that results are delivered to; there are s3:// and postgres://";
            Err(TableError::Source(text.to_owned()).into())
        }
    }
}
