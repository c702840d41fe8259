//! What all requests share: limits, key, counters, and the model once it is loaded.
//!
//! Owns the server's phase: loading, ready, draining.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use axum::http::{HeaderMap, HeaderValue};
use tokio::sync::Semaphore;

use super::auth::ApiKey;
use super::body::BodyLimits;
use super::limits::ServingLimits;
use super::loaded::LoadedModel;
use super::metrics::Metrics;
use super::{ServeError, ServeOptions, process};
use crate::model::Model;

/// What all requests share.
#[derive(Debug)]
pub struct Server {
    /// The key that callers must send, where there is one.
    pub key: Option<ApiKey>,
    /// What a body may cost.
    pub body_limits: BodyLimits,
    /// What is counted.
    pub metrics: Metrics,
    /// The name of this pod, as a header.
    pub pod: HeaderValue,
    /// A permit for each core: as many large requests are computed at once, and the others wait.
    pub cores: Arc<Semaphore>,
    docs_need_key: bool,
    max_rows: usize,
    model: OnceLock<Arc<LoadedModel>>,
    draining: AtomicBool,
}

impl Server {
    /// A server that has no model yet.
    ///
    /// # Errors
    /// When the counters cannot be made.
    pub fn new(options: &ServeOptions, key: Option<ApiKey>) -> Result<Self, ServeError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            key,
            body_limits: BodyLimits::new(
                usize::try_from(options.max_body).unwrap_or(usize::MAX),
                options.body_timeout,
            ),
            metrics: Metrics::new()?,
            pod: HeaderValue::from_str(&process::pod_name()).unwrap_or(HeaderValue::from_static("unknown")),
            cores: Arc::new(Semaphore::new(cores)),
            docs_need_key: options.docs_need_key,
            max_rows: options.max_rows,
            model: OnceLock::new(),
            draining: AtomicBool::new(false),
        })
    }

    /// Whether a request for the pages lacks the key that they need.
    #[must_use]
    pub fn hides_docs(&self, headers: &HeaderMap) -> bool {
        self.docs_need_key && self.key.as_ref().is_some_and(|key| !key.is_in(headers))
    }

    /// The model, once it is loaded.
    #[must_use]
    pub fn model(&self) -> Option<&Arc<LoadedModel>> {
        self.model.get()
    }

    /// Takes the model that will be served from now on; a second one changes nothing.
    pub fn set_model(&self, model: Model) -> &LoadedModel {
        self.model.get_or_init(|| {
            let limits = ServingLimits {
                needs_key: self.key.is_some(),
                max_rows: self.max_rows,
                max_body_bytes: self.body_limits.max_bytes(),
            };
            Arc::new(LoadedModel::new(model, limits, &self.metrics))
        })
    }

    /// From now on `/ready` says no, while everything is still answered.
    pub fn begin_drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Why load balancers should send nothing here, where that is so.
    #[must_use]
    pub fn not_ready(&self) -> Option<&'static str> {
        if self.draining.load(Ordering::Relaxed) {
            Some("draining")
        } else if self.model.get().is_none() {
            Some("loading the model")
        } else {
            None
        }
    }
}
