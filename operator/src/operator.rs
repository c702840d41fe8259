//! The whole operator: caches that are always up to date, an election, and controllers while it is the leader.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::Api;
use kube::runtime::events::Reporter;
use kube::{Client, Resource};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::cache_sync::{CacheSync, caches_synced};
use super::client_middleware::ClientMiddleware;
use super::clock::Clock;
use super::context::Context;
use super::controller::Controller;
use super::deserialize_guard::DeserializeGuard;
use super::election::fence::Fence;
use super::election::{Election, Timing};
use super::event_recorder::EventRecorder;
use super::installed_crd::{Installed, keep_comparing};
use super::metrics::{Metrics, MetricsError};
use super::other_installations::{Installation, Place, keep_looking};
use super::throttle::Throttle;
use mlpipeline_core::children::BuildSettings;
use mlpipeline_core::labels::MANAGER;
use mlpipeline_core::status::conditions::READY;

/// The longest that running reconciles may take after a stop signal.
const DRAIN: Duration = Duration::from_secs(20);

/// How an operator runs.
#[derive(Clone)]
pub struct Options {
    /// What goes into the children.
    pub settings: BuildSettings,
    /// The namespaces to watch; all when empty.
    pub namespaces: Vec<String>,
    /// How many pipelines are reconciled at once, in each namespace that is watched.
    pub concurrency: u16,
    /// The election to take part in; none for a single operator.
    pub election: Option<ElectionOptions>,
    /// The unique name of this process.
    pub identity: String,
    /// The time of day.
    pub clock: Clock,
}

/// Where the election is held.
#[derive(Clone, Debug)]
pub struct ElectionOptions {
    /// The lease's name.
    pub lease: String,
    /// The lease's namespace.
    pub namespace: String,
    /// How long everything takes.
    pub timing: Timing,
}

/// Why an operator ended without a stop signal.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// Another operator is the leader now. A restart as a standby is the safest way to continue.
    #[error(
        "the lease was lost: another operator became leader, or the API server could not be reached in time"
    )]
    LeaseLost,
    /// A watch ended, which must run as long as the operator.
    #[error("a watch ended unexpectedly: {0}")]
    WatchEnded(String),
}

/// An operator, not yet running.
pub struct Operator {
    options: Options,
    client: Client,
    fence: Fence,
    metrics: Arc<Metrics>,
    events: EventRecorder,
    controllers: Vec<Controller>,
    feeds: JoinSet<()>,
    is_leader: watch::Sender<bool>,
}

/// What probes and scrapes read of a running operator.
#[derive(Clone)]
pub struct Inspection {
    scopes: Vec<CacheSync>,
    metrics: Arc<Metrics>,
}

impl Operator {
    /// Sets an operator up and prepares its watches. `connect` makes the client of the API server, with this middleware.
    ///
    /// # Errors
    /// When `connect` fails.
    pub fn new<E: From<MetricsError>>(
        options: Options,
        connect: impl FnOnce(ClientMiddleware) -> Result<Client, E>,
    ) -> Result<Self, E> {
        let lease = options.election.as_ref().map(|election| election.lease.as_str());
        let metrics = Arc::new(Metrics::new(lease)?);
        let fence = if options.election.is_some() { Fence::closed() } else { Fence::open() };
        let throttle = Arc::new(Throttle::default());
        let client = connect(ClientMiddleware {
            fence: fence.clone(),
            metrics: Arc::clone(&metrics),
            throttle: Arc::clone(&throttle),
        })?;
        let reporter = Reporter { controller: MANAGER.to_owned(), instance: Some(options.identity.clone()) };
        let (events, recording) = EventRecorder::new(client.clone(), reporter);
        let progress = Arc::default();
        let (leader, is_leader) = watch::channel(false);
        let mut scopes: Vec<Option<&str>> =
            options.namespaces.iter().map(|name| Some(name.as_str())).collect();
        if scopes.is_empty() {
            scopes.push(None);
        }
        let (mut controllers, mut feeds) = (Vec::new(), JoinSet::new());
        feeds.spawn(recording);
        let (found, installed) = watch::channel(Installed::default());
        feeds.spawn(keep_comparing(client.clone(), Arc::clone(&metrics), found));
        let lease = options.election.as_ref();
        let lease = lease.map(|election| (election.namespace.clone(), election.lease.clone()));
        let place = Place::Own {
            namespace: client.default_namespace().to_owned(),
            host: options.identity.rsplit_once('_').map_or("", |(host, _)| host).to_owned(),
        };
        let own = Installation { lease, place, namespaces: options.namespaces.clone() };
        feeds.spawn(keep_looking(client.clone(), Arc::clone(&metrics), own));
        for scope in scopes {
            let context = Arc::new(Context {
                client: client.clone(),
                settings: options.settings.clone(),
                cache: Arc::default(),
                states: Arc::default(),
                events: events.clone(),
                progress: Arc::clone(&progress),
                clock: Arc::clone(&options.clock),
                metrics: Arc::clone(&metrics),
                throttle: Arc::clone(&throttle),
                installed: installed.clone(),
            });
            let (controller, feed) = Controller::new(context, scope, is_leader.clone());
            feeds.spawn(feed);
            controllers.push(controller);
        }
        Ok(Self { options, client, fence, metrics, events, controllers, feeds, is_leader: leader })
    }

