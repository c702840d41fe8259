//! Delivery over HTTP: a POST of JSON for each row, or for several.
//!
//! Rows are sent one request after the other, in their order, so that a count says which were taken. A receiver may get a row
//! twice, when an answer was lost: both requests then carry the same Idempotency-Key. Redirects are not followed, and the
//! addresses that must not be fetched from are not sent to either.

use std::time::Duration;

use futures::StreamExt;
use mlpipeline_crds::{Delivery, Digest, StepSpec};
use reqwest::{Client, Response, StatusCode, header};
use url::Url;

use super::rows::rows_of_file;
use super::{DeliverError, Finished, JsonRows, Product};
use crate::WorkContext;
use crate::artifact::Draft;
use crate::failure::StepError;
use crate::stores::{Credentials, Secrets};
use crate::table::http_client::{authenticated, chain, check_address, client, refusal};
use crate::table::{Network, TextFile, redacted};

/// The reason of a failure that may be over soon.
pub(crate) const RECEIVER_UNAVAILABLE: &str = "ReceiverUnavailable";

/// How many requests go over one connection. A Service chooses among its pods once for each connection, so that one
/// connection would leave all of the work to one pod; one for each request would cost a round trip for each.
const REQUESTS_PER_CONNECTION: u64 = 16;

/// A body is closed when it has this many bytes, whatever the number of its rows: it is held in memory.
const BODY_BYTES: usize = 8 << 20;

/// How many bytes of an answer are read: a connection can go on only when the answer was read to its end.
const ANSWER_BYTES: usize = 64 << 10;

/// How many bytes of an answer are logged.
const LOGGED_BYTES: usize = 512;

/// The longest pause between attempts, also when the receiver asks for a longer one.
const PAUSE_LIMIT: Duration = Duration::from_secs(60);

/// What rows are of, for messages and for the Idempotency-Key.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// namespace/pipeline/step.
    pub step: String,
    /// What the step means.
    pub revision: String,
    /// The file that the rows lie in.
    pub file: String,
}

/// Rows of one request.
struct Parcel {
    /// The number of the first row, from 1 on.
    first: u64,
    /// How many there are.
    rows: u64,
    body: Vec<u8>,
}

/// Posts a result's rows, and gives the draft back to be published. A result that is published already was posted before.
///
/// # Errors
/// When the receiver refuses a row, or does not answer, or storage refuses.
pub(super) async fn before_publishing(
    finished: Finished,
    delivery: &Delivery,
    spec: &StepSpec,
    context: &WorkContext,
) -> Result<Draft, StepError> {
    let Finished { draft, kind, product: Product { path, format, columns } } = finished;
    let rule = spec.revision.clone();
    // Hashing a large file is work for a core.
    let looked = tokio::task::spawn_blocking(move || {
        let outlook = draft.outlook(kind, &rule);
        (draft, outlook)
    })
    .await;
    let (draft, outlook) = looked.map_err(DeliverError::lost)?;
    let (revision, is_published) = outlook?;
    if is_published {
        return Ok(draft);
    }
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let origin = Origin { step: spec.folder(), revision: revision.to_string(), file: file.clone() };
    let rows = rows_of_file(TextFile { path, name: file }, format, columns, context).await?;
    post(delivery, &origin, rows, 0, context, &mut |_| Ok(())).await?;
    Ok(draft)
}

/// Sends rows, of which so many were taken before and are not among them. `taken` hears after each request how many were taken
/// in all. Says how many that are in the end.
///
/// # Errors
/// When the receiver refuses a row or does not answer, a row cannot be read, or `taken` fails.
pub(crate) async fn post(
    delivery: &Delivery,
    origin: &Origin,
    mut rows: JsonRows,
    taken_before: u64,
    context: &WorkContext,
    taken: &mut (dyn FnMut(u64) -> Result<(), StepError> + Send),
) -> Result<u64, StepError> {
    // The text is not shown: what does not parse may still hold a password.
    let url = Url::parse(&delivery.uri)
        .map_err(|error| DeliverError::Uri(format!("the output's uri is no URL: {error}")))?;
    let credentials = context.secrets.credentials(delivery.credentials.as_deref());
    let client = client(&context.network, credentials.get("ca.crt")).map_err(DeliverError::Uri)?;
    let (network, secrets) = (&context.network, &context.secrets);
    let mut sender = Sender { client, url, credentials, network, secrets, origin, sent: 0 };
    let mut count = taken_before;
    while let Some(parcel) = next_parcel(&mut rows, delivery.rows_per_request, count).await? {
        sender.send(&parcel).await?;
        count += parcel.rows;
        taken(count)?;
    }
    Ok(count)
}

/// The rows of the next request; `None` when there are no more. What is in it follows from the rows and the first one's number
/// alone, so that a repeated request is the same request.
async fn next_parcel(
    rows: &mut JsonRows,
    rows_per_request: Option<u32>,
    before: u64,
) -> Result<Option<Parcel>, StepError> {
    let Some(wanted) = rows_per_request.map(u64::from) else {
        let Some(body) = rows.next().await.transpose()? else { return Ok(None) };
        return Ok(Some(Parcel { first: before + 1, rows: 1, body }));
    };
    let mut parcel = Parcel { first: before + 1, rows: 0, body: vec![b'['] };
    while parcel.rows < wanted.max(1) && parcel.body.len() < BODY_BYTES {
        let Some(row) = rows.next().await.transpose()? else { break };
        if parcel.rows > 0 {
            parcel.body.push(b',');
        }
        parcel.body.extend(row);
        parcel.rows += 1;
    }
    parcel.body.push(b']');
    Ok(Some(parcel).filter(|parcel| parcel.rows > 0))
}

