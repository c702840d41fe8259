//! The operator's binary: flags to options, signals to a stop, errors to an exit code.

use std::io::Write;

use anyhow::Context;
use clap::Parser;
use kube::Config;
use kube::client::ClientBuilder;
use mlpipeline_operator::shell::arguments::{Arguments, Command, RunArguments};
use mlpipeline_operator::shell::crd_file::crd_yaml;
use mlpipeline_operator::shell::operator::Operator;
use mlpipeline_operator::shell::{logging, probes};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::Crd) => Ok(std::io::stdout().write_all(crd_yaml()?.as_bytes())?),
        Some(Command::Run(run)) => start(run),
        None => start(arguments.run),
    }
}

#[tokio::main]
async fn start(run: RunArguments) -> anyhow::Result<()> {
    logging::start(run.log_format);
    let mut config = Config::infer().await.context("no way to an API server is configured")?;
    // The operator has waits of its own, which tell people why; the client's would only hide them.
    config.default_retry = false;
    let identity = identity();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), identity, server = %config.cluster_url, "starts");
    let options = run.options(identity, &config.default_namespace);
    let operator = Operator::new(options, |calls| {
        let client = ClientBuilder::try_from(config).context("cannot set up the way to the API server")?;
        anyhow::Ok(client.with_layer(&calls).build())
    })?;
    let inspection = operator.inspection();
    probes::serve_health(run.health_address, inspection.clone()).await?;
    probes::serve_metrics(run.metrics_address, inspection).await?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("was told to stop; ends what was begun");
    };
    operator.run(stop).await?;
    tracing::info!("ended");
    Ok(())
}

/// A name unlike that of any other operator, in which people find the pod.
fn identity() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = std::env::var("HOSTNAME").ok().unwrap_or_else(|| host.trim().to_owned());
    format!("{host}_{:08x}", rand::random::<u32>())
}
