//! Where a step's rows come from, and where its result goes beside storage.

use serde::{Deserialize, Serialize};

use crate::{Digest, Format, OnMismatch, Reading};

/// Rows to read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum DataSource {
    /// The result of a step: its folder, relative to the storage folder. One with a manifest is a dataset of the worker's; one
    /// without holds the files that a run step wrote, all of one format.
    #[serde(rename_all = "camelCase")]
    Artifact {
        /// namespace/pipeline/step/revision.
        path: String,
        /// What its step reported of its content; another content is refused. Since version 4.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<Digest>,
    },
    /// Data at a URI: http(s)://…, s3://…, postgres://… or file:PATH.
    #[serde(rename_all = "camelCase")]
    Uri {
        /// Where the data are.
        uri: String,
        /// Their format; by the extension when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        format: Option<Format>,
        /// The names of a header-less CSV file's columns.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        columns: Vec<String>,
        /// The regular expression whose named groups are a text file's columns.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pattern: Option<String>,
        /// What becomes of lines in which it is not found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_mismatch: Option<OnMismatch>,
        /// How text is read where it is not the way of the format; since version 2.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reading: Option<Box<Reading>>,
        /// The only content that is accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
        /// What the names of the environment variables with the credentials begin with; without it, those that programs for
        /// the store read by custom.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        credentials: Option<String>,
    },
}

impl DataSource {
    /// The URI of rows that are outside of the pipeline.
    pub(crate) fn uri_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Uri { uri, .. } => Some(uri),
            Self::Artifact { .. } => None,
        }
    }
}

/// A place outside of storage where a result goes too, before it counts as finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Delivery {
    /// http(s)://…, s3://… or postgres://….
    pub uri: String,
    /// What the names of the environment variables with the credentials begin with, as in [`DataSource::Uri`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// Over HTTP, the rows of a request's JSON array; absent, a request is the JSON object of one row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_per_request: Option<u32>,
    /// Over HTTP, how many requests may be under way at the same time; absent, one, and rows arrive in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent_requests: Option<u32>,
}
