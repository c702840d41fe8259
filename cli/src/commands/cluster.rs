//! What exists of a pipeline in a cluster.

use std::error::Error;

use mlpipeline_cluster::{Session, SessionError, SessionOptions};
use mlpipeline_core::observation::read;
use mlpipeline_core::observed::Observed;
use mlpipeline_core::pipeline::ValidatedPipeline;

/// What exists of a pipeline in the cluster of a kubeconfig's context, the current one where none is named.
///
/// # Errors
/// When there is no such context, or the cluster does not answer or refuses, in words for people.
pub fn observe(context: Option<&str>, pipeline: &ValidatedPipeline) -> Result<Observed, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    runtime.block_on(list(context, pipeline)).map_err(|error| with_sources(&error))
}

async fn list(context: Option<&str>, pipeline: &ValidatedPipeline) -> Result<Observed, SessionError> {
    let options = SessionOptions { context: context.map(str::to_owned), ..SessionOptions::default() };
    let session = Session::open(options).await?;
    Ok(read(&session.children(&pipeline.namespace, &pipeline.name).await?))
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