    /// The client of the API server.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// What probes and scrapes read while it runs.
    #[must_use]
    pub fn inspection(&self) -> Inspection {
        Inspection {
            scopes: self.controllers.iter().map(Controller::caches).collect(),
            metrics: Arc::clone(&self.metrics),
        }
    }

    /// Runs until `stop` resolves, then lets running reconciles end and releases the lease.
    ///
    /// # Errors
    /// When the lease is lost, or a watch ends.
    pub async fn run(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), OperatorError> {
        let stop = stop.shared();
        let inspection = self.inspection();
        let election = self.election();
        let start = async {
            caches_synced(&inspection.scopes).await;
            tracing::info!("caches synced");
            if let Some(election) = &election {
                tracing::info!(identity = election.identity, "waiting for the lease");
                election.acquire().await;
            }
        };
        tokio::select! {
            () = start => {}
            () = stop.clone() => return Ok(()),
            ended = self.feeds.join_next() => return Err(watch_ended(ended)),
        }
        tracing::info!("became leader");
        self.metrics.is_leader(true);
        let _ = self.is_leader.send(true);
        let concurrency = self.options.concurrency;
        let controllers =
            self.controllers.into_iter().map(|controller| controller.run(concurrency, stop.clone()).boxed());
        let work = join_all(controllers);
        tokio::pin!(work);
        let lost = async {
            match &election {
                Some(election) => election.keep().await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(lost);
        let outcome = tokio::select! {
            _ = &mut work => Ok(()),
            () = &mut lost => Err(OperatorError::LeaseLost),
            ended = self.feeds.join_next() => Err(watch_ended(ended)),
            () = stop.clone() => {
                // The lease is renewed until running reconciles have ended.
                tokio::select! {
                    _ = tokio::time::timeout(DRAIN, &mut work) => Ok(()),
                    () = &mut lost => Err(OperatorError::LeaseLost),
                }
            }
        };
        if outcome.is_ok() {
            self.events.flush().await;
        }
        self.metrics.is_leader(false);
        if let (Ok(()), Some(election)) = (&outcome, &election)
            && let Err(error) = election.release().await
        {
            tracing::warn!(%error, "cannot release the lease, it expires by itself");
        }
        outcome
    }

    fn election(&self) -> Option<Election> {
        let options = self.options.election.as_ref()?;
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), &options.namespace);
        Some(Election {
            leases,
            name: options.lease.clone(),
            identity: self.options.identity.clone(),
            timing: options.timing,
            fence: self.fence.clone(),
            clock: Arc::clone(&self.options.clock),
        })
    }
}

fn watch_ended(ended: Option<Result<(), tokio::task::JoinError>>) -> OperatorError {
    OperatorError::WatchEnded(match ended {
        Some(Err(error)) => error.to_string(),
        _ => "its stream is over".to_owned(),
    })
}

impl Inspection {
    /// The resources that are not synced, with the namespace where only some are watched: the first list is not complete yet, or
    /// access is denied.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let mut missing: Vec<String> = self.scopes.iter().flat_map(CacheSync::missing).collect();
        missing.sort_unstable();
        missing
    }

    /// All metrics in the text format.
    #[must_use]
    pub fn metrics_text(&self) -> String {
        let (mut pipelines, mut steps) = (HashMap::new(), HashMap::new());
        for pipeline in self.scopes.iter().flat_map(|scope| scope.pipelines.state()) {
            *pipelines.entry(state(&pipeline).to_owned()).or_insert(0) += 1;
            for step in pipeline.status().into_iter().flat_map(|status| &status.steps) {
                *steps.entry(format!("{:?}", step.state)).or_insert(0) += 1;
            }
        }
        self.metrics.count_states(&pipelines, &steps);
        self.metrics.text()
    }
}

/// The state of a pipeline, as the metrics label it.
fn state(pipeline: &DeserializeGuard) -> &'static str {
    if !pipeline.is_readable() {
        return "Unreadable";
    }
    if pipeline.meta().deletion_timestamp.is_some() {
        return "Terminating";
    }
    let conditions = pipeline.status().into_iter().flat_map(|status| &status.conditions);
    let holds = |kind: &str| {
        conditions.clone().any(|condition| condition.type_ == kind && condition.status == "True")
    };
    match () {
        () if holds("Stalled") => "Stalled",
        () if holds(READY) => "Ready",
        () => "InProgress",
    }
}
