//! One file of any format, as it is.

use std::io::Read;

use mlpipeline_crds::{Format, UriScheme};

use super::{Request, disk, http, s3};
use crate::WorkContext;
use crate::artifact::ArtifactError;
use crate::failure::StepError;
use crate::table::TableError;

/// The bytes of the file at a URI, at most so many, with the rules, credentials and retries that tables are read with.
///
/// # Errors
/// When the place names no file or several, cannot be read, has another digest than the one that is accepted, or the file is too large.
pub(crate) async fn fetch_file(
    uri: &str,
    sha256: Option<&str>,
    credentials: Option<&str>,
    limit: u64,
    context: &WorkContext,
) -> Result<Vec<u8>, StepError> {
    let request = Request {
        uri,
        // No table is read of it: whatever is named here, nothing looks at it.
        format: Some(Format::Parquet),
        sha256,
        described: true,
        credentials: context.secrets.credentials(credentials),
        context,
    };
    let (files, _) = match UriScheme::of(uri) {
        Some(UriScheme::File) => disk::locate(&request)?,
        Some(UriScheme::Http | UriScheme::Https) => http::locate(&request).await?,
        Some(UriScheme::S3) => s3::locate(&request).await?,
        Some(UriScheme::Postgres) | None => {
            let text = format!("uri \"{uri}\" names no file; write file:PATH, http://…, https://… or s3://…");
            return Err(TableError::Source(text).into());
        }
    };
    let [file] = files.as_slice() else {
        let text =
            format!("{} is {} files, and one is read; name it without *", request.shown(), files.len());
        return Err(TableError::Source(text).into());
    };
    let file = file.clone();
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        let open = file.open()?;
        (&open).take(limit + 1).read_to_end(&mut bytes).map_err(ArtifactError::io("read", &file.path))?;
        file.unchanged(&open)?;
        if bytes.len() as u64 > limit {
            let problem = format!("it has more than {limit} bytes, which is the most that is read");
            return Err(TableError::content(&file.name, problem).into());
        }
        Ok::<_, StepError>(bytes)
    });
    read.await.map_err(|error| TableError::Internal(error.to_string()))?
}
