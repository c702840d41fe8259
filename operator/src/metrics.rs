//! The operator's metrics: those that dashboards for controllers expect, under their usual names, and those of pipelines.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;
use prometheus::core::Collector;
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};
use tokio::time::Instant;

use super::deserialize_guard::DeserializeGuard;

/// The controller's name in labels.
const CONTROLLER: &str = "mlpipeline";

/// Every metric of the operator.
pub struct Metrics {
    registry: Registry,
    reconciles: IntCounterVec,
    errors: IntCounterVec,
    seconds: HistogramVec,
    active: IntGaugeVec,
    depth: IntGaugeVec,
    adds: IntCounterVec,
    queue_seconds: HistogramVec,
    retries: IntCounterVec,
    requests: IntCounterVec,
    leading: IntGaugeVec,
    /// The name of the lease that leaders are elected by; none without an election.
    lease: Option<String>,
    pipelines: IntGaugeVec,
    steps: IntGaugeVec,
    crd_fields_missing: IntGaugeVec,
    conflicting_installations: IntGaugeVec,
    /// Since when a pipeline waits to be reconciled.
    waiting: Mutex<HashMap<ObjectRef<DeserializeGuard>, Instant>>,
}

/// Metrics that could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the metrics: {0}")]
pub struct MetricsError(#[from] prometheus::Error);

impl Metrics {
    /// All metrics, at zero. `lease` is the name of the lease that leaders are elected by, if there is an election.
    ///
    /// # Errors
    /// When two metrics share a name, which a test rules out.
    pub fn new(lease: Option<&str>) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let buckets = prometheus::exponential_buckets(0.001, 2.0, 15)?;
        let counter = |name: &str, help: &str, labels: &[&str]| {
            register(&registry, IntCounterVec::new(Opts::new(name, help), labels)?)
        };
        let gauge = |name: &str, help: &str, labels: &[&str]| {
            register(&registry, IntGaugeVec::new(Opts::new(name, help), labels)?)
        };
        let histogram = |name: &str, help: &str, labels: &[&str]| {
            let options = HistogramOpts::new(name, help).buckets(buckets.clone());
            register(&registry, HistogramVec::new(options, labels)?)
        };
        let build = gauge("mlpipeline_operator_build_info", "The version of the operator", &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let metrics = Self {
            reconciles: counter(
                "controller_runtime_reconcile_total",
                "Reconciles by result",
                &["controller", "result"],
            )?,
            errors: counter(
                "controller_runtime_reconcile_errors_total",
                "Reconciles that failed",
                &["controller"],
            )?,
            seconds: histogram(
                "controller_runtime_reconcile_time_seconds",
                "How long reconciles take",
                &["controller"],
            )?,
            active: gauge(
                "controller_runtime_active_workers",
                "Reconciles that are running",
                &["controller"],
            )?,
            depth: gauge("workqueue_depth", "Pipelines that wait to be reconciled", &["name"])?,
            adds: counter("workqueue_adds_total", "Additions to the queue", &["name"])?,
            queue_seconds: histogram(
                "workqueue_queue_duration_seconds",
                "How long pipelines wait in the queue",
                &["name"],
            )?,
            retries: counter("workqueue_retries_total", "Reconciles that are retried", &["name"])?,
            requests: counter(
                "rest_client_requests_total",
                "Calls to the API server by verb and status code",
                &["code", "method"],
            )?,
            leading: gauge(
                "leader_election_master_status",
                "1 while this process is the leader, by the name of the lease",
                &["name"],
            )?,
            lease: lease.map(str::to_owned),
            pipelines: gauge(
                "mlpipeline_pipelines",
                "Pipelines by state: Ready, InProgress, Stalled, Terminating, Unreadable",
                &["state"],
            )?,
            steps: gauge("mlpipeline_steps", "Steps by state", &["state"])?,
            crd_fields_missing: gauge(
                "mlpipeline_crd_fields_missing",
                "Fields that the installed CustomResourceDefinition does not know and this operator does",
                &[],
            )?,
            conflicting_installations: gauge(
                "mlpipeline_conflicting_installations",
                "Deployments of the operator that write the same objects as this one, without taking turns",
                &[],
            )?,
            waiting: Mutex::default(),
            registry,
        };
        metrics.is_leader(false);
        metrics.depth.with_label_values(&[CONTROLLER]).set(0);
        metrics.active.with_label_values(&[CONTROLLER]).set(0);
        metrics.errors.with_label_values(&[CONTROLLER]).inc_by(0);
        Ok(metrics)
    }

    /// A pipeline was put into the queue.
    pub fn triggered(&self, reference: &ObjectRef<DeserializeGuard>) {
        self.adds.with_label_values(&[CONTROLLER]).inc();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.entry(reference.clone()).or_insert_with(Instant::now);
        self.depth.with_label_values(&[CONTROLLER]).set(i64::try_from(waiting.len()).unwrap_or(i64::MAX));
    }

    /// A reconcile of a pipeline starts.
    #[must_use]
    pub fn reconcile_started(&self, reference: &ObjectRef<DeserializeGuard>) -> Measurement<'_> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = waiting.remove(reference) {
            self.queue_seconds.with_label_values(&[CONTROLLER]).observe(since.elapsed().as_secs_f64());
        }
        self.depth.with_label_values(&[CONTROLLER]).set(i64::try_from(waiting.len()).unwrap_or(i64::MAX));
        self.active.with_label_values(&[CONTROLLER]).inc();
        Measurement { metrics: self, started: Instant::now() }
    }

    /// A pipeline was deleted before it was reconciled.
    pub fn forget(&self, reference: &ObjectRef<DeserializeGuard>) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(reference);
    }

    /// A call got a response, or none.
    pub fn request(&self, method: &str, code: &str) {
        self.requests.with_label_values(&[code, method]).inc();
    }

    /// Whether this process is the leader. Without an election nobody is.
    pub fn is_leader(&self, leads: bool) {
        if let Some(lease) = &self.lease {
            self.leading.with_label_values(&[lease]).set(i64::from(leads));
        }
    }

    /// How many other Deployments of the operator write the same objects.
    pub fn conflicting_installations(&self, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.conflicting_installations.with_label_values::<&str>(&[]).set(count);
    }

    /// How many fields the installed CustomResourceDefinition does not know.
    pub fn crd_fields_missing(&self, count: usize) {
        self.crd_fields_missing.with_label_values::<&str>(&[]).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// The pipelines and steps there are, by state.
    pub fn count_states(&self, pipelines: &HashMap<String, i64>, steps: &HashMap<String, i64>) {
        for (gauge, counts) in [(&self.pipelines, pipelines), (&self.steps, steps)] {
            gauge.reset();
            for (state, count) in counts {
                gauge.with_label_values(&[state]).set(*count);
            }
        }
    }

    /// All metrics in the text format.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::warn!(%error, "cannot write the metrics");
        }
        String::from_utf8(text).unwrap_or_default()
    }
}

fn register<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: C,
) -> Result<C, prometheus::Error> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

/// One running reconcile.
pub struct Measurement<'a> {
    metrics: &'a Metrics,
    started: Instant,
}

impl Measurement<'_> {
    /// The reconcile ended; the label value of its result.
    pub fn ended<E>(&self, outcome: &Result<Action, E>) -> &'static str {
        let result = match outcome {
            Ok(action) if *action == Action::await_change() => "success",
            Ok(_) => "requeue_after",
            Err(_) => "error",
        };
        self.metrics.reconciles.with_label_values(&[CONTROLLER, result]).inc();
        if outcome.is_err() {
            self.metrics.errors.with_label_values(&[CONTROLLER]).inc();
            self.metrics.retries.with_label_values(&[CONTROLLER]).inc();
        }
        let elapsed: Duration = self.started.elapsed();
        self.metrics.seconds.with_label_values(&[CONTROLLER]).observe(elapsed.as_secs_f64());
        result
    }
}

impl Drop for Measurement<'_> {
    fn drop(&mut self) {
        self.metrics.active.with_label_values(&[CONTROLLER]).dec();
    }
}
