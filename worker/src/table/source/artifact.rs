//! The result of a step: a dataset with a manifest, or the files that a container of the user's wrote.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mlpipeline_crds::{Digest, Format};

use super::Located;
use crate::WorkContext;
use crate::artifact::{self, ArtifactError, FileEntry, Kind, same_content};
use crate::failure::{StepError, real_name};
use crate::glob::known;
use crate::table::TableError;
use crate::table::file::LocalFile;
use crate::table::format::ReadOptions;

/// Finds the files of an artifact. Where its digest is given, their content is compared with what its step reported.
pub(super) async fn locate(
    path: &str,
    digest: Option<&Digest>,
    context: &WorkContext,
) -> Result<Located, StepError> {
    let open = context.storage.artifact(path)?;
    let folder = real_name(open.path());
    match artifact::read_expected(open.path(), digest) {
        Ok(manifest) if manifest.kind == Kind::Model => {
            Err(TableError::Source(format!("{path} is a model, and rows are expected")).into())
        }
        Ok(manifest) => {
            let names: Vec<String> = manifest.files.keys().cloned().collect();
            let mut located = of_one_format(path, &folder, &names, context)?;
            if digest.is_some() {
                located.files = unaltered(located.files, folder, manifest.files).await?;
            }
            located.columns = manifest.columns;
            located.rows = manifest.report.rows;
            Ok(located)
        }
        // One that has a digest had a manifest.
        Err(ArtifactError::Missing(_)) if digest.is_none() && folder.is_dir() => {
            let names = list(&folder)?;
            let mut located = of_one_format(path, &folder, &names, context)?;
            located.files.sort_by(|one, other| one.path.cmp(&other.path));
            Ok(located)
        }
        Err(error) => Err(error.into()),
    }
}

/// The files, whose content is what the manifest says. Reads each once from end to end, aside.
async fn unaltered(
    files: Vec<LocalFile>,
    folder: PathBuf,
    entries: BTreeMap<String, FileEntry>,
) -> Result<Vec<LocalFile>, StepError> {
    let checked = tokio::task::spawn_blocking(move || {
        for file in &files {
            let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let found = file.hash()?;
            if let Some(expected) = entries.get(&name) {
                same_content(&folder, &name, expected, &found)?;
            }
        }
        Ok::<_, StepError>(files)
    });
    checked.await.map_err(|error| TableError::Internal(error.to_string()))?
}

/// The plain, visible files of a folder, in order.
fn list(folder: &Path) -> Result<Vec<String>, StepError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(TableError::io("list", folder))? {
        let entry = entry.map_err(TableError::io("list", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if name.starts_with('.') {
            continue;
        }
        // A link to nothing, or removed just now.
        if known(path.metadata(), &path)?.is_some_and(|found| found.is_file()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The files of a folder that hold rows; they must all be of one format.
fn of_one_format(
    path: &str,
    folder: &Path,
    names: &[String],
    context: &WorkContext,
) -> Result<Located, StepError> {
    let mut files = Vec::new();
    let mut format: Option<Format> = None;
    for name in names {
        let Some(found) = Format::of_name(name) else { continue };
        if format.is_some_and(|format| format != found) {
            let problem = format!(
                "{path} holds files of several formats, and a dataset has one; there are {}",
                names.join(", ")
            );
            return Err(TableError::NotFound(problem).into());
        }
        format = Some(found);
        files.push(LocalFile::stored(&context.storage.root, folder.join(name), format!("{path}/{name}"))?);
    }
    match format {
        Some(format) => {
            Ok(Located { files, format, columns: Vec::new(), rows: None, options: ReadOptions::default() })
        }
        None => {
            let found = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
            let problem = format!(
                "{path} holds no rows: files that end with {} are expected, and there is {found}",
                Format::known_extensions()
            );
            Err(TableError::NotFound(problem).into())
        }
    }
}
