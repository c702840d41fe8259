//! `postgres:` URIs: a table of a database, as one statement sees it, copied to a Parquet file on scratch.

use mlpipeline_crds::{Format, TableLocation};

use super::{Found, Request};
use crate::failure::StepError;
use crate::network::scratch_file;
use crate::stores::{StoreError, postgres, within};
use crate::table::file::LocalFile;
use crate::table::{TableError, write};

/// Copies the table.
pub(super) async fn locate(request: &Request<'_>) -> Result<Found, StepError> {
    let Request { uri, context, .. } = *request;
    let location = TableLocation::parse(uri).map_err(StoreError::location("postgres"))?;
    if request.described {
        let text = format!(
            "format, columns, pattern, onMismatch, reading and sha256 describe files, and {uri} is a table of a database"
        );
        return Err(TableError::Source(text).into());
    }
    let path = scratch_file(context.scratch(), "download");
    let copy = async {
        let rows = postgres::read(&location, &request.credentials, &context.network).await?;
        write(rows, Format::Parquet, &path, context.progress).await
    };
    within(context.network.fetch_timeout, uri, copy).await?;
    Ok((vec![LocalFile::own(path, uri.to_owned())], Format::Parquet))
}
