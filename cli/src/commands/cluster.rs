//! What exists of a pipeline in a cluster.

use std::error::Error;

use mlpipeline_cluster::{Session, SessionError, SessionOptions};
use mlpipeline_core::observation::read;
use mlpipeline_core::observed::Observed;
use mlpipeline_core::pipeline::ValidatedPipeline;
use tokio::runtime::Runtime;

/// A session with a cluster, for commands that wait for its answers.
pub struct Cluster {
    runtime: Runtime,
    session: Session,
}

impl Cluster {
    /// Opens a session. Nothing is sent yet.
    ///
    /// # Errors
    /// When there is no kubeconfig, or it has no such context, in words for people.
    pub fn open(options: SessionOptions) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("cannot start: {error}"))?;
        let session = runtime.block_on(Session::open(options)).map_err(|error| with_sources(&error))?;
        Ok(Self { runtime, session })
    }

    /// The namespace of the kubeconfig's context, or the one that the session was opened with.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.session.namespace()
    }

    /// What exists of a pipeline.
    ///
    /// # Errors
    /// When the cluster does not answer in time, or denies a list, in words for people.
    pub fn observe(&self, pipeline: &ValidatedPipeline) -> Result<Observed, String> {
        let observed: Result<Observed, SessionError> = self
            .runtime
            .block_on(async { Ok(read(&self.session.children(&pipeline.namespace, &pipeline.name).await?)) });
        observed.map_err(|error| with_sources(&error))
    }
}

/// An error with its sources, each given once.
fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        source = cause.source();
    }
    text
}
