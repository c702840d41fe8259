//! Records Kubernetes events one after the other, beside the work: best effort that must never delay anything.

use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, Recorder, Reporter};
use tokio::sync::{mpsc, oneshot};

/// How many events may wait to be written. More are dropped: the status holds the same information.
const QUEUE_LIMIT: usize = 2048;
/// The longest that the write of one event may take.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The longest that a stop waits for events that are still to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// Accepts events, and writes them soon.
#[derive(Clone)]
pub struct EventRecorder {
    sender: mpsc::Sender<Message>,
}

enum Message {
    Write { event: Box<Event>, about: Box<ObjectReference> },
    Flush(oneshot::Sender<()>),
}

impl EventRecorder {
    /// A recorder, and its work, which must be polled and never ends.
    pub fn new(client: Client, reporter: Reporter) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (sender, messages) = mpsc::channel(QUEUE_LIMIT);
        (Self { sender }, write_all(Recorder::new(client, reporter), messages))
    }

    /// Queues an event to be written.
    pub fn record(&self, event: Event, about: &ObjectReference) {
        let message = Message::Write { event: Box::new(event), about: Box::new(about.clone()) };
        if self.sender.try_send(message).is_err() {
            tracing::debug!("too many events are waiting, one is dropped");
        }
    }

    /// Waits a short while for events that are still to be written.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        let flushed = async {
            // Without a receiver there is nothing to wait for.
            let _ = self.sender.send(Message::Flush(done)).await;
            let _ = written.await;
        };
        if tokio::time::timeout(FLUSH_TIMEOUT, flushed).await.is_err() {
            tracing::debug!("writing the last events timed out");
        }
    }
}

async fn write_all(recorder: Recorder, mut messages: mpsc::Receiver<Message>) {
    let mut is_accepted = true;
    while let Some(message) = messages.recv().await {
        match message {
            Message::Flush(done) => drop(done.send(())),
            Message::Write { event, about } => {
                let problem = match tokio::time::timeout(TIMEOUT, recorder.publish(&event, &about)).await {
                    Ok(Ok(())) => None,
                    Ok(Err(error)) => Some(error.to_string()),
                    Err(_) => Some(format!("no response within {} s", TIMEOUT.as_secs())),
                };
                note(&mut is_accepted, problem, &event.reason);
            }
        }
    }
    // Polled as long as the operator runs, even when every sender is dropped.
    std::future::pending().await
}

/// Logs that events are not accepted when that starts, and not for each event.
fn note(is_accepted: &mut bool, problem: Option<String>, reason: &str) {
    let was_accepted = std::mem::replace(is_accepted, problem.is_none());
    match (problem, was_accepted) {
        (Some(problem), true) => {
            tracing::warn!(
                reason,
                "cannot write an event, and events are missing until this works: {problem}"
            );
        }
        (Some(problem), false) => tracing::debug!(reason, "cannot write an event: {problem}"),
        (None, false) => tracing::info!("events are written again"),
        (None, true) => {}
    }
}
