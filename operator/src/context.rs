//! What every reconcile needs: the API client, the caches, and the clock.

use std::sync::Arc;

use kube::Client;
use tokio::sync::watch;

use super::cache::Cache;
use super::clock::Clock;
use super::event_recorder::EventRecorder;
use super::installed_crd::Installed;
use super::metrics::Metrics;
use super::rate_limiter::RateLimiter;
use super::reconcile_state::ReconcileStates;
use super::throttle::Throttle;
use mlpipeline_core::children::BuildSettings;

/// Shared by all reconciles of one watched scope.
#[derive(Clone)]
pub struct Context {
    /// The client of the API server.
    pub client: Client,
    /// What the operator adds from its own configuration.
    pub settings: BuildSettings,
    /// What exists.
    pub cache: Arc<Cache>,
    /// What is remembered between reconciles.
    pub states: Arc<ReconcileStates>,
    /// Records events.
    pub events: EventRecorder,
    /// How often progress is written.
    pub progress: Arc<RateLimiter>,
    /// The time of day.
    pub clock: Clock,
    /// Where everything is counted.
    pub metrics: Arc<Metrics>,
    /// How long the API server asked its clients to wait.
    pub throttle: Arc<Throttle>,
    /// What the installed CustomResourceDefinition was found to be.
    pub installed: watch::Receiver<Installed>,
}
