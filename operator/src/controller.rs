//! The loop over all pipelines of one namespace, or of all: watches that trigger, and a bounded number of looks at once.

use std::future::ready;
use std::sync::Arc;

use futures::channel::mpsc;
use futures::stream::BoxStream;
use futures::{FutureExt, Stream, StreamExt, stream};
use kube::Resource;
use kube::runtime::controller::{Action, Error};
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{Config, applier};
use tokio::sync::watch;
use tracing::Instrument;

use super::cache::index::{PipelineKey, version};
use super::cache::steady::{refusal, steady};
use super::cache::watch::{Touched, api, watch_children};
use super::clock_jumps::clock_jumps;
use super::context::Context;
use super::guarded::Guarded;
use super::installed_crd::Installed;
use super::reconcile::{ReconcileError, reconcile};
use super::sight::Sight;
use super::traces::spans;
use mlpipeline_core::names;

/// One watched scope: what exists in it, and the queue of pipelines to look at.
pub struct Controller {
    context: Arc<Context>,
    sight: Sight,
    triggers: mpsc::UnboundedReceiver<ObjectRef<Guarded>>,
    sender: mpsc::UnboundedSender<ObjectRef<Guarded>>,
}

/// Whether looks are taken at this moment: a stand-by keeps its cache warm and does nothing else.
pub type Leading = watch::Receiver<bool>;

impl Controller {
    /// A controller, and the feed that keeps its cache. The feed must be polled from the start; it never ends.
    pub fn new(
        context: Arc<Context>,
        namespace: Option<&str>,
        leading: Leading,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (sender, triggers) = mpsc::unbounded();
        let writer: Writer<Guarded> = Writer::default();
        let all = writer.as_reader();
        let sight = Sight {
            namespace: namespace.map(str::to_owned),
            pipelines: all.clone(),
            cache: Arc::clone(&context.cache),
        };
        let own = watch_pipelines(&context, namespace, writer);
        let children = watch_children(&context.client, namespace, &context.cache);
        let others = stream::select(
            installed_changes(context.installed.clone()),
            clock_jumps(Arc::clone(&context.clock)),
        );
        let children = stream::select(children, others)
            .flat_map(move |touched| stream::iter(references(&all, &touched)));
        let feed = feed(own, children.boxed(), sender.clone(), leading, Arc::clone(&context));
        (Self { context, sight, triggers, sender }, feed)
    }

    /// What is seen.
    #[must_use]
    pub fn sight(&self) -> Sight {
        self.sight.clone()
    }

