//! A download under way: one file on scratch with what has come so far, which the next attempt continues where the server allows it.
//!
//! A part is put behind what has come only where both are of the same content: of the same resource, with the same strong ETag, of the
//! same length in all (RFC 9110, 13.1.5 and 15.3.7.3). A server may ignore the condition that it was asked with, so its answer is compared.
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
use url::Url;

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
    /// Whether the body ended with its connection, and the server had not said where it ends: then it may have been cut short.
    pub end_is_unknown: bool,
    /// Whether the server calls it a page of HTML.
    pub is_page: bool,
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
    end_is_unknown: bool,
    is_page: bool,
    /// What tells this very content from another one; without it, a later part could be of another content.
    same: Option<Validators>,
}

/// What an answer says of the content that it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Validators {
    /// Where the content is, behind all redirects: a tag distinguishes contents of one resource alone.
    place: Url,
    /// The strong ETag. A weak one stands for content that means the same, not for the same bytes.
    tag: HeaderValue,
    modified: Option<HeaderValue>,
}

impl Validators {
    fn of(response: &Response) -> Option<Self> {
        let headers = response.headers();
        let tag = headers.get(header::ETAG).filter(|tag| tag.as_bytes().starts_with(b"\"")).cloned()?;
        let modified = headers.get(header::LAST_MODIFIED).cloned();
        Some(Self { place: response.url().clone(), tag, modified })
    }

    /// Whether a part is of this content. The parts of some servers leave the time out, and none may leave out the tag.
    fn hold_of(&self, part: &Self) -> bool {
        let is_as_old = part.modified.is_none() || self.modified.is_none() || part.modified == self.modified;
        self.place == part.place && self.tag == part.tag && is_as_old
    }
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
            end_is_unknown: false,
            is_page: false,
            same: None,
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
        match self.same.as_ref().filter(|_| self.continues()) {
            Some(same) => request
                .header(header::RANGE, format!("bytes={}-", self.received))
                .header(header::IF_RANGE, same.tag.clone()),
            None => request,
        }
    }

    /// Whether a part is asked for.
    pub(super) fn continues(&self) -> bool {
        self.received > 0 && self.same.is_some()
    }

    /// Where a part is to be asked for: at the very place that what has come was of, to which redirects may not lead again.
    pub(super) fn place(&self) -> Option<&Url> {
        self.same.as_ref().filter(|_| self.continues()).map(|same| &same.place)
    }

    /// Lets the next attempt begin at the first byte.
    pub(super) fn forget(&mut self) {
        self.same = None;
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
            let is_same = Validators::of(response)
                .is_some_and(|part| self.same.as_ref().is_some_and(|same| same.hold_of(&part)));
            let is_as_long = total.is_none() || self.total.is_none() || total == self.total;
            if !is_same || !is_as_long || start != self.received || encoding != self.encoding {
                self.forget();
                let problem = if is_same && is_as_long {
                    "the server sends another part of the content than was asked for"
                } else {
                    "the server sends a part of a content that is not shown to be the same as what came before"
                };
                return Err(NotTaken::Restarts(problem.to_owned()));
            }
            // A part may end before the content does; it never shortens what was announced.
            let end = length.map(|length| self.received.saturating_add(length));
            self.total = self.total.or(total).or(end);
        } else {
            self.restart().await.map_err(NotTaken::Disk)?;
            self.encoding = encoding;
            self.same = Validators::of(response);
            self.total = length;
            self.is_page = is_page(response);
        }
        // The last chunk says that it is the last one.
        self.end_is_unknown =
            self.total.is_none() && !response.headers().contains_key(header::TRANSFER_ENCODING);
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
        Ok(Fetched {
            path,
            sha256,
            encoding: self.encoding,
            end_is_unknown: self.end_is_unknown,
            is_page: self.is_page,
        })
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

/// Whether a server says of a body that it is a page of HTML.
fn is_page(response: &Response) -> bool {
    let named = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = named.and_then(|named| named.split(';').next()).unwrap_or_default().trim();
    ["text/html", "application/xhtml+xml"].iter().any(|page| kind.eq_ignore_ascii_case(page))
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
