//! To S3: the result's file becomes an object.

use std::path::Path;

use mlpipeline_crds::{Compression, ObjectLocation};
use tempfile::TempPath;

use super::Product;
use crate::WorkContext;
use crate::artifact::open_unlinked;
use crate::credentials::Credentials;
use crate::failure::StepError;
use crate::stores::StoreError;
use crate::stores::s3::Bucket;
use crate::table::{TableError, compress, compression_of};

/// Replaces the object, compressed where its key says so; one whose key ends with a slash is called `data` in that folder, with the
/// format's extension.
pub(super) async fn deliver(
    uri: &str,
    product: &Product,
    credentials: &Credentials,
    context: &WorkContext,
) -> Result<(), StepError> {
    let location = ObjectLocation::parse(uri).map_err(StoreError::location("s3"))?;
    let mut key = location.key;
    if key.contains('*') {
        let place = format!("s3://{}/{key}", location.bucket);
        return Err(
            StoreError::Spec { place, problem: "one object is written: name it without *".into() }.into()
        );
    }
    if key.ends_with('/') {
        key = format!("{key}data.{}", product.format.extension());
    }
    let bucket = Bucket::new(&location.bucket, credentials, &context.network)?;
    let place = bucket.place(&key);
    let smaller = match compression_of(&place, product.format)? {
        None => None,
        Some(compression) => Some(compressed(&product.path, compression, context).await?),
    };
    let file = smaller.as_deref().unwrap_or(&product.path);
    bucket.put(&key, file, context.progress).await
}

/// A compressed copy of a file on scratch, removed when it is dropped.
async fn compressed(
    path: &Path,
    compression: Compression,
    context: &WorkContext,
) -> Result<TempPath, StepError> {
    // It lies on a volume, where others can put a link in its place.
    let from = open_unlinked(path).map_err(TableError::io("open", path))?;
    let scratch = context.scratch();
    let (to, smaller) =
        tempfile::NamedTempFile::new_in(scratch).map_err(TableError::io("write to", scratch))?.into_parts();
    let done = tokio::task::spawn_blocking(move || compress(from, to, compression)).await;
    done.map_err(|error| TableError::Internal(error.to_string()))?
        .map_err(TableError::io("compress to", scratch))?;
    Ok(smaller)
}
