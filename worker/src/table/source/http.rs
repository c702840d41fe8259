//! `http:` and `https:` URLs: one file, fetched to scratch.

use url::Url;

use super::digest::check_digest;
use super::plain::decode;
use super::{Found, Request};
use crate::failure::StepError;
use crate::network::{Download, FetchError, fetch, redacted};
use crate::table::TableError;
use crate::table::file::{Arrival, LocalFile};

/// Fetches the file.
pub(super) async fn locate(request: &Request<'_>) -> Result<Found, StepError> {
    let context = request.context;
    // The text is not shown: what does not parse may still hold a password.
    let url = Url::parse(request.uri)
        .map_err(|error| TableError::Source(format!("the uri is not a valid URL: {error}")))?;
    let name = redacted(&url);
    let format = request.format_of(&name, url.path())?;
    let mut fetched = fetch(&Download {
        url: &url,
        credentials: &request.credentials,
        network: &context.network,
        scratch: context.scratch(),
        progress: context.progress,
    })
    .await
    .map_err(TableError::from)?;
    if let Some(expected) = request.sha256 {
        let checked = check_digest(&name, expected, fetched.sha256.as_str());
        if checked.is_err() && fetched.end_is_unknown {
            let problem = "what came has another sha256 than the one that is accepted".to_owned();
            return Err(TableError::from(FetchError::CutShort { name, problem }).into());
        }
        checked?;
        // What was asked for is all there, whatever the server says of it.
        (fetched.end_is_unknown, fetched.is_page) = (false, false);
    }
    if fetched.is_page && request.format.is_none() {
        let problem = format!(
            "it is an HTML or XML page, not {}: the server sends it as text/html; does the address need a login, or lead to a page about \
             the file? Where it is the table all the same, name its format, or let the server send another Content-Type",
            format.extension()
        );
        return Err(TableError::content(&name, problem).into());
    }
    let arrival = Arrival { end_is_unknown: fetched.end_is_unknown, is_page: fetched.is_page };
    let mut file = LocalFile::own(fetched.path, name).arrived(arrival);
    if let Some(encoding) = fetched.encoding {
        decode(&mut file, encoding, context).await?;
    }
    Ok((vec![file], format))
}
