//! The API server's audit log: the witness of who asked for what.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::Identity;
use super::server::http_get;
use crate::wait_until;

/// Verbs that change nothing.
const READS: [&str; 3] = ["get", "list", "watch"];

/// The audit log of a control plane.
#[derive(Clone, Debug)]
pub struct AuditLog {
    file: PathBuf,
    reader: Identity,
}

/// A place in the log, to ask for what came after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditPosition(u64);

/// One request that the API server has answered, or a watch that it has begun to answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// `ResponseComplete`; a watch that still runs has `ResponseStarted` alone.
    pub stage: String,
    /// The path and query.
    #[serde(rename = "requestURI")]
    pub request_uri: String,
    /// get, list, watch, create, update, patch, delete or deletecollection.
    pub verb: String,
    /// Who asked.
    pub user: AuditUser,
    /// The program that asked, by its own account.
    #[serde(default)]
    pub user_agent: String,
    /// What was asked for; absent for paths that are no resource.
    #[serde(default)]
    pub object_ref: AuditObject,
    /// The answer.
    #[serde(default)]
    pub response_status: AuditStatus,
    /// What was sent with a write; never that of a Secret.
    #[serde(default)]
    pub request_object: Value,
    /// When the request came, as RFC 3339 with microseconds.
    pub request_received_timestamp: String,
    /// When it was answered.
    pub stage_timestamp: String,
}

/// Who sent a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AuditUser {
    /// The user's name.
    pub username: String,
}

/// What a request is about. Empty texts where it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AuditObject {
    /// The API group; empty for the core group.
    pub api_group: String,
    /// The plural: jobs, mlpipelines.
    pub resource: String,
    /// status, scale, log; empty for the resource itself.
    pub subresource: String,
    /// The namespace.
    pub namespace: String,
    /// The object's name; empty for a create by generated name, a list and a watch.
    pub name: String,
}

/// The answer to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AuditStatus {
    /// The HTTP status code.
    pub code: u16,
    /// The API server's own words, where it refused.
    pub message: String,
}

impl AuditEvent {
    /// Whether the request asked for a change.
    #[must_use]
    pub fn is_write(&self) -> bool {
        !READS.contains(&self.verb.as_str())
    }

    /// The resource as a Role names it: `jobs`, `mlpipelines/status`.
    #[must_use]
    pub fn resource(&self) -> String {
        let object = &self.object_ref;
        match object.subresource.as_str() {
            "" => object.resource.clone(),
            subresource => format!("{}/{subresource}", object.resource),
        }
    }
}

impl AuditLog {
    pub(super) fn new(file: &Path, reader: &Identity) -> Self {
        Self { file: file.to_owned(), reader: reader.clone() }
    }

    /// Where the log ends, once all that has been answered by now is in it.
    ///
    /// # Panics
    /// When the log cannot be read.
    pub async fn position(&self) -> AuditPosition {
        AuditPosition(self.settle().await)
    }

    /// Everything in the log.
    #[must_use]
    pub fn query(&self) -> AuditQuery<'_> {
        AuditQuery { log: self, since: AuditPosition::default(), exact: Vec::new(), writes_only: false }
    }

    /// Asks the server for something unmistakable, and waits until that is in the log; returns where the log ends then.
    async fn settle(&self) -> u64 {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mark = format!("/version?mark={}-{count}-end", std::process::id());
        let start = self.length();
        let asked = self.reader.client().await.request_text(http_get(&mark).unwrap()).await;
        asked.unwrap_or_else(|error| panic!("the API server does not answer: {error}"));
        wait_until("the audit log to be written", Duration::from_secs(10), async || {
            let text = self.read(start);
            let begin = text.find(&mark).ok_or("the mark is not there yet")?;
            let line = text[begin..].find('\n').ok_or("the mark's line is not complete yet")?;
            Ok(start + (begin + line + 1) as u64)
        })
        .await
    }

    fn length(&self) -> u64 {
        let metadata = std::fs::metadata(&self.file);
        metadata.unwrap_or_else(|error| panic!("no audit log at {}: {error}", self.file.display())).len()
    }

    /// The complete lines from `start` on.
    fn read(&self, start: u64) -> String {
        let mut bytes = Vec::new();
        let read = std::fs::File::open(&self.file).and_then(|mut file| {
            file.seek(SeekFrom::Start(start))?;
            file.read_to_end(&mut bytes)
        });
        read.unwrap_or_else(|error| panic!("{} cannot be read: {error}", self.file.display()));
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        bytes.truncate(end);
        String::from_utf8(bytes).unwrap_or_else(|error| panic!("the audit log is not valid text: {error}"))
    }
}