    /// Looks at every pipeline as soon as all is seen that may be, and then at each that changes, until `stop` resolves and what
    /// was begun is ended.
    pub async fn run(self, concurrency: u16, stop: impl Future<Output = ()> + Clone + Send + 'static) {
        let Self { context, sight, triggers, sender } = self;
        tokio::select! {
            () = sight.complete() => {}
            () = stop.clone() => return,
        }
        let pipelines = sight.pipelines;
        for pipeline in pipelines.state() {
            let _ = sender.unbounded_send(ObjectRef::from_obj(pipeline.as_ref()));
        }
        let queue = triggers.map(Ok::<_, std::convert::Infallible>).take_until(stop);
        let config = Config::default().concurrency(concurrency);
        let measured = |resource: Arc<Guarded>, context: Arc<Context>| {
            let reference = ObjectRef::from_obj(resource.as_ref());
            let span = spans::reconcile(&resource);
            let of_look = span.clone();
            let look = async move {
                let measurement = context.metrics.reconcile_started(&reference);
                let outcome = reconcile(resource, Arc::clone(&context)).await;
                let result = measurement.ended(&outcome);
                spans::ended(&of_look, result, outcome.as_ref().err());
                outcome
            };
            Box::pin(look.instrument(span))
        };
        let retry =
            |_: Arc<Guarded>, error: &ReconcileError, _: Arc<Context>| Action::requeue(error.retry_in);
        applier(measured, retry, context, pipelines, queue, config)
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

/// Every pipeline, whenever the installed definition is found to be another.
fn installed_changes(installed: watch::Receiver<Installed>) -> impl Stream<Item = Touched> {
    stream::unfold(installed, async |mut installed| {
        installed.changed().await.ok()?;
        Some((Touched::All, installed))
    })
}

/// Puts every change into the queue while leading. What changed before is found by looking at every pipeline then.
async fn feed(
    own: BoxStream<'static, ObjectRef<Guarded>>,
    children: BoxStream<'static, ObjectRef<Guarded>>,
    sender: mpsc::UnboundedSender<ObjectRef<Guarded>>,
    leading: Leading,
    context: Arc<Context>,
) {
    let mut changes = stream::select(own, children);
    while let Some(reference) = changes.next().await {
        if *leading.borrow() {
            context.metrics.triggered(&reference);
            // Refused only when the controller has ended, and then nobody wants it.
            let _ = sender.unbounded_send(reference);
        }
    }
}

/// The watch of pipelines. Our own status writes trigger nothing.
fn watch_pipelines(
    context: &Arc<Context>,
    namespace: Option<&str>,
    mut writer: Writer<Guarded>,
) -> BoxStream<'static, ObjectRef<Guarded>> {
    let (context, known) = (Arc::clone(context), writer.as_reader());
    let pipelines = api::<Guarded>(&context.client, namespace);
    let scope = namespace.unwrap_or("all namespaces").to_owned();
    steady(pipelines, watcher::Config::default())
        .filter_map(move |event| {
            let touched = match event {
                Ok(event) => {
                    let event = event.modify(|pipeline| pipeline.meta_mut().managed_fields = None);
                    let touched = touched(&context, &known, &event);
                    let is_complete = !matches!(event, Event::Init | Event::InitApply(_));
                    if is_complete && context.cache.note_pipelines_seen() {
                        tracing::info!(scope, "pipelines may be seen again");
                    }
                    let before = matches!(event, Event::InitDone).then(|| known.state());
                    writer.apply_watcher_event(&event);
                    if let Some(before) = before {
                        forget_all_but(&context, &known, &before);
                    }
                    touched
                }
                Err(error) => {
                    tracing::warn!(kind = "mlpipelines", scope, %error, "a watch failed and is tried again");
                    let has_list = known.wait_until_ready().now_or_never().is_some();
                    let is_news = refusal(&error)
                        .is_some_and(|said| context.cache.note_pipelines_refused(said, has_list));
                    if is_news {
                        tracing::error!(
                            scope,
                            "the API server refuses to show the pipelines there, and nothing is done for them until it does; bind \
                             the operator's Role there (deploy/config/rbac)"
                        );
                    }
                    None
                }
            };
            ready(touched)
        })
        .boxed()
}

/// Forgets what a list did not bring: of what was deleted while the watch was down, nobody tells.
fn forget_all_but(context: &Context, known: &Store<Guarded>, before: &[Arc<Guarded>]) {
    let exist = known.state().iter().filter_map(|pipeline| pipeline.meta().uid.clone()).collect();
    context.memory.retain(&exist);
    for pipeline in before {
        let reference = ObjectRef::from_obj(pipeline.as_ref());
        if known.get(&reference).is_none() {
            context.metrics.forget(&reference);
        }
    }
}

/// The pipeline to look at because of an event. One that a list did not have for a moment is looked at in any case: what its
/// children had to say meanwhile was lost.
fn touched(context: &Context, known: &Store<Guarded>, event: &Event<Guarded>) -> Option<ObjectRef<Guarded>> {
    let uid = |pipeline: &Guarded| pipeline.meta().uid.clone().unwrap_or_default();
    match event {
        Event::Apply(pipeline) | Event::InitApply(pipeline) => {
            context.memory.know(&uid(pipeline));
            let reference = ObjectRef::from_obj(pipeline);
            let is_own = version(pipeline.meta())
                .is_some_and(|version| context.memory.is_own_write(&uid(pipeline), version));
            (!is_own || known.get(&reference).is_none()).then_some(reference)
        }
        Event::Delete(pipeline) => {
            context.memory.forget(&uid(pipeline));
            context.metrics.forget(&ObjectRef::from_obj(pipeline));
            None
        }
        Event::Init | Event::InitDone => None,
    }
}

/// The pipelines that children name. A label holds short names as they are, and a hash of long ones.
fn references(pipelines: &Store<Guarded>, touched: &Touched) -> Vec<ObjectRef<Guarded>> {
    let touched = match touched {
        Touched::Some(touched) => touched,
        Touched::All => {
            return pipelines.state().iter().map(|pipeline| ObjectRef::from_obj(pipeline.as_ref())).collect();
        }
    };
    let reference = |key: &PipelineKey| {
        let plain = ObjectRef::<Guarded>::new(&key.label).within(&key.namespace);
        if pipelines.get(&plain).is_some() {
            return Some(plain);
        }
        let named = pipelines.find(|pipeline| {
            let metadata = pipeline.meta();
            metadata.namespace.as_ref() == Some(&key.namespace)
                && metadata.name.as_deref().is_some_and(|name| names::label(name) == key.label)
        });
        named.map(|pipeline| ObjectRef::from_obj(pipeline.as_ref()))
    };
    touched.iter().filter_map(reference).collect()
}
