//! `file:` URIs: files below the storage folder, or, on a laptop, below the folder of the YAML.

use std::path::{Path, PathBuf};

use mlpipeline_crds::UriScheme;

use super::digest::check_digest;
use super::{Found, Request};
use crate::artifact::ArtifactError;
use crate::failure::StepError;
use crate::glob::{Links, expand};
use crate::table::TableError;
use crate::table::file::LocalFile;

/// Finds the files on the volume, or beside it.
pub(super) fn locate(request: &Request<'_>) -> Result<Found, StepError> {
    let Request { uri, sha256, context, .. } = *request;
    let pattern = uri.split_once(':').map_or(uri, |(_, path)| path);
    let is_absolute = context.storage.root == Path::new("/");
    let mut found = (context.storage.root.as_path(), Vec::new());
    for root in context.storage.file_roots() {
        let expanded = expand(root, pattern, Links::Follow);
        let expanded = expanded.map_err(|error| match error {
            // Storage is the whole file system here, and no folder that a path could leave.
            ArtifactError::Path { problem, .. } if is_absolute => {
                StepError::from(TableError::NotFound(format!("{}: {problem}", request.shown())))
            }
            other => other.into(),
        })?;
        found = (root, expanded);
        if !found.1.is_empty() {
            break;
        }
    }
    let (root, paths) = found;
    let shown = request.shown();
    if paths.is_empty()
        && let Some(what) = other_kind(context.storage.file_roots(), pattern)
    {
        return Err(TableError::NotFound(format!("{shown} is {what}")).into());
    }
    if paths.is_empty() && is_absolute {
        return Err(TableError::NotFound(format!("there is no file {shown}")).into());
    }
    if paths.is_empty() {
        let places: Vec<String> =
            context.storage.file_roots().map(|root| root.display().to_string()).collect();
        let text = format!("nothing is at {uri}; it was looked up in {}", places.join(", then "));
        return Err(TableError::NotFound(text).into());
    }
    let name = |path: &Path| {
        if pattern.contains('*') { path.display().to_string() } else { shown.clone() }
    };
    let stored = |path: PathBuf| LocalFile::stored(root, path.clone(), name(&path));
    let files = paths.into_iter().map(stored).collect::<Result<Vec<_>, _>>()?;
    if let Some(expected) = sha256 {
        let [file] = files.as_slice() else {
            let text = format!("sha256 is of one file, and {shown} is {}", files.len());
            return Err(TableError::Source(text).into());
        };
        let found = file.hash()?;
        check_digest(&shown, expected, found.sha256.as_str())?;
    }
    let format = request.format_of(&shown, pattern)?;
    Ok((files, format))
}

/// What is at a path where no regular file is, and what to do.
fn other_kind<'a>(mut roots: impl Iterator<Item = &'a Path>, pattern: &str) -> Option<&'static str> {
    let found = roots.find_map(|root| root.join(pattern).metadata().ok())?;
    Some(if found.is_dir() {
        "a folder, and files are read; name them, for example with /*.csv at its end"
    } else {
        "not a regular file: a pipe or device cannot be read twice, which finding its columns and reading its rows takes; write it to a file before"
    })
}

/// The URI of a file or URL: standalone commands have the whole file system for storage.
///
/// # Errors
/// When it is a URL of a scheme that is not read, or the current folder is not known.
pub(crate) fn local_uri(place: &str) -> Result<String, StepError> {
    if UriScheme::of(place).is_some_and(|scheme| scheme != UriScheme::File) && place.contains("://") {
        return Ok(place.to_owned());
    }
    if let Some((scheme, _)) = place.split_once("://").filter(|(scheme, _)| *scheme != "file") {
        let text = format!(
            "\"{scheme}\" is not a scheme that can be read; give a file's path, or one of {}",
            UriScheme::ALL.map(UriScheme::example).join(", ")
        );
        return Err(TableError::Source(text).into());
    }
    let place = place.strip_prefix("file://").or_else(|| place.strip_prefix("file:")).unwrap_or(place);
    let path = std::path::absolute(place).map_err(ArtifactError::io("find", Path::new(place)))?;
    // `..` is taken out by its meaning on disk: the part before it has no wildcard and is there, or nothing is.
    let mut plain = PathBuf::new();
    for part in path.components() {
        if part == std::path::Component::ParentDir {
            plain = plain.canonicalize().unwrap_or(plain);
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    Ok(format!("file:{}", plain.to_string_lossy().trim_start_matches('/')))
}
