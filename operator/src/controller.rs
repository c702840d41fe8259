//! The reconcile loop over all pipelines of one namespace, or of all: a queue that watches fill, and a bounded number of reconciles
//! at once.

use std::future::ready;
use std::sync::Arc;

use futures::channel::mpsc;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use kube::runtime::controller::{Action, Error};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::reflector::store::Writer;
use kube::runtime::{Config, applier};
use tokio::sync::watch;
use tracing::Instrument;

use super::cache::watch::Affected;
use super::cache::watch_children::watch_children;
use super::cache_sync::CacheSync;
use super::clock::clock_jumps;
use super::context::Context;
use super::deserialize_guard::DeserializeGuard;
use super::installed_crd::Installed;
use super::pipelines::{references, watch_pipelines};
use super::reconcile::{ReconcileError, reconcile};
use super::traces::spans;

/// One watched scope: its caches, and the queue of pipelines to reconcile.
pub struct Controller {
    context: Arc<Context>,
    caches: CacheSync,
    triggers: mpsc::UnboundedReceiver<ObjectRef<DeserializeGuard>>,
    sender: mpsc::UnboundedSender<ObjectRef<DeserializeGuard>>,
}

/// Whether this process is the leader: a standby keeps its caches up to date and does nothing else.
pub type IsLeader = watch::Receiver<bool>;

impl Controller {
    /// A controller, and the feed of its caches. The feed must be polled from the start; it never ends.
    pub fn new(
        context: Arc<Context>,
        namespace: Option<&str>,
        is_leader: IsLeader,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (sender, triggers) = mpsc::unbounded();
        let writer: Writer<DeserializeGuard> = Writer::default();
        let pipelines = writer.as_reader();
        let caches = CacheSync {
            namespace: namespace.map(str::to_owned),
            pipelines: pipelines.clone(),
            cache: Arc::clone(&context.cache),
        };
        let own = watch_pipelines(&context, namespace, writer);
        let children = watch_children(&context.client, namespace, &context.cache);
        let others = stream::select(
            installed_changes(context.installed.clone()),
            clock_jumps(Arc::clone(&context.clock)),
        );
        let others = others.map(|()| Affected::All);
        let children = stream::select(children, others)
            .flat_map(move |affected| stream::iter(references(&pipelines, &affected)));
        let feed = feed(own, children.boxed(), sender.clone(), is_leader, Arc::clone(&context));
        (Self { context, caches, triggers, sender }, feed)
    }

    /// How complete the caches are.
    #[must_use]
    pub fn caches(&self) -> CacheSync {
        self.caches.clone()
    }

    /// Reconciles every pipeline as soon as the caches are synced, and then each that changes, until `stop` resolves and running
    /// reconciles have ended.
    pub async fn run(self, concurrency: u16, stop: impl Future<Output = ()> + Clone + Send + 'static) {
        let Self { context, caches, triggers, sender } = self;
        tokio::select! {
            () = caches.complete() => {}
            () = stop.clone() => return,
        }
        let pipelines = caches.pipelines;
        for pipeline in pipelines.state() {
            let _ = sender.unbounded_send(ObjectRef::from_obj(pipeline.as_ref()));
        }
        let queue = triggers.map(Ok::<_, std::convert::Infallible>).take_until(stop);
        let config = Config::default().concurrency(concurrency);
        let retry = |_: Arc<DeserializeGuard>, error: &ReconcileError, _: Arc<Context>| {
            Action::requeue(error.retry_in)
        };
        applier(measured_reconcile, retry, context, pipelines, queue, config)
            .for_each(|outcome| {
                match outcome {
                    Ok((pipeline, action)) => tracing::debug!(%pipeline, ?action, "reconciled"),
                    Err(Error::ReconcilerFailed(error, pipeline)) => {
                        tracing::warn!(%pipeline, "reconcile failed: {error}");
                    }
                    // A child may outlive its pipeline for a moment.
                    Err(error) => tracing::debug!("{error}"),
                }
                ready(())
            })
            .await;
    }
}

/// A reconcile with its metrics and its span.
fn measured_reconcile(
    resource: Arc<DeserializeGuard>,
    context: Arc<Context>,
) -> futures::future::BoxFuture<'static, Result<Action, ReconcileError>> {
    let span = spans::reconcile(&resource);
    let root = span.clone();
    let measured = async move {
        let measurement = context.metrics.reconcile_started(&ObjectRef::from_obj(resource.as_ref()));
        let outcome = reconcile(resource, Arc::clone(&context)).await;
        spans::ended(&root, measurement.ended(&outcome));
        if let Err(error) = &outcome {
            spans::failed(&root, &error.message, error.retry_in);
        }
        outcome
    };
    Box::pin(measured.instrument(span))
}

/// An item whenever the installed CustomResourceDefinition is found to be another.
fn installed_changes(installed: watch::Receiver<Installed>) -> impl Stream<Item = ()> {
    stream::unfold(installed, async |mut installed| {
        installed.changed().await.ok()?;
        Some(((), installed))
    })
}

/// Puts every change into the queue while this process is the leader. Earlier changes are found by the reconcile of every pipeline
/// when it becomes the leader.
async fn feed(
    own: BoxStream<'static, ObjectRef<DeserializeGuard>>,
    children: BoxStream<'static, ObjectRef<DeserializeGuard>>,
    sender: mpsc::UnboundedSender<ObjectRef<DeserializeGuard>>,
    is_leader: IsLeader,
    context: Arc<Context>,
) {
    let mut changes = stream::select(own, children);
    while let Some(reference) = changes.next().await {
        if *is_leader.borrow() {
            context.metrics.triggered(&reference);
            // Fails only when the controller has ended, and then nobody reads the queue.
            let _ = sender.unbounded_send(reference);
        }
    }
}
