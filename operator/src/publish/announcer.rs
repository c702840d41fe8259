//! Writes events one after the other, beside the work: a courtesy that must never hold anything up.

use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, Recorder, Reporter};
use tokio::sync::{mpsc, oneshot};

/// How many events may wait to be written. What comes when there are more is dropped: the status says it all.
const LIMIT: usize = 2048;
/// The longest that one event may take.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The longest that a stop waits for what is still to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// Takes events.
#[derive(Clone)]
pub struct Announcer {
    sender: mpsc::Sender<Order>,
}

enum Order {
    Write { event: Box<Event>, about: Box<ObjectReference> },
    Tell(oneshot::Sender<()>),
}

impl Announcer {
    /// An announcer, and the work of it, which must be polled and never ends.
    pub fn new(client: Client, reporter: Reporter) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (sender, orders) = mpsc::channel(LIMIT);
        (Self { sender }, write_all(Recorder::new(client, reporter), orders))
    }

    /// Has an event written soon.
    pub fn announce(&self, event: Event, about: &ObjectReference) {
        let order = Order::Write { event: Box::new(event), about: Box::new(about.clone()) };
        if self.sender.try_send(order).is_err() {
            tracing::debug!("there are too many events to write: one is dropped");
        }
    }

    /// Waits a moment for what is still to be written.
    pub async fn flush(&self) {
        let (told, written) = oneshot::channel();
        let flushed = async {
            // Without its other end there is nothing to wait for.
            let _ = self.sender.send(Order::Tell(told)).await;
            let _ = written.await;
        };
        if tokio::time::timeout(FLUSH_TIMEOUT, flushed).await.is_err() {
            tracing::debug!("events took too long and were given up");
        }
    }
}

async fn write_all(recorder: Recorder, mut orders: mpsc::Receiver<Order>) {
    let mut is_taken = true;
    while let Some(order) = orders.recv().await {
        match order {
            Order::Tell(told) => drop(told.send(())),
            Order::Write { event, about } => {
                let problem = match tokio::time::timeout(TIMEOUT, recorder.publish(&event, &about)).await {
                    Ok(Ok(())) => None,
                    Ok(Err(error)) => Some(error.to_string()),
                    Err(_) => Some(format!("no answer within {} s", TIMEOUT.as_secs())),
                };
                note(&mut is_taken, problem, &event.reason);
            }
        }
    }
    // Polled as long as the operator runs, whoever has let go of the other end.
    std::future::pending().await
}

/// Says that events are not taken when that begins, and not with every one.
fn note(is_taken: &mut bool, problem: Option<String>, reason: &str) {
    let was_taken = std::mem::replace(is_taken, problem.is_none());
    match (problem, was_taken) {
        (Some(problem), true) => {
            tracing::warn!(
                reason,
                "an event was not taken, and events are missing until they are: {problem}"
            );
        }
        (Some(problem), false) => tracing::debug!(reason, "an event was not taken: {problem}"),
        (None, false) => tracing::info!("events are taken again"),
        (None, true) => {}
    }
}
