//! What every reconcile needs: the way to the API server, what is known, and the clock.

use std::sync::Arc;

use jiff::Timestamp;
use kube::Client;
use tokio::sync::watch;

use super::cache::Cache;
use super::installed_crd::Installed;
use super::memory::Memory;
use super::metrics::Metrics;
use super::pressure::Pressure;
use super::publish::announcer::Announcer;
use super::publish::budget::Budget;
use mlpipeline_core::children::BuildSettings;

/// Tells the time of day. A test has its own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Shared by all reconciles of one watched scope.
#[derive(Clone)]
pub struct Context {
    /// The way to the API server.
    pub client: Client,
    /// What the operator adds from its own configuration.
    pub settings: BuildSettings,
    /// What exists.
    pub cache: Arc<Cache>,
    /// What is remembered between reconciles.
    pub memory: Arc<Memory>,
    /// Writes events.
    pub announcer: Announcer,
    /// How often progress is told.
    pub progress: Arc<Budget>,
    /// The time of day.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How long the API server asked everybody to wait.
    pub pressure: Arc<Pressure>,
    /// What the installed CustomResourceDefinition was found to be.
    pub installed: watch::Receiver<Installed>,
}
