//! The manifest: the file whose presence makes a folder an artifact, and which says what is in it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use mlpipeline_crds::{Digest, StepReport};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::error::ArtifactError;
use super::names::{MANIFEST_NAME, MANIFEST_VERSION};
use super::open::open_unlinked;
use crate::failure::real_name;

/// The most bytes of a manifest that are read: a damaged or foreign file is not loaded whole.
const MANIFEST_LIMIT: u64 = 16 << 20;

/// What an artifact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Rows that a prepare step made.
    Dataset,
    /// A trained model.
    Model,
    /// Rows with a model's predictions.
    Predictions,
}

/// What is in an artifact. Its JSON holds no time and no host, so that the same input gives the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// [`MANIFEST_VERSION`] of the worker that wrote it.
    pub format_version: u64,
    /// What the artifact is.
    pub kind: Kind,
    /// Every file of it but the manifest, by name.
    pub files: BTreeMap<String, FileEntry>,
    /// The columns of rows in text formats, which would not tell their types themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// What the step reported when it made the artifact.
    pub report: StepReport,
}

/// One file of an artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileEntry {
    /// Its length in bytes.
    pub size: u64,
    /// The digest of its content.
    pub sha256: Digest,
}

/// One column of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its Arrow type as Arrow writes it: "Int64", "Utf8", "Timestamp(ns, \"UTC\")".
    #[serde(rename = "type")]
    pub data_type: String,
}

impl Manifest {
    /// The digest of the content: of every file's name, size and digest, and of the columns.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let content = serde_json::json!([self.kind, self.files, self.columns]);
        Digest::of(content.to_string().as_bytes())
    }

    /// The bytes to write: indented JSON with a final newline.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Serialising plain data with text keys cannot fail; empty bytes would only make the artifact unreadable.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

/// Whether a name may be a file's in an artifact: one plain part of a path, not hidden, and not the manifest's.
pub(super) fn plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && !name.starts_with('.')
        && name != MANIFEST_NAME
        && !name.contains(['/', '\\', '\0'])
}

/// Reads an artifact's manifest and checks it against the folder: version, names and sizes, not the digests, so that it
/// costs the same whatever the size of the data. [`verify`] checks the digests.
///
/// # Errors
/// [`ArtifactError::Missing`] when there is no manifest, else what is wrong with it or with the files.
pub fn read(folder: &Path) -> Result<Manifest, ArtifactError> {
    let path = folder.join(MANIFEST_NAME);
    let damaged = |problem: String| ArtifactError::Damaged { folder: real_name(folder), problem };
    let file = open_unlinked(&path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ArtifactError::Missing(real_name(folder)),
        io::ErrorKind::InvalidInput => damaged(format!("{MANIFEST_NAME} is not a regular file")),
        _ => ArtifactError::io("open", &path)(source),
    })?;
    let mut bytes = Vec::new();
    file.take(MANIFEST_LIMIT + 1).read_to_end(&mut bytes).map_err(ArtifactError::io("read", &path))?;
    if bytes.len() as u64 > MANIFEST_LIMIT {
        return Err(damaged(format!("{MANIFEST_NAME} has more than {MANIFEST_LIMIT} bytes")));
    }
    // The version first: a newer format may have other fields.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        format_version: u64,
    }
    let not_a_manifest =
        |error: serde_json::Error| damaged(format!("{MANIFEST_NAME} is not a valid manifest: {error}"));
    let version: Version = serde_json::from_slice(&bytes).map_err(not_a_manifest)?;
    if version.format_version > MANIFEST_VERSION {
        return Err(ArtifactError::Version { folder: real_name(folder), found: version.format_version });
    }
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(not_a_manifest)?;
    if manifest.report.digest.as_ref().is_some_and(|reported| *reported != manifest.digest()) {
        return Err(damaged(format!(
            "{MANIFEST_NAME} reports a digest that is not that of the files it lists"
        )));
    }
    for (name, entry) in &manifest.files {
        if !plain_name(name) {
            return Err(damaged(format!("{MANIFEST_NAME} lists \"{name}\", which is not a plain file name")));
        }
        let path = folder.join(name);
        // Of the file itself, not of what a link leads to: an artifact has no links.
        match path.symlink_metadata() {
            Ok(found) if !found.is_file() => return Err(damaged(format!("{name} is not a regular file"))),
            Ok(found) if found.len() != entry.size => {
                return Err(damaged(format!("{name} has {} bytes instead of {}", found.len(), entry.size)));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(damaged(format!("{name} is missing")));
            }
            Err(error) => return Err(ArtifactError::io("look at", &path)(error)),
        }
    }
    Ok(manifest)
}

/// [`read`], of the artifact that a step reported: where its digest is known, no other is accepted, however whole it is. The digest
/// covers the files' digests, which whoever reads the files has to compare.
///
/// # Errors
/// As [`read`], and [`ArtifactError::Replaced`] for another artifact.
pub(crate) fn read_expected(folder: &Path, expected: Option<&Digest>) -> Result<Manifest, ArtifactError> {
    let manifest = read(folder)?;
    let found = manifest.digest();
    match expected.filter(|expected| **expected != found) {
        None => Ok(manifest),
        Some(expected) => {
            Err(ArtifactError::Replaced { folder: real_name(folder), found, expected: expected.clone() })
        }
    }
}

/// Checks the digest of every file of an artifact, reading each once from end to end.
///
/// # Errors
/// [`ArtifactError::Damaged`] for the first file, by name, whose content is not what was published.
pub fn verify(folder: &Path, manifest: &Manifest) -> Result<(), ArtifactError> {
    for (name, entry) in &manifest.files {
        same_content(folder, name, entry, &hash_file(&folder.join(name))?)?;
    }
    Ok(())
}

/// Compares a file of an artifact, as it was found, with what its manifest says of it.
///
/// # Errors
/// [`ArtifactError::Damaged`] when they differ.
pub(crate) fn same_content(
    folder: &Path,
    name: &str,
    expected: &FileEntry,
    found: &FileEntry,
) -> Result<(), ArtifactError> {
    if found == expected {
        return Ok(());
    }
    Err(ArtifactError::Damaged {
        folder: real_name(folder),
        problem: format!(
            "{name} has sha256 {} instead of {}: its bytes are not those that were published",
            found.sha256, expected.sha256
        ),
    })
}

/// The size and digest of a file, in memory that does not grow with it.
pub(super) fn hash_file(path: &Path) -> Result<FileEntry, ArtifactError> {
    hash_open(open_unlinked(path).map_err(ArtifactError::io("open", path))?, path)
}

/// The size and digest of an open file; `path` is what messages call it.
pub(crate) fn hash_open(mut file: File, path: &Path) -> Result<FileEntry, ArtifactError> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    let mut size = 0_u64;
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(ArtifactError::io("read", path)(error)),
        };
        hasher.update(buffer.get(..read).unwrap_or_default());
        size += read as u64;
    }
    Ok(FileEntry { size, sha256: Digest::from_sha256(&hasher.finalize().into()) })
}
