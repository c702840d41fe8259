//! S3 and what speaks its protocol: one bucket, by the credentials of one input or output.

mod answer;
mod connector;
mod settings;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use mlpipeline_crds::{Digest, ObjectLocation};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart};
use sha2::{Digest as _, Sha256};
use tempfile::TempPath;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use self::answer::explain;
use self::connector::Connector;
use self::settings::{identify, plain_endpoint, region, retries};
use super::{StoreError, within_since};
use crate::artifact::open_unlinked;
use crate::credentials::Credentials;
use crate::failure::{FileError, StepError};
use crate::glob::matches;
use crate::network::{Network, client, scratch_file};
use crate::progress::{Progress, ProgressGuard};

/// The most objects that are looked at to find those of a pattern.
const LISTED_LIMIT: usize = 5_000_000;

/// The most objects that one pattern may stand for.
const OBJECT_LIMIT: usize = 100_000;

/// An object of up to this many bytes is sent in one request; a larger one in parts of at least as many, held in memory.
const PART_BYTES: u64 = 8 << 20;

/// S3 takes 10,000 parts at most.
const PART_LIMIT: u64 = 9_000;

/// How many parts are under way at the same time.
const PARTS_AHEAD: usize = 4;

/// How long it may take to take an upload back.
const ABORT_TIME: Duration = Duration::from_secs(5);

/// A bucket that can be talked to.
#[derive(Debug)]
pub(crate) struct Bucket {
    store: AmazonS3,
    name: String,
    endpoint: String,
    max_download: u64,
    /// The longest that a delivery may take.
    limit: Duration,
    credentials: Credentials,
}

impl Bucket {
    /// Makes ready to talk to a bucket; nothing is sent yet.
    ///
    /// # Errors
    /// When there are no credentials, or the endpoint is not a URL or must not be connected to.
    pub(crate) fn new(
        bucket: &str,
        credentials: &Credentials,
        network: &Network,
    ) -> Result<Self, StoreError> {
        let place = format!("bucket {bucket}");
        let spec = |problem: String| StoreError::Spec { place: place.clone(), problem };
        let client = client(network, credentials.get("ca.crt")).map_err(spec)?;
        let region = credentials
            .get_or_customary("AWS_REGION")
            .or_else(|| credentials.get_or_customary("AWS_DEFAULT_REGION"))
            .map_or(Ok("us-east-1"), region)
            .map_err(spec)?;
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(region)
            .with_retry(retries(network))
            .with_http_connector(Connector::new(client, network.clone()));
        let endpoint = credentials.get_or_customary("AWS_ENDPOINT_URL").map(plain_endpoint).transpose();
        let endpoint = endpoint.map_err(spec)?;
        if let Some(endpoint) = &endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let builder = identify(builder, credentials, &place)?;
        let endpoint = endpoint.unwrap_or_else(|| format!("AWS in {region}"));
        let store = builder.build().map_err(|error| spec(error.to_string()))?;
        Ok(Self {
            store,
            name: bucket.to_owned(),
            endpoint,
            max_download: network.max_download,
            limit: network.fetch_timeout,
            credentials: credentials.clone(),
        })
    }

    /// The keys that a location stands for, in the order of their bytes. Names that begin with a dot are matched only by
    /// patterns that begin with one.
    ///
    /// # Errors
    /// When the bucket cannot be listed.
    pub(crate) async fn keys(&self, location: &ObjectLocation) -> Result<Vec<String>, StoreError> {
        let pattern = location.key.as_str();
        if !pattern.contains('*') {
            return Ok(vec![pattern.to_owned()]);
        }
        let fixed = pattern.split_once('*').map_or(pattern, |(before, _)| before);
        let folder = fixed.rsplit_once('/').map_or("", |(folder, _)| folder);
        let prefix = self.key(folder)?;
        let mut listed = self.store.list(Some(&prefix).filter(|_| !folder.is_empty()));
        let (mut keys, mut looked_at) = (Vec::new(), 0_usize);
        while let Some(object) = listed.next().await {
            let object = object.map_err(|error| explain(self, "list", pattern, &error))?;
            let key = object.location.to_string();
            if fits(pattern, &key) {
                keys.push(key);
            }
            looked_at += 1;
            if looked_at > LISTED_LIMIT {
                let problem = format!(
                    "more than {LISTED_LIMIT} objects begin as the pattern does; write more of the name before the first *"
                );
                return Err(StoreError::Spec { place: self.place(pattern), problem });
            }
            if keys.len() > OBJECT_LIMIT {
                let problem = format!("more than {OBJECT_LIMIT} objects fit; narrow the pattern");
                return Err(StoreError::Spec { place: self.place(pattern), problem });
            }
        }
        keys.sort();
        if keys.is_empty() {
            let problem = format!("no object fits the pattern, at {}", self.endpoint);
            return Err(StoreError::NotFound { place: self.place(pattern), problem });
        }
        Ok(keys)
    }

