//! Looking at a pipeline's children in a cluster, by the kubeconfig that kubectl uses.

use std::error::Error;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use mlpipeline_operator::core::observed::Observed;
use mlpipeline_operator::core::pipeline::ValidatedPipeline;
use mlpipeline_operator::core::reading::read;
use mlpipeline_operator::shell::gather::gather;

/// How long the cluster may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What exists of a pipeline in the cluster of a kubeconfig's context, the current one where none is named.
///
/// # Errors
/// When there is no such context, or the cluster does not answer or refuses, in words for people.
pub fn observe(context: Option<&str>, pipeline: &ValidatedPipeline) -> Result<Observed, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let looked = runtime.block_on(async { tokio::time::timeout(PATIENCE, look(context, pipeline)).await });
    let seconds = PATIENCE.as_secs();
    looked.unwrap_or_else(|_| {
        Err(format!("the cluster did not answer within {seconds} s; try kubectl get mlpipelines"))
    })
}

async fn look(context: Option<&str>, pipeline: &ValidatedPipeline) -> Result<Observed, String> {
    let options = KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
    let kubeconfig = Kubeconfig::read().map_err(|error| told("cannot read the kubeconfig", &error))?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| told("cannot use the kubeconfig", &error))?;
    let client = Client::try_from(config).map_err(|error| told("cannot use the kubeconfig", &error))?;
    let snapshot = gather(&client, &pipeline.namespace, &pipeline.name)
        .await
        .map_err(|error| told("cannot look at the cluster", &error))?;
    Ok(read(&snapshot))
}

/// An error with its sources, each told once.
fn told(doing: &str, error: &dyn Error) -> String {
    let mut text = format!("{doing}: {error}");
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