/// A question to the audit log. Each condition that is added leaves fewer events.
#[derive(Clone, Debug)]
pub struct AuditQuery<'a> {
    log: &'a AuditLog,
    since: AuditPosition,
    exact: Vec<(Field, String)>,
    writes_only: bool,
}

#[derive(Clone, Copy, Debug)]
enum Field {
    User,
    UserAgent,
    Namespace,
    Resource,
    Verb,
    Name,
}

impl AuditQuery<'_> {
    /// Only what came after a place in the log.
    #[must_use]
    pub fn since(mut self, position: AuditPosition) -> Self {
        self.since = position;
        self
    }

    /// Only what this user asked for.
    #[must_use]
    pub fn user(self, username: &str) -> Self {
        self.only(Field::User, username)
    }

    /// Only what a program of exactly this user agent asked for.
    #[must_use]
    pub fn user_agent(self, user_agent: &str) -> Self {
        self.only(Field::UserAgent, user_agent)
    }

    /// Only what is about this namespace or in it.
    #[must_use]
    pub fn namespace(self, namespace: &str) -> Self {
        self.only(Field::Namespace, namespace)
    }

    /// Only this resource, with its subresource where it has one: `jobs`, `mlpipelines/status`.
    #[must_use]
    pub fn resource(self, resource: &str) -> Self {
        self.only(Field::Resource, resource)
    }

    /// Only this verb: get, list, watch, create, update, patch, delete or deletecollection.
    #[must_use]
    pub fn verb(self, verb: &str) -> Self {
        self.only(Field::Verb, verb)
    }

    /// Only objects of this name.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.only(Field::Name, name)
    }

    /// Only what asks for a change.
    #[must_use]
    pub fn writes(mut self) -> Self {
        self.writes_only = true;
        self
    }

    /// The events, in the order of their answers: all those of requests that were answered before this call. A watch
    /// appears when it begins and again when it ends.
    ///
    /// # Panics
    /// When the log cannot be read, or holds something that is not an event.
    pub async fn events(&self) -> Vec<AuditEvent> {
        self.log.settle().await;
        let text = self.log.read(self.since.0);
        // Most lines are somebody else's: a text search spares their parsing.
        let mentions = |line: &str| self.exact.iter().all(|(field, value)| field.mentioned(value, line));
        let lines = text.lines().filter(|line| mentions(line));
        let events = lines.map(|line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("no audit event: {error}: {line}"))
        });
        events.filter(|event| self.takes(event)).collect()
    }

    fn only(mut self, field: Field, value: &str) -> Self {
        self.exact.push((field, value.to_owned()));
        self
    }

    fn takes(&self, event: &AuditEvent) -> bool {
        (!self.writes_only || event.is_write())
            && self.exact.iter().all(|(field, value)| match field {
                Field::User => event.user.username == *value,
                Field::UserAgent => event.user_agent == *value,
                Field::Namespace => event.object_ref.namespace == *value,
                Field::Resource => event.resource() == *value,
                Field::Verb => event.verb == *value,
                Field::Name => event.object_ref.name == *value,
            })
    }
}

impl Field {
    /// Whether a line could be of an event with this value.
    fn mentioned(self, value: &str, line: &str) -> bool {
        let part = match self {
            Self::Resource => value.split('/').next().unwrap_or_default(),
            _ => value,
        };
        line.contains(part)
    }
}