/// Why one attempt did not succeed.
enum Attempt {
    /// Trying again is pointless.
    Refused(String),
    /// Trying again may help, after the pause that the receiver asked for.
    Again { problem: String, pause: Option<Duration> },
}

/// Sends one parcel after the other.
struct Sender<'a> {
    client: Client,
    url: Url,
    /// For this URL alone: redirects are not followed.
    credentials: Credentials,
    network: &'a Network,
    secrets: &'a Secrets,
    origin: &'a Origin,
    /// Requests so far.
    sent: u64,
}

impl Sender<'_> {
    async fn send(&mut self, parcel: &Parcel) -> Result<(), DeliverError> {
        check_address(&self.url, self.network).map_err(|problem| self.refused(parcel, problem.0))?;
        let mut pause = self.network.backoff;
        let mut attempt = 1;
        loop {
            self.sent += 1;
            let wait = match self.try_send(parcel).await {
                Ok(()) => return Ok(()),
                Err(Attempt::Refused(problem)) => return Err(self.refused(parcel, problem)),
                Err(Attempt::Again { problem, .. }) if attempt >= self.network.attempts => {
                    return Err(DeliverError::Unavailable {
                        what: self.what(parcel),
                        url: redacted(&self.url),
                        problem,
                        attempts: attempt,
                    });
                }
                Err(Attempt::Again { problem, pause: asked }) => {
                    tracing::warn!(
                        "cannot deliver {} to {}: {problem}; attempt {attempt} of {}",
                        self.what(parcel),
                        redacted(&self.url),
                        self.network.attempts
                    );
                    asked.unwrap_or(pause).min(PAUSE_LIMIT)
                }
            };
            tokio::time::sleep(wait).await;
            pause = pause.saturating_mul(2);
            attempt += 1;
        }
    }

    async fn try_send(&self, parcel: &Parcel) -> Result<(), Attempt> {
        tracing::debug!(body = %String::from_utf8_lossy(&parcel.body), "posts");
        let mut request = self
            .client
            .post(self.url.clone())
            .timeout(self.network.connect_timeout.saturating_add(self.network.idle_timeout))
            .header(header::CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", self.key(parcel))
            .body(parcel.body.clone());
        request = authenticated(request, &self.credentials);
        if self.sent.is_multiple_of(REQUESTS_PER_CONNECTION) {
            request = request.header(header::CONNECTION, "close");
        }
        let response = request.send().await.map_err(sending)?;
        let status = response.status();
        let retry_after = retry_after(&response);
        // It is shown and logged, and a receiver may repeat what it was given.
        let answer = self.secrets.redact(&String::from_utf8_lossy(&answer(response).await?));
        tracing::info!(
            url = redacted(&self.url),
            file = self.origin.file,
            row = parcel.first,
            rows = parcel.rows,
            status = status.as_u16(),
            answer = start(&answer),
            "posted"
        );
        judge(status, retry_after, &answer)
    }

    /// The same for the same rows of the same file and meaning, however often they are sent.
    fn key(&self, parcel: &Parcel) -> String {
        let Origin { step, revision, file } = self.origin;
        Digest::of(format!("{step}\n{revision}\n{file}\n{}", parcel.first).as_bytes()).to_string()
    }

    fn refused(&self, parcel: &Parcel, problem: String) -> DeliverError {
        DeliverError::Refused { what: self.what(parcel), url: redacted(&self.url), problem }
    }

    fn what(&self, parcel: &Parcel) -> String {
        let last = parcel.first + parcel.rows - 1;
        let file = &self.origin.file;
        if parcel.rows == 1 {
            format!("row {last} of {file}")
        } else {
            format!("rows {} to {last} of {file}", parcel.first)
        }
    }
}

/// What an answer means.
fn judge(status: StatusCode, pause: Option<Duration>, answer: &str) -> Result<(), Attempt> {
    if status.is_success() {
        return Ok(());
    }
    let line = start(answer).lines().next().unwrap_or_default().trim();
    let said = if line.is_empty() { String::new() } else { format!(": {line}") };
    let problem = format!("the receiver answers {status}{said}");
    let is_transient = status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY
        );
    if is_transient {
        return Err(Attempt::Again { problem, pause });
    }
    Err(Attempt::Refused(if status.is_redirection() {
        format!("{problem}; a POST is not sent on to another address: name the address that takes it")
    } else {
        problem
    }))
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The beginning of an answer's body. A long rest is left unread, and the connection with it.
async fn answer(mut response: Response) -> Result<Vec<u8>, Attempt> {
    let mut answer = Vec::new();
    while answer.len() < ANSWER_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => answer.extend(chunk),
            Ok(None) => break,
            Err(error) => return Err(sending(error)),
        }
    }
    Ok(answer)
}

/// As much of an answer as is shown.
fn start(answer: &str) -> &str {
    answer.get(..answer.floor_char_boundary(LOGGED_BYTES)).unwrap_or(answer)
}

fn sending(error: reqwest::Error) -> Attempt {
    let error = error.without_url();
    if let Some(refusal) = refusal(&error) {
        return Attempt::Refused(refusal.0.clone());
    }
    if error.is_builder() {
        return Attempt::Refused(chain(&error));
    }
    let what = if error.is_timeout() { "no answer in time" } else { "no connection" };
    Attempt::Again { problem: format!("{what}: {}", chain(&error)), pause: None }
}
