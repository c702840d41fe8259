//! Delivery over HTTP: a POST of JSON for each row, or for several.
//!
//! Rows are sent one request after the other, in their order, so that a count says which were accepted; where the step allows several
//! requests at a time, the count is of the first rows that were all accepted. A receiver may get a row twice, when an answer was
//! lost or an earlier request failed: both requests then carry the same Idempotency-Key. A process that is stopped waits for the
//! answers under way, so that an orderly stop sends no row twice. Redirects are not followed, and the addresses that must not be
//! fetched from are not sent to either.

use std::pin::pin;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use mlpipeline_crds::{Delivery, Digest};
use url::Url;

use super::answer::{ANSWER_BYTES, Answer, Attempt, judge, silence, start};
use super::batches::{RequestBatch, batches};
use super::delivered_prefix::{DeliveredPrefix, receiver};
use super::one_thread::on_one_thread;
use super::{DeliverError, JsonRows};
use crate::WorkContext;
use crate::cancellation::Cancellation;
use crate::credentials::{Credentials, Secrets};
use crate::failure::StepError;
use crate::network::{
    Begun, Connections, Network, PAUSE_LIMIT, authorization, authorization_of_url, check_address, redacted,
    redaction_of, retry_after,
};
use crate::redaction::Redaction;

/// How many requests go over one connection. A Service chooses among its pods once for each connection, so that one
/// connection would leave all of the work to one pod; one for each request would cost a round trip for each.
const REQUESTS_PER_CONNECTION: u64 = 16;

/// How long a stopping process waits for the answer to the request under way: half of the 30 s that Kubernetes
/// gives it by default.
const LAST_ANSWER: Duration = Duration::from_secs(15);

/// What rows are of, for messages and for the Idempotency-Key.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// What identifies the file among all that were ever sent: the step, and the file's name or the revision.
    pub identity: String,
    /// The file that the rows lie in, for people.
    pub file: String,
}

/// What of a step's context sends requests.
#[derive(Clone)]
pub(super) struct Means {
    network: Network,
    secrets: Secrets,
    cancellation: Cancellation,
}

impl Means {
    pub(super) fn of(context: &WorkContext) -> Self {
        Self {
            network: context.network.clone(),
            secrets: context.secrets.clone(),
            cancellation: context.cancellation.clone(),
        }
    }
}

/// Sends the rows that follow those that were delivered before. `keep` is called after each request with all that are delivered
/// so far. Says how many that are in the end.
///
/// # Errors
/// When the receiver refuses a row or does not answer, a row cannot be read, `keep` fails, or the process is stopped.
pub(crate) async fn post(
    delivery: Delivery,
    origin: Origin,
    rows: JsonRows,
    taken: DeliveredPrefix,
    context: &WorkContext,
    mut keep: impl FnMut(&DeliveredPrefix) -> Result<(), StepError> + Send + 'static,
) -> Result<u64, StepError> {
    let means = Means::of(context);
    on_one_thread(async move { post_by(&delivery, &origin, rows, taken, &means, &mut keep).await }).await
}

/// As [`post`], on the threads of the caller.
pub(super) async fn post_by(
    delivery: &Delivery,
    origin: &Origin,
    rows: JsonRows,
    taken: DeliveredPrefix,
    means: &Means,
    keep: &mut (dyn FnMut(&DeliveredPrefix) -> Result<(), StepError> + Send),
) -> Result<u64, StepError> {
    let Means { network, secrets, cancellation } = means;
    let url = receiver(delivery)?;
    let credentials = secrets.credentials(delivery.credentials.as_deref());
    let ca = credentials.get("ca.crt");
    let connections = headers(&url, &credentials)
        .and_then(|headers| Connections::new(&url, headers, REQUESTS_PER_CONNECTION, network, ca))
        .map_err(DeliverError::Uri)?;
    let of_url = redaction_of(&url);
    let sender = &Sender { connections, url, network, secrets, of_url, cancellation, origin };
    let mut rows_delivered = taken.rows;
    // In the order of the rows, whatever the order of the answers: what is kept is a prefix.
    let in_flight = delivery.concurrent_requests.unwrap_or(1).max(1) as usize;
    let answered = batches(rows, delivery.rows_per_request, taken)
        .enumerate()
        .map(|(number, batch)| async move {
            let (batch, taken) = batch?;
            // The process before may have sent them, and ended before their answers.
            sender.send(batch, number < in_flight).await?;
            Ok::<_, StepError>(taken)
        })
        .buffered(in_flight);
    let mut answered = pin!(answered);
    while let Some(taken) = answered.try_next().await? {
        keep(&taken)?;
        rows_delivered = taken.rows;
    }
    Ok(rows_delivered)
}

/// The headers of every request. The credentials are for this URL alone: redirects are not followed.
fn headers(url: &Url, credentials: &Credentials) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(crate::network::USER_AGENT));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let named = authorization(credentials)?;
    if let Some(value) = named.map_or_else(|| authorization_of_url(url), |named| Ok(Some(named)))? {
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

/// Sends batches; several at a time where that is asked for.
struct Sender<'a> {
    connections: Connections,
    url: Url,
    network: &'a Network,
    secrets: &'a Secrets,
    /// Takes what the URL holds out of what the receiver says.
    of_url: Redaction,
    cancellation: &'a Cancellation,
    origin: &'a Origin,
}

