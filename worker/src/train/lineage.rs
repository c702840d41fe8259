//! What a model comes from: the data, and how rows were kept back. Not which release of the worker made it: the same model is the same
//! artifact.
//!
//! Owns these words of the card. Data are named by what identifies them and not by their place, which another machine has elsewhere.

use mlpipeline_crds::{DataSource, Digest, SplitBy, TrainStep};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::samples::Samples;
use super::settings::{Folds, TestSplit};
use crate::artifact::{self, ArtifactError, Storage};

/// What identifies the data before they are read.
///
/// # Errors
/// When the manifest of a step's result cannot be read: without it, the card would not say what the model was made of.
pub(super) fn origin(
    step: &TrainStep,
    storage: &Storage,
) -> Result<Vec<(&'static str, String)>, ArtifactError> {
    Ok(match &step.data {
        DataSource::Artifact { path, .. } => {
            let name = path.split('/').nth(2).unwrap_or_default().to_owned();
            let digest = match storage.artifact(path).and_then(|folder| artifact::read(folder.path())) {
                // The digest and not the revision: the same rows are the same data, whatever made them.
                Ok(manifest) => Some(("data, SHA-256", manifest.digest().to_string())),
                // Files that a container of the user's wrote have none.
                Err(ArtifactError::Missing(_)) => None,
                Err(error) => return Err(error),
            };
            [("data of step", name)].into_iter().chain(digest).collect()
        }
        DataSource::Uri { uri, sha256, .. } => {
            let digest = sha256.clone().map(|digest| ("data, SHA-256", digest));
            [("data", shown_uri(uri))].into_iter().chain(digest).collect()
        }
    })
}

/// A URI's host and file name: no credentials, and no folder, which may be another one on another machine.
fn shown_uri(uri: &str) -> String {
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    match Url::parse(uri) {
        Ok(url) => match url.host_str() {
            Some(host) => format!("{} from {host}", name(url.path())),
            None => name(url.path()),
        },
        Err(_) => name(uri.split(['?', '#']).next().unwrap_or_default()),
    }
}

/// What is known once the rows are read: their digest, of which these are the rows' hashes, and how some are kept back to measure with.
pub(super) fn of_rows(
    samples: &Samples,
    hashes: &[u64],
    split: Option<&TestSplit>,
    folds: Option<Folds>,
    group_by: Option<&str>,
) -> Vec<(&'static str, String)> {
    let rows = ("rows, digest", rows_digest(samples, hashes).to_string());
    let split = ("rows kept back", split.map_or_else(|| "none".to_owned(), kept_back));
    let is_in_time = samples.keys.times.is_some() || samples.task.forecast().is_some();
    let folds = folds.map(|Folds { count, seed }| {
        let drawn = if is_in_time { "in the order of time".to_owned() } else { format!("seed {seed}") };
        ("folds", format!("{count}, {drawn}"))
    });
    let groups =
        group_by.map(|column| ("rows that stay together", format!("those of one value of {column}")));
    [rows, split].into_iter().chain(folds).chain(groups).collect()
}

/// A SHA-256 over the columns' names and a hash of each row, of its values and its target, in the order of the rows: whatever file or
/// table they come from, the same rows have the same digest.
fn rows_digest(samples: &Samples, hashes: &[u64]) -> Digest {
    let mut hasher = Sha256::new();
    for column in &samples.columns {
        hasher.update((column.name.len() as u64).to_be_bytes());
        hasher.update(column.name.as_bytes());
    }
    hashes.iter().for_each(|hash| hasher.update(hash.to_be_bytes()));
    Digest::from_sha256(&hasher.finalize().into())
}

/// How rows were chosen to be measured: what another training needs to keep back the same.
fn kept_back(split: &TestSplit) -> String {
    let TestSplit { share, by, column, stratify, seed } = split;
    let column = column.as_ref().map(|column| format!(" of {column}")).unwrap_or_default();
    match by {
        SplitBy::Shuffle if *stratify => format!("{share} of each class, shuffled, seed {seed}"),
        SplitBy::Shuffle => format!("{share}, shuffled, seed {seed}"),
        SplitBy::Hash => format!("{share} by hash{column}, seed {seed}"),
        SplitBy::Time => format!("the newest {share} by time{column}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_shown_without_credentials_and_folders() {
        for (uri, expected) in [
            ("https://user:secret@example.com/a/iris.csv?token=secret", "iris.csv from example.com"),
            ("s3://bucket/in/*.parquet", "*.parquet from bucket"),
            ("file:/home/me/data.csv", "data.csv"),
            ("file:data.csv", "data.csv"),
            ("postgres://me:secret@db/shop?table=orders", "shop from db"),
            ("in/data.csv?secret", "data.csv"),
        ] {
            assert_eq!(shown_uri(uri), expected);
        }
    }

    #[test]
    fn data_whose_manifest_cannot_be_read_are_not_taken_for_data_without_one() {
        let storage = tempfile::tempdir().expect("a folder");
        let step: TrainStep = serde_json::from_value(serde_json::json!({
            "data": {"artifact": {"path": "shop/churn/data/0123456789ab"}},
            "algorithm": {"ridge": {}},
        }))
        .expect("a step");
        let folder = storage.path().join("shop/churn/data/0123456789ab");
        std::fs::create_dir_all(&folder).expect("a folder");
        let origin = |step: &TrainStep| origin(step, &Storage::new(storage.path()));
        assert_eq!(origin(&step).expect("no manifest"), [("data of step", "data".to_owned())]);
        std::fs::write(folder.join("manifest.json"), "{").expect("a file");
        assert!(origin(&step).is_err());
    }

    #[test]
    fn how_rows_were_kept_back_can_be_repeated() {
        let split = TestSplit { share: 0.25, by: SplitBy::Shuffle, column: None, stratify: true, seed: 7 };
        assert_eq!(kept_back(&split), "0.25 of each class, shuffled, seed 7");
        let by_hash =
            TestSplit { by: SplitBy::Hash, column: Some("id".to_owned()), stratify: false, ..split };
        assert_eq!(kept_back(&by_hash), "0.25 by hash of id, seed 7");
        let by_time = TestSplit { by: SplitBy::Time, ..by_hash };
        assert_eq!(kept_back(&by_time), "the newest 0.25 by time of id");
    }
}
