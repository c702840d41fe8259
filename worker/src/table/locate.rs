//! Where a source's rows are: from an artifact's path or a URI to files on the local disk and their format.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use mlpipeline_crds::{DataSource, Format};
use url::Url;

use super::blocks::TextFile;
use super::fetch::{fetch, redacted};
use super::glob::{Links, expand};
use super::lines::LinePattern;
use super::{TableError, stored};
use crate::WorkContext;
use crate::artifact::{self, ArtifactError, Column, Kind, hash_file};
use crate::failure::StepError;
use crate::stores::Credentials;

/// Files to read, of one format.
#[derive(Debug)]
pub(super) struct Located {
    /// At least one.
    pub files: Vec<TextFile>,
    /// Of all of them.
    pub format: Format,
    /// The columns' names where CSV files have no header.
    pub header: Vec<String>,
    /// The columns with their types, where an artifact's manifest says them.
    pub columns: Vec<Column>,
    /// How the lines of text files become rows.
    pub lines: Option<LinePattern>,
}

/// Finds a source's files, fetching and decompressing them where needed.
pub(super) async fn locate(source: &DataSource, context: &WorkContext) -> Result<Located, StepError> {
    match source {
        DataSource::Artifact { path } => in_artifact(path, context),
        DataSource::Uri { uri, format, columns, pattern, on_mismatch, sha256, credentials } => {
            let credentials = context.secrets.credentials(credentials.as_deref());
            let sha256 = sha256.as_deref();
            // A pattern says that it is text, whatever the extension.
            let lines =
                pattern.as_deref().map(|pattern| LinePattern::new(pattern, *on_mismatch)).transpose()?;
            let format = &format.or(lines.as_ref().map(|_| Format::Text));
            let mut located = match uri.split_once(':') {
                Some(("file", path)) => on_disk(uri, path, *format, sha256, context)?,
                Some(("http" | "https", _)) => remote(uri, *format, sha256, &credentials, context).await?,
                Some(("s3", _)) => stored::objects(uri, *format, sha256, &credentials, context).await?,
                Some(("postgres", _)) => {
                    let described =
                        format.is_some() || sha256.is_some() || !columns.is_empty() || on_mismatch.is_some();
                    return stored::table(uri, described, &credentials, context).await;
                }
                _ => {
                    let text = format!(
                        "uri \"{uri}\" has no known scheme; use http://…, https://…, s3://…, postgres://… or file:PATH"
                    );
                    return Err(TableError::Source(text).into());
                }
            };
            if !columns.is_empty() && located.format != Format::Csv {
                let text = format!(
                    "columns names those of a CSV file without header, and {uri} is {}",
                    located.format.name()
                );
                return Err(TableError::Source(text).into());
            }
            if lines.is_some() != (located.format == Format::Text) {
                return Err(TableError::Source(format!(
                    "a pattern goes with text and text with a pattern, and {uri} is {}",
                    located.format.name()
                ))
                .into());
            }
            located.header.clone_from(columns);
            located.lines = lines;
            for file in &mut located.files {
                decompress(file, context).await?;
            }
            Ok(located)
        }
    }
}

fn in_artifact(path: &str, context: &WorkContext) -> Result<Located, StepError> {
    let folder = context.storage.artifact_dir(path)?;
    match artifact::read(&folder) {
        Ok(manifest) if manifest.kind == Kind::Model => {
            Err(TableError::Source(format!("{path} is a model, and rows are wanted")).into())
        }
        Ok(manifest) => {
            let names: Vec<String> = manifest.files.keys().cloned().collect();
            let mut located = of_one_format(path, &folder, &names)?;
            located.columns = manifest.columns;
            Ok(located)
        }
        Err(ArtifactError::Missing(_)) if folder.is_dir() => {
            let names = list(&folder)?;
            let mut located = of_one_format(path, &folder, &names)?;
            for file in &located.files {
                artifact::refuse_escape(&context.storage.root, &file.path, &file.name)?;
            }
            located.files.sort_by(|one, other| one.path.cmp(&other.path));
            Ok(located)
        }
        Err(error) => Err(error.into()),
    }
}

