//! The result of a step: a dataset with a manifest, or the files that a container of the user's wrote.

use std::fs;
use std::path::Path;

use mlpipeline_crds::Format;

use super::Located;
use crate::WorkContext;
use crate::artifact::{self, ArtifactError, Kind};
use crate::failure::StepError;
use crate::table::TableError;
use crate::table::file::LocalFile;
use crate::table::format::{ReadOptions, format_of, known_extensions};

pub(super) fn locate(path: &str, context: &WorkContext) -> Result<Located, StepError> {
    let folder = context.storage.artifact_dir(path)?;
    match artifact::read(&folder) {
        Ok(manifest) if manifest.kind == Kind::Model => {
            Err(TableError::Source(format!("{path} is a model, and rows are expected")).into())
        }
        Ok(manifest) => {
            let names: Vec<String> = manifest.files.keys().cloned().collect();
            let mut located = of_one_format(path, &folder, &names, context)?;
            located.columns = manifest.columns;
            Ok(located)
        }
        Err(ArtifactError::Missing(_)) if folder.is_dir() => {
            let names = list(&folder)?;
            let mut located = of_one_format(path, &folder, &names, context)?;
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
fn of_one_format(
    path: &str,
    folder: &Path,
    names: &[String],
    context: &WorkContext,
) -> Result<Located, StepError> {
    let mut files = Vec::new();
    let mut format: Option<Format> = None;
    for name in names {
        let Some(found) = format_of(name) else { continue };
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
        Some(format) => Ok(Located { files, format, columns: Vec::new(), options: ReadOptions::default() }),
        None => {
            let found = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
            let problem = format!(
                "{path} holds no rows: files that end with {} are expected, and there is {found}",
                known_extensions()
            );
            Err(TableError::NotFound(problem).into())
        }
    }
}
