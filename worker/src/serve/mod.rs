//! Serving: a model behind HTTP, from loading it to draining.
//!
//! Owns the HTTP interface and the life of the server. Must not train, read tables, or know of clusters: a pod's name comes
//! from its environment.

pub mod args;

mod answer;
mod auth;
mod body;
mod connections;
mod docs;
mod error;
mod limits;
mod listener;
mod loaded;
mod metrics;
mod openapi;
mod options;
mod predict;
mod prefix;
mod process;
mod receiving;
mod reply;
mod router;
mod rows;
mod server;
#[cfg(test)]
mod test_models;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mlpipeline_crds::{Digest, ServeStep, StepReport, StepSpec};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

pub use args::ServeArgs;
pub use error::ServeError;
pub use options::ServeOptions;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) use rows::{RowFeatures, read_rows};

use crate::WorkContext;
use crate::cancellation::Cancellation;
use crate::failure::StepError;
use crate::model::Model;
use crate::rejected_model::warn_of_rejected;
use crate::stderr::say;
use crate::work::Work;
use auth::ApiKey;
use listener::{ConnectionLimits, Listener};
use loaded::LoadedModel;
use server::Server;

impl Work<ServeOptions> for ServeStep {
    async fn work(
        &self,
        _: &StepSpec,
        context: &WorkContext,
        options: &ServeOptions,
    ) -> Result<StepReport, StepError> {
        run(self, context, options).await?;
        Ok(StepReport::succeeded(None))
    }
}

/// Serves the model of a step until stopped.
///
/// # Errors
/// When the address is taken, the key is empty, or the model is missing, damaged or of a newer version.
async fn run(step: &ServeStep, context: &WorkContext, options: &ServeOptions) -> Result<(), StepError> {
    let folder = context.storage.artifact(&step.model)?;
    run_model(folder.path().to_owned(), step.model_digest.clone(), &context.cancellation, options).await
}

/// Serves the model in a folder until stopped: listen, load, answer, drain. It is the user's choice: one that its gate rejected is served
/// with a warning.
///
/// # Errors
/// As [`run`].
pub async fn run_folder(
    folder: &Path,
    cancellation: &Cancellation,
    options: &ServeOptions,
) -> Result<(), StepError> {
    warn_of_rejected(folder);
    run_model(folder.to_owned(), None, cancellation, options).await
}

async fn run_model(
    folder: PathBuf,
    digest: Option<Digest>,
    cancellation: &Cancellation,
    options: &ServeOptions,
) -> Result<(), StepError> {
    let key = ApiKey::from_environment(options.api_key_env.as_deref())?;
    if options.docs_need_key && key.is_none() {
        return Err(ServeError::DocsWithoutKey { variable: auth::DEFAULT_KEY_VARIABLE }.into());
    }
    let server = Arc::new(Server::new(options, key)?);
    let listener = Listener::bind(&options.listen).await?;
    let address = listener.address();
    let (stop, stopping) = watch::channel(false);
    if let Some(probe_address) = &options.probe_listen {
        let listener = Listener::bind(probe_address).await?;
        tracing::info!(address = %listener.address(), "answering probes");
        let router = router::probes(Arc::clone(&server));
        tokio::spawn(listener.serve(router, ConnectionLimits::of_probes(options), stopping.clone()));
    }
    let router = router::router(Arc::clone(&server), options.path_prefix.clone());
    let connections = tokio::spawn(listener.serve(router, ConnectionLimits::from(options), stopping));

    let model = tokio::select! {
        model = load(folder, digest) => model?,
        () = cancellation.cancelled() => return Ok(()),
    };
    announce(address, server.set_model(model));

    cancellation.cancelled().await;
    server.begin_drain();
    tracing::info!(delay = ?options.drain_delay, "draining");
    tokio::select! {
        () = tokio::time::sleep(options.drain_delay) => {}
        () = second_signal() => {}
    }
    stop.send_replace(true);
    match connections.await {
        Ok(0) => tracing::info!("stopped"),
        Ok(cut) => {
            tracing::warn!(cut, "stopped; requests that took longer than --shutdown-timeout were cut off")
        }
        Err(error) => tracing::warn!(%error, "stopped while accepting connections"),
    }
    Ok(())
}

/// Reads and verifies a model, aside, since it may be large and the server answers `/health` meanwhile.
async fn load(folder: PathBuf, digest: Option<Digest>) -> Result<Model, StepError> {
    let loaded = tokio::task::spawn_blocking(move || Model::load_expected(&folder, digest.as_ref())).await;
    loaded.map_err(|source| ServeError::Loading { source })?
}

/// Says where the model is served: as a log line, or, where those are not shown, as a line for people.
fn announce(address: SocketAddr, model: &LoadedModel) {
    let url = format!("http://{address}");
    if tracing::enabled!(tracing::Level::INFO) {
        tracing::info!(%url, revision = model.revision, "serving");
    } else {
        say(&format!("serving {} on {url} (docs: {url}/docs)", model.name()));
    }
}

/// Waits for a signal after the one that began the drain: whoever sends it does not want to wait.
async fn second_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