    /// Fetches an object into a new file on scratch, and adds its bytes to a bar; says where it lies and what its digest is.
    ///
    /// # Errors
    /// When the object is missing, too large, or cannot be fetched.
    pub(crate) async fn fetch(
        &self,
        key: &str,
        bar: &ProgressGuard,
        scratch: &Path,
    ) -> Result<(PathBuf, Digest), StepError> {
        let found = self.store.get(&self.key(key)?).await;
        let found = found.map_err(|error| explain(self, "read", key, &error))?;
        if found.meta.size > self.max_download {
            let problem = format!(
                "{} bytes exceed the limit of {} bytes; raise it with --max-download",
                found.meta.size, self.max_download
            );
            return Err(StoreError::Refused { place: self.place(key), problem }.into());
        }
        let size = found.meta.size;
        let path = scratch_file(scratch, "download");
        let file =
            tokio::fs::File::create(&path).await.map_err(FileError::on::<FileError>("create", &path))?;
        // Removed where the download does not come to its end.
        let partial = TempPath::try_from_path(&path).map_err(FileError::on::<FileError>("create", &path))?;
        let mut file = tokio::io::BufWriter::with_capacity(256 << 10, file);
        bar.expect(size);
        let mut hasher = Sha256::new();
        let mut body = found.into_stream();
        let mut received = 0_u64;
        while let Some(chunk) = body.try_next().await.map_err(|error| explain(self, "read", key, &error))? {
            received += chunk.len() as u64;
            if received > size {
                let problem = format!("the store sends more than the {size} bytes that it announced");
                return Err(StoreError::Refused { place: self.place(key), problem }.into());
            }
            hasher.update(&chunk);
            file.write_all(&chunk)
                .await
                .map_err(FileError::on::<FileError>("write the download to", &path))?;
            bar.add(chunk.len() as u64);
        }
        if received < size {
            let problem = format!("the body broke off after {received} of {size} bytes");
            return Err(StoreError::Unreachable { place: self.place(key), problem }.into());
        }
        file.flush().await.map_err(FileError::on::<FileError>("write the download to", &path))?;
        let path = partial
            .keep()
            .map_err(|error| FileError::on::<FileError>("keep the download at", &error.path)(error.error))?;
        Ok((path, Digest::from_sha256(&hasher.finalize().into())))
    }

    /// Makes a file's content an object's, in the time that the network allows. Readers see the object as it was until the last byte is there.
    ///
    /// # Errors
    /// When the file cannot be read, or the store refuses; then the object is as it was.
    pub(crate) async fn put(&self, key: &str, file: &Path, progress: Progress) -> Result<(), StepError> {
        let (to, begin) = (self.key(key)?, Instant::now());
        // It lies on a volume, where others can put a link in its place.
        let source = open_unlinked(file).map_err(FileError::on::<FileError>("read", file))?;
        let mut source = tokio::fs::File::from_std(source);
        let size = source.metadata().await.map_err(FileError::on::<FileError>("read", file))?.len();
        let failed = |error: &object_store::Error| explain(self, "write", key, error);
        let bar = progress.bytes(&format!("deliver {}", self.place(key)), Some(size));
        if size <= PART_BYTES {
            let mut bytes = Vec::new();
            source.read_to_end(&mut bytes).await.map_err(FileError::on::<FileError>("read", file))?;
            let put = async {
                self.store.put(&to, PutPayload::from(bytes)).await.map_err(|error| failed(&error).into())
            };
            within_since(begin, self.limit, &self.place(key), put).await?;
            return Ok(());
        }
        let part = usize::try_from(PART_BYTES.max(size.div_ceil(PART_LIMIT))).unwrap_or(usize::MAX);
        let upload = self.store.put_multipart(&to).await.map_err(|error| failed(&error))?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, part);
        let sent = async {
            let mut buffer = bytes::BytesMut::with_capacity(1 << 20);
            loop {
                let read = source.read_buf(&mut buffer).await;
                let read = read.map_err(FileError::on::<FileError>("read", file))?;
                // At the end, until all are taken.
                let ahead = if read == 0 { 0 } else { PARTS_AHEAD };
                upload.wait_for_capacity(ahead).await.map_err(|error| StepError::from(failed(&error)))?;
                if read == 0 {
                    return Ok(());
                }
                bar.add(read as u64);
                upload.put(buffer.split().freeze());
            }
        };
        if let Err(error) = within_since(begin, self.limit, &self.place(key), sent).await {
            // What cannot be taken back is invisible, and goes by the bucket's rule for unfinished uploads.
            let _ = tokio::time::timeout(ABORT_TIME, upload.abort()).await;
            return Err(error);
        }
        // Takes the upload back by itself when the last part fails.
        within_since(begin, self.limit, &self.place(key), async {
            upload.finish().await.map_err(|error| failed(&error).into())
        })
        .await?;
        Ok(())
    }

    /// What messages call an object.
    pub(crate) fn place(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    fn key(&self, key: &str) -> Result<Key, StoreError> {
        Key::parse(key).map_err(|error| StoreError::Spec {
            place: self.place(key),
            problem: format!("the key cannot be used: {error}"),
        })
    }
}

/// Whether a key fits a pattern, in which a star matches a part of one name, never a slash.
fn fits(pattern: &str, key: &str) -> bool {
    let same = pattern.split('/').count() == key.split('/').count();
    same && pattern
        .split('/')
        .zip(key.split('/'))
        .all(|(pattern, name)| (pattern.starts_with('.') || !name.starts_with('.')) && matches(pattern, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_within_one_name() {
        for (pattern, key, expected) in [
            ("in/*.csv", "in/a.csv", true),
            ("in/*.csv", "in/b/a.csv", false),
            ("*/a.csv", "in/a.csv", true),
            ("in/*", "in/.hidden", false),
            ("in/.*", "in/.hidden", true),
            ("in/*", "out/a", false),
        ] {
            assert_eq!(fits(pattern, key), expected, "{pattern} {key}");
        }
    }
}
