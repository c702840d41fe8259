//! The whole operator, put together: caches that are always warm, an election, and controllers while it leads.

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

use super::calls::Calls;
use super::context::{Clock, Context};
use super::controller::Controller;
use super::election::fence::Fence;
use super::election::{Election, Timing};
use super::guarded::Guarded;
use super::installed_crd::{Installed, keep_comparing};
use super::metrics::{Metrics, MetricsError};
use super::pressure::Pressure;
use super::publish::announcer::Announcer;
use super::sight::{Sight, enough};
use mlpipeline_core::children::BuildSettings;
use mlpipeline_core::labels::MANAGER;
use mlpipeline_core::status::conditions::READY;

/// The longest that reconciles under way may take at the end.
const DRAIN: Duration = Duration::from_secs(20);

/// How an operator runs.
#[derive(Clone)]
pub struct Options {
    /// What goes into the children.
    pub settings: BuildSettings,
    /// The namespaces to look after; all when empty.
    pub namespaces: Vec<String>,
    /// How many pipelines are looked at at once, in each namespace that is watched.
    pub concurrency: u16,
    /// The election to take part in; none for the only operator there is.
    pub election: Option<ElectionOptions>,
    /// Who we are, unlike any other.
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

/// Why an operator ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// Somebody else leads now. A fresh start as a stand-by is the safest way on.
    #[error("the lease was lost: another operator leads, or the API server could not be reached in time")]
    LeaseLost,
    /// A part that must run for ever ended.
    #[error("a watch ended unforeseen: {0}")]
    WatchEnded(String),
}

/// An operator, not yet running.
pub struct Operator {
    options: Options,
    client: Client,
    fence: Fence,
    metrics: Arc<Metrics>,
    announcer: Announcer,
    controllers: Vec<Controller>,
    feeds: JoinSet<()>,
    leading: watch::Sender<bool>,
}

/// What can be asked of an operator from outside: for probes and scrapes.
#[derive(Clone)]
pub struct Inspection {
    sights: Vec<Sight>,
    metrics: Arc<Metrics>,
}

impl Operator {
    /// Puts an operator together and lets its watches begin. `connect` makes the way to the API server, through these calls.
    ///
    /// # Errors
    /// When `connect` fails.
    pub fn new<E: From<MetricsError>>(
        options: Options,
        connect: impl FnOnce(Calls) -> Result<Client, E>,
    ) -> Result<Self, E> {
        let metrics = Arc::new(Metrics::new()?);
        let fence = if options.election.is_some() { Fence::closed() } else { Fence::open() };
        let pressure = Arc::new(Pressure::default());
        let calls =
            Calls { fence: fence.clone(), metrics: Arc::clone(&metrics), pressure: Arc::clone(&pressure) };
        let client = connect(calls)?;
        let reporter = Reporter { controller: MANAGER.to_owned(), instance: Some(options.identity.clone()) };
        let (announcer, announcing) = Announcer::new(client.clone(), reporter);
        let progress = Arc::default();
        let (leading, is_leading) = watch::channel(false);
        let mut scopes: Vec<Option<&str>> =
            options.namespaces.iter().map(|name| Some(name.as_str())).collect();
        if scopes.is_empty() {
            scopes.push(None);
        }
        let (mut controllers, mut feeds) = (Vec::new(), JoinSet::new());
        feeds.spawn(announcing);
        let (found, installed) = watch::channel(Installed::default());
        feeds.spawn(keep_comparing(client.clone(), Arc::clone(&metrics), found));
        for scope in scopes {
            let context = Arc::new(Context {
                client: client.clone(),
                settings: options.settings.clone(),
                cache: Arc::default(),
                memory: Arc::default(),
                announcer: announcer.clone(),
                progress: Arc::clone(&progress),
                clock: Arc::clone(&options.clock),
                metrics: Arc::clone(&metrics),
                pressure: Arc::clone(&pressure),
                installed: installed.clone(),
            });
            let (controller, feed) = Controller::new(context, scope, is_leading.clone());
            feeds.spawn(feed);
            controllers.push(controller);
        }
        Ok(Self { options, client, fence, metrics, announcer, controllers, feeds, leading })
    }

    /// What can be asked while it runs.
    #[must_use]
    pub fn inspection(&self) -> Inspection {
        Inspection {
            sights: self.controllers.iter().map(Controller::sight).collect(),
            metrics: Arc::clone(&self.metrics),
        }
    }

    /// Runs until `stop` resolves, then ends what was begun and gives the lease up.
    ///
    /// # Errors
    /// When the lease is lost, or a watch ends.
    pub async fn run(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), OperatorError> {
        let stop = stop.shared();
        let inspection = self.inspection();
        let election = self.election();
        let begin = async {
            enough(&inspection.sights).await;
            tracing::info!("all caches are complete that can be");
            if let Some(election) = &election {
                tracing::info!(identity = election.identity, "stands by for the lease");
                election.acquire().await;
            }
        };
        tokio::select! {
            () = begin => {}
            () = stop.clone() => return Ok(()),
            ended = self.feeds.join_next() => return Err(watch_ended(ended)),
        }
        tracing::info!("leads");
        self.metrics.leads(true);
        let _ = self.leading.send(true);
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
                // The lease is renewed until all that was begun is ended.
                tokio::select! {
                    _ = tokio::time::timeout(DRAIN, &mut work) => Ok(()),
                    () = &mut lost => Err(OperatorError::LeaseLost),
                }
            }
        };
        if outcome.is_ok() {
            self.announcer.flush().await;
        }
        self.metrics.leads(false);
        if let (Ok(()), Some(election)) = (&outcome, &election)
            && let Err(error) = election.release().await
        {
            tracing::warn!(%error, "cannot give the lease up; it ends by itself");
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
        _ => "it has nothing more to say".to_owned(),
    })
}

impl Inspection {
    /// What the operator does not see, with the namespace where it looks after some: the first list is not complete yet, or refused.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let mut missing: Vec<String> = self.sights.iter().flat_map(Sight::missing).collect();
        missing.sort_unstable();
        missing
    }

    /// All figures in the text format.
    #[must_use]
    pub fn metrics_text(&self) -> String {
        let (mut pipelines, mut steps) = (HashMap::new(), HashMap::new());
        for pipeline in self.sights.iter().flat_map(|sight| sight.pipelines.state()) {
            *pipelines.entry(state(&pipeline).to_owned()).or_insert(0) += 1;
            for step in pipeline.status().into_iter().flat_map(|status| &status.steps) {
                *steps.entry(format!("{:?}", step.state)).or_insert(0) += 1;
            }
        }
        self.metrics.count_states(&pipelines, &steps);
        self.metrics.text()
    }
}

/// How a pipeline stands, in one of few words.
fn state(pipeline: &Guarded) -> &'static str {
    if pipeline.0.is_err() {
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