impl Sender<'_> {
    /// Sends a batch until it is accepted, refused, or tried often enough. `is_repeated` says that it may have been sent before.
    async fn send(&self, batch: RequestBatch, is_repeated: bool) -> Result<(), DeliverError> {
        let batch = &batch;
        check_address(&self.url, self.network).map_err(|problem| self.endpoint(batch, problem.0))?;
        let mut pause = self.network.backoff;
        let mut attempt = 1;
        let mut may_be_under_way = false;
        loop {
            if self.cancellation.is_cancelled() {
                return Err(DeliverError::Stopped);
            }
            let asked = tokio::select! {
                asked = self.ask(batch) => asked,
                () = stop_overdue(self.cancellation) => return Err(DeliverError::Stopped),
            };
            let sent = match asked {
                Ok(begun) => {
                    let may_be = may_be_under_way || is_repeated && attempt < self.network.attempts;
                    self.conclude(batch, begun, may_be).await
                }
                Err(attempt) => Err(attempt),
            };
            let (problem, asked) = match sent {
                Ok(()) => return Ok(()),
                Err(Attempt::Refused(problem)) => {
                    let (what, url) = (self.what(batch), redacted(&self.url));
                    return Err(DeliverError::Refused { what, url, problem });
                }
                Err(Attempt::Endpoint(problem)) => return Err(self.endpoint(batch, problem)),
                Err(Attempt::Again { problem, pause, is_under_way }) => {
                    may_be_under_way |= is_under_way;
                    (problem, pause)
                }
            };
            let (what, url) = (self.what(batch), redacted(&self.url));
            if attempt >= self.network.attempts {
                return Err(DeliverError::Unavailable { what, url, problem, attempts: attempt });
            }
            tracing::warn!(
                "cannot deliver {what} to {url}: {problem}; attempt {attempt} of {}",
                self.network.attempts
            );
            tokio::select! {
                () = tokio::time::sleep(asked.unwrap_or(pause).min(PAUSE_LIMIT)) => {}
                () = self.cancellation.cancelled() => return Err(DeliverError::Stopped),
            }
            pause = pause.saturating_mul(2);
            attempt += 1;
        }
    }

    /// Sends a request, and waits for the head of its answer.
    async fn ask(&self, batch: &RequestBatch) -> Result<Begun, Attempt> {
        tracing::debug!(body = %String::from_utf8_lossy(&batch.body), "posts");
        let key = HeaderValue::from_str(&self.key(batch)).map_err(|error| silence(&error.into()))?;
        let posted = self.connections.post(("idempotency-key", key), batch.body.clone());
        let longest = self.network.connect_timeout.saturating_add(self.network.idle_timeout);
        match tokio::time::timeout(longest, posted).await {
            Ok(answered) => answered.map_err(|error| silence(&error)),
            Err(_) => {
                let problem = format!("no answer in time, which is {} s", longest.as_secs());
                Err(Attempt::Again { problem, pause: None, is_under_way: true })
            }
        }
    }

    /// Logs an answer, and says what it means: its status decides, whatever becomes of its body.
    async fn conclude(
        &self,
        batch: &RequestBatch,
        begun: Begun,
        may_be_under_way: bool,
    ) -> Result<(), Attempt> {
        let (status, pause) = (begun.head.status, retry_after(&begun.head.headers));
        let body = self.connections.read(begun, ANSWER_BYTES).await;
        // It is shown and logged, and a receiver may repeat what it was given.
        let answer = Answer { bytes: body.bytes, is_whole: body.is_whole };
        let answer = answer.text(
            |text| self.of_url.clean(&self.secrets.redact(text)),
            |text| self.of_url.clean_beginning(&self.secrets.redact_beginning(text)),
        );
        tracing::info!(
            url = redacted(&self.url),
            file = self.origin.file,
            row = batch.first,
            rows = batch.rows,
            status = status.as_u16(),
            answer = start(&answer),
            "posted"
        );
        judge(status, pause, &answer, may_be_under_way)
    }

    /// The same for the same rows at the same place of the same file, however often they are sent.
    fn key(&self, batch: &RequestBatch) -> String {
        let mut text = format!("{}\n{}\n", self.origin.identity, batch.first).into_bytes();
        text.extend_from_slice(&batch.body);
        Digest::of(&text).to_string()
    }

    fn endpoint(&self, batch: &RequestBatch, problem: String) -> DeliverError {
        DeliverError::Endpoint { what: self.what(batch), url: redacted(&self.url), problem }
    }

    fn what(&self, batch: &RequestBatch) -> String {
        let last = batch.first.saturating_add(batch.rows).saturating_sub(1);
        let file = &self.origin.file;
        if batch.rows == 1 {
            format!("row {last} of {file}")
        } else {
            format!("rows {} to {last} of {file}", batch.first)
        }
    }
}

/// Comes back once the answer under way has been waited for long enough.
async fn stop_overdue(cancellation: &Cancellation) {
    cancellation.cancelled().await;
    tracing::info!("stopping; waits for the receiver's answer");
    tokio::time::sleep(LAST_ANSWER).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_last_answer_is_waited_for_and_not_as_long_as_kubernetes_waits() {
        let cancellation = Cancellation::default();
        let stopped = tokio::time::timeout(Duration::from_secs(3600), stop_overdue(&cancellation)).await;
        assert!(stopped.is_err(), "nothing was stopped");
        cancellation.cancel();
        let began = tokio::time::Instant::now();
        stop_overdue(&cancellation).await;
        let waited = began.elapsed();
        assert!(Duration::from_secs(10) <= waited && waited <= Duration::from_secs(20), "{waited:?}");
    }
}
