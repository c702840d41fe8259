//! Sources in stores: objects of S3 as they are, and tables of PostgreSQL as Parquet, all fetched to scratch.

use futures::{StreamExt, TryStreamExt, stream};
use mlpipeline_crds::{Format, ObjectLocation, TableLocation};

use super::TableError;
use super::blocks::TextFile;
use super::locate::{Located, by_extension, check_digest};
use crate::WorkContext;
use crate::failure::StepError;
use crate::progress::ProgressGuard;
use crate::stores::s3::Bucket;
use crate::stores::{Credentials, StoreError, postgres};

/// How many objects are fetched at the same time: a small one is hardly more than the time until its first byte. Each holds a
/// buffer of a quarter of a megabyte.
const FETCHED_AT_ONCE: usize = 8;

/// Fetches the object, or all objects that fit the pattern, in the order of their keys.
pub(super) async fn objects(
    uri: &str,
    format: Option<Format>,
    sha256: Option<&str>,
    credentials: &Credentials,
    context: &WorkContext,
) -> Result<Located, StepError> {
    let location = ObjectLocation::parse(uri).map_err(StoreError::location("s3"))?;
    let format = match format {
        Some(format) => format,
        None => by_extension(uri, &location.key)?,
    };
    let bucket = Bucket::new(&location.bucket, credentials, &context.network)?;
    let keys = bucket.keys(&location).await?;
    if sha256.is_some() && keys.len() > 1 {
        let text = format!("sha256 is of one object, and {uri} is {}", keys.len());
        return Err(TableError::Source(text).into());
    }
    let bar = context.progress.bytes(&format!("fetch {uri}"), Some(0));
    // In the order of the keys, whichever comes first; and where several fail, the first of them says why.
    let fetched = stream::iter(&keys).map(|key| object(&bucket, key, sha256, &bar, context));
    let files = fetched.buffered(FETCHED_AT_ONCE).try_collect().await?;
    Ok(Located { files, format, header: Vec::new(), columns: Vec::new(), lines: None })
}

async fn object(
    bucket: &Bucket,
    key: &str,
    sha256: Option<&str>,
    bar: &ProgressGuard,
    context: &WorkContext,
) -> Result<TextFile, StepError> {
    let (path, found) = bucket.fetch(key, bar, context).await?;
    let name = bucket.place(key);
    if let Some(expected) = sha256 {
        check_digest(&name, expected, found.as_str())?;
    }
    Ok(TextFile { path, name })
}

/// Copies a table to a Parquet file on scratch, as one statement of the database sees it.
pub(super) async fn table(
    uri: &str,
    described: bool,
    credentials: &Credentials,
    context: &WorkContext,
) -> Result<Located, StepError> {
    let location = TableLocation::parse(uri).map_err(StoreError::location("postgres"))?;
    if described {
        let text = format!(
            "format, columns, pattern, onMismatch and sha256 describe files, and {uri} is a table of a database"
        );
        return Err(TableError::Source(text).into());
    }
    let path = postgres::fetch(&location, credentials, context).await?;
    let file = TextFile { path, name: uri.to_owned() };
    Ok(Located {
        files: vec![file],
        format: Format::Parquet,
        header: Vec::new(),
        columns: Vec::new(),
        lines: None,
    })
}
