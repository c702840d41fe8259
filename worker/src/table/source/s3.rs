//! `s3:` URIs: objects of a bucket, fetched to scratch.

use futures::{StreamExt, TryStreamExt, stream};
use mlpipeline_crds::ObjectLocation;

use super::digest::check_digest;
use super::{Found, Request};
use crate::WorkContext;
use crate::failure::StepError;
use crate::progress::ProgressGuard;
use crate::stores::s3::Bucket;
use crate::stores::{StoreError, within};
use crate::table::TableError;
use crate::table::file::LocalFile;

/// How many objects are fetched at the same time: a small one is hardly more than the time until its first byte. Each holds a
/// buffer of a quarter of a megabyte.
const FETCHED_AT_ONCE: usize = 8;

/// Fetches the object, or all objects that fit the pattern, in the order of their keys.
pub(super) async fn locate(request: &Request<'_>) -> Result<Found, StepError> {
    let Request { uri, sha256, context, .. } = *request;
    let location = ObjectLocation::parse(uri).map_err(StoreError::location("s3"))?;
    let format = request.format_of(uri, &location.key)?;
    let bucket = Bucket::new(&location.bucket, &request.credentials, &context.network)?;
    let keys =
        within(context.network.fetch_timeout, uri, async { Ok(bucket.keys(&location).await?) }).await?;
    if sha256.is_some() && keys.len() > 1 {
        let text = format!("sha256 is of one object, and {uri} is {}", keys.len());
        return Err(TableError::Source(text).into());
    }
    let bar = context.progress.bytes(&format!("fetch {uri}"), Some(0));
    // In the order of the keys, whichever comes first; and where several fail, the first of them says why.
    let fetched = stream::iter(&keys).map(|key| object(&bucket, key, sha256, &bar, context));
    let files = fetched.buffered(FETCHED_AT_ONCE).try_collect().await?;
    Ok((files, format))
}

async fn object(
    bucket: &Bucket,
    key: &str,
    sha256: Option<&str>,
    bar: &ProgressGuard,
    context: &WorkContext,
) -> Result<LocalFile, StepError> {
    let name = bucket.place(key);
    let (path, found) =
        within(context.network.fetch_timeout, &name, bucket.fetch(key, bar, context.scratch())).await?;
    if let Some(expected) = sha256 {
        check_digest(&name, expected, found.as_str())?;
    }
    Ok(LocalFile::own(path, name))
}
