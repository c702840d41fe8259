//! Where rows come from, one file for each kind of source: all of them end as files on the local disk and their format.
//!
//! A source is added by a file here, a line in [`locate`], and a variant of [`UriScheme`] in crds. Must not know formats beyond
//! their names.

mod artifact;
mod digest;
mod disk;
mod file;
mod gzip;
mod http;
mod plain;
mod postgres;
mod s3;

use std::path::Path;

use mlpipeline_crds::{DataSource, Format, UriScheme};

pub(crate) use self::disk::local_uri;
pub(crate) use self::file::fetch_file;
use super::TableError;
use super::file::LocalFile;
use super::format::{self, ReadOptions};
use super::text::ExpectedTypes;
use crate::WorkContext;
use crate::artifact::Column;
use crate::credentials::Credentials;
use crate::failure::StepError;

/// Files to read, of one format.
#[derive(Debug)]
pub(super) struct Located {
    /// At least one.
    pub files: Vec<LocalFile>,
    /// Of all of them.
    pub format: Format,
    /// The columns with their types, where an artifact's manifest says them.
    pub columns: Vec<Column>,
    /// How many rows there are, where an artifact's manifest says it.
    pub rows: Option<u64>,
    /// What else the spec says of the files.
    pub options: ReadOptions,
}

/// A URI with what the spec says of it.
struct Request<'a> {
    uri: &'a str,
    /// The format that the spec names.
    format: Option<Format>,
    sha256: Option<&'a str>,
    /// Whether the spec describes files.
    described: bool,
    credentials: Credentials,
    context: &'a WorkContext,
}

impl Request<'_> {
    /// What messages call the place. On a user's own machine the whole file system is the storage, and paths are absolute.
    fn shown(&self) -> String {
        let path = self.uri.split_once(':').filter(|_| UriScheme::of(self.uri) == Some(UriScheme::File));
        match path.filter(|_| self.context.storage.root == Path::new("/")) {
            Some((_, path)) => format!("/{path}"),
            None => self.uri.to_owned(),
        }
    }

    /// The format that the spec names, else that of the path's extension. `name` is what messages call it.
    fn format_of(&self, name: &str, path: &str) -> Result<Format, TableError> {
        self.format.or_else(|| Format::of_name(path)).ok_or_else(|| {
            TableError::Source(format!(
                "the format of {name} is not clear from its name, which does not end with {}; say format: csv, ndjson or parquet, or give the pattern of its lines",
                Format::known_extensions()
            ))
        })
    }
}

/// What a source gives: files of one format.
type Found = (Vec<LocalFile>, Format);

/// Finds a source's files, fetching and decompressing them where needed.
pub(super) async fn locate(source: &DataSource, context: &WorkContext) -> Result<Located, StepError> {
    let DataSource::Uri { uri, format, columns, pattern, on_mismatch, reading, sha256, credentials } = source
    else {
        return match source {
            DataSource::Artifact { path, digest } => artifact::locate(path, digest.as_ref(), context).await,
            DataSource::Uri { .. } => Err(TableError::Internal("a source of no kind".to_owned()).into()),
        };
    };
    let options = ReadOptions {
        table: String::new(),
        columns: columns.clone(),
        pattern: pattern.clone(),
        on_mismatch: *on_mismatch,
        reading: reading.as_deref().cloned().unwrap_or_default(),
        before: None,
        expected: ExpectedTypes::new(),
    };
    let request = Request {
        uri,
        // A pattern says that it is text, whatever the extension.
        format: format.or(pattern.as_ref().map(|_| Format::Text)),
        sha256: sha256.as_deref(),
        described: format.is_some()
            || sha256.is_some()
            || !columns.is_empty()
            || on_mismatch.is_some()
            || reading.is_some(),
        credentials: context.secrets.credentials(credentials.as_deref()),
        context,
    };
    let (mut files, format) = match UriScheme::of(uri) {
        Some(UriScheme::File) => disk::locate(&request)?,
        Some(UriScheme::Http | UriScheme::Https) => http::locate(&request).await?,
        Some(UriScheme::S3) => s3::locate(&request).await?,
        Some(UriScheme::Postgres) => postgres::locate(&request).await?,
        None => {
            let known: Vec<String> =
                UriScheme::ALL.iter().map(|scheme| scheme.example().to_owned()).collect();
            let text = format!("uri \"{uri}\" has no known scheme; write one of {}", known.join(", "));
            return Err(TableError::Source(text).into());
        }
    };
    let problem = |problem: String| TableError::Source(format!("{problem}; it is about {}", request.shown()));
    format::of(format).check(&options).map_err(problem)?;
    for file in &mut files {
        plain::make_plain(file, options.reading.encoding, context).await?;
    }
    Ok(Located { files, format, columns: Vec::new(), rows: None, options })
}
