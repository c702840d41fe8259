//! A session with an API server, opened from the kubeconfig that kubectl uses.

use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use mlpipeline_core::observation::Snapshot;

use crate::children::{ListError, list_children};

/// How long a whole call may take by default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Which cluster to talk to, and how long to wait for it.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// The kubeconfig's context; the current one where absent.
    pub context: Option<String>,
    /// The namespace; that of the context where absent.
    pub namespace: Option<String>,
    /// How long one call may take.
    pub timeout: Duration,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self { context: None, namespace: None, timeout: DEFAULT_TIMEOUT }
    }
}

/// What can go wrong between a kubeconfig and an answer.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// There is no kubeconfig, or it cannot be read.
    #[error("cannot read the kubeconfig: {0}")]
    Unreadable(#[source] KubeconfigError),
    /// The kubeconfig has no such context, or its context is not valid.
    #[error("cannot use the kubeconfig: {0}")]
    Unusable(#[source] KubeconfigError),
    /// No client can be made from it: a certificate or key is not valid.
    #[error("cannot use the kubeconfig: {0}")]
    Client(#[source] kube::Error),
    /// The API server does not respond.
    #[error("the cluster did not respond within {} s; check the connection with: kubectl get mlpipelines", .0.as_secs())]
    TimedOut(Duration),
    /// The API server denied a list, or the connection broke.
    #[error(transparent)]
    List(#[from] ListError),
}

/// A session with one API server.
#[derive(Clone)]
pub struct Session {
    client: Client,
    namespace: String,
    timeout: Duration,
}

impl Session {
    /// Opens a session. Nothing is sent yet.
    ///
    /// # Errors
    /// When there is no kubeconfig, or it has no such context.
    pub async fn open(options: SessionOptions) -> Result<Self, SessionError> {
        let kubeconfig = Kubeconfig::read().map_err(SessionError::Unreadable)?;
        let chosen = KubeConfigOptions { context: options.context, ..KubeConfigOptions::default() };
        let config =
            Config::from_custom_kubeconfig(kubeconfig, &chosen).await.map_err(SessionError::Unusable)?;
        let namespace = options.namespace.unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config).map_err(SessionError::Client)?;
        Ok(Self { client, namespace, timeout: options.timeout })
    }

    /// The namespace that was asked for, or that of the context.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Everything that belongs to a pipeline of a namespace.
    ///
    /// # Errors
    /// When the API server cannot be reached, denies access, or takes too long.
    pub async fn children(&self, namespace: &str, pipeline: &str) -> Result<Snapshot, SessionError> {
        let listed =
            tokio::time::timeout(self.timeout, list_children(&self.client, namespace, pipeline)).await;
        Ok(listed.map_err(|_| SessionError::TimedOut(self.timeout))??)
    }
}
