//! A download under way: one file on scratch with what has come so far, which the next attempt continues where the server allows it.
//!
//! Removed when it is dropped before its end, so that a download never takes more room than its content.

use std::path::{Path, PathBuf};

use mlpipeline_crds::Digest;
use reqwest::header::{self, HeaderValue};
use reqwest::{RequestBuilder, Response, StatusCode};
use sha2::{Digest as _, Sha256};
use tempfile::TempPath;
use tokio::fs::File;
use tokio::io::{AsyncSeekExt, AsyncWriteExt, BufWriter};

use super::encoding::{Encoding, encoding};
use super::error::FetchError;
use crate::failure::FileError;

/// A file that was fetched.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// Where it lies, on scratch.
    pub path: PathBuf,
    /// The digest of what the server sent.
    pub sha256: Digest,
    /// The encoding in which the server sent it, although no encoding was asked for.
    pub encoding: Option<Encoding>,
}

/// A path for a new file on scratch.
pub(crate) fn scratch_file(scratch: &Path, kind: &str) -> PathBuf {
    scratch.join(format!("{kind}-{:016x}", rand::random::<u64>()))
}

/// What has come of a body.
pub(super) struct Partial {
    path: TempPath,
    file: BufWriter<File>,
    hasher: Sha256,
    received: u64,
    /// How long the whole body is, where the server says that.
    total: Option<u64>,
    encoding: Option<Encoding>,
    /// The tag that the server gave this very content; without it, a later part could be of another content.
    tag: Option<HeaderValue>,
}

/// Why an answer's body cannot be taken.
pub(super) enum NotTaken {
    /// It never can.
    Refused(String),
    /// The next attempt begins at the first byte, and may succeed.
    Restarts(String),
    /// The disk does not take it.
    Disk(FetchError),
}

impl Partial {
    /// A new file on scratch.
    pub(super) async fn new(scratch: &Path) -> Result<Self, FetchError> {
        let place = scratch_file(scratch, "download");
        let file = File::create(&place).await.map_err(on_disk(&place))?;
        Ok(Self {
            path: TempPath::try_from_path(&place).map_err(on_disk(&place))?,
            file: BufWriter::with_capacity(256 << 10, file),
            hasher: Sha256::new(),
            received: 0,
            total: None,
            encoding: None,
            tag: None,
        })
    }

    /// How many bytes have come.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// How many bytes there are in all, where that is known.
    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// Asks for what is missing only, provided that the content is still the same.
    pub(super) fn ask(&self, request: RequestBuilder) -> RequestBuilder {
        match self.tag.as_ref().filter(|_| self.continues()) {
            Some(tag) => request
                .header(header::RANGE, format!("bytes={}-", self.received))
                .header(header::IF_RANGE, tag.clone()),
            None => request,
        }
    }

    /// Whether a part is asked for.
    pub(super) fn continues(&self) -> bool {
        self.received > 0 && self.tag.is_some()
    }

    /// Lets the next attempt begin at the first byte.
    pub(super) fn forget(&mut self) {
        self.tag = None;
    }

    /// Makes ready for an answer's body: behind what has come, or at the first byte.
    pub(super) async fn begin(&mut self, response: &Response, limit: u64) -> Result<(), NotTaken> {
        let encoding = encoding(response).map_err(NotTaken::Refused)?;
        let length = announced(response).map_err(NotTaken::Refused)?;
        if response.status() == StatusCode::PARTIAL_CONTENT {
            if !self.continues() {
                let problem = "the server sends a part of the content, which was not asked for";
                return Err(NotTaken::Refused(problem.to_owned()));
            }
            let (start, total) = part(response).unwrap_or_default();
            if start != self.received
                || total.is_some() && self.total.is_some() && total != self.total
                || encoding != self.encoding
            {
                self.forget();
                let problem = "the server sends another part of the content than was asked for".to_owned();
                return Err(NotTaken::Restarts(problem));
            }
            // A part may end before the content does; it never shortens what was announced.
            let end = length.map(|length| self.received.saturating_add(length));
            self.total = self.total.or(total).or(end);
        } else {
            self.restart().await.map_err(NotTaken::Disk)?;
            self.encoding = encoding;
            let tag = response.headers().get(header::ETAG).cloned();
            // A weak tag stands for content that means the same, not for the same bytes.
            self.tag = tag.filter(|tag| tag.as_bytes().starts_with(b"\""));
            self.total = length;
        }
        match self.total.filter(|total| *total > limit) {
            Some(total) => Err(NotTaken::Refused(too_large(&format!("{total} bytes"), limit))),
            None => Ok(()),
        }
    }

    /// Adds bytes of the body.
    pub(super) async fn add(&mut self, bytes: &[u8], limit: u64) -> Result<(), NotTaken> {
        self.received += bytes.len() as u64;
        if self.received > limit {
            return Err(NotTaken::Refused(too_large("the body", limit)));
        }
        self.hasher.update(bytes);
        self.file.write_all(bytes).await.map_err(|error| NotTaken::Disk(on_disk(&self.path)(error)))
    }

    /// The whole file.
    pub(super) async fn finish(mut self) -> Result<Fetched, FetchError> {
        self.file.flush().await.map_err(on_disk(&self.path))?;
        let sha256 = Digest::from_sha256(&self.hasher.finalize().into());
        let path = self.path.keep().map_err(|error| on_disk(&error.path)(error.error))?;
        Ok(Fetched { path, sha256, encoding: self.encoding })
    }

    async fn restart(&mut self) -> Result<(), FetchError> {
        if self.received > 0 {
            // Seeking writes what is buffered first.
            self.file.rewind().await.map_err(on_disk(&self.path))?;
            self.file.get_ref().set_len(0).await.map_err(on_disk(&self.path))?;
        }
        self.hasher = Sha256::new();
        self.received = 0;
        self.total = None;
        Ok(())
    }
}

/// The length that a server announces. One that announces it in two ways may mean either.
fn announced(response: &Response) -> Result<Option<u64>, String> {
    let headers = response.headers();
    if headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH) {
        return Err(
            "the server announces a length and sends chunks too: which of them ends the body is not known"
                .to_owned(),
        );
    }
    Ok(response.content_length())
}

/// The first byte of the part that an answer holds, and how many bytes there are in all: `bytes 100-199/1000`.
fn part(response: &Response) -> Option<(u64, Option<u64>)> {
    let range = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    let (place, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    Some((place.split_once('-')?.0.parse().ok()?, total.parse().ok()))
}

fn too_large(what: &str, limit: u64) -> String {
    format!("{what} exceeds the limit of {limit} bytes; raise it with --max-download")
}

fn on_disk(path: &Path) -> impl FnOnce(std::io::Error) -> FetchError {
    FileError::on::<FetchError>("write the download to", path)
}
