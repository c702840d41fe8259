//! The delivered prefix: how many rows a receiver has accepted, and a digest of them.
//!
//! With it, a process that sends a file again finds out whether its rows begin with those that were accepted, and continues after
//! them: also when the rows were made again, from a file that was put back or by a step that was edited. Must not know where that is kept.

use std::path::Path;

use futures::StreamExt;
use mlpipeline_crds::{Delivery, Digest};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::rows::rows_of_lines;
use super::{DeliverError, JsonRows};
use crate::failure::StepError;

/// Rows that a receiver has accepted, as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// How many they are.
    pub rows: u64,
    /// The SHA-256 of the receiver's address and the rows, a line each.
    pub digest: Digest,
}

/// Rows that a receiver has accepted, to be added to.
#[derive(Clone, Debug)]
pub(crate) struct DeliveredPrefix {
    pub(super) rows: u64,
    hasher: Sha256,
}

impl DeliveredPrefix {
    /// No rows yet. Rows that one receiver accepted do not count for another.
    ///
    /// # Errors
    /// When the receiver's URL is none.
    pub(crate) fn none(delivery: &Delivery) -> Result<Self, DeliverError> {
        let mut url = receiver(delivery)?;
        // A new password does not make a new receiver. Both fail only for URLs that cannot have credentials.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let mut taken = Self { rows: 0, hasher: Sha256::new() };
        taken.hash(url.as_str().as_bytes());
        Ok(taken)
    }

    pub(super) fn add(&mut self, row: &[u8]) {
        self.hash(row);
        self.rows = self.rows.saturating_add(1);
    }

    fn hash(&mut self, line: &[u8]) {
        self.hasher.update(line);
        // No row has a line end inside of it.
        self.hasher.update(b"\n");
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint { rows: self.rows, digest: Digest::from_sha256(&self.hasher.clone().finalize().into()) }
    }
}

/// Where rows are sent to.
pub(super) fn receiver(delivery: &Delivery) -> Result<Url, DeliverError> {
    // The text is not shown: what does not parse may still hold a password.
    Url::parse(&delivery.uri)
        .map_err(|error| DeliverError::Uri(format!("the output's uri is not a valid URL: {error}")))
}

/// The rows of an NDJSON file after those that this receiver accepted; `None` when the file does not begin with these.
///
/// # Errors
/// When the file cannot be read, or the receiver's URL is none.
pub(crate) async fn rows_after(
    path: &Path,
    delivery: &Delivery,
    mark: &Checkpoint,
) -> Result<Option<(JsonRows, DeliveredPrefix)>, StepError> {
    after(rows_of_lines(path).await?, delivery, mark).await
}

/// The rows after those that this receiver accepted; `None` when they do not begin with these.
///
/// # Errors
/// When a row cannot be read, or the receiver's URL is none.
pub(super) async fn after(
    mut rows: JsonRows,
    delivery: &Delivery,
    mark: &Checkpoint,
) -> Result<Option<(JsonRows, DeliveredPrefix)>, StepError> {
    let mut taken = DeliveredPrefix::none(delivery)?;
    while taken.rows < mark.rows {
        let Some(row) = rows.next().await.transpose()? else { return Ok(None) };
        taken.add(&row);
    }
    Ok((taken.checkpoint() == *mark).then_some((rows, taken)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(uri: &str) -> Delivery {
        Delivery { uri: uri.into(), credentials: None, rows_per_request: None, concurrent_requests: None }
    }

    #[tokio::test]
    async fn rows_go_on_behind_those_that_this_receiver_took_and_behind_no_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rows");
        let to = delivery("http://api/");
        let mut taken = DeliveredPrefix::none(&to).expect("a URL");
        for row in [b"{\"n\":1}", b"{\"n\":2}"] {
            taken.add(row);
        }
        let mark = taken.checkpoint();
        let with_password = delivery("http://me:secret@api/");
        let elsewhere = delivery("http://api/other");
        for (text, to, left) in [
            ("{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n", &to, Some(1)),
            ("{\"n\":1}\n{\"n\":2}\n", &with_password, Some(0)),
            ("{\"n\":1}\n{\"n\":20}\n{\"n\":3}\n", &to, None),
            ("{\"n\":1}\n", &to, None),
            ("{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n", &elsewhere, None),
        ] {
            std::fs::write(&path, text).expect("written");
            let found = rows_after(&path, to, &mark).await.expect("readable");
            let found = match found {
                Some((rows, taken)) => {
                    assert_eq!(taken.rows, 2);
                    Some(rows.count().await)
                }
                None => None,
            };
            assert_eq!(found, left, "{text:?}");
        }
    }
}