/// The plain, visible files of a folder, in order.
fn list(folder: &Path) -> Result<Vec<String>, TableError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(TableError::io("list", folder))? {
        let entry = entry.map_err(TableError::io("list", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && entry.path().is_file() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The files of a folder that hold rows; they must all be of one format.
fn of_one_format(path: &str, folder: &Path, names: &[String]) -> Result<Located, TableError> {
    let mut files = Vec::new();
    let mut format: Option<Format> = None;
    for name in names {
        let Some(found) = format_of(name) else { continue };
        if format.is_some_and(|format| format != found) {
            let problem = format!(
                "{path} holds files of several formats, and a dataset has one; there are {}",
                names.join(", ")
            );
            return Err(TableError::NotFound(problem));
        }
        format = Some(found);
        files.push(TextFile { path: folder.join(name), name: format!("{path}/{name}") });
    }
    match format {
        Some(format) => Ok(Located { files, format, header: Vec::new(), columns: Vec::new(), lines: None }),
        None => {
            let found = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
            let problem = format!(
                "{path} holds no rows: files that end with .csv, .ndjson, .jsonl, .json or .parquet are wanted, and there is {found}"
            );
            Err(TableError::NotFound(problem))
        }
    }
}

fn on_disk(
    uri: &str,
    pattern: &str,
    format: Option<Format>,
    sha256: Option<&str>,
    context: &WorkContext,
) -> Result<Located, StepError> {
    let mut paths = Vec::new();
    for root in context.storage.file_roots() {
        paths = expand(root, pattern, Links::Follow)?;
        if !paths.is_empty() {
            break;
        }
    }
    if paths.is_empty() {
        let places: Vec<String> =
            context.storage.file_roots().map(|root| root.display().to_string()).collect();
        let text = format!("nothing is at {uri}; it is looked up in {}", places.join(", then "));
        return Err(TableError::NotFound(text).into());
    }
    if let Some(expected) = sha256 {
        let [path] = paths.as_slice() else {
            let text = format!("sha256 is of one file, and {uri} is {}", paths.len());
            return Err(TableError::Source(text).into());
        };
        let found = hash_file(path)?;
        check_digest(uri, expected, found.sha256.as_str())?;
    }
    let format = match format {
        Some(format) => format,
        None => by_extension(uri, pattern)?,
    };
    let name = |path: &Path| {
        if pattern.contains('*') { path.display().to_string() } else { uri.to_owned() }
    };
    let files = paths.into_iter().map(|path| TextFile { name: name(&path), path }).collect();
    Ok(Located { files, format, header: Vec::new(), columns: Vec::new(), lines: None })
}

async fn remote(
    uri: &str,
    format: Option<Format>,
    sha256: Option<&str>,
    credentials: &Credentials,
    context: &WorkContext,
) -> Result<Located, StepError> {
    // The text is not shown: what does not parse may still hold a password.
    let url = Url::parse(uri).map_err(|error| TableError::Source(format!("the uri is no URL: {error}")))?;
    let name = redacted(&url);
    let format = match format {
        Some(format) => format,
        None => by_extension(&name, url.path())?,
    };
    let fetched = fetch(&url, credentials, context).await?;
    if let Some(expected) = sha256 {
        check_digest(&name, expected, fetched.sha256.as_str())?;
    }
    let file = TextFile { path: fetched.path, name };
    Ok(Located { files: vec![file], format, header: Vec::new(), columns: Vec::new(), lines: None })
}

pub(super) fn check_digest(name: &str, expected: &str, found: &str) -> Result<(), TableError> {
    if expected.eq_ignore_ascii_case(found) {
        return Ok(());
    }
    let problem = format!(
        "its sha256 is {found}, and only {expected} is accepted; if the new content is wanted, write its sha256 into the spec"
    );
    Err(TableError::content(name, problem))
}

pub(super) fn by_extension(uri: &str, path: &str) -> Result<Format, TableError> {
    format_of(path).ok_or_else(|| {
        let text =
            format!("the format of {uri} cannot be told from its name; say format: csv, ndjson or parquet, or give the pattern of its lines");
        TableError::Source(text)
    })
}

/// The format that a file's name tells; that of `x.csv.gz` is CSV.
#[must_use]
pub fn format_of(name: &str) -> Option<Format> {
    let lower = name.to_ascii_lowercase();
    let plain = lower.strip_suffix(".gz").or_else(|| lower.strip_suffix(".zst")).unwrap_or(&lower);
    match plain.rsplit_once('.')?.1 {
        "csv" => Some(Format::Csv),
        "ndjson" | "jsonl" | "json" => Some(Format::Ndjson),
        "parquet" => Some(Format::Parquet),
        _ => None,
    }
}

/// Replaces a compressed file by a plain copy on scratch. What is compressed is told by its first bytes, so a URL without an
/// extension is as good as any.
async fn decompress(file: &mut TextFile, context: &WorkContext) -> Result<(), StepError> {
    let limit = context.network.max_download;
    let target = context.scratch().join(format!("plain-{:016x}", rand::random::<u64>()));
    let (source, name, plain) = (file.path.clone(), file.name.clone(), target.clone());
    let done = tokio::task::spawn_blocking(move || copy_plain(&source, &name, &plain, limit)).await;
    if done.map_err(|error| TableError::Internal(error.to_string()))?? {
        file.path = target;
    }
    Ok(())
}

/// Whether the file was compressed, and so copied.
fn copy_plain(source: &Path, name: &str, target: &PathBuf, limit: u64) -> Result<bool, TableError> {
    let mut open = File::open(source).map_err(TableError::io("open", source))?;
    let mut first = [0; 6];
    let mut known = 0;
    while let Some(rest) = first.get_mut(known..).filter(|rest| !rest.is_empty()) {
        match open.read(rest).map_err(TableError::io("read", source))? {
            0 => break,
            read => known += read,
        }
    }
    drop(open);
    let open = io::BufReader::new(File::open(source).map_err(TableError::io("open", source))?);
    let reader: Box<dyn Read> = match first {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(open)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Box::new(zstd::Decoder::with_buffer(open).map_err(TableError::io("decompress", source))?)
        }
        [b'P', b'K', 3, 4, ..] => return Err(unsupported(name, "zip")),
        [b'B', b'Z', b'h', ..] => return Err(unsupported(name, "bzip2")),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => return Err(unsupported(name, "xz")),
        _ => return Ok(false),
    };
    let mut output = File::create(target).map_err(TableError::io("create", target))?;
    copy_limited(reader, &mut output, limit, name, target)?;
    Ok(true)
}

fn copy_limited(
    mut reader: Box<dyn Read>,
    output: &mut File,
    limit: u64,
    name: &str,
    target: &Path,
) -> Result<(), TableError> {
    let mut buffer = vec![0; 256 << 10];
    let mut written = 0_u64;
    loop {
        let read = reader
            .read(&mut buffer)
            .map_err(|error| TableError::content(name, format!("it cannot be decompressed: {error}")))?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
        written += read as u64;
        if written > limit {
            return Err(TableError::content(
                name,
                format!("decompressed it exceeds {limit} bytes; raise --max-download"),
            ));
        }
        io::Write::write_all(output, bytes).map_err(TableError::io("write", target))?;
    }
}

fn unsupported(name: &str, what: &str) -> TableError {
    TableError::content(name, format!("it is compressed with {what}; gzip and zstd are read"))
}
